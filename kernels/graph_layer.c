// SPDX-License-Identifier: MIT
/*
 * graph_layer: the features of a node lie side by side, filled up with zeros to 1, 2 or 4
 * vectors of LANES, so that each of them is a lane and every sum over neighbours or inputs has
 * the order of its indices on any CPU. Nodes are mixed first and gathered then: that is one small
 * matrix for each node, and not one for each edge.
 *
 * Rectified by a comparison, which makes 0 of a NaN too: of wild weights an infinity may come
 * out, or a NaN of several in one sum, which is for the caller to hold.
 */
#include "kernels/graph_layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/clones.h"
#include "kernels/quant.h"
#include "kernels/why.h"

#define NODES_MAX 4096
#define LANES 4		/* what SSE and NEON have */
#define VECS_MAX (GRAPH_FEATURES_MAX / LANES)

typedef float vec __attribute__((vector_size(LANES * sizeof(float)), may_alias));
typedef int32_t vec_mask __attribute__((vector_size(LANES * sizeof(int32_t))));

struct graph_edge {
	uint32_t from;		/* first vector of the neighbour */
	float weight;
};

struct graph_layer {
	unsigned nodes, features, hidden;
	unsigned vecs;			/* of a node */
	float z_most;
	struct fc *node;
	struct graph_edge *edge;	/* of node 0, of node 1, ... */
	unsigned *edges;		/* [nodes] how many each has */
	vec *memory;			/* holds what follows */
	vec *own, *fuse;		/* [nodes][vecs] */
	vec *mix;			/* [features][vecs]: row m, what feature m adds to each */
	vec *mix_bias;			/* [vecs] */
	vec *value, *mixed;		/* [nodes][vecs] of this step */
};

static int check(const struct graph_spec *s, unsigned hidden, struct why *why)
{
	if (!s->nodes || s->nodes > NODES_MAX || !s->features ||
	    s->features > GRAPH_FEATURES_MAX || s->degree > GRAPH_DEGREE_MAX)
		return why_set(why, -EINVAL, "%u nodes with %u features and %u neighbours",
			       s->nodes, s->features, s->degree);
	if (s->node.in != hidden || s->node.out != s->nodes * s->features)
		return why_set(why, -EINVAL, "node: %u x %u for %u nodes, %u features, %u hidden",
			       s->node.out, s->node.in, s->nodes, s->features, hidden);
	if (!s->own || !s->mix || !s->mix_bias || !s->fuse ||
	    (s->degree && (!s->neighbour || !s->edge)))
		return why_set(why, -EINVAL, "a tensor is missing");
	return 0;
}

static int alloc(struct graph_layer *g, unsigned degree)
{
	size_t per_node = (size_t)g->nodes * g->vecs;

	g->edge = calloc((size_t)g->nodes * degree + 1, sizeof *g->edge);
	g->edges = calloc(g->nodes, sizeof *g->edges);
	g->memory = calloc(4 * per_node + (g->features + 1) * g->vecs, sizeof *g->memory);
	if (!g->edge || !g->edges || !g->memory)
		return -ENOMEM;
	g->own = g->memory;
	g->fuse = g->own + per_node;
	g->value = g->fuse + per_node;
	g->mixed = g->value + per_node;
	g->mix_bias = g->mixed + per_node;
	g->mix = g->mix_bias + g->vecs;
	return 0;
}

/* Checked here, once and whoever made them: a step follows them without looking. */
static int take_edges(struct graph_layer *g, const struct graph_spec *s, struct why *why)
{
	struct graph_edge *e = g->edge;

	for (unsigned i = 0; i < s->nodes; i++)
		for (unsigned j = 0; j < s->degree; j++) {
			int32_t from = s->neighbour[(size_t)i * s->degree + j];

			if (from == -1)
				break;
			if ((uint32_t)from >= s->nodes)
				return why_set(why, -EINVAL, "node %u has neighbour %d of %u", i,
					       (int)from, s->nodes);
			*e++ = (struct graph_edge){ (uint32_t)from * g->vecs,
						    s->edge[(size_t)i * s->degree + j] };
			g->edges[i]++;
		}
	return 0;
}

static void take_tensors(struct graph_layer *g, const struct graph_spec *s)
{
	unsigned n = s->features;

	for (size_t i = 0; i < s->nodes; i++) {
		memcpy(g->own + i * g->vecs, s->own + i * n, n * sizeof *s->own);
		memcpy(g->fuse + i * g->vecs, s->fuse + i * n, n * sizeof *s->fuse);
	}
	memcpy(g->mix_bias, s->mix_bias, n * sizeof *s->mix_bias);
	for (unsigned m = 0; m < n; m++) {
		float *row = (float *)(g->mix + (size_t)m * g->vecs);

		for (unsigned f = 0; f < n; f++)
			row[f] = s->mix[f * n + m];
	}
}

int graph_layer_open(struct graph_layer **out, const struct graph_spec *spec, unsigned hidden,
		     float z_inv_step, enum fc_kind kind, struct why *why)
{
	struct graph_layer *g;
	int err;

	*out = NULL;
	err = check(spec, hidden, why);
	if (err)
		return err;
	g = calloc(1, sizeof *g);
	if (!g)
		return why_set(why, -ENOMEM, "out of memory");
	g->nodes = spec->nodes;
	g->features = spec->features;
	g->vecs = spec->features <= LANES ? 1 : spec->features <= 2 * LANES ? 2 : VECS_MAX;
	g->hidden = hidden;
	g->z_most = QUANT_MAX / z_inv_step;
	err = alloc(g, spec->degree);
	if (err) {
		why_set(why, err, "out of memory");
		goto fail;
	}
	err = take_edges(g, spec, why);
	if (err)
		goto fail;
	take_tensors(g, spec);
	err = fc_open(&g->node, &spec->node, kind, why);
	if (err) {
		err = why_in(why, err, "node");
		goto fail;
	}
	*out = g;
	return 0;
fail:
	graph_layer_close(g);
	return err;
}

void graph_layer_close(struct graph_layer *g)
{
	if (!g)
		return;
	fc_close(g->node);
	free(g->edge);
	free(g->edges);
	free(g->memory);
	free(g);
}

static inline __attribute__((always_inline)) float held(float v, float most)
{
	v = v == v ? v : 0;
	v = v > most ? most : v;
	return v < -most ? -most : v;
}

static inline __attribute__((always_inline)) vec positive(vec v)
{
	return (vec)((vec_mask)v & (v > 0));
}

/* value: the projection of the state [nodes][features] and the node's own z. */
static inline __attribute__((always_inline)) void
look(struct graph_layer *g, const float *from_state, const float *z, unsigned vecs)
{
	unsigned n = g->features;

	for (unsigned i = 0; i < g->nodes; i++, from_state += n) {
		const vec *own = g->own + (size_t)i * vecs;
		vec *value = g->value + (size_t)i * vecs, v[VECS_MAX] = { 0 };
		float own_z = held(z[i], g->z_most);

		if (n == vecs * LANES)	/* a size known here is a load, any other a call */
			memcpy(v, from_state, vecs * sizeof *v);
		else
			memcpy(v, from_state, n * sizeof *from_state);
		for (unsigned k = 0; k < vecs; k++)
			value[k] = positive(v[k] + own[k] * own_z);
	}
}

static inline __attribute__((always_inline)) void mix(struct graph_layer *g, unsigned vecs)
{
	for (unsigned i = 0; i < g->nodes; i++) {
		const float *value = (const float *)(g->value + (size_t)i * vecs);
		const vec *row = g->mix;
		vec sum[VECS_MAX] = { 0 };

		for (unsigned m = 0; m < g->features; m++, row += vecs)
			for (unsigned k = 0; k < vecs; k++)
				sum[k] += value[m] * row[k];
		for (unsigned k = 0; k < vecs; k++)
			g->mixed[(size_t)i * vecs + k] = sum[k];
	}
}

static inline __attribute__((always_inline)) void
gather(struct graph_layer *g, float *restrict out, unsigned vecs)
{
	const struct graph_edge *e = g->edge;

	for (unsigned i = 0; i < g->nodes; i++) {
		const vec *fuse = g->fuse + (size_t)i * vecs;
		vec near[VECS_MAX];
		float sum = 0;

		for (unsigned k = 0; k < vecs; k++)
			near[k] = g->mix_bias[k];
		for (const struct graph_edge *end = e + g->edges[i]; e < end; e++)
			for (unsigned k = 0; k < vecs; k++)
				near[k] += e->weight * g->mixed[e->from + k];
		for (unsigned k = 0; k < vecs; k++) {
			vec part = fuse[k] * positive(near[k]);

			for (unsigned f = 0; f < LANES; f++)
				sum += part[f];
		}
		out[i] += sum;
	}
}

/* vecs is a number that the compiler knows at each call. */
static inline __attribute__((always_inline)) void
step(struct graph_layer *g, const float *from_state, const float *z, float *out, unsigned vecs)
{
	look(g, from_state, z, vecs);
	mix(g, vecs);
	gather(g, out, vecs);
}

CLONES
static void add(struct graph_layer *g, const float *from_state, const float *z, float *out)
{
	if (g->vecs == 1)
		step(g, from_state, z, out, 1);
	else if (g->vecs == 2)
		step(g, from_state, z, out, 2);
	else
		step(g, from_state, z, out, VECS_MAX);
}

void graph_layer_add(struct graph_layer *g, const float *h, const float *z, float *out)
{
	fc_put(g->node, 0, h, g->hidden, QUANT_MAX);
	add(g, fc_run(g->node), z, out);
}

uint64_t graph_layer_cost(const struct graph_spec *s)
{
	uint64_t features = (uint64_t)s->nodes * s->features, edges = 0;

	for (unsigned i = 0; i < s->nodes; i++)
		for (unsigned j = 0; j < s->degree; j++, edges++)
			if (s->neighbour[(size_t)i * s->degree + j] == -1)
				break;
	return features * (s->node.in + 1 + s->features + 1) + edges * s->features;
}
