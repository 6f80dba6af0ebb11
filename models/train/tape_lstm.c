// SPDX-License-Identifier: MIT
/*
 * tape_lstm: one LSTM layer over one chunk. What has no dependence on time (the inputs'
 * products, the gradients of the weights) is one product a chunk; only h's way through time
 * goes step by step.
 */
#include <string.h>

#include "kernels/clones.h"
#include "kernels/gate.h"
#include "models/train/bf16.h"
#include "models/train/product.h"
#include "models/train/tape_impl.h"

static inline __attribute__((always_inline)) void
cell(unsigned H, const float *restrict i, const float *restrict f, const float *restrict g,
     const float *restrict before, float *restrict c, float *restrict h)
{
	for (unsigned u = 0; u < H; u++)
		h[u] = c[u] = f[u] * before[u] + i[u] * g[u];
}

CLONES
static void cells(unsigned batch, size_t H, const float *gate, const float *before, float *c,
		  float *h)
{
	for (unsigned b = 0; b < batch; b++, gate += 4 * H)
		cell((unsigned)H, gate, gate + H, gate + 2 * H, before + b * H, c + b * H,
		     h + b * H);
}

CLONES
static void scale_by_output(unsigned batch, size_t H, const float *restrict gate,
			    float *restrict h)
{
	for (unsigned b = 0; b < batch; b++, gate += 4 * H, h += H)
		for (size_t u = 0; u < H; u++)
			h[u] *= gate[3 * H + u];
}

/* gate[B][4H]: before their functions in, behind them out. */
static void step_forward(unsigned batch, size_t H, float *gate, const float *before, float *c,
			 float *h)
{
	for (unsigned b = 0; b < batch; b++) {
		float *row = gate + b * 4 * H;

		gate_sigmoid_n((unsigned)(2 * H), row);
		gate_tanh_n((unsigned)H, row + 2 * H);
		gate_sigmoid_n((unsigned)H, row + 3 * H);
	}
	cells(batch, H, gate, before, c, h);
	gate_tanh_n((unsigned)(batch * H), h);
	scale_by_output(batch, H, gate, h);
}

void tape_lstm_forward(const struct lstm_chunk *k, const struct tape_layer *v, float *state)
{
	size_t H = k->hidden, in = k->inputs, B = k->batch, cellular = B * H;

	memcpy(v->h, state, cellular * sizeof(float));
	memcpy(v->c, state + cellular, cellular * sizeof(float));
	if (k->x) {
		product_fill(v->gate, k->b, k->steps * B, 4 * H);
		product(v->gate, k->x, k->w, k->steps * B, 4 * H, in, in + H, 1);
	} else {
		product_fill(v->gate, k->fixed, k->steps, B * 4 * H);
	}
	for (size_t s = 0; s < k->steps; s++) {
		float *gate = v->gate + s * 4 * cellular, *h = v->h + s * cellular;
		float *c = v->c + s * cellular;

		product(gate, h, k->w + in, B, 4 * H, H, in + H, 1);
		step_forward(k->batch, H, gate, c, c + cellular, h + cellular);
		if (k->half)
			bf16_round(h + cellular, cellular);
	}
	memcpy(state, v->h + k->steps * cellular, cellular * sizeof(float));
	memcpy(state + cellular, v->c + k->steps * cellular, cellular * sizeof(float));
}

static inline __attribute__((always_inline)) void
cell_back(unsigned H, float *restrict i, float *restrict f, float *restrict g, float *restrict o,
	  const float *restrict before, const float *restrict tanh_c, const float *restrict d_h,
	  float *restrict d_c)
{
	for (unsigned u = 0; u < H; u++) {
		float iu = i[u], fu = f[u], gu = g[u], ou = o[u], tc = tanh_c[u];
		float dc = d_c[u] + d_h[u] * ou * (1 - tc * tc);

		i[u] = dc * gu * iu * (1 - iu);
		f[u] = dc * before[u] * fu * (1 - fu);
		g[u] = dc * iu * (1 - gu * gu);
		o[u] = d_h[u] * tc * ou * (1 - ou);
		d_c[u] = dc * fu;
	}
}

/* gate[B][4H]: activations in, gradients before them out; d_c is carried to the step before. */
CLONES
static void step_backward(unsigned batch, size_t H, float *gate, const float *before,
			  const float *tanh_c, const float *d_h, float *d_c)
{
	for (unsigned b = 0; b < batch; b++, gate += 4 * H)
		cell_back((unsigned)H, gate, gate + H, gate + 2 * H, gate + 3 * H, before + b * H,
			  tanh_c + b * H, d_h + b * H, d_c + b * H);
}

CLONES
static void add(float *restrict sum, const float *restrict v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += v[i];
}

void tape_lstm_backward(const struct lstm_chunk *k, const struct tape_layer *v,
			const struct lstm_gradient *g)
{
	size_t H = k->hidden, in = k->inputs, B = k->batch, cellular = B * H;
	size_t rows = k->steps * B;

	memcpy(g->tanh_c, v->c + cellular, rows * H * sizeof(float));
	gate_tanh_n((unsigned)(rows * H), g->tanh_c);
	add(g->d_h + (k->steps - 1) * cellular, g->d_state, cellular);
	for (size_t s = k->steps; s-- > 0;) {
		float *gate = v->gate + s * 4 * cellular;
		float *d_before = s ? g->d_h + (s - 1) * cellular : g->d_state;

		step_backward(k->batch, H, gate, v->c + s * cellular, g->tanh_c + s * cellular,
			      g->d_h + s * cellular, g->d_state + cellular);
		if (k->half)
			bf16_round(gate, 4 * cellular);
		product_back(d_before, gate, k->w + in, B, 4 * H, H, in + H, s ? 1 : 0);
		if (!k->x)
			add(g->d_fixed, gate, 4 * cellular);
	}
	product_weights(g->w + in, v->gate, v->h, rows, 4 * H, H, in + H);
	if (!k->x)
		return;
	product_weights(g->w, v->gate, k->x, rows, 4 * H, in, in + H);
	product_sum(g->b, v->gate, rows, 4 * H);
	if (g->d_x)
		product_back(g->d_x, v->gate, k->w, rows, 4 * H, in, in + H, 0);
}
