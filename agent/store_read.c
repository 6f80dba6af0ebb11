// SPDX-License-Identifier: MIT
/*
 * store_read: a window back out of its chunks, for reports and for anyone who wants to
 * see an alarm again. What it reads may have been damaged on the card: sizes are checked
 * against each other before anything is copied.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/frame.h"
#include "agent/store.h"
#include "agent/store_db.h"
#include "kernels/why.h"

static uint64_t get64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

static uint32_t get32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static void get_floats(float *to, const unsigned char *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t bits = get32(p + 4 * (size_t)i);

		memcpy(&to[i], &bits, sizeof bits);
	}
}

static int window_alloc(struct store_window *w)
{
	size_t rows = w->rows, cells = rows * w->channels;

	w->name = calloc(w->channels, sizeof *w->name);
	w->tick = calloc(rows, sizeof *w->tick);
	w->realtime_ns = calloc(rows, sizeof *w->realtime_ns);
	w->valid = calloc(rows, sizeof *w->valid);
	w->score = calloc(rows, sizeof *w->score);
	w->limit = calloc(rows, sizeof *w->limit);
	w->scored = calloc(rows, 1);
	w->alarm = calloc(rows, 1);
	w->value = calloc(cells, sizeof *w->value);
	w->contribution = calloc(cells, sizeof *w->contribution);
	return w->name && w->tick && w->realtime_ns && w->valid && w->score && w->limit &&
	       w->scored && w->alarm && w->value && w->contribution ? 0 : -ENOMEM;
}

static void get_row(struct store_window *w, unsigned i, const unsigned char *p, int64_t clock)
{
	uint32_t flags = get32(p + 32);
	unsigned n = w->channels;

	w->tick[i] = get64(p);
	w->realtime_ns[i] = clock + (int64_t)get64(p + 8);
	w->valid[i] = get64(p + 16);
	get_floats(&w->score[i], p + 24, 1);
	get_floats(&w->limit[i], p + 28, 1);
	w->scored[i] = (flags & STORE_ROW_SCORED) != 0;
	w->alarm[i] = (flags & STORE_ROW_ALARM) != 0;
	get_floats(w->value + (size_t)i * n, p + STORE_ROW_HEAD, n);
	get_floats(w->contribution + (size_t)i * n, p + STORE_ROW_HEAD + 4 * (size_t)n, n);
}

/* The event's names and number of rows: all that is needed to allocate. */
static int read_head(struct store *s, int64_t event, struct store_window *w, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_EVENT_NAMES);
	const char *list;
	int err = 0;

	if (!st)
		return store_db_fail(s, "reading a window", why);
	sqlite3_bind_int64(st, 1, event);
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		break;
	case SQLITE_DONE:
		return why_set(why, -ENOENT, "no event %lld", (long long)event);
	default:
		return store_db_fail(s, "reading a window", why);
	}
	list = (const char *)sqlite3_column_text(st, 1);
	w->rows = (unsigned)sqlite3_column_int64(st, 2);
	if (!list || !w->rows) {
		err = why_set(why, -ENOENT, "event %lld: no window is kept", (long long)event);
		goto out;
	}
	w->channels = 1;
	for (const char *p = list; (p = strchr(p, '\n')); p++)
		w->channels++;
	if (w->channels > FRAME_CHANNELS_MAX)
		err = why_set(why, -EBADMSG, "event %lld: bad channel names", (long long)event);
	else if (window_alloc(w))
		err = why_set(why, -ENOMEM, "no memory for a window");
	for (unsigned i = 0; !err && i < w->channels; i++) {
		size_t len = strcspn(list, "\n");

		if (len >= STORE_NAME_MAX)
			err = why_set(why, -EBADMSG, "event %lld: bad channel names",
				      (long long)event);
		else
			memcpy(w->name[i], list, len);
		list += len + 1;
	}
out:
	sqlite3_reset(st);
	return err;
}

static int read_rows(struct store *s, int64_t event, struct store_window *w, struct why *why)
{
	sqlite3_stmt *st = store_db_statement(s, SQL_CHUNK_LIST);
	size_t size = store_db_row_bytes(w->channels);
	unsigned at = 0;
	int code, err = 0;

	if (!st)
		return store_db_fail(s, "reading a window", why);
	sqlite3_bind_int64(st, 1, event);
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		uint64_t n = (uint64_t)sqlite3_column_int64(st, 0);
		int64_t clock = sqlite3_column_int64(st, 1);
		const unsigned char *data = sqlite3_column_blob(st, 2);

		if (n > w->rows - at || (uint64_t)sqlite3_column_bytes(st, 2) != n * size)
			break;
		for (unsigned i = 0; i < n; i++)
			get_row(w, at++, data + i * size, clock);
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		err = store_db_fail(s, "reading a window", why);
	else if (code == SQLITE_ROW || at != w->rows)
		err = why_set(why, -EBADMSG, "event %lld: its window is not whole",
			      (long long)event);
	sqlite3_reset(st);
	return err;
}

int store_window_read(struct store *s, int64_t event, struct store_window **out,
		      struct why *why)
{
	struct store_window *w = calloc(1, sizeof *w);
	int err;

	*out = NULL;
	if (!w)
		return why_set(why, -ENOMEM, "no memory for a window");
	/* One snapshot for both questions: the daemon may be adding rows. */
	sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL);
	err = read_head(s, event, w, why);
	if (!err)
		err = read_rows(s, event, w, why);
	sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	if (err) {
		store_window_free(w);
		return err;
	}
	*out = w;
	return 0;
}

void store_window_free(struct store_window *w)
{
	if (!w)
		return;
	free(w->name);
	free(w->tick);
	free(w->realtime_ns);
	free(w->valid);
	free(w->score);
	free(w->limit);
	free(w->scored);
	free(w->alarm);
	free(w->value);
	free(w->contribution);
	free(w);
}
