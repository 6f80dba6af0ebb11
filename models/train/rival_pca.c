// SPDX-License-Identifier: MIT
/*
 * rival_pca: the subspace that rows, or windows of rows, keep to: T^2 within it, Q
 * and the lagged residual beside it (Jackson & Mudholkar 1979; Ku, Storer & Georgakis 1995).
 */
#include <cblas.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/eigen.h"
#include "models/train/rival_impl.h"

#define CHUNK 256u

/* x[to - from][dim]: windows that end in rows from..to-1. */
static void gather(double *x, const struct pca *p, const float *z, unsigned from, unsigned to)
{
	for (unsigned r = from; r < to; r++)
		for (unsigned l = 0; l < p->lags; l++)
			for (unsigned i = 0; i < p->channels; i++)
				*x++ = (double)z[(size_t)(r - l) * p->channels + i];
}

static void measure_mean(struct pca *p, double *x, const float *z, unsigned rows)
{
	unsigned first = p->lags - 1;

	for (unsigned from = first; from < rows; from += CHUNK) {
		unsigned to = from + CHUNK < rows ? from + CHUNK : rows;

		gather(x, p, z, from, to);
		for (unsigned r = 0; r < to - from; r++)
			cblas_daxpy((int)p->dim, 1.0 / (rows - first), x + (size_t)r * p->dim, 1,
				    p->mean, 1);
	}
}

/* p->axis becomes the windows' covariance, both triangles. */
static void measure_covariance(struct pca *p, double *x, const float *z, unsigned rows)
{
	unsigned d = p->dim, first = p->lags - 1;

	for (unsigned from = first; from < rows; from += CHUNK) {
		unsigned to = from + CHUNK < rows ? from + CHUNK : rows;

		gather(x, p, z, from, to);
		for (unsigned r = 0; r < to - from; r++)
			cblas_daxpy((int)d, -1, p->mean, 1, x + (size_t)r * d, 1);
		cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)d, (int)(to - from),
			    1.0 / (rows - first), x, (int)d, 1, p->axis, (int)d);
	}
	for (unsigned i = 0; i < d; i++)
		for (unsigned j = 0; j < i; j++)
			p->axis[(size_t)j * d + i] = p->axis[(size_t)i * d + j];
}

/* Axes with no variance are never kept: T^2 divides by it. */
static void choose(struct pca *p, double share)
{
	double all = 0, held = 0, least = 1e-12 * p->value[0];

	for (unsigned i = 0; i < p->dim; i++)
		all += p->value[i] > 0 ? p->value[i] : 0;
	while (p->keep < p->dim && held < share * all && p->value[p->keep] > least)
		held += p->value[p->keep++];
}

int pca_open(struct pca *p, const float *z, unsigned rows, unsigned channels, unsigned lags,
	     double share)
{
	unsigned d = channels * lags;
	double *x = malloc((size_t)CHUNK * d * sizeof(*x));
	int err = -ENOMEM;

	*p = (struct pca){ .channels = channels, .lags = lags, .dim = d };
	p->mean = calloc(d, sizeof(*p->mean));
	p->axis = calloc((size_t)d * d, sizeof(*p->axis));
	p->value = calloc(d, sizeof(*p->value));
	p->part = calloc(d, sizeof(*p->part));
	p->along = calloc(d, sizeof(*p->along));
	if (!x || !p->mean || !p->axis || !p->value || !p->part || !p->along)
		goto out;
	measure_mean(p, x, z, rows);
	measure_covariance(p, x, z, rows);
	err = eigen_symmetric(p->axis, p->value, d, d);
	if (!err)
		choose(p, share);
out:
	free(x);
	return err;
}

void pca_close(struct pca *p)
{
	free(p->mean);
	free(p->axis);
	free(p->value);
	free(p->part);
	free(p->along);
	*p = (struct pca){ 0 };
}

void pca_project(struct pca *p, const float *window)
{
	int d = (int)p->dim;

	for (unsigned i = 0; i < p->dim; i++)
		p->part[i] = (double)window[i] - p->mean[i];
	for (unsigned k = 0; k < p->keep; k++)
		p->along[k] = cblas_ddot(d, p->axis + (size_t)k * p->dim, 1, p->part, 1);
	for (unsigned k = 0; k < p->keep; k++)
		cblas_daxpy(d, -p->along[k], p->axis + (size_t)k * p->dim, 1, p->part, 1);
}
