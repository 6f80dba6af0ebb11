// SPDX-License-Identifier: MIT
/*
 * ridge: see ridge.h. Memory stays at (L N)^2 however long the recording is. The bias is a
 * column of ones behind the lags.
 */
#include "models/train/ridge.h"

#include <cblas.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/gram.h"
#include "models/train/positive.h"

#define CHUNK 256u

/* Normal equations [L N + 1]: the lagged cells, and a column of ones for the bias; b[N][L N + 1]. */
static void normal(double *a, double *b, const struct gram *g, const double *product,
		   const double *sum, double count, double lambda)
{
	unsigned n = g->channels, d = g->cells, m = d - n;

	for (unsigned i = 0; i < m; i++) {
		for (unsigned j = 0; j < m; j++)
			a[(size_t)i * (m + 1) + j] = product[(size_t)(n + i) * d + n + j];
		a[(size_t)i * (m + 1) + i] += lambda;
		a[(size_t)m * (m + 1) + i] = a[(size_t)i * (m + 1) + m] = sum[n + i];
		for (unsigned o = 0; o < n; o++)
			b[(size_t)o * (m + 1) + i] = product[(size_t)(n + i) * d + o];
	}
	a[(size_t)m * (m + 1) + m] = count;
	for (unsigned o = 0; o < n; o++)
		b[(size_t)o * (m + 1) + m] = sum[o];
}

int ridge_fit(float *weight, float *bias, const struct gram *g, unsigned without, double lambda,
	      struct why *why)
{
	unsigned n = g->channels, d = g->cells, m = d - n;
	double *product = malloc((size_t)d * d * sizeof(*product)), *sum = malloc(d * sizeof(*sum));
	double *a = malloc((size_t)(m + 1) * (m + 1) * sizeof(*a)), count;
	double *b = malloc((size_t)(m + 1) * n * sizeof(*b));
	int err = -ENOMEM;

	if (!product || !sum || !a || !b) {
		why_set(why, err, "out of memory for %u x %u normal equations", m + 1, m + 1);
		goto out;
	}
	gram_total(g, without, product, sum, &count);
	normal(a, b, g, product, sum, count, lambda);
	err = positive_solve(a, m + 1, b, n);
	if (err) {
		why_set(why, err, "the normal equations are not positive definite");
		goto out;
	}
	for (unsigned o = 0; o < n; o++) {
		for (unsigned i = 0; i < m; i++)
			weight[(size_t)o * m + i] = (float)b[(size_t)o * (m + 1) + i];
		bias[o] = (float)b[(size_t)o * (m + 1) + m];
	}
out:
	free(product);
	free(sum);
	free(a);
	free(b);
	return err;
}

int ridge_left(float *left, const float *weight, const float *bias, const float *input,
	       const float *target, unsigned from, unsigned to, unsigned channels, unsigned lags)
{
	unsigned n = channels, d = lags * n;
	float *x = malloc((size_t)CHUNK * d * sizeof(*x));

	if (!x)
		return -ENOMEM;
	for (; from < to; from += CHUNK) {
		unsigned end = from + CHUNK < to ? from + CHUNK : to;
		float *to_left = left + (size_t)from * n;

		for (unsigned t = from; t < end; t++)
			for (unsigned l = 1; l <= lags; l++)
				memcpy(x + (size_t)(t - from) * d + (l - 1) * n,
				       input + (size_t)(t - l) * n, n * sizeof(*x));
		for (unsigned t = from; t < end; t++)
			for (unsigned i = 0; i < n; i++)
				to_left[(size_t)(t - from) * n + i] =
					target[(size_t)t * n + i] - bias[i];
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(end - from), (int)n,
			    (int)d, -1, x, (int)d, weight, (int)d, 1, to_left, (int)n);
	}
	free(x);
	return 0;
}
