// SPDX-License-Identifier: MIT
/*
 * expand: see expand.h. The forecast becomes a block-diagonal matrix, so that the same detector
 * runs and no second kind of model is there to be kept in step; zeros cost a little time.
 */
#include "models/expand.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"

#define ONLINE_MAX 65536u	/* as a file may ask for */

bool model_is_general(const struct model *m)
{
	return m->spec.channels == 1 && m->spec.online && !strcmp(m->channel[0].name, EXPAND_NAME);
}

static int check(const struct model *m, unsigned channels, struct why *why)
{
	const struct detector_spec *s = &m->spec;

	if (!channels || channels > EXPAND_CHANNELS_MAX)
		return why_set(why, -EINVAL, "%u channels: the general model %s takes 1 to %u",
			       channels, m->name, EXPAND_CHANNELS_MAX);
	if (s->view[VIEW_SUBSPACE].weight > 0 || s->recurrent.kind != RECURRENT_NONE)
		return why_set(why, -EINVAL, "model %s: a general model has no subspace and no net",
			       m->name);
	if (s->spread.online && s->spread.online != s->online)
		return why_set(why, -EINVAL, "model %s: spread measured over %u rows, means over %u",
			       m->name, s->spread.online, s->online);
	return 0;
}

/* Where the expanded arrays lie: one block, floats first. */
struct space {
	float *next;
	unsigned n;
};

static const float *repeat(struct space *s, float v)
{
	float *p = s->next;

	for (unsigned i = 0; i < s->n; i++)
		p[i] = v;
	s->next += s->n;
	return p;
}

static void expand_spread(struct spread_spec *p, struct space *s)
{
	if (!p->start)
		return;
	p->start = repeat(s, p->start[0]);
	p->center = repeat(s, p->center[0]);
	p->inv_dev = repeat(s, p->inv_dev[0]);
}

/* Row i, lag l: column l * N + i has the template's weight of that lag. */
static void expand_linear(struct fc_spec *f, unsigned lags, struct space *s, int8_t *weight)
{
	unsigned n = s->n, in = lags * n;
	float *weight_f32 = s->next;

	for (unsigned i = 0; i < n; i++)
		for (unsigned l = 0; l < lags; l++) {
			size_t at = (size_t)i * in + l * n + i;

			if (f->weight)
				weight[at] = f->weight[l];
			else
				weight_f32[at] = f->weight_f32[l];
		}
	if (f->weight) {
		f->weight = weight;
		f->scale = repeat(s, f->scale[0]);
	} else {
		f->weight_f32 = weight_f32;
		s->next += (size_t)n * in;
	}
	f->bias = repeat(s, f->bias[0]);
	f->in = in;
	f->out = n;
}

static void narrow_tail(struct model *m, unsigned channels)
{
	float by = 1 / sqrtf(sqrtf((float)channels)), mean = 0;
	struct tail *t = &m->tail;

	/* The mean of what the tail describes: straight between knots of these masses. */
	for (unsigned k = 0; k + 1 < TAIL_KNOTS; k++) {
		float mass = k & 1 ? 0.7071067812f / (float)(1u << (k / 2)) -
				     0.5f / (float)(1u << (k / 2)) :
				     (1 - 0.7071067812f) / (float)(1u << (k / 2));

		mean += mass * 0.5f * (t->knot[k] + t->knot[k + 1]);
	}
	mean += 0.08838834765f * (t->knot[TAIL_KNOTS - 1] + 1 / t->slope);
	for (unsigned k = 0; k < TAIL_KNOTS; k++)
		t->knot[k] = mean + (t->knot[k] - mean) * by;
	t->slope /= by;
	m->point_limit = mean + (m->point_limit - mean) * by;
}

static void name_channels(struct model *m, struct model_channel *channel, const char *const *name)
{
	for (unsigned i = 0; i < m->spec.channels; i++) {
		strncpy(channel[i].name, name[i], MODEL_NAME_MAX - 1);
		strcpy(channel[i].unit, "");
	}
	m->channel = channel;
}

static void fill(struct model *m, const struct model *from, struct space *s, int8_t *weight,
		 const char *const *name, struct model_channel *channel)
{
	struct detector_spec *p = &m->spec;

	p->channels = s->n;
	p->mean = repeat(s, p->mean[0]);
	p->inv_std = repeat(s, p->inv_std[0]);
	p->wanders = repeat(s, p->wanders[0]);
	p->level_weight = repeat(s, p->level_weight[0]);
	p->inv_sigma = repeat(s, p->inv_sigma[0]);
	expand_spread(&p->spread, s);
	/* A channel has so small a part of the score as there are others. */
	m->departure = repeat(s, from->departure[0] / (float)s->n);
	expand_linear(&p->linear, p->lags, s, weight);
	narrow_tail(m, s->n);
	name_channels(m, channel, name);
}

/* Each channel has the template's row; the scores are those of plain C on this very detector. */
static int fill_test(struct model *m, const struct model *from, struct space *s, struct why *why)
{
	uint8_t valid[EXPAND_CHANNELS_MAX];
	unsigned n = s->n;
	float *x = s->next, *score = x + (size_t)from->test_rows * n;
	struct detector *d;
	int err = detector_open(&d, &m->spec, FC_REF, why);

	if (err)
		return err;
	memset(valid, 1, sizeof valid);
	m->test_x = x;
	m->test_score = score;
	for (unsigned r = 0; r < from->test_rows; r++, x += n) {
		struct detector_result res;

		for (unsigned i = 0; i < n; i++)
			x[i] = from->test_x[r];
		detector_step(d, x, valid, &res);
		score[r] = res.score;
	}
	detector_close(d);
	return 0;
}

static int passes(const struct model *m, struct why *why)
{
	struct detector *d;
	int err = model_detector(&d, m, FC_REF, why);

	if (!err)
		detector_close(d);
	return err;
}

int model_expand(struct model *m, const char *const *name, unsigned channels, double rate_hz,
		 unsigned online, struct why *why)
{
	size_t n = channels, matrix = n * n * m->spec.lags;
	struct model wide = *m;
	struct model_channel *channel;
	struct space s;
	void *block;
	int err;

	if (!model_is_general(m))
		return 0;
	err = check(m, channels, why);
	if (!err)
		err = passes(m, why);
	if (err)
		return err;
	channel = calloc(n, sizeof *channel);
	/* 11 vectors at most, the self-test's rows and scores, the matrix as floats or bytes. */
	block = calloc(11 * n + (n + 1) * m->test_rows + matrix, sizeof(float));
	if (!channel || !block) {
		free(channel);
		free(block);
		return why_set(why, -ENOMEM, "no memory for %u channels", channels);
	}
	s = (struct space){ (float *)block + (m->spec.linear.weight ? (matrix + 3) / 4 : 0), channels };
	fill(&wide, m, &s, block, name, channel);
	err = fill_test(&wide, m, &s, why);
	if (err) {
		free(channel);
		free(block);
		return err;
	}
	wide.rate_hz = rate_hz;
	wide.test_online = m->spec.online;
	if (online > wide.spec.online) {
		wide.spec.online = online < ONLINE_MAX ? online : ONLINE_MAX;
		wide.spec.spread.online = m->spec.spread.online ? wide.spec.online : 0;
	}
	free(m->channel);
	wide.expanded = block;
	*m = wide;
	return 0;
}
