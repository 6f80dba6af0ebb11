/* SPDX-License-Identifier: MIT */
/*
 * distill: a small net in the place of a large one. The student is the teacher's model with
 * another net in it: same linear parts, same views. It learns what the linear forecast leaves
 * and what the teacher's net says of it, blended (residual matching); its quick head learns
 * the labels and the teacher's margins, softened at T = 3 and weighed by T^2 (Hinton, Vinyals &
 * Dean 2015). Beside it the same small net learns alone, from the same seeds: only where the
 * students' mean held-out loss is the lower one has the teacher taught anything.
 */
#ifndef SONDE_TRAIN_DISTILL_H
#define SONDE_TRAIN_DISTILL_H

#include "models/train/judge.h"
#include "models/train/learn.h"

struct draft;
struct why;

#define DISTILL_SEEDS 3u
#define DISTILL_SEEDS_MAX 32u
#define DISTILL_WEIGHT 0.5
#define DISTILL_EPOCHS 150u

struct distill_options {
	unsigned hidden, layers, features;	/* of the student; hidden 0: a quarter of the teacher's */
	unsigned seeds;
	uint64_t seed;			/* of the first; the others follow it */
	double weight;			/* of the teacher in both losses, 0 to 1 */
	struct learn_options learn;
};

enum { DISTILL_STUDENT, DISTILL_ALONE, DISTILL_KINDS };

/* One small net, one seed. */
struct distill_run {
	uint64_t seed;
	unsigned epochs, best_epoch;
	double net_loss;		/* held out, as learn() has it */
	double quick_missed, quick_wary;	/* its quick head on departures made up; NAN: none */
	struct judge judge;		/* loss and made_up; time and ram of a kind's best alone */
};

struct distill_report {
	unsigned hidden, layers, features;	/* of the student */
	unsigned seeds;				/* completed of both kinds */
	struct judge teacher;
	struct distill_run run[DISTILL_KINDS][DISTILL_SEEDS_MAX];
	double mean_loss[DISTILL_KINDS];	/* of net_loss */
	double linear_loss;		/* as net_loss, of the linear forecast alone */
	unsigned best[DISTILL_KINDS];	/* run of least net_loss */
	unsigned kind;			/* written: best of DISTILL_STUDENT or of _ALONE */
	bool gained;			/* else the model was written without a net */
	bool stopped, folds;
	unsigned departures, rows;
};

/*
 * d->m (d zeroed) becomes the small model; m is a float model with a forecast net, and outlives
 * d. x[rows][N]: normal operation in m's channels. -EINVAL: m has no such net, or options that do
 * not go together; -ENOMEM; what learn() and calibrate() return.
 */
int distill_model(struct draft *d, const struct model *m, const float *x, unsigned rows,
		  const struct distill_options *o, struct distill_report *report, struct why *why);

#endif
