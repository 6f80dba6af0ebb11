// SPDX-License-Identifier: MIT
/*
 * store_event: the rows of the event table. Ids only ever grow, so that newest first and
 * "all but the newest so many" are both the order of the primary key, whatever the wall
 * clock did in between.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/store.h"
#include "agent/store_db.h"
#include "kernels/why.h"

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

static void copy_text(char *to, size_t size, sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	snprintf(to, size, "%s", text ? text : "");
}

/* The oldest beyond the limit, their windows with them. */
static int prune(struct store *s, int64_t newest, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_EVENT_PRUNE);

	if (!st)
		return store_db_fail(s, "dropping old events", why);
	sqlite3_bind_int64(st, 1, newest - (int64_t)s->event_limit);
	if (store_db_run(st))
		return store_db_fail(s, "dropping old events", why);
	return sqlite3_changes(s->db) ? store_db_measure(s, why) : 0;
}

int store_begin(struct store *s, struct store_event *e, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_EVENT_ADD);

	if (!st)
		return store_db_fail(s, "adding an event", why);
	bind_text(st, 1, e->pipeline);
	bind_text(st, 2, e->kind);
	sqlite3_bind_int64(st, 3, e->start_realtime_ns);
	sqlite3_bind_int64(st, 4, e->end_realtime_ns);
	sqlite3_bind_double(st, 5, e->score);
	sqlite3_bind_double(st, 6, e->limit);
	sqlite3_bind_double(st, 7, e->peak);
	bind_text(st, 8, e->channels);
	bind_text(st, 9, e->detail);
	sqlite3_bind_int(st, 10, e->trusted);
	if (store_db_run(st))
		return store_db_fail(s, "adding an event", why);
	e->id = sqlite3_last_insert_rowid(s->db);
	e->window_rows = 0;
	return prune(s, e->id, why);
}

int store_end(struct store *s, const struct store_event *e, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_EVENT_END);

	if (!st)
		return store_db_fail(s, "ending an event", why);
	sqlite3_bind_int64(st, 1, e->id);
	sqlite3_bind_int64(st, 2, e->end_realtime_ns);
	sqlite3_bind_double(st, 3, e->peak);
	bind_text(st, 4, e->detail);
	if (store_db_run(st))
		return store_db_fail(s, "ending an event", why);
	if (!sqlite3_changes(s->db))
		return why_set(why, -ENOENT, "%s: no event %lld", s->path, (long long)e->id);
	return 0;
}

int store_recover(struct store *s, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_EVENT_RECOVER);

	if (store_db_run(st))
		return store_db_fail(s, "closing what a crash left open", why);
	return 0;
}

int store_list(struct store *s, unsigned max, int (*each)(void *user, const struct store_event *e),
	       void *user, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_EVENT_LIST);
	int code;

	if (!st)
		return store_db_fail(s, "listing events", why);
	sqlite3_bind_int64(st, 1, max);
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_event e = {
			.id = sqlite3_column_int64(st, 0),
			.start_realtime_ns = sqlite3_column_int64(st, 3),
			.end_realtime_ns = sqlite3_column_int64(st, 4),
			.score = sqlite3_column_double(st, 5),
			.limit = sqlite3_column_double(st, 6),
			.peak = sqlite3_column_double(st, 7),
			.window_rows = (unsigned)sqlite3_column_int64(st, 10),
			.trusted = sqlite3_column_int(st, 11) != 0,
		};

		copy_text(e.pipeline, sizeof e.pipeline, st, 1);
		copy_text(e.kind, sizeof e.kind, st, 2);
		copy_text(e.channels, sizeof e.channels, st, 8);
		copy_text(e.detail, sizeof e.detail, st, 9);
		if (each(user, &e)) {
			code = SQLITE_DONE;
			break;
		}
	}
	if (code != SQLITE_DONE) {
		int err = store_db_fail(s, "listing events", why);

		sqlite3_reset(st);
		return err;
	}
	sqlite3_reset(st);
	return 0;
}
