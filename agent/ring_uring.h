/* SPDX-License-Identifier: MIT */
/*
 * ring_uring: the state of a ring on io_uring. ring_uring_open.c makes it, ring_uring_file.c and
 * ring_uring_peer.c put requests into it, ring_uring.c waits and takes the completions.
 */
#ifndef SONDE_RING_URING_H
#define SONDE_RING_URING_H

#include <liburing.h>
#include <sys/types.h>

#include "agent/ring_impl.h"

#define STREAM_GROUP 0

/* user_data: what << 32 | generation << 16 | index. */
enum {
	UD_NONE,			/* completes only when refused, and nobody asks */
	UD_BELL, UD_POST,		/* index: of the peer */
	UD_REQUESTS,			/* each of these completes: counted in flight */
	UD_TICK = UD_REQUESTS, UD_DEADLINE, UD_STOP, UD_READ, UD_WRITE, UD_PAUSE, UD_STREAM
};

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
	struct __kernel_timespec *pause;	/* of each file's command */
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

static inline uint64_t uring_user_data(const struct uring *u, unsigned what, unsigned index)
{
	const struct ring_file *f = &u->base.file[index];
	uint32_t token = what == UD_STREAM ? f->stream_token : f->read_token;

	return (uint64_t)(uint16_t)token << 48 | (uint64_t)what << 32 |
	       (uint64_t)f->generation << 16 | index;
}

/* A request whose completion matters to nobody. */
static inline void uring_mute(struct io_uring_sqe *sqe)
{
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	sqe->user_data = UD_NONE;
}

int ring_uring_add(struct ring *r, unsigned index, struct why *why);
int ring_uring_remove(struct ring *r, unsigned index);
int ring_uring_read(struct ring *r, unsigned index, void *buf, unsigned len, uint64_t offset);
int ring_uring_command(struct ring *r, unsigned index, const struct ring_chain *c);
int ring_uring_stream(struct ring *r, unsigned index);
void ring_uring_notify(struct ring *r, int eventfd);
int ring_uring_wait(struct ring *r, struct ring_event *events, unsigned max);

int ring_uring_peer_open(struct ring_peer *p, struct why *why);
void ring_uring_peer_close(struct ring_peer *p);
void ring_uring_peer_hush(struct ring_peer *p);
int ring_uring_peer_wake(struct ring_peer *p);

/* The bells that are due go into the next submission; a refused one is due again. */
void ring_uring_bells(struct uring *u);
void ring_uring_bell_refused(struct uring *u, unsigned index);

/* A free entry, after a submission if need be; NULL: the kernel takes none at present. */
struct io_uring_sqe *ring_uring_sqe(struct uring *u);

/* Hand n stream buffers to the kernel. */
void ring_uring_give(struct uring *u, const uint16_t *id, unsigned n);

/* End everything that could still write to somebody's memory. */
void ring_uring_drain(struct uring *u);

#endif
