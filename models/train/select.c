// SPDX-License-Identifier: MIT
/* select: see select.h. */
#include "models/train/select.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/train/calibrate.h"
#include "models/train/draft.h"
#include "models/train/order.h"
#include "models/train/run.h"

/* Each view on each ready row, by the model as it is. */
struct known {
	unsigned rows, capacity;
	float *view[VIEWS];
};

static void known_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct known *k = ctx;

	if (!r->ready || k->rows == k->capacity)
		return;
	for (unsigned v = 0; v < VIEWS; v++)
		k->view[v][k->rows] = r->view[v];
	k->rows++;
}

static int measure(double carry[VIEWS], const struct detector_spec *s, const struct recording *rec,
		   struct why *why)
{
	struct known known = { .capacity = rec->rows };
	float *memory = malloc((size_t)VIEWS * rec->rows * sizeof(*memory));
	int err = memory ? 0 : why_set(why, -ENOMEM, "out of memory");

	for (unsigned v = 0; !err && v < VIEWS; v++)
		known.view[v] = memory + (size_t)v * rec->rows;
	if (!err)
		err = run_rows(s, FC_REF, rec->x, rec->rows, known_row, &known, why);
	for (unsigned v = 0; !err && v < VIEWS; v++) {
		double is = (double)order_quantile(known.view[v], known.rows, 0.5);

		carry[v] = s->view[v].weight > 0 && s->view[v].scale > 0 && is > 0 ?
			   1 / ((double)s->view[v].scale * is) : NAN;
	}
	free(memory);
	return err;
}

/* Two views read the subspace: without it they go as well. */
static void keep_only(struct detector_spec *s, unsigned keep)
{
	if (!(keep >> VIEW_SUBSPACE & 1))
		keep &= ~(1u << VIEW_LEFT | 1u << VIEW_CODE);
	for (unsigned v = 0; v < VIEWS; v++)
		if (!(keep >> v & 1))
			s->view[v].weight = 0;
	if (!(s->view[VIEW_RECURRENT].weight > 0)) {
		s->recurrent.kind = RECURRENT_NONE;
		s->quick.hidden = 0;
	}
}

static unsigned present(const struct detector_spec *s)
{
	unsigned have = 0;

	for (unsigned v = 0; v < VIEWS; v++)
		have |= (unsigned)(s->view[v].weight > 0) << v;
	return have;
}

int select_views(struct draft *d, const struct recording *rec, unsigned views,
		 double carry[VIEWS], struct why *why)
{
	struct detector_spec *s = &d->m.spec;
	unsigned keep = views ? views : present(s);
	int err;

	if (!(keep & present(s)))
		return why_set(why, -EINVAL, "none of the views asked for could be made");
	err = calibrate(d, rec, FC_REF, why);
	if (!err)
		err = measure(carry, s, rec, why);
	for (unsigned v = 0; !err && !views && v < VIEWS; v++)
		if (carry[v] > SELECT_CARRY_MAX && v != VIEW_FORECAST)
			keep &= ~(1u << v);
	if (!err) {
		keep_only(s, keep);
		if (!present(s))
			err = why_set(why, -EINVAL, "of the views asked for none can be without the "
				      "subspace");
	}
	return err;
}
