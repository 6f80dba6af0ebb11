/* SPDX-License-Identifier: MIT */
/*
 * runner_impl: the thread's state, shared by runner.c (its life), runner_devices.c (what
 * it reads) and runner_tick.c (its turn).
 */
#ifndef SONDE_RUNNER_IMPL_H
#define SONDE_RUNNER_IMPL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "agent/dev/dev.h"
#include "agent/keeper.h"
#include "agent/pipeline.h"
#include "agent/queue.h"
#include "agent/ring.h"
#include "kernels/why.h"

#define RUNNER_LOSSES_MAX 6

struct runner_worker {
	struct worker *worker;
	char bus[32];			/* "": for files */
	unsigned devices;
	bool left;			/* the kernel holds it: it was left behind */
};

struct runner {
	/* The crossing from main has its cache line to itself. */
	_Alignas(64) _Atomic(struct pipeline_model *) next;

	_Alignas(64) struct pipeline pipeline;
	struct ring *ring;
	struct keeper *keeper;
	struct dev **device;
	unsigned devices;
	struct runner_worker *worker;
	unsigned workers;
	unsigned *worker_of;		/* [devices] */
	struct queue *queue;
	struct sonde_stats *stats;
	const struct config *agent;
	const struct pipeline_config *config;
	uint64_t period_ns;

	/* The tick under way. */
	bool open;
	bool orphan;			/* an alarm whose end has not been told yet */
	bool notify;			/* main is to be woken with the next submission */
	unsigned pending;		/* reads not yet settled */
	uint64_t t_ns;			/* its grid time */
	uint64_t missed;		/* by it and before it, not yet reported */
	uint8_t state[FRAME_CHANNELS_MAX];	/* as last reported, */
	uint64_t told_ns[FRAME_CHANNELS_MAX];	/* and when */

	int eventfd;
	pthread_t thread;
	sem_t begun, ended;	/* ended: the thread does nothing more but leave the kernel */
	bool started, stopped, running;
	pid_t tid;
	int core, priority;
	int error;			/* of thread_begin */
	struct why why;
	struct why lost[RUNNER_LOSSES_MAX];
	unsigned losses;
};

/* Main: make the devices, and the keeper. */
int runner_devices_open(struct runner *r, struct why *why);
/* When the threads are gone and the ring is closed. What a left worker may touch is leaked. */
void runner_devices_close(struct runner *r);
/* At most so many are in the ring at once; so many reads may block in the kernel. */
unsigned runner_devices_files(const struct runner *r);
unsigned runner_devices_blocking(const struct runner *r);
/* The thread, with a ring; and whoever has joined it, with the ring still open. */
int runner_workers_open(struct runner *r, struct why *why);
void runner_workers_close(struct runner *r);

/* Ticks until RING_STOP (returns 0) or the ring fails (-errno). */
int runner_loop(struct runner *r);

/* Tell main that the thread ends on its own. */
void runner_report_death(struct runner *r, int err);

#endif
