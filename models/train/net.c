// SPDX-License-Identifier: MIT
/*
 * net: see net.h. All parameters lie in one vector in the order of struct net; a part that a
 * shape does not have takes no room in it and has a NULL pointer.
 */
#include "models/train/net.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/draft.h"
#include "models/train/random.h"

/* Inputs of gate matrix l, its own state not counted; 0: the shape has no such matrix. */
static size_t gate_inputs(const struct net_shape *s, unsigned l)
{
	if (l == 0)
		return s->channels;
	return s->kind == RECURRENT_AUTOENCODER || s->layers > 1 ? s->hidden : 0;
}

static float *take(float **at, size_t count)
{
	float *p = count ? *at : NULL;

	*at += count;
	return p;
}

struct net net_over(const struct net *n, float *param)
{
	const struct net_shape *s = &n->shape;
	size_t N = s->channels, H = s->hidden, F = s->features;
	struct net o = { .shape = *s, .param = param };
	float *at = param;

	for (unsigned l = 0; l < 2; l++) {
		size_t in = gate_inputs(s, l);

		o.gate_w[l] = take(&at, in ? 4 * H * (in + H) : 0);
		o.gate_b[l] = take(&at, in ? 4 * H : 0);
	}
	o.head_w = take(&at, N * H);
	o.head_b = take(&at, N);
	o.node_w = take(&at, N * F * H);
	o.node_b = take(&at, N * F);
	o.own = take(&at, N * F);
	o.mix = take(&at, F * F);
	o.mix_b = take(&at, F);
	o.fuse = take(&at, N * F);
	o.count = (size_t)(at - param);
	return o;
}

static size_t count_of(const struct net_shape *s)
{
	size_t N = s->channels, H = s->hidden, F = s->features, count = N * (H + 1);

	for (unsigned l = 0; l < 2; l++)
		if (gate_inputs(s, l))
			count += 4 * H * (gate_inputs(s, l) + H + 1);
	return count + N * F * (H + 3) + F * F + F;
}

/* Parameters zero, the graph copied. */
static int net_make(struct net **out, const struct net_shape *s)
{
	size_t edges = s->features ? (size_t)s->channels * s->degree : 0;
	struct net *n = calloc(1, sizeof(*n));
	float *param = calloc(count_of(s), sizeof(*param));
	int32_t *neighbour = malloc((edges + 1) * sizeof(*neighbour));
	float *edge = malloc((edges + 1) * sizeof(*edge));

	if (!n || !param || !neighbour || !edge) {
		free(n);
		free(param);
		free(neighbour);
		free(edge);
		return -ENOMEM;
	}
	n->shape = *s;
	if (edges) {
		memcpy(neighbour, s->neighbour, edges * sizeof(*neighbour));
		memcpy(edge, s->edge, edges * sizeof(*edge));
	}
	n->shape.neighbour = neighbour;
	n->shape.edge = edge;
	*n = net_over(n, param);
	*out = n;
	return 0;
}

static void fill(float *v, size_t count, float bound, struct random *r)
{
	for (size_t i = 0; v && i < count; i++)
		v[i] = bound * random_uniform(r);
}

int net_open(struct net **out, const struct net_shape *s, uint64_t seed)
{
	size_t N = s->channels, H = s->hidden, F = s->features;
	float bound = 1 / sqrtf((float)H);
	struct random r = { seed };
	struct net *n;
	int err = net_make(&n, s);

	if (err)
		return err;
	for (unsigned l = 0; l < 2; l++) {
		fill(n->gate_w[l], 4 * H * (gate_inputs(s, l) + H), bound, &r);
		for (size_t i = 0; n->gate_b[l] && i < H; i++)
			n->gate_b[l][H + i] = 1;
	}
	if (s->kind == RECURRENT_AUTOENCODER)
		fill(n->head_w, N * H, bound, &r);
	if (F) {
		fill(n->node_w, N * F * H, bound, &r);
		fill(n->own, N * F, 1, &r);
		fill(n->mix, F * F, 1 / sqrtf((float)F), &r);
	}
	*out = n;
	return 0;
}

void net_close(struct net *n)
{
	if (!n)
		return;
	free(n->param);
	free((void *)n->shape.neighbour);
	free((void *)n->shape.edge);
	free(n);
}

static int copy_fc(struct fc_spec *out, struct draft *d, const float *w, const float *b,
		   size_t in, size_t rows)
{
	*out = (struct fc_spec){
		.in = (unsigned)in, .out = (unsigned)rows,
		.weight_f32 = draft_copy(d, w, in * rows * sizeof(*w)),
		.bias = draft_copy(d, b, rows * sizeof(*b)),
	};
	return out->weight_f32 && out->bias ? 0 : -ENOMEM;
}

static int copy_graph(struct graph_spec *g, const struct net *n, struct draft *d)
{
	const struct net_shape *s = &n->shape;
	size_t N = s->channels, F = s->features, edges = N * s->degree;

	g->nodes = s->channels;
	g->features = s->features;
	g->degree = s->degree;
	g->neighbour = draft_copy(d, s->neighbour, edges * sizeof(*s->neighbour));
	g->edge = draft_copy(d, s->edge, edges * sizeof(*s->edge));
	g->own = draft_copy(d, n->own, N * F * sizeof(float));
	g->mix = draft_copy(d, n->mix, F * F * sizeof(float));
	g->mix_bias = draft_copy(d, n->mix_b, F * sizeof(float));
	g->fuse = draft_copy(d, n->fuse, N * F * sizeof(float));
	if (!g->neighbour || !g->edge || !g->own || !g->mix || !g->mix_bias || !g->fuse)
		return -ENOMEM;
	return copy_fc(&g->node, d, n->node_w, n->node_b, s->hidden, N * F);
}

int net_spec(struct recurrent_spec *out, const struct net *n, struct draft *d)
{
	const struct net_shape *s = &n->shape;
	size_t H = s->hidden;
	int err = 0;

	*out = (struct recurrent_spec){
		.kind = s->kind, .channels = s->channels, .hidden = s->hidden,
		.layers = s->layers, .window = s->window,
	};
	for (unsigned l = 0; !err && l < 2; l++)
		if (n->gate_w[l])
			err = copy_fc(&out->gates[l], d, n->gate_w[l], n->gate_b[l],
				      gate_inputs(s, l) + H, 4 * H);
	if (!err)
		err = copy_fc(&out->head, d, n->head_w, n->head_b, H, s->channels);
	if (!err && s->features)
		err = copy_graph(&out->graph, n, d);
	return err;
}

static bool is_float(const struct fc_spec *f, size_t in, size_t out)
{
	return f->weight_f32 && f->bias && f->in == in && f->out == out;
}

static bool shape_is_float(const struct recurrent_spec *s, const struct net_shape *shape)
{
	size_t N = s->channels, H = s->hidden, F = s->graph.features;

	if (s->kind == RECURRENT_NONE || !N || !H)
		return false;
	for (unsigned l = 0; l < 2; l++)
		if (gate_inputs(shape, l) &&
		    !is_float(&s->gates[l], gate_inputs(shape, l) + H, 4 * H))
			return false;
	return is_float(&s->head, H, N) && (!F || is_float(&s->graph.node, H, N * F));
}

static void paste(float *dst, const float *src, size_t count)
{
	if (dst)
		memcpy(dst, src, count * sizeof(*dst));
}

int net_from_spec(struct net **out, const struct recurrent_spec *s)
{
	const struct graph_spec *g = &s->graph;
	struct net_shape shape = {
		.kind = s->kind, .channels = s->channels, .hidden = s->hidden,
		.layers = s->layers, .window = s->window, .features = g->features,
		.degree = g->degree, .neighbour = g->neighbour, .edge = g->edge,
	};
	size_t N = s->channels, H = s->hidden, F = g->features;
	struct net *n;
	int err = shape_is_float(s, &shape) ? net_make(&n, &shape) : -EINVAL;

	if (err)
		return err;
	for (unsigned l = 0; l < 2; l++) {
		paste(n->gate_w[l], s->gates[l].weight_f32, 4 * H * (gate_inputs(&shape, l) + H));
		paste(n->gate_b[l], s->gates[l].bias, 4 * H);
	}
	paste(n->head_w, s->head.weight_f32, N * H);
	paste(n->head_b, s->head.bias, N);
	paste(n->node_w, g->node.weight_f32, N * F * H);
	paste(n->node_b, g->node.bias, N * F);
	paste(n->own, g->own, N * F);
	paste(n->mix, g->mix, F * F);
	paste(n->mix_b, g->mix_bias, F);
	paste(n->fuse, g->fuse, N * F);
	*out = n;
	return 0;
}
