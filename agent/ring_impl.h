/* SPDX-License-Identifier: MIT */
/*
 * ring_impl: what the two rings share, for ring*.c alone. ring.c keeps the files, the
 * grid of the tick and the deadline; an implementation only knows how to wait.
 * A further source of completions (a bus thread) adds an operation here.
 */
#ifndef SONDE_RING_IMPL_H
#define SONDE_RING_IMPL_H

#include <sched.h>

#include "agent/ring.h"

struct ring_file {
	int fd;				/* -1: this index is free */
	bool blocking;
	bool reading, streaming;	/* under way */
	bool single;			/* io_uring: reads one by one instead of multishot */
	bool flowed, ended;		/* the stream has given data; has come to an end before */
	uint8_t generation;		/* tells late completions of the last file apart */
	uint32_t read_token, stream_token;
	void *buf;			/* epoll: of a read that waits for the file */
	unsigned len;
};

struct ring_ops {
	enum ring_kind kind;
	void (*close)(struct ring *r);
	int (*add)(struct ring *r, unsigned index, struct why *why);
	int (*remove)(struct ring *r, unsigned index);
	int (*read)(struct ring *r, unsigned index, void *buf, unsigned len, uint64_t offset);
	int (*stream)(struct ring *r, unsigned index);
	void (*notify)(struct ring *r, int eventfd);
	int (*wait)(struct ring *r, struct ring_event *events, unsigned max);
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
};

/* Each allocates its own struct, which begins with struct ring. */
int ring_uring_open(struct ring **out, const struct ring_options *o, struct why *why);
int ring_epoll_open(struct ring **out, const struct ring_options *o, struct why *why);

/* The shared part; ring_base_close takes a half-open one. */
int ring_base_open(struct ring *r, const struct ring_ops *ops, const struct ring_options *o,
		   struct why *why);
void ring_base_close(struct ring *r);

uint64_t ring_now_ns(void);

/* Has the tick (the deadline) come? Fills the event and moves on to the next one. */
bool ring_tick_due(struct ring *r, struct ring_event *e);
bool ring_deadline_due(struct ring *r, struct ring_event *e);

/*
 * The cores on which what blocks may run: those of this process, without the pinned
 * one. False when there is no other.
 */
bool ring_other_cores(int core, cpu_set_t *set);

#endif
