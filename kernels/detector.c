// SPDX-License-Identifier: MIT
/*
 * detector: the order of one step, and what becomes of channels that can not be believed.
 *
 * A row is judged against the forecast made at the end of the row before. An invalid channel is
 * taken to have done what was forecast: it has no residual and keeps the others' inputs
 * plausible. Forecasts fed on forecasts alone wander off, so a channel that was
 * invalid for longer than the lag line has no past to be judged by: it is given one,
 * its present value held, and is judged again from the next row. So begin all of them.
 *
 * Everything kept from row to row is bounded: no reading, however wild, and no
 * model that passed the loader leaves an infinity or a NaN behind in it.
 */
#include "kernels/detector.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lstm.h"
#include "kernels/quant.h"
#include "kernels/why.h"

#define BOUND 1e12f		/* far beyond any reading, far from overflowing a sum */
#define Z_INV_STEP (QUANT_MAX / QUANT_Z_CLIP)
#define WARMUP_RECURRENT 32	/* rows in which a gate of 0.8 forgets all but a thousandth */
#define CHANNELS_MAX 4096
#define LAGS_MAX 4096

struct detector {
	struct detector_spec spec;
	struct fc *linear, *head;	/* head, lstm: NULL when hidden is 0 */
	struct lstm *lstm;
	bool has_level;
	unsigned warmup, seen;		/* rows; seen stops at warmup */
	float *memory;			/* holds what follows, [N] each */
	float *z;			/* this row; the forecast where invalid */
	float *live;			/* 1 where this row is believed, else 0 */
	float *forecast;		/* of the next row */
	float *prediction;		/* of this row */
	float *residual, *level;	/* the two signed EWMAs */
	float *residual_size, *level_size;	/* their sizes where live, else 0 */
	float *contribution;
	unsigned *gap;			/* rows since last valid, at most lags + 1 */
};

enum { VECTORS = 9 };

static inline float cut(float v, float most)
{
	v = v == v ? v : 0.0f;
	v = v > most ? most : v;
	return v < -most ? -most : v;
}

static inline float bounded(float v)
{
	return cut(v, BOUND);
}

static int check_spec(const struct detector_spec *s, struct why *why)
{
	if (!s->channels || s->channels > CHANNELS_MAX || !s->lags || s->lags > LAGS_MAX)
		return why_set(why, -EINVAL, "%u channels with %u lags", s->channels, s->lags);
	if (s->linear.out != s->channels || s->linear.in != s->lags * s->channels)
		return why_set(why, -EINVAL, "linear: %u x %u for %u channels, %u lags",
			       s->linear.out, s->linear.in, s->channels, s->lags);
	if (s->hidden && (s->head.out != s->channels || s->head.in != s->hidden))
		return why_set(why, -EINVAL, "head: %u x %u for %u channels, %u hidden",
			       s->head.out, s->head.in, s->channels, s->hidden);
	if (!s->mean || !s->inv_std || !s->skip || !s->inv_sigma || !s->level_weight)
		return why_set(why, -EINVAL, "normalisation or weights are missing");
	return 0;
}

static int alloc_state(struct detector *d)
{
	unsigned n = d->spec.channels;
	float **vector[VECTORS] = {
		&d->z, &d->live, &d->forecast, &d->prediction, &d->residual, &d->level,
		&d->residual_size, &d->level_size, &d->contribution,
	};

	d->memory = calloc((size_t)VECTORS * n, sizeof *d->memory);
	d->gap = calloc(n, sizeof *d->gap);
	if (!d->memory || !d->gap)
		return -ENOMEM;
	for (unsigned i = 0; i < VECTORS; i++)
		*vector[i] = d->memory + (size_t)i * n;
	return 0;
}

static int open_operators(struct detector *d, enum fc_kind kind, struct why *why)
{
	const struct detector_spec *s = &d->spec;
	int err;

	err = fc_open(&d->linear, &s->linear, kind, why);
	if (err)
		return why_in(why, err, "linear");
	if (!s->hidden)
		return 0;
	err = lstm_open(&d->lstm, s->channels, s->hidden, &s->gates, kind, why);
	if (err)
		return why_in(why, err, "gates");
	err = fc_open(&d->head, &s->head, kind, why);
	if (err)
		return why_in(why, err, "head");
	return 0;
}

int detector_open(struct detector **out, const struct detector_spec *spec, enum fc_kind kind,
		  struct why *why)
{
	struct detector *d;
	int err;

	*out = NULL;
	err = check_spec(spec, why);
	if (err)
		return err;
	d = calloc(1, sizeof *d);
	if (!d)
		return why_set(why, -ENOMEM, "out of memory");
	d->spec = *spec;
	d->warmup = 2 * spec->lags;
	if (spec->hidden && d->warmup < WARMUP_RECURRENT)
		d->warmup = WARMUP_RECURRENT;
	for (unsigned i = 0; i < spec->channels; i++)
		d->has_level |= spec->level_weight[i] > 0;
	err = alloc_state(d);
	if (err) {
		why_set(why, err, "out of memory");
		goto fail;
	}
	err = open_operators(d, kind, why);
	if (err)
		goto fail;
	detector_reset(d);
	*out = d;
	return 0;
fail:
	detector_close(d);
	return err;
}

void detector_close(struct detector *d)
{
	if (!d)
		return;
	fc_close(d->linear);
	fc_close(d->head);
	lstm_close(d->lstm);
	free(d->memory);
	free(d->gap);
	free(d);
}

void detector_reset(struct detector *d)
{
	memset(d->memory, 0, (size_t)VECTORS * d->spec.channels * sizeof *d->memory);
	for (unsigned i = 0; i < d->spec.channels; i++)
		d->gap[i] = d->spec.lags + 1;
	d->seen = 0;
	fc_clear(d->linear);
	if (d->lstm)
		lstm_reset(d->lstm);
	if (d->head)
		fc_clear(d->head);
}

/* A channel without a past: its value held over the lag line, and as its own forecast. */
static void begin_channel(struct detector *d, unsigned i)
{
	d->prediction[i] = d->z[i];
	for (unsigned lag = 0; lag < d->spec.lags; lag++)
		fc_put(d->linear, lag * d->spec.channels + i, &d->z[i], 1, Z_INV_STEP);
}

/* The row as z, with forecasts in the gaps. Returns how many channels are live. */
static unsigned take_row(struct detector *d, const float *x, const uint8_t *valid)
{
	const struct detector_spec *s = &d->spec;
	unsigned n = s->channels, live = 0, begun = 0;

	for (unsigned i = 0; i < n; i++) {
		bool ok = valid[i] && isfinite(x[i]);
		float z = bounded((x[i] - s->mean[i]) * s->inv_std[i]);

		d->prediction[i] = d->forecast[i];
		d->z[i] = ok ? z : d->forecast[i];
		d->live[i] = ok;
		live += ok;
		if (ok && d->gap[i] > s->lags) {
			begin_channel(d, i);
			begun++;
		}
		d->gap[i] = ok ? 0 : d->gap[i] + (d->gap[i] <= s->lags);
	}
	/* Nothing here has a past: the recurrent state's is made up as well. */
	if (live && begun == live)
		d->seen = 0;
	return live;
}

static void update_views(struct detector *d)
{
	const struct detector_spec *s = &d->spec;
	float most = DETECTOR_PART_MAX * (float)s->channels;

	for (unsigned i = 0; i < s->channels; i++) {
		float r = cut((d->z[i] - d->prediction[i]) * s->inv_sigma[i], most);

		d->residual[i] += s->forecast_smooth * (r - d->residual[i]);
		d->residual_size[i] = d->live[i] * fabsf(d->residual[i]);
	}
	if (!d->has_level)
		return;
	for (unsigned i = 0; i < s->channels; i++) {
		d->level[i] += s->level_smooth * (cut(d->z[i], most) - d->level[i]);
		d->level_size[i] = d->live[i] * s->level_weight[i] * fabsf(d->level[i]);
	}
}

static float sum(const float *v, unsigned n)
{
	float total = 0;

	for (unsigned i = 0; i < n; i++)
		total += v[i];
	return total;
}

/* Nats of a view, given to its channels by their share of its size. */
static float apportion(struct detector *d, const float *size, float total, float view,
		       const struct tail *tail)
{
	float nats = bounded(tail_nats(tail, view));

	for (unsigned i = 0; i < d->spec.channels; i++)
		d->contribution[i] += nats * (size[i] / total);
	return nats;
}

static void judge(struct detector *d, unsigned live, struct detector_result *result)
{
	const struct detector_spec *s = &d->spec;
	unsigned n = s->channels;
	float forecast_total = sum(d->residual_size, n);
	float level_total = d->has_level ? sum(d->level_size, n) : 0;
	float weight = 0;

	for (unsigned i = 0; i < n; i++)
		weight += d->live[i] * s->level_weight[i];
	result->forecast = live ? forecast_total / (float)live : 0;
	result->level = weight > 0 ? level_total / weight : 0;
	result->ready = live && d->seen >= d->warmup;
	result->score = 0;
	memset(d->contribution, 0, n * sizeof *d->contribution);
	if (result->ready && forecast_total > 0)
		result->score += apportion(d, d->residual_size, forecast_total,
					   result->forecast, &s->forecast_tail);
	if (result->ready && level_total > 0)
		result->score += apportion(d, d->level_size, level_total, result->level,
					   &s->level_tail);
}

static void make_forecast(struct detector *d)
{
	const struct detector_spec *s = &d->spec;
	unsigned n = s->channels;
	const float *linear, *head, *h;

	fc_shift(d->linear, n);
	fc_put(d->linear, 0, d->z, n, Z_INV_STEP);
	linear = fc_run(d->linear);
	for (unsigned i = 0; i < n; i++)
		d->forecast[i] = s->skip[i] * d->z[i] + linear[i];
	if (d->lstm) {
		h = lstm_step(d->lstm, d->z);
		fc_put(d->head, 0, h, s->hidden, QUANT_MAX);
		head = fc_run(d->head);
		for (unsigned i = 0; i < n; i++)
			d->forecast[i] += head[i];
	}
	for (unsigned i = 0; i < n; i++)
		d->forecast[i] = bounded(d->forecast[i]);
}

void detector_step(struct detector *d, const float *x, const uint8_t *valid,
		   struct detector_result *result)
{
	unsigned live = take_row(d, x, valid);

	update_views(d);
	judge(d, live, result);
	result->contribution = d->contribution;
	result->prediction = d->prediction;
	make_forecast(d);
	if (live && d->seen < d->warmup)
		d->seen++;
}

unsigned detector_warmup(const struct detector *d)
{
	return d->warmup;
}
