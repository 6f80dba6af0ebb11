// SPDX-License-Identifier: MIT
/*
 * ring: the end of a command that has not come to its own: its file is removed, or the ring
 * is closed. Whatever it was doing, its buffers are free afterwards.
 */
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "test/unit/ring_fixture.h"

#define HOUR_NS (3600000ull * MS)

/* Submit, and give the write time to be done. */
static void under_way(struct ring *r)
{
	nothing_comes(r, 30);
}

/*
 * As a keeper does: again and again, for what is just passing from one request to the next is
 * not found by a cancellation.
 */
static struct ring_event remove_at_last(struct ring *r, int index)
{
	struct ring_event e;

	do {
		CHECK_EQ(ring_remove(r, index), -EBUSY);
		ring_tick(r, now_ns() + 10 * MS, HOUR_NS);
		e = next_event(r);
	} while (e.kind == RING_TICK);
	ring_tick(r, 0, 0);
	CHECK_EQ(e.kind, RING_READ);
	CHECK_EQ(ring_remove(r, index), 0);
	nothing_comes(r, 10);
	return e;
}

static void removed(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	int fd = memory_file("12345678"), index = add_blocking(r, fd);
	struct ring_event e;
	char in[8] = "";

	/* The helper thread of epoll can not be told: the wait must end. */
	CHECK_EQ(ring_command(r, index, "abc", 3, kind == RING_URING ? HOUR_NS : 100 * MS, in, 8,
			      1), 0);
	under_way(r);
	e = remove_at_last(r, index);
	CHECK_EQ(e.token, 1);
	CHECK_EQ(e.res, kind == RING_URING ? -ECANCELED : 8);
	ring_close(r);
	close(fd);
}

/* io_uring only: in the write to a device that takes nothing, in the read of one that is silent. */
static void removed_while_held(bool writing)
{
	struct ring *r = open_ring(RING_URING, 0, 0);
	struct ring_event e;
	char in[8] = "", page[4096] = "";
	int pair[2], index;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	while (writing && send(pair[0], page, sizeof page, MSG_DONTWAIT) > 0)
		;
	index = add_blocking(r, pair[0]);
	CHECK_EQ(ring_command(r, index, "read", 4, 0, in, 8, 7), 0);
	under_way(r);
	e = remove_at_last(r, index);
	CHECK_EQ(e.token, 7);
	CHECK(e.res == -ECANCELED || e.res == -EINTR);
	ring_close(r);
	close(pair[0]);
	close(pair[1]);
}

struct left {
	enum ring_kind kind;
	int file, fd[2];
	struct ring *ring;
	char in[2][8];
};

/* Two commands: one that waits for an hour, one that waits for its answer. */
static void *leave_commands(void *arg)
{
	struct left *l = arg;
	int index;

	l->file = memory_file("12345678");
	l->ring = open_ring(l->kind, 0, 0);
	index = add_blocking(l->ring, l->file);
	CHECK_EQ(ring_command(l->ring, index, "a", 1, HOUR_NS, l->in[0], 8, 0), 0);
	if (l->kind == RING_URING) {
		index = add_blocking(l->ring, l->fd[0]);
		CHECK_EQ(ring_command(l->ring, index, "b", 1, 0, l->in[1], 8, 1), 0);
	}
	under_way(l->ring);
	return NULL;
}

/* Nothing may write to the buffers any more once the ring is closed, by whom ever. */
static void closed(enum ring_kind kind, bool by_another)
{
	struct left l = { .kind = kind };
	uint64_t t;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, l.fd), 0);
	if (by_another) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, leave_commands, &l), 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	} else {
		leave_commands(&l);
	}
	t = now_ns();
	ring_close(l.ring);
	CHECK(now_ns() - t < 60000ull * MS);
	CHECK_EQ(write(l.fd[1], "answer", 6), 6);
	sleep_ms(20);
	CHECK_EQ(l.in[0][0], 0);
	CHECK_EQ(l.in[1][0], 0);
	close(l.file);
	close(l.fd[0]);
	close(l.fd[1]);
}

/*
 * A write that can not be cancelled any more: what is linked to it begins only when the
 * ring is being closed, and the write must have come to its end.
 */
static void closed_while_writing(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	int fd = memfd_create("sonde-ring", MFD_CLOEXEC);
	unsigned size = 64 << 20;
	struct stat at_once, later;
	char in[8] = "", *out = calloc(1, size);
	uint64_t t;

	CHECK(fd >= 0 && out);
	CHECK_EQ(ring_command(r, add_blocking(r, fd), out, size, HOUR_NS, in, 8, 0), 0);
	do {
		nothing_comes(r, 0);
		CHECK_EQ(fstat(fd, &at_once), 0);
	} while (!at_once.st_size);
	t = now_ns();
	ring_close(r);
	CHECK_EQ(fstat(fd, &at_once), 0);
	CHECK(now_ns() - t < 60000ull * MS);
	sleep_ms(30);
	CHECK_EQ(fstat(fd, &later), 0);
	CHECK_EQ(at_once.st_size, later.st_size);
	free(out);
	close(fd);
}

/* Never waited for: nothing of it has been submitted. */
static void closed_at_once(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	int fd = memory_file("12345678");
	char in[8] = "";

	CHECK_EQ(ring_command(r, add_blocking(r, fd), "a", 1, HOUR_NS, in, 8, 0), 0);
	ring_close(r);
	close(fd);
}

static void body(enum ring_kind kind)
{
	removed(kind);
	if (kind == RING_URING) {
		removed_while_held(true);
		removed_while_held(false);
	}
	closed(kind, false);
	closed(kind, true);
	closed_while_writing(kind);
	closed_at_once(kind);
}

int main(void)
{
	return on_both(body);
}
