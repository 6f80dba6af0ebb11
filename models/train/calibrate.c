// SPDX-License-Identifier: MIT
/*
 * calibrate: see calibrate.h. The held-out rows are what counts; but they are a
 * fifth of what may be one short minute, so wherever the rows learnt from show more
 * spread, that is believed instead: too narrow a tail costs a false alarm a minute.
 */
#include "models/train/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "models/train/draft.h"

/* Least deviation of a residual, in the channel's own: a coarse or constant channel
 * that held still for a minute must not weigh a hundred times more than the others. */
#define SIGMA_MIN 0.02f
/*
 * Least mean excess of a tail: in units of what its knots span (an exponential has
 * 0.41); of a view, in mean deviations: of twenty channels one may move by one more
 * deviation than it did in that minute, e times less often; of the score, in nats: the sum
 * of two views in nats hardly falls faster than each of them.
 */
#define EXCESS_MIN_OF_SPAN 0.25f
#define EXCESS_MIN_VIEW 0.05f
#define EXCESS_MIN_SCORE 0.75f
/*
 * A minute with one hiccup in it has a tail so heavy that what it says of a day is many times
 * the hiccup. The score that is reached once a day is at most this many largest ones.
 */
#define DAY_OF_LARGEST 2.0f
#define DAY_S 86400.0
#define DEPARTURE_QUANTILE 0.999
#define DEPARTURE_FACTOR 1.5f
#define DEPARTURE_MIN 1.0f	/* nats */
#define TEST_ROWS 64u

/* What a detector said of each row. */
struct trace {
	unsigned rows, channels;
	float *score, *forecast, *level;	/* [rows] */
	float *error;				/* [rows][N] z - prediction; NaN: not known */
	float *contribution;			/* [rows][N] */
	uint8_t *ready;				/* [rows] */
};

static void trace_free(struct trace *t)
{
	free(t->score);
	free(t->ready);
}

static int trace_alloc(struct trace *t, unsigned rows, unsigned channels)
{
	size_t cells = (size_t)rows * channels;

	*t = (struct trace){ .rows = rows, .channels = channels };
	t->score = malloc((3 * (size_t)rows + 2 * cells) * sizeof(float));
	t->ready = malloc(rows);
	if (!t->score || !t->ready)
		return -ENOMEM;
	t->forecast = t->score + rows;
	t->level = t->forecast + rows;
	t->error = t->level + rows;
	t->contribution = t->error + cells;
	return 0;
}

/* Run spec over x from a fresh start. */
static int trace_run(struct trace *t, const struct detector_spec *spec, enum fc_kind kind,
		     const float *x, struct why *why)
{
	unsigned n = t->channels;
	struct detector *d;
	uint8_t *valid = malloc(n);
	int err;

	if (!valid)
		return why_set(why, -ENOMEM, "out of memory");
	err = detector_open(&d, spec, kind, why);
	if (err) {
		free(valid);
		return err;
	}
	for (unsigned r = 0; r < t->rows; r++) {
		const float *row = x + (size_t)r * n;
		struct detector_result res;

		for (unsigned i = 0; i < n; i++)
			valid[i] = isfinite(row[i]) != 0;
		detector_step(d, row, valid, &res);
		t->score[r] = res.ready ? res.score : 0;
		t->forecast[r] = res.forecast;
		t->level[r] = res.level;
		t->ready[r] = res.ready;
		for (unsigned i = 0; i < n; i++) {
			float z = (row[i] - spec->mean[i]) * spec->inv_std[i];

			t->error[(size_t)r * n + i] = valid[i] ? z - res.prediction[i] : NAN;
			t->contribution[(size_t)r * n + i] = res.contribution[i];
		}
	}
	detector_close(d);
	free(valid);
	return 0;
}

/* Root mean square of channel i's errors over ready rows from..to-1; 0 when none is known. */
static float deviation(const struct trace *t, unsigned i, unsigned from, unsigned to)
{
	double sum = 0, count = 0;

	for (unsigned r = from; r < to; r++) {
		double e = t->error[(size_t)r * t->channels + i];

		if (!t->ready[r] || !isfinite(e))
			continue;
		sum += e * e;
		count++;
	}
	return count > 0 ? (float)sqrt(sum / count) : 0;
}

/* The same column of the ready rows from..to-1, packed. Returns how many. */
static unsigned pack(float *dst, const struct trace *t, const float *column, unsigned stride,
		     unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned r = from; r < to; r++)
		if (t->ready[r])
			dst[n++] = column[(size_t)r * stride];
	return n;
}

/* The wider of the tail of the held-out rows and the tail of all rows. */
static int cautious_tail(struct tail *out, const struct trace *t, const float *column,
			 unsigned held_from, float excess_min, float *scratch, struct why *why)
{
	struct tail held, all;
	unsigned n = pack(scratch, t, column, 1, held_from, t->rows);
	float span, excess;
	int err = tail_fit(&held, scratch, n);

	if (!err) {
		n = pack(scratch, t, column, 1, 0, t->rows);
		err = tail_fit(&all, scratch, n);
	}
	if (err)
		return why_set(why, err, "%u held-out rows are too few for a tail", n);
	for (unsigned k = 0; k < TAIL_KNOTS; k++)
		out->knot[k] = fmaxf(held.knot[k], all.knot[k]);
	span = out->knot[TAIL_KNOTS - 1] - out->knot[0];
	excess = fmaxf(fmaxf(EXCESS_MIN_OF_SPAN * span, excess_min),
		       fmaxf(1 / held.slope, 1 / all.slope));
	out->slope = 1 / excess;
	return 0;
}

static void anchor_day(struct tail *tail, const struct trace *t, double rate_hz)
{
	float last = tail->knot[TAIL_KNOTS - 1], largest = 0, reach, nats;

	for (unsigned r = 0; r < t->rows; r++)
		if (t->ready[r])
			largest = fmaxf(largest, t->score[r]);
	reach = DAY_OF_LARGEST * largest - last;
	nats = (float)(log(rate_hz * DAY_S) - (TAIL_KNOTS - 1) * M_LN2 / 2);
	if (reach > 0 && nats > 0)
		tail->slope = fminf(fmaxf(tail->slope, nats / reach), 1 / EXCESS_MIN_SCORE);
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static float quantile(float *v, unsigned n, double q)
{
	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), ascending);
	return v[(unsigned)(q * (n - 1) + 0.5)];
}

static void set_departures(float *departure, const struct trace *t, float *scratch)
{
	for (unsigned i = 0; i < t->channels; i++) {
		unsigned n = pack(scratch, t, t->contribution + i, t->channels, 0, t->rows);
		float usual = quantile(scratch, n, DEPARTURE_QUANTILE);

		departure[i] = fmaxf(DEPARTURE_FACTOR * usual, DEPARTURE_MIN);
	}
}

/* Residuals do not depend on the whitening, so any will do to measure them. */
static int set_whitening(struct draft *d, struct trace *t, const struct recording *rec,
			 enum fc_kind kind, struct why *why)
{
	struct detector_spec *s = &d->m.spec;
	float *inv_sigma = draft_keep(d, s->channels * sizeof(*inv_sigma));
	int err;

	if (!inv_sigma)
		return why_set(why, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < s->channels; i++)
		inv_sigma[i] = 1;
	s->inv_sigma = inv_sigma;
	err = trace_run(t, s, kind, rec->x, why);
	if (err)
		return err;
	for (unsigned i = 0; i < s->channels; i++) {
		float held = deviation(t, i, rec->held_from, rec->rows);
		float all = deviation(t, i, 0, rec->rows);

		inv_sigma[i] = 1 / fmaxf(fmaxf(held, all), SIGMA_MIN);
	}
	return 0;
}

/* The last rows before the held-out part that warm the detector up, and what follows. */
static int set_test(struct draft *d, const struct recording *rec, enum fc_kind kind,
		    struct why *why)
{
	struct detector *det;
	unsigned warmup, from, rows;
	int err = detector_open(&det, &d->m.spec, kind, why);

	if (err)
		return err;
	warmup = detector_warmup(det);
	detector_close(det);
	from = rec->held_from > warmup ? rec->held_from - warmup : 0;
	rows = rec->rows - from < warmup + TEST_ROWS ? rec->rows - from : warmup + TEST_ROWS;
	return calibrate_test(d, rec->x + (size_t)from * d->m.spec.channels, rows, kind, why);
}

int calibrate_test(struct draft *d, const float *x, unsigned rows, enum fc_kind kind,
		   struct why *why)
{
	float *test = draft_copy(d, x, (size_t)rows * d->m.spec.channels * sizeof(*test));
	float *score = draft_keep(d, rows * sizeof(*score));

	if (!test || !score)
		return why_set(why, -ENOMEM, "out of memory");
	d->m.test_rows = rows;
	d->m.test_x = test;
	d->m.test_score = score;
	return calibrate_scores(&d->m.spec, kind, test, rows, score, why);
}

int calibrate_scores(const struct detector_spec *spec, enum fc_kind kind, const float *x,
		     unsigned rows, float *score, struct why *why)
{
	struct trace t;
	int err = trace_alloc(&t, rows, spec->channels);

	if (err)
		why_set(why, err, "out of memory");
	else
		err = trace_run(&t, spec, kind, x, why);
	if (!err)
		memcpy(score, t.score, rows * sizeof(*score));
	trace_free(&t);
	return err;
}

int calibrate(struct draft *d, const struct recording *rec, enum fc_kind kind, struct why *why)
{
	static const struct tail unit = { .slope = 1 };
	struct detector_spec *s = &d->m.spec;
	float *departure = draft_keep(d, s->channels * sizeof(*departure));
	float *scratch = malloc(rec->rows * sizeof(*scratch));
	struct trace t;
	int err = trace_alloc(&t, rec->rows, s->channels);

	if (err || !departure || !scratch) {
		err = why_set(why, -ENOMEM, "out of memory");
		goto out;
	}
	s->forecast_tail = s->level_tail = unit;
	err = set_whitening(d, &t, rec, kind, why);
	if (!err)
		err = trace_run(&t, s, kind, rec->x, why);
	if (!err)
		err = cautious_tail(&s->forecast_tail, &t, t.forecast, rec->held_from, EXCESS_MIN_VIEW,
				    scratch, why);
	if (!err)
		err = cautious_tail(&s->level_tail, &t, t.level, rec->held_from, EXCESS_MIN_VIEW,
				    scratch, why);
	if (!err)
		err = trace_run(&t, s, kind, rec->x, why);
	if (!err)
		err = cautious_tail(&d->m.tail, &t, t.score, rec->held_from, EXCESS_MIN_SCORE,
				    scratch, why);
	if (err)
		goto out;
	anchor_day(&d->m.tail, &t, d->m.rate_hz);
	d->m.departure = departure;
	set_departures(departure, &t, scratch);
	err = set_test(d, rec, kind, why);
out:
	free(scratch);
	trace_free(&t);
	return err;
}
