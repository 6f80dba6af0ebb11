// SPDX-License-Identifier: MIT
#include "agent/pipeline.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"
#include "agent/general.h"
#include "agent/shadow.h"
#include "kernels/log.h"
#include "kernels/why.h"
#include "models/model.h"

/* A tick counts as calm well under the limit, so that a score on the edge does not flap. */
#define CLEAR_RATIO 0.8f
#define SECONDS_PER_DAY 86400.0
/*
 * Re-baselining goes in steps of this size. A mean is a float: steps of a tick's own, a millionth
 * of a deviation at 50 Hz and a day, would be lost in its rounding.
 */
#define FOLLOW_RATE 1e-3

/* The score that normal operation exceeds as seldom as the user's budget says. */
static float limit_of(const struct model *m, const struct pipeline_config *c)
{
	/* Not libm's: a replay on another machine has to come to the same limit. */
	float nats = log_f32((float)(SECONDS_PER_DAY * c->rate_hz / c->false_alarms_per_day));

	return tail_score(&m->tail, nats > 1 ? nats : 1.0f);
}

static struct limit_config promise_of(const struct model *m, const struct pipeline_config *c)
{
	return (struct limit_config){
		.promise = c->follow ? (uint64_t)(SECONDS_PER_DAY * c->rate_hz /
						  c->false_alarms_per_day) : 0,
		.tail = m->tail,
		.k = c->alarm_k,
		.n = c->alarm_n,
		.freeze = (uint64_t)(c->freeze_s * c->rate_hz),
	};
}

/* FNV-1a, 64 bit, of what tells one training from another. */
static uint64_t key_of(const struct model *m)
{
	const struct { const void *data; size_t len; } part[] = {
		{ m->data_sha256, strlen(m->data_sha256) },
		{ m->created, strlen(m->created) },
		{ &m->tail, sizeof m->tail },
	};
	uint64_t hash = 0xcbf29ce484222325;

	for (unsigned i = 0; i < sizeof part / sizeof *part; i++)
		for (size_t k = 0; k < part[i].len; k++)
			hash = (hash ^ ((const uint8_t *)part[i].data)[k]) * 0x100000001b3;
	return hash;
}

static void set_follow(struct pipeline_model *pm, const struct pipeline_config *c)
{
	double ticks = c->rebaseline_s * c->rate_hz;

	if (!(ticks > 0))
		return;
	pm->follow_ticks = (unsigned)fmin(fmax(ticks * FOLLOW_RATE, 1), UINT32_MAX);
	pm->follow_rate = (float)fmin(pm->follow_ticks / ticks, 1);
}

static int match_channels(struct pipeline_model *pm, const struct pipeline_config *c,
			  struct why *why)
{
	const struct model *m = pm->model;

	if (m->spec.channels > FRAME_CHANNELS_MAX)
		return why_set(why, -EINVAL, "the model has %u channels; a pipeline holds %u",
			       m->spec.channels, FRAME_CHANNELS_MAX);
	for (unsigned i = 0; i < m->spec.channels; i++) {
		unsigned k;

		for (k = 0; k < c->channels; k++)
			if (!strcmp(config_channel(c, k)->name, m->channel[i].name))
				break;
		if (k == c->channels)
			return why_set(why, -EINVAL,
				       "the model wants a channel \"%s\", which pipeline %s has not",
				       m->channel[i].name, c->name);
		pm->channel[i] = k;
	}
	return 0;
}

int pipeline_model_open(struct pipeline_model **out, struct model *model,
			const struct pipeline_config *c, enum fc_kind kind,
			struct why *why)
{
	struct pipeline_model *pm;
	struct limit ladder;
	int err;

	*out = NULL;
	err = general_expand(model, c, why);
	if (err)
		return err;
	if (fabs(model->rate_hz / c->rate_hz - 1) > 0.01)
		return why_set(why, -EINVAL,
			       "the model was trained at %g ticks a second, pipeline %s runs at %g",
			       model->rate_hz, c->name, c->rate_hz);
	pm = calloc(1, sizeof *pm);
	if (!pm)
		return why_set(why, -ENOMEM, "no memory for a model");
	pm->model = model;
	err = match_channels(pm, c, why);
	if (err)
		goto fail;
	pm->kind = kind;
	err = kind == FC_XNN ? model_detector_best(&pm->detector, model, &pm->kind, why)
			     : model_detector(&pm->detector, model, kind, why);
	if (err)
		goto fail;
	pm->verdict = (struct verdict_config){
		.limit = limit_of(model, c),
		.clear_ratio = CLEAR_RATIO,
		.k = c->alarm_k,
		.n = c->alarm_n,
		.clear_ticks = fmax(1, ceil(c->clear_s * c->rate_hz)),
		.follow = promise_of(model, c),
	};
	limit_init(&ladder, &pm->verdict.follow);
	if (limit_follows(&ladder))
		pm->verdict.limit = limit_value(&ladder);
	pm->key = key_of(model);
	set_follow(pm, c);
	*out = pm;
	return 0;
fail:
	pm->model = NULL;	/* stays the caller's */
	pipeline_model_close(pm);
	return err;
}

void pipeline_model_close(struct pipeline_model *pm)
{
	if (!pm)
		return;
	shadow_close(pm->shadow);
	if (pm->detector)
		detector_close(pm->detector);
	if (pm->model)
		model_free(pm->model);
	free(pm);
}

void pipeline_init(struct pipeline *p, unsigned channels, uint64_t stale_ns)
{
	memset(p, 0, sizeof *p);
	frame_init(&p->frame, channels, stale_ns);
}

bool pipeline_continues(const struct pipeline *p, const struct pipeline_model *pm)
{
	return p->model && pm && pm->generation && p->model->generation == pm->generation &&
	       p->model->key == pm->key;
}

struct pipeline_model *pipeline_swap(struct pipeline *p, struct pipeline_model *pm)
{
	struct pipeline_model *old = p->model;

	if (pipeline_continues(p, pm)) {
		struct pipeline_model fresh = *pm;

		/* The old detector has seen the past, so that one stays, and an alarm goes on. */
		pm->model = old->model;
		pm->detector = old->detector;
		old->model = fresh.model;
		old->detector = fresh.detector;
		shadow_continue(&pm->shadow, &old->shadow);
		p->model = pm;
		verdict_configure(&p->verdict, &pm->verdict);
		return old;
	}
	p->model = pm;
	p->since_follow = 0;
	memset(p->contribution, 0, sizeof p->contribution);
	if (pm) {
		verdict_init(&p->verdict, &pm->verdict, pm->model->spec.channels);
		verdict_restore(&p->verdict, &pm->known);
	}
	return old;
}

/* A sensor at fault, and a throttled machine, are no example of normal operation. */
static enum verdict_trust trust(const struct pipeline *p, const uint8_t *valid, unsigned n,
				bool ready)
{
	if (!ready)
		return VERDICT_DEAF;
	for (unsigned i = 0; i < n; i++)
		if (!valid[i])
			return VERDICT_DOUBTFUL;
	return p->held ? VERDICT_DOUBTFUL : VERDICT_SOUND;
}

/* What is normal moves slowly, in calm: not in an alarm, nor on a tick that could begin one. */
static void follow(const struct pipeline_model *pm, unsigned *since, const struct pipeline_result *r)
{
	if (!pm->follow_ticks || r->trust != VERDICT_SOUND || r->alarm || r->score > r->limit)
		return;
	if (++*since < pm->follow_ticks)
		return;
	*since = 0;
	detector_follow(pm->detector, pm->follow_rate);
}

const float *pipeline_judge(const struct pipeline *p, const struct pipeline_model *pm,
			    struct verdict *v, unsigned *since_follow, struct pipeline_result *r)
{
	unsigned n = pm->model->spec.channels;
	struct detector_result d;
	float x[FRAME_CHANNELS_MAX] = { 0 };
	uint8_t valid[FRAME_CHANNELS_MAX] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		x[i] = p->value[pm->channel[i]];
		valid[i] = p->valid[pm->channel[i]];
	}
	detector_step(pm->detector, x, valid, &d);
	r->trust = trust(p, valid, n, d.ready);
	r->limit = v->limit_now;
	r->change = verdict_step(v, r->tick, r->trust, d.score, d.contribution,
				 pm->model->departure);
	r->score = d.score;
	r->scored = d.ready;
	r->alarm = v->alarm;
	follow(pm, since_follow, r);
	return d.contribution;
}

void pipeline_step(struct pipeline *p, uint64_t t_ns, struct pipeline_result *r)
{
	const struct pipeline_model *pm = p->model;
	const float *contribution;

	p->tick++;
	frame_close(&p->frame, t_ns, p->value, p->valid);
	*r = (struct pipeline_result){ .tick = p->tick, .t_ns = t_ns };
	if (!pm)
		return;
	contribution = pipeline_judge(p, pm, &p->verdict, &p->since_follow, r);
	for (unsigned i = 0; i < pm->model->spec.channels; i++)
		p->contribution[pm->channel[i]] = contribution[i];
}

unsigned pipeline_departed(const struct pipeline *p, unsigned *channel, unsigned max)
{
	unsigned n = p->model ? verdict_departed(&p->verdict, channel, max) : 0;

	for (unsigned i = 0; i < n; i++)
		channel[i] = p->model->channel[channel[i]];
	return n;
}
