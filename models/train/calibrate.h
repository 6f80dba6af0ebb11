/* SPDX-License-Identifier: MIT */
/*
 * calibrate: what a model must be told about its own errors: the deviation that
 * whitens each channel's residual, how restless it usually is, the tail of each view and of
 * the score, the limit at which a channel counts as departed, and the rows of its self-test.
 * All measured with the detector that will run, never with a copy of its mathematics.
 */
#ifndef SONDE_TRAIN_CALIBRATE_H
#define SONDE_TRAIN_CALIBRATE_H

#include <stdbool.h>

#include "kernels/detector.h"

struct draft;
struct why;

/* The linear operators of a model that was made without rows from .. to-1, and what is usual. */
struct fold {
	unsigned from, to;
	struct fc_spec linear, encode, decode;
	const float *center[VIEWS], *inv_dev[VIEWS];	/* of the slow views; set by calibrate */
};

/*
 * A recording in the model's channels. With folds, each row is judged by the operators that
 * were made without it: what is measured is what new rows will do.
 */
struct recording {
	const float *x;			/* [rows][N] channel units; NaN: missing */
	unsigned rows;
	struct fold *fold;		/* [folds], of all rows, GRAM_BLOCKS_MAX at most; or NULL */
	unsigned folds;
	unsigned net_from;		/* rows before it taught the net: others measure it */
};

/*
 * Set the whitening of the forecast and of the net, what is usual of the slow views and of
 * each channel, the views' medians, the tail, departure, point_limit and the self-test of
 * d->m from the recording. The rest of the spec must be there. -EINVAL: too few rows behind the
 * detector's warm-up; and what detector_open and tail_fit return.
 */
int calibrate(struct draft *d, const struct recording *rec, enum fc_kind kind,
	      struct why *why);

/*
 * Only the self-test: x[rows][N], copied, scored by the model as it is. The last rows are left
 * out where they are more than model_test_rows.
 */
int calibrate_test(struct draft *d, const float *x, unsigned rows, enum fc_kind kind,
		   struct why *why);

/* calibrate_usual.c: its first half, which does not depend on which views are kept. */
int calibrate_usual(struct draft *d, const struct recording *rec, enum fc_kind kind,
		    struct why *why);

#endif
