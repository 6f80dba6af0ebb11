/* SPDX-License-Identifier: MIT */
/*
 * config: the whole of what a user may say, parsed and checked. INI through
 * inih: /etc/sonde/sonde.conf, then conf.d/ *.conf in name order. One pass
 * fills this model; nothing else in the agent reads configuration text.
 */
#ifndef SONDE_CONFIG_H
#define SONDE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/decode.h"
#include "agent/frame.h"

struct why;

#define CONFIG_PIPELINES_MAX 8
#define CONFIG_NAME_MAX 32	/* with the NUL */
#define CONFIG_UNIT_MAX 12
#define CONFIG_PATH_MAX 256

struct config_place {		/* for messages: file:line */
	const char *file;
	int line;
};

struct channel_config {
	char name[CONFIG_NAME_MAX];	/* SENSOR.CHANNEL, or SENSOR when it has only one */
	char unit[CONFIG_UNIT_MAX];
	struct text_field text;		/* sysfs */
	struct scan_element scan;	/* stream */
	double scale, offset;		/* value = (raw + offset) * scale, as IIO has it */
	bool counter;			/* a rate per second is made of it */
	unsigned window;		/* counter: over so many reads; 0: over one */
	double wrap;			/* 2^32 for a 32-bit counter; 0: none */
	struct config_place at;
};

struct sensor_config {
	char name[CONFIG_NAME_MAX];
	char kind[CONFIG_NAME_MAX];	/* "sysfs", "stream" */
	char path[CONFIG_PATH_MAX];
	bool single;			/* sysfs: one short value; read its exact length */
	uint64_t every;			/* sysfs: read on each every-th tick */
	struct channel_config *channel;
	unsigned channels, scan_bytes;
	struct config_place at;
};

struct pipeline_config {
	char name[CONFIG_NAME_MAX];
	double rate_hz;
	int core;			/* CORE_* or a number */
	int priority;			/* SCHED_FIFO, 1..49; 0: SCHED_OTHER */
	double false_alarms_per_day;
	unsigned alarm_k, alarm_n;	/* k of the last n ticks over the limit */
	double clear_s;			/* under the limit for so long: the alarm ends */
	double pre_s, post_s;		/* the window stored around an event */
	double stale_s;			/* a value older than this is not believed */
	char model[CONFIG_PATH_MAX];	/* "" : none yet */
	struct sensor_config *sensor;
	unsigned sensors, channels;	/* channels: over all sensors, in order */
	struct config_place at;
};
enum { CORE_NONE = -1, CORE_LAST = -2 };

struct config {
	char run_dir[CONFIG_PATH_MAX];	/* /run/sonde: socket, stats */
	char state_dir[CONFIG_PATH_MAX];/* /var/lib/sonde: events, captures, models */
	char ring[16];			/* auto, io_uring, epoll */
	char profiler[16];		/* auto, off */
	struct pipeline_config *pipeline;
	unsigned pipelines;
};

/*
 * Read path and, when its name is sonde.conf, the conf.d/ *.conf beside it. Every
 * mistake found is handed to report() as "file:line: message" (all of them,
 * not only the first); the result is then -EINVAL and *out NULL. missing
 * devices are reported as warnings unless strict. Result: config_free.
 */
typedef void config_report(void *user, bool error, const char *text);
int config_load(struct config **out, const char *path, bool strict,
		config_report *report, void *user);
void config_free(struct config *c);

/* Channel i of a pipeline, counted over all its sensors. */
const struct channel_config *config_channel(const struct pipeline_config *p,
					    unsigned i);

/* A pipeline of which nothing was said, and one key of it as a [pipeline] section has it. */
void config_pipeline_init(struct pipeline_config *p);
int config_pipeline_set(struct pipeline_config *p, const char *key, const char *value,
			struct why *why);

#define CONFIG_DEFAULT_PATH "/etc/sonde/sonde.conf"

#endif
