/* SPDX-License-Identifier: MIT */
/*
 * refit: a model that is there, before it is changed and calibrated again: its recording as its
 * own detector sees it, and its linear parts once more without each block, so that limits are
 * again measured on rows that the operators were made without (calibrate.h).
 */
#ifndef SONDE_TRAIN_REFIT_H
#define SONDE_TRAIN_REFIT_H

#include "models/train/calibrate.h"
#include "models/train/data.h"
#include "models/train/gram.h"

struct draft;
struct model;
struct why;

struct refit {
	struct series rows;		/* in the model's deviations; .u owns its arrays */
	struct fold fold[GRAM_BLOCKS_MAX];
	struct recording rec;		/* .folds 0: see refit_open; .net_from: as fit has it */
	float *std;			/* [N] channel units, 0: it never moves in the recording */
};

/*
 * x[rows][N] in the model's channels, which must outlive r; the folds' operators are kept by d.
 * m is float. Where the linear forecast made from these rows is not the model's own, they are
 * not what it was fitted on: it has seen none of them, and there are no folds. -EINVAL: too few
 * rows; -ENOMEM. Result: refit_close.
 */
int refit_open(struct refit *r, struct draft *d, const struct model *m, const float *x,
	       unsigned rows, struct why *why);
void refit_close(struct refit *r);

/* Make the folds as s is: zero where its weights are, and of its rank. -ENOMEM. */
int refit_like(struct refit *r, struct draft *d, const struct detector_spec *s);

/*
 * left[rows][N]: u less the linear forecast of s, or of the fold without the row. As
 * detector_open.
 */
int refit_left(const struct refit *r, const struct detector_spec *s, float *left,
	       struct why *why);

/* Whitening of what the subspace leaves, measured again, into d->m.spec. -ENOMEM. */
int refit_subspace(const struct refit *r, struct draft *d);

#endif
