// SPDX-License-Identifier: MIT
/*
 * fit: see fit.h. What the LSTM is taught is cut at TARGET_CLIP deviations: a
 * rare burst is what the detector is for, not what the forecast should bend to.
 */
#include "models/train/fit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/calibrate.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/net.h"
#include "models/train/ridge.h"

#define LAMBDA 10.0
#define LAG_SHARE 0.6		/* of the fit rows, that lags * channels may reach */
#define TARGET_CLIP 5.0f
#define SCALE_MIN 0.02f		/* of a channel's own deviation, as in calibrate */

/*
 * EWMA steps. At a tick a second the alarm's best trade of delay against noise was 0.4
 * for the forecast; ten times faster ticks carry less each, so more of them are joined.
 */
#define SLOW_HZ 10.0
#define FORECAST_SMOOTH_SLOW 0.4f
#define FORECAST_SMOOTH_FAST 0.2f
#define LEVEL_SMOOTH_SLOW 0.1f
#define LEVEL_SMOOTH_FAST 0.05f

/* Everything between the table and the draft. */
struct work {
	struct series *s;
	float *target;		/* [rows][N] z, less the last z where the channel wanders */
	float *left;		/* [rows][N] what the linear forecast leaves of it */
	float *scale;		/* [N] its deviation over the fit rows */
	float *lesson;		/* [rows][N] left of the next row, in deviations, cut */
	float *known;		/* [rows][N] 0 or 1 */
	float *steady;		/* [rows][N] inputs, zero where the channel wanders */
};

static void work_free(struct work *w)
{
	series_free(w->s);
	free(w->target);
}

static int work_open(struct work *w, const struct table *t, struct why *why)
{
	size_t cells = (size_t)t->rows * t->channels;
	int err;

	*w = (struct work){ 0 };
	err = series_open(&w->s, t, why);
	if (err)
		return err;
	w->target = calloc(5 * cells + t->channels, sizeof(float));
	if (!w->target)
		return why_set(why, -ENOMEM, "out of memory");
	w->left = w->target + cells;
	w->lesson = w->left + cells;
	w->known = w->lesson + cells;
	w->steady = w->known + cells;
	w->scale = w->steady + cells;
	return 0;
}

static void set_target(struct work *w)
{
	const struct series *s = w->s;
	unsigned n = s->channels;

	for (unsigned r = 1; r < s->rows; r++)
		for (unsigned i = 0; i < n; i++) {
			size_t k = (size_t)r * n + i;

			w->target[k] = s->z[k] - s->skip[i] * s->z[k - n];
		}
}

static void set_lesson(struct work *w, unsigned lags)
{
	const struct series *s = w->s;
	unsigned n = s->channels;

	for (unsigned i = 0; i < n; i++) {
		double square = 0, count = 0;

		for (unsigned r = lags; r < s->fit_rows; r++) {
			double e = w->left[(size_t)r * n + i];

			square += s->valid[(size_t)r * n + i] * e * e;
			count += s->valid[(size_t)r * n + i];
		}
		w->scale[i] = fmaxf((float)sqrt(count > 0 ? square / count : 0), SCALE_MIN);
	}
	for (size_t k = 0; k < (size_t)s->rows * n; k++)
		w->steady[k] = s->skip[k % n] != 0 ? 0 : s->input[k];
	for (unsigned r = lags; r < s->rows; r++)
		for (unsigned i = 0; i < n; i++) {
			size_t k = (size_t)r * n + i;
			float v = w->left[k] / w->scale[i];

			w->lesson[k - n] = fminf(fmaxf(v, -TARGET_CLIP), TARGET_CLIP);
			w->known[k - n] = s->valid[k];
		}
}

/* Mean square of the lesson over the held-out rows: a forecast of nothing. */
static double linear_loss(const struct work *w)
{
	const struct series *s = w->s;
	size_t from = (size_t)(s->fit_rows - 1) * s->channels;
	size_t to = (size_t)(s->rows - 1) * s->channels;
	double square = 0, count = 0;

	for (size_t k = from; k < to; k++) {
		square += (double)w->known[k] * w->lesson[k] * w->lesson[k];
		count += w->known[k];
	}
	return count > 0 ? square / count : 0;
}

static int fit_linear(struct draft *d, struct work *w, unsigned lags, struct why *why)
{
	const struct series *s = w->s;
	unsigned n = s->channels;
	float *weight = draft_keep(d, (size_t)lags * n * n * sizeof(*weight));
	float *bias = draft_keep(d, n * sizeof(*bias));
	int err;

	if (!weight || !bias)
		return why_set(why, -ENOMEM, "out of memory");
	err = ridge_fit(weight, bias, s->input, w->target, s->skip, s->fit_rows, n, lags, LAMBDA,
			why);
	if (!err && ridge_left(w->left, weight, bias, s->input, w->target, s->rows, n, lags))
		err = why_set(why, -ENOMEM, "out of memory");
	d->m.spec.lags = lags;
	d->m.spec.linear = (struct fc_spec){
		.in = lags * n, .out = n, .weight_f32 = weight, .bias = bias
	};
	return err;
}

/*
 * The head's output in deviations of what is left becomes z: fold scale into it. The
 * gates never saw the channels that wander and must not see them later: at a
 * level that was never learnt from they would hold the state at its end stop.
 */
static int keep_net(struct draft *d, const struct net *net, const float *scale,
		    const float *wanders)
{
	unsigned n = net->channels, h = net->hidden;
	struct detector_spec *s = &d->m.spec;
	float *gate_w = draft_copy(d, net->gate_w, (size_t)4 * h * (n + h) * sizeof(float));
	float *gate_b = draft_copy(d, net->gate_b, (size_t)4 * h * sizeof(float));
	float *head_w = draft_copy(d, net->head_w, (size_t)n * h * sizeof(float));
	float *head_b = draft_copy(d, net->head_b, n * sizeof(float));

	if (!gate_w || !gate_b || !head_w || !head_b)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		for (unsigned u = 0; u < h; u++)
			head_w[(size_t)i * h + u] *= scale[i];
		head_b[i] *= scale[i];
		for (unsigned u = 0; wanders[i] != 0 && u < 4 * h; u++)
			gate_w[(size_t)u * (n + h) + i] = 0;
	}
	s->hidden = h;
	s->gates = (struct fc_spec){
		.in = n + h, .out = 4 * h, .weight_f32 = gate_w, .bias = gate_b
	};
	s->head = (struct fc_spec){ .in = h, .out = n, .weight_f32 = head_w, .bias = head_b };
	return 0;
}

static int fit_net(struct draft *d, struct work *w, const struct fit_options *o,
		   struct fit_report *r, struct why *why)
{
	const struct series *s = w->s;
	struct lesson lesson = {
		.rows = s->rows, .fit_rows = s->fit_rows, .channels = s->channels,
		.input = w->steady, .target = w->lesson, .weight = w->known,
	};
	struct net *net;
	int err;

	if (!o->hidden)
		return 0;
	err = net_open(&net, s->channels, o->hidden, o->seed);
	if (err)
		return why_set(why, err, "out of memory");
	err = learn(net, &lesson, &o->learn, &r->learn);
	if (!err && r->learn.net_loss < r->linear_loss * (1 - FIT_GAIN_MIN)) {
		r->net_loss = r->learn.net_loss;
		r->hidden = o->hidden;
		err = keep_net(d, net, w->scale, s->skip);
	}
	net_close(net);
	return err ? why_set(why, err, "out of memory") : 0;
}

static int set_channels(struct draft *d, const struct table *t, const struct series *s)
{
	unsigned n = t->channels;
	struct detector_spec *spec = &d->m.spec;
	float *level_weight = draft_keep(d, n * sizeof(*level_weight));

	d->m.channel = draft_keep(d, n * sizeof(*d->m.channel));
	spec->mean = draft_copy(d, s->mean, n * sizeof(float));
	spec->inv_std = draft_copy(d, s->inv_std, n * sizeof(float));
	spec->skip = draft_copy(d, s->skip, n * sizeof(float));
	if (!level_weight || !d->m.channel || !spec->mean || !spec->inv_std || !spec->skip)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		memcpy(d->m.channel[i].name, t->name[i], MODEL_NAME_MAX);
		level_weight[i] = 1 - s->skip[i];
	}
	spec->channels = n;
	spec->level_weight = level_weight;
	return 0;
}

static void set_smoothing(struct draft *d)
{
	bool fast = d->m.rate_hz > SLOW_HZ;

	d->m.spec.forecast_smooth = fast ? FORECAST_SMOOTH_FAST : FORECAST_SMOOTH_SLOW;
	d->m.spec.level_smooth = fast ? LEVEL_SMOOTH_FAST : LEVEL_SMOOTH_SLOW;
}

static unsigned fewer_lags(unsigned lags, const struct series *s)
{
	unsigned most = (unsigned)(LAG_SHARE * s->fit_rows / s->channels);

	return lags < most ? lags : most ? most : 1;
}

static void report_open(struct fit_report *r, const struct series *s, const struct fit_options *o)
{
	*r = (struct fit_report){
		.rows = s->rows, .held_rows = s->rows - s->fit_rows, .channels = s->channels,
		.lags = fewer_lags(o->lags, s), .asked_hidden = o->hidden,
	};
	for (unsigned i = 0; i < s->channels; i++)
		r->wandering += s->skip[i] != 0;
}

int fit_table(struct draft *d, const struct table *t, const struct fit_options *o,
	      struct fit_report *r, struct why *why)
{
	struct recording rec = { .x = t->value, .rows = t->rows };
	struct work w;
	int err = work_open(&w, t, why);

	*r = (struct fit_report){ 0 };
	if (err)
		goto out;
	report_open(r, w.s, o);
	set_target(&w);
	if (set_channels(d, t, w.s))
		err = why_set(why, -ENOMEM, "out of memory");
	if (!err)
		err = fit_linear(d, &w, r->lags, why);
	if (err)
		goto out;
	set_lesson(&w, r->lags);
	r->linear_loss = r->net_loss = linear_loss(&w);
	err = fit_net(d, &w, o, r, why);
	if (err)
		goto out;
	set_smoothing(d);
	d->m.rows = t->rows;
	d->m.seed = o->seed;
	memcpy(d->m.data_sha256, t->sha256, sizeof(d->m.data_sha256));
	d->m.loss_linear = (float)r->linear_loss;
	d->m.loss_net = (float)r->net_loss;
	rec.held_from = w.s->fit_rows;
	err = calibrate(d, &rec, FC_REF, why);
out:
	work_free(&w);
	return err;
}
