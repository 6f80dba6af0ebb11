// SPDX-License-Identifier: MIT
/*
 * limit: see the header. The constants were chosen on simulated scores (stationary, drifting,
 * cyclic, heavy-tailed) and on replays of normal operation; test/unit/budget.c shows what
 * they keep and what they cost.
 */
#include "agent/limit.h"

#include <string.h>

#include "kernels/log.h"

#define BLOCKS 1000		/* a promised alarm's time has at most so many */
#define BLOCK_WINDOWS 4		/* and a block at least so many windows of n ticks */
#define LOWEST_SHARE 0.5	/* of the blocks pass the lowest rung */
#define RUNG_RATIO 8.0		/* at most, from one rung to the next */
/* Declustering and the k of n leave a bias: of what is aimed at, so much more is got. */
#define BIAS 0.85
#define STEP_MIN 0.05		/* of a rung that has seen much; 1 / (1 + hits) before */
#define STEP_TOP 1.0		/* of the alarm limit itself, which sees little */
#define HITS_MAX 1000
#define GAP_MIN 0.05		/* nats of training */
#define SLOPE_MIN 0.02		/* training's scores a nat */
#define UNSEEN_PULL 0.02	/* a rung not passed yet takes the one below's distance */
#define SCORE_MAX 1e12f		/* far beyond any, far from overflowing a difference */

/* The positive root of q^n = v, 0 < v < 1: bisection, for the same bits on every machine. */
static double root(double v, unsigned n)
{
	double low = 0, high = 1;

	for (unsigned i = 0; i < 64; i++) {
		double q = 0.5 * (low + high), power = 1;

		for (unsigned j = 0; j < n; j++)
			power *= q;
		if (power < v)
			low = q;
		else
			high = q;
	}
	return high;
}

/* Blocks and wanted shares; false: no promise that can be kept. */
static bool plan(struct limit *l)
{
	uint64_t promise = l->config.promise, block = promise / BLOCKS;
	double top, power = 1 / RUNG_RATIO, q;
	unsigned steps = 1;

	if (promise < LIMIT_PROMISE_MIN)
		return false;
	if (block < BLOCK_WINDOWS * (uint64_t)l->config.n)
		block = BLOCK_WINDOWS * (uint64_t)l->config.n;
	if (block > promise / 4)
		block = promise / 4;
	l->block = block;
	top = BIAS * (double)block / (double)promise / LOWEST_SHARE;
	for (; power > top && steps < LIMIT_RUNGS - 1; steps++)
		power /= RUNG_RATIO;
	q = root(top, steps);
	l->rungs = steps + 1;
	l->ratio = -log_f32((float)q);
	l->share[0] = LOWEST_SHARE;
	for (unsigned j = 1; j < l->rungs; j++)
		l->share[j] = l->share[j - 1] * q;
	return true;
}

/* How seldom rung j is passed: nats of a tick's probability. */
static float rarity(const struct limit *l, unsigned j)
{
	return log_f32((float)((double)l->block / LOWEST_SHARE)) + (float)j * l->ratio;
}

static void place(struct limit *l)
{
	double at = 0;

	for (unsigned j = 0; j < l->rungs; j++) {
		at += l->gap[j];
		l->rung[j] = (float)at;
	}
}

/* Gaps from rungs; those that are too close are spread. */
static void measure(struct limit *l)
{
	double unit = 1 / (double)l->config.tail.slope;

	l->gap[0] = l->rung[0];
	for (unsigned j = 1; j < l->rungs; j++) {
		l->gap[j] = (double)l->rung[j] - (double)l->rung[j - 1];
		if (l->gap[j] < GAP_MIN * unit)
			l->gap[j] = GAP_MIN * unit;
	}
	place(l);
}

void limit_init(struct limit *l, const struct limit_config *c)
{
	memset(l, 0, sizeof *l);
	l->config = *c;
	if (!plan(l))
		return;
	for (unsigned j = 0; j < l->rungs; j++)
		l->rung[j] = tail_score(&c->tail, rarity(l, j));
	measure(l);
}

/* Score a nat at rung j. */
static double slope_at(const struct limit *l, unsigned j)
{
	double least = SLOPE_MIN / (double)l->config.tail.slope;
	double slope = l->gap[j ? j : 1] / (double)l->ratio;

	return slope > least ? slope : least;
}

static void move_rung(struct limit *l, unsigned j, bool passed)
{
	double least = GAP_MIN / (double)l->config.tail.slope;
	double step = 1.0 / (1 + l->hits[j]);

	if (step < STEP_MIN)
		step = STEP_MIN;
	if (j == l->rungs - 1)
		step = STEP_TOP;
	l->gap[j] += step * slope_at(l, j) * ((double)passed - l->share[j]);
	if (j && l->gap[j] < least)
		l->gap[j] = least;
	if (passed && l->hits[j] < HITS_MAX)
		l->hits[j]++;
	if (j >= 2 && !l->hits[j])
		l->gap[j] += UNSEEN_PULL * (l->gap[j - 1] - l->gap[j]);
}

/*
 * An alarm that will not end has moved the level, and says nothing of the tail above it: the
 * ladder climbs as it is, in strides that double until one is too long.
 */
static void climb(struct limit *l)
{
	l->stride = !l->hit[0] ? 0 : l->stride > 0 ? 2 * l->stride : 1;
	if (l->stride > 0 && l->gap[0] < (double)SCORE_MAX)
		l->gap[0] += l->stride * slope_at(l, 0);
	memset(l->hit, 0, sizeof l->hit);
	l->in_block = 0;
	place(l);
}

/*
 * A rung above the lowest that was passed in the block before as well counts no second time: what
 * goes on is one event (runs declustering).
 */
static void end_block(struct limit *l)
{
	for (unsigned j = 0; j < l->rungs; j++) {
		move_rung(l, j, l->hit[j] && !(j && l->before[j]));
		l->before[j] = l->hit[j];
		l->hit[j] = false;
	}
	l->in_block = 0;
	place(l);
}

/* The alarm is learned as one block that passed every rung, however large or long it was. */
static void learn_alarm(struct limit *l)
{
	if (!l->owed)
		return;
	l->owed = false;
	for (unsigned j = 0; j < l->rungs; j++)
		l->hit[j] = true;
	end_block(l);
}

static void begin_alarm(struct limit *l, bool learn)
{
	l->alarm = true;
	l->in_alarm = 0;
	l->stride = 0;
	l->owed = learn;
	l->alarms += learn;
}

/* The alarm's scores are no part of what follows it. */
static void end_alarm(struct limit *l)
{
	l->alarm = false;
	learn_alarm(l);
	memset(l->history, 0, sizeof l->history);
	memset(l->hit, 0, sizeof l->hit);
	memset(l->before, 0, sizeof l->before);
	l->in_block = 0;
}

static void take(struct limit *l, float score)
{
	uint64_t window = l->config.n >= 64 ? ~0ull : (1ull << l->config.n) - 1;

	for (unsigned j = 0; j < l->rungs; j++) {
		bool over = score > l->rung[j];

		l->history[j] = l->history[j] << 1 | over;
		if (over && !l->hit[j])
			l->hit[j] = (unsigned)__builtin_popcountll(l->history[j] & window) >=
				    l->config.k;
	}
	l->ticks++;
	if (++l->in_block < l->block)
		return;
	if (l->alarm)
		climb(l);
	else
		end_block(l);
}

void limit_step(struct limit *l, float score, bool learn, bool alarm)
{
	if (!l->rungs)
		return;
	if (alarm && !l->alarm)
		begin_alarm(l, learn);
	else if (alarm && ++l->in_alarm >= l->config.freeze)
		learn_alarm(l);
	else if (!alarm && l->alarm)
		end_alarm(l);
	l->frozen = !learn || (alarm && l->in_alarm < l->config.freeze);
	if (!l->frozen)
		take(l, score);
}

void limit_save(const struct limit *l, struct limit_state *s)
{
	*s = (struct limit_state){
		.promise = l->config.promise, .ticks = l->ticks, .alarms = l->alarms,
		.k = l->config.k, .n = l->config.n, .rungs = l->rungs,
	};
	memcpy(s->hits, l->hits, sizeof s->hits);
	memcpy(s->rung, l->rung, sizeof s->rung);
}

static bool plausible(const struct limit_state *s)
{
	for (unsigned j = 0; j < s->rungs; j++)
		if (!(s->rung[j] >= -SCORE_MAX && s->rung[j] <= SCORE_MAX) ||
		    s->hits[j] > HITS_MAX || (j && !(s->rung[j] > s->rung[j - 1])))
			return false;
	return true;
}

/* Rung j of l on the line through the known ones; beyond them, through the two at the end. */
static void between(struct limit *l, unsigned j, const struct limit *known,
		    const struct limit_state *s)
{
	float x = rarity(l, j);
	unsigned i = 0;

	while (i + 2 < s->rungs && x > rarity(known, i + 1))
		i++;
	l->rung[j] = s->rung[i] + (s->rung[i + 1] - s->rung[i]) *
		     ((x - rarity(known, i)) / known->ratio);
	l->hits[j] = s->hits[x > rarity(known, i) + 0.5f * known->ratio ? i + 1 : i];
}

bool limit_restore(struct limit *l, const struct limit_state *s)
{
	struct limit known = { .config = { .promise = s->promise, .k = s->k, .n = s->n } };

	if (!l->rungs || s->k != l->config.k || s->n != l->config.n || !plan(&known) ||
	    known.rungs != s->rungs || !plausible(s))
		return false;
	if (s->promise == l->config.promise) {
		memcpy(l->rung, s->rung, sizeof l->rung);
		memcpy(l->hits, s->hits, sizeof l->hits);
		l->ticks = s->ticks;
		l->alarms = s->alarms;
	} else {
		for (unsigned j = 0; j < l->rungs; j++)
			between(l, j, &known, s);
	}
	measure(l);
	return true;
}

void limit_continue(struct limit *l, const struct limit_config *c)
{
	const struct limit old = *l;
	struct limit_state known;

	limit_save(&old, &known);
	limit_init(l, c);
	limit_restore(l, &known);
	l->alarm = old.alarm;
	l->in_alarm = old.in_alarm;
	l->owed = old.owed;
}
