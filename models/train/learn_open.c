// SPDX-License-Identifier: MIT
/*
 * learn_open: the memory of a training run, and how it is made to fit a budget: rather than
 * fewer threads shorter segments (a second forward pass is a third more work at most), and of
 * these the ones that compute least again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/learn_impl.h"

#define SHARD 8u		/* streams */
#define DECAY 1e-2f
#define CLIP 1.0f

static int part_open(struct part *p, const struct net_shape *net)
{
	size_t states = 0;

	p->shards = (p->plan.batch + SHARD - 1) / SHARD;
	p->shard = calloc(p->shards, sizeof(*p->shard));
	p->state_count = tape_state_count(net, p->plan.batch);
	p->states = calloc(p->state_count, sizeof(float));
	if (!p->shard || !p->states)
		return -ENOMEM;
	for (unsigned k = 0; k < p->shards; k++) {
		struct shard *s = &p->shard[k];

		s->first = k * p->plan.batch / p->shards;
		s->batch = (k + 1) * p->plan.batch / p->shards - s->first;
		s->state = p->states + states;
		states += tape_state_count(net, s->batch);
	}
	return 0;
}

static unsigned largest_shard(const struct part *p)
{
	return (p->plan.batch + p->shards - 1) / p->shards;
}

static struct tape_shape tape_shape(const struct trainer *t, unsigned segment)
{
	unsigned fit = largest_shard(&t->fit), held = largest_shard(&t->held);

	return (struct tape_shape){
		.steps = t->fit.plan.steps, .batch = fit > held ? fit : held, .segment = segment,
		.half = t->o->mixed,
	};
}

static size_t tapes_bytes(const struct trainer *t, unsigned workers, unsigned segment)
{
	struct tape_shape shape = tape_shape(t, segment);

	return workers * tape_bytes(&t->net->shape, &shape);
}

/* Chunks computed twice when `keep` of them are kept: all but the last segment's. */
static unsigned again(unsigned chunks, unsigned keep)
{
	return (chunks - 1) / keep * keep;
}

/* Sets workers and segment. Where nothing fits: the least there is. */
static void fit_budget(struct trainer *t, size_t fixed)
{
	unsigned chunks = tape_chunks(&t->net->shape, t->fit.plan.steps), best = 0, least = chunks;

	if (!t->o->memory_budget || t->bytes_plain <= t->o->memory_budget)
		return;
	for (unsigned workers = t->workers; workers > 0 && !best; workers--)
		for (unsigned keep = chunks; keep > 0; keep--) {
			size_t bytes = fixed + tapes_bytes(t, workers, keep * TAPE_CHUNK);

			if (bytes <= t->o->memory_budget &&
			    (!best || again(chunks, keep) < again(chunks, best))) {
				t->workers = workers;
				best = keep;
			}
		}
	for (unsigned keep = chunks; keep > 0; keep--)
		if (tapes_bytes(t, 1, keep * TAPE_CHUNK) < tapes_bytes(t, 1, least * TAPE_CHUNK))
			least = keep;
	if (!best)
		t->workers = 1;
	t->segment = (best ? best : least) * TAPE_CHUNK;
}

static unsigned workers_of(const struct trainer *t)
{
	unsigned most = t->fit.shards > t->held.shards ? t->fit.shards : t->held.shards;
	unsigned asked = t->o->threads ? t->o->threads : pool_cpus();

	return asked < most ? asked : most;
}

/* Parameters, their copies and gradients, and the states: what no budget changes. */
static int vectors_open(struct trainer *t, size_t *bytes)
{
	size_t count = t->net->count, shards = t->fit.shards;
	int err = adam_open(&t->adam, count, DECAY, CLIP);

	t->grad = calloc(shards * count, sizeof(float));
	t->best = malloc(count * sizeof(float));
	t->square = calloc(count / LEARN_BLOCK + 1, sizeof(double));
	if (t->o->mixed)
		t->rounded = net_over(t->net, malloc(count * sizeof(float)));
	if (err || !t->grad || !t->best || !t->square || (t->o->mixed && !t->rounded.param))
		return -ENOMEM;
	for (unsigned k = 0; k < t->fit.shards; k++)
		t->fit.shard[k].grad = t->grad + k * count;
	/* net, its two moments, best and perhaps the copy. */
	*bytes = ((shards + 4 + t->o->mixed) * count + t->fit.state_count + t->held.state_count) *
		 sizeof(float);
	return 0;
}

static int tapes_open(struct trainer *t)
{
	struct tape_shape shape = tape_shape(t, t->segment);
	int err = 0;

	t->tape = calloc(t->workers, sizeof(*t->tape));
	if (!t->tape)
		return -ENOMEM;
	for (unsigned k = 0; !err && k < t->workers; k++)
		err = tape_open(&t->tape[k], t->net, &shape);
	return err;
}

int trainer_open(struct trainer *t, struct net *net, const struct lesson *l,
		 const struct learn_options *o)
{
	unsigned steps = o->steps ? o->steps : LEARN_STEPS;
	size_t fixed = 0;
	int err;

	if (net->shape.kind == RECURRENT_AUTOENCODER)
		steps = net->shape.window;
	*t = (struct trainer){ .lesson = l, .o = o, .net = net, .scale = 1 };
	rows_fit(&t->fit.plan, l, &net->shape, steps, o->batch);
	rows_held(&t->held.plan, l, &net->shape, steps);
	t->fit.plan.teacher = o->teacher;
	t->fit.plan.teacher_weight = o->teacher_weight;
	err = part_open(&t->fit, &net->shape);
	if (!err)
		err = part_open(&t->held, &net->shape);
	if (!err)
		err = vectors_open(t, &fixed);
	if (err)
		return err;
	t->workers = workers_of(t);
	t->bytes_plain = fixed + tapes_bytes(t, t->workers, 0);
	fit_budget(t, fixed);
	t->bytes = fixed + tapes_bytes(t, t->workers, t->segment);
	err = tapes_open(t);
	return err ? err : pool_open(&t->pool, t->workers);
}

void trainer_close(struct trainer *t)
{
	pool_close(t->pool);
	for (unsigned k = 0; t->tape && k < t->workers; k++)
		tape_close(t->tape[k]);
	free(t->tape);
	adam_close(&t->adam);
	free(t->grad);
	free(t->best);
	free(t->square);
	free(t->rounded.param);
	free(t->fit.shard);
	free(t->fit.states);
	free(t->held.shard);
	free(t->held.states);
}
