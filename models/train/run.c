// SPDX-License-Identifier: MIT
/* run: see run.h. */
#include "models/train/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/train/calibrate.h"

#define LEAD 128u	/* rows before a fold: windows and nets have forgotten how they began */

static int run(const struct detector_spec *spec, enum fc_kind kind, const float *x, unsigned from,
	       unsigned quiet, unsigned to, run_each *each, void *ctx, struct why *why)
{
	unsigned n = spec->channels;
	uint8_t *valid = malloc(n);
	struct detector *d = NULL;
	int err = valid ? detector_open(&d, spec, kind, why) :
			  why_set(why, -ENOMEM, "out of memory");

	for (unsigned r = from; !err && r < to; r++) {
		const float *row = x + (size_t)r * n;
		struct detector_result res;

		for (unsigned i = 0; i < n; i++)
			valid[i] = isfinite(row[i]) != 0;
		detector_step(d, row, valid, &res);
		if (r >= quiet)
			each(ctx, r, &res);
	}
	detector_close(d);
	free(valid);
	return err;
}

int run_rows(const struct detector_spec *spec, enum fc_kind kind, const float *x, unsigned rows,
	     run_each *each, void *ctx, struct why *why)
{
	return run(spec, kind, x, 0, 0, rows, each, ctx, why);
}

static void use_usual(struct spread_spec *s, const struct fold *f, enum detector_view view)
{
	s->center = f->center[view] ? f->center[view] : s->center;
	s->inv_dev = f->inv_dev[view] ? f->inv_dev[view] : s->inv_dev;
}

int run_folds(const struct detector_spec *spec, enum fc_kind kind, const struct recording *rec,
	      run_each *each, void *ctx, struct why *why)
{
	int err = 0;

	if (!rec->folds)
		return run_rows(spec, kind, rec->x, rec->rows, each, ctx, why);
	for (unsigned k = 0; !err && k < rec->folds; k++) {
		const struct fold *f = &rec->fold[k];
		struct detector_spec s = *spec;

		s.linear = f->linear;
		s.subspace.encode = f->encode;
		s.subspace.decode = f->decode;
		s.subspace.rank = f->encode.out ? f->encode.out : 1;
		use_usual(&s.spread, f, VIEW_SPREAD);
		use_usual(&s.left, f, VIEW_LEFT);
		/* The components of a fold are others than the model's, in another order. */
		s.view[VIEW_CODE].weight = 0;
		err = run(&s, kind, rec->x, f->from > LEAD ? f->from - LEAD : 0, f->from, f->to,
			  each, ctx, why);
	}
	return err;
}

int run_codes(const struct detector_spec *spec, enum fc_kind kind, const struct recording *rec,
	      run_each *each, void *ctx, struct why *why)
{
	struct detector_spec s = *spec;
	int err = 0;

	for (unsigned v = 0; v < VIEWS; v++)
		s.view[v].weight = v == VIEW_SUBSPACE || v == VIEW_CODE ? spec->view[v].weight : 0;
	s.recurrent.kind = RECURRENT_NONE;
	s.quick.hidden = 0;
	if (!rec->folds)
		return run_rows(&s, kind, rec->x, rec->rows, each, ctx, why);
	for (unsigned k = 0; !err && k < rec->folds; k++) {
		const struct fold *f = &rec->fold[k];

		use_usual(&s.code, f, VIEW_CODE);
		err = run(&s, kind, rec->x, f->from > LEAD ? f->from - LEAD : 0, f->from, f->to,
			  each, ctx, why);
	}
	return err;
}

static void keep_score(void *ctx, unsigned row, const struct detector_result *r)
{
	float *score = ctx;

	score[row] = r->ready ? r->score : 0;
}

int run_scores(const struct detector_spec *spec, enum fc_kind kind, const float *x,
	       unsigned rows, float *score, struct why *why)
{
	return run_rows(spec, kind, x, rows, keep_score, score, why);
}
