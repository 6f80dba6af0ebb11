/* SPDX-License-Identifier: MIT */
/*
 * activity: what goes into each operator of a float model while it reads a recording: how
 * much a column matters when its weights are rounded, and what to compare the rounded
 * operator on. Told by the operators themselves, as the detector runs them.
 */
#ifndef SONDE_TRAIN_ACTIVITY_H
#define SONDE_TRAIN_ACTIVITY_H

#include "models/model_impl.h"

#define ACTIVITY_ROWS_MAX 2048u

struct activity {
	unsigned layers;
	struct model copy;			/* with the taps in it */
	struct activity_layer {
		struct model_field field;	/* of the weight; .fc points into copy */
		unsigned rows;			/* the last ones, at most ACTIVITY_ROWS_MAX */
		unsigned long runs;
		float *in;			/* [rows][field.fc->in] */
	} layer[8];
};

/* x[rows][N] in channel units, NaN: missing. m is float. -ENOMEM; as run_rows. */
int activity_open(struct activity *a, const struct model *m, const float *x, unsigned rows,
		  struct why *why);
void activity_free(struct activity *a);

#endif
