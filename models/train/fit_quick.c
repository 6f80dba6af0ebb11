// SPDX-License-Identifier: MIT
/*
 * fit_quick: the quick head of a model that has a net: it sees the rows of the recording as
 * they are and the same rows with departures put in, and learns to tell them apart from
 * the state of the net and what the cheap views said. It only ever ends ticks that it is sure of.
 */
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/quick_rows.h"

int fit_quick(struct draft *d, const float *x, unsigned rows, const float *std,
	      const struct fit_options *o, struct fit_report *r, struct why *why)
{
	struct quick_spec *quick = &d->m.spec.quick;
	struct quick_rows q;
	int err;

	quick->hidden = 0;
	err = quick_rows_open(&q, &d->m.spec, NULL, x, rows, std, o->seed, why);
	if (err)
		return err;
	err = quick_rows_fit(quick, d, &q, quick_fit_margin(o->confidence), 0, NULL, why);
	quick_rows_close(&q);
	return err;
}
