// SPDX-License-Identifier: MIT
/*
 * host: main's section of the stats page: what the process is, what it costs, which
 * model runs, and what the profiler saw. The same process figures stand in each
 * pipeline's element, so that a reader needs only one.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/daemon.h"
#include "agent/events.h"
#include "agent/path.h"
#include "agent/profiler.h"
#include "agent/queue.h"
#include "agent/runner.h"
#include "agent/stats.h"

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Field 2 of /proc/self/statm, in pages (proc_pid_statm(5)). */
static uint64_t resident_bytes(int fd)
{
	char text[128];
	unsigned long long size, resident;
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * sysconf(_SC_PAGESIZE);
}

/* Fields 10 and 12 of /proc/self/task/TID/stat: minor and major faults (proc_pid_stat(5)). */
static uint64_t page_faults(pid_t tid)
{
	unsigned long long minor = 0, major = 0;
	char path[64], text[512], *rest = NULL;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fgets(text, sizeof text, f))
		rest = strrchr(text, ')');
	if (rest)
		sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %llu %*u %llu", &minor, &major);
	fclose(f);
	return minor + major;
}

static void copy(char *to, size_t size, const char *from)
{
	memset(to, 0, size);
	memcpy(to, from, strnlen(from, size - 1));
}

void host_begin(struct line *l)
{
	struct sonde_host *h = &l->stats->host;
	int core = runner_core(l->runner);

	stats_write_begin(&h->seq);
	h->pid = getpid();
	h->tid = runner_tid(l->runner);
	h->core = core < 0 ? 0xffffffff : (sonde_u32)core;
	h->priority = runner_priority(l->runner);
	h->alive = 1;
	h->start_realtime_ns = l->daemon->start_realtime_ns;
	h->rate_hz = l->config->rate_hz;
	copy(h->name, sizeof h->name, l->config->name);
	copy(h->ring, sizeof h->ring, runner_ring(l->runner));
	copy(h->profiler, sizeof h->profiler, profiler_name(l->daemon->profiler));
	stats_write_end(&h->seq);
}

static void shadow_update(struct sonde_host *h, const struct daemon_model *m)
{
	copy(h->shadow_model, sizeof h->shadow_model, m->name);
	copy(h->shadow_precision, sizeof h->shadow_precision, m->precision);
	copy(h->shadow_kernel, sizeof h->shadow_kernel, m->kernel);
	copy(h->shadow_path, sizeof h->shadow_path, m->generation ? m->path : "");
}

static void model_update(struct sonde_host *h, const struct daemon_model *m)
{
	copy(h->model, sizeof h->model, m->name);
	copy(h->model_precision, sizeof h->model_precision, m->precision);
	copy(h->kernel, sizeof h->kernel, m->kernel);
	copy(h->model_path, sizeof h->model_path, m->path);
	h->model_channels = m->channels;
	h->model_hidden = m->hidden;
	h->model_lags = m->lags;
}

/*
 * In the pipeline's section, but words that its thread never writes: no reader needs
 * them to agree with the others.
 */
static void paths_update(struct line *l)
{
	struct sonde_tick *t = &l->stats->tick;

	if (!l->daemon->path || strcmp(runner_ring(l->runner), "io_uring"))
		return;
	for (unsigned i = 0; i < l->config->sensors && i < SONDE_SENSORS_MAX; i++) {
		sonde_u64 n = path_count(l->daemon->path, runner_tid(l->runner), i);

		__atomic_store_n(&t->sensor[i].queued, n, __ATOMIC_RELAXED);
		__atomic_store_n(&t->sensor[i].path_seen, 1, __ATOMIC_RELAXED);
	}
}

void host_update(struct line *l)
{
	struct sonde_host *h = &l->stats->host;
	uint64_t rss = resident_bytes(l->daemon->statm_fd);
	uint64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t faults = page_faults(runner_tid(l->runner));
	struct events_counters c;

	events_counters(l->events, &c);
	stats_write_begin(&h->seq);
	h->heartbeat_ns = now_ns(CLOCK_MONOTONIC);
	h->events = c.events;
	h->events_lost = queue_dropped(runner_queue(l->runner));
	h->captures = c.captures;
	h->rss_bytes = rss;
	h->cpu_ns = cpu;
	h->page_faults = faults;
	model_update(h, &l->taken);
	shadow_update(h, &l->shadow);
	if (l->daemon->profiler)
		profiler_read(l->daemon->profiler, l - l->daemon->line, h);
	stats_write_end(&h->seq);
	paths_update(l);
}

void host_end(struct line *l)
{
	struct sonde_host *h = &l->stats->host;

	stats_write_begin(&h->seq);
	h->alive = 0;
	stats_write_end(&h->seq);
}
