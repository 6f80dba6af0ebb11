/* SPDX-License-Identifier: MIT */
/* dev_iio_made: a magnetometer as an IIO driver shows it, a FIFO in the place of its buffer. */
#ifndef SONDE_TEST_DEV_IIO_MADE_H
#define SONDE_TEST_DEV_IIO_MADE_H

#include "test/unit/dev_fixture.h"
#include "test/unit/dev_iio_tree.h"

#define IIO "/sys/bus/iio/devices"
#define MAGN IIO "/iio:device0"
#define TRIGGER IIO "/trigger5"
#define HRTIMERS "/sys/kernel/config/iio/triggers/hrtimer"
#define SLOT(g, i) (&(g)->frame.slot[2 + (i)])

static inline void made_element(const char *channel, const char *index, const char *type)
{
	char name[64];

	snprintf(name, sizeof name, "scan_elements/in_%s_en", channel);
	tree_attr(MAGN, name, "0");
	snprintf(name, sizeof name, "scan_elements/in_%s_index", channel);
	tree_attr(MAGN, name, index);
	snprintf(name, sizeof name, "scan_elements/in_%s_type", channel);
	tree_attr(MAGN, name, type);
}

static inline void made_fifo(const char *path)
{
	tree_above(path);
	unlink(tree_path(path));
	CHECK_EQ(mkfifo(tree_path(path), 0600), 0);
}

/* Raw x, y, z of 16 bits and a temperature of 12 in the upper part of its 16. */
static inline void made_magn(void)
{
	tree_drop("/sys");
	tree_drop("/dev");
	tree_device(IIO, "iio:device0", "soc/i2c-1/1-001e", "name", "lsm303dlhc_magn");
	made_element("magn_x", "0", "be:s16/16>>0");
	made_element("magn_y", "1", "be:s16/16>>0");
	made_element("magn_z", "2", "be:s16/16>>0");
	made_element("temp", "3", "le:s12/16>>4");
	made_element("timestamp", "4", "le:s64/64>>0");
	tree_attr(MAGN, "in_magn_x_raw", "100");
	tree_attr(MAGN, "in_magn_y_raw", "-200");
	tree_attr(MAGN, "in_magn_z_raw", "300");
	tree_attr(MAGN, "in_temp_raw", "40");
	tree_attr(MAGN, "in_magn_scale", "0.25");
	tree_attr(MAGN, "in_magn_z_scale", "0.5");
	tree_attr(MAGN, "in_temp_scale", "125");
	tree_attr(MAGN, "in_temp_offset", "160");
	tree_attr(MAGN, "buffer/enable", "0");
	tree_attr(MAGN, "buffer/length", "2");
	tree_attr(MAGN, "buffer/watermark", "1");
	tree_attr(MAGN, "current_timestamp_clock", "realtime");
	tree_attr(MAGN, "trigger/current_trigger", "");
	tree_attr(MAGN, "sampling_frequency", "15.000");
	tree_attr(MAGN, "sampling_frequency_available", "0.750 15.000 75.000 220.000");
	/* What the kernel makes appear when the directory is made in configfs. */
	tree_device(IIO, "trigger5", "", "name", "sonde-mag");
	tree_attr(TRIGGER, "sampling_frequency", "100");
	tree_dir(HRTIMERS);
	made_fifo("/dev/iio:device0");
}

static inline struct channel_config made_channel(const char *attribute)
{
	struct channel_config c = { .scale = 1, .part_channel = -1 };

	snprintf(c.name, sizeof c.name, "mag.%s", attribute);
	snprintf(c.attribute, sizeof c.attribute, "%s", attribute);
	return c;
}

static inline struct sensor_config made_sensor(struct channel_config *c, unsigned n, double rate_hz,
					       const char *mode)
{
	struct sensor_config s = {
		.name = "mag", .kind = "iio", .device = "lsm303dlhc_magn", .every = 1,
		.channel = c, .channels = n, .rate_hz = rate_hz,
	};

	snprintf(s.mode, sizeof s.mode, "%s", mode);
	return s;
}

#endif
