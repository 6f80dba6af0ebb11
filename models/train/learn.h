/* SPDX-License-Identifier: MIT */
/*
 * learn: the training loop of the recurrent view. What is learnt is what the
 * linear forecast leaves, in its own deviations. The state before the first
 * epoch (head zero: the linear forecast alone) competes with all others on the
 * held-out rows, so that learning can add nothing, but never take away.
 */
#ifndef SONDE_TRAIN_LEARN_H
#define SONDE_TRAIN_LEARN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct net;
struct progress;

/* Row r of input is followed by row r of target: the net may have seen input 0 .. r. */
struct lesson {
	unsigned rows, fit_rows, channels;
	const float *input;	/* [rows][N] */
	const float *target;	/* [rows][N] row r: what is left of row r + 1 */
	const float *weight;	/* [rows][N] 0: not known */
};

struct learn_options {
	unsigned epochs;		/* at most; early stopping usually ends sooner */
	const volatile sig_atomic_t *stop;	/* nonzero: keep the best so far and return */
	struct progress *progress;	/* may be NULL */
};

struct learn_report {
	unsigned epochs, best_epoch;	/* run; 0: the linear forecast was not beaten */
	double linear_loss, net_loss;	/* held out, mean square; net <= linear */
	double *curve;			/* [epochs] held-out loss after each; caller frees */
	bool stopped;			/* by options->stop */
};

/* net holds the best state afterwards. -ENOMEM. */
int learn(struct net *net, const struct lesson *l, const struct learn_options *o,
	  struct learn_report *report);

#endif
