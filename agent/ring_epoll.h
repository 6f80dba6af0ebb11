/* SPDX-License-Identifier: MIT */
/* ring_epoll: the state of a ring on epoll; ring_epoll_peer.c has its peers. */
#ifndef SONDE_RING_EPOLL_H
#define SONDE_RING_EPOLL_H

#include "agent/ring_helper.h"
#include "agent/ring_impl.h"

/* epoll_event.data: what << 32 | index. */
enum { WATCH_TICK, WATCH_DEADLINE, WATCH_STOP, WATCH_DONE, WATCH_PEER, WATCH_FILE };

struct alarm {
	int fd;
	uint64_t armed_ns;		/* 0: not */
};

struct epoll_ring {
	struct ring base;
	int fd, done_fd, core;
	struct alarm tick, deadline;
	struct helper *helper;
	bool cancelled;			/* a read without a buffer is to be ended */
	unsigned used;			/* stream buffers that the caller looks at */
};

int ring_epoll_watch(struct epoll_ring *p, int op, int fd, uint64_t what, unsigned index);

int ring_epoll_peer_open(struct ring_peer *p, struct why *why);
void ring_epoll_peer_close(struct ring_peer *p);
void ring_epoll_peer_hush(struct ring_peer *p);
int ring_epoll_peer_wake(struct ring_peer *p);

/* Ring those that are due. */
void ring_epoll_bells(struct epoll_ring *p);
/* A peer's bell is readable. */
void ring_epoll_peer_rang(struct epoll_ring *p, unsigned index);

#endif
