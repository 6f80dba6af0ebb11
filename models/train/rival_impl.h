/* SPDX-License-Identifier: MIT */
/*
 * rival_impl: the parts that rivals are made of; rivals' own files only. Rows
 * come in deviations (z), complete.
 */
#ifndef SONDE_TRAIN_RIVAL_IMPL_H
#define SONDE_TRAIN_RIVAL_IMPL_H

#include <stdint.h>

/* Principal components of `lags` rows laid side by side, newest first. */
struct pca {
	unsigned channels, lags, dim, keep;	/* dim = lags * channels; keep axes */
	double *mean;				/* [dim] */
	double *axis;				/* [dim][dim], the first `keep` rows count */
	double *value;				/* [dim] variance along each axis, descending */
	double *part;				/* [dim] the last window's deviations, then its residual */
	double *along;				/* [keep] and its parts along the axes */
};

/* Axes are kept until they hold `share` of the variance. z[rows][channels]. -ENOMEM, -EDOM. */
int pca_open(struct pca *p, const float *z, unsigned rows, unsigned channels, unsigned lags,
	     double share);
void pca_close(struct pca *p);
/* Sets ->along and ->part (the residual) of window[dim]. */
void pca_project(struct pca *p, const float *window);

struct trees;

/* low[channels], range[channels] > 0: where the data are expected. period: rows a profile. */
int trees_open(struct trees **out, unsigned channels, const float *low, const float *range,
	       unsigned period, uint64_t seed);
void trees_close(struct trees *t);
/* Score a row against the last full profile, and learn it into the next. */
float trees_step(struct trees *t, const float *row);

#endif
