// SPDX-License-Identifier: MIT
/*
 * store: open, check, migrate and close the event database.
 *
 * WAL, so that the tool reads while the daemon writes; synchronous=NORMAL, so that a
 * killed daemon loses nothing and a power cut at most the last transactions, at no fsync an
 * event. The WAL files stay after a close: a reader without write permission could not
 * make them. A whole check runs only after a writer that did not close: that is
 * when cards lose pages, and a check reads everything.
 */
#include "agent/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/store_db.h"
#include "kernels/why.h"

#define APPLICATION_ID 0x534f4e44	/* "SOND" */
#define BUSY_MS 1000
#define WINDOW_LIMIT (64u << 20)
#define EVENT_LIMIT 50000

/* Step k takes a database from user_version k to k + 1. */
static const char *const migration[] = {
	"CREATE TABLE names (id INTEGER PRIMARY KEY, list TEXT NOT NULL UNIQUE);"
	"CREATE TABLE event ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	pipeline TEXT NOT NULL, kind TEXT NOT NULL,"
	"	start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
	"	score REAL, threshold REAL, peak REAL,"
	"	channels TEXT NOT NULL, detail TEXT NOT NULL,"
	"	window_rows INTEGER NOT NULL DEFAULT 0, trusted INTEGER NOT NULL,"
	"	names INTEGER REFERENCES names(id));"
	"CREATE INDEX event_open ON event(id) WHERE end_ns = 0;"
	"CREATE TABLE chunk ("
	"	event INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,"
	"	seq INTEGER NOT NULL, rows INTEGER NOT NULL,"
	"	clock_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE UNIQUE INDEX chunk_order ON chunk(event, seq);"
	"CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), clean INTEGER NOT NULL);"
	"INSERT INTO state VALUES (1, 1);",
};
#define SCHEMA_VERSION ((int)(sizeof migration / sizeof *migration))

static const char *const sql[SQL_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_EVENT_ADD] =
		"INSERT INTO event (pipeline, kind, start_ns, end_ns, score, threshold, peak,"
		" channels, detail, trusted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_EVENT_END] = "UPDATE event SET end_ns = ?2, peak = ?3, detail = ?4 WHERE id = ?1",
	[SQL_EVENT_PRUNE] = "DELETE FROM event WHERE id <= ?1",
	[SQL_EVENT_RECOVER] =
		"UPDATE event SET end_ns = max(start_ns, (SELECT coalesce(max(last_ns), 0)"
		"	FROM chunk WHERE chunk.event = event.id)),"
		" detail = iif(detail = '', '', detail || '; ') ||"
		"	'the agent ended during this event'"
		" WHERE end_ns = 0",
	[SQL_EVENT_LIST] =
		"SELECT id, pipeline, kind, start_ns, end_ns, score, threshold, peak, channels,"
		" detail, window_rows, trusted FROM event ORDER BY id DESC LIMIT ?1",
	[SQL_EVENT_NAMES] =
		"SELECT event.names, names.list, event.window_rows FROM event"
		" LEFT JOIN names ON names.id = event.names WHERE event.id = ?1",
	[SQL_EVENT_ROWS] =
		"UPDATE event SET window_rows = window_rows + ?2, names = ?3 WHERE id = ?1",
	[SQL_NAMES_ADD] = "INSERT INTO names (list) VALUES (?1) ON CONFLICT DO NOTHING",
	[SQL_NAMES_FIND] = "SELECT id FROM names WHERE list = ?1",
	[SQL_CHUNK_ADD] =
		"INSERT INTO chunk (event, seq, rows, clock_ns, last_ns, data) VALUES (?1,"
		" (SELECT coalesce(max(seq) + 1, 0) FROM chunk WHERE event = ?1), ?2, ?3, ?4, ?5)",
	[SQL_CHUNK_LIST] = "SELECT rows, clock_ns, data FROM chunk WHERE event = ?1 ORDER BY seq",
	[SQL_CHUNK_TOTAL] = "SELECT coalesce(sum(length(data)), 0) FROM chunk",
	[SQL_CHUNK_OLDEST] = "SELECT min(event) FROM chunk WHERE event <> ?1",
	[SQL_CHUNK_DROP] = "DELETE FROM chunk WHERE event = ?1",
	[SQL_ROWS_CLEAR] = "UPDATE event SET window_rows = 0 WHERE id = ?1",
	[SQL_CLEAN] = "UPDATE state SET clean = ?1",
};

static int errno_of(int code, int system_errno)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return system_errno > 0 ? -system_errno : -EACCES;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

int store_db_fail(struct store *s, const char *doing, struct why *why)
{
	int code = s->db ? sqlite3_errcode(s->db) : SQLITE_NOMEM;
	int sys = s->db ? sqlite3_system_errno(s->db) : 0;
	int err = errno_of(code, sys);
	bool tell = sys && ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR);

	if (err == -EBADMSG)
		s->suspect = true;
	return why_set(why, err, "%s: %s: %s%s%s", s->path, doing,
		       s->db ? sqlite3_errmsg(s->db) : "no memory", tell ? ": " : "",
		       tell ? strerror(sys) : "");
}

sqlite3_stmt *store_db_statement(struct store *s, enum store_sql which)
{
	sqlite3_stmt **st = &s->statement[which];

	if (*st) {
		sqlite3_reset(*st);
		sqlite3_clear_bindings(*st);
	} else {
		sqlite3_prepare_v3(s->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	}
	return *st;
}

int store_db_run(sqlite3_stmt *st)
{
	if (!st)
		return SQLITE_ERROR;
	sqlite3_step(st);
	return sqlite3_reset(st);
}

int store_db_measure(struct store *s, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_CHUNK_TOTAL);

	if (!st || sqlite3_step(st) != SQLITE_ROW)
		return store_db_fail(s, "measuring the windows", why);
	s->window_bytes = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return 0;
}

/* One number from a query; SQLite's result code. */
static int ask(struct store *s, const char *text, int64_t *number)
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(s->db, text, -1, &st, NULL);

	if (code)
		return code;
	if (sqlite3_step(st) == SQLITE_ROW)
		*number = sqlite3_column_int64(st, 0);
	return sqlite3_finalize(st);
}

static int migrate(struct store *s, struct why *why)
{
	int64_t version = 0, application = 0;

	if (ask(s, "PRAGMA user_version", &version) ||
	    ask(s, "PRAGMA application_id", &application))
		return store_db_fail(s, "opening", why);
	if (version > SCHEMA_VERSION)
		return why_set(why, -ENOTSUP,
			       "%s: written by a newer Sonde (schema %d, this one knows %d)",
			       s->path, (int)version, SCHEMA_VERSION);
	if (application != APPLICATION_ID && (application || version))
		return why_set(why, -EINVAL, "%s: a database of another program", s->path);
	if (s->read_only && version < SCHEMA_VERSION)
		return why_set(why, version ? -ENOTSUP : -ENOENT, version ?
			       "%s: of an older Sonde; a start of sonded brings it up to date" :
			       "%s: no events yet", s->path);
	for (int v = (int)version; v < SCHEMA_VERSION; v++) {
		char text[96];

		snprintf(text, sizeof text, "PRAGMA application_id = %d; PRAGMA user_version = %d;"
			 "COMMIT", APPLICATION_ID, v + 1);
		if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
		    sqlite3_exec(s->db, migration[v], NULL, NULL, NULL) ||
		    sqlite3_exec(s->db, text, NULL, NULL, NULL)) {
			int err = store_db_fail(s, "making the tables", why);

			sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
			return err;
		}
	}
	return 0;
}

/* After a writer that did not close: is every page where it should be? */
static int check(struct store *s, struct why *why)
{
	sqlite3_stmt *st = NULL;
	int64_t clean = 0;
	int err = 0;

	if (ask(s, "SELECT clean FROM state", &clean))
		return store_db_fail(s, "opening", why);
	if (clean)
		return 0;
	if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &st, NULL) ||
	    sqlite3_step(st) != SQLITE_ROW)
		err = store_db_fail(s, "checking", why);
	else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok"))
		err = why_set(why, -EBADMSG, "%s: damaged: %s", s->path,
			      (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return err;
}

static int open_writer(struct store *s, struct why *why)
{
	int persist = 1, err;

	if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL))
		return store_db_fail(s, "opening", why);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			 "PRAGMA foreign_keys = ON; PRAGMA cache_size = -512;"
			 "PRAGMA journal_size_limit = 4194304", NULL, NULL, NULL))
		return store_db_fail(s, "opening", why);
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	if ((err = migrate(s, why)) || (err = check(s, why)))
		return err;
	/* A write, so that a directory or disk that takes none is found now. */
	sqlite3_bind_int(store_db_statement(s, SQL_CLEAN), 1, 0);
	if (store_db_run(s->statement[SQL_CLEAN]))
		return store_db_fail(s, "writing", why);
	return store_db_measure(s, why);
}

static int open_reader(struct store *s, struct why *why)
{
	char uri[1024], *at = uri;
	int err;

	if (access(s->path, F_OK))
		return why_set(why, -errno, errno == ENOENT ?
			       "%s: no events yet: sonded has not run here" : "%s: %m", s->path);
	if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_EXRESCODE, NULL))
		return store_db_fail(s, "opening", why);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	err = migrate(s, why);
	if (err != -EACCES && err != -EROFS && err != -ENOENT)
		return err;
	/*
	 * A copy without its WAL, in a place where SQLite may not make one (sqlite.org/wal.html,
	 * "Read-Only Databases"): nobody writes it, so it may be read as immutable.
	 */
	at += snprintf(uri, sizeof uri, "%s-wal", s->path);
	if (at >= uri + sizeof uri || !access(uri, F_OK))
		return err;
	at = uri + snprintf(uri, sizeof uri, "file:");
	for (const char *p = s->path; *p && at < uri + sizeof uri - 32; p++)
		at += sprintf(at, strchr("%?#", *p) ? "%%%02X" : "%c", *p);
	strcpy(at, "?immutable=1");
	sqlite3_close(s->db);
	s->db = NULL;
	if (sqlite3_open_v2(uri, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI, NULL))
		return store_db_fail(s, "opening", why);
	return migrate(s, why);
}

/* Out of the way with it, and with any earlier one: a dying card must not fill itself. */
static int move_aside(const char *path, struct why *why)
{
	char to[512], from[512], stamp[32], reason[sizeof why->text];
	time_t now = time(NULL);
	struct tm tm;
	glob_t old;

	snprintf(to, sizeof to, "%s.corrupt-*", path);
	if (!glob(to, GLOB_NOSORT, NULL, &old)) {
		for (size_t i = 0; i < old.gl_pathc; i++)
			unlink(old.gl_pathv[i]);
		globfree(&old);
	}
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
	snprintf(to, sizeof to, "%s.corrupt-%s", path, stamp);
	if (rename(path, to))
		return why_set(why, -errno, "%s: damaged, and can not be moved aside: %m", path);
	snprintf(from, sizeof from, "%s-shm", path);
	unlink(from);
	snprintf(from, sizeof from, "%s-wal", path);
	snprintf(to, sizeof to, "%s.corrupt-%s-wal", path, stamp);
	if (rename(from, to) && errno != ENOENT)
		return why_set(why, -errno, "%s: can not be moved aside: %m", from);
	if (why) {
		snprintf(reason, sizeof reason, "%s", why->text);
		why_set(why, 0, "%.200s; moved to events.db.corrupt-%s, a new one begun",
			reason, stamp);
	}
	return 0;
}

static void close_db(struct store *s)
{
	for (unsigned i = 0; i < SQL_STATEMENTS; i++) {
		sqlite3_finalize(s->statement[i]);
		s->statement[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
}

int store_open(struct store **out, const char *state_dir, bool read_only, struct why *why)
{
	struct store *s = calloc(1, sizeof *s);
	struct why local, *reason = why ? why : &local;
	int err = -ENOMEM;

	*out = NULL;
	reason->text[0] = 0;
	if (!s || asprintf(&s->path, "%s/events.db", state_dir) < 0)
		goto fail;
	s->read_only = read_only;
	s->window_limit = WINDOW_LIMIT;
	s->event_limit = EVENT_LIMIT;
	if (read_only) {
		err = open_reader(s, reason);
	} else {
		/* SQLite itself would report what its last fallback met, not this. */
		if ((mkdir(state_dir, 0755) && errno != EEXIST) ||
		    eaccess(state_dir, W_OK | X_OK)) {
			err = why_set(reason, -errno, "%s: no events can be stored: %m", state_dir);
			goto fail;
		}
		err = open_writer(s, reason);
		if (err == -EBADMSG) {
			close_db(s);
			s->suspect = false;
			err = move_aside(s->path, reason);
			if (!err)
				err = open_writer(s, reason);
		}
	}
	if (err)
		goto fail;
	*out = s;
	return 0;
fail:
	if (s)
		s->suspect = true;
	store_close(s);
	return err == -ENOMEM ? why_set(reason, err, "no memory for the event store") : err;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->db && !s->read_only && !s->suspect && store_db_statement(s, SQL_CLEAN)) {
		sqlite3_bind_int(s->statement[SQL_CLEAN], 1, 1);
		store_db_run(s->statement[SQL_CLEAN]);
	}
	close_db(s);
	free(s->chunk);
	free(s->path);
	free(s);
}

void store_limit(struct store *s, uint64_t window_bytes, unsigned events)
{
	s->window_limit = window_bytes;
	s->event_limit = events;
}
