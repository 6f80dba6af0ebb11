// SPDX-License-Identifier: MIT
/*
 * What the daemon stores and what the trainer makes of it: events and windows are written with the
 * agent's own store, so that the two can not drift apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "agent/queue.h"
#include "agent/store.h"
#include "kernels/why.h"
#include "models/table.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/history.h"
#include "test/test.h"

#define CHANNELS 3
#define RATE 50
#define PERIOD (1000000000 / RATE)
static const char *const names[CHANNELS] = { "cpu.load", "µ/t", "z" };
static const char *const others[CHANNELS] = { "cpu.load", "other", "z" };
static char top[] = "/tmp/sonde-history-XXXXXX", path[64];

static void tidy(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", top);
	if (system(command))
		fprintf(stderr, "%s stays\n", top);
}

static struct store *begin(void)
{
	struct store *s;
	struct why why;

	unlink(path);
	CHECK_EQ(store_open(&s, top, false, &why), 0);
	return s;
}

static int64_t clock_distance(void)
{
	struct timespec r, m;

	clock_gettime(CLOCK_REALTIME, &r);
	clock_gettime(CLOCK_MONOTONIC, &m);
	return (r.tv_sec - m.tv_sec) * 1000000000LL + r.tv_nsec - m.tv_nsec;
}

/* The wall-clock time of a tick, half a period early: the clocks' distance is known to less. */
static int64_t wall(uint64_t tick)
{
	return clock_distance() + (int64_t)(tick * PERIOD) - PERIOD / 2;
}

static float value(uint64_t tick, unsigned channel)
{
	return (float)(tick % 1000) + 0.25f * (float)channel;
}

/* Ticks from .. to-1: 150 from `over` on over the limit, in alarm from `alarm` on; a hole in `bad`. */
static void put(struct store *s, int64_t id, uint64_t from, uint64_t to, uint64_t over,
		uint64_t alarm, uint64_t bad, const char *const *with)
{
	unsigned n = (unsigned)(to - from);
	struct record **row = calloc(n, sizeof *row);
	struct why why;

	CHECK(row);
	for (unsigned i = 0; i < n; i++) {
		struct record *r = row[i] = calloc(1, sizeof *r + CHANNELS * 9);
		uint64_t tick = from + i;

		CHECK(r);
		r->tick = tick;
		r->t_ns = tick * PERIOD;
		r->score = tick >= over && tick < over + 150 ? 20 : 1;
		r->limit = 9.5f;
		r->scored = true;
		r->alarm = tick >= alarm && tick < over + 150;
		for (unsigned c = 0; c < CHANNELS; c++) {
			r->data[c] = value(tick, c);
			r->data[CHANNELS + c] = -7;
			((uint8_t *)(r->data + 2 * CHANNELS))[c] = !(tick == bad && c == 1);
		}
	}
	CHECK_EQ(store_window(s, id, (const struct record *const *)row, n, CHANNELS, with, &why), 0);
	for (unsigned i = 0; i < n; i++)
		free(row[i]);
	free(row);
}

static int64_t event(struct store *s, const char *pipeline, const char *kind, uint64_t start,
		     uint64_t end)
{
	struct store_event e = { .start_realtime_ns = wall(start), .channels = "[]",
				 .end_realtime_ns = end ? wall(end) : 0, .trusted = true };
	struct why why;

	snprintf(e.pipeline, sizeof e.pipeline, "%s", pipeline);
	snprintf(e.kind, sizeof e.kind, "%s", kind);
	CHECK_EQ(store_begin(s, &e, &why), 0);
	return e.id;
}

static struct table *read_all(const char *pipeline)
{
	struct table *t;
	struct why why = { "" };

	if (history_read(&t, path, pipeline, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	return t;
}

static void refuses(const char *at, const char *pipeline, int error, const char *text)
{
	struct table *t;
	struct why why = { "" };

	CHECK_EQ(history_read(&t, at, pipeline, &why), error);
	if (!strstr(why.text, text)) {
		fprintf(stderr, "\"%s\" does not say: %s\n", why.text, text);
		exit(1);
	}
}

/* Rows row .. of t are ticks from .. to-1. Returns the row behind them and a gap. */
static unsigned check_piece(const struct table *t, unsigned row, uint64_t from, uint64_t to)
{
	for (uint64_t k = from; k < to; k++, row++)
		for (unsigned c = 0; c < CHANNELS; c++)
			CHECK_EQ(t->value[row * CHANNELS + c] * 4, value(k, c) * 4);
	for (unsigned k = 0; row < t->rows && k < HISTORY_GAP; k++, row++)
		for (unsigned c = 0; c < CHANNELS; c++)
			CHECK(isnan(t->value[row * CHANNELS + c]));
	return row;
}

/*
 * One window with all that is not normal in it, one that overlaps it, one of other channels, one that
 * is too short, a fault in the next, and a gap in the last.
 */
static void normal_rows(void)
{
	struct store *s = begin();
	struct table *t;
	unsigned row;
	int64_t id = event(s, "board", "alarm", 1000, 1100);

	put(s, id, 700, 1200, 990, 1010, 0, names);
	id = event(s, "board", "alarm", 1150, 1160);
	put(s, id, 850, 1170, 1150, 1155, 0, names);
	id = event(s, "board", "alarm", 3000, 3010);
	put(s, id, 2700, 3010, 3000, 3005, 0, others);
	id = event(s, "board", "alarm", 4000, 4010);
	put(s, id, 4000 - HISTORY_PIECE_MIN + 1, 4010, 4000, 4005, 0, names);
	event(s, "board", "missed", 720, 730);
	event(s, "board", "state", 5100, 5150);
	event(s, "board", "model", 5000, 5300);
	event(s, "pump", "alarm", 5000, 5300);
	id = event(s, "board", "alarm", 5200, 0);
	put(s, id, 5000, 5250, 5200, 5205, 0, names);
	id = event(s, "board", "alarm", 5160, 5170);
	put(s, id, 5150, 5165, 5160, 5165, 0, names);
	store_close(s);

	t = read_all(NULL);
	CHECK_EQ(t->channels, CHANNELS);
	for (unsigned c = 0; c < CHANNELS; c++)
		CHECK_STR(t->name[c], names[c]);
	CHECK_NEAR(t->rate_hz, RATE, 1e-9);
	CHECK_EQ(strlen(t->sha256), 64);
	CHECK(!t->label);
	/*
	 * 990 and more are over the limit; 1100 to 1149 are behind one alarm, before the next, and
	 * 1160 to 1199 behind both.
	 */
	row = check_piece(t, 0, 700, 720);
	row = check_piece(t, row, 730, 990);
	row = check_piece(t, row, 1100, 1150);
	row = check_piece(t, row, 5000, 5100);
	/* 5150 to 5159 of the fault's end are too few, as what follows is an alarm's. */
	row = check_piece(t, row, 5170, 5200);
	CHECK_EQ(row, t->rows);
	table_free(t);
}

static void holes(void)
{
	struct store *s = begin();
	struct table *t;
	int64_t id = event(s, "board", "alarm", 2000, 2010);

	put(s, id, 1000, 1300, 9999, 9999, 1100, names);
	put(s, id, 1301, 1600, 9999, 9999, 0, names);
	store_close(s);
	t = read_all("board");
	CHECK_EQ(t->rows, 300 + HISTORY_GAP + 299);
	CHECK(isnan(t->value[100 * CHANNELS + 1]));
	CHECK(t->value[100 * CHANNELS] == value(1100, 0));
	CHECK(t->value[101 * CHANNELS + 1] == value(1101, 1));
	CHECK(isnan(t->value[300 * CHANNELS]) && isnan(t->value[(299 + HISTORY_GAP) * CHANNELS]));
	CHECK(t->value[(300 + HISTORY_GAP) * CHANNELS] == value(1301, 0));
	table_free(t);
}

/* An alarm that is on is one, whatever became of its event. */
static void alarmed(void)
{
	struct store *s = begin();
	struct table *t;

	put(s, event(s, "board", "alarm", 9000, 9010), 1000, 1300, 1150, 1280, 0, names);
	put(s, event(s, "board", "alarm", 9001, 9010), 1400, 1700, 1700, 1600, 0, names);
	store_close(s);
	t = read_all(NULL);
	CHECK_EQ(check_piece(t, check_piece(t, 0, 1000, 1150), 1400, 1600), t->rows);
	table_free(t);
}

/* The pieces teach a model, and behind each gap its detector begins anew. */
static void learns(void)
{
	const struct fit_options options = { .net = RECURRENT_NONE, .seed = 1 };
	struct fit_report report;
	struct draft d = { .m = { .name = "m", .rate_hz = RATE } };
	struct store *s = begin();
	struct detector_result r;
	struct detector *det;
	uint8_t valid[CHANNELS] = { 1, 1, 1 };
	struct why why;
	struct table *t;

	for (unsigned k = 0; k < 4; k++)
		put(s, event(s, "board", "alarm", 9000 + k, 9010), 1000 + 250 * k, 1200 + 250 * k, 9999,
		    9999, 0, names);
	store_close(s);
	t = read_all(NULL);
	CHECK_EQ(t->rows, 4 * 200 + 3 * HISTORY_GAP);
	CHECK_EQ(fit_table(&d, t, &options, &report, &why), 0);
	CHECK_EQ(report.rows, t->rows);
	CHECK(d.m.spec.lags < HISTORY_GAP);
	CHECK_EQ(detector_open(&det, &d.m.spec, FC_REF, &why), 0);
	for (unsigned i = 0; i < 200 + HISTORY_GAP + 1; i++)
		detector_step(det, t->value + i * CHANNELS, valid, &r);
	for (unsigned c = 0; c < CHANNELS; c++)
		CHECK(r.prediction[c] == r.u[c]);
	detector_close(det);
	draft_close(&d);
	table_free(t);
}

static void several(void)
{
	struct store *s = begin();
	struct table *t;

	put(s, event(s, "board", "alarm", 2000, 2010), 1000, 1300, 9999, 9999, 0, names);
	put(s, event(s, "pump", "alarm", 2000, 2010), 1200, 1600, 9999, 9999, 0, others);
	put(s, event(s, "fan", "alarm", 2000, 2010), 1000, 1000 + HISTORY_ROWS_MIN - 1, 9999, 9999,
	    0, names);
	store_close(s);
	refuses(path, NULL, -EINVAL, "name one with --pipeline: board, fan, pump");
	refuses(path, "no", -EINVAL, "no rows of a pipeline no; there is: board, fan, pump");
	refuses(path, "fan", -EINVAL, "255 rows of normal operation of fan");
	refuses(path, "fan", -EINVAL, "at least 256 are needed");
	t = read_all("pump");
	CHECK_EQ(t->rows, 400);
	CHECK_STR(t->name[1], "other");
	table_free(t);
}

/* Beside a writer that is at it, and a copy without its log in a place where none can be made. */
static void shared(void)
{
	struct store *s = begin();
	struct table *t;
	char command[256];

	put(s, event(s, "board", "alarm", 2000, 2010), 1000, 1300, 9999, 9999, 0, names);
	t = read_all(NULL);
	CHECK_EQ(t->rows, 300);
	table_free(t);
	store_close(s);
	snprintf(command, sizeof command, "mkdir %s/c && cp %s '%s/c/a%%b?.db' && chmod 555 %s/c", top,
		 path, top, top);
	CHECK(!system(command));
	snprintf(command, sizeof command, "%s/c/a%%b?.db", top);
	CHECK_EQ(history_read(&t, command, NULL, NULL), 0);
	CHECK_EQ(t->rows, 300);
	table_free(t);
	snprintf(command, sizeof command, "chmod 755 %s/c", top);
	CHECK(!system(command));
}

static void put_file(const char *at, const void *data, size_t len)
{
	int fd = open(at, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static void sql(const char *text)
{
	char command[512];

	snprintf(command, sizeof command, "%s/x.db", top);
	unlink(command);
	snprintf(command, sizeof command, "cp %s %s/x.db && sqlite3 %s/x.db \"%s\"", path, top, top,
		 text);
	CHECK(!system(command));
}

static void others_files(void)
{
	static char csv[] = "a,b\n1,2\n3,4\n", bad[8192] = "SQLite format 3";
	char at[64];
	struct table *t;

	snprintf(at, sizeof at, "%s/a.csv", top);
	put_file(at, csv, sizeof csv - 1);
	CHECK_EQ(history_read(&t, at, NULL, NULL), 0);
	CHECK_EQ(t->rows, 2);
	table_free(t);
	refuses(at, "board", -EINVAL, "no event store");
	refuses("/no/such", NULL, -ENOENT, "/no/such");
	memset(bad + 16, 0x55, sizeof bad - 16);
	put_file(at, bad, sizeof bad);
	refuses(at, NULL, -EBADMSG, "a.csv");
}

/* A store whose pages are whole and whose contents lie. */
static void lies(void)
{
	struct store *s = begin();
	char at[64];

	put(s, event(s, "board", "alarm", 2000, 2010), 1000, 1300, 9999, 9999, 0, names);
	store_close(s);
	if (system("command -v sqlite3 >/dev/null")) {
		printf("no sqlite3 to make damaged stores with\n");
		return;
	}
	snprintf(at, sizeof at, "%s/x.db", top);
	sql("PRAGMA user_version = 2");
	refuses(at, NULL, -ENOTSUP, "version 2");
	sql("PRAGMA application_id = 5");
	refuses(at, NULL, -EINVAL, "no event store of Sonde's");
	sql("UPDATE chunk SET rows = rows - 1");
	refuses(at, NULL, -EBADMSG, "not whole");
	sql("UPDATE chunk SET rows = -1");
	refuses(at, NULL, -EBADMSG, "not whole");
	sql("UPDATE names SET list = 'a' || char(10) || char(10) || 'b'");
	refuses(at, NULL, -EBADMSG, "channel names");
	sql("UPDATE names SET list = 'a'");
	refuses(at, NULL, -EBADMSG, "not whole");
	sql("DROP TABLE chunk");
	refuses(at, NULL, -EIO, "no such table");
	sql("DELETE FROM chunk; UPDATE event SET window_rows = 0");
	refuses(at, NULL, -EINVAL, "no rows are stored");
}

int main(void)
{
	CHECK(mkdtemp(top));
	atexit(tidy);
	snprintf(path, sizeof path, "%s/events.db", top);
	normal_rows();
	holes();
	alarmed();
	learns();
	several();
	shared();
	others_files();
	lies();
	return 0;
}
