/* SPDX-License-Identifier: MIT */
/*
 * review: what a report of a fit tells besides what fitting itself found out: how the residuals
 * of channels go together, whether the int8 form would say the same, and what a row would
 * cost where the model is to run. Nothing in here changes the model.
 */
#ifndef SONDE_TRAIN_REVIEW_H
#define SONDE_TRAIN_REVIEW_H

#include "models/train/cost.h"
#include "models/train/covariance.h"
#include "models/train/draft.h"
#include "models/train/quantize.h"

struct review {
	struct covariance left;		/* rows 0: there are too many channels */
	struct draft int8;		/* points into the float model */
	struct quantize_report agree;
	double same_side;		/* see review_same_side */
	struct cost cost;		/* of the int8 form */
	struct cost_target target;
	uint64_t int8_bytes;		/* of all its tensors */
	double measured_us;		/* a full int8 step; NAN: the target is not here */
};

#define REVIEW_ROWS_MAX 20000u	/* the last ones; more would tell no more */

/*
 * m: float, just fitted, and must outlive the review; x[rows][N] what it was fitted on. target:
 * "this" or as cost_target. -EINVAL: no such target; -ENOMEM; as quantize_model. Result, also a
 * failed one: review_close.
 */
int review_open(struct review *r, const struct model *m, const float *x, unsigned rows,
		const char *target, struct why *why);
void review_close(struct review *r);

/*
 * Share of the rows of x[rows][N] that both models call departed, or both do not: each
 * by what a row's largest departure is (struct detector_result) against its own point_limit.
 */
int review_same_side(double *share, const struct model *a, const struct model *b, const float *x,
		     unsigned rows, struct why *why);

#endif
