// SPDX-License-Identifier: MIT
#include "agent/verdict.h"

#include <string.h>

/* Less than this of a departure explains nothing, however early it came. */
#define MINOR_SHARE 0.01f

void verdict_init(struct verdict *v, const struct verdict_config *c, unsigned channels)
{
	memset(v, 0, sizeof *v);
	v->config = *c;
	v->channels = channels;
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

enum verdict_change verdict_step(struct verdict *v, uint64_t tick, bool trusted,
				 float score, const float *contribution,
				 const float *departure)
{
	const struct verdict_config *c = &v->config;
	bool over = score > c->limit;

	if (!trusted)
		return VERDICT_SAME;
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
	if (score <= c->limit * c->clear_ratio)
		v->calm++;
	else if (2 * over_count(v) >= c->k)
		v->calm = 0;
	if (v->calm < c->clear_ticks)
		return VERDICT_SAME;
	v->alarm = false;
	v->history = 0;
	return VERDICT_CLEAR;
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
