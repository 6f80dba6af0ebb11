/* SPDX-License-Identifier: MIT */
/*
 * draft: a model while it is being made. What its pointers point at is either
 * kept here or borrowed from what outlives the draft; never model_free'd.
 */
#ifndef SONDE_TRAIN_DRAFT_H
#define SONDE_TRAIN_DRAFT_H

#include <stddef.h>

#include "models/model.h"

struct draft_block;

struct draft {
	struct model m;
	struct draft_block *blocks;
};

/* Zeroed memory that lives as long as the draft; NULL when there is none. */
void *draft_keep(struct draft *d, size_t bytes);
/* The same with a copy of src in it. */
void *draft_copy(struct draft *d, const void *src, size_t bytes);
void draft_close(struct draft *d);

/* Now, or SOURCE_DATE_EPOCH where it is set, so that a build can be repeated. */
void draft_stamp(struct draft *d);

/* file.ext of a path, without folder and extension, cut to MODEL_NAME_MAX. */
void draft_name(struct draft *d, const char *path);

#endif
