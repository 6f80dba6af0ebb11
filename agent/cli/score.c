// SPDX-License-Identifier: MIT
/* score: the verdict now, and which channels it is made of, the largest first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/page.h"

#define SHARES_SHOWN 8

/* The channels in order of what they add to the score, the largest first. */
static void order(const struct sonde_tick *t, unsigned *index)
{
	for (unsigned i = 0; i < t->channels; i++) {
		float nats = t->channel[i].contribution;
		unsigned at = i;

		for (; at && nats > t->channel[index[at - 1]].contribution; at--)
			index[at] = index[at - 1];
		index[at] = i;
	}
}

static void score_text(const struct sonde_host *h, const struct sonde_tick *t,
		       const unsigned *index)
{
	char a[16], b[16];

	if (!*h->model) {
		printf("%s: no model yet, nothing is judged\n", h->name);
		return;
	}
	printf("%s: %s, score %s of %s%s\n", h->name, t->alarm ? "ALARM" : "normal",
	       cli_number(a, t->score), cli_number(b, t->limit), t->scored ? "" : " (settling)");
	if (t->alarm)
		printf("  for %s, peak %s\n",
		       cli_duration(a, page_now_ns() - t->alarm_since_ns), cli_number(b, t->peak));
	printf("  %llu ticks scored, %llu over the limit, %llu alarms\n", t->scored, t->over_limit,
	       t->alarms);
	for (unsigned i = 0; i < t->channels && i < SHARES_SHOWN; i++) {
		const struct sonde_channel *ch = &t->channel[index[i]];

		printf("  %-24s %9s\n", ch->name, cli_number(a, ch->contribution));
	}
}

static int score_json(sd_json_variant **list, const struct sonde_host *h,
		      const struct sonde_tick *t, const unsigned *index)
{
	sd_json_variant *shares = NULL;
	int r = sd_json_build(&shares, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; r >= 0 && i < t->channels; i++)
		r = sd_json_variant_append_arraybo(&shares,
			SD_JSON_BUILD_PAIR_STRING("name", t->channel[index[i]].name),
			SD_JSON_BUILD_PAIR_REAL("contribution",
						cli_float(t->channel[index[i]].contribution)));
	if (r >= 0)
		r = sd_json_variant_append_arraybo(list,
			SD_JSON_BUILD_PAIR_STRING("pipeline", h->name),
			SD_JSON_BUILD_PAIR_STRING("model", h->model),
			SD_JSON_BUILD_PAIR_REAL("score", cli_float(t->score)),
			SD_JSON_BUILD_PAIR_REAL("limit", cli_float(t->limit)),
			SD_JSON_BUILD_PAIR_BOOLEAN("alarm", t->alarm),
			SD_JSON_BUILD_PAIR_REAL("peak", cli_float(t->peak)),
			SD_JSON_BUILD_PAIR_UNSIGNED("alarm_since_ns", t->alarm_since_ns),
			SD_JSON_BUILD_PAIR_UNSIGNED("scored", t->scored),
			SD_JSON_BUILD_PAIR_UNSIGNED("over_limit", t->over_limit),
			SD_JSON_BUILD_PAIR_UNSIGNED("alarms", t->alarms),
			SD_JSON_BUILD_PAIR_VARIANT("channels", shares));
	sd_json_variant_unref(shares);
	return r;
}

int score_show(struct cli *c, int argc, char **argv)
{
	unsigned index[SONDE_CHANNELS_MAX];
	sd_json_variant *list = NULL;
	struct page p;
	int r;

	r = page_open(c, &p, cli_value(c, "pipeline"));
	if (r)
		return r;
	for (unsigned i = 0; r >= 0 && i < p.n; i++) {
		order(&p.s[i].tick, index);
		if (c->format == CLI_TEXT)
			score_text(&p.s[i].host, &p.s[i].tick, index);
		else
			r = score_json(&list, &p.s[i].host, &p.s[i].tick, index);
	}
	if (c->format != CLI_TEXT)
		r = page_json(c, &p, r, "scores", list);
	page_close(&p);
	return r;
}
