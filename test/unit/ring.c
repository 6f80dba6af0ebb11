// SPDX-License-Identifier: MIT
/*
 * ring: times, reads, notify and stop, on both implementations. No upper bounds on
 * times but where a wait would never end: only the order and the grid are checked.
 */
#include <pthread.h>
#include <sys/eventfd.h>

#include "test/unit/ring_fixture.h"

/* Ticks stand on the grid, in order, never early, and none is unaccounted for. */
static void grid(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	uint64_t period = 5 * MS, first = now_ns() + period, last = first - period;
	uint64_t missed = 0;
	struct ring_event e;

	ring_tick(r, first, period);
	for (unsigned i = 0; i < 20; i++) {
		e = next_event(r);
		CHECK_EQ(e.kind, RING_TICK);
		CHECK(now_ns() >= e.t_ns);
		CHECK_EQ((e.t_ns - first) % period, 0);
		CHECK_EQ(e.res, (e.t_ns - last) / period - 1);
		missed += (uint64_t)e.res;
		last = e.t_ns;
	}
	CHECK_EQ(last, first + (19 + missed) * period);

	/* Held for more than five periods: one tick, for the newest grid time. */
	sleep_ms(28);
	e = next_event(r);
	CHECK(e.res >= 4);
	CHECK_EQ(e.res, (e.t_ns - last) / period - 1);
	CHECK(now_ns() >= e.t_ns);

	/* Another grid takes the place of the first. */
	first = now_ns() + 7 * MS;
	ring_tick(r, first, 3 * MS);
	e = next_event(r);
	CHECK_EQ((e.t_ns - first) % (3 * MS), 0);
	CHECK(e.t_ns >= first);
	ring_close(r);
}

static void deadline(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	struct ring_counters before, after;
	uint64_t near, far;
	struct ring_event e;

	/* Replaced by an earlier one, after a wait has armed the first. */
	far = now_ns() + 3600000ull * MS;
	ring_deadline(r, far);
	ring_tick(r, now_ns() + MS, 1000 * MS);
	CHECK_EQ(next_event(r).kind, RING_TICK);
	ring_tick(r, 0, 0);
	near = now_ns() + 5 * MS;
	ring_deadline(r, near);
	e = next_event(r);
	CHECK_EQ(e.kind, RING_DEADLINE);
	CHECK_EQ(e.t_ns, near);
	CHECK(now_ns() >= near);

	/* Replaced by a later one. */
	ring_deadline(r, now_ns() + 40 * MS);
	ring_tick(r, now_ns() + MS, 3600000ull * MS);
	CHECK_EQ(next_event(r).kind, RING_TICK);
	far = now_ns() + 80 * MS;
	ring_deadline(r, far);
	e = next_event(r);
	CHECK_EQ(e.kind, RING_DEADLINE);
	CHECK_EQ(e.t_ns, far);
	CHECK(now_ns() >= far);

	/* Withdrawn when armed: only the ticks come, and nothing else wakes the thread. */
	ring_deadline(r, now_ns() + 200 * MS);
	ring_tick(r, now_ns() + MS, 50 * MS);
	CHECK_EQ(next_event(r).kind, RING_TICK);
	ring_deadline(r, 0);
	ring_counters(r, &before);
	for (unsigned i = 0; i < 6; i++)
		CHECK_EQ(next_event(r).kind, RING_TICK);
	ring_counters(r, &after);
	CHECK_EQ(after.submits - before.submits, 6);
	ring_tick(r, 0, 0);

	/* In the past: at once, and once. */
	ring_deadline(r, 1);
	CHECK_EQ(next_event(r).kind, RING_DEADLINE);
	ring_stop(r);
	CHECK_EQ(next_event(r).kind, RING_STOP);

	/* Again after one has fired. */
	near = now_ns() + MS;
	ring_deadline(r, near);
	CHECK_EQ(next_event(r).t_ns, near);
	ring_close(r);
}

static int file_with(const char *text)
{
	char path[] = "/tmp/sonde-ring-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	unlink(path);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void reads(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	int fd = file_with("hello, world"), index[64], pipe_fd[2];
	struct ring_event events[64];
	char buf[64][16];
	unsigned seen = 0;
	uint64_t tokens = 0;
	struct why why;

	memset(buf, 0, sizeof buf);
	for (unsigned i = 0; i < 64; i++) {
		index[i] = ring_add(r, fd, true, &why);
		CHECK(index[i] >= 0);
	}
	CHECK_EQ(ring_add(r, fd, true, &why), -ENFILE);
	/* All at once, more than one submission holds in the smallest queue. */
	for (unsigned i = 0; i < 64; i++)
		CHECK_EQ(ring_read(r, index[i], buf[i], 5, i), 0);
	CHECK_EQ(ring_read(r, index[3], buf[3], 5, 3), -EBUSY);
	CHECK_EQ(ring_remove(r, index[3]), -EBUSY);
	while (seen < 64) {
		/* Few at a time: the others must not get lost. */
		int n = ring_wait(r, events, 3);

		CHECK(n >= 1 && n <= 3);
		for (int i = 0; i < n; i++) {
			CHECK_EQ(events[i].kind, RING_READ);
			/* Number 3 was under way when it was to be removed: it may be cancelled. */
			if (events[i].res != -ECANCELED || events[i].token != 3) {
				CHECK_EQ(events[i].res, 5);
				CHECK_STR(buf[events[i].token], "hello");
			}
			tokens |= 1ull << events[i].token;
		}
		seen += (unsigned)n;
	}
	CHECK_EQ(tokens, UINT64_MAX);

	CHECK_EQ(ring_read_at(r, index[0], buf[0], 16, 7, 9), 0);
	CHECK_EQ(next_event(r).res, 5);
	CHECK(!memcmp(buf[0], "world", 5));
	CHECK_EQ(ring_read_at(r, index[0], buf[0], 16, 100, 9), 0);
	CHECK_EQ(next_event(r).res, 0);

	/* Its place is free again. */
	CHECK_EQ(ring_remove(r, index[5]), 0);
	CHECK_EQ(ring_read(r, index[5], buf[5], 5, 5), -EBADF);
	CHECK_EQ(ring_remove(r, index[5]), -EBADF);
	CHECK_EQ(ring_add(r, fd, true, &why), index[5]);
	CHECK_EQ(ring_stream(r, index[5], 0), -EINVAL);

	/* One that waits for its file is cancelled when it is to go. */
	CHECK_EQ(ring_remove(r, index[6]), 0);
	CHECK_EQ(pipe2(pipe_fd, O_CLOEXEC), 0);
	CHECK_EQ(ring_add(r, pipe_fd[0], false, &why), -EINVAL);
	CHECK_EQ(fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK), 0);
	index[6] = ring_add(r, pipe_fd[0], false, &why);
	CHECK(index[6] >= 0);
	CHECK_EQ(ring_read(r, index[6], buf[6], 8, 66), 0);
	CHECK_EQ(write(pipe_fd[1], "abc", 3), 3);
	CHECK_EQ(next_event(r).res, 3);
	CHECK_EQ(ring_read(r, index[6], buf[6], 8, 67), 0);
	CHECK_EQ(ring_remove(r, index[6]), -EBUSY);
	events[0] = next_event(r);
	CHECK_EQ(events[0].token, 67);
	CHECK_EQ(events[0].res, -ECANCELED);
	CHECK_EQ(ring_remove(r, index[6]), 0);

	/* Closing with a read under way. */
	CHECK_EQ(ring_read(r, index[0], buf[0], 5, 0), 0);
	ring_close(r);
	close(fd);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void *stopper(void *ring)
{
	sleep_ms(20);
	ring_stop(ring);
	return NULL;
}

static void notify_and_stop(enum ring_kind kind)
{
	struct ring *r = open_ring(kind, 0, 0);
	int fd[2] = { eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK) };
	pthread_t thread;
	uint64_t count;

	for (unsigned i = 0; i < 2; i++) {
		ring_notify(r, fd[i]);
		ring_notify(r, fd[i]);
		ring_tick(r, now_ns() + MS, 1000 * MS);
		CHECK_EQ(next_event(r).kind, RING_TICK);
		CHECK_EQ(read(fd[i], &count, sizeof count), sizeof count);
		CHECK_EQ(count, 2);
	}
	ring_tick(r, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_EQ(pthread_create(&thread, NULL, stopper, r), 0);
		CHECK_EQ(next_event(r).kind, RING_STOP);
		pthread_join(thread, NULL);
	}
	ring_close(r);
	close(fd[0]);
	close(fd[1]);
}

static void body(enum ring_kind kind)
{
	grid(kind);
	deadline(kind);
	reads(kind);
	notify_and_stop(kind);
}

int main(void)
{
	ring_close(NULL);
	return on_both(body);
}
