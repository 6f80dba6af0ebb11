// SPDX-License-Identifier: MIT
/* graft: see graft.h. */
#include "models/train/graft.h"

#include <errno.h>

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/net.h"
#include "models/train/quick_rows.h"
#include "models/train/refit.h"

static int graft_quick(struct draft *d, const struct graft *g, const struct refit *r,
		       struct quick_report *report, struct why *why)
{
	const struct recording *rec = &r->rec;
	struct quick_rows q;
	int err = quick_rows_open(&q, &d->m.spec, g->teacher, rec->x, series_fit_rows(rec->rows),
				  r->std, g->seed, why);

	if (err)
		return err;
	err = quick_rows_fit(&d->m.spec.quick, d, &q, g->margin, g->soft_weight, report, why);
	quick_rows_close(&q);
	return err ? err : calibrate(d, rec, FC_REF, why);
}

int graft_net(struct draft *d, const struct graft *g, const struct refit *r,
	      struct quick_report *quick, struct why *why)
{
	struct detector_spec *s = &d->m.spec;
	struct view_spec *view = &s->view[VIEW_RECURRENT];
	int err;

	*quick = (struct quick_report){ 0 };
	s->quick = (struct quick_spec){ 0 };
	s->recurrent = (struct recurrent_spec){ .kind = RECURRENT_NONE };
	s->recurrent_inv_sigma = NULL;
	if (g->net && net_spec(&s->recurrent, g->net, d))
		return why_set(why, -ENOMEM, "out of memory");
	view->weight = g->net != NULL;
	view->smooth = s->view[VIEW_FORECAST].smooth;
	err = calibrate(d, &r->rec, FC_REF, why);
	return err || !g->net || !(g->margin > 0) ? err : graft_quick(d, g, r, quick, why);
}
