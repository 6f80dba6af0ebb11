// SPDX-License-Identifier: MIT
/*
 * ring_epoll: the same ring where io_uring is refused. Files that can be polled are
 * watched level-triggered and read here; those that block are read by ring_helper's
 * thread. The two times are absolute timerfds; setting one anew clears it, so
 * they are never read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/ring_epoll.h"
#include "kernels/why.h"

#define EVENTS_MAX 32
#define NS 1000000000u

int ring_epoll_watch(struct epoll_ring *p, int op, int fd, uint64_t what, unsigned index)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = what << 32 | index };

	return epoll_ctl(p->fd, op, fd, &e) ? -errno : 0;
}

static void alarm_sync(struct alarm *a, uint64_t want_ns)
{
	struct itimerspec t = { .it_value = { want_ns / NS, want_ns % NS } };

	if (a->armed_ns == want_ns)
		return;
	timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &t, NULL);
	a->armed_ns = want_ns;
}

/* ---- files */

/* A file is watched while a stream or a read waits for it. */
static int file_watch(struct epoll_ring *p, unsigned index, bool on)
{
	const struct ring_file *f = &p->base.file[index];
	int err = ring_epoll_watch(p, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, f->fd, WATCH_FILE, index);

	/* It is there on behalf of the other of the two. */
	return err == -EEXIST ? 0 : err;
}

static int epoll_add(struct ring *r, unsigned index, struct why *why)
{
	struct epoll_ring *p = (struct epoll_ring *)r;

	if (!r->file[index].blocking || p->helper)
		return 0;
	return helper_open(&p->helper, r->files, p->core, p->done_fd, why);
}

static int epoll_remove(struct ring *r, unsigned index)
{
	struct epoll_ring *p = (struct epoll_ring *)r;
	struct ring_file *f = &r->file[index];

	if (f->reading && !f->blocking) {
		p->cancelled |= f->buf != NULL;
		f->buf = NULL;
	}
	if (f->reading)
		return -EBUSY;
	if (f->streaming)
		file_watch(p, index, false);
	f->streaming = false;
	return 0;
}

static int epoll_read(struct ring *r, unsigned index, void *buf, unsigned len, uint64_t offset)
{
	struct epoll_ring *p = (struct epoll_ring *)r;
	struct ring_file *f = &r->file[index];
	struct helper_job job = {
		.index = index, .fd = f->fd, .buf = buf, .len = len, .offset = offset,
	};

	if (f->blocking) {
		helper_submit(p->helper, &job);
		return 0;
	}
	f->buf = buf;
	f->len = len;
	return file_watch(p, index, true);
}

static int epoll_command(struct ring *r, unsigned index, const struct ring_chain *c)
{
	struct epoll_ring *p = (struct epoll_ring *)r;
	struct helper_job job = {
		.index = index, .fd = r->file[index].fd, .buf = c->in, .len = c->len,
		.out = c->out, .outs = c->outs, .wait_ns = c->wait_ns,
	};

	helper_submit(p->helper, &job);
	return 0;
}

static int epoll_stream(struct ring *r, unsigned index)
{
	return file_watch((struct epoll_ring *)r, index, true);
}

static void epoll_notify(struct ring *r, int eventfd)
{
	uint64_t one = 1;

	while (write(eventfd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

/* ---- what epoll_wait found; each gives one event at most */

static int read_now(int fd, void *buf, unsigned len)
{
	ssize_t n;

	do {
		n = read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

static bool stream_ready(struct epoll_ring *p, unsigned index, struct ring_event *e)
{
	struct ring *r = &p->base;
	struct ring_file *f = &r->file[index];
	uint8_t *data;
	int n;

	if (p->used == r->stream_buffers) {
		/* It stays readable: the next wait finds it again. */
		r->counters.no_buffers++;
		return false;
	}
	data = r->pool + (size_t)p->used * r->stream_buffer_size;
	n = read_now(f->fd, data, r->stream_buffer_size);
	if (n == -EAGAIN)
		return false;
	*e = (struct ring_event){
		.kind = RING_STREAM, .res = n, .more = n > 0, .token = f->stream_token,
	};
	if (n > 0) {
		e->data = data;
		p->used++;
		return true;
	}
	/* At an end (or hung up) it would be ready for ever. */
	f->streaming = false;
	f->ended = true;
	file_watch(p, index, false);
	return true;
}

static void read_ended(struct epoll_ring *p, unsigned index, int res, struct ring_event *e)
{
	struct ring_file *f = &p->base.file[index];

	f->reading = false;
	if (!f->blocking && !f->streaming)
		file_watch(p, index, false);
	*e = (struct ring_event){ .kind = RING_READ, .res = res, .token = f->read_token };
}

static bool file_ready(struct epoll_ring *p, unsigned index, struct ring_event *e)
{
	struct ring_file *f = &p->base.file[index];
	int n;

	if (!f->reading)
		return f->streaming && stream_ready(p, index, e);
	if (!f->buf)
		return false;	/* cancelled: the next turn says so */
	n = read_now(f->fd, f->buf, f->len);
	if (n == -EAGAIN)
		return false;
	read_ended(p, index, n, e);
	return true;
}

static bool event(struct epoll_ring *p, uint64_t what, unsigned index, struct ring_event *e)
{
	uint64_t count;

	switch (what) {
	case WATCH_TICK:
		return ring_tick_due(&p->base, e);
	case WATCH_DEADLINE:
		return ring_deadline_due(&p->base, e);
	case WATCH_STOP:
		*e = (struct ring_event){ .kind = RING_STOP };
		return read_now(p->base.stop_fd, &count, sizeof count) > 0;
	case WATCH_DONE:
		read_now(p->done_fd, &count, sizeof count);
		return false;
	case WATCH_PEER:
		ring_epoll_peer_rang(p, index);
		return false;
	default:
		return file_ready(p, index, e);
	}
}

static unsigned cancelled_reads(struct epoll_ring *p, struct ring_event *events, unsigned max)
{
	unsigned n = 0;

	if (!p->cancelled)
		return 0;
	p->cancelled = false;
	for (unsigned i = 0; i < p->base.files; i++) {
		const struct ring_file *f = &p->base.file[i];

		if (f->fd < 0 || f->blocking || !f->reading || f->buf)
			continue;
		if (n == max)
			p->cancelled = true;
		else
			read_ended(p, i, -ECANCELED, &events[n++]);
	}
	return n;
}

static unsigned finished_reads(struct epoll_ring *p, struct ring_event *events, unsigned max)
{
	unsigned n = cancelled_reads(p, events, max);
	struct helper_job job;

	while (p->helper && n < max && helper_done(p->helper, &job))
		read_ended(p, job.index, job.res, &events[n++]);
	return n;
}

static int epoll_ring_wait(struct ring *r, struct ring_event *events, unsigned max)
{
	struct epoll_ring *p = (struct epoll_ring *)r;
	struct epoll_event ready[EVENTS_MAX];
	unsigned n, room;

	p->used = 0;
	ring_epoll_bells(p);
	do {
		int k;

		alarm_sync(&p->tick, r->tick_ns);
		alarm_sync(&p->deadline, r->deadline_ns);
		n = finished_reads(p, events, max);
		/* No more than can be handed on: what is left stays ready. */
		room = max - n < EVENTS_MAX ? max - n : EVENTS_MAX;
		if (!room)
			break;
		r->counters.submits++;
		k = epoll_wait(p->fd, ready, (int)room, n || r->posted ? 0 : -1);
		if (k < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < k; i++)
			n += event(p, ready[i].data.u64 >> 32, (uint32_t)ready[i].data.u64,
				   &events[n]);
		n += ring_posts(r, events + n, max - n);
	} while (!n);
	return (int)n;
}

/* ---- open and close */

static void epoll_ring_close(struct ring *r)
{
	struct epoll_ring *p = (struct epoll_ring *)r;
	const int fds[] = { p->fd, p->done_fd, p->tick.fd, p->deadline.fd };

	helper_close(p->helper);
	for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	ring_base_close(r);
	free(p);
}

static const struct ring_ops epoll_ops = {
	.kind = RING_EPOLL,
	.close = epoll_ring_close,
	.add = epoll_add,
	.remove = epoll_remove,
	.read = epoll_read,
	.command = epoll_command,
	.stream = epoll_stream,
	.notify = epoll_notify,
	.wait = epoll_ring_wait,
	.peer_open = ring_epoll_peer_open,
	.peer_close = ring_epoll_peer_close,
	.peer_hush = ring_epoll_peer_hush,
	.peer_wake = ring_epoll_peer_wake,
};

static int open_fds(struct epoll_ring *p, struct why *why)
{
	int err;

	p->fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->fd < 0)
		return why_set(why, -errno, "epoll_create1: %s", strerror(errno));
	p->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	p->tick.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	p->deadline.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (p->done_fd < 0 || p->tick.fd < 0 || p->deadline.fd < 0)
		return why_set(why, -errno, "timerfd or eventfd: %s", strerror(errno));
	err = ring_epoll_watch(p, EPOLL_CTL_ADD, p->tick.fd, WATCH_TICK, 0);
	if (!err)
		err = ring_epoll_watch(p, EPOLL_CTL_ADD, p->deadline.fd, WATCH_DEADLINE, 0);
	if (!err)
		err = ring_epoll_watch(p, EPOLL_CTL_ADD, p->base.stop_fd, WATCH_STOP, 0);
	if (!err)
		err = ring_epoll_watch(p, EPOLL_CTL_ADD, p->done_fd, WATCH_DONE, 0);
	return err ? why_set(why, err, "epoll_ctl: %s", strerror(-err)) : 0;
}

int ring_epoll_open(struct ring **out, const struct ring_options *o, struct why *why)
{
	struct epoll_ring *p = calloc(1, sizeof *p);
	int err;

	if (!p)
		return why_set(why, -ENOMEM, "no memory for the ring");
	p->fd = p->done_fd = p->tick.fd = p->deadline.fd = -1;
	p->core = o->core;
	err = ring_base_open(&p->base, &epoll_ops, o, why);
	if (!err)
		err = open_fds(p, why);
	if (!err && o->workers && o->files)
		err = helper_open(&p->helper, o->files, o->core, p->done_fd, why);
	if (err) {
		epoll_ring_close(&p->base);
		return err;
	}
	*out = &p->base;
	return 0;
}
