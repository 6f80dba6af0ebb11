// SPDX-License-Identifier: MIT
/*
 * The event store when things go wrong: a writer killed in the middle loses nothing that it
 * was told is stored, a damaged file is put aside, a full disk is said to be full.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "agent/store.h"
#include "test/unit/store_fixture.h"

static void execute(const char *dir, const char *text)
{
	char path[256];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/events.db", dir);
	CHECK_EQ(sqlite3_open(path, &db), 0);
	CHECK_EQ(sqlite3_exec(db, text, NULL, NULL, NULL), 0);
	sqlite3_close(db);
}

/* Events begun, their windows growing, each stored step told through the pipe, until killed. */
static void write_until_killed(const char *dir, int fd)
{
	struct store *s = opened(dir, false);

	for (unsigned n = 0;; n++) {
		struct store_event e = event("alarm", 1000 + n);

		e.detail[0] = n % 2 ? 'd' : 0;
		e.detail[1] = 0;
		CHECK_EQ(store_begin(s, &e, NULL), 0);
		for (unsigned k = 0; k < 3; k++) {
			CHECK_EQ(put_window(s, e.id, 10 * k, 10, CHANNELS, names, NULL), 0);
			CHECK_EQ(write(fd, &e.id, sizeof e.id), sizeof e.id);
			usleep(500);
		}
	}
}

static void killed(void)
{
	const char *dir = place("killed");
	uint64_t told = 0, seen;

	for (unsigned round = 0; round < 5; round++) {
		struct listed l;
		int64_t id, last = 0;
		struct store *s;
		int pipes[2];
		pid_t pid;

		CHECK_EQ(pipe(pipes), 0);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			close(pipes[0]);
			write_until_killed(dir, pipes[1]);
		}
		close(pipes[1]);
		for (unsigned i = 0; i < 20 + 7 * round; i++) {
			CHECK_EQ(read(pipes[0], &id, sizeof id), sizeof id);
			told++;
			last = id;
		}
		CHECK_EQ(kill(pid, SIGKILL), 0);
		while (read(pipes[0], &id, sizeof id) == sizeof id) {
			told++;
			last = id;
		}
		close(pipes[0]);
		CHECK_EQ(waitpid(pid, NULL, 0), pid);

		s = opened(dir, false);
		l = list(s, LISTED);
		CHECK(l.e[0].id >= last);
		seen = 0;
		for (unsigned i = 0; i < l.n; i++)
			seen += l.e[i].window_rows / 10;
		CHECK(seen >= told && seen <= told + round + 1);
		CHECK_EQ(store_recover(s, NULL), 0);
		l = list(s, LISTED);
		for (unsigned i = 0; i < l.n; i++) {
			struct store_window *w;

			CHECK(l.e[i].end_realtime_ns >= l.e[i].start_realtime_ns);
			CHECK_STR(l.e[i].detail, l.e[i].detail[0] == 'd' ?
				  "d; the agent ended during this event" :
				  "the agent ended during this event");
			if (store_window_read(s, l.e[i].id, &w, NULL))
				continue;
			CHECK_EQ(l.e[i].end_realtime_ns, w->realtime_ns[w->rows - 1]);
			store_window_free(w);
		}
		store_close(s);
		CHECK(integrity_ok(dir));
	}
}

static void scribble(const char *dir, long at, unsigned bytes)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/events.db", dir);
	f = fopen(path, "r+b");
	CHECK(f && !fseek(f, at, SEEK_SET));
	while (bytes--)
		fputc((int)(bytes * 37 % 251), f);
	CHECK_EQ(fclose(f), 0);
}

static size_t count_files(const char *pattern)
{
	glob_t g;
	size_t n;

	if (glob(pattern, 0, NULL, &g))
		return 0;
	n = g.gl_pathc;
	globfree(&g);
	return n;
}

static void fill(const char *dir, unsigned events)
{
	struct store *s = opened(dir, false);

	for (unsigned i = 0; i < events; i++) {
		struct store_event e = event("alarm", i);

		CHECK_EQ(store_begin(s, &e, NULL), 0);
		CHECK_EQ(put_window(s, e.id, 0, 100, CHANNELS, names, NULL), 0);
	}
	store_close(s);
}

static void damaged(void)
{
	const char *dir = place("damaged");
	char pattern[300];
	struct store *s;
	struct why why;

	snprintf(pattern, sizeof pattern, "%s/events.db.corrupt-*Z", dir);
	/*
	 * The header; then, after a writer that did not close, a page that opening does not
	 * read. An earlier copy makes room.
	 */
	for (int round = 0; round < 2; round++) {
		fill(dir, 20);
		if (round)
			execute(dir, "UPDATE state SET clean = 0; PRAGMA wal_checkpoint(TRUNCATE)");
		scribble(dir, round ? 4096 * (ask(dir, "SELECT rootpage FROM sqlite_master WHERE "
						       "name = 'event'") - 1) : 0, 100);
		CHECK_EQ(store_open(&s, dir, true, &why), round ? 0 : -EBADMSG);
		CHECK(round || strstr(why.text, "not a database"));
		store_close(s);
		CHECK((close(open(place("damaged/events.db.corrupt-20200101T000000Z"),
				  O_CREAT | O_WRONLY, 0644)), 1));
		CHECK_EQ(store_open(&s, dir, false, &why), 0);
		CHECK(s && strstr(why.text, "moved to events.db.corrupt-2"));
		CHECK_EQ(count_files(pattern), 1);
		CHECK_EQ(access(place("damaged/events.db.corrupt-20200101T000000Z"), F_OK), -1);
		CHECK(count_files(place("damaged/events.db.corrupt-*-wal")) == 1);
		CHECK_EQ(list(s, 9).n, 0);
		store_close(s);
		s = opened(dir, false);
		store_close(s);
	}

	/* Not damaged, only not ours to touch. */
	fill(place("newer"), 1);
	execute(place("newer"), "PRAGMA user_version = 99");
	CHECK_EQ(store_open(&s, place("newer"), false, &why), -ENOTSUP);
	CHECK(strstr(why.text, "newer"));
	CHECK_EQ(store_open(&s, place("newer"), true, &why), -ENOTSUP);
	CHECK_EQ(mkdir(place("other"), 0755), 0);
	execute(place("other"), "PRAGMA application_id = 7; CREATE TABLE event (x)");
	CHECK_EQ(store_open(&s, place("other"), false, &why), -EINVAL);
	CHECK(strstr(why.text, "another program"));
	CHECK_EQ(mkdir(place("made"), 0755), 0);
	execute(place("made"), "CREATE TABLE event (x)");
	CHECK(store_open(&s, place("made"), false, &why) < 0);
	CHECK(strstr(why.text, "making the tables") && strstr(why.text, "event"));
	/* Nothing but an empty file: as good as none. */
	CHECK_EQ(mkdir(place("empty"), 0755), 0);
	CHECK((close(open(place("empty/events.db"), O_CREAT | O_WRONLY, 0644)), 1));
	CHECK_EQ(store_open(&s, place("empty"), true, &why), -ENOENT);
	store_close(opened(place("empty"), false));
	store_close(opened(place("empty"), true));
	/* The state directory is a file. */
	CHECK((close(open(place("file"), O_CREAT | O_WRONLY, 0644)), 1));
	CHECK(store_open(&s, place("file"), false, &why) < 0);
	CHECK(strstr(why.text, "file"));
}

/* A disk that fills up: the error says so, what was stored before stays, and it goes on. */
static void full_disk(void)
{
	const char *dir = place("small");
	unsigned done = 0;
	struct store *s;
	struct listed l;
	struct why why;
	static char block[4096];
	int err = 0, fd;

	CHECK_EQ(mkdir(dir, 0755), 0);
	/* EINVAL: in a chroot, whose / is no mount point. */
	if (unshare(CLONE_NEWNS) ||
	    (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) && errno != EINVAL) ||
	    mount("none", dir, "tmpfs", 0, "size=3m")) {
		printf("no disk of its own to fill here: %s\n", strerror(errno));
		return;
	}
	s = opened(dir, false);
	while (!err && done < 1000) {
		struct store_event e = event("alarm", done);

		err = store_begin(s, &e, &why);
		if (!err)
			err = put_window(s, e.id, 0, 1000, CHANNELS, names, &why);
		done += !err;
	}
	CHECK_EQ(err, -ENOSPC);
	CHECK(strstr(why.text, "full"));
	CHECK(done > 5 && done < 1000);
	l = list(s, 64);
	CHECK(l.n == done || l.n == done + 1);
	check_window(s, l.e[l.n - 1].id, 0, 1000);
	store_close(s);
	CHECK(integrity_ok(dir));

	/* No room at all: not even to open. */
	CHECK_EQ(unlink(place("small/events.db")), 0);
	unlink(place("small/events.db-wal"));
	unlink(place("small/events.db-shm"));
	fd = open(place("small/filler"), O_CREAT | O_WRONLY, 0644);
	while (fd >= 0 && write(fd, block, sizeof block) > 0)
		;
	while (fd >= 0 && write(fd, block, 1) > 0)
		;
	close(fd);
	CHECK_EQ(store_open(&s, dir, false, &why), -ENOSPC);
	CHECK(strstr(why.text, "full"));
	CHECK_EQ(unlink(place("small/filler")), 0);
	store_close(opened(dir, false));
	umount(dir);
}

int main(void)
{
	begin();
	killed();
	damaged();
	full_disk();
	return 0;
}
