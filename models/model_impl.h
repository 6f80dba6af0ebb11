/* SPDX-License-Identifier: MIT */
/*
 * model_impl: what the parts of model.c share: one table of the tensors, read by
 * load, by save and by the checks that both make, so that nothing is ever
 * written that could not be read again. Private to models/model*.c and to what rewrites
 * operators one by one (models/train/quantize.c).
 */
#ifndef SONDE_MODEL_IMPL_H
#define SONDE_MODEL_IMPL_H

#include <stdbool.h>

#include "models/model.h"
#include "models/safetensors.h"

/* What the numbers of a tensor may be; NaN obeys none but MAYBE_NAN. */
enum model_rule {
	RULE_ANY,		/* finite */
	RULE_MAYBE_NAN,		/* anything but infinite */
	RULE_NOT_NEGATIVE,
	RULE_MODEST,		/* 0 to 1e6: a weight beyond makes infinities of plausible values */
	RULE_POSITIVE,
	RULE_NORMAL,		/* above 0 and normal: XNNPACK refuses other scales */
	RULE_ZERO_OR_ONE,
	RULE_LOG,		/* what the logarithm of a float can be, about */
	RULE_TAIL,		/* ascending knots, a slope above 0 */
	RULE_INT8,		/* -127 to 127 */
	RULE_NODE		/* -1, or the number of a channel */
};

/* One tensor and where the model keeps it: exactly one of the targets is set. */
struct model_field {
	const char *name;
	enum st_dtype dtype;
	enum model_rule rule;
	unsigned dims;
	uint64_t shape[2];
	const float **f32;
	const int8_t **i8;
	const int32_t **i32;
	struct tail *tail;
	struct fc_spec *fc;	/* of an operator's weight: takes the shape */
	/* Its columns: u, clipped at z_clip; then states within 1, or codes within code_clip. */
	unsigned u_columns;
	bool code;
};

#define MODEL_FIELDS_MAX 64

/* Those of a model with the sizes of *m. */
unsigned model_fields(struct model *m, bool int8, struct model_field field[MODEL_FIELDS_MAX]);

/* The sizes alone: after this, products of them do not overflow. */
int model_check_sizes(const struct model *m, struct why *why);

/* Everything: sizes, names, operators, every number. */
int model_check(const struct model *m, struct why *why);

#endif
