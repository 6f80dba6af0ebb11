// SPDX-License-Identifier: MIT
/*
 * model_shadow: a second model beside the live one: put there by the daemon, compared on the
 * stats page.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cli/link.h"
#include "agent/cli/page.h"

int model_shadow(struct cli *c, int argc, char **argv)
{
	const char *pipeline = argc > 1 ? argv[1] : cli_value(c, "pipeline");
	const char *path = strcmp(argv[0], "off") ? argv[0] : NULL;
	sd_json_variant *parameters = NULL, *reply = NULL;
	int r;

	r = link_parameters(c, pipeline, path, &parameters);
	if (!r)
		r = link_call(c, "ShadowModel", parameters, &reply);
	if (r)
		return r;
	if (c->format != CLI_TEXT)
		return cli_json(c, 0, &reply);
	if (path)
		printf("%s: %s (%s, %s) judges beside the live model; see `sonde model compare`\n",
		       link_string(reply, "pipeline"), link_string(reply, "path"),
		       link_string(reply, "precision"), link_string(reply, "kernel"));
	else
		printf("%s: no shadow\n", link_string(reply, "pipeline"));
	sd_json_variant_unref(reply);
	return CLI_OK;
}

static void compare_text(const struct sonde_host *h, const struct sonde_tick *t)
{
	const struct sonde_shadow *s = &t->shadow;
	char a[16], b[16];

	if (!s->on) {
		printf("%s: no shadow\n", h->name);
		return;
	}
	printf("%s: %s, and in its shadow %s\n", h->name, h->model_path, h->shadow_path);
	printf("  %-12s %10s %10s\n", "", "live", "shadow");
	printf("  %-12s %10s %10s\n", "score", cli_number(a, t->score),
	       cli_number(b, s->score));
	printf("  %-12s %10s %10s\n", "limit", cli_number(a, t->limit),
	       cli_number(b, s->limit));
	printf("  %-12s %10s %10s\n", "mean score", cli_number(a, s->mean_live),
	       cli_number(b, s->mean_shadow));
	printf("  %-12s %10llu %10llu   ticks, %llu of them both\n", "over limit", s->over_live,
	       s->over_shadow, s->over_both);
	printf("  %-12s %10llu %10llu\n", "alarms", s->alarms_live, s->alarms_shadow);
	printf("  %-12s %10s %10s\n", "alarm now", t->alarm ? "on" : "off",
	       s->alarm ? "on" : "off");
	if (s->ticks)
		printf("  correlation of the scores %.4f over %llu ticks; %llu late ones left "
		       "out\n", (double)s->correlation, s->ticks, s->skipped);
	else
		printf("  no tick yet that both have judged\n");
}

static int compare_json(sd_json_variant **list, const struct sonde_host *h,
			const struct sonde_tick *t)
{
	const struct sonde_shadow *s = &t->shadow;
	sd_json_variant *live = NULL, *shadow = NULL;
	int r = sd_json_buildo(&live,
		SD_JSON_BUILD_PAIR_STRING("model", h->model),
		SD_JSON_BUILD_PAIR_STRING("path", h->model_path),
		SD_JSON_BUILD_PAIR_REAL("score", cli_float(t->score)),
		SD_JSON_BUILD_PAIR_REAL("limit", cli_float(t->limit)),
		SD_JSON_BUILD_PAIR_REAL("mean", cli_float(s->mean_live)),
		SD_JSON_BUILD_PAIR_UNSIGNED("over_limit", s->over_live),
		SD_JSON_BUILD_PAIR_UNSIGNED("alarms", s->alarms_live),
		SD_JSON_BUILD_PAIR_BOOLEAN("alarm", t->alarm));

	if (r >= 0 && s->on)
		r = sd_json_buildo(&shadow,
			SD_JSON_BUILD_PAIR_STRING("model", h->shadow_model),
			SD_JSON_BUILD_PAIR_STRING("path", h->shadow_path),
			SD_JSON_BUILD_PAIR_REAL("score", cli_float(s->score)),
			SD_JSON_BUILD_PAIR_REAL("limit", cli_float(s->limit)),
			SD_JSON_BUILD_PAIR_REAL("mean", cli_float(s->mean_shadow)),
			SD_JSON_BUILD_PAIR_UNSIGNED("over_limit", s->over_shadow),
			SD_JSON_BUILD_PAIR_UNSIGNED("alarms", s->alarms_shadow),
			SD_JSON_BUILD_PAIR_BOOLEAN("alarm", s->alarm));
	if (r >= 0)
		r = sd_json_variant_append_arraybo(list,
			SD_JSON_BUILD_PAIR_STRING("pipeline", h->name),
			SD_JSON_BUILD_PAIR_VARIANT("live", live),
			SD_JSON_BUILD_PAIR_CONDITION(!!s->on, "shadow",
						     SD_JSON_BUILD_VARIANT(shadow)),
			SD_JSON_BUILD_PAIR_UNSIGNED("ticks", s->ticks),
			SD_JSON_BUILD_PAIR_UNSIGNED("skipped", s->skipped),
			SD_JSON_BUILD_PAIR_UNSIGNED("both_over", s->over_both),
			SD_JSON_BUILD_PAIR_REAL("correlation", cli_float(s->correlation)));
	sd_json_variant_unref(live);
	sd_json_variant_unref(shadow);
	return r;
}

int model_compare(struct cli *c, int argc, char **argv)
{
	sd_json_variant *list = NULL;
	struct page p;
	int r;

	r = page_open(c, &p, argc ? argv[0] : cli_value(c, "pipeline"));
	if (r)
		return r;
	for (unsigned i = 0; r >= 0 && i < p.n; i++) {
		if (c->format == CLI_TEXT)
			compare_text(&p.s[i].host, &p.s[i].tick);
		else
			r = compare_json(&list, &p.s[i].host, &p.s[i].tick);
	}
	if (c->format != CLI_TEXT)
		r = page_json(c, &p, r, "comparisons", list);
	page_close(&p);
	return r;
}
