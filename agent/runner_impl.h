/* SPDX-License-Identifier: MIT */
/* runner_impl: the thread's state, shared by runner.c (its life) and runner_tick.c (its turn). */
#ifndef SONDE_RUNNER_IMPL_H
#define SONDE_RUNNER_IMPL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "agent/dev/dev.h"
#include "agent/pipeline.h"
#include "agent/queue.h"
#include "agent/ring.h"
#include "kernels/why.h"

#define RUNNER_LOSSES_MAX 6

struct runner {
	/* The crossing from main has its cache line to itself. */
	_Alignas(64) _Atomic(struct pipeline_model *) next;

	_Alignas(64) struct pipeline pipeline;
	struct ring *ring;
	struct dev **device;
	unsigned devices;
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
	uint8_t state[FRAME_CHANNELS_MAX];	/* as last reported */

	int eventfd;
	pthread_t thread;
	sem_t begun;
	bool started, running;
	pid_t tid;
	int core, priority;
	int error;			/* of thread_begin */
	struct why why;
	struct why lost[RUNNER_LOSSES_MAX];
	unsigned losses;
};

/* Ticks until RING_STOP (returns 0) or the ring fails (-errno). */
int runner_loop(struct runner *r);

/* Tell main that the thread ends on its own. */
void runner_report_death(struct runner *r, int err);

#endif
