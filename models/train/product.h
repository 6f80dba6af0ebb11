/* SPDX-License-Identifier: MIT */
/*
 * product: the three matrix products of a layer and its backward pass, row-major. `wide` is the
 * length of a row of the weights, of which a layer may use a part; keep 0 overwrites, 1 adds.
 */
#ifndef SONDE_TRAIN_PRODUCT_H
#define SONDE_TRAIN_PRODUCT_H

#include <cblas.h>
#include <stddef.h>

/* y[rows][out] = keep * y + x[rows][in] w[out][in]^T. */
static inline void product(float *y, const float *x, const float *w, size_t rows, size_t out,
			   size_t in, size_t wide, float keep)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)out, (int)in, 1, x,
		    (int)in, w, (int)wide, keep, y, (int)out);
}

/* dx[rows][in] = keep * dx + dy[rows][out] w[out][in]. */
static inline void product_back(float *dx, const float *dy, const float *w, size_t rows,
				size_t out, size_t in, size_t wide, float keep)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)in, (int)out, 1,
		    dy, (int)out, w, (int)wide, keep, dx, (int)in);
}

/* dw[out][in] += dy[rows][out]^T x[rows][in]. */
static inline void product_weights(float *dw, const float *dy, const float *x, size_t rows,
				   size_t out, size_t in, size_t wide)
{
	cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)out, (int)in, (int)rows, 1, dy,
		    (int)out, x, (int)in, 1, dw, (int)wide);
}

/* y[rows][n]: each row v[n]. */
static inline void product_fill(float *y, const float *v, size_t rows, size_t n)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < n; i++)
			y[r * n + i] = v[i];
}

/* sum[n] += each row of v[rows][n]. */
static inline void product_sum(float *sum, const float *v, size_t rows, size_t n)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < n; i++)
			sum[i] += v[r * n + i];
}

#endif
