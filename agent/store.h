/* SPDX-License-Identifier: MIT */
/*
 * store: events with the window of ticks around them, in SQLite (WAL). Belongs to
 * main. Values go in as they were: float32, little-endian, a row a tick. Bounded:
 * windows of old events go first, the events themselves much later. Schema and
 * layout of a window: agent/store_db.h.
 */
#ifndef SONDE_STORE_H
#define SONDE_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct record;
struct store;
struct why;

struct store_event {
	int64_t id;
	char pipeline[32], kind[16];	/* kind: alarm, missed, model, state */
	int64_t start_realtime_ns, end_realtime_ns;	/* end 0: still on */
	double score, limit, peak;
	char channels[512];		/* JSON: [{"name":…,"share":…},…], as they departed */
	char detail[256];
	unsigned window_rows;
	bool trusted;
};

/*
 * STATE_DIR/events.db; made when missing, migrated when old. A damaged one is
 * moved aside to events.db.corrupt-TIME (the latest such copy is kept) and a new
 * one made: the result is then 0 with the reason in why, whose text is empty otherwise.
 * Read-only works beside a writer and needs no write permission: -ENOENT when there is
 * no store yet, -EBADMSG for a damaged one, -ENOTSUP for one of a newer version.
 */
int store_open(struct store **out, const char *state_dir, bool read_only, struct why *why);
void store_close(struct store *s);

/*
 * What is kept: windows up to window_bytes in all, a quarter of it each, and the
 * newest events. At first 64 MiB and 50,000.
 */
void store_limit(struct store *s, uint64_t window_bytes, unsigned events);

/* A new event; its id in e->id. window rows follow by store_window. */
int store_begin(struct store *s, struct store_event *e, struct why *why);
/* Set end, peak, detail of an event that began. -ENOENT: there is none of this id. */
int store_end(struct store *s, const struct store_event *e, struct why *why);

/*
 * Add rows of the window: for each tick its number, grid time, score, n values
 * and n contributions. One transaction a call. All calls for an event bring the same names
 * (-EINVAL otherwise). Rows beyond the event's share of the store are left out.
 */
int store_window(struct store *s, int64_t event, const struct record *const *rows,
		 unsigned count, unsigned channels, const char *const *names,
		 struct why *why);

/* Close events left open by a crash: end = the last window row's time, detail says so. */
int store_recover(struct store *s, struct why *why);

/* Newest first; stops when each() returns nonzero. */
int store_list(struct store *s, unsigned max, int (*each)(void *user, const struct store_event *e),
	       void *user, struct why *why);

/* A window as it was: row i has value[i * channels], contribution[i * channels] ... */
struct store_window {
	unsigned channels, rows;
	char (*name)[32];		/* [channels] */
	uint64_t *tick;			/* [rows], ascending as they were written */
	int64_t *realtime_ns;		/* by the clocks' distance when the row was written */
	uint64_t *valid;		/* bit c: channel c may be believed */
	float *score, *limit;
	uint8_t *scored, *alarm;
	float *value, *contribution;
};

/* -ENOENT: no such event, or its window was not stored or is no longer kept. */
int store_window_read(struct store *s, int64_t event, struct store_window **out,
		      struct why *why);
void store_window_free(struct store_window *w);

#endif
