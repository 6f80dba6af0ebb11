/* SPDX-License-Identifier: MIT */
/*
 * config_raw: between the text of a configuration and struct config, for
 * config_*.c alone. Sections are kept as they were written until all files are
 * read, so that a sensor may stand before its pipeline and in another file.
 */
#ifndef SONDE_CONFIG_RAW_H
#define SONDE_CONFIG_RAW_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/config.h"

#define RAW_TEXT_MAX 1024	/* a line, with the NUL */

struct raw_key {
	char *name, *value;
	struct config_place at;
	bool used;
};

struct raw_section {
	char *kind, *name;	/* [KIND NAME]; name "" when there is none */
	struct raw_key *key;
	unsigned keys;
	struct config_place at;
};

struct raw {
	struct raw_section *section;
	unsigned sections;
	char **file;		/* names; struct config_place points at them */
	unsigned files;
	config_report *report;
	void *user;
	bool strict;
	unsigned errors;
};

/* config_read.c. Mistakes are reported and counted; -ENOMEM, or -errno of the file. */
int raw_read(struct raw *raw, const char *path);
void raw_free(struct raw *raw);		/* not the file names */

/* "file:line: message" to the report. raw_missing: an error only when strict. */
void raw_error(struct raw *raw, const struct config_place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void raw_missing(struct raw *raw, const struct config_place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* config_value.c: one key of a section, where it goes, and what may be said. */
enum rule_type {
	RULE_TEXT,	/* char[size] */
	RULE_PATH,	/* char[size], absolute */
	RULE_CHOICE,	/* char[size]; choices: "a, b or c" */
	RULE_NUMBER,	/* double */
	RULE_COUNT,	/* int */
	RULE_FLAG,	/* bool */
	RULE_HERTZ,	/* double */
	RULE_SECONDS,	/* double */
	RULE_PER_DAY,	/* double */
	RULE_CORE,	/* int */
	RULE_K_OF_N,	/* unsigned[2] */
	RULE_WRAP,	/* double */
};

struct rule {
	const char *key;
	enum rule_type type;
	size_t offset, size;
	double min, max;
	const char *choices;
};

/* The reason in why does not repeat the key and the value: the caller does. */
int rule_apply(const struct rule *r, void *target, const char *value, struct why *why);

/*
 * Every key of s that has a rule goes into target; the others are mistakes, but for
 * those beginning with `but` (may be NULL), which are left to the caller.
 */
void rules_apply(struct raw *raw, struct raw_section *s, const struct rule *rules,
		 unsigned n, void *target, const char *but);

/* A name for a section or, with dots allowed, a channel. */
int name_check(const char *name, bool dots, struct why *why);

/* The word of list (ends with NULL) that was probably meant, or NULL. */
const char *nearest(const char *word, const char *const *list);

/* The keys of a [sensor NAME]; what they say of a channel is where each of its channels begins. */
struct sensor_keys {
	char pipeline[CONFIG_NAME_MAX], kind[CONFIG_NAME_MAX];
	char path[CONFIG_PATH_MAX];
	char field[128], every[32];
	struct channel_config channel;
};

/* config_channel.c: all keys of a sensor but its channel.* lines. */
#define CHANNEL_PREFIX "channel."
extern const struct rule sensor_rules[];
extern const unsigned sensor_rules_count;
/* A channel.NAME line, and the only channel of a sensor that has none. -ENOMEM. */
int channel_line(struct raw *raw, struct sensor_config *s, const struct sensor_keys *keys,
		 const struct raw_key *k);
int channel_only(struct raw *raw, struct sensor_config *s, const struct sensor_keys *keys,
		 const struct config_place *field_at);

/* config_sensor.c: a [sensor NAME] into its pipeline. -ENOMEM. */
int sensor_build(struct raw *raw, struct config *c, struct raw_section *s);
/* The board's own sensors, after all others are in. */
int sensor_build_board(struct raw *raw, struct config *c, struct raw_section *s);

#endif
