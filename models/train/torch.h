/* SPDX-License-Identifier: MIT */
/*
 * torch: the nets of a model as the state dict of PyTorch modules, and back. A state dict is a
 * safetensors file whose tensors have the names of modules; what is whose is told by the
 * names' ends and by shapes, so that any prefix will do.
 *
 *	nn.LSTM		weight_ih_l0 [4H,N], weight_hh_l0 [4H,H], bias_ih_l0, bias_hh_l0; _l1
 *	nn.Linear	head [N,H]; linear [N,L*N], newest row first
 *	buffers		norm.mean, norm.std, norm.wanders [N]
 *	graph		node, graph.*: as in models/FORMAT.md
 *
 * PyTorch's gates are i, f, g, o as ours are: rows stay where they are.
 * https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 */
#ifndef SONDE_TRAIN_TORCH_H
#define SONDE_TRAIN_TORCH_H

#include <stdbool.h>

#include "kernels/recurrent.h"
#include "models/safetensors.h"

struct draft;
struct model;
struct why;

/* gates[4H][inputs + H] = [ih[4H][inputs] | hh[4H][H]], and the reverse. */
void torch_join(float *gates, const float *ih, const float *hh, unsigned inputs, unsigned hidden);
void torch_split(float *ih, float *hh, const float *gates, unsigned inputs, unsigned hidden);

/*
 * A tensor's numbers as floats, each rounded once to the nearest. dst has room for all.
 * -EINVAL: not F16, BF16, F32 or F64; or a number that is not finite as a float.
 */
int torch_floats(float *dst, const struct st_tensor *t, struct why *why);

/* Modules that the user names, without the dot; NULL: found by name and shape. */
struct torch_names {
	const char *lstm, *decoder, *head, *linear;
};

enum torch_graph_part {
	TORCH_NODE_WEIGHT, TORCH_NODE_BIAS, TORCH_NEIGHBOUR, TORCH_EDGE, TORCH_OWN, TORCH_MIX,
	TORCH_MIX_BIAS, TORCH_FUSE,
	TORCH_GRAPH_PARTS
};

#define TORCH_NOTE_MAX 80

/* What a state dict has of us. Tensors are borrowed from the file. */
struct torch_map {
	enum recurrent_kind kind;
	unsigned channels, hidden, layers;
	unsigned linear_lags;		/* 0: no linear part */
	struct {
		const struct st_tensor *ih, *hh, *bias_ih, *bias_hh;	/* biases may be NULL */
	} gates[2];			/* as recurrent_spec.gates */
	struct {
		const struct st_tensor *weight, *bias;	/* the bias may be NULL */
	} head, linear;
	const struct st_tensor *mean, *std, *wanders;		/* or NULL */
	const struct st_tensor *graph[TORCH_GRAPH_PARTS];	/* all or none */
	unsigned tensors;
	/* [tensors], as in the file: what became of each; the caller frees with torch_unmatch. */
	struct torch_fate {
		bool taken;
		char note[TORCH_NOTE_MAX];	/* what it is here, or why it was passed over */
	} *fate;
};

/*
 * Find our parts among f's tensors and check all shapes against each other. -EINVAL names
 * the tensor and both shapes, or the candidates where more than one would do; -ENOMEM.
 */
int torch_match(struct torch_map *map, const struct st_file *f, const struct torch_names *names,
		struct why *why);
void torch_unmatch(struct torch_map *map);

/* Float nets of a model. recurrent.kind may be RECURRENT_NONE, the others NULL. */
struct torch_net {
	struct recurrent_spec recurrent;
	struct fc_spec linear;
	const float *mean, *std, *wanders;	/* [N] u = (value or change - mean) / std */
};

/*
 * The tensors of a map as a net whose arrays d keeps. window: an autoencoder's, of which a
 * state dict says nothing. Errors as torch_floats, -ENOMEM.
 */
int torch_take(struct torch_net *net, struct draft *d, const struct torch_map *map,
	       unsigned window, struct why *why);

/*
 * Say the same of inputs in other deviations: the net then reads and forecasts
 * (v - mean) * inv_std instead of its own. Nothing changes when they are equal already, or when
 * the dict says no norm. A forecast of what a linear part leaves is scaled, any other shifted as
 * well. The arrays become copies in d. -EINVAL: a channel wanders in one and not in the other.
 */
int torch_rescale(struct torch_net *net, struct draft *d, const float *mean,
		  const float *inv_std, const float *wanders, struct why *why);

/* The nets of a float model, borrowed from it; norm is kept by d. -EINVAL when it is int8. */
int torch_from_model(struct torch_net *net, struct draft *d, const struct model *m,
		     struct why *why);

/*
 * Write a state dict: F32 tensors, no padding, biases of the LSTM in bias_ih. Modules are
 * called lstm (an autoencoder: encoder, decoder), head, linear, norm. Replaces path.
 */
int torch_write(const char *path, const struct torch_net *net, struct why *why);

#endif
