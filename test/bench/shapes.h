/* SPDX-License-Identifier: MIT */
/*
 * shapes: the networks that all contestants compute, out of a seed and the same on every
 * machine and in every language (pytorch.py draws them too): one streaming LSTM step, an LSTM
 * autoencoder over a window, and the dense autoencoder of MLPerf Tiny's anomaly detection.
 *
 * Weights are f32, [out][in], gates in PyTorch's order i, f, g, o; each contestant makes int8 of
 * them in its own way. They mean nothing; their sizes keep gates out of saturation and what
 * layers put out near one. Blocks are the caller's: free(), or the end of the process.
 */
#ifndef SONDE_BENCH_SHAPES_H
#define SONDE_BENCH_SHAPES_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHANNELS 8
#define ROWS 256		/* rows to step over, and 4 windows of them */
#define STEPS_BEFORE 50		/* what a step computes is compared after these */
#define SPREAD 3		/* rows lie in +-SPREAD deviations */

#define WINDOW 64
#define WINDOW_HIDDEN 64

#define DENSE_LAYERS 10
#define DENSE_WIDEST 640
#define DENSE_INPUTS 16

static const unsigned hidden_sizes[] = { 32, 64, 128 };
#define HIDDEN_SIZES (sizeof hidden_sizes / sizeof *hidden_sizes)
#define HIDDEN_MAX 128

static const unsigned dense_width[DENSE_LAYERS + 1] = {
	640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640,
};

struct layer {
	unsigned in, out;
	float *weight, *bias;		/* [out][in], [out] */
};

/* pre = gates over [x | h]; gates.weight is [4 * hidden][in + hidden]. */
struct lstm_shape {
	unsigned in, hidden;
	struct layer gates;
};

/* The decoder reads the encoder's last h at every step; the head tells a row of its h. */
struct window_shape {
	struct lstm_shape encoder, decoder;
	struct layer head;
};

/* relu between layers; top: largest magnitude that enters a layer, over dense_input 0... */
struct dense_shape {
	struct layer layer[DENSE_LAYERS];
	float top[DENSE_LAYERS];
};

/* In [-1, 1), exact in a float: Numerical Recipes' "quick and dirty" congruence, upper bits. */
static inline float shape_noise(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (float)(*seed >> 8) / (1 << 23) - 1;
}

static inline float *shape_block(size_t n)
{
	float *p = calloc(n, sizeof *p);

	if (!p)
		abort();
	return p;
}

static inline struct layer layer_make(unsigned in, unsigned out, float size, float bias_size,
				      uint32_t seed)
{
	struct layer l = { in, out, shape_block((size_t)in * out), shape_block(out) };

	for (size_t i = 0; i < (size_t)in * out; i++)
		l.weight[i] = size * shape_noise(&seed);
	for (unsigned o = 0; o < out; o++)
		l.bias[o] = bias_size * shape_noise(&seed);
	return l;
}

static inline void layer_free(struct layer *l)
{
	free(l->weight);
	free(l->bias);
}

static inline struct lstm_shape lstm_make(unsigned in, unsigned hidden, uint32_t seed)
{
	float size = 1 / sqrtf((float)hidden);

	return (struct lstm_shape){ in, hidden, layer_make(in + hidden, 4 * hidden, size, size,
							   seed) };
}

static inline struct window_shape window_make(void)
{
	return (struct window_shape){
		.encoder = lstm_make(CHANNELS, WINDOW_HIDDEN, 1001),
		.decoder = lstm_make(WINDOW_HIDDEN, WINDOW_HIDDEN, 1002),
		.head = layer_make(WINDOW_HIDDEN, CHANNELS, 0.25f, 0.25f, 1003),
	};
}

/* Row i of ROWS to step over. */
static inline void shape_rows(float rows[ROWS][CHANNELS])
{
	uint32_t seed = 7;

	for (unsigned i = 0; i < ROWS; i++)
		for (unsigned k = 0; k < CHANNELS; k++)
			rows[i][k] = SPREAD * shape_noise(&seed);
}

static inline void dense_inputs(float x[DENSE_INPUTS][DENSE_WIDEST])
{
	uint32_t seed = 8;

	for (unsigned i = 0; i < DENSE_INPUTS; i++)
		for (unsigned k = 0; k < DENSE_WIDEST; k++)
			x[i][k] = shape_noise(&seed);
}

/* y[out] = W x + b, as anybody would write it first. */
static inline void layer_run(const struct layer *l, const float *x, float *y)
{
	const float *w = l->weight;

	for (unsigned o = 0; o < l->out; o++, w += l->in) {
		float sum = l->bias[o];

		for (unsigned i = 0; i < l->in; i++)
			sum += w[i] * x[i];
		y[o] = sum;
	}
}

/* y[DENSE_WIDEST]; top, where given, grows to what enters each layer. */
static inline void dense_run(const struct dense_shape *d, const float *x, float *y, float *top)
{
	float a[2][DENSE_WIDEST];

	for (unsigned k = 0; k < DENSE_LAYERS; k++) {
		const struct layer *l = &d->layer[k];
		float *to = k + 1 < DENSE_LAYERS ? a[k & 1] : y;

		for (unsigned i = 0; top && i < l->in; i++)
			top[k] = fmaxf(top[k], fabsf(x[i]));
		layer_run(l, x, to);
		for (unsigned o = 0; k + 1 < DENSE_LAYERS && o < l->out; o++)
			to[o] = to[o] > 0 ? to[o] : 0;
		x = to;
	}
}

/* He et al. 2015: uniform within sqrt(6 / in) keeps the size of what relu lets through. */
static inline struct dense_shape dense_make(void)
{
	static float x[DENSE_INPUTS][DENSE_WIDEST];
	struct dense_shape d = { 0 };
	float y[DENSE_WIDEST];

	for (unsigned k = 0; k < DENSE_LAYERS; k++)
		d.layer[k] = layer_make(dense_width[k], dense_width[k + 1],
					sqrtf(6.0f / (float)dense_width[k]), 0.125f, 2001 + k);
	dense_inputs(x);
	for (unsigned i = 0; i < DENSE_INPUTS; i++)
		dense_run(&d, x[i], y, d.top);
	return d;
}

static inline const char *lstm_name(unsigned hidden)
{
	static char name[16];

	snprintf(name, sizeof name, "lstm-%u", hidden);
	return name;
}

/*
 * int8 [out][in], a scale each output: symmetric, largest magnitude at 127. step[i] is what one
 * unit of input i stands for, so that scale * sum(q x) is the f32 product.
 */
static inline void layer_quantise(const struct layer *l, const float *step, int8_t *q, float *scale)
{
	for (unsigned o = 0; o < l->out; o++) {
		const float *w = l->weight + (size_t)o * l->in;
		float top = 1e-12f;

		for (unsigned i = 0; i < l->in; i++)
			top = fmaxf(top, fabsf(w[i] * step[i]));
		scale[o] = top / 127;
		for (unsigned i = 0; i < l->in; i++)
			q[(size_t)o * l->in + i] = (int8_t)lrintf(w[i] * step[i] / scale[o]);
	}
}

#endif
