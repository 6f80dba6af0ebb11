/* SPDX-License-Identifier: MIT */
/*
 * profile: how long each part of a step takes. Parts are run by themselves through their public
 * interfaces, on what a recording brings to them, so that the step itself carries no stopwatch;
 * the whole step is timed beside them, in turns, and what no part accounts for is said as such.
 */
#ifndef SONDE_TRAIN_PROFILE_H
#define SONDE_TRAIN_PROFILE_H

#include <stdint.h>

#include "kernels/fc.h"
#include "models/train/cost.h"

struct model;
struct why;

#define PROFILE_TURNS 9u
#define PROFILE_STEPS 4096u

struct profile {
	enum fc_kind kind;	/* the operators that the self-test chose, as in the daemon */
	unsigned steps, turns;
	unsigned early;		/* steps that the quick head ended */
	double step_ns;		/* all steps, the median turn */
	/*
	 * ns: all steps, the median turn; never negative. Of everything else: what the parts
	 * leave of the step. calls: in the steps that ran it.
	 */
	struct {
		double ns;
		uint64_t calls;
	} part[COST_OPS];
	struct cost cost;
};

/*
 * steps of a turn over x[rows][N] (channel units, NaN: missing), from the first again when it is
 * longer. -EINVAL, -ENOMEM; as model_detector_best.
 */
int profile_model(struct profile *out, const struct model *m, const float *x, unsigned rows,
		  unsigned steps, unsigned turns, struct why *why);

#endif
