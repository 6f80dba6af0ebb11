// SPDX-License-Identifier: MIT
/*
 * history: see history.h. Whose rows, and of which channels; what becomes of them is in
 * history_rows.c.
 */
#include "models/train/history.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/hash.h"
#include "models/table.h"
#include "models/text.h"
#include "models/train/history_impl.h"

#define MAGIC "SQLite format 3"	/* with its NUL: sqlite.org/fileformat2.html, 1.3 */
#define APPLICATION_ID 0x534f4e44
#define VERSION 1
#define BUSY_MS 1000
#define CHANNELS_MAX 64

int history_fail(struct history *h, const char *doing)
{
	int code = sqlite3_errcode(h->db) & 0xff;

	return why_set(h->why, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? -EBADMSG :
		       code == SQLITE_NOMEM ? -ENOMEM : -EIO, "%s: %s: %s", h->path, doing,
		       sqlite3_errmsg(h->db));
}

int history_prepare(struct history *h, sqlite3_stmt **st, const char *sql)
{
	return sqlite3_prepare_v2(h->db, sql, -1, st, NULL) ? history_fail(h, "reading") : 0;
}

static int number(struct history *h, const char *sql, int64_t *v)
{
	sqlite3_stmt *st;
	int err = history_prepare(h, &st, sql);

	if (err)
		return err;
	err = sqlite3_step(st) == SQLITE_ROW ? 0 : history_fail(h, "reading");
	*v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return err;
}

static int check_kind(struct history *h)
{
	int64_t application = 0, version = 0;
	int err = number(h, "PRAGMA application_id", &application);

	if (!err)
		err = number(h, "PRAGMA user_version", &version);
	if (err)
		return err;
	if (application != APPLICATION_ID)
		return why_set(h->why, -EINVAL, "%s: a database, but no event store of Sonde's",
			       h->path);
	return version == VERSION ? 0 :
	       why_set(h->why, -ENOTSUP, "%s: an event store of version %d, this one reads %d",
		       h->path, (int)version, VERSION);
}

/* The path as a URI; a copy without its WAL where SQLite may write none is read as immutable. */
static int open_db(struct history *h)
{
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
	size_t room = 3 * strlen(h->path) + 32;
	char *uri = malloc(room), *at = uri;
	int err = -EIO;

	if (!uri)
		return why_set(h->why, -ENOMEM, "out of memory");
	at += sprintf(at, "file:");
	for (const char *p = h->path; *p; p++)
		at += sprintf(at, strchr("%?#", *p) ? "%%%02X" : "%c", (unsigned char)*p);
	for (int copy = 0; err && copy < 2; copy++) {
		strcpy(at, copy ? "?immutable=1" : "");
		sqlite3_close(h->db);
		if (sqlite3_open_v2(uri, &h->db, flags, NULL)) {
			err = history_fail(h, "opening");
			continue;
		}
		sqlite3_busy_timeout(h->db, BUSY_MS);
		sqlite3_exec(h->db, "PRAGMA trusted_schema = OFF", NULL, NULL, NULL);
		err = check_kind(h);
		if (err == -EINVAL || err == -ENOTSUP || err == -EBADMSG)
			break;
	}
	free(uri);
	return err;
}

/* The pipelines that have windows, as a list for people. Returns how many; the first into name. */
static int list_pipelines(struct history *h, char *list, size_t size, char name[64], int *n)
{
	static const char sql[] =
		"SELECT DISTINCT pipeline FROM event WHERE window_rows > 0 ORDER BY pipeline";
	sqlite3_stmt *st;
	size_t at = 0;
	int code, err = history_prepare(h, &st, sql);

	*n = 0;
	*list = 0;
	if (err)
		return err;
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 0);

		if (!text || !text_printable(text, strlen(text)))
			continue;
		if (!(*n)++)
			snprintf(name, 64, "%s", text);
		if (at < size)
			at += (size_t)snprintf(list + at, size - at, "%s%s", at ? ", " : "", text);
	}
	err = code == SQLITE_DONE ? 0 : history_fail(h, "reading");
	sqlite3_finalize(st);
	return err;
}

static int choose_pipeline(struct history *h, const char *wanted)
{
	char list[256];
	int n, err = list_pipelines(h, list, sizeof(list), h->pipeline, &n);

	if (err)
		return err;
	if (!n)
		return why_set(h->why, -EINVAL, "%s: no rows are stored in it: at least %u of normal "
			       "operation are needed", h->path, HISTORY_ROWS_MIN);
	if (!wanted && n > 1)
		return why_set(h->why, -EINVAL, "%s: several pipelines, name one with --pipeline: %s",
			       h->path, list);
	if (wanted)
		snprintf(h->pipeline, sizeof(h->pipeline), "%s", wanted);
	return 0;
}

static int set_names(struct history *h, const char *list)
{
	struct table *t = h->t;

	t->channels = 1;
	for (const char *p = list; (p = strchr(p, '\n')); p++)
		t->channels++;
	if (t->channels > CHANNELS_MAX)
		return why_set(h->why, -EBADMSG, "%s: %u channels in a window", h->path, t->channels);
	t->name = calloc(t->channels, sizeof(*t->name));
	if (!t->name)
		return why_set(h->why, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < t->channels; i++) {
		size_t n = strcspn(list, "\n");

		if (!n || n >= sizeof(*t->name) || !text_printable(list, n))
			return why_set(h->why, -EBADMSG, "%s: bad channel names", h->path);
		memcpy(t->name[i], list, n);
		list += n + 1;
	}
	return 0;
}

static int choose_names(struct history *h)
{
	static const char sql[] =
		"SELECT names.id, names.list FROM event JOIN names ON names.id = event.names "
		"WHERE pipeline = ?1 AND window_rows > 0 ORDER BY event.id DESC LIMIT 1";
	sqlite3_stmt *st;
	char list[256], first[64];
	int code, n, err = history_prepare(h, &st, sql);

	if (err)
		return err;
	sqlite3_bind_text(st, 1, h->pipeline, -1, SQLITE_STATIC);
	code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 1);

		h->names = sqlite3_column_int64(st, 0);
		err = set_names(h, text ? text : "");
	} else if (code != SQLITE_DONE) {
		err = history_fail(h, "reading");
	}
	sqlite3_finalize(st);
	if (err || code == SQLITE_ROW)
		return err;
	err = list_pipelines(h, list, sizeof(list), first, &n);
	return err ? err : why_set(h->why, -EINVAL, "%s: no rows of a pipeline %s; there is: %s",
				   h->path, h->pipeline, list);
}

static int read_all(struct history *h, const char *pipeline)
{
	int err = open_db(h);

	if (err)
		return err;
	/* One snapshot for all questions: the daemon may be writing. */
	sqlite3_exec(h->db, "BEGIN", NULL, NULL, NULL);
	err = choose_pipeline(h, pipeline);
	if (!err)
		err = choose_names(h);
	if (!err)
		err = history_trouble(h);
	if (!err)
		err = history_rows(h);
	if (!err && h->normal < HISTORY_ROWS_MIN)
		err = why_set(h->why, -EINVAL, "%s: %u rows of normal operation of %s in pieces of %u "
			      "and more; at least %u are needed (`before` in the configuration keeps "
			      "more of them with an alarm; `sonde record` needs none)", h->path,
			      h->normal, h->pipeline, HISTORY_PIECE_MIN, HISTORY_ROWS_MIN);
	return err;
}

static int read_store(struct table **out, const char *path, const char *pipeline, struct why *why)
{
	struct history h = { .path = path, .kept_ns = INT64_MIN, .why = why };
	int err;

	h.t = calloc(1, sizeof(*h.t));
	err = h.t ? read_all(&h, pipeline) : why_set(why, -ENOMEM, "out of memory");
	sqlite3_close(h.db);
	free(h.trouble.start);
	free(h.trouble.most);
	if (err) {
		table_free(h.t);
		return err;
	}
	h.t->rate_hz = h.period_sum > 0 ? 1e9 * h.periods / h.period_sum : 0;
	hash_sha256(h.t->sha256, h.t->value,
		    (size_t)h.t->rows * h.t->channels * sizeof(*h.t->value));
	*out = h.t;
	return 0;
}

static bool is_store(const char *path)
{
	char head[sizeof(MAGIC)] = "";
	FILE *f = fopen(path, "re");
	bool is = f && fread(head, 1, sizeof(head), f) == sizeof(head) &&
		  !memcmp(head, MAGIC, sizeof(head));

	if (f)
		fclose(f);
	return is;
}

int history_read(struct table **out, const char *path, const char *pipeline, struct why *why)
{
	if (is_store(path))
		return read_store(out, path, pipeline, why);
	if (pipeline)
		return why_set(why, -EINVAL, "%s: no event store, so there is no pipeline %s in it",
			       path, pipeline);
	return table_read(out, path, why);
}
