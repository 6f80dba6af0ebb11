// SPDX-License-Identifier: MIT
/*
 * ridge: see ridge.h. The normal matrix is gathered over chunks of rows, so that
 * memory stays at (L N)^2 however long the recording is. The bias is a column of
 * ones behind the lags.
 */
#include "models/train/ridge.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"

#define CHUNK 256u

/*
 * x[chunk][D]: what row t is forecast from, for t = from .. to-1. Of a channel that
 * wanders lag l is its change from lag l + 1; the last lag has none.
 */
static void gather(double *x, const float *input, const float *wanders, unsigned from,
		   unsigned to, unsigned n, unsigned lags)
{
	for (unsigned t = from; t < to; t++) {
		for (unsigned l = 1; l <= lags; l++) {
			const float *v = input + (size_t)(t - l) * n;
			const float *before = l < lags ? v - n : v;

			for (unsigned i = 0; i < n; i++)
				*x++ = wanders[i] != 0 ? v[i] - before[i] : v[i];
		}
		*x++ = 1;
	}
}

/* Weights of changes, w[lags][n], become weights of values in place. */
static void of_values(double *w, const float *wanders, unsigned n, unsigned lags)
{
	for (unsigned i = 0; i < n; i++) {
		if (wanders[i] == 0)
			continue;
		for (unsigned l = lags; l-- > 0;)
			w[l * n + i] = (l + 1 < lags ? w[l * n + i] : 0) -
				       (l ? w[(l - 1) * n + i] : 0);
	}
}

static void gather_target(double *y, const float *target, unsigned from, unsigned to, unsigned n)
{
	for (size_t k = (size_t)from * n; k < (size_t)to * n; k++)
		*y++ = target[k];
}

/* a[d][d], lower triangle: a = l l^T in place. -EDOM. */
static int cholesky(double *a, unsigned d)
{
	for (unsigned j = 0; j < d; j++) {
		double *row = a + (size_t)j * d;
		double pivot = row[j] - cblas_ddot((int)j, row, 1, row, 1);

		if (!(pivot > 0))
			return -EDOM;
		row[j] = sqrt(pivot);
		for (unsigned i = j + 1; i < d; i++) {
			double *below = a + (size_t)i * d;

			below[j] = (below[j] - cblas_ddot((int)j, below, 1, row, 1)) / row[j];
		}
	}
	return 0;
}

/* y[d][n] <- the solution of (l l^T) y = b, b given in y. */
static void solve(const double *l, unsigned d, double *y, unsigned n)
{
	cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)d,
		    (int)n, 1, l, (int)d, y, (int)n);
	cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)d,
		    (int)n, 1, l, (int)d, y, (int)n);
}

int ridge_fit(float *weight, float *bias, const float *input, const float *target,
	      const float *wanders, unsigned rows, unsigned channels, unsigned lags,
	      double lambda, struct why *why)
{
	unsigned n = channels, d = lags * n + 1;
	double *a = calloc((size_t)d * d, sizeof(*a)), *b = calloc((size_t)d * n, sizeof(*b));
	double *x = malloc((size_t)CHUNK * d * sizeof(*x)), *y = malloc((size_t)CHUNK * n * sizeof(*y));
	int err = -ENOMEM;

	if (!a || !b || !x || !y) {
		why_set(why, err, "out of memory for %u x %u normal equations", d, d);
		goto out;
	}
	for (unsigned from = lags; from < rows; from += CHUNK) {
		unsigned to = from + CHUNK < rows ? from + CHUNK : rows;

		gather(x, input, wanders, from, to, n, lags);
		gather_target(y, target, from, to, n);
		cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)d, (int)(to - from), 1, x,
			    (int)d, 1, a, (int)d);
		cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)d, (int)n,
			    (int)(to - from), 1, x, (int)d, y, (int)n, 1, b, (int)n);
	}
	for (unsigned i = 0; i + 1 < d; i++)
		a[(size_t)i * d + i] += lambda;
	err = cholesky(a, d);
	if (err) {
		why_set(why, err, "the normal equations are not positive definite");
		goto out;
	}
	solve(a, d, b, n);
	for (unsigned o = 0; o < n; o++) {
		for (unsigned i = 0; i + 1 < d; i++)
			x[i] = b[(size_t)i * n + o];
		of_values(x, wanders, n, lags);
		for (unsigned i = 0; i + 1 < d; i++)
			weight[(size_t)o * (d - 1) + i] = (float)x[i];
		bias[o] = (float)b[(size_t)(d - 1) * n + o];
	}
out:
	free(a);
	free(b);
	free(x);
	free(y);
	return err;
}

int ridge_left(float *left, const float *weight, const float *bias, const float *input,
	       const float *target, unsigned rows, unsigned channels, unsigned lags)
{
	unsigned n = channels, d = lags * n;
	float *x = malloc((size_t)CHUNK * d * sizeof(*x));

	if (!x)
		return -ENOMEM;
	memset(left, 0, (size_t)lags * n * sizeof(*left));
	for (unsigned from = lags; from < rows; from += CHUNK) {
		unsigned to = from + CHUNK < rows ? from + CHUNK : rows;
		float *to_left = left + (size_t)from * n;

		for (unsigned t = from; t < to; t++)
			for (unsigned l = 1; l <= lags; l++)
				memcpy(x + (size_t)(t - from) * d + (l - 1) * n,
				       input + (size_t)(t - l) * n, n * sizeof(*x));
		for (unsigned t = from; t < to; t++)
			for (unsigned i = 0; i < n; i++)
				to_left[(size_t)(t - from) * n + i] =
					target[(size_t)t * n + i] - bias[i];
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(to - from), (int)n,
			    (int)d, -1, x, (int)d, weight, (int)d, 1, to_left, (int)n);
	}
	free(x);
	return 0;
}
