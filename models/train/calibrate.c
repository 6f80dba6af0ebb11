// SPDX-License-Identifier: MIT
/*
 * calibrate: see calibrate.h. A recording may be one short minute, so least excesses are put under
 * the tails that it shows: too narrow a tail costs a false alarm a minute.
 */
#include "models/train/calibrate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/order.h"
#include "models/train/run.h"

/*
 * Least mean excess of the score's tail: in units of what its knots span (an exponential has
 * 0.41), and of its median. A minute does not promise that a day brings no more.
 */
#define EXCESS_MIN_OF_SPAN 0.25f
#define EXCESS_MIN_OF_MEDIAN 0.15f
/*
 * A minute with one hiccup in it has a tail so heavy that what it says of a day is many times
 * the hiccup. The score that is reached once a day is at most this many largest ones.
 */
#define DAY_OF_LARGEST 2.0f
#define DAY_S 86400.0
#define DEPARTURE_QUANTILE 0.999
#define DEPARTURE_FACTOR 1.5f
#define DEPARTURE_MIN 0.5f	/* medians */
#define USUAL_QUANTILE 0.95
#define USUAL_MIN 1e-3f
#define POINT_FACTOR 1.9f
#define TEST_ROWS 64u

/* What a detector said of each row. */
struct trace {
	unsigned rows, channels;
	float *score;				/* [rows] */
	float *view[VIEWS];			/* [rows] */
	float *contribution, *left;		/* [rows][N] */
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
	t->score = calloc((1 + VIEWS) * (size_t)rows + 2 * cells, sizeof(float));
	t->ready = calloc(rows, 1);
	if (!t->score || !t->ready)
		return -ENOMEM;
	for (unsigned v = 0; v < VIEWS; v++)
		t->view[v] = t->score + (size_t)(1 + v) * rows;
	t->contribution = t->score + (size_t)(1 + VIEWS) * rows;
	t->left = t->contribution + cells;
	return 0;
}

static void trace_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct trace *t = ctx;
	size_t at = (size_t)row * t->channels, bytes = t->channels * sizeof(float);

	t->ready[row] = r->ready;
	for (unsigned v = 0; v < VIEWS; v++)
		if (v != VIEW_CODE)
			t->view[v][row] = r->view[v];
	memcpy(t->contribution + at, r->contribution, bytes);
	memcpy(t->left + at, r->size[VIEW_SUBSPACE], bytes);
}

static void trace_code(void *ctx, unsigned row, const struct detector_result *r)
{
	struct trace *t = ctx;

	t->view[VIEW_CODE][row] = r->view[VIEW_CODE];
}

static int trace_run(struct trace *t, const struct detector_spec *s, const struct recording *rec,
		     enum fc_kind kind, struct why *why)
{
	int err = run_folds(s, kind, rec, trace_row, t, why);

	if (!err && s->view[VIEW_CODE].weight > 0)
		err = run_codes(s, kind, rec, trace_code, t, why);
	return err;
}

/* As the detector joins its views, the code's among them. */
static void trace_score(struct trace *t, const struct detector_spec *s)
{
	for (unsigned r = 0; r < t->rows; r++) {
		float sum = 0;

		for (unsigned v = 0; v < VIEWS; v++) {
			float ratio = t->view[v][r] * s->view[v].scale;

			sum += s->view[v].weight * ratio * ratio;
		}
		t->score[r] = t->ready[r] ? sqrtf(sum) : 0;
	}
}

/* The same column of the ready rows behind `from`, packed. Returns how many. */
static unsigned pack_from(float *dst, const struct trace *t, const float *column, unsigned stride,
			  unsigned from)
{
	unsigned n = 0;

	for (unsigned r = from; r < t->rows; r++)
		if (t->ready[r])
			dst[n++] = column[(size_t)r * stride];
	return n;
}

static unsigned pack(float *dst, const struct trace *t, const float *column, unsigned stride)
{
	return pack_from(dst, t, column, stride, 0);
}

static int cautious_tail(struct tail *out, const struct trace *t, float *scratch, struct why *why)
{
	unsigned n = pack(scratch, t, t->score, 1);
	float span, excess;

	if (tail_fit(out, scratch, n))
		return why_set(why, -EINVAL, "%u rows behind the warm-up are too few for a tail",
			       n);
	span = out->knot[TAIL_KNOTS - 1] - out->knot[0];
	excess = fmaxf(EXCESS_MIN_OF_SPAN * span, EXCESS_MIN_OF_MEDIAN * out->knot[2]);
	out->slope = 1 / fmaxf(excess, 1 / out->slope);
	return 0;
}

static void anchor_day(struct tail *tail, const struct trace *t, double rate_hz)
{
	float last = tail->knot[TAIL_KNOTS - 1], largest = 0, reach, nats;
	float least = 1 / (EXCESS_MIN_OF_MEDIAN * fmaxf(tail->knot[2], 1e-3f));

	for (unsigned r = 0; r < t->rows; r++)
		if (t->ready[r])
			largest = fmaxf(largest, t->score[r]);
	reach = DAY_OF_LARGEST * largest - last;
	nats = (float)(log(rate_hz * DAY_S) - (TAIL_KNOTS - 1) * M_LN2 / 2);
	if (reach > 0 && nats > 0)
		tail->slope = fminf(fmaxf(tail->slope, nats / reach), least);
}

static void set_departures(float *departure, const struct trace *t, float *scratch)
{
	for (unsigned i = 0; i < t->channels; i++) {
		unsigned n = pack(scratch, t, t->contribution + i, t->channels);
		float usual = order_quantile(scratch, n, DEPARTURE_QUANTILE);

		departure[i] = fmaxf(DEPARTURE_FACTOR * usual, DEPARTURE_MIN);
	}
}

/*
 * Median of a view's ready rows becomes its unit; a view without one (all dead) stays out. Nothing
 * ends early here: a recurrent view that is spared on most rows would have a median of 0.
 */
static int set_medians(struct detector_spec *s, struct trace *t, const struct recording *rec,
		       enum fc_kind kind, float *scratch, struct why *why)
{
	struct detector_spec whole = *s;
	int err;

	whole.quick.hidden = 0;
	err = trace_run(t, &whole, rec, kind, why);
	if (err)
		return err;
	for (unsigned v = 0; v < VIEWS; v++) {
		unsigned from = v == VIEW_RECURRENT ? rec->net_from : 0;
		unsigned n = s->view[v].weight > 0 ?
			     pack_from(scratch, t, t->view[v], 1, from) : 0;
		float median = order_quantile(scratch, n, 0.5);

		s->view[v].scale = median > 1e-6f ? 1 / median : 0;
	}
	return 0;
}

/*
 * What the subspace usually leaves of a channel, and how far beyond that a row's largest has
 * to be for the row to have departed: nearly twice what one training row in twenty reaches.
 */
static int set_point_limit(struct draft *d, const struct trace *t, float *scratch)
{
	unsigned n = t->channels, ready;
	float *inv_usual = draft_keep(d, n * sizeof(*inv_usual));

	if (!inv_usual)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		ready = pack(scratch, t, t->left + i, n);
		inv_usual[i] = 1 / fmaxf(order_quantile(scratch, ready, USUAL_QUANTILE), USUAL_MIN);
	}
	ready = 0;
	for (unsigned r = 0; r < t->rows; r++) {
		float largest = 0;

		for (unsigned i = 0; i < n; i++)
			largest = fmaxf(largest, t->left[(size_t)r * n + i] * inv_usual[i]);
		if (t->ready[r])
			scratch[ready++] = largest;
	}
	d->m.spec.inv_usual = inv_usual;
	d->m.point_limit = POINT_FACTOR * order_quantile(scratch, ready, USUAL_QUANTILE);
	return 0;
}

/* The last rows of the recording, as many as warm the detector up, and what follows. */
static int set_test(struct draft *d, const struct recording *rec, enum fc_kind kind,
		    struct why *why)
{
	struct detector *det;
	unsigned rows, from;
	int err = detector_open(&det, &d->m.spec, kind, why);

	if (err)
		return err;
	rows = detector_warmup(det) + d->m.spec.online + TEST_ROWS;
	detector_close(det);
	from = rec->rows > rows ? rec->rows - rows : 0;
	return calibrate_test(d, rec->x + (size_t)from * d->m.spec.channels, rec->rows - from,
			      kind, why);
}

int calibrate_test(struct draft *d, const float *x, unsigned rows, enum fc_kind kind,
		   struct why *why)
{
	unsigned most = model_test_rows(&d->m.spec);
	float *test, *score;

	rows = rows < most ? rows : most;
	d->m.test_rows = 0;
	if (!rows)
		return 0;
	test = draft_copy(d, x, (size_t)rows * d->m.spec.channels * sizeof(*test));
	score = draft_keep(d, rows * sizeof(*score));
	if (!test || !score)
		return why_set(why, -ENOMEM, "out of memory");
	d->m.test_rows = rows;
	d->m.test_x = test;
	d->m.test_score = score;
	return run_scores(&d->m.spec, kind, test, rows, score, why);
}

int calibrate(struct draft *d, const struct recording *rec, enum fc_kind kind, struct why *why)
{
	struct detector_spec *s = &d->m.spec;
	float *departure = draft_keep(d, s->channels * sizeof(*departure));
	float *scratch = malloc(rec->rows * sizeof(*scratch));
	struct trace t;
	int err = trace_alloc(&t, rec->rows, s->channels);

	if (err || !departure || !scratch) {
		err = why_set(why, -ENOMEM, "out of memory");
		goto out;
	}
	s->inv_usual = departure;	/* any: what is measured does not depend on it */
	err = calibrate_usual(d, rec, kind, why);
	if (!err)
		err = set_medians(s, &t, rec, kind, scratch, why);
	/* Contributions are in medians, which the quick head reads too: once more, as it runs. */
	if (!err)
		err = run_folds(s, kind, rec, trace_row, &t, why);
	if (!err) {
		trace_score(&t, s);
		err = cautious_tail(&d->m.tail, &t, scratch, why);
	}
	if (!err && set_point_limit(d, &t, scratch))
		err = why_set(why, -ENOMEM, "out of memory");
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
