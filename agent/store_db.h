/* SPDX-License-Identifier: MIT */
/*
 * store_db: what the store's own files share, and the layout on disk.
 *
 * event   a row an event; end_ns 0 while it lasts; names: the channels of its window.
 * names   a list of channel names, one a line, kept once however many events use it.
 * chunk   up to STORE_CHUNK_BYTES of an event's window, in order of seq. last_ns is the
 *	   wall-clock time of its last row, so that a crash can be dated without decoding.
 * state   clean: the last writer closed in good order; if not, the next one checks.
 *
 * chunk.data is a sequence of rows of 40 + 8 * channels bytes, little-endian:
 *	u64 tick, u64 t_ns (CLOCK_MONOTONIC), u64 valid (bit c: channel c),
 *	f32 score, f32 limit, u32 flags (1 scored, 2 in alarm), u32 0,
 *	f32 value[channels], f32 contribution[channels]
 * and chunk.clock_ns + t_ns is the row's wall-clock time. 12 channels at 50 Hz for 20 s
 * are 136 kB; at 1 kHz 2.7 MB, for which a table row a tick would take twice that.
 *
 * The trainer reads this too, without this header (models/train/history*.c); test/unit/history.c
 * finds out when the two part.
 */
#ifndef SONDE_STORE_DB_H
#define SONDE_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct why;

#define STORE_CHUNK_BYTES 65536
#define STORE_NAME_MAX 32
#define STORE_ROW_HEAD 40
#define STORE_ROW_SCORED 1u
#define STORE_ROW_ALARM 2u

static inline size_t store_db_row_bytes(unsigned channels)
{
	return STORE_ROW_HEAD + 8 * (size_t)channels;
}

enum store_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_EVENT_ADD,
	SQL_EVENT_END,
	SQL_EVENT_PRUNE,
	SQL_EVENT_RECOVER,
	SQL_EVENT_LIST,
	SQL_EVENT_NAMES,
	SQL_EVENT_ROWS,
	SQL_NAMES_ADD,
	SQL_NAMES_FIND,
	SQL_CHUNK_ADD,
	SQL_CHUNK_LIST,
	SQL_CHUNK_TOTAL,
	SQL_CHUNK_OLDEST,
	SQL_CHUNK_DROP,
	SQL_ROWS_CLEAR,
	SQL_CLEAN,
	SQL_STATEMENTS
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statement[SQL_STATEMENTS];
	char *path;
	unsigned char *chunk;		/* [STORE_CHUNK_BYTES], from the first window on */
	uint64_t window_bytes, window_limit;
	unsigned event_limit;
	bool read_only;
	bool suspect;			/* damage was seen: do not call it clean at the end */
};

/* SQLite's last error on s as -errno, with "doing: message" for a reason. */
int store_db_fail(struct store *s, const char *doing, struct why *why);

/* The statement, prepared at its first use, reset and without bindings; NULL: see db's error. */
sqlite3_stmt *store_db_statement(struct store *s, enum store_sql which);

/* Run a statement that gives no rows, reset it; returns SQLite's result code. */
int store_db_run(sqlite3_stmt *st);

/* The total size of all chunks, into s->window_bytes. */
int store_db_measure(struct store *s, struct why *why);

#endif
