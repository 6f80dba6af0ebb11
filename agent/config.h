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
#include "agent/window.h"

struct part;
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
	char attribute[CONFIG_NAME_MAX];/* iio: "magn_x"; hwmon and the like: "temp1_input" */
	unsigned field;			/* serial lines: number of the field, from 0 */
	unsigned element;		/* stream: of the scan; features of one thing share it */
	int part_channel;		/* index into part->channel; -1: none */
	bool scaled, shifted;		/* scale, offset were given: each stands for the part's or driver's */
	struct feature_config feature;
	struct channel_check check;
	struct config_place at;
};

enum gpio_mode { GPIO_LEVEL, GPIO_COUNTER, GPIO_TRIGGER };
enum gpio_edge { GPIO_RISING, GPIO_FALLING, GPIO_BOTH };
enum gpio_bias { GPIO_AS_IS, GPIO_PULL_UP, GPIO_PULL_DOWN, GPIO_DISABLED };

struct gpio_config {
	char chip[CONFIG_NAME_MAX];	/* name or label; "": any, the line is found by its name */
	char line[CONFIG_NAME_MAX];	/* name; with a chip also the offset */
	uint8_t mode, edge, bias;
	bool active_low;
	double debounce_s;
};

struct sensor_config {
	char name[CONFIG_NAME_MAX];
	char kind[CONFIG_NAME_MAX];	/* a dev_ops.kind, or "thermal", "w1" */
	char path[CONFIG_PATH_MAX];	/* sysfs, stream, serial */
	bool single;			/* sysfs: one short value; read its exact length */
	uint64_t every;			/* read on each every-th tick */
	double interval_s;		/* what comes by itself comes at least so often; 0: each tick */
	double deadline_s;		/* a reading that takes longer has failed; 0: the kind's own */
	char trigger[CONFIG_NAME_MAX];	/* the sensor whose edges start its reads; "": the tick */
	struct part *part;		/* i2c, spi, serial frames: owned; NULL: none */
	char bus[CONFIG_NAME_MAX];	/* "i2c-1", "spi0.0" */
	unsigned address;		/* i2c, 7 bits */
	char device[64];		/* iio, hwmon, thermal, w1: name, label, type or id */
	char mode[8];			/* iio: "auto", "buffer", "poll" */
	double rate_hz;			/* iio: of the hrtimer trigger; 0: as the driver has it */
	char trigger_name[CONFIG_NAME_MAX];	/* iio: attach this one, make none */
	unsigned spi_hz;		/* 0: the part's */
	struct gpio_config gpio;
	unsigned baud;			/* 0: the part's, or as the tty is */
	char start[16];			/* serial lines that begin so; "": all */
	bool nmea;			/* with an NMEA checksum */
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
	bool follow;			/* the limit follows drift to keep to that */
	double freeze_s;		/* but not during an alarm, for so long */
	double rebaseline_s;		/* what is normal follows over so long; 0: not */
	unsigned alarm_k, alarm_n;	/* k of the last n ticks over the limit */
	double clear_s;			/* under the limit for so long: the alarm ends */
	double pre_s, post_s;		/* the window stored around an event */
	double stale_s;			/* a value older than this is not believed */
	char model[CONFIG_PATH_MAX];	/* "" : none yet */
	char shadow[CONFIG_PATH_MAX];	/* a second model, only watched; "": none */
	struct sensor_config *sensor;
	unsigned sensors, channels;	/* channels: over all sensors, in order */
	struct config_place at;
};
enum { CORE_NONE = -1, CORE_LAST = -2 };

/* A line that is driven while the pipeline's alarm is on: relay, LED, buzzer. */
struct output_config {
	char name[CONFIG_NAME_MAX];
	unsigned pipeline;		/* index into config.pipeline */
	struct gpio_config gpio;
	double minimum_s;		/* on for at least so long */
	struct config_place at;
};

struct config {
	char sensors_dir[CONFIG_PATH_MAX];	/* /usr/share/sonde/sensors: the parts */
	char run_dir[CONFIG_PATH_MAX];	/* /run/sonde: socket, stats */
	char state_dir[CONFIG_PATH_MAX];/* /var/lib/sonde: events, captures, models */
	char ring[16];			/* auto, io_uring, epoll */
	char profiler[16];		/* auto, off */
	char trusted_keys[CONFIG_PATH_MAX];	/* a folder; "" and the next as well: models need */
	char trusted_key[CONFIG_PATH_MAX];	/* a file; no signature */
	struct pipeline_config *pipeline;
	unsigned pipelines;
	struct output_config *output;
	unsigned outputs;
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

#define CONFIG_SENSORS_DIR "/usr/share/sonde/sensors"	/* or SONDE_SENSORS_DIR of the environment */
#define CONFIG_DEFAULT_PATH "/etc/sonde/sonde.conf"

#endif
