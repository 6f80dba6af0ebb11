/* SPDX-License-Identifier: MIT */
/* store_fixture: a folder of its own, rows whose bits give them away, and a look at the result. */
#ifndef SONDE_STORE_FIXTURE_H
#define SONDE_STORE_FIXTURE_H

#include <math.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/queue.h"
#include "agent/store.h"
#include "kernels/why.h"
#include "test/test.h"

#define CHANNELS 5
static const char *const names[CHANNELS] = { "cpu0.busy", "cpu1.busy", "mem free", "µ/t", "x" };
static char top[] = "/tmp/sonde-store-XXXXXX";

static inline const char *place(const char *name)
{
	static char path[16][256];
	static unsigned which;

	which = (which + 1) % 16;
	snprintf(path[which], sizeof path[which], "%s/%s", top, name);
	return path[which];
}

static inline void tidy(void)
{
	char command[128];

	umount2(place("small"), MNT_DETACH);
	snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", top, top);
	if (system(command))
		fprintf(stderr, "%s stays\n", top);
}

static inline void begin(void)
{
	CHECK(mkdtemp(top));
	atexit(tidy);
}

static inline struct record *make_row(uint64_t tick, unsigned channels)
{
	struct record *r = calloc(1, sizeof *r + channels * 9);
	static const float odd[] = { -0.0f, 1e-42f, INFINITY, NAN, 3.4e38f, 0.1f };

	CHECK(r);
	r->tick = tick;
	r->t_ns = 1000000007 * tick;
	r->score = 0.1f * (float)tick;
	r->limit = 9.5f;
	r->scored = tick % 3 != 0;
	r->alarm = tick % 5 == 0;
	for (unsigned i = 0; i < channels; i++) {
		r->data[i] = (tick + i) % 7 < 6 ? odd[(tick + i) % 7] : (float)tick / 3;
		r->data[channels + i] = (float)i + 1.0f / (float)(tick + 1);
		((uint8_t *)(r->data + 2 * channels))[i] = (tick + i) % 4 != 0;
	}
	return r;
}

static inline int put_window(struct store *s, int64_t id, uint64_t first, unsigned count,
		      unsigned channels, const char *const *with, struct why *why)
{
	struct record **row = calloc(count, sizeof *row);
	int err;

	CHECK(row);
	for (unsigned i = 0; i < count; i++)
		row[i] = make_row(first + i, channels);
	err = store_window(s, id, (const struct record *const *)row, count, channels, with, why);
	for (unsigned i = 0; i < count; i++)
		free(row[i]);
	free(row);
	return err;
}

static inline struct store_event event(const char *kind, int64_t start)
{
	struct store_event e = {
		.start_realtime_ns = start, .score = 12.25, .limit = 9.5, .peak = 12.5,
		.channels = "[{\"name\":\"x\",\"share\":0.7}]", .detail = "it's \"so\"",
		.trusted = true,
	};

	snprintf(e.pipeline, sizeof e.pipeline, "board");
	snprintf(e.kind, sizeof e.kind, "%s", kind);
	return e;
}

static inline struct store *opened(const char *dir, bool read_only)
{
	struct store *s;
	struct why why;

	if (store_open(&s, dir, read_only, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	CHECK_STR(why.text, "");
	return s;
}

#define LISTED 512
struct listed {
	unsigned n, stop;
	struct store_event e[LISTED];
};

static inline int collect(void *user, const struct store_event *e)
{
	struct listed *l = user;

	if (l->n < LISTED)
		l->e[l->n] = *e;
	return ++l->n == l->stop;
}

static inline struct listed list(struct store *s, unsigned max)
{
	struct listed l = { 0 };

	CHECK_EQ(store_list(s, max, collect, &l, NULL), 0);
	return l;
}

static inline void check_window(struct store *s, int64_t id, uint64_t first, unsigned rows)
{
	struct store_window *w;
	struct why why;

	if (store_window_read(s, id, &w, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	CHECK_EQ(w->rows, rows);
	CHECK_EQ(w->channels, CHANNELS);
	for (unsigned i = 0; i < CHANNELS; i++)
		CHECK_STR(w->name[i], names[i]);
	for (unsigned i = 0; i < rows; i++) {
		struct record *r = make_row(first + i, CHANNELS);

		CHECK_EQ(w->tick[i], r->tick);
		CHECK_NEAR((double)(w->realtime_ns[i] - w->realtime_ns[0]) / 1e9,
			   i * 1.000000007, .5);
		CHECK(!memcmp(&w->score[i], &r->score, 4) && w->limit[i] == r->limit);
		CHECK(w->scored[i] == r->scored && w->alarm[i] == r->alarm);
		CHECK(!memcmp(w->value + i * CHANNELS, r->data, CHANNELS * 4));
		CHECK(!memcmp(w->contribution + i * CHANNELS, r->data + CHANNELS, CHANNELS * 4));
		for (unsigned c = 0; c < CHANNELS; c++)
			CHECK_EQ(w->valid[i] >> c & 1, record_valid(r, CHANNELS)[c]);
		CHECK_EQ(w->valid[i] >> CHANNELS, 0);
		free(r);
	}
	store_window_free(w);
}

/* The one number that a query gives. */
static inline long long ask(const char *dir, const char *query)
{
	char path[256];
	sqlite3_stmt *st;
	sqlite3 *db;
	long long n;

	snprintf(path, sizeof path, "%s/events.db", dir);
	CHECK_EQ(sqlite3_open(path, &db), 0);
	CHECK_EQ(sqlite3_prepare_v2(db, query, -1, &st, NULL), 0);
	CHECK_EQ(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static inline bool integrity_ok(const char *dir)
{
	return ask(dir, "SELECT integrity_check = 'ok' FROM pragma_integrity_check") &&
	       ask(dir, "SELECT count(*) FROM pragma_integrity_check") == 1;
}

#endif
