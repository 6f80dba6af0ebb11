// SPDX-License-Identifier: MIT
#include "agent/pipeline.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"
#include "kernels/why.h"
#include "models/model.h"

/* A tick counts as calm well under the limit, so that a score on the edge does not flap. */
#define CLEAR_RATIO 0.8f
#define SECONDS_PER_DAY 86400.0

/* The score that normal operation exceeds as seldom as the user's budget says. */
static float limit_of(const struct model *m, const struct pipeline_config *c)
{
	double nats = log(SECONDS_PER_DAY * c->rate_hz / c->false_alarms_per_day);

	return tail_score(&m->tail, nats > 1 ? (float)nats : 1.0f);
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
	int err;

	*out = NULL;
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
	};
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
	return p->model && pm && pm->generation && p->model->generation == pm->generation;
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
		p->model = pm;
		p->verdict.config = pm->verdict;
		return old;
	}
	p->model = pm;
	memset(p->contribution, 0, sizeof p->contribution);
	if (pm)
		verdict_init(&p->verdict, &pm->verdict, pm->model->spec.channels);
	return old;
}

void pipeline_step(struct pipeline *p, uint64_t t_ns, struct pipeline_result *r)
{
	struct pipeline_model *pm = p->model;
	struct detector_result d;
	float x[FRAME_CHANNELS_MAX];
	uint8_t valid[FRAME_CHANNELS_MAX];
	unsigned n;

	p->tick++;
	frame_close(&p->frame, t_ns, p->value, p->valid);
	*r = (struct pipeline_result){ .tick = p->tick, .t_ns = t_ns };
	if (!pm)
		return;
	n = pm->model->spec.channels;
	for (unsigned i = 0; i < n; i++) {
		x[i] = p->value[pm->channel[i]];
		valid[i] = p->valid[pm->channel[i]];
	}
	detector_step(pm->detector, x, valid, &d);
	for (unsigned i = 0; i < n; i++)
		p->contribution[pm->channel[i]] = d.contribution[i];
	r->change = verdict_step(&p->verdict, p->tick, d.ready, d.score, d.contribution,
				 pm->model->departure);
	r->score = d.score;
	r->limit = pm->verdict.limit;
	r->scored = d.ready;
	r->alarm = p->verdict.alarm;
}

unsigned pipeline_departed(const struct pipeline *p, unsigned *channel, unsigned max)
{
	unsigned n = p->model ? verdict_departed(&p->verdict, channel, max) : 0;

	for (unsigned i = 0; i < n; i++)
		channel[i] = p->model->channel[channel[i]];
	return n;
}
