/* SPDX-License-Identifier: MIT */
/*
 * verdict: from a score a tick to "alarm" or "clear". Pure: ticks in, changes out. The limit
 * may follow the scores to keep a promise (limit.h). Starts when k of the last n scores
 * passed the limit, ends after clear_ticks under clear_ratio of it, a count that begins anew
 * when half of k passed it again; who departed first is kept from the first tick of the run
 * that led to the alarm.
 */
#ifndef SONDE_VERDICT_H
#define SONDE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/frame.h"
#include "agent/limit.h"

struct verdict_config {
	float limit;		/* score; what it begins with, where it follows */
	float clear_ratio;	/* of the limit, under which a tick counts as calm */
	unsigned k, n;		/* 1 <= k <= n <= 64 */
	unsigned clear_ticks;
	struct limit_config follow;	/* promise 0: the limit stays */
};

enum verdict_change { VERDICT_SAME, VERDICT_ALARM, VERDICT_CLEAR };

struct verdict {
	struct verdict_config config;
	struct limit limit;
	float limit_now;	/* in force for the next tick */
	uint64_t history;	/* bit 0: this tick was over the limit */
	unsigned calm;
	bool alarm;
	uint64_t run_tick;	/* first tick over the limit of the current run */
	uint64_t alarm_tick;
	float peak;
	unsigned channels;
	uint64_t departed_tick[FRAME_CHANNELS_MAX];	/* 0: has not */
	float departed_sum[FRAME_CHANNELS_MAX];		/* of score, since the run began */
};

void verdict_init(struct verdict *v, const struct verdict_config *c, unsigned channels);

/* Under another configuration: an alarm and what the limit has learned go on. */
void verdict_configure(struct verdict *v, const struct verdict_config *c);

/* After verdict_init: what the limit had learned before. False: nothing that helps here. */
bool verdict_restore(struct verdict *v, const struct limit_state *s);

/* What a tick is good for. */
enum verdict_trust {
	VERDICT_DEAF,		/* no score to believe (not ready): no alarm begins or ends */
	VERDICT_DOUBTFUL,	/* judged, but nothing is learned: a sensor at fault, a throttle */
	VERDICT_SOUND,
};

/* tick counts from 1. contribution[channels], and departure[channels]: from where on it departs. */
enum verdict_change verdict_step(struct verdict *v, uint64_t tick, enum verdict_trust trust,
				 float score, const float *contribution,
				 const float *departure);

/*
 * The channels that departed, the largest max of them, the first to depart first, ties by
 * size. Returns how many; when none passed its own limit, the largest one.
 */
unsigned verdict_departed(const struct verdict *v, unsigned *channel, unsigned max);

#endif
