// SPDX-License-Identifier: MIT
/* activity: see activity.h. */
#include "models/train/activity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/run.h"

#define LAYERS_MAX (sizeof ((struct activity *)0)->layer / sizeof (struct activity_layer))

void activity_free(struct activity *a)
{
	for (unsigned k = 0; k < a->layers; k++)
		free(a->layer[k].in);
	memset(a, 0, sizeof(*a));
}

static void take(void *ctx, const float *in)
{
	struct activity_layer *l = ctx;
	unsigned n = l->field.fc->in;

	memcpy(l->in + (size_t)(l->runs++ % ACTIVITY_ROWS_MAX) * n, in, n * sizeof(*in));
	l->rows += l->rows < ACTIVITY_ROWS_MAX;
}

static void nothing(void *ctx, unsigned row, const struct detector_result *r)
{
}

int activity_open(struct activity *a, const struct model *m, const float *x, unsigned rows,
		  struct why *why)
{
	struct model_field field[MODEL_FIELDS_MAX];
	unsigned fields;
	int err = 0;

	memset(a, 0, sizeof(*a));
	a->copy = *m;
	a->copy.spec.quick.hidden = 0;
	fields = model_fields(&a->copy, false, field);
	for (unsigned k = 0; !err && k < fields; k++) {
		struct activity_layer *l = &a->layer[a->layers];
		struct fc_spec *fc = field[k].fc;

		if (!fc || a->layers == LAYERS_MAX)
			continue;
		l->field = field[k];
		l->in = malloc((size_t)ACTIVITY_ROWS_MAX * fc->in * sizeof(float));
		err = l->in ? 0 : why_set(why, -ENOMEM, "out of memory");
		fc->tap = take;
		fc->tap_ctx = l;
		a->layers++;
	}
	if (!err)
		err = run_rows(&a->copy.spec, FC_REF, x, rows, nothing, NULL, why);
	if (err)
		activity_free(a);
	return err;
}
