// SPDX-License-Identifier: MIT
/*
 * data: see data.h. Sums run over rows with all channels side by side, so that
 * the inner loop is one vector operation whatever the column count.
 */
#include "models/train/data.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/why.h"
#include "models/table.h"

#define BLOCKS 10		/* for the wandering rule; the last two are the held-out tail */
#define HELD_BLOCKS 2
#define ROWS_MIN 50
#define BETWEEN_SHARE 0.5	/* of the variance, from which a channel counts as wandering */
#define SCALE_OF_CONSTANT 0.05f
#define CONSTANT 1e-9		/* variance of z, that rounding alone can leave */
#define STD_MIN 1e-6f		/* of the magnitude: below it is float's own rounding */

/* Per channel: count, sum and sum of squares about an origin. */
struct moments {
	double *count, *sum, *square;
};

static void moments_add(struct moments *m, const float *row, const float *origin, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int there = isfinite(row[i]);
		double d = there ? (double)row[i] - origin[i] : 0;

		m->count[i] += there;
		m->sum[i] += d;
		m->square[i] += d * d;
	}
}

/* The first value of each channel: sums about it do not cancel. */
static void find_origin(float *origin, const struct table *t)
{
	for (unsigned i = 0; i < t->channels; i++) {
		origin[i] = 0;
		for (unsigned r = 0; r < t->rows; r++) {
			float v = t->value[(size_t)r * t->channels + i];

			if (isfinite(v)) {
				origin[i] = v;
				break;
			}
		}
	}
}

static void set_scale(struct series *s, const struct moments *m, const float *origin)
{
	for (unsigned i = 0; i < s->channels; i++) {
		double n = m->count[i] > 0 ? m->count[i] : 1;
		double mean = m->sum[i] / n;
		double var = m->square[i] / n - mean * mean;
		float magnitude, std = (float)sqrt(var > 0 ? var : 0);

		s->mean[i] = (float)(origin[i] + mean);
		magnitude = fabsf(s->mean[i]);
		if (!(std > STD_MIN * magnitude))
			std = magnitude > 0 ? SCALE_OF_CONSTANT * magnitude : 1;
		/* A subnormal deviation has no reciprocal. */
		s->inv_std[i] = std > 1e-30f ? 1 / std : 1e30f;
	}
}

static void normalise(struct series *s, const struct table *t)
{
	unsigned n = s->channels;
	const float step = QUANT_Z_CLIP / QUANT_MAX, inv_step = QUANT_MAX / QUANT_Z_CLIP;

	for (unsigned r = 0; r < s->rows; r++) {
		const float *v = t->value + (size_t)r * n;
		float *z = s->z + (size_t)r * n, *q = s->input + (size_t)r * n;
		float *valid = s->valid + (size_t)r * n;

		for (unsigned i = 0; i < n; i++) {
			float last = r ? z[(int)i - (int)n] : 0;

			valid[i] = isfinite(v[i]) ? 1 : 0;
			z[i] = isfinite(v[i]) ? (v[i] - s->mean[i]) * s->inv_std[i] : last;
		}
		for (unsigned i = 0; i < n; i++) {
			float clipped = fminf(fmaxf(z[i], -QUANT_Z_CLIP), QUANT_Z_CLIP);

			q[i] = rintf(clipped * inv_step) * step;
		}
	}
}

/* One channel's block means against its variance. */
static int wanders(const double *mean, double variance)
{
	double all = 0, between = 0, low = mean[0], high = mean[0], held = 0, slack = sqrt(variance);

	for (int b = 0; b < BLOCKS; b++)
		all += mean[b] / BLOCKS;
	for (int b = 0; b < BLOCKS; b++)
		between += (mean[b] - all) * (mean[b] - all) / BLOCKS;
	for (int b = 0; b < BLOCKS - HELD_BLOCKS; b++) {
		low = fmin(low, mean[b]);
		high = fmax(high, mean[b]);
	}
	for (int b = BLOCKS - HELD_BLOCKS; b < BLOCKS; b++)
		held += mean[b] / HELD_BLOCKS;
	return between > BETWEEN_SHARE * variance || held < low - slack || held > high + slack;
}

static void find_wandering(struct series *s)
{
	unsigned n = s->channels;

	for (unsigned i = 0; i < n; i++) {
		double mean[BLOCKS] = { 0 }, square = 0, sum = 0;

		for (unsigned r = 0; r < s->rows; r++) {
			unsigned b = (unsigned)((uint64_t)r * BLOCKS / s->rows);
			unsigned first = (unsigned)(((uint64_t)b * s->rows + BLOCKS - 1) / BLOCKS);
			unsigned next = (unsigned)(((uint64_t)(b + 1) * s->rows + BLOCKS - 1) / BLOCKS);
			double z = s->z[(size_t)r * n + i];

			mean[b] += z / (next - first);
			sum += z;
			square += z * z;
		}
		sum /= s->rows;
		square = square / s->rows - sum * sum;
		s->skip[i] = square > CONSTANT ? wanders(mean, square) : s->mean[i] == 0;
	}
}

static int measure(struct series *s, const struct table *t)
{
	unsigned n = s->channels;
	double *sums = calloc(3 * (size_t)n, sizeof(*sums));
	float *origin = calloc(n, sizeof(*origin));
	struct moments m = { sums, sums + n, sums + 2 * (size_t)n };
	int err = -ENOMEM;

	if (!sums || !origin)
		goto out;
	find_origin(origin, t);
	for (unsigned r = 0; r < t->rows; r++)
		moments_add(&m, t->value + (size_t)r * n, origin, n);
	set_scale(s, &m, origin);
	err = 0;
out:
	free(sums);
	free(origin);
	return err;
}

unsigned series_fit_rows(unsigned rows)
{
	return rows - rows / BLOCKS * HELD_BLOCKS;
}

int series_open(struct series **out, const struct table *t, struct why *why)
{
	size_t cells = (size_t)t->rows * t->channels;
	struct series *s;

	if (t->rows < ROWS_MIN)
		return why_set(why, -EINVAL, "%u rows: at least %u are needed to learn from",
			       t->rows, ROWS_MIN);
	s = calloc(1, sizeof(*s));
	if (!s)
		return why_set(why, -ENOMEM, "out of memory");
	s->rows = t->rows;
	s->channels = t->channels;
	s->fit_rows = series_fit_rows(t->rows);
	s->mean = calloc(3 * (size_t)t->channels, sizeof(float));
	s->z = malloc(3 * cells * sizeof(float));
	if (!s->mean || !s->z) {
		series_free(s);
		return why_set(why, -ENOMEM, "out of memory");
	}
	s->inv_std = s->mean + t->channels;
	s->skip = s->inv_std + t->channels;
	s->input = s->z + cells;
	s->valid = s->input + cells;
	if (measure(s, t)) {
		series_free(s);
		return why_set(why, -ENOMEM, "out of memory");
	}
	normalise(s, t);
	find_wandering(s);
	*out = s;
	return 0;
}

void series_free(struct series *s)
{
	if (!s)
		return;
	free(s->mean);
	free(s->z);
	free(s);
}
