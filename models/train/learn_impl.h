/* SPDX-License-Identifier: MIT */
/*
 * learn_impl: what learn*.c share; for no one else. A shard is a few streams that are run
 * through one tape and have a gradient of their own; an update's shards may run at once, on as
 * many tapes as there are workers.
 */
#ifndef SONDE_TRAIN_LEARN_IMPL_H
#define SONDE_TRAIN_LEARN_IMPL_H

#include "models/train/adam.h"
#include "models/train/learn.h"
#include "models/train/learn_pool.h"
#include "models/train/learn_rows.h"
#include "models/train/net.h"
#include "models/train/tape.h"

#define LEARN_BLOCK 4096u	/* parameters that are added up and moved by one task */

struct shard {
	unsigned first, batch;
	float *state;		/* as tape_state_count */
	float *grad;		/* [count]; only where rows are learnt from */
	struct tape_sum sum;
};

/* Rows that are learnt from, or that are held out. */
struct part {
	struct rows_plan plan;
	struct shard *shard;
	unsigned shards;
	float *states;		/* of all shards */
	size_t state_count;
};

struct trainer {
	const struct lesson *lesson;
	const struct learn_options *o;
	struct net *net;
	struct net rounded;	/* mixed: the bf16 copy that is computed with */
	struct part fit, held;
	struct pool *pool;
	struct tape **tape;	/* [workers] */
	unsigned workers, segment;
	struct adam adam;
	struct adam_update update;
	float *grad, *best;	/* [shards][count], [count] */
	double *square;		/* [blocks] of the gradient */
	unsigned window;	/* that the shards are at */
	float scale, grad_scale;	/* of the loss; of the sum of the shards' gradients */
	unsigned good;		/* updates since the scale was changed */
	size_t bytes, bytes_plain;
};

/* Everything zero and in its place. trainer_close accepts a half-open one. */
int trainer_open(struct trainer *t, struct net *net, const struct lesson *l,
		 const struct learn_options *o);
void trainer_close(struct trainer *t);

/* One pass over the fit rows at this rate, until it is asked to stop. Adds to r's counts. */
void learn_epoch(struct trainer *t, float rate, struct tape_sum *sum, struct learn_report *r);
/* The copy that is computed with, after the parameters were set. */
void learn_round(struct trainer *t);
/* Mean square over the held-out rows. */
double learn_held(struct trainer *t);

#endif
