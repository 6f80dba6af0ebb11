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
#define CHANGE_SHARE 0.005	/* of the variance, that a row's change may have of it */
#define SCALE_OF_CONSTANT 0.05f
#define CONSTANT 1e-9		/* variance of z, that rounding alone can leave */
#define U_MAX 1e12f		/* as the detector bounds it */
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

/* u of every row: the value or, of a channel that wanders, its change since it was last seen. */
static int set_rows(struct series *s, const struct table *t)
{
	unsigned n = s->channels;
	const float step = s->z_clip / QUANT_MAX, inv_step = QUANT_MAX / s->z_clip;
	float *last = malloc(n * sizeof(*last));

	if (!last)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		last[i] = NAN;
	for (unsigned r = 0; r < s->rows; r++) {
		const float *v = t->value + (size_t)r * n;
		float *u = s->u + (size_t)r * n, *q = s->input + (size_t)r * n;
		float *valid = s->valid + (size_t)r * n;

		for (unsigned i = 0; i < n; i++) {
			float is = v[i];

			valid[i] = isfinite(is) ? 1 : 0;
			u[i] = r && s->wanders[i] == 0 ? u[(int)i - (int)n] : 0;
			if (valid[i] == 0)
				continue;
			if (s->wanders[i] != 0)
				is = isfinite(last[i]) ? is - last[i] : s->mean[i];
			u[i] = fminf(fmaxf((is - s->mean[i]) * s->inv_std[i], -U_MAX), U_MAX);
			last[i] = v[i];
		}
		for (unsigned i = 0; i < n; i++) {
			float clipped = fminf(fmaxf(u[i], -s->z_clip), s->z_clip);

			q[i] = rintf(clipped * inv_step) * step;
		}
	}
	free(last);
	return 0;
}

/* One channel's block means against its variance. */
static int wanders(const double *mean, double variance)
{
	double all = 0, between = 0, low = mean[0], high = mean[0], held = 0;
	double slack = sqrt(variance);

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

static unsigned block_begin(unsigned block, unsigned rows)
{
	return (unsigned)(((uint64_t)block * rows + BLOCKS - 1) / BLOCKS);
}

static void find_wandering(struct series *s)
{
	unsigned n = s->channels;

	for (unsigned i = 0; i < n; i++) {
		double mean[BLOCKS] = { 0 }, square = 0, sum = 0, change = 0;

		for (unsigned r = 0; r < s->rows; r++) {
			unsigned b = (unsigned)((uint64_t)r * BLOCKS / s->rows);
			unsigned first = block_begin(b, s->rows);
			unsigned next = block_begin(b + 1, s->rows);
			double z = s->u[(size_t)r * n + i];

			mean[b] += z / (next - first);
			sum += z;
			square += z * z;
			if (r) {
				double by = z - s->u[(size_t)(r - 1) * n + i];

				change += by * by / s->rows;
			}
		}
		sum /= s->rows;
		square = square / s->rows - sum * sum;
		s->dead[i] = !(square > CONSTANT);
		s->wanders[i] = s->dead[i] != 0 ? s->mean[i] == 0 :
				change < CHANGE_SHARE * square && wanders(mean, square);
	}
}

/* Moments of the values, or of the changes of those that wander. */
static int measure(struct series *s, const struct table *t, const float *wandering)
{
	unsigned n = s->channels;
	double *sums = calloc(3 * (size_t)n, sizeof(*sums));
	float *origin = calloc(3 * (size_t)n, sizeof(*origin));
	float *last = origin ? origin + n : NULL, *row = origin ? last + n : NULL;
	struct moments m = { sums, sums + n, sums + 2 * (size_t)n };
	int err = -ENOMEM;

	if (!sums || !origin)
		goto out;
	find_origin(origin, t);
	for (unsigned i = 0; i < n; i++) {
		last[i] = NAN;
		if (wandering[i] != 0)
			origin[i] = 0;
	}
	for (unsigned r = 0; r < t->rows; r++) {
		const float *v = t->value + (size_t)r * n;

		for (unsigned i = 0; i < n; i++) {
			row[i] = wandering[i] != 0 ? v[i] - last[i] : v[i];
			if (isfinite(v[i]))
				last[i] = v[i];
		}
		moments_add(&m, row, origin, n);
	}
	set_scale(s, &m, origin);
	err = 0;
out:
	free(sums);
	free(origin);
	return err;
}

/* Normalise the values, see which of them wander, take the changes of those. */
static int set_series(struct series *s, const struct table *t)
{
	unsigned n = s->channels;
	int err = measure(s, t, s->wanders);

	if (!err)
		err = set_rows(s, t);
	if (err)
		return err;
	find_wandering(s);
	for (unsigned i = 0; i < n; i++)
		if (s->wanders[i] != 0) {
			err = measure(s, t, s->wanders);
			return err ? err : set_rows(s, t);
		}
	return 0;
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
	s->z_clip = QUANT_Z_CLIP;
	s->mean = calloc(4 * (size_t)t->channels, sizeof(float));
	s->u = malloc(3 * cells * sizeof(float));
	if (!s->mean || !s->u) {
		series_free(s);
		return why_set(why, -ENOMEM, "out of memory");
	}
	s->inv_std = s->mean + t->channels;
	s->wanders = s->inv_std + t->channels;
	s->dead = s->wanders + t->channels;
	s->input = s->u + cells;
	s->valid = s->input + cells;
	if (set_series(s, t)) {
		series_free(s);
		return why_set(why, -ENOMEM, "out of memory");
	}
	*out = s;
	return 0;
}

void series_free(struct series *s)
{
	if (!s)
		return;
	free(s->mean);
	free(s->u);
	free(s);
}
