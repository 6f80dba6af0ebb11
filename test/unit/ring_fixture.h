/* SPDX-License-Identifier: MIT */
/* ring_fixture: what the tests of the ring share. Each runs its body on both kinds. */
#ifndef SONDE_TEST_RING_FIXTURE_H
#define SONDE_TEST_RING_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "agent/ring.h"
#include "kernels/why.h"
#include "test/test.h"

#define MS 1000000u

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * MS };

	nanosleep(&t, NULL);
}

static inline struct ring *open_ring_with(const struct ring_options *o)
{
	struct why why;
	struct ring *r;
	int err = ring_open(&r, o, &why);

	if (err)
		fprintf(stderr, "ring_open: %s\n", why.text);
	CHECK_EQ(err, 0);
	CHECK_EQ(ring_kind(r), o->kind);
	return r;
}

static inline struct ring *open_ring(enum ring_kind kind, unsigned buffers, unsigned size)
{
	struct ring_options o = {
		.kind = kind, .files = 64, .workers = 2, .core = -1,
		.stream_buffers = buffers, .stream_buffer_size = size,
	};

	return open_ring_with(&o);
}

/* Is there an io_uring at all? Its absence is a reason to skip, after the epoll half. */
static inline int uring_refused(struct why *why)
{
	struct ring_options o = { .kind = RING_URING, .files = 1, .core = -1 };
	struct ring *r;
	int err = ring_open(&r, &o, why);

	ring_close(r);
	return err;
}

static inline int on_both(void (*body)(enum ring_kind kind))
{
	struct why why;

	body(RING_EPOLL);
	if (uring_refused(&why))
		SKIP_BECAUSE("passed on epoll; no io_uring here: %s", why.text);
	body(RING_URING);
	return 0;
}

static inline struct ring_event next_event(struct ring *r)
{
	struct ring_event e;

	memset(&e, 0, sizeof e);
	CHECK_EQ(ring_wait(r, &e, 1), 1);
	return e;
}

static inline int memory_file(const char *text)
{
	int fd = memfd_create("sonde-ring", MFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

/* As a file that blocks. */
static inline int add_blocking(struct ring *r, int fd)
{
	struct why why;
	int index = ring_add(r, fd, true, &why);

	CHECK(index >= 0);
	return index;
}

/* Nothing comes for a while but the end of that while. */
static inline void nothing_comes(struct ring *r, unsigned ms)
{
	ring_tick(r, now_ns() + (uint64_t)ms * MS, 3600000ull * MS);
	CHECK_EQ(next_event(r).kind, RING_TICK);
	ring_tick(r, 0, 0);
}

#endif
