/* SPDX-License-Identifier: MIT */
/* ring_uring: the state of a ring on io_uring; ring_uring_open.c makes it, ring_uring.c runs it. */
#ifndef SONDE_RING_URING_H
#define SONDE_RING_URING_H

#include <liburing.h>
#include <sys/types.h>

#include "agent/ring_impl.h"

#define STREAM_GROUP 0

/* user_data: what << 32 | generation << 16 | index. */
enum { UD_NONE, UD_TICK, UD_DEADLINE, UD_STOP, UD_READ, UD_STREAM };

struct uring_timer {
	bool armed;
	uint64_t armed_ns;
	struct __kernel_timespec ts;
	uint64_t user_data;
};

struct uring {
	struct ring base;
	struct io_uring ring;
	bool ready;			/* ring is to be torn down */
	pid_t owner;
	unsigned inflight;		/* requests that will still complete */
	struct uring_timer tick, deadline;
	bool stop_armed;
	uint64_t stop_value;
	int notify_fd;			/* as registered; -1: none yet */
	struct io_uring_buf_ring *pool;
	unsigned pool_entries;
	uint16_t *used;			/* buffers that the caller looks at */
	unsigned used_count;
};

/* Registered files behind those of the caller. */
static inline int uring_stop_slot(const struct uring *u)
{
	return (int)u->base.files;
}
static inline int uring_notify_slot(const struct uring *u)
{
	return (int)u->base.files + 1;
}

int ring_uring_add(struct ring *r, unsigned index, struct why *why);
int ring_uring_remove(struct ring *r, unsigned index);
int ring_uring_read(struct ring *r, unsigned index, void *buf, unsigned len, uint64_t offset);
int ring_uring_stream(struct ring *r, unsigned index);
void ring_uring_notify(struct ring *r, int eventfd);
int ring_uring_wait(struct ring *r, struct ring_event *events, unsigned max);

/* Hand n stream buffers to the kernel. */
void ring_uring_give(struct uring *u, const uint16_t *id, unsigned n);

/* End everything that could still write to somebody's memory. */
void ring_uring_drain(struct uring *u);

#endif
