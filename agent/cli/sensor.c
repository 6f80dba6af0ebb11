// SPDX-License-Identifier: MIT
/* sensor: a line a channel. The age is of the value when its tick was closed, not of now. */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/page.h"

static bool wanted(const char *name, const char *pattern)
{
	return !pattern || !fnmatch(pattern, name, 0) || !strncmp(name, pattern, strlen(pattern));
}

static int channel_json(sd_json_variant **list, const struct sonde_host *h,
			const struct sonde_channel *ch)
{
	return sd_json_variant_append_arraybo(list,
		SD_JSON_BUILD_PAIR_STRING("pipeline", h->name),
		SD_JSON_BUILD_PAIR_STRING("name", ch->name),
		SD_JSON_BUILD_PAIR_STRING("unit", ch->unit),
		SD_JSON_BUILD_PAIR_STRING("state", page_channel_state(ch->state)),
		SD_JSON_BUILD_PAIR_REAL("value", ch->samples ? cli_float(ch->value) : NAN),
		SD_JSON_BUILD_PAIR_REAL("contribution", cli_float(ch->contribution)),
		SD_JSON_BUILD_PAIR_UNSIGNED("age_ns", ch->age_ns),
		SD_JSON_BUILD_PAIR_UNSIGNED("samples", ch->samples),
		SD_JSON_BUILD_PAIR_UNSIGNED("errors", ch->errors));
}

static void channel_text(const struct sonde_channel *ch)
{
	char value[16], age[16];

	printf("  %-24s %9s %-9s %-8s %9s %10llu %7llu\n", ch->name,
	       cli_number(value, ch->samples ? ch->value : NAN), ch->unit,
	       page_channel_state(ch->state),
	       ch->samples ? cli_duration(age, ch->age_ns) : "never", ch->samples, ch->errors);
}

int sensor_show(struct cli *c, int argc, char **argv)
{
	const char *pattern = argc ? argv[0] : NULL;
	sd_json_variant *list = NULL;
	unsigned shown = 0;
	struct page p;
	int r;

	r = page_open(c, &p, cli_value(c, "pipeline"));
	if (r)
		return r;
	for (unsigned i = 0; r >= 0 && i < p.n; i++) {
		const struct sonde_tick *t = &p.s[i].tick;

		if (c->format == CLI_TEXT)
			printf("%s:\n  %-24s %9s %-9s %-8s %9s %10s %7s\n", p.s[i].host.name,
			       "channel", "value", "unit", "state", "age", "samples", "errors");
		for (unsigned k = 0; r >= 0 && k < t->channels; k++) {
			if (!wanted(t->channel[k].name, pattern))
				continue;
			shown++;
			if (c->format == CLI_TEXT)
				channel_text(&t->channel[k]);
			else
				r = channel_json(&list, &p.s[i].host, &t->channel[k]);
		}
	}
	if (c->format != CLI_TEXT)
		r = page_json(c, &p, r, "sensors", list);
	else if (pattern && !shown)
		r = cli_error(c, "no channel is called \"%s\"", pattern);
	page_close(&p);
	return r;
}
