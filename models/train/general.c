// SPDX-License-Identifier: MIT
/*
 * general: see general.h. Even series teach the forecast, odd ones measure: the whitening, the
 * spread's deviation, the views' medians, the tail. Each stage runs the detector as made so far.
 */
#include "models/train/general.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/why.h"
#include "models/expand.h"
#include "models/hash.h"
#include "models/train/calibrate.h"
#include "models/train/draft.h"
#include "models/train/made.h"
#include "models/train/order.h"
#include "models/train/run.h"

#define L GENERAL_LAGS
#define FORGET 512u		/* first rows of a series: measured, settled, and not yet judged */
#define LAMBDA 1e-3		/* ridge, of the rows */
#define SPREAD_WINDOW 64
#define SIGMA_MIN 0.02
#define DEPARTURE_QUANTILE 0.999
#define DEPARTURE_FACTOR 1.5f
#define POINT_QUANTILE 0.99	/* a usable start: half as much again as one row in a hundred */
#define POINT_FACTOR 1.5f
#define TEST_ROWS 64u
#define JUDGED (GENERAL_ROWS - FORGET)

struct general {
	unsigned series;
	float *x;			/* [series][GENERAL_ROWS] */
	float *view[VIEWS], *score;	/* [series / 2][JUDGED] of the held-out ones */
	float *scratch;			/* as many */
};

static void release(struct general *g)
{
	free(g->x);
	free(g->score);
}

static int make_series(struct general *g, uint64_t seed)
{
	size_t judged;

	g->series = MADE_KINDS * GENERAL_EACH;
	judged = (size_t)g->series / 2 * JUDGED;
	g->x = malloc((size_t)g->series * GENERAL_ROWS * sizeof(float));
	g->score = calloc((VIEWS + 2) * judged, sizeof(float));
	if (!g->x || !g->score)
		return -ENOMEM;
	g->scratch = g->score + judged;
	for (unsigned v = 0; v < VIEWS; v++)
		g->view[v] = g->score + (2 + v) * judged;
	for (unsigned s = 0; s < g->series; s++)
		made_series(g->x + (size_t)s * GENERAL_ROWS, GENERAL_ROWS,
			    (enum made_kind)(s / 2 % MADE_KINDS), seed, s);
	return 0;
}

/* A series as the detector sees it: what it measures over the first rows, and clips. */
static void to_deviations(double *u, const float *x)
{
	double mean = 0, square = 0, std;

	for (unsigned r = 0; r < GENERAL_ONLINE; r++)
		mean += x[r] / (double)GENERAL_ONLINE;
	for (unsigned r = 0; r < GENERAL_ONLINE; r++)
		square += (x[r] - mean) * (x[r] - mean) / GENERAL_ONLINE;
	/* A channel that stood still: kernels/detector.c's rule. */
	if (square < 1e-11 * mean * mean + 1e-12)
		square = 1e-4 * mean * mean + 1e-6;
	std = sqrt(square);
	for (unsigned r = 0; r < GENERAL_ROWS; r++)
		u[r] = fmin(fmax((x[r] - mean) / std, -QUANT_Z_CLIP), QUANT_Z_CLIP);
}

/* Products of the last L rows with each other and with the next. */
static void add_products(double a[L][L], double b[L], const double *u)
{
	for (unsigned r = GENERAL_ONLINE + L; r < GENERAL_ROWS; r++)
		for (unsigned i = 0; i < L; i++) {
			b[i] += u[r - 1 - i] * u[r];
			for (unsigned j = 0; j <= i; j++)
				a[i][j] += u[r - 1 - i] * u[r - 1 - j];
		}
}

/* a w = b by Cholesky's square roots; a is positive by its ridge. Lower triangle, overwritten. */
static void solve(double a[L][L], double b[L])
{
	for (unsigned i = 0; i < L; i++)
		for (unsigned j = 0; j <= i; j++) {
			for (unsigned k = 0; k < j; k++)
				a[i][j] -= a[i][k] * a[j][k];
			a[i][j] = i == j ? sqrt(a[i][i]) : a[i][j] / a[j][j];
		}
	for (unsigned i = 0; i < L; i++) {
		for (unsigned k = 0; k < i; k++)
			b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
	for (unsigned i = L; i-- > 0;) {
		for (unsigned k = i + 1; k < L; k++)
			b[i] -= a[k][i] * b[k];
		b[i] /= a[i][i];
	}
}

static void judge_forecast(struct general_report *r, const struct general *g, const double w[L],
			   double *u)
{
	double count = 0, loss = 0, last = 0, mean = 0;

	for (unsigned s = 1; s < g->series; s += 2) {
		to_deviations(u, g->x + (size_t)s * GENERAL_ROWS);
		for (unsigned t = GENERAL_ONLINE + L; t < GENERAL_ROWS; t++) {
			double left = u[t];

			for (unsigned i = 0; i < L; i++)
				left -= w[i] * u[t - 1 - i];
			loss += left * left;
			last += (u[t] - u[t - 1]) * (u[t] - u[t - 1]);
			mean += u[t] * u[t];
			count++;
		}
	}
	r->loss = loss / count;
	r->loss_last = last / count;
	r->loss_mean = mean / count;
}

static int fit_forecast(struct draft *d, const struct general *g, struct general_report *r)
{
	double a[L][L] = { { 0 } }, b[L] = { 0 };
	float *weight = draft_keep(d, L * sizeof(*weight)), *bias = draft_keep(d, sizeof(*bias));
	double *u = malloc(GENERAL_ROWS * sizeof(*u));

	if (!weight || !bias || !u) {
		free(u);
		return -ENOMEM;
	}
	for (unsigned s = 0; s < g->series; s += 2) {
		to_deviations(u, g->x + (size_t)s * GENERAL_ROWS);
		add_products(a, b, u);
	}
	for (unsigned i = 0; i < L; i++)
		a[i][i] += LAMBDA * g->series / 2 * GENERAL_ROWS;
	solve(a, b);
	for (unsigned i = 0; i < L; i++)
		weight[i] = (float)b[i];
	d->m.spec.linear = (struct fc_spec){ .in = L, .out = 1, .weight_f32 = weight, .bias = bias };
	judge_forecast(r, g, b, u);
	free(u);
	return 0;
}

static const float *keep_one(struct draft *d, float v)
{
	return draft_copy(d, &v, sizeof(v));
}

/* What needs no measuring; 1 and 0 in the place of what does. */
static int set_plain(struct draft *d)
{
	static const float smooth[VIEWS] = { 0.1f, 0.3f, 0.3f, 1, 1, 1, 0.3f };
	struct detector_spec *s = &d->m.spec;
	struct model_channel *channel = draft_keep(d, sizeof(*channel));

	if (!channel)
		return -ENOMEM;
	strcpy(channel->name, EXPAND_NAME);
	d->m.channel = channel;
	d->m.rate_hz = 1;
	s->channels = 1;
	s->lags = L;
	s->online = s->spread.online = GENERAL_ONLINE;
	s->z_clip = QUANT_Z_CLIP;
	s->mean = s->wanders = keep_one(d, 0);
	s->inv_std = s->level_weight = s->inv_sigma = keep_one(d, 1);
	s->spread_rate = 2.0f / (SPREAD_WINDOW + 1);
	s->spread.start = s->spread.inv_dev = s->inv_std;
	s->spread.center = s->mean;
	d->m.departure = s->mean;
	for (unsigned v = 0; v < VIEWS; v++)
		s->view[v] = (struct view_spec){ 0, 1, smooth[v] };
	s->view[VIEW_LEVEL].weight = s->view[VIEW_FORECAST].weight = 1;
	s->view[VIEW_SPREAD].weight = 1;
	return s->mean && s->inv_std ? 0 : -ENOMEM;
}

struct keep {
	struct general *g;
	unsigned at;			/* of the next judged row */
};

static void keep_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct keep *k = ctx;

	if (row < FORGET)
		return;
	for (unsigned v = 0; v < VIEWS; v++)
		k->g->view[v][k->at] = r->view[v];
	k->g->score[k->at++] = r->score;
}

/* Every held-out series through the detector as it is so far. */
static int run_all(struct general *g, const struct detector_spec *s, struct why *why)
{
	struct keep k = { g, 0 };
	int err = 0;

	for (unsigned i = 1; !err && i < g->series; i += 2)
		err = run_rows(s, FC_REF, g->x + (size_t)i * GENERAL_ROWS, GENERAL_ROWS, keep_row,
			       &k, why);
	return err;
}

static double root_mean_square(const struct general *g, enum detector_view view)
{
	size_t n = (size_t)g->series / 2 * JUDGED;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)g->view[view][i] * g->view[view][i];
	return sqrt(sum / (double)n);
}

static float quantile(const struct general *g, const float *v, double q)
{
	size_t n = (size_t)g->series / 2 * JUDGED;

	memcpy(g->scratch, v, n * sizeof(*v));
	return order_quantile(g->scratch, n, q);
}

/* The residual's size and the spread's deviation, both with unit scale and unsmoothed. */
static int set_usual(struct draft *d, struct general *g, struct why *why)
{
	struct detector_spec *s = &d->m.spec, plain = *s;
	int err;

	plain.view[VIEW_FORECAST].smooth = 1;
	err = run_all(g, &plain, why);
	if (err)
		return err;
	s->inv_sigma = keep_one(d, (float)(1 / fmax(root_mean_square(g, VIEW_FORECAST), SIGMA_MIN)));
	s->spread.inv_dev = keep_one(d, (float)(1 / fmax(root_mean_square(g, VIEW_SPREAD), SIGMA_MIN)));
	return s->inv_sigma && s->spread.inv_dev ? 0 : why_set(why, -ENOMEM, "out of memory");
}

static int set_score(struct draft *d, struct general *g, struct why *why)
{
	struct detector_spec *s = &d->m.spec;
	size_t n = (size_t)g->series / 2 * JUDGED;
	int err = run_all(g, s, why);

	for (unsigned v = 0; !err && v < VIEWS; v++)
		if (s->view[v].weight > 0)
			s->view[v].scale = 1 / fmaxf(quantile(g, g->view[v], 0.5), 1e-6f);
	if (!err)
		err = run_all(g, s, why);
	if (err)
		return err;
	d->m.departure = keep_one(d, DEPARTURE_FACTOR * quantile(g, g->score, DEPARTURE_QUANTILE));
	d->m.point_limit = POINT_FACTOR * quantile(g, g->score, POINT_QUANTILE);
	memcpy(g->scratch, g->score, n * sizeof(float));
	err = tail_fit(&d->m.tail, g->scratch, (unsigned)n);
	if (err)
		return why_set(why, err, "no tail for the score");
	return d->m.departure ? 0 : why_set(why, -ENOMEM, "out of memory");
}

int general_make(struct draft *d, uint64_t seed, struct general_report *r, struct why *why)
{
	struct general g = { 0 };
	int err = make_series(&g, seed);

	*r = (struct general_report){ .series = g.series, .rows = g.series * GENERAL_ROWS };
	if (!err)
		err = set_plain(d);
	if (!err)
		err = fit_forecast(d, &g, r);
	if (err)
		why_set(why, err, "out of memory");
	if (!err)
		err = set_usual(d, &g, why);
	if (!err)
		err = set_score(d, &g, why);
	if (!err) {
		d->m.rows = r->rows;
		d->m.seed = seed;
		d->m.loss_linear = d->m.loss_net = (float)r->loss;
		hash_sha256(d->m.data_sha256, g.x, (size_t)r->rows * sizeof(float));
		/* The last one made is constant and shows little: the first, which is noise. */
		err = calibrate_test(d, g.x, 2 * GENERAL_ONLINE + L + TEST_ROWS, FC_REF, why);
	}
	release(&g);
	return err;
}
