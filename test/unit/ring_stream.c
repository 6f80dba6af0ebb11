// SPDX-License-Identifier: MIT
/* ring: streams from pipes, FIFOs and ttys, through exhausted buffers, ends and new writers. */
#include <sys/stat.h>

#include "test/unit/ring_fixture.h"

#define BYTES 4096

/* Every byte in order, though there is room for only a part of them at a time. */
static void exhaustion(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 4, 60);
	struct ring_event events[16];
	struct ring_counters c;
	uint8_t data[BYTES];
	unsigned got = 0, ended = 0;
	struct why why;
	int fd[2], index;

	for (unsigned i = 0; i < BYTES; i++)
		data[i] = (uint8_t)(i ^ i >> 8);
	CHECK_EQ(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	CHECK_EQ(write(fd[1], data, BYTES), BYTES);
	index = ring_add(r, fd[0], false, &why);
	CHECK(index >= 0);
	CHECK_EQ(ring_stream(r, index, 7), 0);
	CHECK_EQ(ring_stream(r, index, 7), -EBUSY);
	while (got < BYTES) {
		int n = ring_wait(r, events, 16);

		CHECK(n >= 1);
		for (int i = 0; i < n; i++) {
			CHECK_EQ(events[i].kind, RING_STREAM);
			CHECK_EQ(events[i].token, 7);
			if (events[i].res > 0) {
				CHECK(!memcmp(events[i].data, data + got, (size_t)events[i].res));
				got += (unsigned)events[i].res;
			} else {
				CHECK_EQ(events[i].res, -ENOBUFS);
				CHECK(!events[i].more);
			}
			if (!events[i].more) {
				ended++;
				CHECK_EQ(ring_stream(r, index, 7), 0);
			}
		}
	}
	ring_counters(r, &c);
	CHECK_EQ(c.rearmed, ended);
	CHECK(c.submits > 0);
	/* io_uring reads until the buffers are gone; epoll takes one a turn and leaves the rest. */
	if (kind == RING_URING)
		CHECK(c.no_buffers > 0);

	/* More data for the same stream, later. */
	CHECK_EQ(write(fd[1], "more", 4), 4);
	do {
		events[0] = next_event(r);
		if (!events[0].more)
			CHECK_EQ(ring_stream(r, index, 7), 0);
	} while (events[0].res == -ENOBUFS);
	CHECK_EQ(events[0].res, 4);
	CHECK(!memcmp(events[0].data, "more", 4));
	ring_close(r);
	close(fd[0]);
	close(fd[1]);
}

/* Several streams at once: the pool is theirs together. */
static void many(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 4, 64);
	unsigned got[8] = { 0 }, sum = 0;
	int fd[8][2], index[8];
	struct why why;
	char bytes[200];

	memset(bytes, 'x', sizeof bytes);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(pipe2(fd[i], O_NONBLOCK | O_CLOEXEC), 0);
		CHECK_EQ(write(fd[i][1], bytes, sizeof bytes), sizeof bytes);
		index[i] = ring_add(r, fd[i][0], false, &why);
		CHECK_EQ(ring_stream(r, index[i], i), 0);
	}
	while (sum < 8 * sizeof bytes) {
		struct ring_event e = next_event(r);

		if (e.res > 0) {
			got[e.token] += (unsigned)e.res;
			sum += (unsigned)e.res;
		}
		if (!e.more)
			CHECK_EQ(ring_stream(r, index[e.token], e.token), 0);
	}
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(got[i], sizeof bytes);
	ring_close(r);
	for (unsigned i = 0; i < 8; i++) {
		close(fd[i][0]);
		close(fd[i][1]);
	}
}

static void writers(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 8, 64);
	char dir[] = "/tmp/sonde-ring-XXXXXX", path[64];
	struct ring_counters before, after;
	struct ring_event e;
	struct why why;
	int fd, writer, index;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/fifo", dir);
	CHECK_EQ(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	writer = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && writer >= 0);
	index = ring_add(r, fd, false, &why);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(ring_stream(r, index, i), 0);
		CHECK_EQ(write(writer, "12345678", 8), 8);
		e = next_event(r);
		CHECK_EQ(e.res, 8);
		CHECK_EQ(e.token, i);
		CHECK(e.more);
		close(writer);
		e = next_event(r);
		CHECK_EQ(e.kind, RING_STREAM);
		CHECK_EQ(e.res, 0);
		CHECK(!e.more);
		/* Not armed again: nothing comes of it but the tick, and nobody spins. */
		ring_counters(r, &before);
		ring_tick(r, now_ns() + 2 * MS, 1000 * MS);
		CHECK_EQ(next_event(r).kind, RING_TICK);
		ring_counters(r, &after);
		CHECK_EQ(after.submits - before.submits, 1);
		ring_tick(r, 0, 0);
		writer = open(path, O_WRONLY | O_CLOEXEC);
		CHECK(writer >= 0);
	}
	ring_close(r);
	close(fd);
	close(writer);
	unlink(path);
	rmdir(dir);
}

/* What a removed file had still to say does not reach the next one at its index. */
static void replaced(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 4, 64);
	int old[2], new[2], index;
	struct ring_event e;
	struct why why;

	CHECK_EQ(pipe2(old, O_NONBLOCK | O_CLOEXEC), 0);
	CHECK_EQ(pipe2(new, O_NONBLOCK | O_CLOEXEC), 0);
	index = ring_add(r, old[0], false, &why);
	CHECK_EQ(ring_stream(r, index, 1), 0);
	CHECK_EQ(write(old[1], "old", 3), 3);
	CHECK_EQ(next_event(r).res, 3);
	CHECK_EQ(write(old[1], "old", 3), 3);
	CHECK_EQ(ring_remove(r, index), 0);
	CHECK_EQ(ring_add(r, new[0], false, &why), index);
	CHECK_EQ(ring_stream(r, index, 2), 0);
	CHECK_EQ(write(old[1], "old", 3), 3);
	CHECK_EQ(write(new[1], "newer", 5), 5);
	e = next_event(r);
	CHECK_EQ(e.token, 2);
	CHECK_EQ(e.res, 5);
	ring_tick(r, now_ns() + 2 * MS, 1000 * MS);
	CHECK_EQ(next_event(r).kind, RING_TICK);

	/* Removed before anything was submitted. */
	CHECK_EQ(ring_remove(r, index), 0);
	CHECK_EQ(ring_add(r, old[0], false, &why), index);
	CHECK_EQ(ring_stream(r, index, 3), 0);
	CHECK_EQ(ring_remove(r, index), 0);
	CHECK_EQ(ring_add(r, new[0], false, &why), index);
	CHECK_EQ(ring_stream(r, index, 4), 0);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(write(new[1], "12345", 5), 5);
		do {
			e = next_event(r);
		} while (e.kind == RING_TICK);
		CHECK_EQ(e.token, 4);
		CHECK_EQ(e.res, 5);
	}
	ring_close(r);
	for (unsigned i = 0; i < 2; i++) {
		close(old[i]);
		close(new[i]);
	}
}

static void tty(enum ring_kind kind)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, index;
	struct ring_event e;
	struct ring *r;
	struct why why;

	if (master < 0) {
		printf("no pseudo-terminals here\n");
		return;
	}
	r = open_ring(kind, 4, 64);
	CHECK_EQ(grantpt(master), 0);
	CHECK_EQ(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	CHECK(slave >= 0);
	index = ring_add(r, slave, false, &why);
	CHECK_EQ(ring_stream(r, index, 3), 0);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(write(master, "line\n", 5), 5);
		e = next_event(r);
		CHECK_EQ(e.kind, RING_STREAM);
		CHECK_EQ(e.res, 5);
		CHECK(e.more);
	}
	close(master);
	e = next_event(r);
	CHECK(e.res <= 0);
	CHECK(!e.more);
	ring_close(r);
	close(slave);
}

/* Multishot refuses what can not be polled: io_uring goes on with single reads. */
static void single(void)
{
	struct ring *r = open_ring(RING_URING, 4, 64);
	int zero = open("/dev/zero", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int null = open("/dev/null", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct ring_event e;
	struct why why;
	int index;

	index = ring_add(r, null, false, &why);
	CHECK_EQ(ring_stream(r, index, 1), 0);
	e = next_event(r);
	CHECK_EQ(e.res, 0);
	CHECK(!e.more);
	index = ring_add(r, zero, false, &why);
	CHECK_EQ(ring_stream(r, index, 2), 0);
	for (unsigned i = 0; i < 20; i++) {
		e = next_event(r);
		CHECK_EQ(e.res, 64);
		CHECK(e.more);
		CHECK_EQ(e.data[63], 0);
	}
	ring_close(r);
	close(zero);
	close(null);
}

static void body(enum ring_kind kind)
{
	exhaustion(kind);
	many(kind);
	writers(kind);
	replaced(kind);
	tty(kind);
	if (kind == RING_URING)
		single();
}

int main(void)
{
	return on_both(body);
}
