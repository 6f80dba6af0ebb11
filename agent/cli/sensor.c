// SPDX-License-Identifier: MIT
/*
 * sensor: the devices, a line each, and the channels that come from them. Ages are as of
 * the last tick, not of now.
 *
 * The path is how a device's bytes came: as the kernel's tracepoint tells where that is watched,
 * otherwise as it was asked for, in brackets.
 */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/page.h"
#include "agent/frame.h"

enum { PATH_INLINE, PATH_POLL, PATH_WORKER, PATH_BUS };	/* enum dev_path */

/* One read may bring many readings; fewer reads than this went to a worker by some accident. */
#define READINGS_A_READ 100

static bool wanted(const char *name, const char *pattern)
{
	return !pattern || !fnmatch(pattern, name, 0) || !strncmp(name, pattern, strlen(pattern));
}

/* What the tracepoint tells; -1: nothing, as it is not watched, or nothing was read yet. */
static int path_seen(const struct sonde_sensor *s)
{
	if (!s->path_seen || !s->reads)
		return -1;
	/* A thread of ours, and no business of io_uring's. */
	if (s->path_expected == PATH_BUS)
		return PATH_BUS;
	if (s->queued > s->reads / READINGS_A_READ)
		return PATH_WORKER;
	return s->path_expected == PATH_WORKER ? PATH_INLINE : (int)s->path_expected;
}

static int faults_json(sd_json_variant **v, const struct sonde_sensor *s)
{
	int r = 0;

	for (unsigned i = 1; r >= 0 && i < SONDE_FAULT_KINDS; i++)
		r = sd_json_variant_set_field_unsigned(v, channel_fault_name(i), s->faults[i]);
	return r;
}

static int sensor_json(sd_json_variant **list, const struct sonde_host *h,
		       const struct sonde_sensor *s)
{
	sd_json_variant *faults = NULL;
	int seen = path_seen(s), r = faults_json(&faults, s);

	if (r >= 0)
		r = sd_json_variant_append_arraybo(list,
			SD_JSON_BUILD_PAIR_STRING("pipeline", h->name),
			SD_JSON_BUILD_PAIR_STRING("name", s->name),
			SD_JSON_BUILD_PAIR_STRING("kind", s->kind),
			SD_JSON_BUILD_PAIR_STRING("state", page_channel_state(s->state)),
			SD_JSON_BUILD_PAIR_STRING("fault", channel_fault_name(s->fault)),
			SD_JSON_BUILD_PAIR_REAL("rate_hz", cli_float(s->rate_hz)),
			SD_JSON_BUILD_PAIR_CONDITION(s->reads > 0, "age_ns",
						     SD_JSON_BUILD_UNSIGNED(s->age_ns)),
			SD_JSON_BUILD_PAIR_CONDITION(s->reads == 0, "age_ns", SD_JSON_BUILD_NULL),
			SD_JSON_BUILD_PAIR_UNSIGNED("reads", s->reads),
			SD_JSON_BUILD_PAIR_UNSIGNED("errors", s->errors),
			SD_JSON_BUILD_PAIR_UNSIGNED("opened", s->opened),
			SD_JSON_BUILD_PAIR_UNSIGNED("recovered", s->recovered),
			SD_JSON_BUILD_PAIR_VARIANT("faults", faults),
			SD_JSON_BUILD_PAIR_INTEGER("error", s->error),
			SD_JSON_BUILD_PAIR_STRING("path", page_path(s->path_expected)),
			SD_JSON_BUILD_PAIR_STRING("path_seen", seen < 0 ? NULL : page_path(seen)),
			SD_JSON_BUILD_PAIR_UNSIGNED("queued", s->queued),
			SD_JSON_BUILD_PAIR_UNSIGNED("edge_to_value_ns", s->edge_to_value_ns),
			SD_JSON_BUILD_PAIR_STRING("why", s->why));
	sd_json_variant_unref(faults);
	return r;
}

static int channel_json(sd_json_variant **list, const struct sonde_stats *s,
			const struct sonde_channel *ch)
{
	return sd_json_variant_append_arraybo(list,
		SD_JSON_BUILD_PAIR_STRING("pipeline", s->host.name),
		SD_JSON_BUILD_PAIR_STRING("sensor", ch->sensor < s->tick.sensors ?
						    s->tick.sensor[ch->sensor].name : ""),
		SD_JSON_BUILD_PAIR_STRING("name", ch->name),
		SD_JSON_BUILD_PAIR_STRING("unit", ch->unit),
		SD_JSON_BUILD_PAIR_STRING("state", page_channel_state(ch->state)),
		SD_JSON_BUILD_PAIR_STRING("fault", channel_fault_name(ch->fault)),
		SD_JSON_BUILD_PAIR_REAL("value", ch->samples ? cli_float(ch->value) : NAN),
		SD_JSON_BUILD_PAIR_REAL("contribution", cli_float(ch->contribution)),
		SD_JSON_BUILD_PAIR_UNSIGNED("age_ns", ch->age_ns),
		SD_JSON_BUILD_PAIR_UNSIGNED("samples", ch->samples),
		SD_JSON_BUILD_PAIR_UNSIGNED("errors", ch->errors));
}

static const char *fault_word(unsigned fault)
{
	return fault == FAULT_NONE ? "-" : channel_fault_name(fault);
}

static void sensor_text(const struct sonde_sensor *s)
{
	char rate[16], age[16], path[48];
	int seen = path_seen(s);

	if (seen < 0)
		snprintf(path, sizeof(path), "(%s)", page_path(s->path_expected));
	else if (seen == (int)s->path_expected)
		snprintf(path, sizeof(path), "%s", page_path(seen));
	else
		snprintf(path, sizeof(path), "%s, not %s", page_path(seen),
			 page_path(s->path_expected));
	printf("  %-18s %-8s %-8s %-8s %8s %8s %9llu %7llu  %s\n", s->name, s->kind,
	       page_channel_state(s->state), fault_word(s->fault), cli_number(rate, s->rate_hz),
	       s->reads ? cli_duration(age, s->age_ns) : "never", s->reads, s->errors, path);
	/* Without an error so far it is a remark on how it was opened. */
	if ((s->state != CHANNEL_LIVE || !s->errors) && *s->why)
		printf("    %s\n", s->why);
}

static void channel_text(const struct sonde_channel *ch)
{
	char value[16], age[16];

	printf("  %-24s %9s %-9s %-8s %-8s %9s %10llu %7llu\n", ch->name,
	       cli_number(value, ch->samples ? ch->value : NAN), ch->unit,
	       page_channel_state(ch->state), fault_word(ch->fault),
	       ch->samples ? cli_duration(age, ch->age_ns) : "never", ch->samples, ch->errors);
}

/* A table's head comes with its first line: what a pattern leaves empty is not there. */
static unsigned tables(const struct sonde_stats *s, const char *pattern)
{
	const struct sonde_tick *t = &s->tick;
	unsigned sensors = 0, channels = 0;

	for (unsigned i = 0; i < t->sensors; i++) {
		if (!wanted(t->sensor[i].name, pattern))
			continue;
		if (!sensors++)
			printf("%s:\n  %-18s %-8s %-8s %-8s %8s %8s %9s %7s  %s\n", s->host.name,
			       "sensor", "kind", "state", "fault", "rate Hz", "age", "reads",
			       "errors", "path");
		sensor_text(&t->sensor[i]);
	}
	for (unsigned i = 0; i < t->channels; i++) {
		if (!wanted(t->channel[i].name, pattern))
			continue;
		if (!channels++) {
			if (sensors)
				printf("\n");
			else
				printf("%s:\n", s->host.name);
			printf("  %-24s %9s %-9s %-8s %-8s %9s %10s %7s\n", "channel", "value",
			       "unit", "state", "fault", "age", "samples", "errors");
		}
		channel_text(&t->channel[i]);
	}
	return sensors + channels;
}

static int lists(sd_json_variant **sensors, sd_json_variant **channels,
		 const struct sonde_stats *s, const char *pattern)
{
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < s->tick.sensors; i++)
		if (wanted(s->tick.sensor[i].name, pattern))
			r = sensor_json(sensors, &s->host, &s->tick.sensor[i]);
	for (unsigned i = 0; r >= 0 && i < s->tick.channels; i++)
		if (wanted(s->tick.channel[i].name, pattern))
			r = channel_json(channels, s, &s->tick.channel[i]);
	return r;
}

int sensor_show(struct cli *c, int argc, char **argv)
{
	const char *pattern = argc ? argv[0] : NULL;
	sd_json_variant *sensors = NULL, *channels = NULL;
	unsigned shown = 0;
	struct page p;
	int r;

	r = page_open(c, &p, cli_value(c, "pipeline"));
	if (r)
		return r;
	for (unsigned i = 0; r >= 0 && i < p.n; i++) {
		if (c->format == CLI_TEXT)
			shown += tables(&p.s[i], pattern);
		else
			r = lists(&sensors, &channels, &p.s[i], pattern);
	}
	if (c->format != CLI_TEXT)
		r = page_json_two(c, &p, r, "sensors", sensors, "channels", channels);
	else if (pattern && !shown)
		r = cli_error(c, "no sensor or channel is called \"%s\"", pattern);
	page_close(&p);
	return r;
}
