/* SPDX-License-Identifier: MIT */
/*
 * made: detectors and rows out of an integer generator, the same on every machine.
 *
 * Only exact conversions, +, * and / are used, so that a difference in a golden
 * vector is the kernels' own. The weights mean nothing; their sizes keep gates out of
 * saturation and forecasts in the range of the rows.
 */
#ifndef SONDE_GOLDEN_MADE_H
#define SONDE_GOLDEN_MADE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernels/detector.h"

/* What a detector has; zero of anything: it does not. */
struct made_shape {
	unsigned channels, lags;
	bool level;
	unsigned rank;		/* of the subspace over lags + 1 rows */
	bool slow;		/* spread and, over a subspace, left and code */
	enum recurrent_kind net;
	unsigned hidden, layers, window, features;
	float quick;		/* its margin */
	unsigned online;
	bool int8, dynamic;
};

struct made {
	struct detector_spec spec;
	uint64_t random;	/* of the rows; set anew to repeat them */
	float *walk;		/* [N] where each channel is */
	unsigned *outage;	/* [N] rows it will still be invalid */
	void *block[64];
	unsigned blocks;
};

/* splitmix64 (Steele, Lea and Flood 2014) */
static inline uint64_t made_random(uint64_t *s)
{
	uint64_t z = *s += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* In [-1, 1), exact in a float. */
static inline float made_float(uint64_t *s)
{
	return (float)((int32_t)(made_random(s) >> 40) - (1 << 23)) / (float)(1 << 23);
}

static inline void *made_block(struct made *m, size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p || m->blocks >= sizeof m->block / sizeof *m->block)
		abort();
	return m->block[m->blocks++] = p;
}

static inline float *made_vector(struct made *m, uint64_t *s, unsigned n, float middle, float swing)
{
	float *v = made_block(m, n * sizeof *v);

	for (unsigned i = 0; i < n; i++)
		v[i] = middle + swing * made_float(s);
	return v;
}

/*
 * An operator whose output is about `size` for inputs of half their range, int8 or float.
 * Inputs are clipped at `range`, which int8 has in 127 steps; h's differs from x's,
 * but sizes need only be about right. A dynamic one's scale knows nothing of the step.
 */
static inline struct fc_spec made_fc(struct made *m, uint64_t *s, unsigned out, unsigned in,
				     float size, float range, const struct made_shape *shape)
{
	struct fc_spec fc = { .in = in, .out = out };
	size_t n = (size_t)in * out;
	unsigned root = 1;
	float gain;

	while (root * root < in)
		root++;
	gain = size / (float)root;
	fc.bias = made_vector(m, s, out, 0, 0.1f * size);
	if (shape->int8) {
		int8_t *w = made_block(m, n);

		for (size_t i = 0; i < n; i++)
			w[i] = (int8_t)((int)(made_random(s) >> 32) % 128);
		fc.weight = w;
		fc.dynamic = shape->dynamic;
		if (fc.dynamic)
			gain *= 127 / range;
		fc.scale = made_vector(m, s, out, gain / 4000, gain / 8000);
	} else {
		float *w = made_block(m, n * sizeof *w);

		for (size_t i = 0; i < n; i++)
			w[i] = 4 * gain * made_float(s) / range;
		fc.weight_f32 = w;
	}
	return fc;
}

static inline struct spread_spec made_spread(struct made *m, uint64_t *s, unsigned series)
{
	struct spread_spec p = { .series = series };
	float *inv_dev = made_vector(m, s, series, 2, 1.5f);

	p.start = made_vector(m, s, series, 1, 0.75f);
	p.center = made_vector(m, s, series, 0.5f, 1);
	p.inv_dev = inv_dev;
	/* One of several does not count. */
	if (series > 2)
		inv_dev[1] = 0;
	return p;
}

/* The clipping points are none of the usual ones, so that nobody takes those for given. */
static inline void made_subspace(struct made *m, uint64_t *s, const struct made_shape *shape)
{
	struct subspace_spec *p = &m->spec.subspace;
	unsigned cells = (shape->lags + 1) * shape->channels;

	p->lags = shape->lags + 1;
	p->rank = shape->rank;
	p->code_clip = 6;
	p->encode = made_fc(m, s, p->rank, cells, 1, m->spec.z_clip, shape);
	p->decode = made_fc(m, s, cells, p->rank, 0.5f, p->code_clip, shape);
	p->inv_sigma = made_vector(m, s, cells, 1.5f, 1);
	m->spec.inv_usual = made_vector(m, s, shape->channels, 0.5f, 0.25f);
	m->spec.view[VIEW_SUBSPACE].weight = 1;
}

/* Each node itself and one or two further along the ring, of both signs. */
static inline void made_graph(struct made *m, uint64_t *s, const struct made_shape *shape)
{
	enum { DEGREE = 3 };
	struct graph_spec *g = &m->spec.recurrent.graph;
	unsigned n = shape->channels, f = shape->features;
	int32_t *neighbour = made_block(m, (size_t)n * DEGREE * sizeof *neighbour);

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < DEGREE; j++)
			neighbour[i * DEGREE + j] = j == 2 && i % 2 ? -1 :
						    (int32_t)((i + j * j) % n);
	*g = (struct graph_spec){ .nodes = n, .features = f, .degree = DEGREE,
				  .neighbour = neighbour };
	g->edge = made_vector(m, s, n * DEGREE, 0.25f, 0.75f);
	g->node = made_fc(m, s, n * f, shape->hidden, 1, 1, shape);
	g->own = made_vector(m, s, n * f, 0, 0.5f);
	g->mix = made_vector(m, s, f * f, 0, 1);
	g->mix_bias = made_vector(m, s, f, 0.25f, 0.25f);
	g->fuse = made_vector(m, s, n * f, 0, 0.5f);
}

/* The more the cheap views say, the less normal. */
static inline void made_quick(struct made *m, uint64_t *s, unsigned hidden, float margin)
{
	struct quick_spec *q = &m->spec.quick;
	unsigned n = hidden + QUICK_CHEAP;
	float *weight = made_vector(m, s, 2 * n, 0, 0.25f);

	for (unsigned k = hidden; k < n; k++) {
		weight[k] -= 0.5f;
		weight[n + k] += 0.5f;
	}
	*q = (struct quick_spec){ .hidden = hidden, .weight = weight, .margin = margin };
	q->bias = made_vector(m, s, 2, 0, 0.25f);
}

static inline void made_net(struct made *m, uint64_t *s, const struct made_shape *shape)
{
	struct recurrent_spec *r = &m->spec.recurrent;
	unsigned n = shape->channels, h = shape->hidden;

	*r = (struct recurrent_spec){ .kind = shape->net, .channels = n, .hidden = h,
				      .layers = shape->layers ? shape->layers : 1,
				      .window = shape->window };
	r->gates[0] = made_fc(m, s, 4 * h, n + h, 1, 1, shape);
	if (r->layers == 2 || r->kind == RECURRENT_AUTOENCODER)
		r->gates[1] = made_fc(m, s, 4 * h, 2 * h, 1, 1, shape);
	r->head = made_fc(m, s, n, h, 0.5f, 1, shape);
	if (shape->features)
		made_graph(m, s, shape);
	m->spec.recurrent_inv_sigma = made_vector(m, s, n, 3, 2);
	m->spec.view[VIEW_RECURRENT].weight = 1;
	if (shape->quick != 0)
		made_quick(m, s, h, shape->quick);
}

static inline void made_open(struct made *m, const struct made_shape *shape)
{
	unsigned n = shape->channels;
	uint64_t s = n * 1000003u + shape->hidden * 1009u + shape->lags * 31u + shape->rank;
	struct detector_spec *spec = &m->spec;
	float *mean, *wanders, *weight;

	*m = (struct made){ .random = s };
	*spec = (struct detector_spec){ .channels = n, .lags = shape->lags, .z_clip = 8,
					.online = shape->online, .spread_rate = 0.0390625f };
	for (unsigned v = 0; v < VIEWS; v++)
		spec->view[v] = (struct view_spec){ .scale = 0.5f + 0.25f * (float)v,
						    .smooth = 1 / (2 + (float)v) };
	spec->mean = mean = made_vector(m, &s, n, 40, 30);
	spec->inv_std = made_vector(m, &s, n, 0.5f, 0.4f);
	spec->inv_sigma = made_vector(m, &s, n, 3, 2);
	wanders = made_block(m, n * sizeof *wanders);
	weight = made_vector(m, &s, n, 1, 0.5f);
	for (unsigned i = 0; i < n && !shape->online; i++) {
		wanders[i] = i % 3 == 1;
		weight[i] *= 1 - wanders[i];
		mean[i] *= 1 - 0.984375f * wanders[i];
	}
	spec->wanders = wanders;
	spec->level_weight = weight;
	spec->linear = made_fc(m, &s, n, shape->lags * n, 0.5f, spec->z_clip, shape);
	spec->view[VIEW_FORECAST].weight = 1;
	spec->view[VIEW_LEVEL].weight = shape->level ? 0.5f : 0;
	if (shape->rank)
		made_subspace(m, &s, shape);
	if (shape->slow) {
		spec->view[VIEW_SPREAD].weight = 1;
		spec->spread = made_spread(m, &s, n);
		spec->spread.online = shape->online;
	}
	if (shape->slow && shape->rank) {
		spec->view[VIEW_LEFT].weight = 0.75f;
		spec->left = made_spread(m, &s, n);
		spec->view[VIEW_CODE].weight = 1;
		spec->code = made_spread(m, &s, shape->rank);
	}
	if (shape->net != RECURRENT_NONE)
		made_net(m, &s, shape);
	m->walk = made_block(m, n * sizeof *m->walk);
	m->outage = made_block(m, n * sizeof *m->outage);
}

static inline void made_close(struct made *m)
{
	while (m->blocks)
		free(m->block[--m->blocks]);
}

/*
 * The next row, in channel units: channels about their mean or on a walk, now and then
 * one that jumps, reads NaN or infinity, or is invalid for a row or for twenty.
 */
static inline void made_row(struct made *m, float *x, uint8_t *valid)
{
	const struct detector_spec *s = &m->spec;

	for (unsigned i = 0; i < s->channels; i++) {
		unsigned luck = made_random(&m->random) % 4096;
		float keep = s->wanders[i] == 0 ? 0.875f : 1;

		m->walk[i] = keep * m->walk[i] + made_float(&m->random);
		x[i] = m->walk[i] / s->inv_std[i] + s->mean[i];
		if (luck < 2)
			m->outage[i] = luck ? 20 : 1;
		valid[i] = !m->outage[i];
		m->outage[i] -= !!m->outage[i];
		if (luck == 2)
			x[i] *= 1000;
		else if (luck == 3)
			x[i] = NAN;
		else if (luck == 4)
			x[i] = -INFINITY;
	}
}

#endif
