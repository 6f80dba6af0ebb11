// SPDX-License-Identifier: MIT
/*
 * ring_helper: the queues between the two threads are bounded and lock-free; each
 * side sleeps on an eventfd. A file that never answers holds up the others of
 * this thread: that is the price of epoll, io_uring has a worker for each.
 */
#include "agent/ring_helper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
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

struct helper {
	struct lane todo, done;
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

static void *helper_main(void *arg)
{
	struct helper *h = arg;
	struct helper_job job;
	uint64_t count;

	pthread_setname_np(pthread_self(), "sonde-read");
	while (!atomic_load_explicit(&h->stop, memory_order_acquire)) {
		if (!lane_pop(&h->todo, &job)) {
			if (read(h->wake_fd, &count, sizeof count) < 0 && errno != EINTR)
				break;
			continue;
		}
		do {
			job.res = (int)pread(job.fd, job.buf, job.len, (off_t)job.offset);
		} while (job.res < 0 && errno == EINTR);
		if (job.res < 0)
			job.res = -errno;
		lane_push(&h->done, &job);
		eventfd_add(h->notify_fd);
	}
	return NULL;
}

static int start(struct helper *h, int core, struct why *why)
{
	pthread_attr_t attr;
	sigset_t all, old;
	cpu_set_t set;
	int err;

	pthread_attr_init(&attr);
	if (ring_other_cores(core, &set))
		pthread_attr_setaffinity_np(&attr, sizeof set, &set);
	else if (core >= 0)
		why_set(why, 0, "the reading thread shares core %d with the pipeline", core);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&h->thread, &attr, helper_main, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	h->started = !err;
	return err ? why_set(why, err, "no reading thread: %s", strerror(-err)) : 0;
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
	h->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (h->wake_fd < 0) {
		err = why_set(why, -errno, "eventfd: %s", strerror(errno));
		goto fail;
	}
	if (lane_open(&h->todo, files) || lane_open(&h->done, files)) {
		err = why_set(why, -ENOMEM, "no memory for the reading thread");
		goto fail;
	}
	err = start(h, core, why);
	if (err)
		goto fail;
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
