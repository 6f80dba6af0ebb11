/* SPDX-License-Identifier: MIT */
/*
 * cli: the tool's contract with itself. One table (table.c) names every object,
 * command, argument and option; dispatch, checking and help are read out of it, so
 * that a word which works is a word which is documented. A command receives only
 * what the table lets through, and returns the exit code.
 */
#ifndef SONDE_CLI_H
#define SONDE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-json.h>

#define CLI_OPTIONS_MAX 12
#define CLI_WORDS_MAX 4

/* Exit codes, as bpftool's but for the third, which is getopt's custom. */
enum { CLI_OK, CLI_FAILED, CLI_USAGE };

enum cli_format { CLI_TEXT, CLI_JSON, CLI_PRETTY };

struct cli;
typedef int cli_run(struct cli *c, int argc, char **argv);

/* "--name" takes effect anywhere after the command; "name" is a keyword: `pipeline NAME`. */
struct cli_option {
	const char *name;
	const char *arg;	/* NULL: a flag */
	const char *brief;
	char letter;		/* -n for --seconds; 0: none */
};

struct cli_command {
	const char *name;
	const char *args;	/* positional ones, as help prints them */
	const char *brief;
	cli_run *run;
	unsigned min, max;	/* positional words allowed */
	const struct cli_option *option;	/* ends with name NULL; may be NULL */
	bool raw;		/* everything after it goes to run() unread */
};

struct cli_object {
	const char *name;
	const char *brief;
	/* Ends with name NULL. The first is the default; a sole one named "" is the object. */
	const struct cli_command *command;
	const char *notes;	/* at the end of its help; may be NULL */
};

extern const struct cli_object cli_objects[];	/* ends with name NULL */
extern const struct cli_option cli_globals[];

struct cli {
	enum cli_format format;
	const char *run_dir;		/* never NULL */
	const char *state_dir;		/* NULL: ask the daemon, else the default */
	const struct cli_object *object;
	const struct cli_command *command;
	const char *value[CLI_OPTIONS_MAX];	/* of command->option[i]; "" for a flag */
};

#define CLI_RUN_DIR "/run/sonde"
#define CLI_STATE_DIR "/var/lib/sonde"

/* What was given for an option or keyword of this command, or NULL. */
const char *cli_value(const struct cli *c, const char *name);

/* --- words.c: abbreviations and mistakes --------------------------------- */

/* The i-th word to choose from; NULL after the last. */
typedef const char *word_at(const void *from, unsigned i);

/*
 * The one that s names: the same word, or the only one which begins with s.
 * -1 unknown, -2 ambiguous; text then says so and names the candidates.
 */
int word_find(const char *s, word_at *at, const void *from, const char *what,
	      char *text, size_t size);

/* A decimal number that is all of s. */
bool word_number(const char *s, double *number);

/* --- out.c: everything that is printed ------------------------------------ */

/* Say why: "Error: ..." on stderr, or {"error": ...} on stdout under -j. */
int cli_error(struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with exit code 2 and where to read on. */
int cli_usage(struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For text mode only: a remark on stderr. */
void cli_note(struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Print *v as JSON, a newline after it, and drop it. r: the result of building it;
 * negative is reported as an error. Returns the exit code. A pointer, so that
 * building may stand in the same call.
 */
int cli_json(struct cli *c, int r, sd_json_variant **v);

/* The shortest decimal that reads back as the same float, as a double. */
double cli_float(float f);

/* Make s valid UTF-8 in place: JSON strings must be. Returns s. */
char *cli_utf8(char *s);

/* "812 ns", "84.1 us", "1.20 s"; buf is returned. */
const char *cli_duration(char buf[static 16], double ns);
/* RFC 3339 local time with milliseconds. */
const char *cli_time(char buf[static 40], int64_t realtime_ns);
/* A value with about 5 significant digits, never longer than 9 characters. */
const char *cli_number(char buf[static 16], double v);

/* May block characters be drawn? (the locale says UTF-8) */
bool cli_unicode(void);

/* --- tool.c ---------------------------------------------------------------- */

/*
 * Run sonde-model with these words in place of this process; under -j beside it, its
 * output becoming one JSON value. Returns only what went wrong, or the exit code.
 */
int tool_run(struct cli *c, char **argv);

/* --- the objects ------------------------------------------------------------ */
cli_run sensor_show, sensor_probe, pipeline_show, model_show, model_load_command, model_tool;
cli_run model_promote, model_rollback, model_shadow, model_compare;
cli_run score_show, event_list, event_follow, event_window, record_start, record_stop;
cli_run latency_show, stat_show, feature_show, conf_check, conf_show, conf_reload;
cli_run top_run, replay_run, help_run, version_run;

/* Text help for one object or, with NULL, for all; and the same as JSON. */
void help_text(const struct cli_object *o);
int help_json(struct cli *c, const struct cli_object *o);

#endif
