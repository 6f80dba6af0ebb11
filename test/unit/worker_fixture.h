/* SPDX-License-Identifier: MIT */
/* worker_fixture: a device that does as it is told, for the tests of the worker. */
#ifndef SONDE_TEST_WORKER_FIXTURE_H
#define SONDE_TEST_WORKER_FIXTURE_H

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "agent/dev/dev.h"
#include "agent/worker.h"
#include "test/unit/ring_fixture.h"

#define NAME "i2c-test-bus-99"

struct fake {
	struct dev dev;
	int res;			/* of open and of the last transfer */
	unsigned again, again_ms;	/* so often -EAGAIN first, for so long */
	unsigned busy_ms;
	sem_t *hold;			/* held until this */
	/* of one that is held, too */
	atomic_int tid;
	atomic_uint transferred;
	/* written by the worker, read by the test after the post */
	unsigned opened, shut;
	uint64_t began_ns, ended_ns;
	bool early;			/* called before the time it asked for */
	int policy, priority;
	cpu_set_t cores;
	char name[32];
};

static inline void see(struct fake *f)
{
	struct sched_param param;

	if (!f->began_ns)
		f->began_ns = now_ns();
	f->tid = gettid();
	pthread_getname_np(pthread_self(), f->name, sizeof f->name);
	sched_getaffinity(0, sizeof f->cores, &f->cores);
	f->policy = sched_getscheduler(0);
	sched_getparam(0, &param);
	f->priority = param.sched_priority;
}

static int fake_open(struct dev *d)
{
	struct fake *f = (struct fake *)d;

	see(f);
	f->opened++;
	return f->res;
}

static int fake_transfer(struct dev *d)
{
	struct fake *f = (struct fake *)d;

	see(f);
	f->early |= d->again_ns && now_ns() < d->again_ns;
	f->transferred++;
	if (f->hold)
		while (sem_wait(f->hold))
			;
	if (f->busy_ms)
		sleep_ms(f->busy_ms);
	f->ended_ns = now_ns();
	if (!f->again)
		return f->res;
	f->again--;
	d->again_ns = now_ns() + f->again_ms * (uint64_t)MS;
	return -EAGAIN;
}

static void fake_shut(struct dev *d)
{
	((struct fake *)d)->shut++;
}

static const struct dev_ops fake_ops = {
	.kind = "fake",
	.open = fake_open,
	.transfer = fake_transfer,
	.shut = fake_shut,
};

static inline struct fake make(uint32_t token)
{
	return (struct fake){ .dev = { .ops = &fake_ops, .token = token }, .res = (int)token };
}

static inline struct ring *open_peers(enum ring_kind kind)
{
	struct ring_options o = {
		.kind = kind, .files = 1, .workers = 1, .peers = 4, .core = -1,
	};

	return open_ring_with(&o);
}

static inline struct worker *open_worker(struct ring *r, unsigned devices, int core, int priority,
					 struct why *why)
{
	const struct worker_options o = {
		.name = NAME, .devices = devices, .core = core, .priority = priority,
	};
	struct worker *w;
	int err;

	why->text[0] = '\0';
	err = worker_open(&w, r, &o, why);
	if (err)
		fprintf(stderr, "worker_open: %s\n", why->text);
	CHECK_EQ(err, 0);
	return w;
}

/* Until its transfer is under way. */
static inline void begun(struct ring *r, struct fake *f)
{
	do {
		nothing_comes(r, 1);
	} while (!f->transferred);
}

static inline unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

#endif
