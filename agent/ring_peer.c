// SPDX-License-Identifier: MIT
/*
 * ring_peer: calls to another thread and posts from it. What is said lies in two bounded
 * lock-free lanes; a ring only has bells. So a message can neither be lost nor outgrow what
 * a completion carries, and a refused bell is simply rung again.
 *
 * A lane's writer rings when it is the first to set `rung`; the reader forgets the bells it
 * has heard, then clears `rung`, then looks into the lane, then sleeps. Both exchanges are
 * acquire and release: either the reader sees the entry, or the writer sees the cleared flag.
 * That pair, not the kernel, is also what makes all else the writer wrote visible.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/ring_impl.h"
#include "kernels/why.h"

#define NS 1000000000u
#define NAP_NS 200000

static int lane_open(struct peer_lane *l, unsigned entries)
{
	unsigned size = 1;

	while (size < entries)
		size *= 2;
	l->mask = size - 1;
	l->entry = calloc(size, sizeof *l->entry);
	return l->entry ? 0 : -ENOMEM;
}

static bool lane_push(struct peer_lane *l, const struct peer_entry *e, unsigned limit)
{
	unsigned tail = atomic_load_explicit(&l->tail, memory_order_relaxed);

	if (tail - atomic_load_explicit(&l->head, memory_order_acquire) >= limit)
		return false;
	l->entry[tail & l->mask] = *e;
	atomic_store_explicit(&l->tail, tail + 1, memory_order_release);
	return true;
}

static bool lane_pop(struct peer_lane *l, struct peer_entry *e)
{
	unsigned head = atomic_load_explicit(&l->head, memory_order_relaxed);

	if (head == atomic_load_explicit(&l->tail, memory_order_acquire))
		return false;
	*e = l->entry[head & l->mask];
	atomic_store_explicit(&l->head, head + 1, memory_order_release);
	return true;
}

static bool lane_ring(struct peer_lane *l)
{
	return !atomic_exchange_explicit(&l->rung, true, memory_order_acq_rel);
}

static void lane_heard(struct peer_lane *l)
{
	atomic_exchange_explicit(&l->rung, false, memory_order_acq_rel);
}

/* ---- the pipeline's thread */

int ring_peer_open(struct ring_peer **out, struct ring *r, unsigned calls, struct why *why)
{
	struct ring_peer *p;
	unsigned index = 0;
	int err;

	*out = NULL;
	while (index < r->peers && r->peer[index])
		index++;
	if (index == r->peers)
		return why_set(why, -ENFILE, "all %u peers of the ring are in use", r->peers);
	p = aligned_alloc(_Alignof(struct ring_peer), sizeof *p);
	if (!p)
		return why_set(why, -ENOMEM, "no memory for a peer of the ring");
	memset(p, 0, sizeof *p);
	p->ring = r;
	p->index = index;
	p->limit = calls;
	p->call_fd = p->post_fd = -1;
	p->end_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (p->end_fd < 0)
		err = why_set(why, -errno, "eventfd: %s", strerror(errno));
	else if (lane_open(&p->calls, calls) || lane_open(&p->posts, calls))
		err = why_set(why, -ENOMEM, "no memory for %u calls of a peer", calls);
	else
		err = r->ops->peer_open(p, why);
	if (err) {
		ring_peer_close(p);
		return err;
	}
	r->peer[index] = p;
	*out = p;
	return 0;
}

void ring_peer_close(struct ring_peer *p)
{
	if (!p)
		return;
	p->ring->ops->peer_close(p);
	if (p->ring->peer[p->index] == p)
		p->ring->peer[p->index] = NULL;
	if (p->end_fd >= 0)
		close(p->end_fd);
	free(p->calls.entry);
	free(p->posts.entry);
	free(p);
}

int ring_peer_call(struct ring_peer *p, uint64_t value)
{
	const struct peer_entry e = { .value = value };

	if (!lane_push(&p->calls, &e, p->limit))
		return -EBUSY;
	if (lane_ring(&p->calls))
		p->bell = p->ring->bells = true;
	return 0;
}

void ring_peer_rang(struct ring *r, unsigned index)
{
	struct ring_peer *p = index < r->peers ? r->peer[index] : NULL;

	if (!p)
		return;		/* closed since */
	lane_heard(&p->posts);
	p->posted = r->posted = true;
}

unsigned ring_posts(struct ring *r, struct ring_event *events, unsigned max)
{
	unsigned n = 0;

	if (!r->posted)
		return 0;
	r->posted = false;
	r->turn++;
	for (unsigned i = 0; i < r->peers; i++) {
		struct ring_peer *p = r->peer[(r->turn + i) % r->peers];
		struct peer_entry e;

		if (!p || !p->posted)
			continue;
		while (n < max && lane_pop(&p->posts, &e))
			events[n++] = (struct ring_event){
				.kind = RING_POST, .res = e.res, .token = e.token, .t_ns = e.value,
			};
		p->posted = n == max;
		r->posted |= p->posted;
	}
	return n;
}

/* ---- the peer's thread */

static bool ended(struct ring_peer *p)
{
	return atomic_load_explicit(&p->ended, memory_order_acquire);
}

/* Until a bell, the end, or the time. Whatever ends it, the caller looks again. */
static void await(struct ring_peer *p, uint64_t until_ns, uint64_t now)
{
	struct pollfd fd[] = {
		{ .fd = p->call_fd, .events = POLLIN },
		{ .fd = p->end_fd, .events = POLLIN },
	};
	uint64_t left = until_ns > now ? until_ns - now : 0;
	struct timespec t = { (time_t)(left / NS), (long)(left % NS) };

	ppoll(fd, 2, until_ns ? &t : NULL, NULL);
}

int ring_peer_wait(struct ring_peer *p, uint64_t until_ns, uint64_t *value)
{
	struct peer_entry e;

	for (;;) {
		uint64_t now;

		if (ended(p))
			return -ECANCELED;
		if (lane_pop(&p->calls, &e))
			break;
		now = until_ns ? ring_now_ns() : 0;
		if (until_ns && now >= until_ns)
			return -ETIME;
		p->ring->ops->peer_hush(p);
		lane_heard(&p->calls);
		if (lane_pop(&p->calls, &e))
			break;
		await(p, until_ns, now);
	}
	*value = e.value;
	return 0;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
}

void ring_peer_post(struct ring_peer *p, uint32_t token, int res, uint64_t t_ns)
{
	const struct peer_entry e = { .value = t_ns, .token = token, .res = res };

	/* Full only for who posts more than it was called for: it waits for the pipeline. */
	while (!lane_push(&p->posts, &e, p->posts.mask + 1)) {
		if (ended(p))
			return;
		nap();
	}
	if (!lane_ring(&p->posts))
		return;
	while (p->ring->ops->peer_wake(p) && !ended(p))
		nap();
}

/* ---- any thread */

void ring_peer_end(struct ring_peer *p)
{
	uint64_t one = 1;

	atomic_store_explicit(&p->ended, true, memory_order_release);
	while (write(p->end_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}
