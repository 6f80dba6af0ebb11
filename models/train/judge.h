/* SPDX-License-Identifier: MIT */
/*
 * judge: what a model costs and what it is good for, in numbers that models of any shape can be
 * compared in: what prune, distill and search put into their tables.
 */
#ifndef SONDE_TRAIN_JUDGE_H
#define SONDE_TRAIN_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "models/model.h"

struct draft;
struct recording;
struct why;

struct judge {
	uint64_t bytes, int8_bytes;	/* of all tensors, as float32 and as int8 */
	uint64_t ram;			/* the int8 tensors and what its detector allocates */
	uint64_t weights, zeros;	/* of all operators and the graph */
	double us, int8_us;		/* a step, median; NAN: not measured */
	double loss;			/* see judge_loss */
	double made_up;			/* ROC-AUC on departures that were made up */
	double labelled;		/* ROC-AUC on rows that somebody has labelled; NAN */
};

/* bytes, weights and zeros of a model in float; the rest NAN. */
void judge_size(struct judge *j, const struct model *m);

/*
 * Median time of detector_step of each model [models], side by side in turns on the rows of
 * x[rows][N], so that what else the machine does hits all of them. us[models]. Full steps: the
 * quick head ends none early. Operators are of the best kind that the self-test lets pass.
 */
int judge_time(double *us, const struct model *const *m, unsigned models, const float *x,
	       unsigned rows, struct why *why);

/* The int8 form of a float model, made in d (zeroed); its ram into j, which has the size. */
int judge_int8(struct judge *j, struct draft *d, const struct model *m,
	       const struct recording *rec, struct why *why);

/*
 * Mean square on the held-out rows (by folds where there are any) of what the net leaves, or
 * without a net the linear forecast, each channel whitened by inv_sigma[N]: of models that
 * are compared the same.
 */
int judge_loss(double *loss, const struct model *m, const float *inv_sigma,
	       const struct recording *rec, struct why *why);

/* x[rows][N] with departures in it: what models are asked to tell apart. */
struct judge_trial {
	float *x;
	uint8_t *label;
	unsigned rows, departures;
};

/* std[N] as inject takes it. -ENOMEM. Result: judge_trial_close. */
int judge_trial_open(struct judge_trial *t, const struct model *m, const float *x, unsigned rows,
		     const float *std, uint64_t seed);
void judge_trial_close(struct judge_trial *t);

/* score[rows] (may be NULL) by m; its ROC-AUC, NAN without a label. */
int judge_ranks(double *roc_auc, const struct model *m, const float *x, const uint8_t *label,
		unsigned rows, float *score, struct why *why);

/* Correlation of two scores, where either of them said anything. */
double judge_agreement(const float *a, const float *b, unsigned rows);

#endif
