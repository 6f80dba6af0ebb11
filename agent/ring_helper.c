// SPDX-License-Identifier: MIT
/*
 * ring_helper: the queues between the two threads are bounded and lock-free; each
 * side sleeps on an eventfd. A file that never answers holds up the others of
 * this thread: that is the price of epoll, io_uring has a worker for each.
 */
#include "agent/ring_helper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/ring_impl.h"
#include "kernels/why.h"

/* One writer and one reader each; head and tail run freely, size is a power of two. */
struct lane {
	_Alignas(64) atomic_uint head;	/* next to read */
	_Alignas(64) atomic_uint tail;	/* next to write */
	struct helper_job *job;
	unsigned mask;
};

#define NS 1000000000u

/* A command between its write and its read. */
struct pause {
	uint64_t due_ns;
	struct helper_job job;
};

struct helper {
	struct lane todo, done;
	struct pause *pause;		/* the next one first */
	unsigned pauses;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	int wake_fd, notify_fd;
};

static int lane_open(struct lane *l, unsigned files)
{
	unsigned size = 1;

	while (size < files)
		size *= 2;
	l->mask = size - 1;
	l->job = calloc(size, sizeof *l->job);
	return l->job ? 0 : -ENOMEM;
}

static void lane_push(struct lane *l, const struct helper_job *job)
{
	unsigned tail = atomic_load_explicit(&l->tail, memory_order_relaxed);

	l->job[tail & l->mask] = *job;
	/* Release: the other side sees the job, and what was read into its buffer. */
	atomic_store_explicit(&l->tail, tail + 1, memory_order_release);
}

static bool lane_pop(struct lane *l, struct helper_job *job)
{
	unsigned head = atomic_load_explicit(&l->head, memory_order_relaxed);

	if (head == atomic_load_explicit(&l->tail, memory_order_acquire))
		return false;
	*job = l->job[head & l->mask];
	atomic_store_explicit(&l->head, head + 1, memory_order_release);
	return true;
}

static void eventfd_add(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

/* At an offset where the file has such a thing; io_uring ignores it elsewhere, so this does. */
static int get(const struct helper_job *j)
{
	ssize_t n;

	do {
		n = pread(j->fd, j->buf, j->len, (off_t)j->offset);
		if (n < 0 && errno == ESPIPE)
			n = read(j->fd, j->buf, j->len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

static int put(const struct helper_job *j)
{
	ssize_t n;

	do {
		n = pwrite(j->fd, j->out, j->outs, 0);
		if (n < 0 && errno == ESPIPE)
			n = write(j->fd, j->out, j->outs);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)j->outs ? 0 : -EIO;
}

static void finish(struct helper *h, struct helper_job *job, int res)
{
	job->res = res;
	lane_push(&h->done, job);
	eventfd_add(h->notify_fd);
}

static void pause_add(struct helper *h, const struct helper_job *job)
{
	struct pause p = { .due_ns = ring_now_ns() + job->wait_ns, .job = *job };
	unsigned i = h->pauses++;

	for (; i && h->pause[i - 1].due_ns > p.due_ns; i--)
		h->pause[i] = h->pause[i - 1];
	h->pause[i] = p;
}

static void begin(struct helper *h, struct helper_job *job)
{
	int err = job->outs ? put(job) : 0;

	if (err)
		finish(h, job, err);
	else if (job->outs && job->wait_ns)
		pause_add(h, job);
	else
		finish(h, job, get(job));
}

static void resume(struct helper *h)
{
	struct helper_job job = h->pause[0].job;

	h->pauses--;
	memmove(h->pause, h->pause + 1, h->pauses * sizeof *h->pause);
	finish(h, &job, get(&job));
}

/* Until there is something to do, or the first pause is over. */
static void rest(struct helper *h)
{
	struct pollfd wake = { .fd = h->wake_fd, .events = POLLIN };
	uint64_t now = ring_now_ns(), left, count;
	struct timespec t;

	left = h->pauses && h->pause[0].due_ns > now ? h->pause[0].due_ns - now : 0;
	t = (struct timespec){ (time_t)(left / NS), (long)(left % NS) };
	if (ppoll(&wake, 1, h->pauses ? &t : NULL, NULL) <= 0)
		return;
	while (read(h->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}

static void *helper_main(void *arg)
{
	struct helper *h = arg;
	struct helper_job job;

	pthread_setname_np(pthread_self(), "sonde-read");
	while (!atomic_load_explicit(&h->stop, memory_order_acquire)) {
		if (h->pauses && h->pause[0].due_ns <= ring_now_ns())
			resume(h);
		else if (lane_pop(&h->todo, &job))
			begin(h, &job);
		else
			rest(h);
	}
	return NULL;
}

int helper_open(struct helper **out, unsigned files, int core, int notify_fd, struct why *why)
{
	struct helper *h = aligned_alloc(64, sizeof *h);
	int err;

	*out = NULL;
	if (!h)
		return why_set(why, -ENOMEM, "no memory for the reading thread");
	memset(h, 0, sizeof *h);
	h->notify_fd = notify_fd;
	h->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (h->wake_fd < 0) {
		err = why_set(why, -errno, "eventfd: %s", strerror(errno));
		goto fail;
	}
	h->pause = calloc(files, sizeof *h->pause);
	if (!h->pause || lane_open(&h->todo, files) || lane_open(&h->done, files)) {
		err = why_set(why, -ENOMEM, "no memory for the reading thread");
		goto fail;
	}
	err = ring_thread(&h->thread, helper_main, h, "the reading thread", core, RING_INHERIT,
			  why);
	if (err)
		goto fail;
	h->started = true;
	*out = h;
	return 0;
fail:
	helper_close(h);
	return err;
}

void helper_close(struct helper *h)
{
	if (!h)
		return;
	if (h->started) {
		atomic_store_explicit(&h->stop, true, memory_order_release);
		eventfd_add(h->wake_fd);
		pthread_join(h->thread, NULL);
	}
	if (h->wake_fd >= 0)
		close(h->wake_fd);
	free(h->todo.job);
	free(h->done.job);
	free(h->pause);
	free(h);
}

void helper_submit(struct helper *h, const struct helper_job *job)
{
	lane_push(&h->todo, job);
	eventfd_add(h->wake_fd);
}

bool helper_done(struct helper *h, struct helper_job *job)
{
	return lane_pop(&h->done, job);
}
