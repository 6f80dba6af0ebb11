/* SPDX-License-Identifier: MIT */
/*
 * worker: a thread for what may block: one a bus, and one for all that is no bus.
 * The pipeline's thread hands it devices; it opens, transfers or shuts them, one at
 * a time, and the end comes back as RING_POST. A stuck bus holds its own worker only.
 */
#ifndef SONDE_WORKER_H
#define SONDE_WORKER_H

#include <stdint.h>

struct dev;
struct ring;
struct why;
struct worker;

enum worker_job { WORKER_OPEN, WORKER_TRANSFER, WORKER_SHUT };

struct worker_options {
	const char *name;	/* of the thread: "i2c-1" */
	unsigned devices;	/* that may be handed over: one job each at a time */
	int core;		/* to stay off; -1: none */
	int priority;		/* SCHED_FIFO, below the pipeline's; 0: none */
};

/*
 * The pipeline's thread, after ring_open. On success why is as it was, or says what the thread
 * has to do without: a core of its own, SCHED_FIFO.
 */
int worker_open(struct worker **out, struct ring *r, const struct worker_options *o,
		struct why *why);

/*
 * The pipeline's thread: one job of d, which nobody touches until its RING_POST: token
 * d->token, res what the operation returned (shut: 0), t_ns when it began, before the first of
 * its -EAGAINs. The worker is woken by the ring's next submission. -EBUSY: devices jobs are
 * under way.
 */
int worker_submit(struct worker *w, struct dev *d, enum worker_job job);

/*
 * The pipeline's thread, or main when that is joined, before ring_close: ends the thread. Jobs
 * that have not begun, or wait to be called again, are dropped without a RING_POST. -EBUSY: it is
 * held by the kernel for more than a second and was left behind; its devices must not be freed.
 */
int worker_close(struct worker *w);

#endif
