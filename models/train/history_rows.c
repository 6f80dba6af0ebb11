// SPDX-License-Identifier: MIT
/*
 * history_rows: the windows' chunks decoded, their normal rows joined, in the order in which the
 * events began. Windows overlap where alarms follow each other closely: a row is taken once, by its
 * time. What is read may have been damaged on the card: sizes are checked before a row is looked at.
 */
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/history_impl.h"

#define ROW_HEAD 40u
#define ROW_SCORED 1u
#define ROW_ALARM 2u

struct row {
	uint64_t tick, t_ns, valid;
	float score, limit;
	uint32_t flags;
	int64_t wall_ns;
	const unsigned char *value;
};

static int add_trouble(struct trouble *t, int64_t start, int64_t end)
{
	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		int64_t *s = realloc(t->start, room * sizeof(*s)), *m;

		t->start = s ? s : t->start;
		m = realloc(t->most, room * sizeof(*m));
		t->most = m ? m : t->most;
		if (!s || !m)
			return -ENOMEM;
		t->room = room;
	}
	t->start[t->n] = start;
	t->most[t->n] = t->n && t->most[t->n - 1] > end ? t->most[t->n - 1] : end;
	t->n++;
	return 0;
}

int history_trouble(struct history *h)
{
	static const char sql[] =
		"SELECT start_ns, iif(end_ns = 0, 9223372036854775807, end_ns) FROM event "
		"WHERE pipeline = ?1 AND kind IN ('alarm', 'missed', 'state') ORDER BY start_ns";
	sqlite3_stmt *st;
	int code, err = history_prepare(h, &st, sql);

	if (err)
		return err;
	sqlite3_bind_text(st, 1, h->pipeline, -1, SQLITE_STATIC);
	while (!err && (code = sqlite3_step(st)) == SQLITE_ROW)
		err = add_trouble(&h->trouble, sqlite3_column_int64(st, 0),
				  sqlite3_column_int64(st, 1));
	if (err)
		why_set(h->why, err, "out of memory");
	else if (code != SQLITE_DONE)
		err = history_fail(h, "reading");
	sqlite3_finalize(st);
	return err;
}

static bool troubled(const struct trouble *t, int64_t at)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->start[mid] <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low && t->most[low - 1] >= at;
}

static uint64_t get64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint32_t get32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static float get_float(const unsigned char *p)
{
	uint32_t bits = get32(p);
	float v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static bool normal(const struct history *h, const struct row *r, int64_t event_start)
{
	if (r->wall_ns >= event_start || (r->flags & ROW_ALARM))
		return false;
	/* Rows that no model judged are as good as a capture's. */
	if ((r->flags & ROW_SCORED) && !(r->score <= r->limit))
		return false;
	return !troubled(&h->trouble, r->wall_ns);
}

static void end_piece(struct history *h)
{
	if (h->run < HISTORY_PIECE_MIN) {
		h->t->rows = h->kept;
	} else {
		h->normal += h->run;
		h->kept = h->t->rows;
		h->kept_ns = h->wall_ns;
	}
	h->run = 0;
}

static float *add_row(struct history *h)
{
	struct table *t = h->t;

	if (t->rows == h->room) {
		size_t room = h->room ? 2 * h->room : 1024;
		float *v = realloc(t->value, room * t->channels * sizeof(*v));

		if (!v)
			return NULL;
		t->value = v;
		h->room = room;
	}
	return t->value + (size_t)t->rows++ * t->channels;
}

/* Behind a piece that was kept: nothing, so long that no lag reaches over it. */
static int add_gap(struct history *h)
{
	for (unsigned k = 0; h->kept && k < HISTORY_GAP; k++) {
		float *v = add_row(h);

		if (!v)
			return -ENOMEM;
		for (unsigned i = 0; i < h->t->channels; i++)
			v[i] = NAN;
	}
	return 0;
}

static int take(struct history *h, const struct row *r)
{
	bool follows = h->run && r->tick == h->tick + 1 && r->t_ns > h->t_ns;
	float *v;

	if (!follows)
		end_piece(h);
	if (!h->run && add_gap(h))
		return -ENOMEM;
	v = add_row(h);
	if (!v)
		return -ENOMEM;
	for (unsigned i = 0; i < h->t->channels; i++) {
		float x = get_float(r->value + 4 * (size_t)i);

		v[i] = (r->valid >> i & 1) && isfinite(x) ? x : NAN;
	}
	if (follows) {
		h->period_sum += (double)(r->t_ns - h->t_ns);
		h->periods++;
	}
	h->run++;
	h->tick = r->tick;
	h->t_ns = r->t_ns;
	h->wall_ns = r->wall_ns;
	return 0;
}

static int read_chunk(struct history *h, sqlite3_stmt *st)
{
	int64_t event = sqlite3_column_int64(st, 0), start = sqlite3_column_int64(st, 1);
	int64_t rows = sqlite3_column_int64(st, 2), clock = sqlite3_column_int64(st, 3);
	const unsigned char *p = sqlite3_column_blob(st, 4);
	size_t size = ROW_HEAD + 8 * (size_t)h->t->channels, len = (size_t)sqlite3_column_bytes(st, 4);

	if (event != h->event)
		end_piece(h);
	h->event = event;
	if (len % size || len / size != (uint64_t)rows)
		return why_set(h->why, -EBADMSG, "%s: a window is not whole", h->path);
	for (; rows; rows--, p += size) {
		struct row r = { get64(p), get64(p + 8), get64(p + 16), get_float(p + 24),
				 get_float(p + 28), get32(p + 32), 0, p + ROW_HEAD };

		r.wall_ns = (int64_t)((uint64_t)clock + r.t_ns);
		if (r.wall_ns <= h->kept_ns || !normal(h, &r, start))
			continue;
		if (take(h, &r))
			return why_set(h->why, -ENOMEM, "%s: no memory for its rows", h->path);
	}
	return 0;
}

int history_rows(struct history *h)
{
	static const char sql[] =
		"SELECT event.id, event.start_ns, chunk.rows, chunk.clock_ns, chunk.data "
		"FROM chunk JOIN event ON event.id = chunk.event WHERE pipeline = ?1 AND names = ?2 "
		"ORDER BY event.start_ns, event.id, seq";
	sqlite3_stmt *st;
	int code, err = history_prepare(h, &st, sql);

	if (err)
		return err;
	sqlite3_bind_text(st, 1, h->pipeline, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, h->names);
	while (!err && (code = sqlite3_step(st)) == SQLITE_ROW)
		err = read_chunk(h, st);
	if (!err && code != SQLITE_DONE)
		err = history_fail(h, "reading");
	sqlite3_finalize(st);
	end_piece(h);
	return err;
}
