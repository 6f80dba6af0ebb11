/* SPDX-License-Identifier: MIT */
/*
 * onnx: an ONNX file written field by field (onnx.proto3): just enough protobuf for tensors,
 * nodes, and what goes in and out of a graph.
 */
#ifndef SONDE_BENCH_ONNX_H
#define SONDE_BENCH_ONNX_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
			abort();
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

/* TensorProto.DataType */
enum onnx_type { ONNX_F32 = 1, ONNX_U8 = 2, ONNX_S8 = 3, ONNX_S32 = 6, ONNX_S64 = 7 };

/* Up to four dimensions, ended by 0; none: a scalar. */
struct onnx_shape {
	unsigned dim[5];
};

/* A constant of the graph. */
static inline void onnx_tensor(struct buffer *graph, const char *name, enum onnx_type type,
			       const void *data, struct onnx_shape shape)
{
	static const unsigned size[] = { [ONNX_F32] = 4, [ONNX_U8] = 1, [ONNX_S8] = 1,
					 [ONNX_S32] = 4, [ONNX_S64] = 8 };
	struct buffer t = { 0 };
	size_t bytes = size[type];

	for (const unsigned *d = shape.dim; *d; d++) {
		put_int(&t, 1, *d);
		bytes *= *d;
	}
	put_int(&t, 2, type);
	put_text(&t, 8, name);
	put_bytes(&t, 9, data, bytes);
	put_message(graph, 5, &t);
}

enum onnx_end { ONNX_IN = 11, ONNX_OUT = 12 };	/* GraphProto.input, .output */

/* A float tensor that enters or leaves the graph. */
static inline void onnx_value(struct buffer *graph, enum onnx_end end, const char *name,
			      struct onnx_shape of)
{
	struct buffer shape = { 0 }, tensor = { 0 }, type = { 0 }, value = { 0 };

	for (const unsigned *i = of.dim; *i; i++) {
		struct buffer d = { 0 };

		put_int(&d, 1, *i);
		put_message(&shape, 1, &d);
	}
	put_int(&tensor, 1, ONNX_F32);
	put_message(&tensor, 2, &shape);
	put_message(&type, 1, &tensor);
	put_text(&value, 1, name);
	put_message(&value, 2, &type);
	put_message(graph, end, &value);
}

/*
 * A node; in and out are names divided by one blank, "-" for one that is left out. attribute
 * (may be NULL) is an integer. Operators of Microsoft's own domain start with a '+'.
 */
static inline void onnx_node(struct buffer *graph, const char *operator, const char *in,
			     const char *out, const char *attribute, unsigned v)
{
	const char *const names[2] = { in, out };
	struct buffer node = { 0 }, a = { 0 };

	for (unsigned i = 0; i < 2; i++)
		for (const char *s = names[i]; *s; s += *s == ' ') {
			size_t n = strcspn(s, " ");

			put_bytes(&node, i + 1, s, n == 1 && *s == '-' ? 0 : n);
			s += n;
		}
	put_text(&node, 4, operator + (*operator == '+'));
	if (attribute) {
		put_text(&a, 1, attribute);
		put_int(&a, 3, v);
		put_int(&a, 20, 2);
		put_message(&node, 5, &a);
	}
	if (*operator == '+')
		put_text(&node, 7, "com.microsoft");
	put_message(graph, 1, &node);
}

/* The file around a graph, which is freed. */
static inline struct buffer onnx_model(struct buffer *graph)
{
	struct buffer model = { 0 }, opset = { 0 };

	put_text(graph, 2, "shape");
	put_int(&model, 1, 8);
	put_message(&model, 7, graph);
	put_text(&opset, 1, "");
	put_int(&opset, 2, 14);
	put_message(&model, 8, &opset);
	put_text(&opset, 1, "com.microsoft");
	put_int(&opset, 2, 1);
	put_message(&model, 8, &opset);
	return model;
}

#endif
