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

#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/detector_impl.h"
#include "kernels/log.h"

#define BOUND 1e12f		/* far beyond any reading, far from overflowing a sum */
#define RATIO_MAX 1e9f	/* its square is far from overflowing */
#define SIZE_LEAST 1e-30f	/* what decays for ever would become subnormal: slow to add */
#define SIZE_PLAIN 5.0f		/* deviations up to which sizes count in full */
#define FOLLOW_CUT 3.0f		/* deviations; a wilder row moves the baseline no more than that */
#define STILL 1e-11f		/* of the squared mean: variance that rounding alone can make */

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

/* Variance below which a channel of this mean stands still. */
static inline float still(float mean)
{
	return STILL * mean * mean + 1e-12f;
}

/* Online: the first rows of a channel measure it. True while it is not known yet. */
static bool measuring(struct detector *d, unsigned i, float x)
{
	unsigned k;
	float delta, variance;

	if (d->measured[i] >= d->spec.online)
		return false;
	k = ++d->measured[i];
	delta = x - d->first_mean[i];
	d->first_mean[i] = bounded(d->first_mean[i] + delta / (float)k);
	d->first_m2[i] = cut(d->first_m2[i] + delta * (x - d->first_mean[i]), FLT_MAX);
	if (k < d->spec.online)
		return true;
	variance = d->first_m2[i] / (float)k;
	d->mean[i] = d->first_mean[i];
	/* A channel that stood still gets a part of its size as its scale, as in training. */
	if (variance < still(d->mean[i]))
		variance = 1e-4f * d->mean[i] * d->mean[i] + 1e-6f;
	d->inv_std[i] = 1 / sqrtf(variance);
	if (d->spread)
		spread_begin(d->spread, i);
	return true;
}

/* A channel without a past: its value held over the lag lines, and as its own forecast. */
static void begin_channel(struct detector *d, unsigned i)
{
	const struct detector_spec *s = &d->spec;

	d->prediction[i] = d->u[i];
	for (unsigned lag = 0; lag < s->lags; lag++)
		fc_put(d->linear, lag * s->channels + i, &d->u[i], 1, d->z_inv_step);
	if (d->subspace)
		subspace_hold(d->subspace, i, d->u[i]);
}

/* u of one channel: of its value, or of its change. */
static float deviation(struct detector *d, unsigned i, float x, bool begins)
{
	float v = x;

	if (d->spec.wanders[i] != 0) {
		v = begins ? d->mean[i] : x - d->last[i];
		d->last[i] = x;
	}
	return bounded((v - d->mean[i]) * d->inv_std[i]);
}

/* The row as u, with forecasts in the gaps. Returns how many channels are live. */
static unsigned take_row(struct detector *d, const float *x, const uint8_t *valid)
{
	const struct detector_spec *s = &d->spec;
	unsigned n = s->channels, live = 0, begun = 0;

	for (unsigned i = 0; i < n; i++) {
		bool ok = valid[i] && isfinite(x[i]);
		bool begins = ok && d->gap[i] > s->lags;

		if (ok && s->online && measuring(d, i, x[i]))
			ok = begins = false;
		d->prediction[i] = d->forecast[i];
		d->live[i] = ok;
		live += ok;
		if (!ok) {
			d->u[i] = d->forecast[i];
			d->last[i] = bounded(d->last[i] + d->mean[i] + d->u[i] / d->inv_std[i]);
			d->gap[i] += d->gap[i] <= s->lags;
			continue;
		}
		d->u[i] = deviation(d, i, x[i], begins);
		d->gap[i] = 0;
		if (begins) {
			begin_channel(d, i);
			begun++;
		}
	}
	/* Nothing here has a past: the recurrent state's is made up as well. */
	if (live && begun == live)
		d->seen = 0;
	return live;
}

/* EWMA of what a fast view says of each channel, v[N] >= 0; its size where live. */
static void fast_view(struct detector *d, enum detector_view view, const float *v, float most)
{
	float a = d->spec.view[view].smooth, *ewma = d->ewma[view], *size = d->size[view];

	for (unsigned i = 0; i < d->spec.channels; i++) {
		float now = ewma[i] + a * (cut(v[i], most) - ewma[i]);

		ewma[i] = now > SIZE_LEAST ? now : 0;
		size[i] = d->live[i] * ewma[i];
	}
}

static void level_view(struct detector *d, float most)
{
	const struct detector_spec *s = &d->spec;
	float a = s->view[VIEW_LEVEL].smooth, *ewma = d->ewma[VIEW_LEVEL];

	for (unsigned i = 0; i < s->channels; i++) {
		float now = ewma[i] + a * (cut(d->u[i], most) - ewma[i]);

		ewma[i] = fabsf(now) > SIZE_LEAST ? now : 0;
		d->size[VIEW_LEVEL][i] = d->live[i] * s->level_weight[i] * fabsf(ewma[i]);
	}
}

/* What is left of u after a forecast, in its deviations. */
static void whitened(struct detector *d, const float *forecast, const float *inv_sigma)
{
	for (unsigned i = 0; i < d->spec.channels; i++)
		d->scratch[i] = fabsf(d->u[i] - forecast[i]) * inv_sigma[i];
}

static float sum(const float *v, unsigned n)
{
	float total = 0;

	for (unsigned i = 0; i < n; i++)
		total += v[i];
	return total;
}

/*
 * Root mean square of the channels' sizes, each beyond SIZE_PLAIN by its logarithm only: one
 * channel far out is a departure, ten channels out are more of one.
 */
static float gather_squares(const float *size, unsigned n, float count)
{
	float total = 0;

	for (unsigned i = 0; i < n; i++) {
		float v = size[i] > SIZE_PLAIN ?
			  SIZE_PLAIN * (1 + log_f32(size[i] / SIZE_PLAIN)) : size[i];

		total += v * v;
	}
	return count > 0 ? sqrtf(total / count) : 0;
}

/* A view's number, into the sum of squares, shared among channels by their share of size. */
static void judge_view(struct detector *d, enum detector_view view, float number, const float *size,
		       struct detector_result *result)
{
	const struct view_spec *v = &d->spec.view[view];
	float ratio = cut(number * v->scale, RATIO_MAX), total, part;

	result->view[view] = number;
	d->ratio[view] = ratio;
	if (!result->ready || !(v->weight > 0) || !(number > 0))
		return;
	part = v->weight * ratio * ratio;
	result->score += part;
	total = sum(size, d->spec.channels);
	for (unsigned i = 0; total > 0 && i < d->spec.channels; i++)
		d->contribution[i] += part * (size[i] / total);
}

/* The root of the sum; contributions become parts of it. */
static void join_views(struct detector *d, struct detector_result *result)
{
	float score = sqrtf(result->score), share = score / result->score;

	if (!(result->score > 0))
		return;
	for (unsigned i = 0; i < d->spec.channels; i++)
		d->contribution[i] *= share;
	result->score = score;
}

static float level_mass(const struct detector *d)
{
	float weight = 0;

	for (unsigned i = 0; i < d->spec.channels; i++)
		weight += d->live[i] * d->spec.level_weight[i];
	return weight;
}

static void set_departure(struct detector *d, struct detector_result *result)
{
	const float *inv_usual = d->spec.inv_usual, *size = d->size[VIEW_SUBSPACE];

	for (unsigned i = 0; i < d->spec.channels; i++) {
		float v = size[i] * inv_usual[i];

		result->departure = v > result->departure ? v : result->departure;
	}
	if (!result->ready)
		result->departure = 0;
}

static void fast_views(struct detector *d, float count, float most, struct detector_result *result)
{
	const struct detector_spec *s = &d->spec;
	unsigned n = s->channels;

	if (s->view[VIEW_LEVEL].weight > 0) {
		float mass = level_mass(d);

		level_view(d, most);
		judge_view(d, VIEW_LEVEL, mass > 0 ? sum(d->size[VIEW_LEVEL], n) / mass : 0,
			   d->size[VIEW_LEVEL], result);
	}
	if (d->subspace) {
		subspace_step(d->subspace, d->u, most, d->left);
		fast_view(d, VIEW_SUBSPACE, d->left, most);
		judge_view(d, VIEW_SUBSPACE, gather_squares(d->size[VIEW_SUBSPACE], n, count),
			   d->size[VIEW_SUBSPACE], result);
		set_departure(d, result);
		result->left = d->left;
		result->code = subspace_code(d->subspace);
	}
	whitened(d, d->prediction, s->inv_sigma);
	fast_view(d, VIEW_FORECAST, d->scratch, most);
	judge_view(d, VIEW_FORECAST, gather_squares(d->size[VIEW_FORECAST], n, count),
		   d->size[VIEW_FORECAST], result);
}

/* v[N]: rows whose restlessness a slow view follows. */
static void slow_view(struct detector *d, enum detector_view view, struct spread *spread,
		      const float *v, float count, struct detector_result *result)
{
	unsigned n = d->spec.channels;
	float *size = d->size[view];

	if (!spread)
		return;
	spread_step(spread, v, d->spec.z_clip, size);
	for (unsigned i = 0; i < n; i++)
		size[i] *= d->live[i];
	judge_view(d, view, count > 0 ? sum(size, n) / count : 0, size, result);
}

static void slow_views(struct detector *d, float count, struct detector_result *result)
{
	const struct detector_spec *s = &d->spec;
	unsigned rank = s->subspace.rank;

	slow_view(d, VIEW_SPREAD, d->spread, d->u, count, result);
	slow_view(d, VIEW_LEFT, d->lefts, d->left, count, result);
	if (!d->code)
		return;
	spread_step(d->code, subspace_code(d->subspace), s->z_clip, d->code_size);
	result->size[VIEW_CODE] = d->code_size;
	/* A component is no channel's: what it says is shared as the subspace's remainder is. */
	judge_view(d, VIEW_CODE, count > 0 ? sum(d->code_size, rank) / (float)rank : 0,
		   d->size[VIEW_SUBSPACE], result);
}

/* What an autoencoder leaves of its window, per channel: mean size over the rows. */
static void window_left(struct detector *d, float most)
{
	const struct detector_spec *s = &d->spec;
	const float *error = recurrent_window(d->recurrent);
	unsigned n = s->channels, rows = s->recurrent.window;

	memset(d->scratch, 0, n * sizeof *d->scratch);
	for (unsigned r = 0; r < rows; r++)
		for (unsigned i = 0; i < n; i++) {
			float e = fabsf(error[(size_t)r * n + i]) * s->recurrent_inv_sigma[i];

			d->scratch[i] += e < most ? e : most;
		}
	for (unsigned i = 0; i < n; i++)
		d->scratch[i] /= (float)rows;
}

static void recurrent_view(struct detector *d, float count, float most,
			   struct detector_result *result)
{
	const struct detector_spec *s = &d->spec;

	if (s->recurrent.kind == RECURRENT_AUTOENCODER) {
		window_left(d, most);
	} else {
		recurrent_forecast(d->recurrent, d->scratch);
		for (unsigned i = 0; i < s->channels; i++)
			d->scratch[i] = bounded(d->prediction[i] + d->scratch[i]);
		whitened(d, d->scratch, s->recurrent_inv_sigma);
	}
	fast_view(d, VIEW_RECURRENT, d->scratch, most);
	judge_view(d, VIEW_RECURRENT, gather_squares(d->size[VIEW_RECURRENT], s->channels, count),
		   d->size[VIEW_RECURRENT], result);
}

/* A tick that ended early: the view takes it that nothing was left. */
static void recurrent_skip(struct detector *d)
{
	float keep = 1 - d->spec.view[VIEW_RECURRENT].smooth, *ewma = d->ewma[VIEW_RECURRENT];

	for (unsigned i = 0; i < d->spec.channels; i++) {
		float now = keep * ewma[i];

		ewma[i] = now > SIZE_LEAST ? now : 0;
		d->size[VIEW_RECURRENT][i] = d->live[i] * ewma[i];
	}
}

static void net(struct detector *d, float count, float most, struct detector_result *result)
{
	const struct detector_spec *s = &d->spec;
	bool forecast = s->recurrent.kind == RECURRENT_FORECAST;

	/* A copy: who reads the result has to find what the quick head saw, not what comes next. */
	memcpy(d->state, recurrent_state(d->recurrent), s->recurrent.hidden * sizeof *d->state);
	result->state = d->state;
	result->early = result->ready && quick_confident(&s->quick, result->state, d->ratio);
	if (!forecast)
		recurrent_advance(d->recurrent, d->u);
	if (result->early)
		recurrent_skip(d);
	else
		recurrent_view(d, count, most, result);
	if (forecast)
		recurrent_advance(d->recurrent, d->u);
}

static void make_forecast(struct detector *d)
{
	unsigned n = d->spec.channels;
	const float *linear;

	fc_shift(d->linear, n);
	fc_put(d->linear, 0, d->u, n, d->z_inv_step);
	linear = fc_run(d->linear);
	for (unsigned i = 0; i < n; i++)
		d->forecast[i] = bounded(linear[i]);
}

void detector_step(struct detector *d, const float *x, const uint8_t *valid,
		   struct detector_result *result)
{
	unsigned live = take_row(d, x, valid);
	float most = DETECTOR_PART_MAX * (float)d->spec.channels;

	*result = (struct detector_result){ .contribution = d->contribution,
					    .prediction = d->prediction, .u = d->u };
	for (unsigned v = 0; v < VIEWS; v++) {
		result->size[v] = d->size[v];
		d->ratio[v] = 0;
	}
	result->ready = live && d->seen >= d->warmup;
	memset(d->contribution, 0, d->spec.channels * sizeof *d->contribution);
	fast_views(d, (float)live, most, result);
	slow_views(d, (float)live, result);
	if (d->recurrent)
		net(d, (float)live, most, result);
	join_views(d, result);
	make_forecast(d);
	if (live && d->seen < d->warmup)
		d->seen++;
}

void detector_follow(struct detector *d, float rate)
{
	for (unsigned i = 0; i < d->spec.channels; i++) {
		float returns = d->live[i] * (1 - d->spec.wanders[i]);
		float by = cut(d->u[i], FOLLOW_CUT), variance;

		d->mean[i] = bounded(d->mean[i] + rate * returns * by / d->inv_std[i]);
		if (!d->spec.online || !(returns > 0))
			continue;
		variance = (1 + rate * (by * by - 1)) / (d->inv_std[i] * d->inv_std[i]);
		d->inv_std[i] = 1 / sqrtf(fminf(fmaxf(variance, still(d->mean[i])), FLT_MAX));
	}
}
