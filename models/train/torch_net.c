// SPDX-License-Identifier: MIT
/*
 * torch_net: from a map of tensors to operators. The two biases of an LSTM become one, a missing
 * one zeros; shapes were checked when the map was made, numbers are checked here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/torch.h"

/* A tensor's numbers, kept by d; n zeros where there is no tensor. */
static int take_floats(const float **out, struct draft *d, const struct st_tensor *t, size_t n,
		       struct why *why)
{
	float *v = draft_keep(d, n * sizeof *v);

	if (!v)
		return why_set(why, -ENOMEM, "out of memory");
	*out = v;
	return t ? torch_floats(v, t, why) : 0;
}

static int take_gates(struct fc_spec *fc, struct draft *d, const struct torch_map *map, unsigned g,
		      struct why *why)
{
	unsigned h = map->hidden, inputs = g ? h : map->channels;
	float *weight = draft_keep(d, (size_t)4 * h * (inputs + h) * sizeof *weight);
	float *bias = draft_keep(d, (size_t)4 * h * sizeof *bias);
	float *ih = malloc((size_t)4 * h * (inputs + h + 1) * sizeof *ih);
	float *hh, *more;
	int err;

	if (!weight || !bias || !ih) {
		free(ih);
		return why_set(why, -ENOMEM, "out of memory");
	}
	hh = ih + (size_t)4 * h * inputs;
	more = hh + (size_t)4 * h * h;
	err = torch_floats(ih, map->gates[g].ih, why);
	if (!err)
		err = torch_floats(hh, map->gates[g].hh, why);
	if (!err && map->gates[g].bias_ih)
		err = torch_floats(bias, map->gates[g].bias_ih, why);
	if (!err && map->gates[g].bias_hh) {
		err = torch_floats(more, map->gates[g].bias_hh, why);
		for (unsigned r = 0; !err && r < 4 * h; r++)
			bias[r] += more[r];
	}
	if (!err)
		torch_join(weight, ih, hh, inputs, h);
	free(ih);
	*fc = (struct fc_spec){ .in = inputs + h, .out = 4 * h, .weight_f32 = weight, .bias = bias };
	return err;
}

static int take_dense(struct fc_spec *fc, struct draft *d, const struct st_tensor *weight,
		      const struct st_tensor *bias, struct why *why)
{
	int err;

	fc->out = (unsigned)weight->shape[0];
	fc->in = (unsigned)weight->shape[1];
	err = take_floats(&fc->weight_f32, d, weight, (size_t)fc->out * fc->in, why);
	return err ? err : take_floats(&fc->bias, d, bias, fc->out, why);
}

/* PyTorch's indices are I64, the file's and ours I32. */
static int take_neighbours(const int32_t **out, struct draft *d, const struct st_tensor *t,
			   unsigned nodes, struct why *why)
{
	size_t n = t->shape[0] * t->shape[1];
	int32_t *v = draft_keep(d, n * sizeof *v);

	if (!v)
		return why_set(why, -ENOMEM, "out of memory");
	if (t->dtype != ST_I32 && t->dtype != ST_I64)
		return why_set(why, -EINVAL, "tensor %.64s is %s, expected I32 or I64", t->name,
			       st_dtype_name(t->dtype));
	for (size_t i = 0; i < n; i++) {
		int64_t to = t->dtype == ST_I32 ? ((const int32_t *)t->data)[i] :
			     ((const int64_t *)t->data)[i];

		if (to < -1 || to >= (int64_t)nodes)
			return why_set(why, -EINVAL, "tensor %.64s: element %zu is %" PRId64
				       ", must be -1 or a channel below %u", t->name, i, to, nodes);
		if (to != -1 && i % t->shape[1] && v[i - 1] == -1)
			return why_set(why, -EINVAL, "tensor %.64s: element %zu is %" PRId64
				       " behind a -1, which ends a row", t->name, i, to);
		v[i] = (int32_t)to;
	}
	*out = v;
	return 0;
}

static int take_graph(struct graph_spec *g, struct draft *d, const struct torch_map *map,
		      struct why *why)
{
	const struct st_tensor *const *t = map->graph;
	unsigned n = map->channels, f = (unsigned)t[TORCH_OWN]->shape[1];
	int err;

	g->nodes = n;
	g->features = f;
	g->degree = (unsigned)t[TORCH_NEIGHBOUR]->shape[1];
	err = take_neighbours(&g->neighbour, d, t[TORCH_NEIGHBOUR], n, why);
	if (!err)
		err = take_dense(&g->node, d, t[TORCH_NODE_WEIGHT], t[TORCH_NODE_BIAS], why);
	if (!err)
		err = take_floats(&g->edge, d, t[TORCH_EDGE], (size_t)n * g->degree, why);
	if (!err)
		err = take_floats(&g->own, d, t[TORCH_OWN], (size_t)n * f, why);
	if (!err)
		err = take_floats(&g->mix, d, t[TORCH_MIX], (size_t)f * f, why);
	if (!err)
		err = take_floats(&g->mix_bias, d, t[TORCH_MIX_BIAS], f, why);
	return err ? err : take_floats(&g->fuse, d, t[TORCH_FUSE], (size_t)n * f, why);
}

static int take_norm(struct torch_net *net, struct draft *d, const struct torch_map *map,
		     struct why *why)
{
	unsigned n = map->channels;
	int err = take_floats(&net->mean, d, map->mean, n, why);

	if (!err)
		err = take_floats(&net->std, d, map->std, n, why);
	if (!err)
		err = take_floats(&net->wanders, d, map->wanders, n, why);
	for (unsigned i = 0; !err && i < n; i++) {
		if (!(net->std[i] > 0))
			return why_set(why, -EINVAL, "tensor %.64s: element %u is %g, must be "
				       "above 0", map->std->name, i, (double)net->std[i]);
		if (net->wanders[i] != 0 && net->wanders[i] != 1)
			return why_set(why, -EINVAL, "tensor %.64s: element %u is %g, must be 0 "
				       "or 1", map->wanders->name, i, (double)net->wanders[i]);
	}
	return err;
}

int torch_take(struct torch_net *net, struct draft *d, const struct torch_map *map,
	       unsigned window, struct why *why)
{
	struct recurrent_spec *r = &net->recurrent;
	int err;

	*net = (struct torch_net){ 0 };
	*r = (struct recurrent_spec){ .kind = map->kind, .channels = map->channels,
				      .hidden = map->hidden, .layers = map->layers };
	if (map->kind == RECURRENT_AUTOENCODER) {
		if (!window || window > RECURRENT_WINDOW_MAX)
			return why_set(why, -EINVAL, "an autoencoder's window of %u rows, expected "
				       "1 to %d: say with --window", window, RECURRENT_WINDOW_MAX);
		r->window = window;
	}
	err = take_gates(&r->gates[0], d, map, 0, why);
	if (!err && map->gates[1].ih)
		err = take_gates(&r->gates[1], d, map, 1, why);
	if (!err)
		err = take_dense(&r->head, d, map->head.weight, map->head.bias, why);
	if (!err && map->linear.weight)
		err = take_dense(&net->linear, d, map->linear.weight, map->linear.bias, why);
	if (!err && map->graph[0])
		err = take_graph(&r->graph, d, map, why);
	return err || !map->mean ? err : take_norm(net, d, map, why);
}
