/* SPDX-License-Identifier: MIT */
/*
 * keeper_impl: the state behind keeper.h. keeper.c reads, keeper_life.c opens and gives
 * up, keeper_count.c says what a reading was worth.
 */
#ifndef SONDE_KEEPER_IMPL_H
#define SONDE_KEEPER_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/dev/dev.h"
#include "agent/keeper.h"

#define KEEPER_RETRY_MIN_NS 100000000u
#define KEEPER_RETRY_MAX_NS 5000000000u
/* Two bad readings are no chance any more, and with the third period it is back. */
#define KEEPER_REOPEN_AFTER 2
/* Set up anew in vain, it is left alone for twice as many readings each time, or for so long. */
#define KEEPER_REOPEN_NS 5000000000u
/* ... and where a channel is well, which a set-up would disturb, no more often than this. */
#define KEEPER_REOPEN_PARTLY_NS 600000000000u
#define KEEPER_DEADLINE_NS 100000000u
#define KEEPER_OPEN_NS 2000000000u	/* an open may take so long at least */
/* A failing device may take this much of the time, */
#define KEEPER_FAILING_SHARE 10
/* ... after it has used up this much, or two deadlines. */
#define KEEPER_FAILING_CREDIT_NS 1000000000

enum keeper_phase {
	KEEPER_DOWN,		/* not open; looked for at retry_ns */
	KEEPER_OPENING,		/* WORKER_OPEN is away */
	KEEPER_UP,
	KEEPER_LEAVING,		/* on its way out of the ring */
	KEEPER_SHUTTING,	/* WORKER_SHUT is away */
};

/* What a channel had counted when it was looked at last. */
struct keeper_cursor {
	uint64_t samples;
	uint32_t faults[FAULT_KINDS];
};

struct keeper_entry {
	struct dev *d;
	unsigned bus;			/* the first entry with the same worker */
	enum keeper_phase phase;
	struct keeper_device told;	/* state and fault are filled in when asked for */
	struct keeper_cursor *cursor;	/* one a channel */

	/* Its rhythm. */
	uint64_t every, countdown;	/* ticks */
	uint64_t period_ns, deadline_ns, open_ns, watch_ns;
	bool slow;			/* no tick waits for its readings */
	bool begun;			/* it was read since it was opened */
	int trigger;			/* the entry whose edges start it; -1: the tick */
	bool wanted;			/* triggered, but to be read without an edge too */
	uint64_t edges;			/* of its own, as seen */

	/* What is under way. */
	unsigned flying, owed;		/* completions: in all, and those that the tick waits for */
	bool late;			/* past its deadline, and counted as a failure already */
	int error;			/* of the reading: the first -errno */
	uint64_t asked_ns, until_ns;	/* since when, until when */
	uint64_t edge_ns, next_edge_ns;	/* what started it, what came meanwhile; 0: nothing */

	/* Its failures. */
	unsigned row, reopen_at;	/* in a row, since it was set up; how many are too many */
	unsigned barren;		/* in a row, since a reading brought a good sample */
	uint64_t partly_ns;		/* when it was set up anew though one was well; 0: never */
	bool mute;			/* the last failure: it said nothing, not nonsense */
	bool bad, was_good, opened;	/* now; ever; ever */
	bool absent;			/* it is not there, or was not when last looked for */
	int refused;			/* what the last open failed with */
	bool anew;			/* set it up again without shutting it */
	bool kicked;			/* while it was busy */
	uint64_t retry_ns, pause_ns;
	int64_t credit_ns;		/* for failing */
	uint64_t credit_at_ns, resume_ns;
	uint64_t heard_ns, set_up_ns;	/* last sign of life; last open */

	/* For rate_hz. */
	uint64_t window_ns, base_ns, counted;
};

struct keeper {
	struct keeper_entry *entry;
	unsigned n, channels;
	struct keeper_jobs jobs;
	struct frame *frame;
	struct frame waste;		/* where late results go */
	struct keeper_cursor *cursor;
	uint64_t tick_ns, t_ns;		/* the tick's period; its last grid time */
	uint64_t now_ns;		/* of the call under way */
	uint64_t edge_ns;		/* see keeper_take_edge */
	unsigned settled;		/* of the tick's completions, by the call under way */
	atomic_bool kicked;
};

/* keeper.c: rhythm, deadlines, and whether ticks wait: again after an open, which may measure. */
void keeper_set_times(struct keeper *k, struct keeper_entry *s);
/* keeper.c: ask for a reading, at a tick (edge_ns 0) or an edge. False: nothing came of it. */
bool keeper_read(struct keeper *k, struct keeper_entry *s, struct ring *r, uint64_t edge_ns);

/* keeper_life.c: what is due of opening and leaving. */
void keeper_life_tick(struct keeper *k, struct keeper_entry *s, struct ring *r);
void keeper_life_kick(struct keeper_entry *s);
/* An open or a shut has ended. */
void keeper_life_post(struct keeper *k, struct keeper_entry *s, struct ring *r,
		      const struct ring_event *e);
/* It is not there any more; it is to be set up anew if it has failed too often; on with either. */
void keeper_life_absent(struct keeper *k, struct keeper_entry *s, struct ring *r);
void keeper_life_renew(struct keeper *k, struct keeper_entry *s, struct ring *r);
void keeper_life_leave(struct keeper *k, struct keeper_entry *s, struct ring *r);
/* Is what was asked of it still behind an opening in its worker's hands? */
bool keeper_life_waits(const struct keeper *k, const struct keeper_entry *s);
/* A failing transfer has kept the bus busy since then (0: never began). */
void keeper_life_spend(struct keeper *k, struct keeper_entry *s, uint64_t since_ns);

/* keeper_count.c */
enum channel_fault keeper_fault_of(int err);
/*
 * A reading has ended: take what its channels have counted since the last time. err: why it
 * failed as a whole; 0: it did not. True: it failed, or a value of it was wrong.
 */
bool keeper_count(struct keeper *k, struct keeper_entry *s, int err);
/* The device has failed in a way that no reading tells. */
void keeper_count_fault(struct keeper *k, struct keeper_entry *s, enum channel_state state,
			enum channel_fault fault, int err);
void keeper_count_rate(struct keeper_entry *s, uint64_t t_ns);

#endif
