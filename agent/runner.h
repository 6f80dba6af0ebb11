/* SPDX-License-Identifier: MIT */
/*
 * runner: a pipeline's thread. Owns the ring and the devices, runs the step when
 * a tick's reads have arrived (or its deadline has passed), writes the stats page
 * and the queue. The only file that knows both time and the step.
 */
#ifndef SONDE_RUNNER_H
#define SONDE_RUNNER_H

#include <stdbool.h>
#include <sys/types.h>

struct config;
struct pipeline_config;
struct pipeline_model;
struct queue;
struct runner;
struct sonde_stats;
struct why;

/*
 * Make the devices and start the thread, which opens them. stats is this pipeline's part of the
 * stats page; eventfd is notified when a record other than RECORD_TICK was pushed.
 * What the thread could not have (pinning, SCHED_FIFO, locked memory, io_uring)
 * is no error: runner_lost() tells; nor is a sensor that is not there. Errors: -errno,
 * nothing left behind.
 */
int runner_open(struct runner **out, const struct config *c,
		const struct pipeline_config *p, struct sonde_stats *stats,
		int eventfd, struct why *why);

/*
 * Stop the thread and wait for its last record, two seconds at most: what it pushed stays in the
 * queue for a last look.
 */
void runner_stop(struct runner *r);

/* ... and close everything; waits for as long as a driver holds one of its reads. */
void runner_close(struct runner *r);

/*
 * The third crossing: put a model up for the next tick. Returns the one that was
 * put up before and never taken (to be freed by the caller), or NULL.
 */
struct pipeline_model *runner_offer(struct runner *r, struct pipeline_model *pm);

/* Any thread: something was plugged in; sensors that are not there are looked for at once. */
void runner_kick(struct runner *r);

struct queue *runner_queue(struct runner *r);
pid_t runner_tid(const struct runner *r);
const char *runner_ring(const struct runner *r);	/* "io_uring" or "epoll" */
int runner_core(const struct runner *r);		/* -1: not pinned */
int runner_priority(const struct runner *r);		/* SCHED_FIFO; 0: not */

/* A line for each right or feature that the thread had to do without; NULL at the end. */
const char *runner_lost(const struct runner *r, unsigned i);

#endif
