/* SPDX-License-Identifier: MIT */
/*
 * config_raw: between the text of a configuration and struct config, for
 * config_*.c (part_*.c speaks of values in the same words). Sections are kept as they were written until all files are
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
	RULE_ADDRESS,	/* unsigned, decimal or 0x.. */
	RULE_RANGE,	/* float[2], "MIN..MAX" */
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
 * those that `others` (may be NULL) takes: it returns -ENOENT for what it does not know.
 */
typedef int rules_other(void *user, struct raw_key *k, struct why *why);
void rules_apply(struct raw *raw, struct raw_section *s, const struct rule *rules,
		 unsigned n, void *target, rules_other *others, void *user);

/* A name for a section or, with dots allowed, a channel. */
int name_check(const char *name, bool dots, struct why *why);

/* The word of list (ends with NULL) that was probably meant, or NULL. */
const char *nearest(const char *word, const char *const *list);

/* The keys of a [sensor NAME]; what they say of a channel is where each of its channels begins. */
struct sensor_keys {
	char pipeline[CONFIG_NAME_MAX], kind[CONFIG_NAME_MAX];
	char part[CONFIG_NAME_MAX], path[CONFIG_PATH_MAX];
	char bus[CONFIG_NAME_MAX], device[64], trigger[CONFIG_NAME_MAX];
	char field[128], every[32];
	char mode[16], trigger_name[CONFIG_NAME_MAX];
	char chip[CONFIG_NAME_MAX], line[CONFIG_NAME_MAX], edge[16], bias[16], active[8];
	char start[64], checksum[16], length[16];
	char features[96], crc[16];
	unsigned address, baud, spi_hz;
	int samples;
	double deadline_s, interval_s, rate_hz, debounce_s, rate_of_change, stuck_s;
	struct channel_config channel;
};

/* config_kind.c: what each kind takes and needs, and how its WHAT is read. */
extern const struct rule sensor_rules[];
extern const unsigned sensor_rules_count;
extern const struct rule *const channel_rules;	/* those at its end that a channel may override */
extern const unsigned channel_rules_count;
const char *kind_words(void);		/* "board, sysfs, stream, ... or serial" */
/* Reports keys that the kind does not take and those that it misses. False: some were. */
bool kind_check(struct raw *raw, const struct raw_section *section, const struct sensor_config *s);
/* WHAT of a channel, for its kind; name without the sensor's. crc: of a part in the section. */
int kind_what(struct sensor_config *s, struct channel_config *c, const char *name,
	      const char *what, const struct sensor_keys *keys, struct why *why);
/* Keys that are no rule's: those of a part written into the section. */
bool kind_has_part(const char *kind);

/* config_channel.c: a channel.NAME line, and the channels of a sensor that has none. -ENOMEM. */
#define CHANNEL_PREFIX "channel."
int channel_line(struct raw *raw, struct sensor_config *s, const struct sensor_keys *keys,
		 const struct raw_key *k);
int channel_only(struct raw *raw, struct sensor_config *s, const struct sensor_keys *keys,
		 const struct config_place *field_at);

/* config_sensor.c: a [sensor NAME] into its pipeline. -ENOMEM. */
int sensor_build(struct raw *raw, struct config *c, struct raw_section *s);
/* The board's own sensors, after all others are in. */
int sensor_build_board(struct raw *raw, struct config *c, struct raw_section *s);
/* config_check.c: keys that this sensor can not heed, and others' wires that it would take. */
void sensor_check(struct raw *raw, const struct raw_section *section, const struct sensor_config *s,
		  const struct config *c, double tick_hz);
/* Every trigger names a sensor of its pipeline that gives edges. */
void sensor_check_triggers(struct raw *raw, const struct pipeline_config *p);
void sensor_free(struct sensor_config *s);

const struct raw_key *key_find(const struct raw_section *s, const char *name);
const struct config_place *key_place(const struct raw_section *s, const char *name);
/* The pipeline of this name, or with NULL the only one; reports why there is none. */
struct pipeline_config *pipeline_find(struct raw *raw, struct config *c, struct raw_section *s,
				      const char *name);

/* config_wiring.c: bus and address, GPIO line, tty. s->kind and s->part are known. */
void wiring_bus(struct raw *raw, struct raw_section *section, struct sensor_config *s,
		const struct sensor_keys *keys);
void wiring_gpio(struct raw *raw, struct raw_section *section, struct sensor_config *s,
		 const struct sensor_keys *keys);
void wiring_serial(struct raw *raw, struct raw_section *section, struct sensor_config *s,
		   const struct sensor_keys *keys);

/* config_output.c: an [output NAME]. -ENOMEM. */
int output_build(struct raw *raw, struct config *c, struct raw_section *s);

#endif
