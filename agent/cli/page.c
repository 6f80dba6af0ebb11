// SPDX-License-Identifier: MIT
#include "agent/cli/page.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/frame.h"
#include "agent/stats.h"
#include "kernels/why.h"

/* The daemon beats once a second; main may be busy storing an event for a while. */
#define SILENT_NS 5000000000ull

uint64_t page_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void terminate(char *s, size_t size)
{
	s[size - 1] = '\0';
	cli_utf8(s);
}

/* The page is another process's memory: no string in it is taken at its word. */
static void make_safe(struct sonde_stats *s)
{
	terminate(s->host.name, sizeof(s->host.name));
	terminate(s->host.ring, sizeof(s->host.ring));
	terminate(s->host.profiler, sizeof(s->host.profiler));
	terminate(s->host.model, sizeof(s->host.model));
	terminate(s->host.model_precision, sizeof(s->host.model_precision));
	terminate(s->host.kernel, sizeof(s->host.kernel));
	terminate(s->host.model_path, sizeof(s->host.model_path));
	terminate(s->host.shadow_model, sizeof(s->host.shadow_model));
	terminate(s->host.shadow_precision, sizeof(s->host.shadow_precision));
	terminate(s->host.shadow_kernel, sizeof(s->host.shadow_kernel));
	terminate(s->host.shadow_path, sizeof(s->host.shadow_path));
	terminate(s->host.worst_comm, sizeof(s->host.worst_comm));
	if (s->tick.sensors > SONDE_SENSORS_MAX)
		s->tick.sensors = SONDE_SENSORS_MAX;
	for (unsigned i = 0; i < s->tick.sensors; i++) {
		terminate(s->tick.sensor[i].name, sizeof(s->tick.sensor[i].name));
		terminate(s->tick.sensor[i].kind, sizeof(s->tick.sensor[i].kind));
		terminate(s->tick.sensor[i].why, sizeof(s->tick.sensor[i].why));
	}
	if (s->tick.channels > SONDE_CHANNELS_MAX)
		s->tick.channels = SONDE_CHANNELS_MAX;
	for (unsigned i = 0; i < s->tick.channels; i++) {
		terminate(s->tick.channel[i].name, sizeof(s->tick.channel[i].name));
		terminate(s->tick.channel[i].unit, sizeof(s->tick.channel[i].unit));
	}
}

static void copy(struct page *p, unsigned i)
{
	/* A writer that died between begin and end leaves the section odd for ever. */
	if (stats_read(p->map, p->index[i], &p->s[i]))
		memcpy(&p->s[i], stats_pipeline(p->map, p->index[i]), sizeof(p->s[i]));
	make_safe(&p->s[i]);
}

static void judge(struct page *p)
{
	const struct sonde_host *h = &p->s[0].host;
	uint64_t now = page_now_ns();

	/* A heartbeat from the future is from before a reboot. */
	p->heartbeat_age_s = now >= h->heartbeat_ns ? (now - h->heartbeat_ns) / 1e9 : -1;
	if (!h->alive)
		p->life = PAGE_STOPPED;
	else if (p->heartbeat_age_s < 0 || !h->pid || (kill(h->pid, 0) && errno == ESRCH))
		p->life = PAGE_DEAD;
	else if (now - h->heartbeat_ns > SILENT_NS)
		p->life = PAGE_SILENT;
	else
		p->life = PAGE_RUNNING;
}

void page_refresh(struct page *p)
{
	for (unsigned i = 0; i < p->n; i++)
		copy(p, i);
	judge(p);
}

static int pick(struct page *p, const char *pipeline, char *text, size_t size)
{
	char names[256] = "";
	unsigned kept = 0;

	for (unsigned i = 0; pipeline && i < p->n; i++) {
		const char *name = p->s[i].host.name;
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", name);
		if (strcmp(name, pipeline))
			continue;
		p->s[kept] = p->s[i];
		p->index[kept++] = i;
	}
	if (!pipeline)
		return 0;
	p->n = kept;
	snprintf(text, size, "there is no pipeline \"%s\"; there is %s", pipeline, names);
	return kept ? 0 : -ENOENT;
}

int page_attach(struct cli *c, struct page *p, const char *pipeline, char *text, size_t size)
{
	struct why why = { "" };
	int r;

	*p = (struct page){ .n = 0 };
	r = stats_attach(&p->map, c->run_dir, &why);
	if (r) {
		if (r == -ENOENT)
			snprintf(text, size, "sonded is not running, and has not run here: %s",
				 why.text);
		else
			snprintf(text, size, "%s", why.text);
		return r;
	}
	p->n = stats_pipelines(p->map);
	p->s = calloc(p->n ? p->n : 1, sizeof(*p->s));
	p->index = calloc(p->n ? p->n : 1, sizeof(*p->index));
	if (!p->s || !p->index || !p->n) {
		snprintf(text, size, "the stats page of %s has no pipeline", c->run_dir);
		page_close(p);
		return -EINVAL;
	}
	for (unsigned i = 0; i < p->n; i++)
		p->index[i] = i;
	page_refresh(p);
	r = pick(p, pipeline, text, size);
	if (r)
		page_close(p);
	return r;
}

int page_open(struct cli *c, struct page *p, const char *pipeline)
{
	char text[512];

	if (page_attach(c, p, pipeline, text, sizeof(text)))
		return cli_error(c, "%s", text);
	if (p->life != PAGE_RUNNING) {
		page_sentence(p, text, sizeof(text));
		cli_note(c, "%s; what follows is its last state", text);
	}
	return 0;
}

void page_close(struct page *p)
{
	free(p->s);
	free(p->index);
	stats_close(p->map);
	*p = (struct page){ .n = 0 };
}

const char *page_life(const struct page *p)
{
	static const char *const word[] = { "running", "silent", "dead", "stopped" };

	return word[p->life];
}

void page_sentence(const struct page *p, char *text, size_t size)
{
	static const char *const format[] = {
		[PAGE_RUNNING] = "sonded runs (pid %u)",
		[PAGE_SILENT] = "sonded hangs: pid %u is there, its last sign is %.0f s old",
		[PAGE_DEAD] = "sonded is not running: pid %u died, its last sign is %.0f s old",
		[PAGE_STOPPED] = "sonded is not running: pid %u was stopped %.0f s ago",
	};
	double age = p->heartbeat_age_s < 0 ? 0 : p->heartbeat_age_s;

	snprintf(text, size, format[p->life], p->s[0].host.pid, age);
}

int page_daemon_json(const struct page *p, sd_json_variant **out)
{
	double age = p->heartbeat_age_s;

	return sd_json_buildo(out, SD_JSON_BUILD_PAIR_STRING("state", page_life(p)),
			      SD_JSON_BUILD_PAIR_UNSIGNED("pid", p->s[0].host.pid),
			      SD_JSON_BUILD_PAIR_REAL("heartbeat_age_s",
						      age < 0 ? NAN : rint(age * 1e3) / 1e3));
}

int page_json_two(struct cli *c, const struct page *p, int r, const char *name,
		  sd_json_variant *array, const char *name2, sd_json_variant *array2)
{
	sd_json_variant *daemon = NULL, *v = NULL;

	if (r >= 0)
		r = page_daemon_json(p, &daemon);
	if (r >= 0 && !array)
		r = sd_json_build(&array, SD_JSON_BUILD_EMPTY_ARRAY);
	if (r >= 0 && name2 && !array2)
		r = sd_json_build(&array2, SD_JSON_BUILD_EMPTY_ARRAY);
	if (r >= 0)
		r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("daemon", daemon),
				   SD_JSON_BUILD_PAIR_VARIANT(name, array),
				   SD_JSON_BUILD_PAIR_CONDITION(name2 != NULL, name2,
					SD_JSON_BUILD_VARIANT(array2)));
	sd_json_variant_unref(daemon);
	sd_json_variant_unref(array);
	sd_json_variant_unref(array2);
	return cli_json(c, r, &v);
}

int page_json(struct cli *c, const struct page *p, int r, const char *name,
	      sd_json_variant *array)
{
	return page_json_two(c, p, r, name, array, NULL, NULL);
}

const char *page_channel_state(unsigned state)
{
	static const char *const word[] = {
		[CHANNEL_ABSENT] = "absent", [CHANNEL_PROBING] = "probing", [CHANNEL_LIVE] = "live",
		[CHANNEL_STALE] = "stale", [CHANNEL_FAULTY] = "faulty",
	};

	return state < sizeof(word) / sizeof(*word) ? word[state] : "?";
}

const char *page_path(unsigned path)
{
	static const char *const word[] = { "inline", "poll", "worker", "bus" };

	return path < sizeof(word) / sizeof(*word) ? word[path] : "?";
}
