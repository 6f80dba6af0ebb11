/* SPDX-License-Identifier: MIT */
/*
 * frame: the N channels of a pipeline, aligned on a tick: the newest value of
 * each with its time and whether it may be believed. Decoders write it, the
 * step reads it. It belongs to one thread.
 *
 * A value that can not be true (out of range, too fast a change, the same for too
 * long, not a number) is a fault of the sensor: it is counted, never delivered,
 * and the channel is masked until a good one comes. A fault is not an anomaly.
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

enum channel_fault {	/* also on the stats page: keep the numbers */
	FAULT_NONE = 0,
	FAULT_BUS = 1,		/* NAK, lost arbitration, input/output error */
	FAULT_TIMEOUT = 2,	/* the transfer passed its deadline */
	FAULT_SHORT = 3,	/* fewer bytes than a reading has */
	FAULT_CRC = 4,		/* or a checksum */
	FAULT_FORMAT = 5,	/* no number where one should be; a sensor's own fault bit */
	FAULT_RANGE = 6,
	FAULT_RATE = 7,		/* it can not change so fast */
	FAULT_STUCK = 8,	/* the very same value for too long */
	FAULT_NAN = 9,
	FAULT_LOST = 10,	/* samples or edges went by unread */
	FAULT_ABSENT = 11,	/* nothing there: not plugged in, no driver */
	FAULT_BUSY = 12,	/* somebody else, a kernel driver mostly, has it */
	FAULT_KINDS = 13,
};

/* "none", "bus", "timeout", ...; "unknown" for others. */
const char *channel_fault_name(enum channel_fault f);

/* What a channel's values must obey; 0 (and -INFINITY, INFINITY) where nothing was said. */
struct channel_check {
	float min, max;		/* unit */
	float rate;		/* unit a second, between two readings; 0: any */
	uint64_t stuck_ns;	/* the same bits for so long; 0: may stay for ever */
};

struct window;

struct channel_slot {
	float value;		/* unit */
	uint64_t t_ns;		/* CLOCK_MONOTONIC of the value; 0: never */
	uint64_t samples, errors;
	uint64_t every_ns;	/* between two reads, when that is more than a tick */
	uint8_t state;		/* enum channel_state */
	uint8_t fault;		/* enum channel_fault of the last failure; FAULT_NONE when live */
	struct channel_check check;
	struct window *window;	/* a feature over many samples, not the last one; NULL: none */
	float seen;		/* last reading that was in range, believed or not */
	uint64_t seen_ns, changed_ns;	/* 0: none; since when it has these bits */
	float before;		/* last one of an earlier moment, for the rate of change */
	uint64_t before_ns;	/* 0: nothing to compare with */
	float anchor;		/* where that one is doubtful: the one before it, */
	uint64_t anchor_ns;	/* ... if it was not; 0: none */
	uint8_t doubts;		/* 1: seen changed too fast; 2: the one before it too */
	uint8_t lapses;		/* failures in a row since seen_ns */
	uint32_t faults[FAULT_KINDS];
};

struct frame {
	unsigned n;
	uint64_t stale_ns;	/* a value this much older than its next read was due is not believed */
	struct channel_slot slot[FRAME_CHANNELS_MAX];
};

/* Checks are off: min and max infinite. */
void frame_init(struct frame *f, unsigned n, uint64_t stale_ns);

/*
 * A reading has arrived. One that fails its check counts as an error and a fault, and the old value
 * stays. With a window it is one of its samples.
 */
void frame_put(struct frame *f, unsigned channel, float value, uint64_t t_ns);

/* It was read, but there is no value yet (the first sample of a counter). */
void frame_probe(struct frame *f, unsigned channel);

/* A read of this channel failed; state says how bad that is, fault why. */
void frame_fail(struct frame *f, unsigned channel, enum channel_state state,
		enum channel_fault fault);

/* Close the tick: value[n] and valid[n] as of t_ns; ageing ones become stale. */
void frame_close(struct frame *f, uint64_t t_ns, float *value, uint8_t *valid);

#endif
