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

/* The promise, and what became of it. */
static void limit_text(const struct sonde_limit *l)
{
	double promised = l->promise ? (double)l->ticks / l->promise : 0;
	char a[16];

	if (!l->follows) {
		printf("  the limit stays where training put it\n");
		return;
	}
	printf("  %llu alarms in %llu ticks, promised %.3g; the limit was %s at first%s\n",
	       l->alarms, l->ticks, promised, cli_number(a, l->start),
	       l->frozen ? ", is frozen now" : "");
	printf("  rungs");
	for (unsigned i = 0; i < l->rungs && i < SONDE_RUNGS_MAX; i++)
		printf(" %s (%u)", cli_number(a, l->rung[i]), l->hits[i]);
	putchar('\n');
}

static int limit_json(sd_json_variant **v, const struct sonde_limit *l)
{
	sd_json_variant *rungs = NULL;
	int r = sd_json_build(&rungs, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; r >= 0 && i < l->rungs && i < SONDE_RUNGS_MAX; i++)
		r = sd_json_variant_append_arraybo(&rungs,
			SD_JSON_BUILD_PAIR_REAL("limit", cli_float(l->rung[i])),
			SD_JSON_BUILD_PAIR_UNSIGNED("hits", l->hits[i]));
	if (r >= 0)
		r = sd_json_buildo(v, SD_JSON_BUILD_PAIR_BOOLEAN("follows", l->follows),
			SD_JSON_BUILD_PAIR_BOOLEAN("frozen", l->frozen),
			SD_JSON_BUILD_PAIR_REAL("start", cli_float(l->start)),
			SD_JSON_BUILD_PAIR_UNSIGNED("promise_ticks", l->promise),
			SD_JSON_BUILD_PAIR_UNSIGNED("ticks", l->ticks),
			SD_JSON_BUILD_PAIR_UNSIGNED("alarms", l->alarms),
			SD_JSON_BUILD_PAIR_REAL("promised",
				l->promise ? (double)l->ticks / l->promise : 0),
			SD_JSON_BUILD_PAIR_VARIANT("rungs", rungs));
	sd_json_variant_unref(rungs);
	return r;
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
	limit_text(&t->limits);
	for (unsigned i = 0; i < t->channels && i < SHARES_SHOWN; i++) {
		const struct sonde_channel *ch = &t->channel[index[i]];

		printf("  %-24s %9s\n", ch->name, cli_number(a, ch->contribution));
	}
}

static int score_json(sd_json_variant **list, const struct sonde_host *h,
		      const struct sonde_tick *t, const unsigned *index)
{
	sd_json_variant *shares = NULL, *limits = NULL;
	int r = sd_json_build(&shares, SD_JSON_BUILD_EMPTY_ARRAY);

	for (unsigned i = 0; r >= 0 && i < t->channels; i++)
		r = sd_json_variant_append_arraybo(&shares,
			SD_JSON_BUILD_PAIR_STRING("name", t->channel[index[i]].name),
			SD_JSON_BUILD_PAIR_REAL("contribution",
						cli_float(t->channel[index[i]].contribution)));
	if (r >= 0)
		r = limit_json(&limits, &t->limits);
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
			SD_JSON_BUILD_PAIR_VARIANT("following", limits),
			SD_JSON_BUILD_PAIR_VARIANT("channels", shares));
	sd_json_variant_unref(limits);
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
