// SPDX-License-Identifier: MIT
/*
 * ring: commands, a write and later a read as one request. Each must end in one event, and
 * then in nothing more, whatever it was that failed or was cancelled.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "test/unit/ring_fixture.h"

#define HOUR_NS (3600000ull * MS)

static int read_only(const char *text)
{
	int fd = memory_file(text), again;
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(again >= 0);
	close(fd);
	return again;
}

/* Writes, waits, reads; on io_uring without waking the thread but for the time-out. */
static void answers(enum ring_kind kind)
{
	static const uint64_t wait[] = { 0, 1, 30 * MS, 3 * MS };
	struct ring *r = open_ring(kind, 0, 0);
	int fd = memory_file("............"), index = add_blocking(r, fd);
	struct ring_counters before, after;
	struct ring_event e;
	char in[16];

	for (unsigned i = 0; i < 4; i++) {
		char out[] = "measure 0";
		uint64_t t = now_ns();

		out[8] = (char)('0' + i);
		memset(in, 0, sizeof in);
		ring_counters(r, &before);
		CHECK_EQ(ring_command(r, index, out, 9, wait[i], in, 12, 70 + i), 0);
		CHECK_EQ(ring_command(r, index, out, 9, wait[i], in, 12, 1), -EBUSY);
		CHECK_EQ(ring_read(r, index, in, 12, 1), -EBUSY);
		e = next_event(r);
		CHECK_EQ(e.kind, RING_READ);
		CHECK_EQ(e.token, 70 + i);
		CHECK_EQ(e.res, 12);
		CHECK(!memcmp(in, out, 9) && !memcmp(in + 9, "...", 3));
		CHECK(now_ns() - t >= wait[i]);
		ring_counters(r, &after);
		if (kind == RING_URING)
			CHECK(after.submits - before.submits <= (wait[i] ? 2 : 1));
	}
	/* Less is there than was asked for. */
	CHECK_EQ(ring_command(r, index, "x", 1, 0, in, 16, 5), 0);
	CHECK_EQ(next_event(r).res, 12);
	nothing_comes(r, 10);
	CHECK_EQ(ring_remove(r, index), 0);
	ring_close(r);
	close(fd);
}

static void refusals(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	int fd = memory_file("answer"), ro = read_only("answer"), pair[2], index;
	char in[16] = "untouched";
	struct ring_event e;
	struct why why;

	CHECK_EQ(ring_command(r, 0, "x", 1, 0, in, 6, 0), -EBADF);
	index = add_blocking(r, fd);
	CHECK_EQ(ring_command(r, index, "x", 0, 0, in, 6, 0), -EINVAL);
	CHECK_EQ(ring_command(r, index, "x", 1, 0, in, 0, 0), -EINVAL);
	CHECK_EQ(ring_remove(r, index), 0);
	CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	index = ring_add(r, fd, false, &why);
	CHECK_EQ(ring_command(r, index, "x", 1, 0, in, 6, 0), -EINVAL);

	/* The write is refused: its error, no wait, no read. */
	index = add_blocking(r, ro);
	CHECK_EQ(ring_command(r, index, "x", 1, HOUR_NS, in, 6, 3), 0);
	e = next_event(r);
	CHECK_EQ(e.kind, RING_READ);
	CHECK_EQ(e.token, 3);
	CHECK_EQ(e.res, -EBADF);
	CHECK_STR(in, "untouched");
	nothing_comes(r, 10);

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[1]);
	index = add_blocking(r, pair[0]);
	CHECK_EQ(ring_command(r, index, "x", 1, 0, in, 6, 4), 0);
	CHECK_EQ(next_event(r).res, -EPIPE);
	nothing_comes(r, 10);

	/* The read is: a file that can only be written. */
	CHECK_EQ(pipe2(pair, O_CLOEXEC), 0);
	index = add_blocking(r, pair[1]);
	CHECK_EQ(ring_command(r, index, "go", 2, MS, in, 6, 5), 0);
	CHECK_EQ(next_event(r).res, -EBADF);
	CHECK_EQ(read(pair[0], in, 6), 2);
	nothing_comes(r, 10);
	ring_close(r);
	close(fd);
	close(ro);
	close(pair[0]);
	close(pair[1]);
}

/* A write that takes a part: nobody waits, and the answer to something else stays unread. */
static void short_write(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	size_t size = 8 << 20;
	char in[16] = "untouched", *out = calloc(1, size);
	int pair[2], index;
	ssize_t n;

	CHECK(out);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	CHECK_EQ(write(pair[1], "stale", 5), 5);
	index = add_blocking(r, pair[0]);
	CHECK_EQ(ring_command(r, index, out, (unsigned)size, HOUR_NS, in, 6, 6), 0);
	CHECK_EQ(next_event(r).res, -EIO);
	CHECK_STR(in, "untouched");
	nothing_comes(r, 10);
	CHECK_EQ(read(pair[0], in, sizeof in), 5);
	/* It did take a part. */
	n = read(pair[1], out, size);
	CHECK(n > 0 && (size_t)n < size);
	CHECK_EQ(ring_remove(r, index), 0);
	ring_close(r);
	free(out);
	close(pair[0]);
	close(pair[1]);
}

struct device {
	int fd;
	unsigned delay_ms;
};

static void *slow_device(void *arg)
{
	struct device *d = arg;
	char command[8];

	CHECK_EQ(read(d->fd, command, 4), 4);
	CHECK(!memcmp(command, "read", 4));
	sleep_ms(d->delay_ms);
	CHECK_EQ(write(d->fd, "21.5", 4), 4);
	return NULL;
}

/* The device is not ready when the wait is over; the read goes on waiting for it. */
static void slow(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	struct device d = { .delay_ms = 60 };
	char in[8] = "";
	pthread_t thread;
	int pair[2], index;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	d.fd = pair[1];
	index = add_blocking(r, pair[0]);
	CHECK_EQ(pthread_create(&thread, NULL, slow_device, &d), 0);
	CHECK_EQ(ring_command(r, index, "read", 4, 5 * MS, in, 8, 9), 0);
	CHECK_EQ(next_event(r).res, 4);
	CHECK_STR(in, "21.5");
	pthread_join(thread, NULL);
	nothing_comes(r, 10);
	ring_close(r);
	close(pair[0]);
	close(pair[1]);
}

/* A FIFO of which both ends are ours: what was written is what is read. */
static void fifo(enum ring_kind kind)
{
	char dir[] = "/tmp/sonde-ring-XXXXXX", path[64], in[8] = "";
	struct ring *r = open_ring(kind, 0, 0);
	int fd, index;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/fifo", dir);
	CHECK_EQ(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	index = add_blocking(r, fd);
	CHECK_EQ(ring_command(r, index, "echo", 4, MS, in, 8, 9), 0);
	CHECK_EQ(next_event(r).res, 4);
	CHECK_STR(in, "echo");
	ring_close(r);
	close(fd);
	unlink(path);
	rmdir(dir);
}

/* While some wait, others are served, and those that wait come in order of time. */
static void meanwhile(enum ring_kind kind)
{
	static const unsigned wait_ms[] = { 900, 500, 700 };
	struct ring *r = open_ring(kind, 0, 0);
	char in[4][8];
	int fd[4], index[4];
	unsigned order[3];

	for (unsigned i = 0; i < 4; i++) {
		fd[i] = memory_file("12345678");
		index[i] = add_blocking(r, fd[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(ring_command(r, index[i], "abc", 3, (uint64_t)wait_ms[i] * MS, in[i], 8,
				      i), 0);
	for (unsigned i = 0; i < 20; i++) {
		struct ring_event e;

		CHECK_EQ(i & 1 ? ring_read(r, index[3], in[3], 8, 3) :
				 ring_command(r, index[3], "z", 1, MS, in[3], 8, 3), 0);
		e = next_event(r);
		CHECK_EQ(e.token, 3);
		CHECK_EQ(e.res, 8);
	}
	for (unsigned i = 0; i < 3; i++)
		order[i] = next_event(r).token;
	CHECK_EQ(order[0], 1);
	CHECK_EQ(order[1], 2);
	CHECK_EQ(order[2], 0);
	CHECK(!memcmp(in[0], "abc45678", 8));
	ring_close(r);
	for (unsigned i = 0; i < 4; i++)
		close(fd[i]);
}

/*
 * However full the queue is, the three requests stay together: one cut off would read after a
 * refused write, and come as a second event.
 */
static void together(enum ring_kind kind)
{
	struct ring_options o = { .kind = kind, .files = 2, .workers = 2, .core = -1 };
	int fd = read_only("12345678"), bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct ring *r = open_ring_with(&o);
	int index = add_blocking(r, fd);
	char in[8];

	for (unsigned k = 0; k < 80; k++) {
		for (unsigned i = 0; i < k; i++)
			ring_notify(r, bell);
		CHECK_EQ(ring_command(r, index, "abc", 3, k & 1 ? 1 : 0, in, 8, k), 0);
		CHECK_EQ(next_event(r).res, -EBADF);
		ring_tick(r, now_ns(), HOUR_NS);
		CHECK_EQ(next_event(r).kind, RING_TICK);
	}
	nothing_comes(r, 10);
	ring_close(r);
	close(fd);
	close(bell);
}

static void body(enum ring_kind kind)
{
	answers(kind);
	refusals(kind);
	short_write(kind);
	slow(kind);
	fifo(kind);
	meanwhile(kind);
	together(kind);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return on_both(body);
}
