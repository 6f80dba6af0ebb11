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
#include <stdint.h>
#include <stdlib.h>

#include "kernels/detector.h"

struct made {
	struct detector_spec spec;
	uint64_t random;	/* of the rows; set anew to repeat them */
	float *walk;		/* [N] where each channel is */
	unsigned *outage;	/* [N] rows it will still be invalid */
	void *block[24];
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
 * Float inputs are clipped at `range`, which int8 has in 127 steps; h's differs from x's,
 * but sizes need only be about right.
 */
static inline struct fc_spec made_fc(struct made *m, uint64_t *s, unsigned out, unsigned in,
				     float size, float range, int int8)
{
	struct fc_spec fc = { .in = in, .out = out };
	size_t n = (size_t)in * out;
	unsigned root = 1;
	float gain;

	while (root * root < in)
		root++;
	gain = size / (float)root;
	fc.bias = made_vector(m, s, out, 0, 0.1f * size);
	if (int8) {
		int8_t *w = made_block(m, n);

		for (size_t i = 0; i < n; i++)
			w[i] = (int8_t)((int)(made_random(s) >> 32) % 128);
		fc.weight = w;
		fc.scale = made_vector(m, s, out, gain / 4000, gain / 8000);
	} else {
		float *w = made_block(m, n * sizeof *w);

		for (size_t i = 0; i < n; i++)
			w[i] = 4 * gain * made_float(s) / range;
		fc.weight_f32 = w;
	}
	return fc;
}

static inline void made_open(struct made *m, unsigned channels, unsigned hidden, unsigned lags,
			     int int8)
{
	uint64_t s = channels * 1000003u + hidden * 1009u + lags;
	struct detector_spec *spec = &m->spec;
	float *skip, *weight;

	*m = (struct made){ .random = s };
	*spec = (struct detector_spec){
		.channels = channels, .lags = lags, .hidden = hidden,
		.forecast_smooth = 0.4f, .level_smooth = 0.1f,
	};
	spec->mean = made_vector(m, &s, channels, 40, 30);
	spec->inv_std = made_vector(m, &s, channels, 0.5f, 0.4f);
	spec->inv_sigma = made_vector(m, &s, channels, 3, 2);
	skip = made_block(m, channels * sizeof *skip);
	weight = made_block(m, channels * sizeof *weight);
	for (unsigned i = 0; i < channels; i++) {
		skip[i] = i % 3 == 1;
		weight[i] = 1 - skip[i];
	}
	spec->skip = skip;
	spec->level_weight = weight;
	spec->linear = made_fc(m, &s, channels, lags * channels, 0.5f, 10, int8);
	if (hidden) {
		spec->gates = made_fc(m, &s, 4 * hidden, channels + hidden, 1, 1, int8);
		spec->head = made_fc(m, &s, channels, hidden, 0.5f, 1, int8);
	}
	for (unsigned k = 0; k < TAIL_KNOTS; k++) {
		spec->forecast_tail.knot[k] = 0.25f + 0.5f * (float)k;
		spec->level_tail.knot[k] = 0.125f + 0.25f * (float)k;
	}
	spec->forecast_tail.slope = 1.5f;
	spec->level_tail.slope = 2.5f;
	m->walk = made_block(m, channels * sizeof *m->walk);
	m->outage = made_block(m, channels * sizeof *m->outage);
}

static inline void made_close(struct made *m)
{
	while (m->blocks)
		free(m->block[--m->blocks]);
}

/*
 * The next row, in channel units: channels that wander about their mean, now and then
 * one that jumps, reads NaN or infinity, or is invalid for a row or for twenty.
 */
static inline void made_row(struct made *m, float *x, uint8_t *valid)
{
	const struct detector_spec *s = &m->spec;

	for (unsigned i = 0; i < s->channels; i++) {
		unsigned luck = made_random(&m->random) % 4096;

		m->walk[i] = 0.875f * m->walk[i] + made_float(&m->random);
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
