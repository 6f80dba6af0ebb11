/* SPDX-License-Identifier: MIT */
/*
 * onnx_shapes: the shapes (shapes.h) as ONNX graphs, f32 and int8. int8 is what ONNX Runtime's
 * own quantiser would leave: LSTMs and the window's head dynamic (DynamicQuantizeLSTM,
 * DynamicQuantizeMatMul), the dense autoencoder static (QuantizeLinear, QGemm), weights with a
 * scale an output.
 */
#ifndef SONDE_BENCH_ONNX_SHAPES_H
#define SONDE_BENCH_ONNX_SHAPES_H

#include <stdbool.h>

#include "test/bench/onnx.h"
#include "test/bench/shapes.h"

#define SHAPE(...) ((struct onnx_shape){ { __VA_ARGS__ } })

static inline const char *onnx_name(const char *prefix, const char *suffix)
{
	static char name[4][64];
	static unsigned turn;

	turn = (turn + 1) % 4;
	snprintf(name[turn], sizeof name[turn], "%s%s", prefix, suffix);
	return name[turn];
}

/* NAME, NAME_scale, NAME_zero: int8 [in][out], as the dynamic operators read it. */
static inline void onnx_dynamic_weight(struct buffer *graph, const char *name,
				       const struct layer *l, bool direction)
{
	float *scale = shape_block(l->out), *one = shape_block(l->in);
	int8_t *q = calloc(l->in, l->out), *turned = calloc(l->in, l->out);

	if (!q || !turned)
		abort();
	for (unsigned i = 0; i < l->in; i++)
		one[i] = 1;
	layer_quantise(l, one, q, scale);
	for (unsigned o = 0; o < l->out; o++)
		for (unsigned i = 0; i < l->in; i++)
			turned[i * l->out + o] = q[o * l->in + i];
	memset(q, 0, l->out);
	onnx_tensor(graph, name, ONNX_S8, turned,
		    direction ? SHAPE(1, l->in, l->out) : SHAPE(l->in, l->out));
	onnx_tensor(graph, onnx_name(name, "_scale"), ONNX_F32, scale,
		    direction ? SHAPE(1, l->out) : SHAPE(l->out));
	onnx_tensor(graph, onnx_name(name, "_zero"), ONNX_S8, q,
		    direction ? SHAPE(1, l->out) : SHAPE(l->out));
	free(q);
	free(turned);
	free(scale);
	free(one);
}

/* Columns [at, at + in) of the gates, their blocks in ONNX's order i, o, f, c. */
static inline struct layer onnx_gates(const struct lstm_shape *s, unsigned at, unsigned in)
{
	static const unsigned from[] = { 0, 3, 1, 2 };
	unsigned h = s->hidden;
	struct layer l = { in, 4 * h, shape_block((size_t)4 * h * in), shape_block(8 * h) };

	for (unsigned o = 0; o < 4 * h; o++) {
		unsigned row = from[o / h] * h + o % h;

		memcpy(l.weight + o * in, s->gates.weight + row * s->gates.in + at,
		       in * sizeof(float));
		l.bias[o] = s->gates.bias[row];
	}
	return l;
}

/* The node P + "lstm": x (and h, c of the step) to outputs. */
static inline void onnx_lstm(struct buffer *graph, const char *p, const struct lstm_shape *s,
			     const char *x, const char *state, const char *out, bool int8)
{
	struct layer w = onnx_gates(s, 0, s->in), r = onnx_gates(s, s->in, s->hidden);
	unsigned h = s->hidden;
	char in[256];

	if (int8) {
		onnx_dynamic_weight(graph, onnx_name(p, "W"), &w, true);
		onnx_dynamic_weight(graph, onnx_name(p, "R"), &r, true);
		snprintf(in, sizeof in, "%s %sW %sR %sB - %s - %sW_scale %sW_zero %sR_scale "
			 "%sR_zero", x, p, p, p, state, p, p, p, p);
	} else {
		onnx_tensor(graph, onnx_name(p, "W"), ONNX_F32, w.weight, SHAPE(1, 4 * h, s->in));
		onnx_tensor(graph, onnx_name(p, "R"), ONNX_F32, r.weight, SHAPE(1, 4 * h, h));
		snprintf(in, sizeof in, "%s %sW %sR %sB - %s", x, p, p, p, state);
	}
	onnx_tensor(graph, onnx_name(p, "B"), ONNX_F32, w.bias, SHAPE(1, 8 * h));
	onnx_node(graph, int8 ? "+DynamicQuantizeLSTM" : "LSTM", in, out, "hidden_size", h);
	layer_free(&w);
	layer_free(&r);
}

/* X, h, c -> h1, c1 */
static inline struct buffer onnx_step(const struct lstm_shape *s, bool int8)
{
	struct buffer graph = { 0 };

	onnx_lstm(&graph, "", s, "X", "h c", "- h1 c1", int8);
	onnx_value(&graph, ONNX_IN, "X", SHAPE(1, 1, s->in));
	onnx_value(&graph, ONNX_IN, "h", SHAPE(1, 1, s->hidden));
	onnx_value(&graph, ONNX_IN, "c", SHAPE(1, 1, s->hidden));
	onnx_value(&graph, ONNX_OUT, "h1", SHAPE(1, 1, s->hidden));
	onnx_value(&graph, ONNX_OUT, "c1", SHAPE(1, 1, s->hidden));
	return onnx_model(&graph);
}

/* X[WINDOW] -> Y[WINDOW] */
static inline struct buffer onnx_window(const struct window_shape *s, bool int8)
{
	const int64_t repeat[] = { WINDOW, 1, WINDOW_HIDDEN };
	struct buffer graph = { 0 };

	onnx_lstm(&graph, "e", &s->encoder, "X", "- -", "- code -", int8);
	onnx_tensor(&graph, "repeat", ONNX_S64, repeat, SHAPE(3));
	onnx_node(&graph, "Expand", "code repeat", "codes", NULL, 0);
	onnx_lstm(&graph, "d", &s->decoder, "codes", "- -", "H - -", int8);
	onnx_tensor(&graph, "bias", ONNX_F32, s->head.bias, SHAPE(CHANNELS));
	if (int8) {
		onnx_dynamic_weight(&graph, "head", &s->head, false);
		onnx_node(&graph, "+DynamicQuantizeMatMul", "H head head_scale head_zero bias", "Y",
			  NULL, 0);
	} else {
		float *turned = shape_block(WINDOW_HIDDEN * CHANNELS);

		for (unsigned i = 0; i < WINDOW_HIDDEN * CHANNELS; i++)
			turned[i] = s->head.weight[i % CHANNELS * WINDOW_HIDDEN + i / CHANNELS];
		onnx_tensor(&graph, "head", ONNX_F32, turned, SHAPE(WINDOW_HIDDEN, CHANNELS));
		onnx_node(&graph, "MatMul", "H head", "product", NULL, 0);
		onnx_node(&graph, "Add", "product bias", "Y", NULL, 0);
		free(turned);
	}
	onnx_value(&graph, ONNX_IN, "X", SHAPE(WINDOW, 1, CHANNELS));
	onnx_value(&graph, ONNX_OUT, "Y", SHAPE(WINDOW, 1, 1, CHANNELS));
	return onnx_model(&graph);
}

/* One layer; what enters is in u8 steps `before`, what leaves in steps `after` (0: f32). */
static inline void onnx_qgemm(struct buffer *graph, const char *p, const struct layer *l,
			      const char *x, const char *y, float before, float after)
{
	float *scale = shape_block(l->out), *one = shape_block(l->in);
	int8_t *q = calloc(l->in, l->out), *zero = calloc(l->out, 1);
	int32_t *bias = calloc(l->out, sizeof *bias);
	char in[256];

	if (!q || !zero || !bias)
		abort();
	for (unsigned i = 0; i < l->in; i++)
		one[i] = 1;
	layer_quantise(l, one, q, scale);
	for (unsigned o = 0; o < l->out; o++)
		bias[o] = (int32_t)lrintf(l->bias[o] / (scale[o] * before));
	onnx_tensor(graph, onnx_name(p, "w"), ONNX_S8, q, SHAPE(l->out, l->in));
	onnx_tensor(graph, onnx_name(p, "scale"), ONNX_F32, scale, SHAPE(l->out));
	onnx_tensor(graph, onnx_name(p, "zero"), ONNX_S8, zero, SHAPE(l->out));
	onnx_tensor(graph, onnx_name(p, "b"), ONNX_S32, bias, SHAPE(l->out));
	if (after > 0)
		onnx_tensor(graph, onnx_name(y, "_step"), ONNX_F32, &after, SHAPE(0));
	if (after > 0)
		onnx_tensor(graph, onnx_name(y, "_at"), ONNX_U8, "", SHAPE(0));
	snprintf(in, sizeof in, "%s %s_step %s_at %sw %sscale %szero %sb", x, x, x, p, p, p, p);
	if (after > 0)
		snprintf(in + strlen(in), sizeof in - strlen(in), " %s_step %s_at", y, y);
	onnx_node(graph, "+QGemm", in, y, "transB", 1);
	free(q);
	free(zero);
	free(bias);
	free(scale);
	free(one);
}

/* X -> Y; relu is what u8 can not say below 0. */
static inline struct buffer onnx_dense(const struct dense_shape *s, bool int8)
{
	static const unsigned char middle = 128;
	struct buffer graph = { 0 };
	char x[16] = "X", y[16], p[16];
	float step = s->top[0] / 127;

	if (int8) {
		onnx_tensor(&graph, "q0_step", ONNX_F32, &step, SHAPE(0));
		onnx_tensor(&graph, "q0_at", ONNX_U8, &middle, SHAPE(0));
		onnx_node(&graph, "QuantizeLinear", "X q0_step q0_at", "q0", NULL, 0);
		strcpy(x, "q0");
	}
	for (unsigned k = 0; k < DENSE_LAYERS; k++) {
		const struct layer *l = &s->layer[k];
		bool last = k + 1 == DENSE_LAYERS;

		snprintf(p, sizeof p, "l%u", k);
		snprintf(y, sizeof y, last ? "Y" : "q%u", k + 1);
		if (int8) {
			float next = last ? 0 : s->top[k + 1] / 255;

			onnx_qgemm(&graph, p, l, x, y, step, next);
			step = next;
		} else {
			char in[64];

			onnx_tensor(&graph, onnx_name(p, "w"), ONNX_F32, l->weight,
				    SHAPE(l->out, l->in));
			onnx_tensor(&graph, onnx_name(p, "b"), ONNX_F32, l->bias, SHAPE(l->out));
			snprintf(in, sizeof in, "%s %sw %sb", x, p, p);
			onnx_node(&graph, "Gemm", in, last ? "Y" : onnx_name(p, "y"), "transB", 1);
			if (!last)
				onnx_node(&graph, "Relu", onnx_name(p, "y"), y, NULL, 0);
		}
		strcpy(x, y);
	}
	onnx_value(&graph, ONNX_IN, "X", SHAPE(1, DENSE_WIDEST));
	onnx_value(&graph, ONNX_OUT, "Y", SHAPE(1, DENSE_WIDEST));
	return onnx_model(&graph);
}

#endif
