// SPDX-License-Identifier: MIT
/*
 * model: what runs is on the stats page, what a file holds only sonde-model knows, and to
 * load one is the daemon's to do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/link.h"
#include "agent/cli/page.h"

static void model_text(const struct sonde_host *h, const struct sonde_tick *t)
{
	char limit[16];

	if (!*h->model) {
		printf("%s: no model yet\n", h->name);
		return;
	}
	printf("%s: %s\n  file      %s\n  precision %s, computed by %s\n", h->name, h->model,
	       h->model_path, h->model_precision, h->kernel);
	printf("  inputs    %u channels, %u rows back\n", h->model_channels, h->model_lags);
	if (h->model_hidden)
		printf("  net       LSTM of %u\n", h->model_hidden);
	else
		printf("  net       none: the linear views were as good on held-out data\n");
	printf("  limit     %s, generation %llu\n", cli_number(limit, t->limit),
	       t->model_generation);
	if (t->shadow.on)
		printf("  shadow    %s (%s), %s; see `sonde model compare`\n", h->shadow_model,
		       h->shadow_precision, h->shadow_path);
}

static int model_json(sd_json_variant **list, const struct sonde_host *h,
		      const struct sonde_tick *t)
{
	return sd_json_variant_append_arraybo(list,
		SD_JSON_BUILD_PAIR_STRING("pipeline", h->name),
		SD_JSON_BUILD_PAIR_STRING("model", h->model),
		SD_JSON_BUILD_PAIR_STRING("path", h->model_path),
		SD_JSON_BUILD_PAIR_STRING("precision", h->model_precision),
		SD_JSON_BUILD_PAIR_STRING("kernel", h->kernel),
		SD_JSON_BUILD_PAIR_UNSIGNED("channels", h->model_channels),
		SD_JSON_BUILD_PAIR_UNSIGNED("lags", h->model_lags),
		SD_JSON_BUILD_PAIR_UNSIGNED("hidden", h->model_hidden),
		SD_JSON_BUILD_PAIR_REAL("limit", cli_float(t->limit)),
		SD_JSON_BUILD_PAIR_UNSIGNED("generation", t->model_generation),
		SD_JSON_BUILD_PAIR_CONDITION(!!t->shadow.on, "shadow",
					     SD_JSON_BUILD_STRING(h->shadow_path)));
}

int model_show(struct cli *c, int argc, char **argv)
{
	char *tool[] = { "sonde-model", "show", argc ? argv[0] : NULL,
			 c->format == CLI_TEXT ? NULL : "-j", NULL };
	sd_json_variant *list = NULL;
	struct page p;
	int r;

	if (argc)
		return tool_run(c, tool);
	r = page_open(c, &p, cli_value(c, "pipeline"));
	if (r)
		return r;
	for (unsigned i = 0; r >= 0 && i < p.n; i++) {
		if (c->format == CLI_TEXT)
			model_text(&p.s[i].host, &p.s[i].tick);
		else
			r = model_json(&list, &p.s[i].host, &p.s[i].tick);
	}
	if (c->format != CLI_TEXT)
		r = page_json(c, &p, r, "models", list);
	page_close(&p);
	return r;
}

int model_load_command(struct cli *c, int argc, char **argv)
{
	const char *pipeline = argc > 1 ? argv[1] : cli_value(c, "pipeline");
	sd_json_variant *parameters = NULL, *reply = NULL;
	int r;

	r = link_parameters(c, pipeline, argv[0], &parameters);
	if (!r)
		r = link_call(c, "LoadModel", parameters, &reply);
	if (r)
		return r;
	if (c->format != CLI_TEXT)
		return cli_json(c, 0, &reply);
	printf("%s runs %s (%s, %s)\n", link_string(reply, "pipeline"), link_string(reply, "path"),
	       link_string(reply, "precision"), link_string(reply, "kernel"));
	sd_json_variant_unref(reply);
	return CLI_OK;
}

static bool asks_for_json(const char *word)
{
	return !strcmp(word, "-j") || !strcmp(word, "--json") || !strcmp(word, "-p") ||
	       !strcmp(word, "--pretty");
}

int model_tool(struct cli *c, int argc, char **argv)
{
	char **tool = calloc(argc + 4, sizeof(*tool));
	int n = 2, r;

	if (!tool)
		return cli_error(c, "out of memory");
	tool[0] = "sonde-model";
	tool[1] = (char *)c->command->name;
	for (int i = 0; i < argc; i++)
		if (!asks_for_json(argv[i]))	/* main.c has seen to it */
			tool[n++] = argv[i];
	if (c->format != CLI_TEXT && strcmp(tool[1], "score"))
		tool[n] = "-j";
	r = tool_run(c, tool);
	free(tool);
	return r;
}
