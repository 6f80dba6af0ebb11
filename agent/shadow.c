// SPDX-License-Identifier: MIT
/*
 * shadow: see the header. The comparison begins with the first tick that both have judged, so
 * that a warm-up counts for neither, and is kept as sums: nothing grows with time.
 */
#include "agent/shadow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "agent/pipeline.h"
#include "bpf/stats.h"
#include "kernels/why.h"
#include "models/model.h"

/* Means and centred sums of two scores, a pair at a time (Welford 1962). */
struct pair {
	uint64_t n;
	double mean_x, mean_y, xx, yy, xy;
};

struct shadow {
	struct pipeline_model *pm;
	struct verdict verdict;
	unsigned since_follow;		/* as pipeline.since_follow */
	float score;			/* of the last tick that it judged */
	uint64_t skipped;
	uint64_t over_live, over_shadow, over_both;
	uint64_t alarms_live, alarms_shadow;
	struct pair scores;
};

int shadow_open(struct shadow **out, struct model *model, const struct pipeline_config *c,
		uint64_t generation, struct why *why)
{
	struct shadow *s = calloc(1, sizeof *s);
	int err;

	*out = NULL;
	if (!s)
		return why_set(why, -ENOMEM, "no memory for a shadow");
	err = pipeline_model_open(&s->pm, model, c, FC_XNN, why);
	if (err) {
		free(s);
		return err;
	}
	s->pm->generation = generation;
	verdict_init(&s->verdict, &s->pm->verdict, model->spec.channels);
	*out = s;
	return 0;
}

void shadow_close(struct shadow *s)
{
	if (!s)
		return;
	pipeline_model_close(s->pm);
	free(s);
}

void shadow_continue(struct shadow **fresh, struct shadow **old)
{
	struct shadow *running = *old;

	if (!*fresh || !running || (*fresh)->pm->generation != running->pm->generation)
		return;
	running->pm->verdict = (*fresh)->pm->verdict;
	running->pm->follow_ticks = (*fresh)->pm->follow_ticks;
	running->pm->follow_rate = (*fresh)->pm->follow_rate;
	verdict_configure(&running->verdict, &running->pm->verdict);
	*old = *fresh;
	*fresh = running;
}

static void pair_add(struct pair *p, double x, double y)
{
	double dx = x - p->mean_x, dy = y - p->mean_y;

	p->n++;
	p->mean_x += dx / (double)p->n;
	p->mean_y += dy / (double)p->n;
	p->xx += dx * (x - p->mean_x);
	p->yy += dy * (y - p->mean_y);
	p->xy += dx * (y - p->mean_y);
}

/* Pearson's; 0 as long as one of the two has not moved. */
static double correlation(const struct pair *p)
{
	double square = p->xx * p->yy;

	return square > 0 ? p->xy / sqrt(square) : 0;
}

void shadow_step(struct shadow *s, const struct pipeline *p, const struct pipeline_result *live,
		 bool skip)
{
	struct pipeline_result own = { .tick = p->tick };
	bool over, over_live;

	if (skip) {
		s->skipped++;
	} else {
		pipeline_judge(p, s->pm, &s->verdict, &s->since_follow, &own);
		s->score = own.score;
	}
	if (s->scores.n || (own.scored && live->scored)) {
		s->alarms_live += live->change == VERDICT_ALARM;
		s->alarms_shadow += own.change == VERDICT_ALARM;
	}
	if (!own.scored || !live->scored)
		return;
	over = own.score > own.limit;
	over_live = live->score > live->limit;
	s->over_shadow += over;
	s->over_live += over_live;
	s->over_both += over && over_live;
	pair_add(&s->scores, live->score, own.score);
}

void shadow_publish(const struct shadow *s, struct sonde_shadow *out)
{
	*out = (struct sonde_shadow){ 0 };
	if (!s)
		return;
	out->on = 1;
	out->alarm = s->verdict.alarm;
	out->score = s->score;
	out->limit = s->verdict.limit_now;
	out->correlation = (float)correlation(&s->scores);
	out->mean_live = (float)s->scores.mean_x;
	out->mean_shadow = (float)s->scores.mean_y;
	out->generation = s->pm->generation;
	out->ticks = s->scores.n;
	out->skipped = s->skipped;
	out->over_live = s->over_live;
	out->over_shadow = s->over_shadow;
	out->over_both = s->over_both;
	out->alarms_live = s->alarms_live;
	out->alarms_shadow = s->alarms_shadow;
}

int shadow_kind(const struct shadow *s)
{
	return s->pm->kind;
}
