// SPDX-License-Identifier: MIT
/* fit: see fit.h. */
#include "models/train/fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/calibrate.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/gram.h"
#include "models/train/ridge.h"
#include "models/train/run.h"
#include "models/train/select.h"
#include "models/train/subspace_fit.h"

#define LAMBDA 10.0
#define LAG_SHARE 0.6		/* of the fit rows, that lags * channels may reach */
#define LAGS 5u
#define SUBSPACE_SHARE 0.8
#define SIGMA_MIN 0.02		/* of a channel's own deviation, as in calibrate_usual */
#define CODE_CLIP 10.0f
#define SPREAD_WINDOW 64

/*
 * EWMA steps. At a tick a second the alarm's best trade of delay against noise was 0.4
 * for the forecast; ten times faster ticks carry less each, so more of them are joined.
 */
#define SLOW_HZ 10.0

void fit_defaults(struct fit_options *o)
{
	o->hidden = o->hidden ? o->hidden : FIT_HIDDEN;
	o->layers = o->layers ? o->layers : 1;
	o->window = o->window ? o->window : FIT_WINDOW;
	o->degree = o->degree ? o->degree : FIT_DEGREE;
	o->learn.epochs = o->learn.epochs ? o->learn.epochs : FIT_EPOCHS;
}

/* The linear parts, once from everything and once without each block. */
struct linear {
	struct gram g;
	struct fold fold[GRAM_BLOCKS_MAX];
	float *left;		/* [rows][N] of the forecast, each row by the fold without it */
	bool subspace;
};

static unsigned lags_for(unsigned asked, const struct series *s)
{
	unsigned most = (unsigned)(LAG_SHARE * s->rows / s->channels);
	unsigned lags = asked ? asked : LAGS;

	return lags < most ? lags : most ? most : 1;
}

/* The operators of the linear forecast and of the subspace, from all blocks but one. */
int fit_linear_parts(struct fold *f, struct draft *d, const struct gram *g, unsigned without,
		     struct why *why)
{
	struct subspace_options sub = { .share = SUBSPACE_SHARE, .code_clip = CODE_CLIP };
	unsigned n = g->channels, columns = g->lags * n;
	float *weight = draft_keep(d, (size_t)columns * n * sizeof(*weight));
	float *bias = draft_keep(d, n * sizeof(*bias));
	struct subspace_spec spec;
	int err;

	if (!weight || !bias)
		return why_set(why, -ENOMEM, "out of memory");
	err = ridge_fit(weight, bias, g, without, LAMBDA, why);
	if (err)
		return err;
	f->linear = (struct fc_spec){ .in = columns, .out = n, .weight_f32 = weight, .bias = bias };
	err = subspace_fit(&spec, d, g, without, &sub, why);
	/* Channels that never move span no subspace: the other views serve. */
	if (err == -EDOM)
		return 0;
	f->encode = spec.encode;
	f->decode = spec.decode;
	return err;
}

/* What is left of each block by the operators that were made without it. */
static int cross_left(struct linear *l, struct draft *d, const struct series *s, struct why *why)
{
	unsigned n = s->channels, cells = l->g.lags * n, lags = l->g.lags;
	double *square = calloc(cells, sizeof(*square)), rows = 0;
	float *inv_sigma = draft_keep(d, cells * sizeof(*inv_sigma));
	int err = square && inv_sigma ? 0 : -ENOMEM;

	for (unsigned k = 0; !err && k < l->g.blocks; k++) {
		const struct fold *f = &l->fold[k];
		unsigned from = f->from < lags ? lags : f->from;
		struct subspace_spec sub = { .lags = lags, .rank = f->encode.out,
					     .encode = f->encode, .decode = f->decode };

		err = ridge_left(l->left, f->linear.weight_f32, f->linear.bias, s->input, s->u,
				 from, f->to, n, lags);
		if (!err && l->subspace)
			err = subspace_left(square, &sub, s, from, f->to);
		/* Many lags of a short recording may leave a block without a window. */
		rows += f->to > from ? f->to - from : 0;
	}
	for (unsigned c = 0; !err && c < cells; c++)
		inv_sigma[c] = (float)(1 / fmax(sqrt(square[c] / rows), SIGMA_MIN));
	d->m.spec.subspace.inv_sigma = inv_sigma;
	free(square);
	return err ? why_set(why, err, "out of memory") : 0;
}

static int fit_linear(struct linear *l, struct draft *d, const struct series *s, unsigned lags,
		      struct why *why)
{
	struct detector_spec *spec = &d->m.spec;
	struct fold all = { 0 };
	int err = gram_open(&l->g, s, lags);

	l->left = calloc((size_t)s->rows * s->channels, sizeof(float));
	if (err || !l->left)
		return why_set(why, -ENOMEM, "out of memory");
	err = fit_linear_parts(&all, d, &l->g, l->g.blocks, why);
	l->subspace = all.encode.out;
	for (unsigned k = 0; !err && k < l->g.blocks; k++) {
		l->fold[k] = (struct fold){ .from = l->g.from[k], .to = l->g.from[k + 1] };
		err = fit_linear_parts(&l->fold[k], d, &l->g, k, why);
		l->subspace &= l->fold[k].encode.out != 0;
	}
	if (err)
		return err;
	spec->lags = lags;
	spec->linear = all.linear;
	spec->subspace.lags = lags;
	spec->subspace.rank = all.encode.out;
	spec->subspace.encode = all.encode;
	spec->subspace.decode = all.decode;
	spec->subspace.code_clip = CODE_CLIP;
	return cross_left(l, d, s, why);
}

static int set_channels(struct draft *d, const struct table *t, const struct series *s)
{
	unsigned n = t->channels;
	struct detector_spec *spec = &d->m.spec;
	float *level_weight = draft_keep(d, n * sizeof(*level_weight));

	d->m.channel = draft_keep(d, n * sizeof(*d->m.channel));
	spec->mean = draft_copy(d, s->mean, n * sizeof(float));
	spec->inv_std = draft_copy(d, s->inv_std, n * sizeof(float));
	spec->wanders = draft_copy(d, s->wanders, n * sizeof(float));
	if (!level_weight || !d->m.channel || !spec->mean || !spec->inv_std || !spec->wanders)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		memcpy(d->m.channel[i].name, t->name[i], MODEL_NAME_MAX);
		level_weight[i] = 1 - s->wanders[i];
	}
	spec->channels = n;
	spec->level_weight = level_weight;
	spec->z_clip = s->z_clip;
	return 0;
}

static void set_smoothing(struct model *m)
{
	static const float slow[VIEWS] = { 0.1f, 0.3f, 0.3f, 1, 1, 1, 0.3f };
	static const float fast[VIEWS] = { 0.05f, 0.15f, 0.15f, 1, 1, 1, 0.15f };
	const float *smooth = m->rate_hz > SLOW_HZ ? fast : slow;

	for (unsigned v = 0; v < VIEWS; v++)
		m->spec.view[v].smooth = smooth[v];
}

/* Every view that can be made, with weight 1, before any is left out. */
static int fit_views(struct draft *d, const struct series *s, const struct linear *l,
		     const struct fit_options *o, struct fit_report *r, struct why *why)
{
	struct detector_spec *spec = &d->m.spec;
	int err = 0;

	for (unsigned v = 0; v < VIEW_RECURRENT; v++)
		spec->view[v].weight = 1;
	spec->view[VIEW_SUBSPACE].weight = l->subspace;
	/* Asked for only: what departs in level alone, the others see as well. */
	spec->view[VIEW_LEVEL].weight = o->views >> VIEW_LEVEL & 1;
	spec->view[VIEW_LEFT].weight = spec->view[VIEW_CODE].weight = l->subspace;
	spec->spread_rate = 2.0f / (SPREAD_WINDOW + 1);
	r->rank = spec->subspace.rank;
	if (o->net != RECURRENT_NONE && o->learn.epochs)
		err = fit_net(d, s, l->left, o, r, why);
	spec->view[VIEW_RECURRENT].weight = spec->recurrent.kind != RECURRENT_NONE;
	return err;
}

static void report_open(struct fit_report *r, const struct series *s, const struct fit_options *o)
{
	*r = (struct fit_report){
		.rows = s->rows, .held_rows = s->rows - s->fit_rows, .channels = s->channels,
		.lags = lags_for(o->lags, s),
	};
	for (unsigned i = 0; i < s->channels; i++) {
		r->wandering += s->wanders[i] != 0;
		r->dead += s->dead[i] != 0;
	}
	for (unsigned v = 0; v < VIEWS; v++)
		r->carry[v] = NAN;
}

static void provenance(struct model *m, const struct table *t, const struct fit_options *o,
		       const struct fit_report *r)
{
	m->rows = t->rows;
	m->seed = o->seed;
	memcpy(m->data_sha256, t->sha256, sizeof(m->data_sha256));
	m->loss_linear = (float)r->linear_loss;
	m->loss_net = (float)r->net_loss;
}

struct early {
	unsigned rows, ended;
};

static void early_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct early *e = ctx;

	e->rows += r->ready;
	e->ended += r->early;
}

static int early_share(double *share, const struct detector_spec *s, const struct recording *rec,
		       struct why *why)
{
	struct early e = { 0 };
	int err = s->quick.hidden ? run_rows(s, FC_REF, rec->x, rec->rows, early_row, &e, why) : 0;

	*share = e.rows ? (double)e.ended / e.rows : 0;
	return err;
}

/* Views are there: choose, give the net its early end, and measure. */
static int finish(struct draft *d, const struct table *t, const struct series *s,
		  struct linear *l, const struct fit_options *o, struct fit_report *r,
		  struct why *why)
{
	struct recording rec = { t->value, t->rows, l->fold, l->g.blocks,
				 o->net != RECURRENT_NONE ? s->fit_rows : 0 };
	float *std = malloc(s->channels * sizeof(*std));
	int err = std ? 0 : why_set(why, -ENOMEM, "out of memory");

	for (unsigned i = 0; !err && i < s->channels; i++)
		std[i] = s->dead[i] != 0 ? 0 : 1 / s->inv_std[i];
	if (!err)
		err = select_views(d, &rec, o->views, r->carry, why);
	if (!err)
		err = calibrate(d, &rec, FC_REF, why);
	if (!err && o->confidence > 0 && d->m.spec.view[VIEW_RECURRENT].weight > 0) {
		err = fit_quick(d, t->value, s->fit_rows, std, o, r, why);
		if (!err)
			err = calibrate(d, &rec, FC_REF, why);
		if (!err)
			err = early_share(&r->early, &d->m.spec, &rec, why);
	}
	free(std);
	return err;
}

int fit_table(struct draft *d, const struct table *t, const struct fit_options *options,
	      struct fit_report *r, struct why *why)
{
	struct fit_options o = *options;
	struct linear linear = { 0 };
	struct series *s;
	int err = series_open(&s, t, why);

	*r = (struct fit_report){ 0 };
	if (err)
		return err;
	fit_defaults(&o);
	report_open(r, s, &o);
	if (set_channels(d, t, s))
		err = why_set(why, -ENOMEM, "out of memory");
	if (!err)
		err = fit_linear(&linear, d, s, r->lags, why);
	if (!err)
		err = fit_views(d, s, &linear, &o, r, why);
	if (err)
		goto out;
	set_smoothing(&d->m);
	provenance(&d->m, t, &o, r);
	err = finish(d, t, s, &linear, &o, r, why);
out:
	gram_close(&linear.g);
	free(linear.left);
	series_free(s);
	return err;
}
