// SPDX-License-Identifier: MIT
/*
 * torch_match_part: the parts around the LSTM: head and linear part (nn.Linear), the
 * normalisation, the graph. A head may have any name, as there is hardly a net without exactly
 * one dense layer of its shape; a linear part must have ours, or one that the user gives.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/train/torch_impl.h"

/* Weight and bias of one nn.Linear, as what; rows is the weight's. */
static int take_dense(const struct torch_search *s, const struct st_tensor *weight,
		      const struct st_tensor **bias, const char *what)
{
	char note[TORCH_NOTE_MAX];
	const char *leaf;

	*bias = torch_find(s, torch_module_of(weight->name, &leaf), "bias");
	snprintf(note, sizeof note, "%s, weight", what);
	torch_claim(s, weight, note);
	snprintf(note, sizeof note, "%s, bias", what);
	torch_claim(s, *bias, note);
	return *bias ? torch_want_shape(s, *bias, 1, weight->shape[0], 0) : 0;
}

static const struct st_tensor *named(const struct torch_search *s, const char *module)
{
	struct torch_module m = { module, (unsigned)strlen(module) };

	return torch_find(s, m, "weight");
}

static bool is_head_shape(const struct torch_search *s, const struct st_tensor *t)
{
	return t->dims == 2 && t->shape[0] == s->map->channels && t->shape[1] == s->map->hidden;
}

/* Dense layers of the head's shape that are nothing else; *last is one of them. */
static unsigned head_candidates(const struct torch_search *s, const struct st_tensor *linear,
				const struct st_tensor **last)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->file->tensors; i++) {
		const struct st_tensor *t = &s->file->tensor[i];
		const char *leaf;

		torch_module_of(t->name, &leaf);
		if (strcmp(leaf, "weight") || !is_head_shape(s, t) || t == linear ||
		    s->map->fate[i].taken)
			continue;
		*last = t;
		n++;
	}
	return n;
}

static int choose_head(const struct torch_search *s, const struct st_tensor *linear,
		       const struct st_tensor **head)
{
	const struct torch_map *map = s->map;
	char list[160];
	unsigned n;

	*head = s->names->head ? named(s, s->names->head) : torch_find(s, s->root, "head.weight");
	if (!*head && s->names->head)
		return why_set(s->why, -EINVAL, "tensor %.64s.weight is missing", s->names->head);
	if (*head)
		return torch_want_shape(s, *head, 2, map->channels, map->hidden);
	n = head_candidates(s, linear, head);
	if (n == 1)
		return 0;
	if (!n && linear && !s->names->linear && is_head_shape(s, linear)) {
		*head = linear;
		return 0;
	}
	torch_list(s, list, sizeof list, "weight", true);
	return why_set(s->why, -EINVAL, "%s head of shape [%u, %u] (channels, hidden) among %s%s",
		       n ? "more than one possible" : "no", map->channels, map->hidden,
		       *list ? list : "no dense layers", n ? ": say which with --head" : "");
}

static bool is_linear_shape(const struct torch_search *s, const struct st_tensor *t)
{
	return t->dims == 2 && t->shape[0] == s->map->channels && t->shape[1] &&
	       t->shape[1] % s->map->channels == 0 && t->shape[1] <= MODEL_COLUMNS_MAX;
}

int torch_match_dense(struct torch_search *s)
{
	struct torch_map *map = s->map;
	const struct st_tensor *linear = s->names->linear ? named(s, s->names->linear) :
					 torch_find(s, s->root, "linear.weight");
	int err;

	if (!linear && s->names->linear)
		return why_set(s->why, -EINVAL, "tensor %.64s.weight is missing", s->names->linear);
	err = choose_head(s, linear, &map->head.weight);
	if (!err)
		err = take_dense(s, map->head.weight, &map->head.bias, "head");
	if (err || !linear || linear == map->head.weight)
		return err;
	if (!is_linear_shape(s, linear)) {
		char shape[64];

		st_shape_text(shape, sizeof shape, linear->shape, linear->dims);
		return why_set(s->why, -EINVAL, "tensor %.64s has shape %s, expected [%u, L * %u] "
			       "for L rows", linear->name, shape, map->channels, map->channels);
	}
	map->linear.weight = linear;
	map->linear_lags = (unsigned)linear->shape[1] / map->channels;
	return take_dense(s, linear, &map->linear.bias, "linear");
}

int torch_match_norm(struct torch_search *s)
{
	struct torch_map *map = s->map;
	const struct {
		const char *leaf;
		const struct st_tensor **to;
	} part[] = {
		{ "norm.mean", &map->mean }, { "norm.std", &map->std },
		{ "norm.wanders", &map->wanders },
	};
	int err = 0;

	for (unsigned i = 0; !err && i < 3; i++) {
		const struct st_tensor *t = torch_find(s, s->root, part[i].leaf);

		*part[i].to = t;
		torch_claim(s, t, part[i].leaf);
		if (t)
			err = torch_want_shape(s, t, 1, map->channels, 0);
	}
	if (!err && (!map->mean != !map->std || (map->wanders && !map->mean)))
		err = why_set(s->why, -EINVAL, "norm.mean and norm.std belong together: tensor "
			      "norm.%s is missing", map->mean ? "std" : "mean");
	return err;
}

static int check_graph(const struct torch_search *s, uint64_t degree, uint64_t features)
{
	uint64_t n = s->map->channels, h = s->map->hidden;
	const struct {
		unsigned dims;
		uint64_t rows, columns;
	} want[TORCH_GRAPH_PARTS] = {
		[TORCH_NODE_WEIGHT] = { 2, n * features, h },
		[TORCH_NODE_BIAS] = { 1, n * features, 0 }, [TORCH_NEIGHBOUR] = { 2, n, degree },
		[TORCH_EDGE] = { 2, n, degree }, [TORCH_OWN] = { 2, n, features },
		[TORCH_MIX] = { 2, features, features }, [TORCH_MIX_BIAS] = { 1, features, 0 },
		[TORCH_FUSE] = { 2, n, features },
	};
	int err = 0;

	for (unsigned i = 0; !err && i < TORCH_GRAPH_PARTS; i++)
		err = torch_want_shape(s, s->map->graph[i], want[i].dims, want[i].rows,
				       want[i].columns);
	return err;
}

int torch_match_graph(struct torch_search *s)
{
	static const char *const leaf[TORCH_GRAPH_PARTS] = {
		[TORCH_NODE_WEIGHT] = "node.weight", [TORCH_NODE_BIAS] = "node.bias",
		[TORCH_NEIGHBOUR] = "graph.neighbour", [TORCH_EDGE] = "graph.edge",
		[TORCH_OWN] = "graph.own", [TORCH_MIX] = "graph.mix",
		[TORCH_MIX_BIAS] = "graph.mix_bias", [TORCH_FUSE] = "graph.fuse",
	};
	const struct st_tensor **t = s->map->graph;
	const struct st_tensor *list = torch_find(s, s->root, leaf[TORCH_NEIGHBOUR]);
	uint64_t degree, features;

	if (!list || s->map->kind != RECURRENT_FORECAST)
		return 0;
	for (unsigned i = 0; i < TORCH_GRAPH_PARTS; i++) {
		t[i] = torch_find(s, s->root, leaf[i]);
		if (!t[i])
			return why_set(s->why, -EINVAL, "tensor %s is missing, which belongs to "
				       "%.64s", leaf[i], list->name);
		torch_claim(s, t[i], leaf[i]);
	}
	degree = list->dims == 2 ? list->shape[1] : 0;
	features = t[TORCH_OWN]->dims == 2 ? t[TORCH_OWN]->shape[1] : 0;
	if (!degree || degree > GRAPH_DEGREE_MAX || !features || features > GRAPH_FEATURES_MAX)
		return why_set(s->why, -EINVAL, "a graph of degree %" PRIu64 " with %" PRIu64
			       " features, expected 1 to %d and 1 to %d", degree, features,
			       GRAPH_DEGREE_MAX, GRAPH_FEATURES_MAX);
	return check_graph(s, degree, features);
}
