// SPDX-License-Identifier: MIT
/* refit: see refit.h. */
#include "models/train/refit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/run.h"
#include "models/train/subspace_fit.h"

#define SAME 1e-3		/* of the weights' size: what another order of sums may change */
#define MOVES 1e-9		/* mean square of u about its mean */
#define SIGMA_MIN 0.02		/* as in calibrate_usual */

static void take_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct series *s = ctx;

	memcpy(s->u + (size_t)row * s->channels, r->u, s->channels * sizeof(float));
}

static int series_alloc(struct refit *r, const struct detector_spec *s, unsigned rows)
{
	size_t cells = (size_t)rows * s->channels;

	r->rows = (struct series){
		.rows = rows, .channels = s->channels, .fit_rows = series_fit_rows(rows),
		.z_clip = s->z_clip, .u = malloc(3 * cells * sizeof(float)),
	};
	r->std = calloc(s->channels, sizeof(float));
	r->rows.input = r->rows.u + cells;
	r->rows.valid = r->rows.input + cells;
	return r->rows.u && r->std ? 0 : -ENOMEM;
}

/* From u: the operators' rounded inputs, what is there, what ever moves. */
static void series_rest(struct refit *r, const struct detector_spec *s, const float *x)
{
	struct series *rows = &r->rows;
	float inv_step = QUANT_MAX / s->z_clip, step = s->z_clip / QUANT_MAX;
	unsigned n = s->channels;

	for (size_t k = 0; k < (size_t)rows->rows * n; k++) {
		float cut = fminf(fmaxf(rows->u[k], -s->z_clip), s->z_clip);

		rows->input[k] = rintf(cut * inv_step) * step;
		rows->valid[k] = isfinite(x[k]) ? 1 : 0;
	}
	for (unsigned i = 0; i < n; i++) {
		double sum = 0, square = 0;

		for (unsigned t = 0; t < rows->rows; t++) {
			double v = rows->u[(size_t)t * n + i];

			sum += v / rows->rows;
			square += v * v / rows->rows;
		}
		r->std[i] = square - sum * sum > MOVES ? 1 / s->inv_std[i] : 0;
	}
}

static int see(struct refit *r, const struct model *m, const float *x, unsigned rows,
	       struct why *why)
{
	struct detector_spec s = m->spec;
	int err = series_alloc(r, &s, rows);

	if (err)
		return why_set(why, err, "out of memory");
	for (unsigned v = 0; v < VIEWS; v++)
		s.view[v].weight = v == VIEW_FORECAST;
	s.view[VIEW_FORECAST].smooth = 1;
	s.recurrent.kind = RECURRENT_NONE;
	s.quick.hidden = 0;
	err = run_rows(&s, FC_REF, x, rows, take_row, &r->rows, why);
	if (!err)
		series_rest(r, &m->spec, x);
	return err;
}

/* Where a weighs something: another model's zeros are its own affair. */
static bool same(const struct fc_spec *a, const struct fc_spec *b)
{
	double off = 0, size = 0;

	for (size_t k = 0; k < (size_t)a->in * a->out; k++)
		if (a->weight_f32[k] != 0) {
			double e = (double)a->weight_f32[k] - b->weight_f32[k];

			off += e * e;
			size += (double)a->weight_f32[k] * a->weight_f32[k];
		}
	return off <= SAME * SAME * size;
}

static int make_folds(struct refit *r, struct draft *d, const struct model *m, struct why *why)
{
	const struct detector_spec *s = &m->spec;
	bool subspace = s->view[VIEW_SUBSPACE].weight > 0;
	struct gram g;
	struct fold all = { 0 };
	unsigned made = 0;
	int err;

	if (subspace && s->subspace.lags != s->lags)
		return 0;
	err = gram_open(&g, &r->rows, s->lags);
	if (err)
		return why_set(why, err, "out of memory");
	err = fit_linear_parts(&all, d, &g, g.blocks, why);
	if (!err && same(&s->linear, &all.linear))
		for (; !err && made < g.blocks; made++) {
			struct fold *f = &r->fold[made];

			*f = (struct fold){ .from = g.from[made], .to = g.from[made + 1] };
			err = fit_linear_parts(f, d, &g, made, why);
			if (!err && subspace && f->encode.out < 1)
				break;
		}
	if (!err && made == g.blocks) {
		r->rec.fold = r->fold;
		r->rec.folds = made;
	}
	gram_close(&g);
	return err;
}

int refit_open(struct refit *r, struct draft *d, const struct model *m, const float *x,
	       unsigned rows, struct why *why)
{
	int err;

	*r = (struct refit){ .rec = { .x = x, .rows = rows, .net_from = series_fit_rows(rows) } };
	if (!m->spec.linear.weight_f32)
		return why_set(why, -EINVAL, "model %s is int8: the float32 model is wanted",
			       m->name);
	if (rows < 64 || rows < 4 * m->spec.lags)
		return why_set(why, -EINVAL, "%u rows are too few to learn from", rows);
	err = see(r, m, x, rows, why);
	if (!err)
		err = make_folds(r, d, m, why);
	if (!err && refit_like(r, d, &m->spec))
		err = why_set(why, -ENOMEM, "out of memory");
	if (err)
		refit_close(r);
	return err;
}

void refit_close(struct refit *r)
{
	free(r->rows.u);
	free(r->std);
	*r = (struct refit){ 0 };
}

static int copy_zeros(struct fc_spec *f, struct draft *d, const struct fc_spec *like)
{
	size_t count = (size_t)f->in * f->out;
	float *w = draft_copy(d, f->weight_f32, count * sizeof(*w));

	if (!w)
		return -ENOMEM;
	for (size_t k = 0; k < count; k++)
		if (like->weight_f32[k] == 0)
			w[k] = 0;
	f->weight_f32 = w;
	return 0;
}

/* The components of most variance, which come first; a fold may have fewer than the model. */
static int cut_rank(struct fold *f, struct draft *d, unsigned rank)
{
	unsigned cells = f->encode.in, had = f->encode.out;
	float *w;

	if (had <= rank)
		return 0;
	w = draft_keep(d, (size_t)cells * rank * sizeof(*w));
	if (!w)
		return -ENOMEM;
	for (unsigned c = 0; c < cells; c++)
		memcpy(w + (size_t)c * rank, f->decode.weight_f32 + (size_t)c * had,
		       rank * sizeof(*w));
	f->encode.out = f->decode.in = rank;
	f->decode.weight_f32 = w;
	return 0;
}

int refit_like(struct refit *r, struct draft *d, const struct detector_spec *s)
{
	int err = 0;

	for (unsigned k = 0; !err && k < r->rec.folds; k++) {
		struct fold *f = &r->fold[k];

		err = copy_zeros(&f->linear, d, &s->linear);
		if (!err && s->view[VIEW_SUBSPACE].weight > 0)
			err = cut_rank(f, d, s->subspace.rank);
	}
	return err;
}

struct left {
	float *left;
	unsigned channels;
};

static void left_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct left *l = ctx;

	for (unsigned i = 0; i < l->channels; i++)
		l->left[(size_t)row * l->channels + i] = r->u[i] - r->prediction[i];
}

int refit_left(const struct refit *r, const struct detector_spec *spec, float *left,
	       struct why *why)
{
	struct left l = { left, spec->channels };
	struct detector_spec s = *spec;

	for (unsigned v = 0; v < VIEWS; v++)
		s.view[v].weight = v == VIEW_FORECAST;
	s.view[VIEW_FORECAST].smooth = 1;
	s.recurrent.kind = RECURRENT_NONE;
	s.quick.hidden = 0;
	return run_folds(&s, FC_REF, &r->rec, left_row, &l, why);
}

int refit_subspace(const struct refit *r, struct draft *d)
{
	struct subspace_spec *p = &d->m.spec.subspace;
	unsigned cells = p->lags * d->m.spec.channels, folds = r->rec.folds;
	double *square = calloc(cells, sizeof(*square)), rows = 0;
	float *inv_sigma = draft_keep(d, cells * sizeof(*inv_sigma));
	int err = square && inv_sigma ? 0 : -ENOMEM;

	for (unsigned k = 0; !err && k < (folds ? folds : 1); k++) {
		unsigned from = folds ? r->fold[k].from : 0;
		unsigned to = folds ? r->fold[k].to : r->rows.rows;
		struct subspace_spec sub = *p;

		from = from < p->lags ? p->lags : from;
		if (folds) {
			sub.rank = r->fold[k].encode.out;
			sub.encode = r->fold[k].encode;
			sub.decode = r->fold[k].decode;
		}
		err = subspace_left(square, &sub, &r->rows, from, to);
		rows += to > from ? to - from : 0;
	}
	for (unsigned c = 0; !err && c < cells; c++)
		inv_sigma[c] = (float)(1 / fmax(sqrt(square[c] / rows), SIGMA_MIN));
	if (!err)
		p->inv_sigma = inv_sigma;
	free(square);
	return err;
}
