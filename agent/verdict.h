/* SPDX-License-Identifier: MIT */
/*
 * verdict: from a score a tick to "alarm" or "clear". Pure: ticks in, changes
 * out. Starts when k of the last n scores passed the limit, ends after clear_ticks
 * under clear_ratio of it, a count that begins anew when half of k passed it again; who
 * departed first is kept from the first tick of the run that led to the alarm.
 */
#ifndef SONDE_VERDICT_H
#define SONDE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/frame.h"

struct verdict_config {
	float limit;		/* score, nats */
	float clear_ratio;	/* of the limit, under which a tick counts as calm */
	unsigned k, n;		/* 1 <= k <= n <= 64 */
	unsigned clear_ticks;
};

enum verdict_change { VERDICT_SAME, VERDICT_ALARM, VERDICT_CLEAR };

struct verdict {
	struct verdict_config config;
	uint64_t history;	/* bit 0: this tick was over the limit */
	unsigned calm;
	bool alarm;
	uint64_t run_tick;	/* first tick over the limit of the current run */
	uint64_t alarm_tick;
	float peak;
	unsigned channels;
	uint64_t departed_tick[FRAME_CHANNELS_MAX];	/* 0: has not */
	float departed_sum[FRAME_CHANNELS_MAX];		/* nats since the run began */
};

void verdict_init(struct verdict *v, const struct verdict_config *c, unsigned channels);

/*
 * tick counts from 1. contribution[channels] and departure[channels] in nats. A tick
 * that is not trusted (fault, not ready) neither starts nor ends an alarm.
 */
enum verdict_change verdict_step(struct verdict *v, uint64_t tick, bool trusted,
				 float score, const float *contribution,
				 const float *departure);

/*
 * The channels that departed, the largest max of them, the first to depart first, ties by
 * size. Returns how many; when none passed its own limit, the largest one.
 */
unsigned verdict_departed(const struct verdict *v, unsigned *channel, unsigned max);

#endif
