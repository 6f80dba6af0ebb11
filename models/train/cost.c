// SPDX-License-Identifier: MIT
/*
 * cost: see cost.h. Counts follow kernels/detector.c; what is not an operator is counted in
 * elements and branches, roughly, since it is told apart only to be small.
 */
#include "models/train/cost.h"

#include <stddef.h>

#include "kernels/detector.h"
#include "kernels/graph_layer.h"

#define REST_VECTORS 26u	/* of N floats, that the detector itself keeps */
#define REST_ELEMENTS 24u	/* a channel: forecast bounded, results cleared, and so on */
#define VIEW_ELEMENTS 12u	/* a channel and view: whitened, smoothed, summed, shared out */

static const char *const names[COST_OPS] = {
	"linear", "subspace.encode", "subspace.decode", "subspace.left", "spread", "left", "code",
	"gates", "gates2", "cells", "head", "graph", "quick", "everything else",
};

const char *cost_name(enum cost_op op)
{
	return names[op];
}

/* An operator run `runs` times a row; put: inputs written anew at each run. */
static void add_fc(struct cost_part *p, const struct fc_spec *s, double runs, double put)
{
	double macs = (double)s->in * s->out;
	uint64_t cells = (uint64_t)s->in * s->out;

	p->runs += runs;
	p->work[s->weight ? COST_MAC_INT8 : COST_MAC_F32] += runs * macs;
	p->work[COST_RUN] += runs;
	p->work[COST_ELEMENT] += runs * put;
	p->weight_bytes += s->weight ? cells + 8 * (uint64_t)s->out : 4 * (cells + s->out);
	p->state_bytes += 4 * (uint64_t)s->out + (s->weight ? s->in : 4 * (uint64_t)s->in);
	/* A dynamic operator looks at all of its inputs twice: for the largest, and to round. */
	if (s->dynamic) {
		p->work[COST_ELEMENT] += 2 * runs * s->in;
		p->state_bytes += 4 * (uint64_t)s->in;
	}
}

static void add_spread(struct cost_part *p, unsigned series)
{
	p->runs = p->work[COST_RUN] = 1;
	p->work[COST_LOG] = series;
	p->work[COST_ELEMENT] = 6.0 * series;
	p->weight_bytes = p->state_bytes = 12 * (uint64_t)series;
}

static void add_subspace(struct cost *c, const struct detector_spec *s)
{
	const struct subspace_spec *p = &s->subspace;
	struct cost_part *left = &c->part[COST_REMAINDER];
	uint64_t cells = (uint64_t)p->lags * s->channels;

	add_fc(&c->part[COST_ENCODE], &p->encode, 1, s->channels);
	add_fc(&c->part[COST_DECODE], &p->decode, 1, p->rank);
	left->runs = left->work[COST_RUN] = 1;
	left->work[COST_ELEMENT] = 3.0 * (double)cells;
	left->weight_bytes = 4 * (cells + s->channels);
	left->state_bytes = 4 * cells;
}

static void add_graph(struct cost_part *p, const struct graph_spec *g)
{
	uint64_t nodes = g->nodes, f = g->features;

	add_fc(p, &g->node, 1, g->node.in);
	p->work[COST_ELEMENT] += (double)(graph_layer_cost(g) - nodes * f * g->node.in);
	p->weight_bytes += 8 * nodes * g->degree + 4 * (2 * nodes * f + f * f + f);
	p->state_bytes += 8 * nodes * f;
}

static void add_recurrent(struct cost *c, const struct detector_spec *s)
{
	const struct recurrent_spec *r = &s->recurrent;
	bool window = r->kind == RECURRENT_AUTOENCODER;
	double times = window ? r->window : 1;
	unsigned layers = window ? 2 : r->layers;
	struct cost_part *cell = &c->part[COST_CELL];

	add_fc(&c->part[COST_GATES], &r->gates[0], times, r->gates[0].in);
	if (layers == 2)
		add_fc(&c->part[COST_GATES2], &r->gates[1], times, r->gates[1].in);
	add_fc(&c->part[COST_HEAD], &r->head, times, r->head.in);
	cell->runs = layers * times;
	cell->work[COST_UNIT] = layers * times * r->hidden;
	cell->state_bytes = 8 * (uint64_t)layers * r->hidden +
			    (window ? 8 * (uint64_t)r->window * s->channels : 0);
	if (r->graph.features)
		add_graph(&c->part[COST_GRAPH], &r->graph);
	if (s->quick.hidden) {
		struct cost_part *q = &c->part[COST_QUICK];
		unsigned inputs = s->quick.hidden + QUICK_CHEAP;

		q->runs = 1;
		q->work[COST_ELEMENT] = inputs;
		q->weight_bytes = 4 * (2 * (uint64_t)inputs + 2);
	}
}

static void add_rest(struct cost_part *p, const struct detector_spec *s)
{
	unsigned views = 0;

	for (unsigned v = 0; v < VIEWS; v++)
		views += s->view[v].weight > 0;
	p->runs = 1;
	/* Each view is a few short loops of its own, beside the row's. */
	p->work[COST_RUN] = 2 + views;
	p->work[COST_BRANCH] = s->channels;
	/* What an autoencoder leaves of its window is taken and weighed a number at a time. */
	if (s->recurrent.kind == RECURRENT_AUTOENCODER)
		p->work[COST_BRANCH] += (double)s->recurrent.window * s->channels;
	p->work[COST_ELEMENT] = (double)s->channels * (REST_ELEMENTS + views * VIEW_ELEMENTS);
	p->weight_bytes = 4 * (uint64_t)s->channels * 6;
	p->state_bytes = 4 * (uint64_t)s->channels * REST_VECTORS;
}

void cost_of(struct cost *out, const struct detector_spec *s)
{
	*out = (struct cost){ 0 };
	add_fc(&out->part[COST_LINEAR], &s->linear, 1, s->channels);
	if (s->view[VIEW_SUBSPACE].weight > 0)
		add_subspace(out, s);
	if (s->view[VIEW_SPREAD].weight > 0)
		add_spread(&out->part[COST_SPREAD], s->channels);
	if (s->view[VIEW_LEFT].weight > 0)
		add_spread(&out->part[COST_LEFT], s->channels);
	if (s->view[VIEW_CODE].weight > 0)
		add_spread(&out->part[COST_CODE], s->subspace.rank);
	if (s->recurrent.kind != RECURRENT_NONE)
		add_recurrent(out, s);
	add_rest(&out->part[COST_REST], s);
}

double cost_mul_adds(const struct cost_part *p)
{
	return p->work[COST_MAC_INT8] + p->work[COST_MAC_F32];
}

double cost_ns(const struct cost_part *p, const struct cost_target *t)
{
	double ns = 0;

	for (unsigned w = 0; w < COST_WORKS; w++)
		ns += p->work[w] * t->ns[w];
	return ns;
}

struct cost_part cost_sum(const struct cost *c)
{
	struct cost_part sum = { 0 };

	for (unsigned op = 0; op < COST_OPS; op++) {
		const struct cost_part *p = &c->part[op];

		for (unsigned w = 0; w < COST_WORKS; w++)
			sum.work[w] += p->work[w];
		sum.runs += p->runs;
		sum.weight_bytes += p->weight_bytes;
		sum.state_bytes += p->state_bytes;
	}
	return sum;
}

uint64_t cost_ram(const struct cost *c, uint64_t file_bytes)
{
	struct cost_part sum = cost_sum(c);

	return file_bytes + sum.weight_bytes + sum.state_bytes;
}
