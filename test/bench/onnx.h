/* SPDX-License-Identifier: MIT */
/*
 * onnx: an ONNX file with one LSTM in it, written field by field (onnx.proto3): just enough
 * protobuf, and random weights in ONNX's gate order i, o, f, c.
 */
#ifndef SONDE_BENCH_ONNX_H
#define SONDE_BENCH_ONNX_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUTS 8

struct buffer {
	unsigned char *p;
	size_t n, room;
};

static inline void put(struct buffer *b, const void *p, size_t n)
{
	if (b->n + n > b->room) {
		b->room = 2 * (b->n + n);
		b->p = realloc(b->p, b->room);
		if (!b->p)
			exit(1);
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void put_varint(struct buffer *b, uint64_t v)
{
	do {
		unsigned char c = (unsigned char)((v & 127) | (v > 127 ? 128 : 0));

		put(b, &c, 1);
	} while (v >>= 7);
}

static inline void put_int(struct buffer *b, unsigned field, uint64_t v)
{
	put_varint(b, field << 3);
	put_varint(b, v);
}

static inline void put_bytes(struct buffer *b, unsigned field, const void *p, size_t n)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, n);
	put(b, p, n);
}

static inline void put_text(struct buffer *b, unsigned field, const char *s)
{
	put_bytes(b, field, s, strlen(s));
}

static inline void put_message(struct buffer *b, unsigned field, struct buffer *m)
{
	put_bytes(b, field, m->p, m->n);
	free(m->p);
	*m = (struct buffer){ 0 };
}

enum { FLOAT32 = 1, INT8 = 3 };	/* TensorProto.DataType */

static inline void put_tensor(struct buffer *graph, const char *name, int type, const void *data,
		       size_t bytes, unsigned dims, const unsigned *dim)
{
	struct buffer t = { 0 };

	for (unsigned i = 0; i < dims; i++)
		put_int(&t, 1, dim[i]);
	put_int(&t, 2, (uint64_t)type);
	put_text(&t, 8, name);
	put_bytes(&t, 9, data, bytes);
	put_message(graph, 5, &t);
}

/* GraphProto.input is field 11, output 12. */
static inline void put_value(struct buffer *graph, unsigned field, const char *name, unsigned last)
{
	const unsigned dim[3] = { 1, 1, last };
	struct buffer shape = { 0 }, tensor = { 0 }, type = { 0 }, value = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		struct buffer d = { 0 };

		put_int(&d, 1, dim[i]);
		put_message(&shape, 1, &d);
	}
	put_int(&tensor, 1, FLOAT32);
	put_message(&tensor, 2, &shape);
	put_message(&type, 1, &tensor);
	put_text(&value, 1, name);
	put_message(&value, 2, &type);
	put_message(graph, field, &value);
}

struct weights {
	unsigned hidden;
	float *w, *r, *b;	/* [4H][INPUTS], [4H][H], [8H] */
};

static inline float noise(void)
{
	static uint32_t seed = 1;

	seed = seed * 1664525 + 1013904223;
	return (float)(seed >> 8) / (1 << 23) - 1;
}

static inline struct weights make_weights(unsigned hidden)
{
	struct weights m = { hidden, calloc(4 * hidden * INPUTS, 4),
			     calloc(4 * hidden * hidden, 4), calloc(8 * hidden, 4) };
	float size = 1 / sqrtf((float)hidden);

	if (!m.w || !m.r || !m.b)
		exit(1);
	for (unsigned i = 0; i < 4 * hidden * INPUTS; i++)
		m.w[i] = size * noise();
	for (unsigned i = 0; i < 4 * hidden * hidden; i++)
		m.r[i] = size * noise();
	for (unsigned i = 0; i < 8 * hidden; i++)
		m.b[i] = size * noise() / 2;
	return m;
}

static inline void weights_free(struct weights *m)
{
	free(m->w);
	free(m->r);
	free(m->b);
}

/* [out][in] to int8 [in][out], a scale an output: the layout that DynamicQuantizeLSTM reads. */
static inline void quantise(int8_t *to, float *scale, const float *from, unsigned in, unsigned out)
{
	for (unsigned o = 0; o < out; o++) {
		float top = 0;

		for (unsigned i = 0; i < in; i++)
			top = fmaxf(top, fabsf(from[o * in + i]));
		scale[o] = top / 127;
		for (unsigned i = 0; i < in; i++)
			to[i * out + o] = (int8_t)lrintf(from[o * in + i] / scale[o]);
	}
}

static inline void put_int8(struct buffer *graph, const char *name, const float *from, unsigned in,
		     unsigned out)
{
	int8_t *q = malloc(in * out), *zero = calloc(out, 1);
	float *scale = malloc(out * sizeof *scale);
	char text[16];

	if (!q || !zero || !scale)
		exit(1);
	quantise(q, scale, from, in, out);
	put_tensor(graph, name, INT8, q, in * out, 3, (unsigned[]){ 1, in, out });
	snprintf(text, sizeof text, "%s_scale", name);
	put_tensor(graph, text, FLOAT32, scale, out * 4, 2, (unsigned[]){ 1, out });
	snprintf(text, sizeof text, "%s_zero", name);
	put_tensor(graph, text, INT8, zero, out, 2, (unsigned[]){ 1, out });
	free(q);
	free(zero);
	free(scale);
}

static inline struct buffer make_model(const struct weights *m, int int8)
{
	static const char *const inputs[] = { "X", "W", "R", "B", "", "h", "c", "",
					      "W_scale", "W_zero", "R_scale", "R_zero" };
	struct buffer model = { 0 }, graph = { 0 }, node = { 0 }, attribute = { 0 }, opset = { 0 };
	unsigned h = m->hidden;

	for (unsigned i = 0; i < (int8 ? 12u : 7u); i++)
		put_text(&node, 1, inputs[i]);
	put_text(&node, 2, "");
	put_text(&node, 2, "h1");
	put_text(&node, 2, "c1");
	put_text(&node, 4, int8 ? "DynamicQuantizeLSTM" : "LSTM");
	put_text(&attribute, 1, "hidden_size");
	put_int(&attribute, 3, h);
	put_int(&attribute, 20, 2);
	put_message(&node, 5, &attribute);
	if (int8)
		put_text(&node, 7, "com.microsoft");
	put_message(&graph, 1, &node);
	put_text(&graph, 2, "step");
	if (int8) {
		put_int8(&graph, "W", m->w, INPUTS, 4 * h);
		put_int8(&graph, "R", m->r, h, 4 * h);
	} else {
		put_tensor(&graph, "W", FLOAT32, m->w, 16 * h * INPUTS, 3,
			   (unsigned[]){ 1, 4 * h, INPUTS });
		put_tensor(&graph, "R", FLOAT32, m->r, 16 * h * h, 3,
			   (unsigned[]){ 1, 4 * h, h });
	}
	put_tensor(&graph, "B", FLOAT32, m->b, 32 * h, 2, (unsigned[]){ 1, 8 * h });
	put_value(&graph, 11, "X", INPUTS);
	put_value(&graph, 11, "h", h);
	put_value(&graph, 11, "c", h);
	put_value(&graph, 12, "h1", h);
	put_value(&graph, 12, "c1", h);

	put_int(&model, 1, 8);
	put_message(&model, 7, &graph);
	put_text(&opset, 1, "");
	put_int(&opset, 2, 14);
	put_message(&model, 8, &opset);
	put_text(&opset, 1, "com.microsoft");
	put_int(&opset, 2, 1);
	put_message(&model, 8, &opset);
	return model;
}

#endif
