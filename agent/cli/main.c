// SPDX-License-Identifier: MIT
/*
 * main: the command line against the table, then the command. bpftool's grammar:
 * options, an object, a command, its words. Options may stand anywhere, because people
 * put them there; a keyword and its value come after the words that are required.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"

struct parse {
	struct cli *c;
	char **next;		/* what is still to be read */
	bool help, version, plain;	/* plain: "--" was seen */
	char text[400];
};

/* Long names that may be given now: the tool's own, then the command's. */
static const struct cli_option *long_option(const struct cli_command *command, unsigned i)
{
	const struct cli_option *o;

	for (o = cli_globals; o->name; o++)
		if (!i--)
			return o;
	for (o = command ? command->option : NULL; o && o->name; o++)
		if (o->name[0] == '-' && !i--)
			return o;
	return NULL;
}

static const char *long_name(const void *from, unsigned i)
{
	const struct cli_option *o = long_option(from, i);

	return o ? o->name : NULL;
}

static const char *object_name(const void *from, unsigned i)
{
	return cli_objects[i].name;
}

static const char *command_name(const void *from, unsigned i)
{
	const struct cli_object *o = from;
	unsigned n = 0;

	while (o->command[n].name)
		n++;
	return i < n ? o->command[i].name : i == n ? "help" : NULL;
}

static const char *keyword_name(const void *from, unsigned i)
{
	const struct cli_command *command = from;

	for (const struct cli_option *o = command->option; o && o->name; o++)
		if (o->name[0] != '-' && !i--)
			return o->name;
	return NULL;
}

const char *cli_value(const struct cli *c, const char *name)
{
	const struct cli_option *o = c->command->option;

	for (unsigned i = 0; o && o[i].name; i++)
		if (!strcmp(o[i].name, name))
			return c->value[i];
	return NULL;
}

static void set(struct parse *p, const struct cli_option *o, const char *value)
{
	struct cli *c = p->c;

	if (!strcmp(o->name, "--json"))
		c->format = c->format == CLI_PRETTY ? CLI_PRETTY : CLI_JSON;
	else if (!strcmp(o->name, "--pretty"))
		c->format = CLI_PRETTY;
	else if (!strcmp(o->name, "--run-dir"))
		c->run_dir = value;
	else if (!strcmp(o->name, "--state-dir"))
		c->state_dir = value;
	else if (!strcmp(o->name, "--help"))
		p->help = true;
	else if (!strcmp(o->name, "--version"))
		p->version = true;
	else
		c->value[o - c->command->option] = value;
}

static int take(struct parse *p, const struct cli_option *o, const char *attached)
{
	if (!o->arg) {
		if (attached)
			return cli_usage(p->c, "%s takes no value", o->name);
		attached = "";
	} else if (!attached) {
		attached = *p->next;
		if (!attached)
			return cli_usage(p->c, "%s needs a value: %s", o->name, o->arg);
		p->next++;
	}
	set(p, o, attached);
	return 0;
}

static int take_long(struct parse *p, char *word)
{
	char *value = strchr(word, '=');
	int i;

	if (value)
		*value++ = '\0';
	i = word_find(word, long_name, p->c->command, "option", p->text, sizeof(p->text));
	if (i < 0)
		return cli_usage(p->c, "%s", p->text);
	return take(p, long_option(p->c->command, i), value);
}

/* -jp, -n5, -n 5. */
static int take_letters(struct parse *p, const char *letters)
{
	while (*letters) {
		const struct cli_option *o;
		char letter = *letters++;
		int r;

		for (unsigned i = 0; (o = long_option(p->c->command, i)); i++)
			if (o->letter == letter)
				break;
		if (!o)
			return cli_usage(p->c, "unknown option \"-%c\"", letter);
		if (o->arg && *letters)
			return take(p, o, letters);
		r = take(p, o, NULL);
		if (r)
			return r;
	}
	return 0;
}

/* The next word that is no option; *word NULL when there is none. */
static int next_word(struct parse *p, char **word)
{
	int r;

	while ((*word = *p->next)) {
		p->next++;
		if (p->plain || (*word)[0] != '-' || !(*word)[1])
			return 0;
		if (!strcmp(*word, "--")) {
			p->plain = true;
			continue;
		}
		r = (*word)[1] == '-' ? take_long(p, *word) : take_letters(p, *word + 1);
		if (r)
			return r;
	}
	return 0;
}

static int take_keyword(struct parse *p, char *word)
{
	const struct cli_command *command = p->c->command;
	int i = -1;

	if (keyword_name(command, 0))
		i = word_find(word, keyword_name, command, "word", p->text, sizeof(p->text));
	else
		snprintf(p->text, sizeof(p->text), "\"%s\" is one word too many", word);
	if (i < 0)
		return cli_usage(p->c, "%s", p->text);
	for (const struct cli_option *o = command->option;; o++) {
		if (strcmp(o->name, keyword_name(command, i)))
			continue;
		if (!*p->next)
			return cli_usage(p->c, "%s needs a value: %s", o->name, o->arg);
		set(p, o, *p->next++);
		return 0;
	}
}

static bool is_keyword(const struct cli_command *command, const char *word)
{
	const char *name;

	for (unsigned i = 0; (name = keyword_name(command, i)); i++)
		if (!strcmp(name, word))
			return true;
	return false;
}

static int show_help(struct cli *c, const struct cli_object *o)
{
	if (c->format != CLI_TEXT)
		return help_json(c, o);
	help_text(o);
	return CLI_OK;
}

/* The words after the command, then run it. */
static int run_command(struct parse *p)
{
	const struct cli_command *command = p->c->command;
	char *words[CLI_WORDS_MAX + 1] = { NULL }, *word;
	unsigned n = 0;
	int r;

	for (;;) {
		r = next_word(p, &word);
		if (r)
			return r;
		if (!word)
			break;
		if (n == command->max || (n >= command->min && is_keyword(command, word))) {
			r = take_keyword(p, word);
			if (r)
				return r;
			continue;
		}
		words[n++] = word;
	}
	if (p->help)
		return show_help(p->c, p->c->object);
	if (n < command->min)
		return cli_usage(p->c, "what is missing: %s", command->args);
	return command->run(p->c, n, words);
}

static int run_object(struct parse *p)
{
	struct cli *c = p->c;
	const struct cli_object *o = c->object;
	char *word;
	int i, r;

	if (!o->command->name[0]) {
		c->command = o->command;
		if (*p->next && !strcmp(*p->next, "help"))
			return show_help(c, o);
		return run_command(p);
	}
	r = next_word(p, &word);
	if (r)
		return r;
	i = 0;
	if (word)
		i = word_find(word, command_name, o, "command", p->text, sizeof(p->text));
	if (i < 0)
		return cli_usage(c, "%s: %s", o->name, p->text);
	c->command = &o->command[i];
	if (!c->command->name) {	/* help, the word after the last command */
		return show_help(c, o);
	}
	if (c->command->raw) {
		for (i = 0; p->next[i]; i++)
			;
		return c->command->run(c, i, p->next);
	}
	return run_command(p);
}

static int run(struct parse *p)
{
	struct cli *c = p->c;
	char *word;
	int i, r;

	r = next_word(p, &word);
	if (r)
		return r;
	if (p->version)
		return version_run(c, 0, NULL);
	if (!word && p->help)
		return show_help(c, NULL);
	if (!word)
		return c->format == CLI_TEXT ? (help_text(NULL), CLI_USAGE) :
			cli_usage(c, "no object given");
	i = word_find(word, object_name, NULL, "object", p->text, sizeof(p->text));
	if (i < 0)
		return cli_usage(c, "%s", p->text);
	c->object = &cli_objects[i];
	return run_object(p);
}

/* A mistake in an option is JSON already when -j stands after it. */
static enum cli_format format_wanted(char **argv)
{
	enum cli_format format = CLI_TEXT;

	for (; *argv && strcmp(*argv, "--"); argv++) {
		if (!strcmp(*argv, "-p") || !strcmp(*argv, "--pretty"))
			return CLI_PRETTY;
		if (!strcmp(*argv, "-j") || !strcmp(*argv, "--json"))
			format = CLI_JSON;
	}
	return format;
}

int main(int argc, char **argv)
{
	const char *run_dir = getenv("SONDE_RUN_DIR"), *state_dir = getenv("SONDE_STATE_DIR");
	struct cli c = {
		.run_dir = run_dir && *run_dir ? run_dir : CLI_RUN_DIR,
		.state_dir = state_dir && *state_dir ? state_dir : NULL,
	};
	struct parse p = { .c = &c, .next = argv + 1 };
	int r;

	/* Characters are the user's, numbers are everybody's. */
	setlocale(LC_CTYPE, "");
	if (argc)
		c.format = format_wanted(argv + 1);
	r = run(&p);
	if (fflush(stdout) || ferror(stdout)) {
		perror("sonde: standard output");
		return CLI_FAILED;
	}
	return r;
}
