// SPDX-License-Identifier: MIT
/* pipeline: the groups of sensors, what each runs on and how it keeps its time. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/cli/page.h"
#include "agent/stats.h"

#define NOT_PINNED 0xffffffffu

static void pipeline_text(const struct sonde_host *h, const struct sonde_tick *t)
{
	char since[40], p50[16], p99[16], max[16], core[32] = "not pinned", fifo[24] = "";
	double cpu_s = h->cpu_ns / 1e9;

	if (h->core != NOT_PINNED)
		snprintf(core, sizeof(core), "core %u", h->core);
	if (h->priority)
		snprintf(fifo, sizeof(fifo), ", FIFO %u", h->priority);
	printf("%s:\n", h->name);
	printf("  rate      %g Hz, %u channels\n", h->rate_hz, t->channels);
	printf("  thread    %u, %s%s, %s, profiler %s\n", h->tid, core, fifo, h->ring,
	       *h->profiler ? h->profiler : "none");
	printf("  since     %s\n", cli_time(since, h->start_realtime_ns));
	if (*h->model)
		printf("  model     %s (%s, %s), %s\n", h->model, h->model_precision, h->kernel,
		       h->model_path);
	else
		printf("  model     none yet: values are shown, nothing is judged\n");
	printf("  ticks     %llu, %llu missed, %llu late, %llu records dropped\n", t->ticks,
	       t->missed, t->late, t->dropped);
	printf("  latency   p50 %s, p99 %s, max %s\n",
	       cli_duration(p50, stats_hist_quantile(&t->latency, 0.5)),
	       cli_duration(p99, stats_hist_quantile(&t->latency, 0.99)),
	       cli_duration(max, t->latency.max_ns));
	printf("  alarms    %llu, now %s\n", t->alarms, t->alarm ? "on" : "off");
	printf("  process   pid %u, %.1f MB, %.2f s of CPU\n", h->pid, h->rss_bytes / 1e6, cpu_s);
}

static int pipeline_json(sd_json_variant **list, const struct sonde_host *h,
			 const struct sonde_tick *t)
{
	return sd_json_variant_append_arraybo(list,
		SD_JSON_BUILD_PAIR_STRING("name", h->name),
		SD_JSON_BUILD_PAIR_REAL("rate_hz", cli_float(h->rate_hz)),
		SD_JSON_BUILD_PAIR_UNSIGNED("channels", t->channels),
		SD_JSON_BUILD_PAIR_UNSIGNED("tid", h->tid),
		SD_JSON_BUILD_PAIR_INTEGER("core", h->core == NOT_PINNED ? -1 : (int)h->core),
		SD_JSON_BUILD_PAIR_UNSIGNED("priority", h->priority),
		SD_JSON_BUILD_PAIR_STRING("ring", h->ring),
		SD_JSON_BUILD_PAIR_STRING("profiler", h->profiler),
		SD_JSON_BUILD_PAIR_STRING("model", h->model),
		SD_JSON_BUILD_PAIR_STRING("model_path", h->model_path),
		SD_JSON_BUILD_PAIR_UNSIGNED("start_realtime_ns", h->start_realtime_ns),
		SD_JSON_BUILD_PAIR_UNSIGNED("ticks", t->ticks),
		SD_JSON_BUILD_PAIR_UNSIGNED("missed", t->missed),
		SD_JSON_BUILD_PAIR_UNSIGNED("late", t->late),
		SD_JSON_BUILD_PAIR_UNSIGNED("dropped", t->dropped),
		SD_JSON_BUILD_PAIR_UNSIGNED("alarms", t->alarms),
		SD_JSON_BUILD_PAIR_BOOLEAN("alarm", t->alarm),
		SD_JSON_BUILD_PAIR_UNSIGNED("rss_bytes", h->rss_bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("cpu_ns", h->cpu_ns));
}

int pipeline_show(struct cli *c, int argc, char **argv)
{
	sd_json_variant *list = NULL;
	struct page p;
	int r;

	r = page_open(c, &p, argc ? argv[0] : NULL);
	if (r)
		return r;
	for (unsigned i = 0; r >= 0 && i < p.n; i++) {
		if (c->format == CLI_TEXT)
			pipeline_text(&p.s[i].host, &p.s[i].tick);
		else
			r = pipeline_json(&list, &p.s[i].host, &p.s[i].tick);
	}
	if (c->format != CLI_TEXT)
		r = page_json(c, &p, r, "pipelines", list);
	page_close(&p);
	return r;
}
