// SPDX-License-Identifier: MIT
/*
 * daemon_limit: what a pipeline's limit has learned, out of the stats page into STATE_DIR, and
 * back when the same model is loaded again. Ten minutes of it are lost by a kill, nothing by an
 * orderly stop.
 */
#include <stdio.h>
#include <time.h>

#include "agent/daemon.h"
#include "agent/limit_memory.h"
#include "agent/log.h"
#include "agent/pipeline.h"
#include "agent/stats.h"

#define KEEP_S 600

static int path_of(const struct line *l, char *path, size_t size)
{
	return snprintf(path, size, "%s/%s.limit", l->daemon->config->state_dir, l->config->name);
}

void daemon_limit_recall(struct line *l, struct pipeline_model *pm)
{
	char path[CONFIG_PATH_MAX + CONFIG_NAME_MAX + 16];
	const struct limit_state *known;
	struct limit_memory m;
	struct why why;

	path_of(l, path, sizeof path);
	if (limit_memory_read(&m, path, &why))
		log_line(LOG_LEVEL_WARNING, "%s: the limit begins anew: %s", l->config->name,
			 why.text);
	known = limit_memory_find(&m, pm->key);
	if (known)
		pm->known = *known;
}

void daemon_limit_keep(struct line *l)
{
	char path[CONFIG_PATH_MAX + CONFIG_NAME_MAX + 16];
	static struct sonde_stats copy;
	struct limit_state now;
	struct limit_memory m;
	struct why why;
	int err;

	if (stats_read(l->daemon->stats, l - l->daemon->line, &copy) ||
	    !limit_published(&copy.tick.limits, &now) ||
	    (now.ticks == l->limit_ticks && copy.tick.limits.key == l->limit_key))
		return;
	path_of(l, path, sizeof path);
	if (limit_memory_read(&m, path, &why))
		log_line(LOG_LEVEL_WARNING, "%s is made anew: %s", path, why.text);
	limit_memory_put(&m, copy.tick.limits.key, &now);
	err = limit_memory_write(&m, path, &why);
	if (err && err != l->limit_error)
		log_line(LOG_LEVEL_ERROR, "what the limit has learned is not kept: %s", why.text);
	l->limit_error = err;
	l->limit_ticks = now.ticks;
	l->limit_key = copy.tick.limits.key;
}

void daemon_limit_tick(struct line *l)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	if (!l->limit_kept_s)
		l->limit_kept_s = t.tv_sec;
	if (t.tv_sec - l->limit_kept_s < KEEP_S)
		return;
	l->limit_kept_s = t.tv_sec;
	daemon_limit_keep(l);
}
