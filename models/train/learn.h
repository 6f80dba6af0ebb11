/* SPDX-License-Identifier: MIT */
/*
 * learn: the training loop of the recurrent view, from a net as it is: untrained, or one to
 * be tuned further. The state before the first epoch competes with all others on the held-out
 * rows: learning can add nothing, but never take away.
 *
 * The bits of the result depend on the lesson, the net and the options, never on `threads`
 * or `memory_budget`: the work is cut into shards by what it is, and their gradients are added
 * in one order.
 */
#ifndef SONDE_TRAIN_LEARN_H
#define SONDE_TRAIN_LEARN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net;
struct progress;

/*
 * Forecast: row r of input is followed by row r of target; the net may have seen input 0 .. r.
 * Autoencoder: input is what it has to tell again; target is not read.
 */
struct lesson {
	unsigned rows, fit_rows, channels;
	const float *input;	/* [rows][N] */
	const float *target;	/* [rows][N] row r: what is left of row r + 1 */
	const float *weight;	/* [rows][N] 0: not known */
};

#define LEARN_STEPS 32u
#define LEARN_STEPS_MAX 512u
#define LEARN_RATE 3e-3f
#define LEARN_PATIENCE 12u

/* Zero of any is its default. */
struct learn_options {
	unsigned epochs;		/* at most (0: none); early stopping usually ends sooner */
	unsigned steps;			/* window, at most LEARN_STEPS_MAX; forecast */
	unsigned batch;			/* streams or windows of an update; by the rows */
	float rate;
	unsigned patience;		/* epochs without a gain */
	unsigned threads;		/* as many as this process may use */
	size_t memory_budget;		/* bytes; above it states are kept every few steps only */
	bool mixed;			/* bf16 weights and activations, float32 masters */
	const float *mask;		/* [net->count] 0: this parameter is and stays zero */
	const float *teacher;		/* [rows][N] what a teacher says target is; forecast only */
	float teacher_weight;		/* 0 .. 1 of the loss, but not of the held-out one */
	/*
	 * A better state than all before, no more often than every LEARN_BEST_S seconds. best is
	 * borrowed for the call. Nonzero ends the training with that error. On learn's thread.
	 */
	int (*on_best)(void *ctx, const struct net *best);
	void *ctx;
	const volatile sig_atomic_t *stop;	/* nonzero: keep the best so far and return */
	struct progress *progress;	/* may be NULL */
};

#define LEARN_BEST_S 5.0

struct learn_report {
	unsigned epochs, best_epoch;	/* run; 0: the net as it came was not beaten */
	double linear_loss, net_loss;	/* held out, mean square: as it came, best; net <= linear */
	double *curve;			/* [epochs] held-out loss after each; the caller frees */
	/* [epochs] mean loss within each, of teacher and target blended; lies in curve's memory */
	double *train_curve;
	double seconds;
	unsigned threads;		/* used */
	/* Parameters, gradients, moments and tapes: as allocated, and as without a budget. */
	size_t peak_bytes, peak_bytes_plain;
	unsigned segment_steps;		/* kept at once */
	uint64_t steps_run, steps_again;	/* forward, of one stream; recomputed among them */
	unsigned updates, skipped;	/* skipped: the gradient was not finite */
	float loss_scale;		/* mixed: where it ended; else 1 */
	bool stopped;			/* by options->stop */
};

/*
 * net holds the best state afterwards. -EINVAL: options that do not go with the net or each
 * other; -ENOMEM; what on_best returned. Errors leave net in some state of the training.
 */
int learn(struct net *net, const struct lesson *l, const struct learn_options *o,
	  struct learn_report *report);

#endif
