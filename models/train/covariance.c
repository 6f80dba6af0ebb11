// SPDX-License-Identifier: MIT
/*
 * covariance: see covariance.h. Rows are gathered into blocks, so that the sums of products are
 * matrix products; a second product over ones and zeros counts the rows of each pair.
 */
#include "models/train/covariance.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/recurrent.h"
#include "kernels/why.h"
#include "models/train/run.h"

#define BLOCK 256u
#define MOST 1e6f		/* beyond it a departure tells nothing more */
#define ROWS_MIN 8		/* that a pair needs */

struct sums {
	unsigned n, filled, rows;
	const float *x;		/* of the recording */
	double *left, *known;	/* [BLOCK][n] */
	double *product, *count;	/* [n][n], upper triangles */
	double *sum;		/* [n] */
	struct recurrent *net;	/* NULL: only the linear forecast */
	float *told;		/* [n] what the net adds to it, or zeros */
};

/* sum[n][n] += v[rows][n]^T v, upper triangle. */
static void add_products(double *sum, const double *v, int rows, int n)
{
	cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, n, rows, 1, v, n, 1, sum, n);
}

static void flush(struct sums *s)
{
	add_products(s->product, s->left, (int)s->filled, (int)s->n);
	add_products(s->count, s->known, (int)s->filled, (int)s->n);
	s->filled = 0;
}

static void take_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct sums *s = ctx;
	const float *x = s->x + (size_t)row * s->n;
	double *left = s->left + (size_t)s->filled * s->n;
	double *known = s->known + (size_t)s->filled * s->n;

	/* In the detector's order: told from the rows before, then this one is read. */
	if (s->net) {
		recurrent_forecast(s->net, s->told);
		recurrent_advance(s->net, r->u);
	}
	if (!r->ready)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		float e = fminf(fmaxf(r->u[i] - r->prediction[i] - s->told[i], -MOST), MOST);

		known[i] = isfinite(x[i]) != 0;
		left[i] = known[i] > 0 ? (double)e : 0;
		s->sum[i] += left[i];
	}
	s->rows++;
	if (++s->filled == BLOCK)
		flush(s);
}

static void insert(struct covariance *c, unsigned a, unsigned b, float correlation)
{
	unsigned at = c->pairs;

	while (at && fabsf(c->pair[at - 1].correlation) < fabsf(correlation))
		at--;
	if (at == COVARIANCE_PAIRS)
		return;
	if (c->pairs < COVARIANCE_PAIRS)
		c->pairs++;
	memmove(&c->pair[at + 1], &c->pair[at], (c->pairs - at - 1) * sizeof(c->pair[0]));
	c->pair[at] = (struct covariance_pair){ a, b, correlation };
}

/* Covariance of a and b over the rows that have both. */
static double shared(const struct sums *s, unsigned a, unsigned b)
{
	size_t at = (size_t)a * s->n + b;
	double mean_a = s->sum[a] / s->count[(size_t)a * s->n + a];
	double mean_b = s->sum[b] / s->count[(size_t)b * s->n + b];

	return s->product[at] / s->count[at] - mean_a * mean_b;
}

static void conclude(struct covariance *c, const struct sums *s)
{
	unsigned n = s->n;

	for (unsigned i = 0; i < n; i++) {
		size_t at = (size_t)i * n + i;

		if (s->count[at] >= ROWS_MIN)
			c->deviation[i] = (float)sqrt(fmax(shared(s, i, i), 0));
		c->correlation[at] = 1;
	}
	for (unsigned a = 0; a < n; a++)
		for (unsigned b = a + 1; b < n; b++) {
			double scale = (double)c->deviation[a] * c->deviation[b], r;

			if (s->count[(size_t)a * n + b] < ROWS_MIN || !(scale > 0))
				continue;
			r = fmin(fmax(shared(s, a, b) / scale, -1), 1);
			c->correlation[(size_t)a * n + b] = (float)r;
			c->correlation[(size_t)b * n + a] = (float)r;
			insert(c, a, b, (float)r);
		}
}

static int open_sums(struct sums *s, const struct detector_spec *spec, struct why *why)
{
	size_t n = spec->channels, square = n * n, block = BLOCK * n;

	s->left = calloc(2 * block + 2 * square + n, sizeof(*s->left));
	s->told = calloc(n, sizeof(*s->told));
	if (!s->left || !s->told)
		return why_set(why, -ENOMEM, "out of memory");
	s->known = s->left + block;
	s->product = s->known + block;
	s->count = s->product + square;
	s->sum = s->count + square;
	if (spec->recurrent.kind != RECURRENT_FORECAST)
		return 0;
	return recurrent_open(&s->net, &spec->recurrent, QUANT_MAX / spec->z_clip, FC_REF, why);
}

/* The linear forecast is there without any view: none need be run for it. */
static struct detector_spec forecast_only(const struct detector_spec *spec)
{
	struct detector_spec s = *spec;

	for (unsigned v = 0; v < VIEWS; v++)
		s.view[v].weight = v == VIEW_FORECAST;
	s.view[VIEW_FORECAST].smooth = 1;
	s.recurrent.kind = RECURRENT_NONE;
	s.quick.hidden = 0;
	return s;
}

int covariance_open(struct covariance *out, const struct detector_spec *spec, const float *x,
		    unsigned rows, struct why *why)
{
	struct detector_spec forecast = forecast_only(spec);
	struct sums sums = { .n = spec->channels, .x = x };
	size_t n = spec->channels;
	int err;

	*out = (struct covariance){ .channels = spec->channels };
	if (n > COVARIANCE_CHANNELS_MAX)
		return why_set(why, -EOPNOTSUPP, "too many channels for pairs of them");
	out->deviation = calloc(n + n * n, sizeof(float));
	if (!out->deviation)
		return why_set(why, -ENOMEM, "out of memory");
	out->correlation = out->deviation + n;
	err = open_sums(&sums, spec, why);
	if (!err)
		err = run_rows(&forecast, FC_REF, x, rows, take_row, &sums, why);
	if (!err) {
		flush(&sums);
		out->rows = sums.rows;
		conclude(out, &sums);
	}
	recurrent_close(sums.net);
	free(sums.told);
	free(sums.left);
	return err;
}

void covariance_free(struct covariance *c)
{
	free(c->deviation);
	*c = (struct covariance){ 0 };
}
