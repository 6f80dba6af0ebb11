// SPDX-License-Identifier: MIT
/*
 * slot: promote and roll back, cut off by SIGKILL. First before and after each call that
 * changes a disk, one after another until none is left; then 200 times at a moment that
 * chance chose. Whatever is left, the next look finds one whole model live and the
 * previous one that belongs to it: never a third thing. The same where a disk can not sync.
 */
#include "models/slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernels/why.h"
#include "test/test.h"

#define SIZE 150000

static char dir[] = "/tmp/sonde-slot-XXXXXX";
static char live[64], previous[80];
static const char refusal[] = "the daemon says no";

/* ---- the calls that change a disk, each a place to die at ---- */

static int die_at = -1;		/* counts down; -1: never */

static void maybe_die(void)
{
	if (die_at > 0 && !--die_at)
		kill(getpid(), SIGKILL);
}

#define HERE(call)                              \
	do {                                    \
		long result;                    \
		maybe_die();                    \
		result = call;                  \
		maybe_die();                    \
		return result;                  \
	} while (0)

int rename(const char *from, const char *to)
{
	HERE(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char *path)
{
	HERE(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

static int fail_at;		/* as die_at, of syncs; 0: never */

int fsync(int fd)
{
	if (fail_at > 0 && !--fail_at) {
		errno = EIO;
		return -1;
	}
	HERE(syscall(SYS_fsync, fd));
}

/* In halves: a file may end anywhere. */
ssize_t write(int fd, const void *data, size_t n)
{
	HERE(syscall(SYS_write, fd, data, n > 1 ? n / 2 : n));
}

/* ---- models are bytes of their letter ---- */

static void make(char letter, char *data)
{
	memset(data, letter, SIZE);
}

static void put_file(const char *path, char letter)
{
	static char data[SIZE];
	FILE *f = fopen(path, "wb");

	make(letter, data);
	CHECK(f && fwrite(data, 1, SIZE, f) == SIZE && !fclose(f));
}

/* The letter that the file is made of; '-' when there is none. */
static char letter_of(const char *path)
{
	static char data[SIZE + 1];
	FILE *f = fopen(path, "rb");

	if (!f)
		return '-';
	CHECK_EQ(fread(data, 1, sizeof data, f), SIZE);
	fclose(f);
	for (unsigned i = 1; i < SIZE; i++)
		CHECK_EQ(data[i], data[0]);
	return data[0];
}

static void clear(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	CHECK(d);
	while ((e = readdir(d)))
		if (*e->d_name != '.')
			CHECK(!unlinkat(dirfd(d), e->d_name, 0));
	closedir(d);
}

static unsigned files(void)
{
	unsigned n = 0;
	DIR *d = opendir(dir);

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void state_is(char at_live, char before)
{
	struct slot s;
	struct why why;

	CHECK_EQ(slot_open(&s, live, &why), 0);
	if (letter_of(s.live) != at_live || letter_of(s.previous) != before) {
		fprintf(stderr, "live %c, previous %c; not %c, %c\n", letter_of(s.live),
			letter_of(s.previous), at_live, before);
		exit(1);
	}
	CHECK_EQ(slot_has_previous(&s), before != '-');
	CHECK_EQ(letter_of(s.outgoing), '-');
	slot_close(&s);
	CHECK_EQ(files(), (at_live != '-') + (before != '-'));
}

static int no(void *user, struct why *why)
{
	CHECK_EQ(letter_of(live), *(char *)user);
	return why_set(why, -EPERM, refusal);
}

static int yes(void *user, struct why *why)
{
	CHECK_EQ(letter_of(live), *(char *)user);
	return 0;
}

static int promote(char letter, slot_accept *accept, struct why *why)
{
	static char data[SIZE];
	struct slot s;
	int err;

	make(letter, data);
	err = slot_open(&s, live, why);
	if (!err)
		err = slot_promote(&s, data, SIZE, accept, &letter, why);
	slot_close(&s);
	return err;
}

static int roll_back(slot_accept *accept, char letter, struct why *why)
{
	struct slot s;
	int err = slot_open(&s, live, why);

	if (!err)
		err = slot_rollback(&s, accept, &letter, why);
	slot_close(&s);
	return err;
}

static void in_peace(void)
{
	struct slot s;
	struct why why;

	CHECK_EQ(slot_open(&s, "/nowhere/m.safetensors", &why), -ENOENT);
	CHECK_EQ(slot_open(&s, "/tmp/", &why), -EINVAL);
	state_is('-', '-');
	CHECK_EQ(roll_back(NULL, 0, &why), -ENOENT);
	CHECK_EQ(promote('A', yes, &why), 0);
	state_is('A', '-');
	CHECK_EQ(roll_back(NULL, 0, &why), -ENOENT);
	CHECK(strstr(why.text, "no model before"));
	CHECK_EQ(promote('B', yes, &why), 0);
	state_is('B', 'A');
	/* The same again would make it its own previous one. */
	CHECK_EQ(promote('B', yes, &why), -EALREADY);
	state_is('B', 'A');
	CHECK_EQ(promote('C', NULL, &why), 0);
	state_is('C', 'B');
	CHECK_EQ(promote('D', no, &why), -EPERM);
	CHECK_STR(why.text, refusal);
	CHECK_EQ(files(), 2);		/* not left to the next one to mend */
	state_is('C', 'B');
	CHECK_EQ(roll_back(no, 'B', &why), -EPERM);
	CHECK_STR(why.text, refusal);
	state_is('C', 'B');
	CHECK_EQ(roll_back(yes, 'B', &why), 0);
	state_is('B', '-');
	CHECK_EQ(roll_back(NULL, 0, &why), -ENOENT);
	state_is('B', '-');
	clear();
	CHECK_EQ(promote('A', no, &why), -EPERM);
	state_is('-', '-');
	/* Somebody took the live one away. */
	put_file(previous, 'P');
	CHECK_EQ(roll_back(no, 'P', &why), -EPERM);
	state_is('-', 'P');
	CHECK_EQ(roll_back(NULL, 0, &why), 0);
	state_is('P', '-');
	clear();
}

/* A sync that fails, one after another: what was live is still there, as the one or the other. */
static void no_sync(void)
{
	unsigned failed = 0;

	for (int at = 1;; at++) {
		struct why why;
		int err;
		char now;

		put_file(live, 'A');
		put_file(previous, 'P');
		fail_at = at;
		err = promote('B', NULL, &why);
		if (!err)
			break;
		failed++;
		CHECK_EQ(err, -EIO);
		now = letter_of(live);
		state_is(now, now == 'A' ? 'P' : 'A');
		clear();
	}
	fail_at = 0;
	CHECK(failed >= 5);	/* both copies and their folder, the folder of the last rename */
	clear();
}

/* A process of this one's number was killed here: the first to be, for it counts its files. */
static void own_number(void)
{
	char part[120];
	struct why why;

	snprintf(part, sizeof part, "%s.%d-0.part", live, (int)getpid());
	put_file(part, 'X');
	CHECK_EQ(promote('A', NULL, &why), 0);
	CHECK_EQ(letter_of(live), 'A');
	CHECK_EQ(letter_of(part), 'X');
	clear();
}

/* The names, with the suffix and without, with a folder and without. */
static void names(void)
{
	struct slot s;

	CHECK_EQ(slot_open(&s, live, NULL), 0);
	CHECK(strstr(s.previous, "/m.previous.safetensors"));
	slot_close(&s);
	CHECK(!chdir(dir));
	CHECK_EQ(slot_open(&s, "pump.model", NULL), 0);
	CHECK_STR(s.previous, "./pump.model.previous.safetensors");
	slot_close(&s);
	CHECK_EQ(slot_open(&s, ".safetensors", NULL), 0);
	CHECK_STR(s.outgoing, "./.safetensors.outgoing.safetensors");
	slot_close(&s);
	CHECK(!chdir("/"));
}

/* What was not ours to sweep stays. */
static void sweeps(void)
{
	char path[128];
	static const struct { const char *name; bool stays; } part[] = {
		{ "m.safetensors.999999999-0.part", false },
		{ "m.previous.safetensors.999999999-3.part", false },
		{ "m.outgoing.safetensors.999999999-12.part", false },
		{ "m.safetensors.1-0.part", true },	/* it lives */
		{ "m.safetensors.999999999-0.part~", true },
		{ "m.safetensors.99-part", true },
		{ "other.safetensors.999999999-0.part", true },
	};
	struct slot s;
	unsigned stay = 0;

	for (unsigned i = 0; i < sizeof part / sizeof *part; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, part[i].name);
		put_file(path, 'x');
	}
	CHECK_EQ(slot_open(&s, live, NULL), 0);
	slot_close(&s);
	for (unsigned i = 0; i < sizeof part / sizeof *part; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, part[i].name);
		CHECK_EQ(!access(path, F_OK), part[i].stays);
		stay += part[i].stays;
	}
	CHECK_EQ(files(), stay);
	clear();
}

/* The cases that may be cut off: what is there, what is tried, what is there afterwards. */
static const struct change {
	const char *name;
	char live, previous;
	bool rolls_back;
	char letter;
	slot_accept *accept;
	char then_live, then_previous;
	/* Twice refused and killed in between: the newer one may be gone, the older is whole. */
	char or_live, or_previous;
} changes[] = {
	{ "promote", 'B', 'A', false, 'C', NULL, 'C', 'B', 'B', 'A' },
	{ "promote the first", '-', '-', false, 'C', NULL, 'C', '-', '-', '-' },
	{ "promote the second", 'B', '-', false, 'C', yes, 'C', 'B', 'B', '-' },
	{ "promote, refused", 'B', 'A', false, 'C', no, 'B', 'A', 'C', 'B' },
	{ "roll back", 'B', 'A', true, 'A', NULL, 'A', '-', 'B', 'A' },
	{ "roll back, refused", 'B', 'A', true, 'A', no, 'B', 'A', 'A', '-' },
};
#define CHANGES (sizeof changes / sizeof *changes)

static void prepare(const struct change *c)
{
	clear();
	if (c->live != '-')
		put_file(live, c->live);
	if (c->previous != '-')
		put_file(previous, c->previous);
}

static int run_change(const struct change *c)
{
	struct why why;

	return c->rolls_back ? roll_back(c->accept, c->letter, &why)
			     : promote(c->letter, c->accept, &why);
}

/* Did it take effect? Nothing but before and after is allowed, and after only once. */
static void check_change(const struct change *c, bool ended)
{
	char now = letter_of(live);

	if (ended || now == c->then_live)
		state_is(c->then_live, c->then_previous);
	else
		state_is(c->or_live, c->or_previous);
}

static bool killed(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		CHECK_EQ(WTERMSIG(status), SIGKILL);
	else
		CHECK_EQ(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

static unsigned at_each_call(const struct change *c)
{
	unsigned at = 1;

	for (;; at++) {
		bool was;
		pid_t pid;

		prepare(c);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			die_at = (int)at;
			_exit(run_change(c) == (c->accept == no ? -EPERM : 0) ? 0 : 1);
		}
		was = killed(pid);
		check_change(c, !was);
		/* And it can be done again from whatever was left. */
		if (was && !c->accept && !c->rolls_back) {
			int err = run_change(c);

			CHECK(err == 0 || err == -EALREADY);
			state_is(c->then_live, c->then_previous);
		}
		if (!was)
			return at - 1;
	}
}

/* The same two changes over and over, until somebody ends it. */
static void at_random(unsigned times)
{
	uint32_t seed = 12345;
	unsigned hit = 0;

	clear();
	put_file(live, 'A');
	for (unsigned i = 0; i < times; i++) {
		char now, before;
		struct slot s;
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid) {
			struct why why;

			for (unsigned k = 0;; k++) {
				promote("ABC"[k % 3], NULL, &why);
				if (k % 4 == 3)
					roll_back(NULL, 0, &why);
			}
		}
		seed = seed * 1664525u + 1013904223u;
		nanosleep(&(struct timespec){ 0, (seed >> 8) % 8000000 }, NULL);
		kill(pid, SIGKILL);
		hit += killed(pid);
		now = letter_of(live);
		CHECK(now >= 'A' && now <= 'C');
		CHECK_EQ(slot_open(&s, live, NULL), 0);
		slot_close(&s);
		before = letter_of(previous);
		CHECK(before != now);
		state_is(now, before);
	}
	CHECK_EQ(hit, times);
}

int main(void)
{
	CHECK(mkdtemp(dir));
	snprintf(live, sizeof live, "%s/m.safetensors", dir);
	snprintf(previous, sizeof previous, "%s/m.previous.safetensors", dir);
	own_number();
	names();
	in_peace();
	no_sync();
	sweeps();
	for (unsigned i = 0; i < CHANGES; i++) {
		unsigned places = at_each_call(&changes[i]);

		printf("%s: killed at %u places\n", changes[i].name, places);
		CHECK(places >= 4);		/* before and after a rename and a sync, at least */
	}
	at_random(200);
	clear();
	CHECK_EQ(rmdir(dir), 0);
	return 0;
}
