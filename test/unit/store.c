// SPDX-License-Identifier: MIT
/*
 * The event store: what goes in comes out bit for bit, beside a writer and without any
 * right to write, and no number of events fills a disk.
 */
#include "agent/store.h"

#include <errno.h>
#include <limits.h>
#include <sys/wait.h>
#include <time.h>

#include "test/unit/store_fixture.h"

static void refused(struct store *s, int64_t id, struct store_event b)
{
	struct store_window *w;
	struct why why;

	CHECK_EQ(put_window(s, id, 1, 1, CHANNELS - 1, names, &why), -EINVAL);
	CHECK(strstr(why.text, "other channels"));
	CHECK_EQ(put_window(s, 77, 1, 1, CHANNELS, names, &why), -ENOENT);
	CHECK_EQ(put_window(s, b.id, 1, 1, 65, names, &why), -EINVAL);
	CHECK_EQ(put_window(s, b.id, 1, 1, 1, (const char *[]){ "a\nb" }, &why), -EINVAL);
	CHECK_EQ(store_window_read(s, b.id, &w, &why), -ENOENT);
	CHECK(!w && strstr(why.text, "no window"));
	CHECK_EQ(store_window_read(s, 77, &w, &why), -ENOENT);
	b.id = 77;
	CHECK_EQ(store_end(s, &b, &why), -ENOENT);
}

static void round_trip(void)
{
	struct store *s = opened(place("state"), false), *reader;
	struct store_event a = event("alarm", 1000), b = event("model", 2000);
	struct store_window *w;
	struct timespec t, m;
	struct listed l;
	struct why why;

	CHECK_EQ(store_begin(s, &a, NULL), 0);
	b.end_realtime_ns = 2000;
	b.trusted = false;
	CHECK_EQ(store_begin(s, &b, NULL), 0);
	CHECK(b.id > a.id && a.id > 0);

	/* Several calls; one larger than a chunk (65536 / 80 rows). */
	CHECK_EQ(put_window(s, a.id, 100, 1, CHANNELS, names, NULL), 0);
	CHECK_EQ(put_window(s, a.id, 101, 1999, CHANNELS, names, NULL), 0);
	CHECK_EQ(put_window(s, a.id, 2100, 1, CHANNELS, names, NULL), 0);
	check_window(s, a.id, 100, 2001);

	/* Row times are wall-clock times. */
	CHECK_EQ(store_window_read(s, a.id, &w, NULL), 0);
	clock_gettime(CLOCK_REALTIME, &t);
	clock_gettime(CLOCK_MONOTONIC, &m);
	CHECK_NEAR((double)w->realtime_ns[0] / 1e9,
		   (double)(t.tv_sec - m.tv_sec) + 1e-9 * (double)(t.tv_nsec - m.tv_nsec) +
		   100.0000007, 60);
	store_window_free(w);

	/* A reader beside the writer, and what is written while it is there. */
	reader = opened(place("state"), true);
	a.end_realtime_ns = 5000;
	a.peak = 99;
	snprintf(a.detail, sizeof a.detail, "over");
	CHECK_EQ(store_end(s, &a, NULL), 0);
	l = list(reader, UINT_MAX);
	CHECK_EQ(l.n, 2);
	CHECK_EQ(l.e[0].id, b.id);
	CHECK_STR(l.e[0].kind, "model");
	CHECK(!l.e[0].trusted && l.e[1].trusted);
	CHECK_EQ(l.e[1].id, a.id);
	CHECK_EQ(l.e[1].window_rows, 2001);
	CHECK_EQ(l.e[1].start_realtime_ns, 1000);
	CHECK_EQ(l.e[1].end_realtime_ns, 5000);
	CHECK(l.e[1].score == 12.25 && l.e[1].limit == 9.5 && l.e[1].peak == 99);
	CHECK_STR(l.e[1].pipeline, "board");
	CHECK_STR(l.e[1].channels, a.channels);
	CHECK_STR(l.e[1].detail, "over");
	CHECK_EQ(list(reader, 1).n, 1);
	CHECK_EQ(list(reader, 0).n, 0);
	l = (struct listed){ .stop = 1 };
	CHECK_EQ(store_list(reader, 9, collect, &l, NULL), 0);
	CHECK_EQ(l.n, 1);
	check_window(reader, a.id, 100, 2001);
	CHECK_EQ(store_begin(reader, &b, &why), -EROFS);
	CHECK(strstr(why.text, "readonly"));
	store_close(reader);

	refused(s, a.id, b);
	store_close(s);
	s = opened(place("state"), false);
	check_window(s, a.id, 100, 2001);
	CHECK_EQ(list(s, 9).n, 2);
	store_close(s);
	store_close(NULL);
}

/* Run as a user who may write nothing there; the exit status is f's. */
static int as_nobody(int (*f)(const char *), const char *dir)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		if (!getuid() && (setgid(65534) || setuid(65534)))
			_exit(9);
		_exit(f(dir));
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int count_events(const char *dir)
{
	struct store *s;
	struct why why;
	int err = store_open(&s, dir, true, &why);
	struct listed l = { 0 };

	if (err || store_list(s, 9, collect, &l, &why)) {
		fprintf(stderr, "%d %s\n", err, why.text);
		return 100;
	}
	store_close(s);
	return (int)l.n;
}

static int write_refused(const char *dir)
{
	struct store *s;
	struct why why;
	int err = store_open(&s, dir, false, &why);

	return (err == -EACCES || err == -EROFS) && !s && strstr(why.text, dir) ? 0 : 1;
}

static void readers(void)
{
	struct store_event e = event("alarm", 1);
	struct store *s;
	struct why why;
	char shell[512];

	CHECK_EQ(chmod(top, 0755), 0);
	CHECK_EQ(store_open(&s, place("none"), true, &why), -ENOENT);
	CHECK(!s && strstr(why.text, "no events yet"));

	s = opened(place("shared"), false);
	CHECK_EQ(store_begin(s, &e, NULL), 0);
	CHECK_EQ(as_nobody(count_events, place("shared")), 1);
	store_close(s);
	CHECK_EQ(as_nobody(count_events, place("shared")), 1);
	/* A copy of the file alone, where nothing may be made; the name needs quoting in a URI. */
	snprintf(shell, sizeof shell, "cd %s && mkdir 'a %%41?#' && "
		 "cp shared/events.db 'a %%41?#' && chmod 0555 'a %%41?#'", top);
	CHECK_EQ(system(shell), 0);
	CHECK_EQ(as_nobody(count_events, place("a %41?#")), 1);

	CHECK_EQ(mkdir(place("locked"), 0555), 0);
	CHECK_EQ(as_nobody(write_refused, place("locked")), 0);
	CHECK_EQ(as_nobody(write_refused, place("a %41?#")), 0);
}

static void bounded(void)
{
	struct store *s = opened(place("bounded"), false);
	const unsigned row = 40 + 8 * CHANNELS, rows = 100;
	struct store_window *w;
	struct store_event e;
	struct listed l;
	unsigned with = 0;

	store_limit(s, 10 * rows * row, 30);
	for (unsigned i = 0; i < 50; i++) {
		e = event("alarm", i);
		CHECK_EQ(store_begin(s, &e, NULL), 0);
		CHECK_EQ(put_window(s, e.id, 0, rows, CHANNELS, names, NULL), 0);
		CHECK_EQ(list(s, 64).e[0].window_rows, rows);
	}
	l = list(s, 64);
	CHECK_EQ(l.n, 30);
	CHECK_EQ(l.e[0].start_realtime_ns, 49);
	CHECK_EQ(l.e[29].start_realtime_ns, 20);
	for (unsigned i = 0; i < l.n; i++) {
		with += l.e[i].window_rows == rows;
		/* The newest windows in one run, nothing of the older ones. */
		CHECK_EQ(l.e[i].window_rows, with == i + 1 ? rows : 0);
		if (!l.e[i].window_rows)
			CHECK_EQ(store_window_read(s, l.e[i].id, &w, NULL), -ENOENT);
	}
	CHECK(with >= 8 && with <= 10);

	/* An event without end takes its share and no more. */
	for (unsigned i = 0; i < 10; i++)
		CHECK_EQ(put_window(s, l.e[0].id, rows * (i + 1), rows, CHANNELS, names, NULL), 0);
	CHECK_EQ(list(s, 1).e[0].window_rows, 250);
	check_window(s, l.e[0].id, 0, 250);
	/* One that is still growing does not go, however old it is. */
	CHECK_EQ(put_window(s, l.e[with - 1].id, rows, 150, CHANNELS, names, NULL), 0);
	check_window(s, l.e[with - 1].id, 0, 250);
	CHECK_EQ(store_window_read(s, l.e[with - 2].id, &w, NULL), -ENOENT);
	/* Events that go take their windows along. */
	store_limit(s, 1 << 20, 2);
	e = event("alarm", 51);
	CHECK_EQ(store_begin(s, &e, NULL), 0);
	CHECK_EQ(list(s, 64).n, 2);
	store_close(s);
	CHECK_EQ(access(place("bounded/events.db-wal"), F_OK), 0);
	CHECK(integrity_ok(place("bounded")));
	CHECK_EQ(ask(place("bounded"), "SELECT count(*) FROM chunk WHERE event NOT IN "
		     "(SELECT id FROM event)"), 0);
}

int main(void)
{
	begin();
	round_trip();
	readers();
	bounded();
	return 0;
}
