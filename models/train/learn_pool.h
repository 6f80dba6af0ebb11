/* SPDX-License-Identifier: MIT */
/*
 * learn_pool: threads that wait for numbered tasks. Which thread takes which task is chance;
 * a task may depend on its number alone, and use the memory of the worker it runs on.
 */
#ifndef SONDE_TRAIN_LEARN_POOL_H
#define SONDE_TRAIN_LEARN_POOL_H

struct pool;

/* The caller is one of the workers. -ENOMEM, -EAGAIN. pool_close accepts NULL. */
int pool_open(struct pool **out, unsigned workers);
void pool_close(struct pool *p);

/* run(ctx, task, worker) for tasks 0 .. tasks-1, worker < workers; returns when all are done. */
void pool_run(struct pool *p, void (*run)(void *ctx, unsigned task, unsigned worker), void *ctx,
	      unsigned tasks);

/* CPUs that this process may run on. */
unsigned pool_cpus(void);

#endif
