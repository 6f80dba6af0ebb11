// SPDX-License-Identifier: MIT
/*
 * ring_uring: the ring on io_uring. One io_uring_enter a turn: it submits what was
 * asked for, re-arms the tick, runs the deferred work and waits.
 *
 * Both times are absolute one-shot time-outs, moved by an update (which posts no
 * completion) and put far away instead of being withdrawn: a cancelled time-out
 * completes, and would end the wait for nothing.
 */
#include "agent/ring_uring.h"

#include <errno.h>
#include <string.h>

#include "kernels/why.h"

#define FAR_NS (UINT64_MAX / 4)
#define NS 1000000000u
#define DRAIN_NS 5000000

struct io_uring_sqe *ring_uring_sqe(struct uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if (sqe)
		return sqe;
	u->base.counters.submits++;
	io_uring_submit(&u->ring);
	return io_uring_get_sqe(&u->ring);
}

/* ---- the two times */

static void timer_sync(struct uring *u, struct uring_timer *t, uint64_t want_ns)
{
	struct io_uring_sqe *sqe;

	if (!t->armed && !want_ns)
		return;
	if (!want_ns)
		want_ns = FAR_NS;
	if (t->armed && t->armed_ns == want_ns)
		return;
	sqe = ring_uring_sqe(u);
	if (!sqe)
		return;		/* the queue is full of what failed to submit: next turn */
	t->ts = (struct __kernel_timespec){ .tv_sec = want_ns / NS, .tv_nsec = want_ns % NS };
	if (t->armed) {
		io_uring_prep_timeout_update(sqe, &t->ts, t->user_data, IORING_TIMEOUT_ABS);
		uring_mute(sqe);
	} else {
		io_uring_prep_timeout(sqe, &t->ts, 0, IORING_TIMEOUT_ABS);
		sqe->user_data = t->user_data;
		u->inflight++;
	}
	t->armed = true;
	t->armed_ns = want_ns;
}

static void stop_sync(struct uring *u)
{
	struct io_uring_sqe *sqe;

	if (u->stop_armed)
		return;
	sqe = ring_uring_sqe(u);
	if (!sqe)
		return;
	io_uring_prep_read(sqe, uring_stop_slot(u), &u->stop_value, sizeof u->stop_value, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->user_data = (uint64_t)UD_STOP << 32;
	u->stop_armed = true;
	u->inflight++;
}

/* ---- completions */

static uint8_t *buffer(const struct uring *u, unsigned id)
{
	return u->base.pool + (size_t)id * u->base.stream_buffer_size;
}

void ring_uring_give(struct uring *u, const uint16_t *id, unsigned n)
{
	int mask = io_uring_buf_ring_mask(u->pool_entries);

	for (unsigned i = 0; i < n; i++)
		io_uring_buf_ring_add(u->pool, buffer(u, id[i]), u->base.stream_buffer_size, id[i],
				      mask, (int)i);
	if (n)
		io_uring_buf_ring_advance(u->pool, (int)n);
}

/*
 * Multishot reads came with 6.7 and had their troubles on ttys and timerfds until 6.12
 * (liburing issues 1106, 1185, 1257): refused, ended at once, or data without saying
 * in which buffer. A stream that shows one of these is read one by one from then on.
 */
static bool needs_single(const struct ring_file *f, const struct io_uring_cqe *cqe)
{
	if (f->single || f->flowed)
		return false;
	if (cqe->res > 0)
		return !(cqe->flags & IORING_CQE_F_BUFFER);
	return cqe->res == 0 || cqe->res == -EBADFD || cqe->res == -EINVAL ||
	       cqe->res == -EAGAIN || cqe->res == -EOPNOTSUPP;
}

static bool stream_event(struct uring *u, unsigned index, const struct io_uring_cqe *cqe,
			 struct ring_event *e)
{
	struct ring_file *f = &u->base.file[index];
	bool held = cqe->flags & IORING_CQE_F_BUFFER;
	uint16_t id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;

	if (cqe->user_data != uring_user_data(u, UD_STREAM, index) || !f->streaming) {
		if (held)
			ring_uring_give(u, &id, 1);
		return false;
	}
	if (held)
		u->used[u->used_count++] = id;
	*e = (struct ring_event){
		.kind = RING_STREAM,
		.res = cqe->res,
		.more = cqe->flags & IORING_CQE_F_MORE,
		.token = f->stream_token,
		.data = held ? buffer(u, id) : NULL,
	};
	if (needs_single(f, cqe)) {
		f->single = true;
		e->more = !ring_uring_stream(&u->base, index);
		e->res = -EIO;
		f->streaming = e->more;
		return cqe->res > 0 || !e->more;
	}
	f->flowed |= cqe->res > 0;
	if (f->single && cqe->res > 0)
		e->more = !ring_uring_stream(&u->base, index);
	if (cqe->res == -ENOBUFS)
		u->base.counters.no_buffers++;
	if (!e->more) {
		f->streaming = false;
		f->ended = true;
	}
	return true;
}

/* False: this completion is no event. */
static bool event(struct uring *u, const struct io_uring_cqe *cqe, struct ring_event *e)
{
	unsigned index = cqe->user_data & 0xffff, what = cqe->user_data >> 32 & 0xffff;
	int res = cqe->res;

	if (what >= UD_REQUESTS && !(cqe->flags & IORING_CQE_F_MORE))
		u->inflight--;
	switch (what) {
	case UD_BELL:
		ring_uring_bell_refused(u, index);
		return false;
	case UD_POST:
		ring_peer_rang(&u->base, index);
		return false;
	case UD_TICK:
		u->tick.armed = false;
		return ring_tick_due(&u->base, e);
	case UD_DEADLINE:
		u->deadline.armed = false;
		return ring_deadline_due(&u->base, e);
	case UD_STOP:
		u->stop_armed = false;
		*e = (struct ring_event){ .kind = RING_STOP };
		return cqe->res > 0;
	case UD_WRITE:
		/* A success is silent, so it took fewer bytes. */
		res = res < 0 ? res : -EIO;
		/* fall through */
	case UD_PAUSE:
	case UD_READ:
		u->base.file[index].reading = false;
		*e = (struct ring_event){
			.kind = RING_READ,
			.res = res,
			.token = u->base.file[index].read_token,
		};
		return true;
	case UD_STREAM:
		return stream_event(u, index, cqe, e);
	}
	return false;
}

static unsigned reap(struct uring *u, struct ring_event *events, unsigned max)
{
	struct io_uring_cqe *cqe;
	unsigned head, seen = 0, n = 0;

	io_uring_for_each_cqe(&u->ring, head, cqe) {
		if (n == max)
			break;
		n += event(u, cqe, &events[n]);
		seen++;
	}
	io_uring_cq_advance(&u->ring, seen);
	return n;
}

int ring_uring_wait(struct ring *r, struct ring_event *events, unsigned max)
{
	struct uring *u = (struct uring *)r;
	unsigned n;
	int ret;

	ring_uring_give(u, u->used, u->used_count);
	u->used_count = 0;
	/* Once a call: a bell that is refused again and again must not keep this thread busy. */
	ring_uring_bells(u);
	for (;;) {
		timer_sync(u, &u->tick, r->tick_ns);
		timer_sync(u, &u->deadline, r->deadline_ns);
		stop_sync(u);
		r->counters.cq_overflow += io_uring_cq_has_overflow(&u->ring);
		r->counters.submits++;
		ret = r->posted ? io_uring_submit_and_get_events(&u->ring) :
				  io_uring_submit_and_wait(&u->ring, 1);
		n = reap(u, events, max);
		n += ring_posts(r, events + n, max - n);
		if (n)
			return (int)n;
		if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
			return ret;
	}
}

void ring_uring_drain(struct uring *u)
{
	struct __kernel_timespec soon = { .tv_nsec = DRAIN_NS };
	struct io_uring_cqe *cqe;
	struct ring_event e;
	int ret = 0;

	u->base.tick_ns = u->base.deadline_ns = 0;
	for (unsigned i = 0; i < u->base.files; i++)
		u->base.file[i].streaming = false;
	/* Again and again: after a request that could not be cancelled the next one begins. */
	while (u->inflight && (ret >= 0 || ret == -EINTR || ret == -ETIME)) {
		struct io_uring_sqe *sqe = ring_uring_sqe(u);

		if (!sqe)
			return;
		io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
		sqe->user_data = UD_NONE;
		/* Its own completion and one more. */
		ret = io_uring_submit_and_wait_timeout(&u->ring, &cqe, 2, &soon, NULL);
		while (reap(u, &e, 1))
			;
	}
}
