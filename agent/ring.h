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
	RING_READ,	/* a ring_read or ring_command completed: res bytes or -errno */
	RING_STREAM,	/* a stream has data: res bytes at data, or 0 / -errno, more = false */
	RING_POST,	/* a ring_peer_post: its token and res; t_ns as it gave it */
	RING_STOP,	/* ring_stop was called */
};

struct ring_event {
	enum ring_event_kind kind;
	int res;
	bool more;		/* RING_STREAM: still armed; false: ring_stream again */
	uint32_t token;		/* as given to ring_read / ring_stream */
	uint64_t t_ns;		/* RING_TICK, RING_DEADLINE, RING_POST: CLOCK_MONOTONIC */
	const uint8_t *data;	/* RING_STREAM: valid until the next ring_wait */
};

struct ring_options {
	enum ring_kind kind;
	unsigned files;		/* how many ring_add calls may follow */
	unsigned workers;	/* io-wq workers allowed: number of files that block */
	unsigned peers;		/* how many ring_peer_open calls may follow */
	int core;		/* the pinned core, which workers must leave; -1: none */
	/* provided buffers, all streams together */
	unsigned stream_buffers, stream_buffer_size;
};

/*
 * Errors: -errno of io_uring_setup or epoll_create1, with the reason. On success why
 * is empty or says what had to be done without (RING_ANY: why it is not io_uring).
 */
int ring_open(struct ring **out, const struct ring_options *o, struct why *why);

/*
 * After its peers. Ends or waits for what is under way: then nothing touches the buffers of
 * reads and commands any more.
 */
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
 * ring_read or ring_command of it is under way: that is cancelled where it can be (not in the
 * thread that stands in for io_uring, nor between two requests of a command); call again until
 * its RING_READ has come.
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
 * Write out[outs] to the file, wait wait_ns, read up to len bytes into in: one chain of
 * linked requests, for devices that are told to measure and asked later. Both buffers stay
 * valid until RING_READ, whose res is the read's, or the -errno of whatever failed first. A write
 * that takes fewer bytes is -EIO. The file was added as blocking (-EINVAL, also for nothing to
 * write or to read). -EBUSY as ring_read.
 */
int ring_command(struct ring *r, int index, const void *out, unsigned outs, uint64_t wait_ns,
		 void *in, unsigned len, uint32_t token);

/*
 * A peer: another thread that works for this one. Calls go out with the next
 * submission (MSG_RING to the peer's own ring; epoll: an eventfd), posts come back the same way.
 * Up to `calls` may be under way, which is until ring_peer_wait has taken them; open and close
 * belong to the pipeline's thread (close also to whoever has joined both). What either thread
 * wrote before its call or post, the other one sees after it.
 */
struct ring_peer;
int ring_peer_open(struct ring_peer **out, struct ring *r, unsigned calls, struct why *why);
/* Pipeline's thread. -EBUSY: calls are under way. value is the caller's. */
int ring_peer_call(struct ring_peer *p, uint64_t value);
/*
 * The peer's thread: the next value; waits for one until until_ns (CLOCK_MONOTONIC; 0: for ever).
 * -ETIME: none came; -ECANCELED: ring_peer_end was called.
 */
int ring_peer_wait(struct ring_peer *p, uint64_t until_ns, uint64_t *value);
/*
 * The peer's thread: RING_POST with these. Never fails. Waits only while `calls` posts lie there
 * that the pipeline has not looked at; after ring_peer_end a post may be dropped instead.
 */
void ring_peer_post(struct ring_peer *p, uint32_t token, int res, uint64_t t_ns);
/* Any thread: ring_peer_wait returns -ECANCELED from now on. */
void ring_peer_end(struct ring_peer *p);
void ring_peer_close(struct ring_peer *p);

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
