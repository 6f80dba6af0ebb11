// SPDX-License-Identifier: MIT
/*
 * worker: jobs are done in the order of the time they are due: a new one at once, one that
 * answered -EAGAIN when it said. So a sensor that converts for 100 ms costs the others of
 * its bus nothing, and none of them can starve another.
 *
 * A thread that the kernel does not let go of can not be ended. `hold` settles who has the
 * last word: the thread, which takes it back after each job, or worker_close, which after a
 * second marks a job in hand as left behind. From then on the thread touches nothing but this
 * struct, and frees it when it comes back.
 */
#include "agent/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/dev/dev.h"
#include "agent/ring_impl.h"

#define PATIENCE_NS 1000000000u
#define JOB_MASK 3u			/* in a call's value, below the address of the device */

_Static_assert(WORKER_SHUT <= JOB_MASK && _Alignof(struct dev) > JOB_MASK, "job beside address");

enum hold { IDLE, BUSY, LEFT };

struct job {
	uint64_t due_ns, began_ns;
	struct dev *d;
	enum worker_job what;
};

struct worker {
	struct ring_peer *peer;
	pthread_t thread;
	atomic_int hold;
	atomic_uint underway;
	unsigned devices;
	int gone_fd;			/* eventfd: the thread is at its end */
	char name[16];
	unsigned jobs;
	struct job job[];		/* the next one first; the thread's */
};

/* ---- the thread */

static void insert(struct worker *w, const struct job *j)
{
	unsigned i = w->jobs++;

	for (; i && w->job[i - 1].due_ns > j->due_ns; i--)
		w->job[i] = w->job[i - 1];
	w->job[i] = *j;
}

static int perform(struct dev *d, enum worker_job what)
{
	switch (what) {
	case WORKER_OPEN:
		return d->ops->open(d);
	case WORKER_TRANSFER:
		return d->ops->transfer(d);
	case WORKER_SHUT:
		d->ops->shut(d);
		return 0;
	}
	return -EINVAL;
}

/* The first job. False: left behind meanwhile. */
static bool run(struct worker *w)
{
	struct job j = w->job[0];
	int held = BUSY, res;

	w->jobs--;
	memmove(w->job, w->job + 1, w->jobs * sizeof *w->job);
	if (!j.began_ns)
		j.began_ns = ring_now_ns();
	atomic_store_explicit(&w->hold, BUSY, memory_order_release);
	res = perform(j.d, j.what);
	if (!atomic_compare_exchange_strong_explicit(&w->hold, &held, IDLE, memory_order_acq_rel,
						     memory_order_acquire))
		return false;
	if (res == -EAGAIN && j.what == WORKER_TRANSFER) {
		/* 0 would be: never. */
		j.due_ns = j.d->again_ns ? j.d->again_ns : 1;
		insert(w, &j);
		return true;
	}
	/* The device may be handed over anew as soon as the pipeline knows. */
	atomic_fetch_sub_explicit(&w->underway, 1, memory_order_relaxed);
	ring_peer_post(w->peer, j.d->token, res, j.began_ns);
	return true;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t value, one = 1;

	pthread_setname_np(pthread_self(), w->name);
	for (;;) {
		struct job j;

		switch (ring_peer_wait(w->peer, w->jobs ? w->job[0].due_ns : 0, &value)) {
		case 0:
			j = (struct job){
				.due_ns = ring_now_ns(),
				.d = (struct dev *)(uintptr_t)(value & ~(uint64_t)JOB_MASK),
				.what = (enum worker_job)(value & JOB_MASK),
			};
			insert(w, &j);
			break;
		case -ETIME:
			if (!run(w)) {
				free(w);
				return NULL;
			}
			break;
		default:
			while (write(w->gone_fd, &one, sizeof one) < 0 && errno == EINTR)
				;
			return NULL;
		}
	}
}

/* ---- the others */

static void worker_free(struct worker *w)
{
	ring_peer_close(w->peer);
	if (w->gone_fd >= 0)
		close(w->gone_fd);
	free(w);
}

int worker_open(struct worker **out, struct ring *r, const struct worker_options *o,
		struct why *why)
{
	struct worker *w = calloc(1, sizeof *w + o->devices * sizeof *w->job);
	char what[32];
	int err;

	*out = NULL;
	if (!w)
		return why_set(why, -ENOMEM, "no memory for the worker of %s", o->name);
	w->devices = o->devices;
	snprintf(w->name, sizeof w->name, "%s", o->name);
	snprintf(what, sizeof what, "worker %s", w->name);
	w->gone_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->gone_fd < 0)
		err = why_set(why, -errno, "eventfd: %s", strerror(errno));
	else
		err = ring_peer_open(&w->peer, r, o->devices, why);
	if (!err)
		err = ring_thread(&w->thread, worker_main, w, what, o->core, o->priority, why);
	if (err) {
		worker_free(w);
		return err;
	}
	*out = w;
	return 0;
}

int worker_submit(struct worker *w, struct dev *d, enum worker_job job)
{
	int err;

	if (atomic_load_explicit(&w->underway, memory_order_relaxed) >= w->devices)
		return -EBUSY;
	atomic_fetch_add_explicit(&w->underway, 1, memory_order_relaxed);
	err = ring_peer_call(w->peer, (uintptr_t)d | job);
	if (err)
		atomic_fetch_sub_explicit(&w->underway, 1, memory_order_relaxed);
	return err;
}

/* Waits for the thread's end, but no longer than the patience. */
static bool gone(const struct worker *w)
{
	struct pollfd fd = { .fd = w->gone_fd, .events = POLLIN };
	uint64_t now = ring_now_ns(), until = now + PATIENCE_NS;

	for (; now < until; now = ring_now_ns())
		if (poll(&fd, 1, (int)((until - now) / 1000000) + 1) > 0)
			return true;
	return false;
}

int worker_close(struct worker *w)
{
	struct ring_peer *peer;
	pthread_t thread;
	int gone_fd, held;

	if (!w)
		return 0;
	peer = w->peer;
	thread = w->thread;
	gone_fd = w->gone_fd;
	ring_peer_end(peer);
	do {
		if (gone(w)) {
			pthread_join(thread, NULL);
			worker_free(w);
			return 0;
		}
		held = BUSY;
	} while (!atomic_compare_exchange_strong_explicit(&w->hold, &held, LEFT,
							  memory_order_acq_rel,
							  memory_order_acquire));
	/* From here on w is the thread's. */
	pthread_detach(thread);
	ring_peer_close(peer);
	close(gone_fd);
	return -EBUSY;
}
