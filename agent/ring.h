/* SPDX-License-Identifier: MIT */
/*
 * ring: how a pipeline thread waits for the kernel, and all it may ask of it.
 *
 * Two implementations of one small interface: io_uring (ring_uring.c) and, where
 * the kernel or a policy refuses that, epoll with one helper thread for files
 * that can not be polled (ring_epoll.c). One thread opens the ring, uses it and
 * closes it (or whoever has joined that thread does); nothing here is safe from another, but
 * ring_stop().
 *
 * The tick is an absolute time-out re-armed in the submission that each wait
 * makes anyway. A multishot time-out would save that entry but counts its
 * period from the moment the last one was handled and refuses absolute times
 * (io_uring/timeout.c, io_timeout_complete and __io_timeout_prep): measured at 50 Hz it
 * ran 166 us late per tick, a grid that drifts by half a tick a minute.
 */
#ifndef SONDE_RING_H
#define SONDE_RING_H

#include <stdbool.h>
#include <stdint.h>

struct why;
struct ring;

enum ring_kind { RING_ANY, RING_URING, RING_EPOLL };

enum ring_event_kind {
	RING_TICK,	/* res: whole periods missed before it; t_ns: its grid time */
	RING_DEADLINE,	/* the one-shot armed by ring_deadline has passed */
	RING_READ,	/* a ring_read completed: res bytes or -errno */
	RING_STREAM,	/* a stream has data: res bytes at data, or 0 / -errno and more = false */
	RING_STOP,	/* ring_stop was called */
};

struct ring_event {
	enum ring_event_kind kind;
	int res;
	bool more;		/* RING_STREAM: still armed; false: ring_stream again */
	uint32_t token;		/* as given to ring_read / ring_stream */
	uint64_t t_ns;		/* RING_TICK, CLOCK_MONOTONIC */
	const uint8_t *data;	/* RING_STREAM: valid until the next ring_wait */
};

struct ring_options {
	enum ring_kind kind;
	unsigned files;		/* how many ring_add calls may follow */
	unsigned workers;	/* io-wq workers allowed: number of files that block */
	int core;		/* the pinned core, which workers must leave; -1: none */
	unsigned stream_buffers, stream_buffer_size;	/* provided buffers, all streams together */
};

/*
 * Errors: -errno of io_uring_setup or epoll_create1, with the reason. On success why
 * is empty or says what had to be done without (RING_ANY: why it is not io_uring).
 */
int ring_open(struct ring **out, const struct ring_options *o, struct why *why);

/* Waits for reads that are under way: after it nothing writes to their buffers. */
void ring_close(struct ring *r);

enum ring_kind ring_kind(const struct ring *r);

/*
 * Hand over a file descriptor (the ring does not own it) and get its index.
 * A pollable one must have O_NONBLOCK set before: io_uring freezes the flag
 * when the file is registered. blocking: reads of it may do work in the kernel
 * (sysfs, procfs) and are taken off this thread.
 */
int ring_add(struct ring *r, int fd, bool blocking, struct why *why);

/*
 * Take the file out again: its index is free for the next ring_add. -EBUSY while a
 * ring_read of it is under way: that is cancelled where it can be; call again after
 * its RING_READ.
 */
int ring_remove(struct ring *r, int index);

/* Tick every period_ns on the grid first_ns + k * period_ns (CLOCK_MONOTONIC). */
void ring_tick(struct ring *r, uint64_t first_ns, uint64_t period_ns);

/* One RING_DEADLINE at t_ns; a second call replaces the first, 0 withdraws it. */
void ring_deadline(struct ring *r, uint64_t t_ns);

/*
 * Read up to len bytes at offset 0 into buf, which stays valid until RING_READ.
 * -EBUSY: one read of a file at a time.
 */
int ring_read(struct ring *r, int index, void *buf, unsigned len, uint32_t token);
/* ... at an offset: for a file that comes in pieces. */
int ring_read_at(struct ring *r, int index, void *buf, unsigned len, uint64_t offset,
		 uint32_t token);

/*
 * Read whatever comes, again and again, into the provided buffers. An event with
 * res < 0 and more = true says that bytes were lost on the way.
 */
int ring_stream(struct ring *r, int index, uint32_t token);

/*
 * Write 8 bytes (1) to an eventfd, with the next wait's submission. It must be
 * O_NONBLOCK (on a blocking one the write costs io_uring a worker) and stay open
 * as long as the ring.
 */
void ring_notify(struct ring *r, int eventfd);

/*
 * Submit what was asked, wait for at least one event, fill up to max of them.
 * Returns how many, or -errno (-EINTR never escapes). Data of the last call's
 * RING_STREAM events goes back to the kernel here.
 */
int ring_wait(struct ring *r, struct ring_event *events, unsigned max);

/* From any thread: make ring_wait return RING_STOP. */
void ring_stop(struct ring *r);

/* Work that the kernel did out of line or lost, since open. */
struct ring_counters {
	uint64_t submits;	/* io_uring_enter or epoll_wait calls */
	uint64_t no_buffers;	/* -ENOBUFS: the stream outran us */
	uint64_t rearmed;	/* a stream ended (no F_MORE) and was armed again */
	uint64_t cq_overflow;
};
void ring_counters(const struct ring *r, struct ring_counters *out);

#endif
