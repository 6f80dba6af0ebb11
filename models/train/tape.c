// SPDX-License-Identifier: MIT
/*
 * tape: the memory of a tape. One block, cut by one function, which also says how large
 * the block has to be: what is reported as needed is what is allocated.
 */
#include "models/train/tape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/tape_impl.h"

#define LINE 64u

unsigned tape_chunks(const struct net_shape *n, unsigned steps)
{
	unsigned chunks = (steps + TAPE_CHUNK - 1) / TAPE_CHUNK;

	return n->kind == RECURRENT_AUTOENCODER ? 2 * chunks : chunks;
}

/* Layers that run at every step: an autoencoder's two take turns. */
static size_t layers(const struct net_shape *n)
{
	return n->kind == RECURRENT_AUTOENCODER ? 1 : n->layers;
}

size_t tape_state_count(const struct net_shape *n, unsigned batch)
{
	return layers(n) * 2 * batch * n->hidden;
}

static size_t slot_count(const struct net_shape *n, size_t batch)
{
	size_t N = n->channels, H = n->hidden, F = n->features, rows = TAPE_CHUNK * batch;

	return layers(n) * (rows * 6 * H + 2 * batch * H) + rows * (2 * N * F + N);
}

struct cutter {
	char *base;	/* NULL: only measure */
	size_t at;
};

static void *cut(struct cutter *c, size_t bytes)
{
	void *p = c->base && bytes ? c->base + c->at : NULL;

	c->at += (bytes + LINE - 1) / LINE * LINE;
	return p;
}

static float *floats(struct cutter *c, size_t count)
{
	return cut(c, count * sizeof(float));
}

/* Everything but the sizes of t, from memory at base. Returns the bytes. */
static size_t lay_out(struct tape *t, char *base)
{
	const struct net_shape *n = &t->net;
	size_t N = n->channels, H = n->hidden, F = n->features, B = t->room;
	size_t rows = TAPE_CHUNK * B, state = tape_state_count(n, t->room);
	bool coder = n->kind == RECURRENT_AUTOENCODER;
	struct cutter c = { base };

	t->slot_count = slot_count(n, B);
	t->kept = floats(&c, (t->segments - 1) * state);
	t->slots = cut(&c, t->keep * t->slot_count * (t->half ? sizeof(uint16_t) : sizeof(float)));
	t->open = floats(&c, t->half ? t->slot_count : 0);
	t->state = floats(&c, state);
	t->d_state = floats(&c, state);
	t->x = floats(&c, rows * N);
	t->y = floats(&c, rows * N);
	t->w = floats(&c, rows * N);
	t->d_h = floats(&c, layers(n) * rows * H);
	t->tanh_c = floats(&c, rows * H);
	t->sum = floats(&c, rows * N * F);
	t->d_sum = floats(&c, rows * N * F);
	t->d_node = floats(&c, rows * N * F);
	t->code = floats(&c, coder ? B * H : 0);
	t->code_gate = floats(&c, coder ? B * 4 * H : 0);
	t->d_code_gate = floats(&c, coder ? B * 4 * H : 0);
	return c.at;
}

static struct tape sized(const struct net_shape *n, const struct tape_shape *s)
{
	unsigned chunks = tape_chunks(n, s->steps);
	unsigned keep = (s->segment + TAPE_CHUNK - 1) / TAPE_CHUNK;

	if (!keep || keep > chunks)
		keep = chunks;
	return (struct tape){
		.net = *n, .steps = s->steps, .room = s->batch, .batch = s->batch,
		.chunks = chunks, .keep = keep, .segments = (chunks + keep - 1) / keep,
		.half = s->half,
	};
}

size_t tape_bytes(const struct net_shape *n, const struct tape_shape *s)
{
	struct tape t = sized(n, s);

	return sizeof(t) + lay_out(&t, NULL);
}

int tape_open(struct tape **out, const struct net *n, const struct tape_shape *s)
{
	struct tape *t = malloc(sizeof(*t));
	size_t bytes;

	if (!t)
		return -ENOMEM;
	*t = sized(&n->shape, s);
	bytes = lay_out(t, NULL);
	t->memory = aligned_alloc(LINE, bytes);
	if (!t->memory) {
		free(t);
		return -ENOMEM;
	}
	memset(t->memory, 0, bytes);
	lay_out(t, t->memory);
	*out = t;
	return 0;
}

void tape_close(struct tape *t)
{
	if (!t)
		return;
	free(t->memory);
	free(t);
}

void tape_batch(struct tape *t, unsigned batch)
{
	t->batch = batch;
}
