// SPDX-License-Identifier: MIT
/*
 * help: what the table says, as text and as JSON (for completion and for the
 * test that holds help, dispatch and manual pages together).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/cli/cli.h"
#include "agent/version.h"

static const char *object_name(const void *from, unsigned i)
{
	return cli_objects[i].name;
}

static void option_lines(const struct cli_option *o)
{
	char left[48];

	for (; o && o->name; o++) {
		int n = 0;

		if (o->letter)
			n = snprintf(left, sizeof(left), "-%c, ", o->letter);
		snprintf(left + n, sizeof(left) - n, "%s%s%s", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		printf("      %-26s %s\n", left, o->brief);
	}
}

static void object_text(const struct cli_object *o)
{
	printf("sonde %s: %s\n\n", o->name, o->brief);
	for (const struct cli_command *k = o->command; k->name; k++) {
		char left[96];

		snprintf(left, sizeof(left), "sonde %s%s%s%s%s", o->name, *k->name ? " " : "",
			 k->name, k->args && *k->args ? " " : "", k->args ? k->args : "");
		printf("  %-30s %s\n", left, k->brief);
		option_lines(k->option);
	}
	if (o->command->name[0])
		printf("  sonde %s help\n", o->name);
	if (o->notes)
		printf("\n%s\n", o->notes);
	if (o->command[0].name[0] && o->command[1].name)
		printf("\nWithout a command: %s.\n", o->command->name);
}

void help_text(const struct cli_object *o)
{
	if (o) {
		object_text(o);
		return;
	}
	printf("Usage: sonde [OPTIONS] OBJECT { COMMAND | help } [ARGUMENTS]\n\nOBJECT:\n");
	for (o = cli_objects; o->name; o++) {
		printf("  %-9s %s", o->name, o->brief);
		for (const struct cli_command *k = o->command; k->name; k++)
			if (*k->name)
				printf("%s%s", k == o->command ? " { " : " | ", k->name);
		printf("%s\n", o->command->name[0] ? " }" : "");
	}
	printf("\nOPTIONS:\n");
	option_lines(cli_globals);
	printf("\nWords may be shortened as long as they stay unambiguous: `sonde la s`.\n"
	       "Exit: 0, 1 it failed, 2 it was not understood.\n");
}

static int options_json(sd_json_variant **list, const struct cli_option *o)
{
	int r = sd_json_build(list, SD_JSON_BUILD_EMPTY_ARRAY);

	for (; r >= 0 && o && o->name; o++) {
		char letter[2] = { o->letter, 0 };

		r = sd_json_variant_append_arraybo(list,
			SD_JSON_BUILD_PAIR_STRING("name", o->name),
			SD_JSON_BUILD_PAIR_CONDITION(!!o->letter, "letter",
						     SD_JSON_BUILD_STRING(letter)),
			SD_JSON_BUILD_PAIR_CONDITION(!!o->arg, "arg", SD_JSON_BUILD_STRING(o->arg)),
			SD_JSON_BUILD_PAIR_STRING("brief", o->brief));
	}
	return r;
}

static int object_json(sd_json_variant **objects, const struct cli_object *o)
{
	sd_json_variant *commands = NULL, *options = NULL;
	int r = sd_json_build(&commands, SD_JSON_BUILD_EMPTY_ARRAY);

	for (const struct cli_command *k = o->command; r >= 0 && k->name; k++) {
		r = options_json(&options, k->option);
		if (r >= 0)
			r = sd_json_variant_append_arraybo(&commands,
				SD_JSON_BUILD_PAIR_STRING("name", k->name),
				SD_JSON_BUILD_PAIR_STRING("args", k->args ? k->args : ""),
				SD_JSON_BUILD_PAIR_STRING("brief", k->brief),
				SD_JSON_BUILD_PAIR_VARIANT("options", options));
		options = sd_json_variant_unref(options);
	}
	if (r >= 0)
		r = sd_json_variant_append_arraybo(objects,
			SD_JSON_BUILD_PAIR_STRING("name", o->name),
			SD_JSON_BUILD_PAIR_STRING("brief", o->brief),
			SD_JSON_BUILD_PAIR_VARIANT("commands", commands));
	sd_json_variant_unref(commands);
	return r;
}

int help_json(struct cli *c, const struct cli_object *only)
{
	sd_json_variant *objects = NULL, *options = NULL, *v = NULL;
	int r = 0;

	for (const struct cli_object *o = cli_objects; r >= 0 && o->name; o++)
		if (!only || o == only)
			r = object_json(&objects, o);
	if (r >= 0)
		r = options_json(&options, cli_globals);
	if (r >= 0)
		r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("objects", objects),
				   SD_JSON_BUILD_PAIR_VARIANT("options", options));
	sd_json_variant_unref(objects);
	sd_json_variant_unref(options);
	return cli_json(c, r, &v);
}

int help_run(struct cli *c, int argc, char **argv)
{
	const struct cli_object *o = NULL;
	char text[400];
	int i;

	if (argc) {
		i = word_find(argv[0], object_name, NULL, "object", text, sizeof(text));
		if (i < 0)
			return cli_usage(c, "%s", text);
		o = &cli_objects[i];
	}
	if (c->format != CLI_TEXT)
		return help_json(c, o);
	help_text(o);
	return CLI_OK;
}

int version_run(struct cli *c, int argc, char **argv)
{
	sd_json_variant *v = NULL;

	if (c->format != CLI_TEXT)
		return cli_json(c, sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("version", SONDE_VERSION)), &v);
	printf("sonde " SONDE_VERSION "\n");
	return CLI_OK;
}
