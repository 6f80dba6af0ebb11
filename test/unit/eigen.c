// SPDX-License-Identifier: MIT
/*
 * eigen: known spectra, the definition A v = lambda v on a random covariance,
 * the sign rule, and what is refused.
 */
#include "models/train/eigen.h"

#include <errno.h>

#include "models/train/random.h"
#include "test/test.h"

static void small(void)
{
	double a[9] = { 2, 1, 0, 1, 2, 0, 0, 0, 5 }, value[3];
	double r = sqrt(.5);

	CHECK_EQ(eigen_symmetric(a, value, 3, 3), 0);
	CHECK_NEAR(value[0], 5, 1e-12);
	CHECK_NEAR(value[1], 3, 1e-12);
	CHECK_NEAR(value[2], 1, 1e-12);
	CHECK_NEAR(a[2], 1, 1e-12);
	CHECK_NEAR(a[3], r, 1e-12);
	CHECK_NEAR(a[4], r, 1e-12);
	/* Two components of one size: the first is the positive one. */
	CHECK_NEAR(a[6], r, 1e-12);
	CHECK_NEAR(a[7], -r, 1e-12);
}

/* Four groups of equal eigenvalues, as constant channels make them. */
static void definition(void)
{
	enum { N = 60, RANK = 20 };
	static double b[RANK][N], a[N * N], c[N * N];
	double value[N], trace = 0, sum = 0;
	struct random rng = { 7 };

	for (int k = 0; k < RANK; k++)
		for (int i = 0; i < N; i++)
			b[k][i] = (double)random_uniform(&rng);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			for (int k = 0; k < RANK; k++)
				a[i * N + j] += b[k][i] * b[k][j];
			c[i * N + j] = a[i * N + j];
		}
	CHECK_EQ(eigen_symmetric(a, value, N, N), 0);
	for (int i = 0; i < N; i++) {
		double largest = 0;

		trace += c[i * N + i];
		sum += value[i];
		CHECK(!i || value[i] <= value[i - 1]);
		CHECK(i < RANK || fabs(value[i]) < 1e-10);
		for (int j = 0; j < N; j++) {
			double image = 0;

			for (int k = 0; k < N; k++)
				image += c[j * N + k] * a[i * N + k];
			CHECK_NEAR(image, value[i] * a[i * N + j], 1e-10);
			if (fabs(a[i * N + j]) > fabs(largest))
				largest = a[i * N + j];
		}
		CHECK(largest > 0);
		for (int k = 0; k <= i; k++) {
			double dot = 0;

			for (int j = 0; j < N; j++)
				dot += a[i * N + j] * a[k * N + j];
			CHECK_NEAR(dot, i == k, 1e-10);
		}
	}
	CHECK_NEAR(sum, trace, 1e-9);
}

static void refused(void)
{
	double a[4] = { 1, NAN, NAN, 1 }, value[2];

	CHECK_EQ(eigen_symmetric(a, value, 2, 2), -EDOM);
	CHECK_EQ(eigen_symmetric(a, value, 0, 0), -EINVAL);
	CHECK_EQ(eigen_symmetric(a, value, 2, 3), -EINVAL);
	CHECK_EQ(eigen_symmetric(a, value, EIGEN_MAX + 1, 1), -EINVAL);
	a[0] = -3;
	CHECK_EQ(eigen_symmetric(a, value, 1, 1), 0);
	CHECK_NEAR(value[0], -3, 0);
	CHECK_NEAR(a[0], 1, 0);
}

int main(void)
{
	small();
	definition();
	refused();
	return 0;
}
