// SPDX-License-Identifier: MIT
/*
 * detector_open: from a spec to a detector at rest. Everything a step needs is
 * allocated here, once; sizes are checked against each other before anything is.
 */
#include "kernels/detector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/detector_impl.h"
#include "kernels/quant.h"
#include "kernels/why.h"

#define WARMUP_RECURRENT 32	/* rows in which a gate of 0.8 forgets all but a thousandth */
#define CHANNELS_MAX 4096
#define LAGS_MAX 4096
#define SINGLES 12
#define VECTORS (SINGLES + 2 * VIEWS)

static const char *const view_names[VIEWS] = {
	"level", "subspace", "forecast", "spread", "left", "code", "recurrent",
};

const char *detector_view_name(enum detector_view v)
{
	return view_names[v];
}

static int check_views(const struct detector_spec *s, struct why *why)
{
	bool any = false;

	for (unsigned v = 0; v < VIEWS; v++) {
		const struct view_spec *view = &s->view[v];

		any |= view->weight > 0;
		if (view->weight > 0 && !(view->smooth > 0 && view->smooth <= 1))
			return why_set(why, -EINVAL, "view %s: smooth %g", view_names[v],
				       (double)view->smooth);
	}
	if (!any)
		return why_set(why, -EINVAL, "no view");
	if ((s->view[VIEW_LEFT].weight > 0 || s->view[VIEW_CODE].weight > 0) &&
	    !(s->view[VIEW_SUBSPACE].weight > 0))
		return why_set(why, -EINVAL, "a view of the subspace without the subspace");
	if (s->view[VIEW_RECURRENT].weight > 0 && s->recurrent.kind == RECURRENT_NONE)
		return why_set(why, -EINVAL, "view recurrent: without a net");
	return 0;
}

static int check_spec(const struct detector_spec *s, struct why *why)
{
	if (!s->channels || s->channels > CHANNELS_MAX || !s->lags || s->lags > LAGS_MAX)
		return why_set(why, -EINVAL, "%u channels with %u lags", s->channels, s->lags);
	if (s->linear.out != s->channels || s->linear.in != s->lags * s->channels)
		return why_set(why, -EINVAL, "linear: %u x %u for %u channels, %u lags",
			       s->linear.out, s->linear.in, s->channels, s->lags);
	if (s->view[VIEW_SUBSPACE].weight > 0 && !s->inv_usual)
		return why_set(why, -EINVAL, "a subspace without what it usually leaves");
	if (!s->mean || !s->inv_std || !s->wanders || !s->inv_sigma || !s->level_weight ||
	    !(s->z_clip > 0))
		return why_set(why, -EINVAL, "normalisation or weights are missing");
	if (s->recurrent.kind != RECURRENT_NONE && s->recurrent.channels != s->channels)
		return why_set(why, -EINVAL, "a net of %u channels in a model of %u",
			       s->recurrent.channels, s->channels);
	if (s->recurrent.kind != RECURRENT_NONE && !s->recurrent_inv_sigma)
		return why_set(why, -EINVAL, "a net without its deviations");
	if (s->quick.hidden && s->quick.hidden != s->recurrent.hidden)
		return why_set(why, -EINVAL, "a quick head of %u for a state of %u",
			       s->quick.hidden, s->recurrent.hidden);
	/* What is measured is a level. */
	for (unsigned i = 0; s->online && i < s->channels; i++)
		if (s->wanders[i] != 0)
			return why_set(why, -EINVAL, "online: channel %u wanders", i);
	return check_views(s, why);
}

static int alloc_state(struct detector *d)
{
	unsigned n = d->spec.channels, at = 0;
	float **vector[VECTORS] = {
		&d->mean, &d->inv_std, &d->last, &d->u, &d->live, &d->forecast, &d->prediction,
		&d->left, &d->scratch, &d->contribution, &d->first_mean, &d->first_m2,
	};

	for (unsigned v = 0; v < VIEWS; v++) {
		vector[SINGLES + v] = &d->ewma[v];
		vector[SINGLES + VIEWS + v] = &d->size[v];
	}
	d->memory = calloc((size_t)VECTORS * n, sizeof *d->memory);
	d->gap = calloc(2 * (size_t)n, sizeof *d->gap);
	if (d->spec.view[VIEW_CODE].weight > 0)
		d->code_size = calloc(d->spec.subspace.rank, sizeof *d->code_size);
	if (!d->memory || !d->gap || (d->spec.view[VIEW_CODE].weight > 0 && !d->code_size))
		return -ENOMEM;
	d->measured = d->gap + n;
	for (; at < VECTORS; at++)
		*vector[at] = d->memory + (size_t)at * n;
	return 0;
}

static int open_slow(struct spread **out, enum detector_view view, const struct detector_spec *s,
		     const struct spread_spec *spec, unsigned series, struct why *why)
{
	struct spread_spec full = *spec;

	if (!(s->view[view].weight > 0))
		return 0;
	full.series = series;
	full.rate = s->spread_rate;
	full.centred = view != VIEW_LEFT;
	return why_in(why, spread_open(out, &full, why), "view %s", view_names[view]);
}

static int open_views(struct detector *d, enum fc_kind kind, struct why *why)
{
	const struct detector_spec *s = &d->spec;
	int err;

	err = fc_open(&d->linear, &s->linear, kind, why);
	if (err)
		return why_in(why, err, "linear");
	err = open_slow(&d->spread, VIEW_SPREAD, s, &s->spread, s->channels, why);
	if (!err)
		err = open_slow(&d->lefts, VIEW_LEFT, s, &s->left, s->channels, why);
	if (!err)
		err = open_slow(&d->code, VIEW_CODE, s, &s->code, s->subspace.rank, why);
	if (!err && s->view[VIEW_SUBSPACE].weight > 0)
		err = subspace_open(&d->subspace, &s->subspace, s->channels, d->z_inv_step, kind,
				    why);
	if (err || s->recurrent.kind == RECURRENT_NONE)
		return err;
	err = recurrent_open(&d->recurrent, &s->recurrent, d->z_inv_step, kind, why);
	if (err)
		return err;
	d->state = calloc(s->recurrent.hidden, sizeof *d->state);
	return d->state ? 0 : why_set(why, -ENOMEM, "out of memory");
}

static unsigned warmup(const struct detector_spec *s)
{
	unsigned rows = s->lags;

	if (s->view[VIEW_SUBSPACE].weight > 0 && rows < s->subspace.lags)
		rows = s->subspace.lags;
	if (s->recurrent.kind == RECURRENT_AUTOENCODER && rows < s->recurrent.window)
		rows = s->recurrent.window;
	if (s->recurrent.kind == RECURRENT_FORECAST && rows < WARMUP_RECURRENT)
		rows = WARMUP_RECURRENT;
	return rows;
}

int detector_open(struct detector **out, const struct detector_spec *spec, enum fc_kind kind,
		  struct why *why)
{
	struct detector *d;
	int err;

	*out = NULL;
	err = check_spec(spec, why);
	if (err)
		return err;
	d = calloc(1, sizeof *d);
	if (!d)
		return why_set(why, -ENOMEM, "out of memory");
	d->spec = *spec;
	d->z_inv_step = QUANT_MAX / spec->z_clip;
	d->warmup = warmup(spec);
	err = alloc_state(d);
	if (err)
		why_set(why, err, "out of memory");
	else
		err = open_views(d, kind, why);
	if (err) {
		detector_close(d);
		return err;
	}
	detector_reset(d);
	*out = d;
	return 0;
}

void detector_close(struct detector *d)
{
	if (!d)
		return;
	fc_close(d->linear);
	spread_close(d->spread);
	spread_close(d->lefts);
	spread_close(d->code);
	free(d->code_size);
	free(d->state);
	subspace_close(d->subspace);
	recurrent_close(d->recurrent);
	free(d->memory);
	free(d->gap);
	free(d);
}

void detector_reset(struct detector *d)
{
	const struct detector_spec *s = &d->spec;
	size_t bytes = s->channels * sizeof(float);

	memset(d->memory, 0, VECTORS * bytes);
	memcpy(d->mean, s->mean, bytes);
	memcpy(d->inv_std, s->inv_std, bytes);
	for (unsigned i = 0; i < s->channels; i++) {
		d->gap[i] = s->lags + 1;
		d->measured[i] = 0;
	}
	d->seen = 0;
	fc_clear(d->linear);
	if (d->spread)
		spread_reset(d->spread);
	if (d->lefts)
		spread_reset(d->lefts);
	if (d->code)
		spread_reset(d->code);
	if (d->subspace)
		subspace_reset(d->subspace);
	if (d->recurrent)
		recurrent_reset(d->recurrent);
}

unsigned detector_warmup(const struct detector *d)
{
	return d->warmup;
}
