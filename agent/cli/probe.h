/* SPDX-License-Identifier: MIT */
/*
 * probe: what `sonde sensor probe` collects. Each way to reach sensors has a file that looks
 * and adds findings; probe.c prints them, as configuration or as JSON. Everything is looked
 * up below a root, "" but in tests (SONDE_ROOT), and nothing found there is believed to be text.
 */
#ifndef SONDE_CLI_PROBE_H
#define SONDE_CLI_PROBE_H

#include <limits.h>
#include <stdio.h>

#include "agent/cli/cli.h"
#include "agent/config.h"
#include "agent/part.h"

enum probe_group {
	PROBE_I2C, PROBE_IIO, PROBE_HWMON, PROBE_THERMAL, PROBE_W1, PROBE_GPIO, PROBE_SPI,
	PROBE_SERIAL, PROBE_GROUPS
};

struct finding {
	enum probe_group group;
	bool ready;		/* the configuration needs no choice of the user's */
	bool remark;		/* nothing that could be read: why something was not looked at */
	char *what;		/* a sentence */
	char *config;		/* lines; NULL: none */
	sd_json_variant *json;	/* an object with the rest, or NULL */
};

struct probe {
	struct cli *c;
	const char *root;
	const char *bus;		/* the only I2C bus to be scanned, or NULL */
	struct part *part;		/* the library */
	unsigned parts;
	struct finding *found;
	unsigned n;
	char (*name)[CONFIG_NAME_MAX];	/* section names that were given away */
	unsigned names;
	int err;			/* -ENOMEM: the answer would not be whole */
};

/* One file each; they add what they find, and remarks where they could not look. */
void probe_i2c(struct probe *p);
bool probe_i2c_bus(const struct probe *p, const char *name);	/* is there such a bus? */
void probe_iio(struct probe *p);
void probe_hwmon(struct probe *p);
void probe_thermal(struct probe *p);
void probe_w1(struct probe *p);
void probe_gpio(struct probe *p);
void probe_spi(struct probe *p);
void probe_serial(struct probe *p);

/* --- probe.c: findings ----------------------------------------------------- */

/* Takes json over (r: the result of building it) and copies config (may be NULL). */
struct finding *probe_add(struct probe *p, enum probe_group group, int r, sd_json_variant *json,
			  const char *config, const char *what, ...)
	__attribute__((format(printf, 6, 7)));
void probe_remark(struct probe *p, enum probe_group group, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A name for a section: base in legal characters, or base_2 when it was given away; cut so that
 * a channel's name of so many characters fits behind it and a dot. 0: it has only one.
 */
const char *probe_name(struct probe *p, char name[static CONFIG_NAME_MAX], const char *base,
		       size_t channel);

/* The longest name of a channel of this part of the library; 0: none, or no such part. */
size_t probe_longest(const struct probe *p, const char *part);

/* --- probe_look.c: reading below the root ----------------------------------- */

/* Root and path; NULL when that is too long. */
const char *probe_path(const struct probe *p, char path[static PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first line of a file as printable UTF-8, "" and false when there is none. */
bool probe_read(const struct probe *p, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Is it there? */
bool probe_has(const struct probe *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The last part of what a link points to: a driver's name. */
bool probe_link(const struct probe *p, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Names in dir that begin with prefix and end with suffix, numbers in their order; only printable
 * ones. 0 when there is no such directory. probe_list_free.
 */
unsigned probe_list(struct probe *p, char ***names, const char *dir, const char *prefix,
		    const char *suffix);
void probe_list_free(char **names, unsigned n);

#endif
