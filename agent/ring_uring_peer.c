// SPDX-License-Identifier: MIT
/*
 * ring_uring_peer: the bells of a peer are MSG_RING in both directions. The pipeline's go out
 * with its next submission, and only a refused one completes. The peer has a small ring of
 * its own to send from and to be reached at; it sleeps in poll() on it, since its end has to
 * reach it from any thread, and a request armed for that would belong to whoever armed it
 * and outlive a thread that the kernel holds (io_ring_exit_work warns of those).
 *
 * A message to the pipeline's DEFER_TASKRUN ring is task work, allocated by the sender
 * (io_uring/msg_ring.c, io_msg_data_remote). One to a plain ring is posted at once under its
 * lock, whichever thread runs (io_post_aux_cqe): so the peer's ring is a plain one, opened
 * before there is a peer. Rings can not be registered as files: descriptors name them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ring_uring.h"
#include "kernels/why.h"

/* One message at a time goes out; of the pipeline's bells two at most lie unheard. */
#define SENT 2
#define HEARD 8

enum { OWN = 1 };

int ring_uring_peer_open(struct ring_peer *p, struct why *why)
{
	struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE, .cq_entries = HEARD };
	struct io_uring *ring = calloc(1, sizeof *ring);
	int err;

	if (!ring)
		return why_set(why, -ENOMEM, "no memory for a peer's ring");
	err = io_uring_queue_init_params(SENT, ring, &params);
	if (err) {
		free(ring);
		return why_set(why, err, "a ring for a peer: %s", strerror(-err));
	}
	p->own = ring;
	p->call_fd = ring->ring_fd;
	return 0;
}

void ring_uring_peer_close(struct ring_peer *p)
{
	struct uring *u = (struct uring *)p->ring;

	if (!p->own)
		return;
	/* A bell still queued names the descriptor: it must not meet the next file there. */
	if (u->owner == gettid() && io_uring_sq_ready(&u->ring))
		io_uring_submit(&u->ring);
	io_uring_queue_exit(p->own);
	free(p->own);
	p->own = NULL;
}

void ring_uring_bells(struct uring *u)
{
	struct ring *r = &u->base;

	if (!r->bells)
		return;
	r->bells = false;
	for (unsigned i = 0; i < r->peers; i++) {
		struct ring_peer *p = r->peer[i];
		struct io_uring_sqe *sqe;

		if (!p || !p->bell)
			continue;
		sqe = ring_uring_sqe(u);
		if (!sqe) {
			r->bells = true;
			return;
		}
		io_uring_prep_msg_ring(sqe, p->call_fd, 0, 0, 0);
		sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
		sqe->user_data = (uint64_t)UD_BELL << 32 | i;
		p->bell = false;
	}
}

void ring_uring_bell_refused(struct uring *u, unsigned index)
{
	struct ring_peer *p = index < u->base.peers ? u->base.peer[index] : NULL;

	if (p)
		p->bell = u->base.bells = true;
}

/* Takes all completions; tells whether ours was among them. */
static bool take(struct io_uring *ring, int *res)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0;
	bool own = false;

	io_uring_for_each_cqe(ring, head, cqe) {
		if (cqe->user_data == OWN) {
			own = true;
			*res = cqe->res;
		}
		seen++;
	}
	io_uring_cq_advance(ring, seen);
	return own;
}

void ring_uring_peer_hush(struct ring_peer *p)
{
	int res;

	take(p->own, &res);
}

int ring_uring_peer_wake(struct ring_peer *p)
{
	struct uring *u = (struct uring *)p->ring;
	struct io_uring *ring = p->own;
	struct io_uring_sqe *sqe;
	int ret, res = 0;

	/* What the kernel would not take the last time is still there. */
	if (!io_uring_sq_ready(ring)) {
		sqe = io_uring_get_sqe(ring);
		if (!sqe)
			return -EAGAIN;
		io_uring_prep_msg_ring(sqe, u->ring.ring_fd, 0,
				       (uint64_t)UD_POST << 32 | p->index, 0);
		sqe->user_data = OWN;
	}
	ret = io_uring_submit(ring);
	if (ret < 0)
		return ret;
	/* Sent within the submission; were it handed to a worker, it is waited for. */
	while (!take(ring, &res)) {
		ret = io_uring_submit_and_wait(ring, 1);
		if (ret < 0 && ret != -EINTR)
			return ret;
	}
	return res < 0 ? res : 0;
}
