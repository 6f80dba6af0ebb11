/* SPDX-License-Identifier: MIT */
/*
 * ring_impl: what the two rings share, for ring*.c (and ring_thread() for worker.c). ring.c
 * keeps the files, the grid of the tick and the deadline, ring_peer.c what goes to and fro
 * between threads; an implementation only knows how to wait and how to wake.
 */
#ifndef SONDE_RING_IMPL_H
#define SONDE_RING_IMPL_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "agent/ring.h"

struct ring_file {
	int fd;				/* -1: this index is free */
	bool blocking;
	bool reading, streaming;	/* under way */
	bool single;			/* io_uring: reads one by one instead of multishot */
	bool flowed, ended;		/* the stream has given data; came to an end before */
	uint8_t generation;		/* tells late completions of the last file apart */
	uint32_t read_token, stream_token;
	void *buf;			/* epoll: of a read that waits for the file */
	unsigned len;
};

/* A ring_command. */
struct ring_chain {
	const void *out;
	unsigned outs;
	uint64_t wait_ns;
	void *in;
	unsigned len;
};

struct peer_entry {
	uint64_t value;			/* of a call; of a post its t_ns */
	uint32_t token;
	int res;
};

/* One writer and one reader; head and tail run freely, the size is a power of two. */
struct peer_lane {
	_Alignas(64) atomic_uint head;	/* next to read */
	_Alignas(64) atomic_uint tail;	/* next to write */
	_Alignas(64) atomic_bool rung;	/* the reader has been or will be woken */
	struct peer_entry *entry;
	unsigned mask;
};

struct ring_peer {
	struct peer_lane calls, posts;
	struct ring *ring;
	unsigned index, limit;
	bool bell;			/* pipeline: it is to be woken by the next submission */
	bool posted;			/* pipeline: there may be posts */
	atomic_bool ended;
	int end_fd;			/* eventfd: readable once ended */
	int call_fd;			/* readable when the bell has rung */
	int post_fd;			/* epoll: the pipeline's bell */
	void *own;			/* io_uring: the peer's ring */
};

struct ring_ops {
	enum ring_kind kind;
	void (*close)(struct ring *r);
	int (*add)(struct ring *r, unsigned index, struct why *why);
	int (*remove)(struct ring *r, unsigned index);
	int (*read)(struct ring *r, unsigned index, void *buf, unsigned len, uint64_t offset);
	int (*command)(struct ring *r, unsigned index, const struct ring_chain *c);
	int (*stream)(struct ring *r, unsigned index);
	void (*notify)(struct ring *r, int eventfd);
	int (*wait)(struct ring *r, struct ring_event *events, unsigned max);
	/* The bells of a peer, call_fd among them; close takes a half-open one. */
	int (*peer_open)(struct ring_peer *p, struct why *why);
	void (*peer_close)(struct ring_peer *p);
	/* The peer's thread: forget the bells that have rung. */
	void (*peer_hush)(struct ring_peer *p);
	/* The peer's thread: wake the pipeline. -errno: refused, to be tried again. */
	int (*peer_wake)(struct ring_peer *p);
};

struct ring {
	const struct ring_ops *ops;
	struct ring_counters counters;
	struct ring_file *file;
	unsigned files;
	unsigned stream_buffers, stream_buffer_size;
	uint64_t tick_ns, period_ns;	/* the next grid time; 0: no tick */
	uint64_t deadline_ns;		/* 0: none */
	int stop_fd;
	uint8_t *pool;			/* the stream buffers */
	struct ring_peer **peer;	/* NULL: this place is free */
	unsigned peers, turn;		/* turn: whose posts come first */
	bool bells, posted;		/* of any peer */
};

/* Each allocates its own struct, which begins with struct ring. */
int ring_uring_open(struct ring **out, const struct ring_options *o, struct why *why);
int ring_epoll_open(struct ring **out, const struct ring_options *o, struct why *why);

/* The shared part; ring_base_close takes a half-open one. */
int ring_base_open(struct ring *r, const struct ring_ops *ops, const struct ring_options *o,
		   struct why *why);
void ring_base_close(struct ring *r);

uint64_t ring_now_ns(void);

/* A peer's bell has rung: its posts are looked at by the next ring_posts. */
void ring_peer_rang(struct ring *r, unsigned index);

/* What peers have posted, up to max; r->posted stays set when there is more. */
unsigned ring_posts(struct ring *r, struct ring_event *events, unsigned max);

/* Has the tick (the deadline) come? Fills the event and moves on to the next one. */
bool ring_tick_due(struct ring *r, struct ring_event *e);
bool ring_deadline_due(struct ring *r, struct ring_event *e);

/*
 * The cores on which what blocks may run: those of this process, without the pinned
 * one. False when there is no other.
 */
bool ring_other_cores(int core, cpu_set_t *set);

/*
 * A thread that keeps off that core (-1: anywhere) and takes no signal. priority: of
 * SCHED_FIFO, 0 for none, RING_INHERIT for the caller's. What could not be had (another core, the
 * priority) is no error; why tells, and what: "the reading thread".
 */
#define RING_INHERIT (-1)
int ring_thread(pthread_t *out, void *(*body)(void *arg), void *arg, const char *what, int core,
		int priority, struct why *why);

#endif
