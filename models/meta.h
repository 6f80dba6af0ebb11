/* SPDX-License-Identifier: MIT */
/*
 * meta: the JSON of a model file, its safetensors header (meta.c) and the text
 * about the model inside it (meta_model.c). Only these files see a JSON library.
 */
#ifndef SONDE_META_H
#define SONDE_META_H

#include <stdbool.h>
#include <stdio.h>

struct model;
struct st_file;
struct st_tensor;
struct why;

/*
 * Header text, UTF-8 without NUL, to tensors (data not set) and text. Types, names and
 * duplicates are checked here; sizes and offsets against the file by the caller.
 */
int meta_header_parse(struct st_file *f, const char *json, struct why *why);
void meta_header_free(struct st_file *f);

/* The reverse; text NULL: the mark of PyTorch's files instead. *json is the caller's to free. */
int meta_header_format(char **json, const struct st_tensor *tensor, unsigned tensors,
		       const char *text);

/*
 * Our text to everything in *m that is no tensor; m->channel is allocated and stays
 * with m also on error. Ranges of numbers are model_check's matter.
 */
int meta_model_parse(struct model *m, bool *int8, const char *json, struct why *why);
int meta_model_format(char **json, const struct model *m);

/* meta_views.c: the part of it that is about the detector. Private to meta*.c. */
struct json_from;
int meta_views_parse(struct model *m, bool int8, const struct json_from *top);
void meta_views_format(FILE *out, const struct model *m);
/* The fewest digits that give the same float back: 0.4, not 0.400000006. */
void meta_put_float(FILE *out, const char *before, float v);

#endif
