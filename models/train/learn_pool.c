// SPDX-License-Identifier: MIT
/*
 * learn_pool: see learn_pool.h. A task lasts about a millisecond, so a lock for taking one costs
 * nothing that can be measured. Signals are left to the caller's thread.
 */
#include "models/train/learn_pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct pool {
	unsigned workers, started;
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	void (*run)(void *ctx, unsigned task, unsigned worker);
	void *ctx;
	unsigned tasks, taken, finished;
	bool closing;
	pthread_t thread[];	/* [workers - 1] */
};

/* With the lock held; lets go of it while a task runs. */
static void work(struct pool *p, unsigned worker)
{
	while (p->taken < p->tasks) {
		unsigned task = p->taken++;

		pthread_mutex_unlock(&p->lock);
		p->run(p->ctx, task, worker);
		pthread_mutex_lock(&p->lock);
		if (++p->finished == p->tasks)
			pthread_cond_signal(&p->done);
	}
}

static void *serve(void *arg)
{
	struct pool *p = arg;
	unsigned worker;

	pthread_mutex_lock(&p->lock);
	worker = ++p->started;
	while (!p->closing) {
		work(p, worker);
		pthread_cond_wait(&p->more, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int pool_open(struct pool **out, unsigned workers)
{
	struct pool *p = calloc(1, sizeof(*p) + workers * sizeof(p->thread[0]));
	sigset_t all, before;
	int err = 0;

	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	pthread_cond_init(&p->done, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (p->workers = 1; !err && p->workers < workers;) {
		err = -pthread_create(&p->thread[p->workers - 1], NULL, serve, p);
		if (!err)
			p->workers++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		pool_close(p);
		return err;
	}
	*out = p;
	return 0;
}

void pool_close(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned k = 0; k + 1 < p->workers; k++)
		pthread_join(p->thread[k], NULL);
	pthread_cond_destroy(&p->more);
	pthread_cond_destroy(&p->done);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void pool_run(struct pool *p, void (*run)(void *ctx, unsigned task, unsigned worker), void *ctx,
	      unsigned tasks)
{
	pthread_mutex_lock(&p->lock);
	p->run = run;
	p->ctx = ctx;
	p->tasks = tasks;
	p->taken = p->finished = 0;
	if (tasks > 1 && p->workers > 1)
		pthread_cond_broadcast(&p->more);
	work(p, 0);
	while (p->finished < p->tasks)
		pthread_cond_wait(&p->done, &p->lock);
	p->tasks = 0;
	pthread_mutex_unlock(&p->lock);
}

unsigned pool_cpus(void)
{
	cpu_set_t set;
	int count;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	count = CPU_COUNT(&set);
	return count > 0 ? (unsigned)count : 1;
}
