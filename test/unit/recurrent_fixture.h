/* SPDX-License-Identifier: MIT */
/*
 * recurrent_fixture: operators and nets out of an integer generator, for the tests of the recurrent
 * view, in each of the representations that a model may have; and what an operator computes,
 * in double and in the test's own words.
 */
#ifndef SONDE_TEST_RECURRENT_FIXTURE_H
#define SONDE_TEST_RECURRENT_FIXTURE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernels/recurrent.h"

#define Z_CLIP 10.0
#define Z_INV_STEP ((float)(127 / Z_CLIP))

enum form { FORM_FLOAT, FORM_STATIC, FORM_DYNAMIC, FORMS };

struct fixture {
	uint64_t random;
	void *block[64];
	unsigned blocks;
};

static inline void *fixture_block(struct fixture *f, size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p || f->blocks >= sizeof f->block / sizeof *f->block)
		abort();
	return f->block[f->blocks++] = p;
}

static inline void fixture_close(struct fixture *f)
{
	while (f->blocks)
		free(f->block[--f->blocks]);
}

/* splitmix64 (Steele, Lea and Flood 2014); in [-swing, swing). */
static inline float fixture_float(struct fixture *f, float swing)
{
	uint64_t z = f->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return swing * ((float)((int32_t)(z >> 40) - (1 << 23)) / (float)(1 << 23));
}

static inline float *fixture_vector(struct fixture *f, size_t n, float swing)
{
	float *v = fixture_block(f, n * sizeof *v);

	for (size_t i = 0; i < n; i++)
		v[i] = fixture_float(f, swing);
	return v;
}

/* An operator in one of the forms; `step` is what the static one has folded into its scales. */
static inline struct fc_spec fixture_fc(struct fixture *f, unsigned out, unsigned in, float swing,
					enum form form, float step)
{
	struct fc_spec s = { .in = in, .out = out, .dynamic = form == FORM_DYNAMIC };
	size_t n = (size_t)in * out;
	float *w = fixture_vector(f, n, swing), *scale;
	int8_t *q;

	s.bias = fixture_vector(f, out, swing);
	if (form == FORM_FLOAT) {
		s.weight_f32 = w;
		return s;
	}
	s.weight = q = fixture_block(f, n);
	s.scale = scale = fixture_block(f, out * sizeof *scale);
	for (size_t i = 0; i < n; i++)
		q[i] = (int8_t)lrintf(127 * w[i] / swing);
	for (unsigned o = 0; o < out; o++)
		scale[o] = swing / 127 * (form == FORM_STATIC ? step : 1) *
			   (1 + 0.01f * (float)(o % 7));
	return s;
}

/* A static net's z and h columns share one folded step: the weights mean nothing anyway. */
static inline struct recurrent_spec fixture_net(struct fixture *f, enum recurrent_kind kind,
						unsigned channels, unsigned hidden,
						unsigned layers, enum form form)
{
	struct recurrent_spec s = {
		.kind = kind, .channels = channels, .hidden = hidden, .layers = layers,
	};
	float swing = 2 / sqrtf((float)hidden);

	s.gates[0] = fixture_fc(f, 4 * hidden, channels + hidden, swing, form, 2.0f / 127);
	if (layers == 2 || kind == RECURRENT_AUTOENCODER)
		s.gates[1] = fixture_fc(f, 4 * hidden, 2 * hidden, swing, form, 1.0f / 127);
	s.head = fixture_fc(f, channels, hidden, swing, form, 1.0f / 127);
	return s;
}

/* Every node itself and some that are further along the ring, of both signs; rows end in -1. */
static inline void fixture_graph(struct fixture *f, struct recurrent_spec *s, unsigned features,
				 unsigned degree, enum form form)
{
	unsigned n = s->channels;
	int32_t *neighbour = fixture_block(f, (size_t)n * degree * sizeof *neighbour);

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < degree; j++)
			neighbour[i * degree + j] = j && j > 1 + i % degree ? -1 :
						    (int32_t)((i + j * j) % n);
	s->graph = (struct graph_spec){
		.nodes = n, .features = features, .degree = degree, .neighbour = neighbour,
		.edge = fixture_vector(f, (size_t)n * degree, 1),
		.node = fixture_fc(f, n * features, s->hidden, 1, form, 1.0f / 127),
		.own = fixture_vector(f, (size_t)n * features, 1),
		.mix = fixture_vector(f, (size_t)features * features, 1),
		.mix_bias = fixture_vector(f, features, 0.5f),
		.fuse = fixture_vector(f, (size_t)n * features, 1),
	};
}

static inline double fixture_cut(double v, double most)
{
	return v > most ? most : v < -most ? -most : v;
}

/*
 * Row o of an operator over v[in], of which the first x_in are put at x_inv_step and the others at
 * 127: in double, but for the rounding of int8 inputs, which is part of what it means.
 */
static inline double fixture_row(const struct fc_spec *s, unsigned o, const double *v,
				 unsigned x_in, double x_inv_step)
{
	double sum = 0, most = 0;

	for (unsigned i = 0; i < s->in; i++)
		most = fmax(most, fabs(v[i]));
	for (unsigned i = 0; i < s->in; i++) {
		double inv_step = i < x_in ? x_inv_step : 127;

		if (s->weight_f32) {
			sum += (double)s->weight_f32[(size_t)o * s->in + i] *
			       fixture_cut(v[i], 127 / inv_step);
			continue;
		}
		if (s->dynamic)
			inv_step = most > 0 ? 127 / most : 0;
		sum += s->weight[(size_t)o * s->in + i] *
		       fixture_cut(nearbyint(v[i] * inv_step), 127);
	}
	if (s->weight_f32)
		return sum + s->bias[o];
	return sum * s->scale[o] * (s->dynamic ? most / 127 : 1) + s->bias[o];
}

static inline double fixture_sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

/* One LSTM step in double: x[inputs] at x_inv_step; c and h [hidden] as they go. */
static inline void fixture_lstm(const struct fc_spec *gates, unsigned inputs, double x_inv_step,
				const double *x, double *c, double *h)
{
	unsigned hidden = gates->out / 4;
	double v[512], next[256];

	for (unsigned i = 0; i < inputs; i++)
		v[i] = x[i];
	for (unsigned u = 0; u < hidden; u++)
		v[inputs + u] = h[u];
	for (unsigned u = 0; u < hidden; u++) {
		double i = fixture_row(gates, u, v, inputs, x_inv_step);
		double forget = fixture_row(gates, hidden + u, v, inputs, x_inv_step);
		double g = fixture_row(gates, 2 * hidden + u, v, inputs, x_inv_step);
		double o = fixture_row(gates, 3 * hidden + u, v, inputs, x_inv_step);

		c[u] = fixture_sigmoid(forget) * c[u] + fixture_sigmoid(i) * tanh(g);
		next[u] = fixture_sigmoid(o) * tanh(c[u]);
	}
	for (unsigned u = 0; u < hidden; u++)
		h[u] = next[u];
}

#endif
