/* SPDX-License-Identifier: MIT */
/* match: the columns of a table in the order of a model's channels, by name. */
#ifndef SONDE_TRAIN_MATCH_H
#define SONDE_TRAIN_MATCH_H

struct model;
struct table;
struct why;

/* A general model becomes one of t's columns (models/expand.h); any other stays as it is. */
int match_general(struct model *m, const struct table *t, const char *path, struct why *why);

/* x[rows][N], the caller frees. -EINVAL names the channel that path has not. */
int match_table(float **x, const struct model *m, const struct table *t, const char *path,
		struct why *why);

#endif
