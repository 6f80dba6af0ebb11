// SPDX-License-Identifier: MIT
/*
 * torch_write: a model's nets as a state dict. Biases are all in bias_ih with zeros in
 * bias_hh, since PyTorch adds the two and nothing is left of which was which. No padding, which
 * load_state_dict would call unexpected keys.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/train/draft.h"
#include "models/train/torch.h"

#define TENSORS_MAX 32
#define NAME_SIZE 32

struct list {
	struct st_tensor tensor[TENSORS_MAX];
	char name[TENSORS_MAX][NAME_SIZE];
	unsigned n;
};

static void add(struct list *l, const char *module, const char *leaf, unsigned dims,
		uint64_t rows, uint64_t columns, const void *data)
{
	struct st_tensor *t = &l->tensor[l->n];

	snprintf(l->name[l->n], NAME_SIZE, "%s.%s", module, leaf);
	*t = (struct st_tensor){ .name = l->name[l->n++], .dtype = ST_F32, .dims = dims,
				 .shape = { rows, columns }, .data = data };
}

static void add_dense(struct list *l, const char *module, const struct fc_spec *fc)
{
	add(l, module, "weight", 2, fc->out, fc->in, fc->weight_f32);
	add(l, module, "bias", 1, fc->out, 0, fc->bias);
}

static int add_lstm(struct list *l, struct draft *d, const char *module, unsigned layer,
		    const struct fc_spec *gates)
{
	unsigned h = gates->out / 4, inputs = gates->in - h;
	float *ih = draft_keep(d, (size_t)gates->out * inputs * sizeof *ih);
	float *hh = draft_keep(d, (size_t)gates->out * h * sizeof *hh);
	float *zeros = draft_keep(d, gates->out * sizeof *zeros);
	char leaf[16];

	if (!ih || !hh || !zeros)
		return -ENOMEM;
	torch_split(ih, hh, gates->weight_f32, inputs, h);
	snprintf(leaf, sizeof leaf, "weight_ih_l%u", layer);
	add(l, module, leaf, 2, gates->out, inputs, ih);
	snprintf(leaf, sizeof leaf, "weight_hh_l%u", layer);
	add(l, module, leaf, 2, gates->out, h, hh);
	snprintf(leaf, sizeof leaf, "bias_ih_l%u", layer);
	add(l, module, leaf, 1, gates->out, 0, gates->bias);
	snprintf(leaf, sizeof leaf, "bias_hh_l%u", layer);
	add(l, module, leaf, 1, gates->out, 0, zeros);
	return 0;
}

static void add_graph(struct list *l, const struct graph_spec *g)
{
	unsigned n = g->nodes, f = g->features;

	add_dense(l, "node", &g->node);
	add(l, "graph", "neighbour", 2, n, g->degree, g->neighbour);
	l->tensor[l->n - 1].dtype = ST_I32;
	add(l, "graph", "edge", 2, n, g->degree, g->edge);
	add(l, "graph", "own", 2, n, f, g->own);
	add(l, "graph", "mix", 2, f, f, g->mix);
	add(l, "graph", "mix_bias", 1, f, 0, g->mix_bias);
	add(l, "graph", "fuse", 2, n, f, g->fuse);
}

static int add_recurrent(struct list *l, struct draft *d, const struct recurrent_spec *r)
{
	bool again = r->kind == RECURRENT_AUTOENCODER;
	int err = add_lstm(l, d, again ? "encoder" : "lstm", 0, &r->gates[0]);

	if (!err && again)
		err = add_lstm(l, d, "decoder", 0, &r->gates[1]);
	else if (!err && r->layers == 2)
		err = add_lstm(l, d, "lstm", 1, &r->gates[1]);
	if (err)
		return err;
	add_dense(l, "head", &r->head);
	if (r->graph.features)
		add_graph(l, &r->graph);
	return 0;
}

int torch_write(const char *path, const struct torch_net *net, struct why *why)
{
	unsigned n = net->recurrent.channels;
	struct list l = { .n = 0 };
	struct draft scratch = { 0 };
	int err = 0;

	if (net->recurrent.kind != RECURRENT_NONE)
		err = add_recurrent(&l, &scratch, &net->recurrent);
	if (!err && net->linear.weight_f32)
		add_dense(&l, "linear", &net->linear);
	if (!err && net->mean) {
		n = net->linear.weight_f32 ? net->linear.out : n;
		add(&l, "norm", "mean", 1, n, 0, net->mean);
		add(&l, "norm", "std", 1, n, 0, net->std);
		add(&l, "norm", "wanders", 1, n, 0, net->wanders);
	}
	err = err ? why_set(why, err, "%s: out of memory", path) :
	      st_write_plain(path, l.tensor, l.n, why);
	draft_close(&scratch);
	return err;
}

int torch_from_model(struct torch_net *net, struct draft *d, const struct model *m,
		     struct why *why)
{
	const struct detector_spec *s = &m->spec;
	float *std;

	if (!s->linear.weight_f32)
		return why_set(why, -EINVAL, "model %s is int8: PyTorch gets the float32 model "
			       "that it was made from", m->name);
	std = draft_keep(d, s->channels * sizeof *std);
	if (!std)
		return why_set(why, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < s->channels; i++)
		std[i] = 1 / s->inv_std[i];
	*net = (struct torch_net){ .recurrent = s->recurrent, .linear = s->linear,
				   .mean = s->mean, .std = std, .wanders = s->wanders };
	return 0;
}
