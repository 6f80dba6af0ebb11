// SPDX-License-Identifier: MIT
/*
 * store_window: the ticks around an event, into chunks (layout in store_db.h). A chunk is
 * 64 KiB so that a window of any length needs one small buffer; the oldest windows go
 * when all of them together pass the limit, never that of the event at hand.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/frame.h"
#include "agent/queue.h"
#include "agent/store.h"
#include "agent/store_db.h"
#include "kernels/why.h"

static unsigned char *put64(unsigned char *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof v);
	return p + sizeof v;
}

static unsigned char *put32(unsigned char *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
	return p + sizeof v;
}

static unsigned char *put_floats(unsigned char *p, const float *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, &v[i], sizeof bits);
		p = put32(p, bits);
	}
	return p;
}

static unsigned char *put_row(unsigned char *p, const struct record *r, unsigned channels)
{
	const uint8_t *valid = record_valid(r, channels);
	uint64_t mask = 0;

	for (unsigned i = 0; i < channels; i++)
		mask |= (uint64_t)!!valid[i] << i;
	p = put64(p, r->tick);
	p = put64(p, r->t_ns);
	p = put64(p, mask);
	p = put_floats(p, &r->score, 1);
	p = put_floats(p, &r->limit, 1);
	p = put32(p, (r->scored ? STORE_ROW_SCORED : 0) | (r->alarm ? STORE_ROW_ALARM : 0));
	p = put32(p, 0);
	p = put_floats(p, r->data, channels);
	return put_floats(p, record_contribution(r, channels), channels);
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The names one a line; they come back from the database as they are. */
static int join_names(char *list, unsigned channels, const char *const *names, struct why *why)
{
	for (unsigned i = 0; i < channels; i++) {
		size_t len = strlen(names[i]);

		if (!len || len >= STORE_NAME_MAX || strchr(names[i], '\n'))
			return why_set(why, -EINVAL, "channel %u: \"%.40s\" is not a name", i,
				       names[i]);
		memcpy(list, names[i], len);
		list += len;
		*list++ = '\n';
	}
	list[-1] = 0;
	return 0;
}

/* The id of this list of names, which must be the event's if it has one already. */
static int names_id(struct store *s, int64_t event, const char *list, int64_t *id,
		    unsigned *rows, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_EVENT_NAMES);
	const char *had;
	int code, err = 0;

	if (!st)
		return store_db_fail(s, "finding an event", why);
	sqlite3_bind_int64(st, 1, event);
	code = sqlite3_step(st);
	if (code == SQLITE_DONE) {
		sqlite3_reset(st);
		return why_set(why, -ENOENT, "%s: no event %lld", s->path, (long long)event);
	}
	if (code != SQLITE_ROW)
		return store_db_fail(s, "finding an event", why);
	*id = sqlite3_column_int64(st, 0);
	*rows = (unsigned)sqlite3_column_int64(st, 2);
	had = (const char *)sqlite3_column_text(st, 1);
	if (had && strcmp(had, list))
		err = why_set(why, -EINVAL, "event %lld has other channels", (long long)event);
	code = had != NULL;
	sqlite3_reset(st);
	if (err || code)
		return err;

	st = store_db_statement(s, SQL_NAMES_ADD);
	sqlite3_bind_text(st, 1, list, -1, SQLITE_STATIC);
	if (store_db_run(st))
		return store_db_fail(s, "adding channel names", why);
	st = store_db_statement(s, SQL_NAMES_FIND);
	sqlite3_bind_text(st, 1, list, -1, SQLITE_STATIC);
	if (!st || sqlite3_step(st) != SQLITE_ROW)
		return store_db_fail(s, "adding channel names", why);
	*id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return 0;
}

static int drop_window(struct store *s, int64_t event, struct why *why)
{
	sqlite3_bind_int64(store_db_statement(s, SQL_CHUNK_DROP), 1, event);
	sqlite3_bind_int64(store_db_statement(s, SQL_ROWS_CLEAR), 1, event);
	if (store_db_run(s->statement[SQL_CHUNK_DROP]) ||
	    store_db_run(s->statement[SQL_ROWS_CLEAR]))
		return store_db_fail(s, "dropping an old window", why);
	return store_db_measure(s, why);
}

/* Oldest first, an eighth more than need be: not at every call. */
static int make_room(struct store *s, int64_t event, struct why *why)
{
	uint64_t target = s->window_limit - s->window_limit / 8;
	int64_t oldest;
	int err;

	if (s->window_bytes <= s->window_limit)
		return 0;
	while (s->window_bytes > target) {
		sqlite3_stmt *st = store_db_statement(s, SQL_CHUNK_OLDEST);

		sqlite3_bind_int64(st, 1, event);
		if (!st || sqlite3_step(st) != SQLITE_ROW)
			return store_db_fail(s, "finding an old window", why);
		oldest = sqlite3_column_int64(st, 0);	/* NULL, when there is none, is 0 */
		sqlite3_reset(st);
		if (!oldest)
			return 0;
		err = drop_window(s, oldest, why);
		if (err)
			return err;
	}
	return 0;
}

static int add_chunks(struct store *s, int64_t event, const struct record *const *rows,
		      unsigned count, unsigned channels, struct why *why)
{
	unsigned most = (unsigned)(STORE_CHUNK_BYTES / store_db_row_bytes(channels));
	int64_t clock = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);

	while (count) {
		unsigned n = count < most ? count : most;
		sqlite3_stmt *st = store_db_statement(s, SQL_CHUNK_ADD);
		unsigned char *end = s->chunk;

		for (unsigned i = 0; i < n; i++)
			end = put_row(end, rows[i], channels);
		sqlite3_bind_int64(st, 1, event);
		sqlite3_bind_int64(st, 2, n);
		sqlite3_bind_int64(st, 3, clock);
		sqlite3_bind_int64(st, 4, clock + (int64_t)rows[n - 1]->t_ns);
		sqlite3_bind_blob(st, 5, s->chunk, (int)(end - s->chunk), SQLITE_STATIC);
		if (store_db_run(st))
			return store_db_fail(s, "adding a window", why);
		s->window_bytes += (uint64_t)(end - s->chunk);
		rows += n;
		count -= n;
	}
	return 0;
}

static int add_window(struct store *s, int64_t event, const struct record *const *rows,
		      unsigned count, unsigned channels, const char *list, struct why *why)
{
	uint64_t share = s->window_limit / 4 / store_db_row_bytes(channels);
	sqlite3_stmt *st;
	unsigned have = 0;
	int64_t id = 0;
	int err = names_id(s, event, list, &id, &have, why);

	if (err)
		return err;
	if (have >= share)
		return 0;
	if (count > share - have)
		count = (unsigned)(share - have);
	err = add_chunks(s, event, rows, count, channels, why);
	if (err)
		return err;
	st = store_db_statement(s, SQL_EVENT_ROWS);
	sqlite3_bind_int64(st, 1, event);
	sqlite3_bind_int64(st, 2, count);
	sqlite3_bind_int64(st, 3, id);
	if (store_db_run(st))
		return store_db_fail(s, "adding a window", why);
	return make_room(s, event, why);
}

int store_window(struct store *s, int64_t event, const struct record *const *rows,
		 unsigned count, unsigned channels, const char *const *names,
		 struct why *why)
{
	char list[FRAME_CHANNELS_MAX * STORE_NAME_MAX];
	uint64_t before = s->window_bytes;
	int err;

	if (!channels || channels > FRAME_CHANNELS_MAX)
		return why_set(why, -EINVAL, "a window of %u channels", channels);
	err = join_names(list, channels, names, why);
	if (err || !count)
		return err;
	if (!s->chunk && !(s->chunk = malloc(STORE_CHUNK_BYTES)))
		return why_set(why, -ENOMEM, "no memory for a window");
	if (store_db_run(store_db_statement(s, SQL_BEGIN)))
		return store_db_fail(s, "adding a window", why);
	err = add_window(s, event, rows, count, channels, list, why);
	if (!err && store_db_run(store_db_statement(s, SQL_COMMIT)))
		err = store_db_fail(s, "adding a window", why);
	if (err) {
		/* Some errors (a full disk) have rolled back already: then this is one too many. */
		if (!sqlite3_get_autocommit(s->db))
			store_db_run(store_db_statement(s, SQL_ROLLBACK));
		s->window_bytes = before;
	}
	return err;
}
