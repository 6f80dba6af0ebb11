// SPDX-License-Identifier: MIT
/*
 * rival: see rival.h. All of them read rows in deviations from the training rows'
 * centre; only the robust one has another idea of centre and deviation. A channel that
 * was constant keeps its unit as its deviation.
 */
#include "models/train/rival.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/random.h"
#include "models/train/rival_impl.h"

#define ROW_SHARE 0.9		/* of the variance that T^2 and Q call normal */
#define WINDOW_SHARE 0.7	/* and the lagged PCA */
#define LAGS 10u
#define LAGS_WIDE 5u		/* with more channels than WIDE */
#define WIDE 20u
#define DIM_SHARE 0.6		/* of the training rows, that a window's values may reach */
#define DIM_MAX 1024u
#define PERIOD 250u		/* rows of a half-space profile */
#define MAD_TO_STD 1.4826	/* for normal noise */
#define MEAN_TO_STD 1.2533	/* where more than half of the rows are alike, from mean |x| */

struct rival {
	enum rival_kind kind;
	unsigned channels, lags;
	float *centre, *scale;	/* [channels] */
	float *window;		/* [lags][channels] z, newest first */
	int begun;
	float limit;
	struct pca pca;
	struct trees *trees;
	struct random random;
};

const char *rival_name(enum rival_kind kind)
{
	static const char *const name[RIVALS] = {
		[RIVAL_RANDOM] = "random", [RIVAL_MAD] = "mad", [RIVAL_T2] = "t2", [RIVAL_Q] = "q",
		[RIVAL_LAGGED_PCA] = "lagged-pca", [RIVAL_TREES] = "half-space-trees",
	};

	return name[kind];
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double median(float *v, unsigned n)
{
	qsort(v, n, sizeof(*v), ascending);
	return n ? ((double)v[(n - 1) / 2] + v[n / 2]) / 2 : 0;
}

/* v[n], n > 0: their robust centre and deviation; reorders and overwrites v. */
static void robust(float *centre, float *scale, float *v, unsigned n)
{
	double mean = 0, spread;

	*centre = (float)median(v, n);
	for (unsigned r = 0; r < n; r++) {
		v[r] = fabsf(v[r] - *centre);
		mean += v[r] / (double)n;
	}
	spread = median(v, n);
	*scale = (float)(spread > 0 ? MAD_TO_STD * spread : MEAN_TO_STD * mean);
}

static void moments(float *centre, float *scale, const float *v, unsigned n)
{
	double mean = 0, square = 0;

	for (unsigned r = 0; r < n; r++)
		mean += v[r] / (double)n;
	for (unsigned r = 0; r < n; r++)
		square += (v[r] - mean) * (v[r] - mean) / n;
	*centre = (float)mean;
	*scale = (float)sqrt(square);
}

static int set_scale(struct rival *r, const float *x, unsigned rows)
{
	float *column = malloc(rows * sizeof(*column));

	if (!column)
		return -ENOMEM;
	for (unsigned i = 0; i < r->channels; i++) {
		unsigned n = 0;

		for (unsigned k = 0; k < rows; k++)
			if (isfinite(x[(size_t)k * r->channels + i]))
				column[n++] = x[(size_t)k * r->channels + i];
		if (n && r->kind == RIVAL_MAD)
			robust(&r->centre[i], &r->scale[i], column, n);
		else if (n)
			moments(&r->centre[i], &r->scale[i], column, n);
		/* Below it is rounding of the mean, not spread. */
		if (!(r->scale[i] > 1e-6f * fabsf(r->centre[i])) || r->scale[i] < 1e-30f)
			r->scale[i] = 1;
	}
	free(column);
	return 0;
}

/* The row in deviations becomes the newest of the window; before the first, all equal it. */
static void push(struct rival *r, const float *row)
{
	unsigned n = r->channels;

	memmove(r->window + n, r->window, (size_t)(r->lags - 1) * n * sizeof(*r->window));
	for (unsigned i = 0; i < n; i++) {
		float z = (row[i] - r->centre[i]) / r->scale[i];

		if (isfinite(z))
			r->window[i] = z;
		else if (r->lags > 1)
			r->window[i] = r->begun ? r->window[n + i] : 0;
		else if (!r->begun)
			r->window[i] = 0;
	}
	for (unsigned l = 1; !r->begun && l < r->lags; l++)
		memcpy(r->window + (size_t)l * n, r->window, n * sizeof(*r->window));
	r->begun = 1;
}

static double sum_of_sizes(const float *v, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += fabsf(v[i]);
	return sum;
}

static double project(struct rival *r)
{
	struct pca *p = &r->pca;
	double sum = 0;

	pca_project(p, r->window);
	for (unsigned k = 0; r->kind == RIVAL_T2 && k < p->keep; k++)
		sum += p->along[k] * p->along[k] / p->value[k];
	for (unsigned i = 0; r->kind == RIVAL_Q && i < p->dim; i++)
		sum += p->part[i] * p->part[i];
	for (unsigned i = 0; r->kind == RIVAL_LAGGED_PCA && i < p->dim; i++)
		sum += fabs(p->part[i]);
	return sum;
}

float rival_step(struct rival *r, const float *row)
{
	double score;

	push(r, row);
	switch (r->kind) {
	case RIVAL_RANDOM:
		score = -log1p(-(double)(random_next(&r->random) >> 11) * 0x1p-53);
		break;
	case RIVAL_MAD:
		score = sum_of_sizes(r->window, r->channels);
		break;
	case RIVAL_TREES:
		score = trees_step(r->trees, r->window);
		break;
	default:
		score = project(r);
	}
	return (float)fmin(score, 1e30);
}

/* Rows to a window, so that the fit has more rows than numbers to explain. */
static unsigned choose_lags(unsigned rows, unsigned channels)
{
	unsigned lags = channels <= WIDE ? LAGS : LAGS_WIDE;

	while (lags > 1 && (lags * channels > DIM_SHARE * rows || lags * channels > DIM_MAX))
		lags--;
	return lags;
}

/* z[rows][channels] of the training rows: to centre and scale. */
static void standardise(struct rival *r, float *z, const float *x, unsigned rows)
{
	unsigned n = r->channels;

	for (unsigned k = 0; k < rows; k++) {
		push(r, x + (size_t)k * n);
		memcpy(z + (size_t)k * n, r->window, n * sizeof(*z));
	}
	r->begun = 0;
}

static int fit_trees(struct rival *r, const float *z, unsigned rows, uint64_t seed)
{
	unsigned n = r->channels, period = rows / 2 < PERIOD ? rows / 2 : PERIOD;
	float *low = malloc(2 * (size_t)n * sizeof(*low)), *range = low + n;
	int err;

	if (!low)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		float high = z[i];

		low[i] = z[i];
		for (unsigned k = 1; k < rows; k++) {
			low[i] = fminf(low[i], z[(size_t)k * n + i]);
			high = fmaxf(high, z[(size_t)k * n + i]);
		}
		range[i] = high > low[i] ? high - low[i] : 1;
	}
	err = trees_open(&r->trees, n, low, range, period, seed);
	for (unsigned k = 0; !err && k < period; k++)
		trees_step(r->trees, z + (size_t)k * n);
	free(low);
	return err;
}

static int fit(struct rival *r, const float *x, unsigned rows, uint64_t seed, struct why *why)
{
	float *z = malloc((size_t)rows * r->channels * sizeof(*z));
	int err = z ? 0 : -ENOMEM;

	if (!err)
		standardise(r, z, x, rows);
	if (!err && (r->kind == RIVAL_T2 || r->kind == RIVAL_Q))
		err = pca_open(&r->pca, z, rows, r->channels, 1, ROW_SHARE);
	if (!err && r->kind == RIVAL_LAGGED_PCA)
		err = pca_open(&r->pca, z, rows, r->channels, r->lags, WINDOW_SHARE);
	if (!err && r->kind == RIVAL_TREES)
		err = fit_trees(r, z, rows, seed);
	free(z);
	return err ? why_set(why, err, "%s of %u channels: %s", rival_name(r->kind), r->channels,
			     err == -ENOMEM ? "out of memory" : "no eigenvectors") : 0;
}

/* Trees have learnt their first profile by the first half of a short recording. */
static int set_limit(struct rival *r, const float *x, unsigned rows)
{
	unsigned from = r->kind != RIVAL_TREES ? 0 : rows / 2 < PERIOD ? rows / 2 : PERIOD;
	unsigned n = rows - from;
	float *score = malloc(n * sizeof(*score));

	if (!score)
		return -ENOMEM;
	for (unsigned k = 0; k < n; k++)
		score[k] = rival_step(r, x + (size_t)(from + k) * r->channels);
	qsort(score, n, sizeof(*score), ascending);
	r->limit = score[(unsigned)(RIVAL_LIMIT_QUANTILE * (n - 1))] * (float)RIVAL_LIMIT_FACTOR;
	r->begun = 0;
	free(score);
	return 0;
}

int rival_open(struct rival **out, enum rival_kind kind, const float *x, unsigned rows,
	       unsigned channels, uint64_t seed, struct why *why)
{
	struct rival *r;
	int err;

	if (rows < RIVAL_ROWS_MIN)
		return why_set(why, -EINVAL, "%u training rows: %s wants at least %u", rows,
			       rival_name(kind), RIVAL_ROWS_MIN);
	if (!channels || channels > RIVAL_CHANNELS_MAX)
		return why_set(why, -EINVAL, "%u channels: %s takes 1 to %u", channels,
			       rival_name(kind), RIVAL_CHANNELS_MAX);
	r = calloc(1, sizeof(*r));
	if (!r)
		return why_set(why, -ENOMEM, "out of memory");
	r->kind = kind;
	r->channels = channels;
	r->random.state = seed;
	r->lags = kind == RIVAL_LAGGED_PCA ? choose_lags(rows, channels) : 1;
	r->centre = calloc(channels, sizeof(*r->centre));
	r->scale = calloc(channels, sizeof(*r->scale));
	r->window = calloc((size_t)r->lags * channels, sizeof(*r->window));
	err = r->centre && r->scale && r->window ? set_scale(r, x, rows) : -ENOMEM;
	if (err)
		why_set(why, err, "out of memory");
	else
		err = fit(r, x, rows, seed, why);
	if (!err && set_limit(r, x, rows))
		err = why_set(why, -ENOMEM, "out of memory");
	if (err) {
		rival_close(r);
		return err;
	}
	*out = r;
	return 0;
}

void rival_close(struct rival *r)
{
	if (!r)
		return;
	pca_close(&r->pca);
	trees_close(r->trees);
	free(r->centre);
	free(r->scale);
	free(r->window);
	free(r);
}

float rival_limit(const struct rival *r)
{
	return r->limit;
}
