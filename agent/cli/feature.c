// SPDX-License-Identifier: MIT
/*
 * feature: what the kernel and the rights of whoever asks would allow, and, when a
 * daemon runs, what that one got. The two differ when they have different rights.
 */
#include <stdio.h>

#include "agent/cli/link.h"
#include "agent/feature.h"

static void with_reason(sd_json_variant *daemon, const char *what)
{
	const char *reason;
	char key[32];

	snprintf(key, sizeof(key), "%s_reason", what);
	reason = link_string(daemon, key);
	printf("  %-16s %s%s%s\n", what, link_string(daemon, what), *reason ? ": " : "", reason);
}

static void daemon_text(sd_json_variant *daemon)
{
	sd_json_variant *lines = sd_json_variant_by_key(daemon, "pipelines");

	printf("the running daemon:\n");
	with_reason(daemon, "stats");
	with_reason(daemon, "profiler");
	for (size_t i = 0; i < sd_json_variant_elements(lines); i++) {
		sd_json_variant *line = sd_json_variant_by_index(lines, i);
		sd_json_variant *lost = sd_json_variant_by_key(line, "lost");

		printf("  %-16s %s\n", link_string(line, "name"), link_string(line, "ring"));
		for (size_t k = 0; k < sd_json_variant_elements(lost); k++)
			printf("  %-16s without: %s\n", "",
			       sd_json_variant_string(sd_json_variant_by_index(lost, k)));
	}
}

static int probe_json(sd_json_variant **list, const struct feature *f, unsigned n)
{
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < n; i++)
		r = sd_json_variant_append_arraybo(list,
			SD_JSON_BUILD_PAIR_STRING("name", f[i].name),
			SD_JSON_BUILD_PAIR_BOOLEAN("ok", f[i].ok),
			SD_JSON_BUILD_PAIR_STRING("detail", f[i].detail),
			SD_JSON_BUILD_PAIR_CONDITION(!f[i].ok && f[i].enable, "enable",
						     SD_JSON_BUILD_STRING(f[i].enable)));
	return r;
}

int feature_show(struct cli *c, int argc, char **argv)
{
	struct feature f[FEATURES_MAX];
	sd_json_variant *list = NULL, *v = NULL, *daemon = link_ask(c, "Describe");
	unsigned n = feature_probe(f, FEATURES_MAX);
	int r;

	for (unsigned i = 0; i < n; i++) {
		cli_utf8(f[i].detail);
		if (c->format != CLI_TEXT)
			continue;
		printf("%-18s %-3s  %s\n", f[i].name, f[i].ok ? "yes" : "no", f[i].detail);
		if (!f[i].ok && f[i].enable)
			printf("%-23s -> %s\n", "", f[i].enable);
	}
	if (c->format == CLI_TEXT) {
		if (daemon)
			daemon_text(daemon);
		sd_json_variant_unref(daemon);
		return CLI_OK;
	}
	r = probe_json(&list, f, n);
	if (r >= 0)
		r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("features", list),
			SD_JSON_BUILD_PAIR_CONDITION(!!daemon, "daemon",
						     SD_JSON_BUILD_VARIANT(daemon)));
	sd_json_variant_unref(list);
	sd_json_variant_unref(daemon);
	return cli_json(c, r, &v);
}
