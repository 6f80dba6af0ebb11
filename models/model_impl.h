/* SPDX-License-Identifier: MIT */
/*
 * model_impl: what the parts of model.c share: one table of the tensors, read by
 * load and by save, and the checks that both make, so that nothing is ever
 * written that could not be read again. Private to models/model*.c.
 */
#ifndef SONDE_MODEL_IMPL_H
#define SONDE_MODEL_IMPL_H

#include <stdbool.h>

#include "models/model.h"
#include "models/safetensors.h"

/* One tensor and where the model keeps it: exactly one of the targets is set. */
struct model_field {
	const char *name;
	enum st_dtype dtype;
	unsigned dims;
	uint64_t shape[2];
	const float **f32;
	const int8_t **i8;
	struct tail *tail;
};

#define MODEL_FIELDS_MAX 32

/* Those of a model with the channels, lags, hidden and test_rows of *m. */
unsigned model_fields(struct model *m, bool int8, struct model_field field[MODEL_FIELDS_MAX]);

/* The sizes alone: after this, products of them do not overflow. */
int model_check_sizes(const struct model *m, struct why *why);

/* Everything: sizes, names, operators, every number. */
int model_check(const struct model *m, struct why *why);

#endif
