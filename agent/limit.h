/* SPDX-License-Identifier: MIT */
/*
 * limit: the score above which a tick is over, kept where it gives the false alarms that were
 * promised. Pure: no clock, no allocation, no libm on the way of a tick; constant state.
 *
 * An alarm a week says too little, too late, to steer by. So there is a ladder of limits,
 * the lowest passed by every second block of ticks, each of the next about eight times more
 * seldom, the topmost as seldom as the promise says: that one is the alarm limit. Each rung
 * is moved by how often it is passed itself, a quantile tracked by feedback (Gibbs and
 * Candes 2021), in steps of the distance to the rung below, which is how fast the tail
 * falls there. So drift lifts the topmost rung through those below it, long before it
 * would have cost alarms, and one event moves a rung by one step however large it is.
 *
 * It acts on the limit, never on the score. Nothing is learned from a tick that the caller
 * does not vouch for, nor during an alarm; an alarm that will not end is the new normal after
 * a time (or all that comes later would be missed).
 */
#ifndef SONDE_LIMIT_H
#define SONDE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/tail.h"

#define LIMIT_RUNGS 6
#define LIMIT_PROMISE_MIN 16	/* ticks; alarms that close together can not be told apart */

struct limit_config {
	uint64_t promise;	/* ticks for each false alarm; under LIMIT_PROMISE_MIN: none */
	struct tail tail;	/* of the score in training: where the ladder begins */
	unsigned k, n;		/* of the verdict; 1 <= k <= n <= 64 */
	uint64_t freeze;	/* ticks of one alarm from which nothing is learned */
};

/* What outlives a restart, or a change of the promise. Floats: it need not be bit-exact. */
struct limit_state {
	uint64_t promise, ticks, alarms;	/* of the promise: learned from; alarms since */
	uint32_t k, n, rungs;			/* rungs 0: nothing is known */
	uint32_t hits[LIMIT_RUNGS];
	float rung[LIMIT_RUNGS];
};

struct limit {
	struct limit_config config;
	unsigned rungs;			/* 0: follows nothing */
	uint64_t block;			/* ticks */
	float ratio;			/* nats from one rung to the next */
	double share[LIMIT_RUNGS];	/* of the blocks that pass the rung: wanted */
	double gap[LIMIT_RUNGS];	/* to the rung below; of the lowest: to 0 */
	float rung[LIMIT_RUNGS];	/* score; the last is the limit */
	uint64_t history[LIMIT_RUNGS];
	uint32_t hits[LIMIT_RUNGS];	/* blocks that passed, up to a bound */
	bool hit[LIMIT_RUNGS], before[LIMIT_RUNGS];	/* this block; the one before */
	uint64_t in_block, in_alarm;
	double stride;			/* of the ladder as a whole; 0: it is not moved so */
	bool alarm, owed;		/* owed: the alarm has not been learned yet */
	bool frozen;			/* nothing was learned from the last tick */
	uint64_t ticks, alarms;
};

/* After it limit_follows tells whether there is a promise to keep. */
void limit_init(struct limit *l, const struct limit_config *c);

static inline bool limit_follows(const struct limit *l)
{
	return l->rungs > 0;
}

/* Under another configuration: the alarm that is on, and all that still means something, go on. */
void limit_continue(struct limit *l, const struct limit_config *c);

/* The alarm limit in force; only if limit_follows. */
static inline float limit_value(const struct limit *l)
{
	return l->rung[l->rungs - 1];
}

/*
 * A tick with a score that was judged under limit_value. learn: the tick is vouched for (no
 * sensor at fault, no throttle); alarm: the verdict after it.
 */
void limit_step(struct limit *l, float score, bool learn, bool alarm);

void limit_save(const struct limit *l, struct limit_state *s);

/*
 * Go on from s, which may come from anywhere. Under another promise the rungs are put between
 * the known ones, by the rate at which those are passed, and the count of alarms begins anew.
 * False, with l as it was: s makes no sense here, or is of another k of n.
 */
bool limit_restore(struct limit *l, const struct limit_state *s);

#endif
