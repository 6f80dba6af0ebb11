// SPDX-License-Identifier: MIT
/*
 * The linear forecast recovers a process that it can express: two channels, one
 * driven by itself two rows ago, the other by the first one row ago, with an offset.
 */
#include "models/train/ridge.h"

#include <errno.h>

#include "kernels/why.h"
#include "models/train/random.h"
#include "test/test.h"

#define ROWS 3000
#define N 2
#define L 3

static float input[ROWS * N], left[ROWS * N];
static const float none[N];

static void make(float noise)
{
	struct random r = { 11 };

	memset(input, 0, sizeof(input));
	for (int t = 2; t < ROWS; t++) {
		float *x = input + t * N;

		x[0] = -0.8f * x[-2 * N] + random_uniform(&r);
		x[1] = 0.5f * x[-N] + 0.25f + noise * random_uniform(&r);
	}
}

static void recovers(void)
{
	float w[N * L * N], b[N];
	double square = 0, square1 = 0;
	struct why why;

	make(0.5f);
	CHECK(!ridge_fit(w, b, input, input, none, ROWS, N, L, 1e-3, &why));
	/* weight[o][(lag - 1) * N + channel], newest first */
	CHECK_NEAR(w[0 * L * N + 1 * N + 0], -0.8, 0.05);
	CHECK_NEAR(w[0 * L * N + 0 * N + 0], 0, 0.05);
	CHECK_NEAR(w[1 * L * N + 0 * N + 0], 0.5, 0.03);
	CHECK_NEAR(w[1 * L * N + 0 * N + 1], 0, 0.05);
	CHECK_NEAR(b[1], 0.25, 2e-2);
	CHECK(!ridge_left(left, w, b, input, input, ROWS, N, L));
	for (int t = 0; t < L; t++)
		CHECK(left[t * N] == 0 && left[t * N + 1] == 0);
	for (int t = L; t < ROWS; t++) {
		float f = b[0];

		for (int l = 1; l <= L; l++)
			for (int i = 0; i < N; i++)
				f += w[(l - 1) * N + i] * input[(t - l) * N + i];
		CHECK_NEAR(left[t * N], input[t * N] - f, 1e-5);
		square1 += (double)left[t * N + 1] * left[t * N + 1];
		square += (double)left[t * N] * left[t * N];
	}
	/* What is left is the noise that was put in: uniform, variance 1/3 of its square. */
	CHECK_NEAR(square / ROWS, 1.0 / 3, 0.02);
	CHECK_NEAR(square1 / ROWS, 0.25 / 3, 0.005);
}

/* A penalty shrinks, a dead channel does no harm, and too little of either is refused. */
static void penalty(void)
{
	float weak[N * N], strong[N * N], b[N];
	struct why why;

	make(0.1f);
	CHECK(!ridge_fit(weak, b, input, input, none, ROWS, N, 1, 1e-3, &why));
	CHECK(!ridge_fit(strong, b, input, input, none, ROWS, N, 1, 1e4, &why));
	CHECK(fabsf(strong[N]) < 0.5f * fabsf(weak[N]));
	for (int t = 0; t < ROWS; t++)
		input[t * N + 1] = 0;
	CHECK(!ridge_fit(weak, b, input, input, none, ROWS, N, 1, 10, &why));
	CHECK_NEAR(weak[N + 1], 0, 1e-6);
	CHECK_NEAR(b[1], 0, 1e-6);
	why.text[0] = 0;
	CHECK_EQ(ridge_fit(weak, b, input, input, none, ROWS, N, 1, 0, &why), -EDOM);
	CHECK(why.text[0]);
}

/* Of a channel that wanders only changes are used, and its level changes no forecast. */
static void changes_only(void)
{
	static const float first[N] = { 1, 0 };
	static float target[ROWS * N];
	float w[N * L * N], b[N];
	struct random r = { 12 };
	struct why why;

	memset(input, 0, sizeof(input));
	for (int t = 3; t < ROWS; t++) {
		float *x = input + t * N;

		x[0] = x[-N] + random_uniform(&r);
		x[1] = random_uniform(&r);
		target[t * N + 1] = 0.7f * (x[-N] - x[-2 * N]) - 0.4f * (x[-2 * N] - x[-3 * N]) +
				    0.3f * x[-N + 1];
	}
	CHECK(!ridge_fit(w, b, input, target, first, ROWS, N, L, 1e-3, &why));
	/* [o = 1][lag][channel 0] */
	CHECK_NEAR(w[L * N + 0 * N], 0.7, 1e-3);
	CHECK_NEAR(w[L * N + 1 * N], -1.1, 1e-3);
	CHECK_NEAR(w[L * N + 2 * N], 0.4, 1e-3);
	CHECK_NEAR(w[L * N + 0 * N + 1], 0.3, 1e-3);
	CHECK_NEAR(w[L * N + 2 * N + 1], 0, 1e-3);
	CHECK(!ridge_fit(w, b, input, target, first, ROWS, N, 1, 1e-3, &why));
	CHECK(w[N] == 0 && w[0] == 0);
}

int main(void)
{
	changes_only();
	recovers();
	penalty();
	return 0;
}
