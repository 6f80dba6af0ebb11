// SPDX-License-Identifier: MIT
/*
 * calibrate_usual: what is usual of each channel: the size of its residuals, by which they are
 * whitened, and the log of its mean squares, from which the spread view departs.
 */
#include "models/train/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/gram.h"
#include "models/train/run.h"

/* Least deviation of a residual, in the channel's own: a coarse or constant channel
 * that held still for a minute must not weigh a hundred times more than the others. */
#define SIGMA_MIN 0.02f
#define SQUARE_DEAD 1e-6	/* mean square of a series that never moved */

/* Sums of squares of each channel's part of a view, over the rows in which it was there. */
struct power {
	enum detector_view view;
	unsigned channels, from;
	const float *x;			/* [rows][N] */
	double *sum, *rows;		/* [N] */
};

static void power_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct power *p = ctx;
	const float *x = p->x + (size_t)row * p->channels;

	if (!r->ready || row < p->from)
		return;
	for (unsigned i = 0; i < p->channels; i++) {
		p->rows[i] += isfinite(x[i]) != 0;
		p->sum[i] += (double)r->size[p->view][i] * r->size[p->view][i];
	}
}

/*
 * The whitening of a view that is a residual: measured with scale 1 and no smoothing, which
 * the residuals themselves do not depend on.
 */
static int set_whitening(struct draft *d, enum detector_view view, const float **target,
			 const struct recording *rec, enum fc_kind kind, struct why *why)
{
	struct detector_spec s = d->m.spec;
	unsigned n = s.channels;
	float *inv_sigma = draft_keep(d, n * sizeof(*inv_sigma));
	float *one = malloc(n * sizeof(*one));
	struct power p = { .view = view, .channels = n, .x = rec->x,
			   .sum = calloc(n, sizeof(double)), .rows = calloc(n, sizeof(double)),
			   .from = view == VIEW_RECURRENT ? rec->net_from : 0 };
	int err = inv_sigma && one && p.sum && p.rows ? 0 : why_set(why, -ENOMEM, "out of memory");

	if (err)
		goto out;
	for (unsigned i = 0; i < n; i++)
		one[i] = 1;
	s.inv_sigma = s.recurrent_inv_sigma = one;
	s.quick.hidden = 0;
	for (unsigned v = 0; v < VIEWS; v++)
		s.view[v].weight = v == view;
	s.view[view].smooth = 1;
	err = run_folds(&s, kind, rec, power_row, &p, why);
	for (unsigned i = 0; !err && i < n; i++)
		inv_sigma[i] = 1 / fmaxf((float)sqrt(p.sum[i] / fmax(p.rows[i], 1)), SIGMA_MIN);
	*target = inv_sigma;
out:
	free(one);
	free(p.sum);
	free(p.rows);
	return err;
}

/* Series of a slow view for every row: u, what the subspace leaves, or its components. */
struct rows {
	enum detector_view view;
	unsigned series, rows;
	float *v;		/* [rows][S] */
};

static void keep_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct rows *s = ctx;
	const float *from = s->view == VIEW_SPREAD ? r->u :
			    s->view == VIEW_LEFT ? r->left : r->code;

	memcpy(s->v + (size_t)row * s->series, from, s->series * sizeof(float));
}

static void mean_squares(float *start, const struct rows *s, bool centred, float clip)
{
	for (unsigned i = 0; i < s->series; i++) {
		double sum = 0, square = 0;

		for (unsigned r = 0; r < s->rows; r++) {
			double v = fminf(fmaxf(s->v[(size_t)r * s->series + i], -clip), clip);

			sum += v / s->rows;
			square += v * v / s->rows;
		}
		start[i] = (float)fmax(square - (centred ? sum * sum : 0), 0);
	}
}

/* Sums of the series' logarithms in each block. */
struct moments {
	double *sum, *square;		/* [blocks][S] */
	double count[GRAM_BLOCKS_MAX];
};

static unsigned block_of(const struct recording *rec, unsigned row)
{
	unsigned k = 0;

	while (k + 1 < rec->folds && row >= rec->fold[k].to)
		k++;
	return k;
}

/* From the view's own run over the rows. */
static int gather_ln(struct moments *m, const struct spread_spec *spec, const struct rows *s,
		     const struct recording *rec, float clip, struct why *why)
{
	unsigned n = s->series, window = (unsigned)(2 / spec->rate);
	unsigned from = window < s->rows / 2 ? window : s->rows / 2;
	float *size = malloc(n * sizeof(*size));
	struct spread *view = NULL;
	int err = size ? spread_open(&view, spec, why) : -ENOMEM;

	for (unsigned r = 0; !err && r < s->rows; r++) {
		unsigned k = block_of(rec, r);
		const float *ln;

		spread_step(view, s->v + (size_t)r * n, clip, size);
		ln = spread_ln(view);
		if (r < from)
			continue;
		m->count[k]++;
		for (unsigned i = 0; i < n; i++) {
			m->sum[k * n + i] += ln[i];
			m->square[k * n + i] += (double)ln[i] * ln[i];
		}
	}
	spread_close(view);
	free(size);
	return err;
}

/* Usual values from all blocks but one (without >= folds: from all). */
static void usual_ln(float *center, float *inv_dev, const struct moments *m, unsigned blocks,
		     unsigned without, const struct spread_spec *spec)
{
	float least = sqrtf(2 / (2 / spec->rate - 2));
	unsigned n = spec->series;

	for (unsigned i = 0; i < n; i++) {
		double sum = 0, square = 0, count = 0, mean;

		for (unsigned k = 0; k < blocks; k++) {
			if (k == without)
				continue;
			sum += m->sum[k * n + i];
			square += m->square[k * n + i];
			count += m->count[k];
		}
		count = fmax(count, 1);
		mean = sum / count;
		center[i] = (float)mean;
		inv_dev[i] = spec->start[i] > SQUARE_DEAD ?
			1 / fmaxf((float)sqrt(fmax(square / count - mean * mean, 0)), least) : 0;
	}
}

static int set_usual(struct draft *d, struct spread_spec *spec, const struct rows *s,
		     const struct recording *rec, float clip, struct why *why)
{
	unsigned n = s->series, blocks = rec->folds ? rec->folds : 1;
	struct moments m = { .sum = calloc(2 * (size_t)blocks * n, sizeof(double)) };
	int err = m.sum ? 0 : -ENOMEM;

	m.square = m.sum + (size_t)blocks * n;
	/* spread_step scales by these; the logarithms do not depend on them. */
	spec->center = spec->inv_dev = spec->start;
	if (!err)
		err = gather_ln(&m, spec, s, rec, clip, why);
	for (unsigned k = 0; !err && k <= rec->folds; k++) {
		float *center = draft_keep(d, n * sizeof(*center));
		float *inv_dev = draft_keep(d, n * sizeof(*inv_dev));

		if (!center || !inv_dev) {
			err = -ENOMEM;
			break;
		}
		usual_ln(center, inv_dev, &m, blocks, k < rec->folds ? k : blocks, spec);
		if (k < rec->folds) {
			rec->fold[k].center[s->view] = center;
			rec->fold[k].inv_dev[s->view] = inv_dev;
		} else {
			spec->center = center;
			spec->inv_dev = inv_dev;
		}
	}
	free(m.sum);
	return err;
}

static int set_slow(struct draft *d, enum detector_view view, struct spread_spec *spec,
		    unsigned series, const struct recording *rec, enum fc_kind kind,
		    struct why *why)
{
	struct detector_spec s = d->m.spec;
	struct rows rows = { view, series, rec->rows,
			     malloc((size_t)rec->rows * series * sizeof(float)) };
	float *start = draft_keep(d, series * sizeof(*start));
	int err = start && rows.v ? 0 : -ENOMEM;

	for (unsigned v = 0; v < VIEWS; v++)
		s.view[v].weight = v == VIEW_SUBSPACE ? s.view[v].weight : v == VIEW_FORECAST;
	s.recurrent.kind = RECURRENT_NONE;
	s.quick.hidden = 0;
	if (!err)
		err = view == VIEW_CODE ?
		      run_rows(&s, kind, rec->x, rec->rows, keep_row, &rows, why) :
		      run_folds(&s, kind, rec, keep_row, &rows, why);
	if (!err) {
		*spec = (struct spread_spec){ .series = series, .rate = s.spread_rate,
					      .centred = view != VIEW_LEFT, .start = start };
		mean_squares(start, &rows, spec->centred, s.z_clip);
		err = set_usual(d, spec, &rows, rec, s.z_clip, why);
	}
	free(rows.v);
	return err == -ENOMEM ? why_set(why, err, "out of memory") : err;
}

int calibrate_usual(struct draft *d, const struct recording *rec, enum fc_kind kind,
		    struct why *why)
{
	struct detector_spec *s = &d->m.spec;
	unsigned n = s->channels;
	int err = set_whitening(d, VIEW_FORECAST, &s->inv_sigma, rec, kind, why);

	if (!err && s->recurrent.kind != RECURRENT_NONE)
		err = set_whitening(d, VIEW_RECURRENT, &s->recurrent_inv_sigma, rec, kind, why);
	if (!err && s->view[VIEW_SPREAD].weight > 0)
		err = set_slow(d, VIEW_SPREAD, &s->spread, n, rec, kind, why);
	if (!err && s->view[VIEW_LEFT].weight > 0)
		err = set_slow(d, VIEW_LEFT, &s->left, n, rec, kind, why);
	if (!err && s->view[VIEW_CODE].weight > 0)
		err = set_slow(d, VIEW_CODE, &s->code, s->subspace.rank, rec, kind, why);
	return err;
}
