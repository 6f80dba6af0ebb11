// SPDX-License-Identifier: MIT
/*
 * ring: the part that does not depend on how the thread waits: which file has
 * which index, when the next tick is due on the grid, the deadline. Setting a time
 * costs no system call: an implementation compares what is wanted with what it
 * has armed when it waits anyway.
 */
#include "agent/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "agent/ring_impl.h"
#include "kernels/why.h"

uint64_t ring_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool ring_tick_due(struct ring *r, struct ring_event *e)
{
	uint64_t now = ring_now_ns(), missed;

	if (!r->tick_ns || now < r->tick_ns)
		return false;
	missed = (now - r->tick_ns) / r->period_ns;
	*e = (struct ring_event){
		.kind = RING_TICK,
		.res = missed > INT32_MAX ? INT32_MAX : (int)missed,
		.t_ns = r->tick_ns + missed * r->period_ns,
	};
	r->tick_ns = e->t_ns + r->period_ns;
	return true;
}

bool ring_deadline_due(struct ring *r, struct ring_event *e)
{
	if (!r->deadline_ns || ring_now_ns() < r->deadline_ns)
		return false;
	*e = (struct ring_event){ .kind = RING_DEADLINE, .t_ns = r->deadline_ns };
	r->deadline_ns = 0;
	return true;
}

int ring_base_open(struct ring *r, const struct ring_ops *ops, const struct ring_options *o,
		   struct why *why)
{
	size_t size = (size_t)o->stream_buffers * o->stream_buffer_size;

	r->ops = ops;
	r->files = o->files;
	r->stream_buffers = o->stream_buffer_size ? o->stream_buffers : 0;
	r->stream_buffer_size = o->stream_buffer_size;
	r->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->stop_fd < 0)
		return why_set(why, -errno, "eventfd: %s", strerror(errno));
	r->file = calloc(o->files ? o->files : 1, sizeof *r->file);
	if (!r->file)
		return why_set(why, -ENOMEM, "no memory for %u files", o->files);
	for (unsigned i = 0; i < o->files; i++)
		r->file[i].fd = -1;
	r->peers = o->peers;
	r->peer = calloc(o->peers ? o->peers : 1, sizeof *r->peer);
	if (!r->peer)
		return why_set(why, -ENOMEM, "no memory for %u peers", o->peers);
	if (!size)
		return 0;
	r->pool = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (r->pool == MAP_FAILED) {
		r->pool = NULL;
		return why_set(why, -ENOMEM, "no memory for %u stream buffers", o->stream_buffers);
	}
	/* Without the right to lock it, it is at least there already. */
	mlock(r->pool, size);
	return 0;
}

void ring_base_close(struct ring *r)
{
	if (r->stop_fd >= 0)
		close(r->stop_fd);
	if (r->pool)
		munmap(r->pool, (size_t)r->stream_buffers * r->stream_buffer_size);
	free(r->file);
	free(r->peer);
}

int ring_open(struct ring **out, const struct ring_options *o, struct why *why)
{
	struct why refused = { "" };
	int err;

	*out = NULL;
	if (why)
		why->text[0] = '\0';
	if (o->kind == RING_EPOLL)
		return ring_epoll_open(out, o, why);
	err = ring_uring_open(out, o, &refused);
	if (err && o->kind == RING_ANY) {
		err = ring_epoll_open(out, o, why);
		if (err)
			return err;
		return why_set(why, 0, "epoll instead of io_uring: %s", refused.text);
	}
	if (why)
		*why = refused;
	return err;
}

void ring_close(struct ring *r)
{
	if (r)
		r->ops->close(r);
}

enum ring_kind ring_kind(const struct ring *r)
{
	return r->ops->kind;
}

int ring_add(struct ring *r, int fd, bool blocking, struct why *why)
{
	int flags = fcntl(fd, F_GETFL);
	unsigned i = 0;
	int err;

	if (flags < 0)
		return why_set(why, -errno, "file %d: %s", fd, strerror(errno));
	if (!blocking && !(flags & O_NONBLOCK))
		return why_set(why, -EINVAL, "file %d is to be polled: it needs O_NONBLOCK", fd);
	while (i < r->files && r->file[i].fd >= 0)
		i++;
	if (i == r->files)
		return why_set(why, -ENFILE, "all %u files of the ring are in use", r->files);
	r->file[i] = (struct ring_file){
		.fd = fd,
		.blocking = blocking,
		.generation = r->file[i].generation + 1,
	};
	err = r->ops->add(r, i, why);
	if (err) {
		r->file[i].fd = -1;
		return err;
	}
	return (int)i;
}

static struct ring_file *file_at(struct ring *r, int index)
{
	if (index < 0 || (unsigned)index >= r->files || r->file[index].fd < 0)
		return NULL;
	return &r->file[index];
}

int ring_remove(struct ring *r, int index)
{
	struct ring_file *f = file_at(r, index);
	int err;

	if (!f)
		return -EBADF;
	err = r->ops->remove(r, index);
	if (!err)
		f->fd = -1;
	return err;
}

void ring_tick(struct ring *r, uint64_t first_ns, uint64_t period_ns)
{
	/* 0 means none. */
	r->tick_ns = !period_ns ? 0 : first_ns ? first_ns : period_ns;
	r->period_ns = period_ns;
}

void ring_deadline(struct ring *r, uint64_t t_ns)
{
	r->deadline_ns = t_ns;
}

/* One read or command of a file at a time. */
static int read_begin(struct ring_file *f, uint32_t token)
{
	if (!f)
		return -EBADF;
	if (f->reading)
		return -EBUSY;
	f->read_token = token;
	f->reading = true;
	return 0;
}

int ring_read_at(struct ring *r, int index, void *buf, unsigned len, uint64_t offset,
		 uint32_t token)
{
	struct ring_file *f = file_at(r, index);
	int err = read_begin(f, token);

	if (err)
		return err;
	err = r->ops->read(r, index, buf, len, offset);
	if (err)
		f->reading = false;
	return err;
}

int ring_read(struct ring *r, int index, void *buf, unsigned len, uint32_t token)
{
	return ring_read_at(r, index, buf, len, 0, token);
}

int ring_command(struct ring *r, int index, const void *out, unsigned outs, uint64_t wait_ns,
		 void *in, unsigned len, uint32_t token)
{
	const struct ring_chain c = {
		.out = out, .outs = outs, .wait_ns = wait_ns, .in = in, .len = len,
	};
	struct ring_file *f = file_at(r, index);
	int err;

	if (f && (!f->blocking || !outs || !len))
		return -EINVAL;
	err = read_begin(f, token);
	if (err)
		return err;
	err = r->ops->command(r, index, &c);
	if (err)
		f->reading = false;
	return err;
}

int ring_stream(struct ring *r, int index, uint32_t token)
{
	struct ring_file *f = file_at(r, index);
	int err;

	if (!f)
		return -EBADF;
	if (f->blocking || !r->stream_buffers)
		return -EINVAL;
	if (f->streaming)
		return -EBUSY;
	f->stream_token = token;
	f->streaming = true;
	err = r->ops->stream(r, index);
	if (err)
		f->streaming = false;
	else if (f->ended)
		r->counters.rearmed++;
	return err;
}

void ring_notify(struct ring *r, int eventfd)
{
	r->ops->notify(r, eventfd);
}

int ring_wait(struct ring *r, struct ring_event *events, unsigned max)
{
	return max ? r->ops->wait(r, events, max) : -EINVAL;
}

void ring_stop(struct ring *r)
{
	uint64_t one = 1;

	/* A full counter has been told already. */
	while (write(r->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void ring_counters(const struct ring *r, struct ring_counters *out)
{
	*out = r->counters;
}
