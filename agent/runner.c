// SPDX-License-Identifier: MIT
/*
 * runner: the life of a pipeline's thread; one turn of it is in runner_tick.c, its devices
 * are in runner_devices.c. All memory that the thread needs is allocated before the first tick.
 */
#include "agent/runner.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/rights.h"
#include "agent/runner_impl.h"
#include "agent/stats.h"

#define QUEUE_SECONDS 2		/* main may be busy for so long before a record is lost */
#define WORKERS_MAX 32
#define STOP_SECONDS 2
#define STREAM_BUFFERS 64
#define STREAM_BUFFER_SIZE 4096

static void lose(struct runner *r, const struct why *why)
{
	if (r->losses < RUNNER_LOSSES_MAX)
		r->lost[r->losses++] = *why;
}

static enum ring_kind ring_kind_of(const char *word)
{
	if (!strcmp(word, "io_uring"))
		return RING_URING;
	return !strcmp(word, "epoll") ? RING_EPOLL : RING_ANY;
}

/* What a thread must do for itself: rights, ring, workers. Runs once, in the thread. */
static int thread_begin(struct runner *r)
{
	struct ring_options o = {
		.kind = ring_kind_of(r->agent->ring),
		.files = runner_devices_files(r),
		.peers = r->workers,
		.stream_buffers = STREAM_BUFFERS,
		.stream_buffer_size = STREAM_BUFFER_SIZE,
	};
	struct why why = { "" };
	char name[16];

	snprintf(name, sizeof name, "sonde:%.9s", r->config->name);
	pthread_setname_np(pthread_self(), name);
	r->tid = gettid();
	if (r->core >= 0 && !rights_pin(r->core, &why)) {
		lose(r, &why);
		r->core = -1;
	}
	if (r->priority && !rights_fifo(r->priority, &why)) {
		lose(r, &why);
		r->priority = 0;
	}
	rights_touch_stack();
	/* Of what does not block two take turns. */
	o.workers = 2 + runner_devices_blocking(r);
	if (o.workers > WORKERS_MAX)
		o.workers = WORKERS_MAX;
	o.core = r->core;
	why.text[0] = '\0';
	r->error = ring_open(&r->ring, &o, &why);
	if (r->error) {
		r->why = why;
		return r->error;
	}
	if (why.text[0])
		lose(r, &why);
	r->error = runner_workers_open(r, &r->why);
	return r->error;
}

static void *thread_main(void *arg)
{
	struct runner *r = arg;
	int err = thread_begin(r);

	sem_post(&r->begun);
	if (!err)
		err = runner_loop(r);
	if (err && r->running)
		runner_report_death(r, err);
	sem_post(&r->ended);
	return NULL;
}

/* The part of the stats page that does not change. */
static void name_all(struct runner *r)
{
	const struct pipeline_config *p = r->config;
	struct sonde_tick *t = &r->stats->tick;
	unsigned channel = 0;

	t->channels = p->channels;
	t->sensors = p->sensors < SONDE_SENSORS_MAX ? p->sensors : SONDE_SENSORS_MAX;
	for (unsigned s = 0; s < p->sensors; s++) {
		if (s < SONDE_SENSORS_MAX) {
			snprintf(t->sensor[s].name, sizeof t->sensor[s].name, "%s",
				 p->sensor[s].name);
			snprintf(t->sensor[s].kind, sizeof t->sensor[s].kind, "%.11s",
				 p->sensor[s].kind);
		}
		for (unsigned i = 0; i < p->sensor[s].channels; i++, channel++) {
			const struct channel_config *c = &p->sensor[s].channel[i];

			snprintf(t->channel[channel].name, sizeof t->channel[channel].name, "%s",
				 c->name);
			snprintf(t->channel[channel].unit, sizeof t->channel[channel].unit, "%s",
				 c->unit);
			t->channel[channel].sensor = s;
		}
	}
}

static unsigned power_of_two(unsigned n)
{
	unsigned p = 64;

	while (p < n)
		p *= 2;
	return p;
}

int runner_open(struct runner **out, const struct config *c,
		const struct pipeline_config *p, struct sonde_stats *stats,
		int eventfd, struct why *why)
{
	struct runner *r;
	struct why lost;
	int err;

	*out = NULL;
	r = aligned_alloc(64, (sizeof *r + 63) & ~(size_t)63);
	if (!r)
		return why_set(why, -ENOMEM, "no memory for pipeline %s", p->name);
	memset(r, 0, sizeof *r);
	r->agent = c;
	r->config = p;
	r->stats = stats;
	r->eventfd = eventfd;
	r->period_ns = 1e9 / p->rate_hz;
	r->priority = p->priority;
	r->core = p->core == CORE_LAST ? rights_pick_core(p - c->pipeline) : p->core;
	sem_init(&r->begun, 0, 0);
	sem_init(&r->ended, 0, 0);
	if (!rights_lock_memory(&lost))
		lose(r, &lost);
	if (p->core == CORE_LAST && r->core < 0) {
		why_set(&lost, 0, "not pinned: this machine lets us use one core only");
		lose(r, &lost);
		r->priority = 0;
	}
	pipeline_init(&r->pipeline, p->channels, p->stale_s * 1e9);
	name_all(r);
	err = queue_open(&r->queue, power_of_two(p->rate_hz * QUEUE_SECONDS), p->channels);
	if (err) {
		why_set(why, err, "pipeline %s: no memory for its queue", p->name);
		goto fail;
	}
	err = runner_devices_open(r, why);
	if (err)
		goto fail;
	err = -pthread_create(&r->thread, NULL, thread_main, r);
	if (err) {
		why_set(why, err, "pipeline %s: no thread: %s", p->name, strerror(-err));
		goto fail;
	}
	r->started = true;
	while (sem_wait(&r->begun))
		;
	if (r->error) {
		err = why_in(&r->why, r->error, "pipeline %s", p->name);
		if (why)
			*why = r->why;
		goto fail;
	}
	*out = r;
	return 0;
fail:
	runner_close(r);
	return err;
}

void runner_stop(struct runner *r)
{
	struct timespec until;

	if (!r->started || r->stopped)
		return;
	r->stopped = true;
	if (r->ring && !r->error)
		ring_stop(r->ring);
	/*
	 * Not joined here: a thread leaves the kernel when its io_uring workers do
	 * (io_wq_put_and_exit), and one of them may hang in a driver.
	 */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	while (sem_timedwait(&r->ended, &until) && errno == EINTR)
		;
}

void runner_close(struct runner *r)
{
	struct pipeline_model *pm;

	if (!r)
		return;
	runner_stop(r);
	if (r->started)
		pthread_join(r->thread, NULL);
	runner_workers_close(r);
	ring_close(r->ring);
	runner_devices_close(r);
	pm = atomic_exchange(&r->next, NULL);
	pipeline_model_close(pm);
	pipeline_model_close(r->pipeline.model);
	queue_close(r->queue);
	sem_destroy(&r->begun);
	sem_destroy(&r->ended);
	free(r);
}

struct pipeline_model *runner_offer(struct runner *r, struct pipeline_model *pm)
{
	/* Release: the model is whole before the thread can see it. */
	return atomic_exchange_explicit(&r->next, pm, memory_order_acq_rel);
}

void runner_kick(struct runner *r)
{
	keeper_kick(r->keeper);
}

struct queue *runner_queue(struct runner *r)
{
	return r->queue;
}

pid_t runner_tid(const struct runner *r)
{
	return r->tid;
}

const char *runner_ring(const struct runner *r)
{
	return ring_kind(r->ring) == RING_URING ? "io_uring" : "epoll";
}

int runner_core(const struct runner *r)
{
	return r->core;
}

int runner_priority(const struct runner *r)
{
	return r->priority;
}

const char *runner_lost(const struct runner *r, unsigned i)
{
	return i < r->losses ? r->lost[i].text : NULL;
}
