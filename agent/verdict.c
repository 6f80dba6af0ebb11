// SPDX-License-Identifier: MIT
#include "agent/verdict.h"

#include <string.h>

/* Less than this of a departure explains nothing, however early it came. */
#define MINOR_SHARE 0.01f

static void set_limit(struct verdict *v)
{
	v->limit_now = limit_follows(&v->limit) ? limit_value(&v->limit) : v->config.limit;
}

void verdict_init(struct verdict *v, const struct verdict_config *c, unsigned channels)
{
	memset(v, 0, sizeof *v);
	v->config = *c;
	v->channels = channels;
	limit_init(&v->limit, &c->follow);
	set_limit(v);
}

void verdict_configure(struct verdict *v, const struct verdict_config *c)
{
	v->config = *c;
	limit_continue(&v->limit, &c->follow);
	set_limit(v);
}

bool verdict_restore(struct verdict *v, const struct limit_state *s)
{
	bool known = limit_restore(&v->limit, s);

	set_limit(v);
	return known;
}

/* How many of the last n ticks were over the limit. */
static unsigned over_count(const struct verdict *v)
{
	uint64_t window = v->config.n >= 64 ? ~0ull : (1ull << v->config.n) - 1;

	return (unsigned)__builtin_popcountll(v->history & window);
}

/* A run begins with the first tick over the limit after n calm ones. */
static void run_begin(struct verdict *v, uint64_t tick)
{
	v->run_tick = tick;
	v->peak = 0;
	memset(v->departed_tick, 0, sizeof v->departed_tick);
	memset(v->departed_sum, 0, sizeof v->departed_sum);
}

static void run_track(struct verdict *v, uint64_t tick, float score,
		      const float *contribution, const float *departure)
{
	if (score > v->peak)
		v->peak = score;
	for (unsigned i = 0; i < v->channels; i++) {
		v->departed_sum[i] += contribution[i];
		if (!v->departed_tick[i] && contribution[i] > departure[i])
			v->departed_tick[i] = tick;
	}
}

static enum verdict_change judge(struct verdict *v, uint64_t tick, float score,
				 const float *contribution, const float *departure)
{
	const struct verdict_config *c = &v->config;
	bool over = score > v->limit_now;

	if (over && !v->alarm && !over_count(v))
		run_begin(v, tick);
	v->history = v->history << 1 | over;
	if (v->alarm || over_count(v))
		run_track(v, tick, score, contribution, departure);

	if (!v->alarm) {
		if (over_count(v) < c->k)
			return VERDICT_SAME;
		v->alarm = true;
		v->alarm_tick = tick;
		v->calm = 0;
		return VERDICT_ALARM;
	}
	/*
	 * What does not suffice to start an alarm by half does not keep one on either: a lone
	 * spike every other second would otherwise hold it for ever.
	 */
	if (score <= v->limit_now * c->clear_ratio)
		v->calm++;
	else if (2 * over_count(v) >= c->k)
		v->calm = 0;
	if (v->calm < c->clear_ticks)
		return VERDICT_SAME;
	v->alarm = false;
	v->history = 0;
	return VERDICT_CLEAR;
}

enum verdict_change verdict_step(struct verdict *v, uint64_t tick, enum verdict_trust trust,
				 float score, const float *contribution,
				 const float *departure)
{
	enum verdict_change change;

	if (trust == VERDICT_DEAF)
		return VERDICT_SAME;
	change = judge(v, tick, score, contribution, departure);
	limit_step(&v->limit, score, trust == VERDICT_SOUND, v->alarm);
	set_limit(v);
	return change;
}

/* Of two that departed: the earlier, then the larger. */
static bool before(const struct verdict *v, unsigned a, unsigned b)
{
	if (v->departed_tick[a] != v->departed_tick[b])
		return v->departed_tick[a] < v->departed_tick[b];
	return v->departed_sum[a] > v->departed_sum[b];
}

/* The channels that departed and matter, largest first, at most max. */
static unsigned largest(const struct verdict *v, unsigned *channel, unsigned max)
{
	float total = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < v->channels; i++)
		total += v->departed_sum[i];
	for (unsigned i = 0; i < v->channels; i++) {
		unsigned at;

		if (!v->departed_tick[i] || v->departed_sum[i] < total * MINOR_SHARE)
			continue;
		for (at = n; at > 0 && v->departed_sum[i] > v->departed_sum[channel[at - 1]]; at--)
			if (at < max)
				channel[at] = channel[at - 1];
		if (at < max)
			channel[at] = i;
		if (n < max)
			n++;
	}
	return n;
}

unsigned verdict_departed(const struct verdict *v, unsigned *channel, unsigned max)
{
	unsigned n = largest(v, channel, max);

	for (unsigned i = 1; i < n; i++) {
		unsigned c = channel[i], at;

		for (at = i; at > 0 && before(v, c, channel[at - 1]); at--)
			channel[at] = channel[at - 1];
		channel[at] = c;
	}
	if (n || !max || !v->channels)
		return n;
	channel[0] = 0;
	for (unsigned i = 1; i < v->channels; i++)
		if (v->departed_sum[i] > v->departed_sum[channel[0]])
			channel[0] = i;
	return 1;
}
