/* SPDX-License-Identifier: MIT */
/*
 * frame: the N channels of a pipeline, aligned on a tick: the newest value of
 * each with its time and whether it may be believed. Decoders write it, the
 * step reads it. It belongs to one thread.
 */
#ifndef SONDE_FRAME_H
#define SONDE_FRAME_H

#include <stdint.h>

#define FRAME_CHANNELS_MAX 64

enum channel_state {	/* also on the stats page: keep the numbers */
	CHANNEL_ABSENT = 0,
	CHANNEL_PROBING = 1,
	CHANNEL_LIVE = 2,
	CHANNEL_STALE = 3,
	CHANNEL_FAULTY = 4,
};

struct channel_slot {
	float value;		/* unit */
	uint64_t t_ns;		/* CLOCK_MONOTONIC of the value; 0: never */
	uint64_t samples, errors;
	uint64_t every_ns;	/* between two reads, when that is more than a tick */
	uint8_t state;		/* enum channel_state */
};

struct frame {
	unsigned n;
	uint64_t stale_ns;	/* a value this much older than its next read was due is not believed */
	struct channel_slot slot[FRAME_CHANNELS_MAX];
};

void frame_init(struct frame *f, unsigned n, uint64_t stale_ns);

/* A value has arrived. Not finite: counts as an error, the old value stays. */
void frame_put(struct frame *f, unsigned channel, float value, uint64_t t_ns);

/* It was read, but there is no value yet (the first sample of a counter). */
void frame_probe(struct frame *f, unsigned channel);

/* A read of this channel failed; state says how bad that is. */
void frame_fail(struct frame *f, unsigned channel, enum channel_state state);

/* Close the tick: value[n] and valid[n] as of t_ns; ageing ones become stale. */
void frame_close(struct frame *f, uint64_t t_ns, float *value, uint8_t *valid);

#endif
