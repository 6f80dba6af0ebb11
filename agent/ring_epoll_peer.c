// SPDX-License-Identifier: MIT
/*
 * ring_epoll_peer: the bells of a peer are eventfds here, one each way. They count, so they are
 * never full and never refused.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/ring_epoll.h"
#include "kernels/why.h"

static void ring_bell(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void hush(int fd)
{
	uint64_t count;

	while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}

int ring_epoll_peer_open(struct ring_peer *p, struct why *why)
{
	struct epoll_ring *r = (struct epoll_ring *)p->ring;
	int err;

	p->call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	p->post_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (p->call_fd < 0 || p->post_fd < 0)
		return why_set(why, -errno, "eventfd: %s", strerror(errno));
	err = ring_epoll_watch(r, EPOLL_CTL_ADD, p->post_fd, WATCH_PEER, p->index);
	return err ? why_set(why, err, "epoll_ctl: %s", strerror(-err)) : 0;
}

void ring_epoll_peer_close(struct ring_peer *p)
{
	/* The only descriptor of it, so epoll forgets it as well. */
	if (p->post_fd >= 0)
		close(p->post_fd);
	if (p->call_fd >= 0)
		close(p->call_fd);
}

void ring_epoll_peer_hush(struct ring_peer *p)
{
	hush(p->call_fd);
}

int ring_epoll_peer_wake(struct ring_peer *p)
{
	ring_bell(p->post_fd);
	return 0;
}

void ring_epoll_bells(struct epoll_ring *r)
{
	if (!r->base.bells)
		return;
	r->base.bells = false;
	for (unsigned i = 0; i < r->base.peers; i++) {
		struct ring_peer *p = r->base.peer[i];

		if (!p || !p->bell)
			continue;
		p->bell = false;
		ring_bell(p->call_fd);
	}
}

void ring_epoll_peer_rang(struct epoll_ring *r, unsigned index)
{
	hush(r->base.peer[index]->post_fd);
	ring_peer_rang(&r->base, index);
}
