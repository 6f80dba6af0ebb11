// SPDX-License-Identifier: MIT
/*
 * import: see import.h. What read the state of the model's own net goes: its graph, unless the
 * dict brings one, and its quick head, which is for `fit` to learn.
 */
#include "models/train/import.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/train/calibrate.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/refit.h"
#include "models/train/run.h"

/* Squares of what a view leaves of each channel, on held-out rows. */
struct left {
	enum detector_view view;
	unsigned channels, held_from;
	double square, count;
};

static void left_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct left *l = ctx;

	if (!r->ready || row < l->held_from)
		return;
	for (unsigned i = 0; i < l->channels; i++) {
		double e = r->size[l->view][i];

		l->square += e * e;
	}
	l->count += l->channels;
}

/* Mean square of what `view` leaves, with no whitening and no smoothing. */
static int measure(double *loss, const struct detector_spec *spec, enum detector_view view,
		   const struct recording *rec, struct why *why)
{
	struct left l = { .view = view, .channels = spec->channels,
			  .held_from = series_fit_rows(rec->rows) };
	float *one = malloc(spec->channels * sizeof *one);
	struct detector_spec s = *spec;
	int err;

	if (!one)
		return why_set(why, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < s.channels; i++)
		one[i] = 1;
	s.inv_sigma = s.recurrent_inv_sigma = one;
	s.quick.hidden = 0;
	s.view[view].smooth = 1;
	s.view[view].weight = 1;
	err = run_rows(&s, FC_REF, rec->x, rec->rows, left_row, &l, why);
	*loss = l.count > 0 ? l.square / l.count : NAN;
	free(one);
	return err;
}

/* The net in the model's deviations, beside the linear part that spec has. */
static int place(struct detector_spec *spec, struct draft *d, struct torch_net net,
		 struct why *why)
{
	int err = torch_rescale(&net, d, spec->mean, spec->inv_std, spec->wanders, why);

	if (err)
		return err;
	spec->recurrent = net.recurrent;
	if (net.linear.weight_f32) {
		spec->linear = net.linear;
		spec->lags = net.linear.in / net.linear.out;
	}
	return 0;
}

static int add_zero_linear(struct torch_net *net, struct draft *d, const struct fc_spec *like,
			   struct why *why)
{
	net->linear = (struct fc_spec){ .in = like->in, .out = like->out };
	net->linear.weight_f32 = draft_keep(d, (size_t)like->in * like->out * sizeof(float));
	net->linear.bias = draft_keep(d, like->out * sizeof(float));
	return net->linear.weight_f32 && net->linear.bias ? 0 :
	       why_set(why, -ENOMEM, "out of memory");
}

/* Beside the linear part or in its place: what leaves less. */
static int choose_linear(struct draft *d, const struct torch_net *net,
			 const struct detector_spec *base, const struct recording *rec,
			 struct import_report *r, struct why *why)
{
	struct detector_spec alone = *base;
	struct torch_net zero = *net;
	double loss_alone;
	int err;

	alone.view[VIEW_RECURRENT] = d->m.spec.view[VIEW_RECURRENT];
	err = add_zero_linear(&zero, d, &base->linear, why);

	if (!err)
		err = place(&alone, d, zero, why);
	if (!err)
		err = measure(&loss_alone, &alone, VIEW_RECURRENT, rec, why);
	if (err || !(loss_alone < r->loss_net))
		return err;
	r->linear = IMPORT_LINEAR_NONE;
	r->loss_net = loss_alone;
	/* What a forecast of nothing leaves is the row: the level view has that. */
	alone.view[VIEW_FORECAST].weight = 0;
	d->m.spec = alone;
	return 0;
}

static int prepare(struct draft *d, const struct torch_net *net, bool known,
		   struct import_report *r, struct why *why)
{
	struct detector_spec *s = &d->m.spec;
	bool had = s->recurrent.kind != RECURRENT_NONE && s->recurrent_inv_sigma;

	if (net->recurrent.channels != s->channels)
		return why_set(why, -EINVAL, "the net has %u channels, the model %u",
			       net->recurrent.channels, s->channels);
	if (!s->linear.weight_f32)
		return why_set(why, -EINVAL, "model %s is int8: a float32 model is wanted, which "
			       "`quantize` then takes", d->m.name);
	if (!known && !had)
		return why_set(why, -EINVAL, "model %s has no recurrent view, so nothing is known "
			       "of its limits: a recording is wanted (--train)", d->m.name);
	r->lost_graph = s->recurrent.graph.features && !net->recurrent.graph.features;
	r->lost_quick = s->quick.hidden != 0;
	s->quick = (struct quick_spec){ 0 };
	if (!(s->view[VIEW_RECURRENT].weight > 0))
		s->view[VIEW_RECURRENT].weight = 1;
	return 0;
}

static int measure_all(struct draft *d, const struct torch_net *net,
		       const struct detector_spec *base, const struct recording *rec,
		       struct import_report *r, struct why *why)
{
	int err = measure(&r->loss_linear, base, VIEW_FORECAST, rec, why);

	r->measured = true;
	r->loss_net = NAN;
	if (err || net->recurrent.kind != RECURRENT_FORECAST)
		return err;
	err = measure(&r->loss_net, &d->m.spec, VIEW_RECURRENT, rec, why);
	if (!err && !net->linear.weight_f32)
		err = choose_linear(d, net, base, rec, r, why);
	return err;
}

/* Folds have the subspace of their own; a linear part that is none of ours knows no folds. */
static int measure_limits(struct draft *d, struct refit *f, enum import_linear linear,
			  struct why *why)
{
	for (unsigned k = 0; linear != IMPORT_LINEAR_BASE && k < f->rec.folds; k++)
		f->fold[k].linear = d->m.spec.linear;
	return calibrate(d, &f->rec, FC_REF, why);
}

int import_net(struct draft *d, const struct torch_net *net, const struct recording *rec,
	       struct import_report *r, struct why *why)
{
	struct refit refit = { 0 };
	struct detector_spec base;
	int err;

	*r = (struct import_report){ .linear = net->linear.weight_f32 ? IMPORT_LINEAR_DICT :
						IMPORT_LINEAR_BASE };
	err = prepare(d, net, rec != NULL, r, why);
	if (!err && rec)
		err = refit_open(&refit, d, &d->m, rec->x, rec->rows, why);
	if (err)
		return err;
	base = d->m.spec;
	base.view[VIEW_RECURRENT].weight = 0;
	base.recurrent.kind = RECURRENT_NONE;
	err = place(&d->m.spec, d, *net, why);
	if (!err && rec)
		err = measure_all(d, net, &base, rec, r, why);
	if (!err && rec)
		err = measure_limits(d, &refit, r->linear, why);
	else if (!err && d->m.test_rows)
		err = calibrate_test(d, d->m.test_x, d->m.test_rows, FC_REF, why);
	refit_close(&refit);
	return err;
}
