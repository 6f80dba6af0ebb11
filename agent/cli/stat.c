// SPDX-License-Identifier: MIT
/* stat: the counters under the names that they have in bpf/stats.h and so in bpftool. */
#include <stddef.h>
#include <stdio.h>

#include "agent/cli/page.h"

#define TICK(f) { #f, offsetof(struct sonde_stats, tick.f) }
#define HOST(f) { #f, offsetof(struct sonde_stats, host.f) }
static const struct counter {
	const char *name;
	size_t offset;
} counters[] = {
	TICK(ticks), TICK(missed), TICK(late), TICK(dropped), TICK(scored), TICK(over_limit),
	TICK(alarms), TICK(submits), TICK(no_buffers), TICK(rearmed), TICK(cq_overflow),
	TICK(model_generation), HOST(page_faults), HOST(events), HOST(events_lost), HOST(captures),
	HOST(rss_bytes), HOST(cpu_ns), HOST(preempted_ns), HOST(preemptions), HOST(worst_ns),
};
#define COUNTERS (sizeof(counters) / sizeof(*counters))

static unsigned long long counter(const struct sonde_stats *s, const struct counter *k)
{
	return *(const sonde_u64 *)((const char *)s + k->offset);
}

static void sums(const struct sonde_tick *t, unsigned long long *samples,
		 unsigned long long *errors)
{
	*samples = *errors = 0;
	for (unsigned i = 0; i < t->channels; i++) {
		*samples += t->channel[i].samples;
		*errors += t->channel[i].errors;
	}
}

static int stat_json(sd_json_variant **list, const struct sonde_stats *s)
{
	unsigned long long samples, errors;
	sd_json_variant *v = NULL;
	int r = sd_json_variant_set_field_string(&v, "pipeline", s->host.name);

	for (unsigned i = 0; r >= 0 && i < COUNTERS; i++)
		r = sd_json_variant_set_field_unsigned(&v, counters[i].name,
						       counter(s, &counters[i]));
	sums(&s->tick, &samples, &errors);
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(&v, "samples", samples);
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(&v, "errors", errors);
	if (r >= 0)
		r = sd_json_variant_append_array(list, v);
	sd_json_variant_unref(v);
	return r;
}

static void stat_text(const struct sonde_stats *s)
{
	unsigned long long samples, errors;

	printf("%s:\n", s->host.name);
	for (unsigned i = 0; i < COUNTERS; i++)
		printf("  %-18s %14llu\n", counters[i].name, counter(s, &counters[i]));
	sums(&s->tick, &samples, &errors);
	printf("  %-18s %14llu\n  %-18s %14llu\n", "samples", samples, "errors", errors);
}

int stat_show(struct cli *c, int argc, char **argv)
{
	sd_json_variant *list = NULL;
	struct page p;
	int r;

	r = page_open(c, &p, cli_value(c, "pipeline"));
	if (r)
		return r;
	for (unsigned i = 0; r >= 0 && i < p.n; i++) {
		if (c->format == CLI_TEXT)
			stat_text(&p.s[i]);
		else
			r = stat_json(&list, &p.s[i]);
	}
	if (c->format != CLI_TEXT)
		r = page_json(c, &p, r, "stats", list);
	page_close(&p);
	return r;
}
