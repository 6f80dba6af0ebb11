/* SPDX-License-Identifier: MIT */
/*
 * find: the sysfs directory of a device by what it is called, never by its number,
 * which changes with the order in which drivers come up; and the short texts in it.
 *
 * A name that several devices have may be followed by where it is wanted: "lm75@1-0049" is the
 * one whose parent device is 1-0049. Without it the first in the order of the devices' places
 * is taken, and the caller is told how many there are.
 *
 * All of this opens files, so it is for workers and for the tool.
 */
#ifndef SONDE_FIND_H
#define SONDE_FIND_H

#include <stdbool.h>
#include <stddef.h>

struct why;

enum find_kind {
	FIND_IIO,		/* name, also without what an @ begins in it, or label */
	FIND_TRIGGER,		/* of IIO: name */
	FIND_HWMON,		/* name or label */
	FIND_THERMAL,		/* type of the zone */
	FIND_W1,		/* id, or "*": the first that knows a temperature */
};

#define FIND_PATH_MAX 320
#define FIND_TEXT_MAX 64
#define FIND_LIST_MAX 128	/* devices, or files, that are looked at */

struct found {
	char dir[FIND_PATH_MAX];	/* its directory, below the root */
	char node[FIND_TEXT_MAX];	/* its name for the kernel: "iio:device0", "hwmon3" */
	char name[FIND_TEXT_MAX];	/* what it is called: its name, type or id */
	char place[FIND_TEXT_MAX];	/* its parent device, "1-0048"; "" when unknown */
	unsigned same;			/* how many are called so, itself included */
};

/* "", or SONDE_ROOT of the environment: a made tree that holds /sys and /dev. */
const char *find_root(void);

/* -ENODEV: none is called so; why names what is there, the nearest first. */
int find_device(enum find_kind kind, const char *root, const char *wanted, struct found *out,
		struct why *why);

/* The one of this kind with the same parent device as the one whose found.dir this is. -ENODEV. */
int find_beside(enum find_kind kind, const char *root, const char *dir, struct found *out);

/*
 * n names, stride bytes from each to the next, as "a, b, c": each once, the nearest to wanted
 * first, ties in the order given, at most FIND_LIST_MAX of them and size - 1 characters.
 * "none" when there are none.
 */
void find_nearest(char *text, size_t size, const char *wanted, const char *names, unsigned n,
		  size_t stride);

/*
 * Names of the files of dir that begin with prefix and end with suffix, as find_nearest
 * gives them. bare: without the prefix and the suffix.
 */
void find_files(const char *dir, const char *prefix, const char *suffix, bool bare,
		const char *wanted, char *text, size_t size);

/*
 * The first line of dir/name without white space around it. Its length, or -errno; -EFBIG:
 * longer than size - 1.
 */
int find_read(const char *dir, const char *name, char *text, size_t size);

/* Replace the content of dir/name. 0 or -errno. */
int find_write(const char *dir, const char *name, const char *text);

/* Is dir/name there? */
bool find_has(const char *dir, const char *name);

/* May this word be a file's name in a directory of attributes? Not "", "..", "a/b". */
bool find_word(const char *s);

#endif
