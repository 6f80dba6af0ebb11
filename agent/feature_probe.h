/* SPDX-License-Identifier: MIT */
/*
 * feature_probe: the probes behind agent/feature.h, split by what they look at: the kernel
 * (feature.c) and the board (feature_board.c). For these two files only.
 */
#ifndef SONDE_FEATURE_PROBE_H
#define SONDE_FEATURE_PROBE_H

#include "agent/feature.h"

void feature_yes(struct feature *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void feature_no(struct feature *f, const char *enable, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first line of a file without its newline; -errno of open or read. */
int feature_line(const char *path, char *line, unsigned size);

void feature_sched_fifo(struct feature *f);
void feature_mlock(struct feature *f);
void feature_affinity(struct feature *f);
void feature_isolated(struct feature *f);
void feature_psi(struct feature *f);
void feature_schedstat(struct feature *f);
void feature_thermal(struct feature *f);
void feature_hwmon(struct feature *f);
void feature_i2c(struct feature *f);
void feature_spi(struct feature *f);
void feature_gpio(struct feature *f);
void feature_iio(struct feature *f);
void feature_cpufreq(struct feature *f);

#endif
