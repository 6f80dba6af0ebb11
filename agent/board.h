/* SPDX-License-Identifier: MIT */
/*
 * board: the sensors that every Linux machine has, found at start: time and
 * frequency of each core, load, pressure, memory, interrupts and context switches, disk and
 * network counters, thermal zones and hwmon inputs. `kind = board` in a
 * configuration expands to these.
 */
#ifndef SONDE_BOARD_H
#define SONDE_BOARD_H

struct sensor_config;
struct why;

/*
 * Append to sensor[*n] (reallocated) one sysfs sensor a file that exists and can be
 * read. root: "" or a directory that stands for / (tests). Stops at max_channels in all.
 * `every` and the counters' windows are written for BOARD_RATE_HZ.
 */
int board_find(struct sensor_config **sensor, unsigned *n, const char *root,
	       unsigned max_channels, struct why *why);

#define BOARD_RATE_HZ 50.0

/* Rewrite both for another tick rate: a file is read, and a rate taken, over the same time. */
void board_at_rate(struct sensor_config *sensor, double rate_hz);

#endif
