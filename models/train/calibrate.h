/* SPDX-License-Identifier: MIT */
/*
 * calibrate: what a model must be told about its own errors: the deviation that
 * whitens each channel's residual, the tail of each view and of the score, the
 * limit at which a channel counts as departed, and the rows of its self-test.
 * All measured with the detector that will run, never with a copy of its mathematics.
 */
#ifndef SONDE_TRAIN_CALIBRATE_H
#define SONDE_TRAIN_CALIBRATE_H

#include <stdbool.h>

#include "kernels/fc.h"

struct draft;
struct detector_spec;
struct why;

/* A recording in the model's channels. */
struct recording {
	const float *x;		/* [rows][N] channel units; NaN: missing */
	unsigned rows;
	unsigned held_from;	/* rows from here on were not learnt from */
};

/*
 * Set spec.inv_sigma, the tails, departure and the self-test of d->m from the
 * recording. The rest of the spec must be there. -EINVAL: too few rows behind
 * the detector's warm-up; and what detector_open and tail_fit return.
 */
int calibrate(struct draft *d, const struct recording *rec, enum fc_kind kind,
	      struct why *why);

/* Only the self-test: x[rows][N], copied, scored by the model as it is. */
int calibrate_test(struct draft *d, const float *x, unsigned rows, enum fc_kind kind,
		   struct why *why);

/*
 * score[rows] of x[rows][N] from a reset detector; a row that is not ready has
 * score 0.
 */
int calibrate_scores(const struct detector_spec *spec, enum fc_kind kind, const float *x,
		     unsigned rows, float *score, struct why *why);

#endif
