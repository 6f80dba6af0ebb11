/* SPDX-License-Identifier: MIT */
/*
 * subspace_fit: the operators of the subspace view from training rows: principal components
 * of windows of L rows, as many as hold a share of the variance.
 */
#ifndef SONDE_TRAIN_SUBSPACE_FIT_H
#define SONDE_TRAIN_SUBSPACE_FIT_H

#include "kernels/subspace.h"

struct draft;
struct gram;
struct series;
struct why;

struct subspace_options {
	double share;		/* of the variance that the components hold, 0 to 1 */
	unsigned rank;		/* so many components; 0: by share */
	float code_clip;	/* deviations of a component */
};

/*
 * From the blocks of g but `without` (g->blocks: all), windows of g->lags rows. out's operators
 * are kept by d; out->inv_sigma is the caller's matter. -ENOMEM, -EDOM: nothing ever moves.
 */
int subspace_fit(struct subspace_spec *out, struct draft *d, const struct gram *g,
		 unsigned without, const struct subspace_options *o, struct why *why);

/*
 * Squares of what spec leaves of the windows that end in rows from .. to-1 of s, added to
 * square[lags * N]. -ENOMEM.
 */
int subspace_left(double *square, const struct subspace_spec *spec, const struct series *s,
		  unsigned from, unsigned to);

#endif
