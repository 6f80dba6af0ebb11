/* SPDX-License-Identifier: MIT */
/*
 * torch_impl: finding modules by their names, shared by the two halves of torch_match.
 * Private to models/train/torch*.c.
 */
#ifndef SONDE_TRAIN_TORCH_IMPL_H
#define SONDE_TRAIN_TORCH_IMPL_H

#include "models/train/torch.h"

/* A module: the part of tensors' names before the last dot; len 0: the top, without a dot. */
struct torch_module {
	const char *name;
	unsigned len;
};

struct torch_search {
	const struct st_file *file;
	struct torch_map *map;
	const struct torch_names *names;
	struct torch_module root;	/* what the LSTM is a member of */
	struct why *why;
};

/* The module that a tensor is in; *leaf is the rest of its name. */
struct torch_module torch_module_of(const char *name, const char **leaf);

/* The tensor MODULE.leaf, or NULL. */
const struct st_tensor *torch_find(const struct torch_search *s, struct torch_module m,
				   const char *leaf);

/* Note that t was taken as what; NULL is nothing. */
void torch_claim(const struct torch_search *s, const struct st_tensor *t, const char *what);

/* dims 1: [rows]; 2: [rows, columns]. -EINVAL names both shapes. */
int torch_want_shape(const struct torch_search *s, const struct st_tensor *t, unsigned dims,
		     uint64_t rows, uint64_t columns);

/* "a, b, c": the modules with that leaf; with shapes, [r, c] behind each and only matrices. */
void torch_list(const struct torch_search *s, char *out, size_t size, const char *leaf,
		bool shapes);

/* Each fills its part of the map: LSTMs and s->root first, the graph before the dense. */
int torch_match_lstm(struct torch_search *s);
int torch_match_dense(struct torch_search *s);
int torch_match_norm(struct torch_search *s);
int torch_match_graph(struct torch_search *s);

#endif
