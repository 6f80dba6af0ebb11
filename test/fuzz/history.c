// SPDX-License-Identifier: MIT
/*
 * fuzz: any bytes as what an event store holds: a list of names up to a NUL, how many rows a chunk
 * claims besides those that it has, and the chunk. What is accepted is rows of normal operation. The
 * database around it is whole: SQLite has fuzzers of its own.
 */
#include <math.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3 *db;
static char path[] = "/tmp/sonde-fuzz-XXXXXX";

static void must(int is)
{
	if (!is)
		abort();
}

static void tidy(void)
{
	sqlite3_close(db);
	unlink(path);
}

static void begin(void)
{
	int fd = mkstemp(path);

	must(fd >= 0 && !close(fd) && !atexit(tidy) && !sqlite3_open(path, &db));
	must(!sqlite3_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
		"PRAGMA application_id = 1397706308; PRAGMA user_version = 1; CREATE TABLE names (id INTEGER PRIMARY KEY, list);"
		"CREATE TABLE event (id INTEGER PRIMARY KEY, pipeline, kind, start_ns, end_ns,"
		" window_rows, names); CREATE TABLE chunk (event, seq, rows, clock_ns, data);"
		"INSERT INTO event VALUES (1, 'p', 'alarm', 1000000, 0, 1, 1);", NULL, NULL, NULL));
}

static void put(const char *sql, const void *blob, size_t len, int64_t number, int text)
{
	sqlite3_stmt *st;

	must(!sqlite3_prepare_v2(db, sql, -1, &st, NULL));
	if (text)
		sqlite3_bind_text(st, 1, blob, (int)len, SQLITE_STATIC);
	else
		sqlite3_bind_blob(st, 1, blob, (int)len, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, number);
	must(sqlite3_step(st) == SQLITE_DONE);
	sqlite3_finalize(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	size_t names = end ? (size_t)(end - data) : size, row = 48, left;
	struct table *t;
	struct why why;

	if (!db)
		begin();
	for (size_t i = 0; i < names; i++)
		row += 8 * (data[i] == '\n');
	put("INSERT OR REPLACE INTO names VALUES (?2, ?1)", data, names, 1, 1);
	must(!sqlite3_exec(db, "DELETE FROM chunk", NULL, NULL, NULL));
	data += names;
	left = size - names;
	if (left >= 2)
		put("INSERT INTO chunk VALUES (1, 0, ?2, 0, ?1)", data + 2, left - 2,
		    (int64_t)((left - 2) / row) + (int8_t)data[1], 0);
	if (history_read(&t, path, NULL, &why))
		return 0;
	must(t->rows >= HISTORY_ROWS_MIN && t->channels == (row - 40) / 8);
	must(t->rate_hz >= 0 && !isinf(t->rate_hz) && strlen(t->sha256) == 64);
	for (unsigned i = 0; i < t->channels; i++)
		must(*t->name[i] && strlen(t->name[i]) < sizeof *t->name);
	for (size_t i = 0; i < (size_t)t->rows * t->channels; i++)
		must(!isinf(t->value[i]));
	table_free(t);
	return 0;
}
