/* SPDX-License-Identifier: MIT */
/* board_impl: the list under construction, shared by board*.c. */
#ifndef SONDE_BOARD_IMPL_H
#define SONDE_BOARD_IMPL_H

#include "agent/config.h"

#define BOARD_CORES_MAX 256

struct board {
	struct sensor_config *sensor;
	unsigned n;
	const char *root;
	unsigned channels, max;		/* so far, and allowed, over all sensors */
};

/* A sysfs sensor without channels yet; path without the root. */
struct sensor_config board_sensor(const char *name, const char *path, unsigned every);

/* All of root/path, to be freed; -errno. */
int board_read(const struct board *b, const char *path, char **text, unsigned *len);

/* Append a channel to s, its name made unique; nothing when there is no room for it. -ENOMEM. */
int board_channel(struct board *b, struct sensor_config *s, const struct channel_config *c);

/*
 * Take s into the list, if it has channels; its channels are freed otherwise, and
 * when err (then returned) says that making it failed.
 */
int board_add(struct board *b, struct sensor_config *s, int err);

/* board_sys.c: what /sys/class holds. -ENOMEM. */
int board_frequencies(struct board *b);
int board_thermal(struct board *b);
int board_hwmon(struct board *b);

#endif
