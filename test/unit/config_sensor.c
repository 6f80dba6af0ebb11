// SPDX-License-Identifier: MIT
/* config: the kinds of sensors that hang on wires, parts of the library, features, outputs. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/part.h"
#include "test/unit/config_fixture.h"

/* A library of one part on I2C and one that has a kernel driver. */
static void make_library(const char *dir)
{
	static const char lamp[] = "[part]\ntitle = Lamp meter\nkind = i2c\naddress = 0x23, 0x5c\n"
		"period = 100 ms\ninit.0 = 0x01\nread.0 = 0x10 -> 4\n"
		"channel.light = 0 @ 0 be:u16/16, unit = lx, scale = 0.5, range = 0..60000\n"
		"channel.heat = 0 @ 2 be:s16/16, unit = °C\n";
	static const char baro[] = "[part]\ntitle = Pressure\nkind = iio\ndriver = baro9\n"
		"overlay = dtoverlay=i2c-sensor,baro9\nchannel.level = pressure, unit = kPa\n";
	char path[300];

	CHECK(!mkdir(dir, 0755));
	snprintf(path, sizeof path, "%s/lamp.conf", dir);
	write_file(path, lamp, sizeof lamp - 1);
	snprintf(path, sizeof path, "%s/baro.conf", dir);
	write_file(path, baro, sizeof baro - 1);
	setenv("SONDE_SENSORS_DIR", dir, 1);
}

static void remove_library(const char *dir)
{
	char path[300];

	snprintf(path, sizeof path, "%s/lamp.conf", dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/baro.conf", dir);
	unlink(path);
	CHECK(!rmdir(dir));
}

#define PIPELINE "[pipeline p]\n"

/* Four lines: what a person has to write for a part of the library. */
static void test_part(void)
{
	struct config *c = load(PIPELINE "[sensor desk]\npart = lamp\nbus = 1\naddress = 0x5c\n"
				"[sensor roof]\npart = lamp\nbus = i2c-3\nevery = 1 s\n"
				"channel.lux = light, unit = klx, scale = 0.001, stuck = 1 min\n"
				"[sensor air]\npart = baro\n"
				"[sensor well]\npart = baro\ndevice = other\nchannel.p = pressure\n");
	const struct pipeline_config *p = &c->pipeline[0];
	const struct sensor_config *s = p->sensor;

	CHECK_EQ(p->sensors, 4);
	CHECK_STR(s[0].kind, "i2c");
	CHECK_STR(s[0].bus, "i2c-1");
	CHECK_EQ(s[0].address, 0x5c);
	CHECK_EQ(s[0].every, 5);	/* 100 ms at 50 Hz */
	CHECK(s[0].part);
	CHECK_EQ(s[0].channels, 2);
	CHECK_STR(s[0].channel[0].name, "desk.light");
	CHECK_STR(s[0].channel[0].unit, "lx");
	CHECK_EQ(s[0].channel[0].part_channel, 0);
	CHECK_NEAR(s[0].channel[0].check.max, 60000, 0);
	CHECK_NEAR(s[0].channel[0].scale, 1, 0);	/* the part's own is applied by the part */
	CHECK(!s[0].channel[0].scaled);
	CHECK_STR(s[0].channel[1].unit, "°C");
	CHECK(isinf(s[0].channel[1].check.max));

	CHECK_EQ(s[1].address, 0x23);	/* the part's first */
	CHECK_EQ(s[1].every, 50);
	CHECK_EQ(s[1].channels, 1);
	CHECK_STR(s[1].channel[0].name, "roof.lux");
	CHECK_STR(s[1].channel[0].unit, "klx");
	CHECK(s[1].channel[0].scaled);
	CHECK(isinf(s[1].channel[0].check.max));	/* that was in lx */
	CHECK_EQ(s[1].channel[0].check.stuck_ns, 60000000000ull);

	CHECK_STR(s[2].kind, "iio");
	CHECK_STR(s[2].device, "baro9");
	CHECK_STR(s[2].mode, "auto");
	CHECK(!s[2].part);
	CHECK_STR(s[2].channel[0].attribute, "pressure");
	CHECK_STR(s[2].channel[0].name, "air");
	CHECK_STR(s[2].channel[0].unit, "kPa");
	CHECK_STR(s[3].device, "other");
	CHECK_STR(s[3].channel[0].name, "well.p");
	CHECK_STR(s[3].channel[0].attribute, "pressure");
	config_free(c);
}

static void test_wires(void)
{
	struct config *c = load(PIPELINE
		"[sensor flash]\nkind = spi\nbus = 0.1\nspi_hz = 1000000\ntrigger = edge\nread.0 = 0x9f 0 0 0 -> 3\n"
		"channel.maker = 0 @ 0 be:u8/8\n"
		"[sensor edge]\nkind = gpio\nchip = pinctrl\nline = 5\nmode = trigger\nactive = low\n"
		"[sensor imu]\nkind = iio\ndevice = mpu\nrate = 200 Hz\n"
		"channel.x = accel_x, unit = m/s2, features = rms kurtosis 10-25Hz, samples = 128\n"
		"[sensor gps]\nkind = serial\npath = /dev/null\nbaud = 9600\nstart = $GPGGA\n"
		"checksum = nmea\nchannel.altitude = 9, unit = m, range = -500..9000\n"
		"[sensor dust]\nkind = serial\npath = /dev/null\nstart = 0x42 0x4d\nlength = 32\n"
		"checksum = sum16be\nchannel.pm = 0 @ 4 be:u16/16\n"
		"[sensor core]\nkind = thermal\ndevice = cpu-thermal\n"
		"[sensor bath]\nkind = w1\n"
		"[output lamp]\nline = LAMP\nminimum = 5 s\n");
	const struct sensor_config *s = c->pipeline[0].sensor;

	CHECK_EQ(c->pipeline[0].sensors, 7);
	CHECK_STR(s[0].bus, "spi0.1");
	CHECK_EQ(s[0].spi_hz, 1000000);
	CHECK_EQ(s[0].part->reads, 1);
	CHECK_EQ(s[0].part->read[0].in, 3);
	CHECK_EQ(s[0].channel[0].part_channel, 0);
	CHECK_STR(s[1].gpio.chip, "pinctrl");
	CHECK_STR(s[1].gpio.line, "5");
	CHECK_EQ(s[1].gpio.mode, GPIO_TRIGGER);
	CHECK_EQ(s[1].gpio.edge, GPIO_RISING);
	CHECK(s[1].gpio.active_low);
	CHECK_EQ(s[1].channels, 1);

	CHECK_STR(s[0].trigger, "edge");
	CHECK_NEAR(s[2].rate_hz, 200, 0);
	CHECK_NEAR(s[2].interval_s, 0.005, 1e-12);
	CHECK_EQ(s[2].channels, 3);
	CHECK_STR(s[2].channel[0].name, "imu.x.rms");
	CHECK_EQ(s[2].channel[0].feature.kind, FEATURE_RMS);
	CHECK_STR(s[2].channel[0].unit, "m/s2");
	CHECK_STR(s[2].channel[1].unit, "");
	CHECK_EQ(s[2].channel[2].feature.kind, FEATURE_BAND);
	CHECK_NEAR(s[2].channel[2].feature.lo_hz, 10, 0);
	CHECK_STR(s[2].channel[2].unit, "(m/s2)²");
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(s[2].channel[i].element, 0);
		CHECK_EQ(s[2].channel[i].feature.samples, 128);
		CHECK_STR(s[2].channel[i].attribute, "accel_x");
	}

	CHECK_NEAR(s[3].interval_s, 2, 0);	/* a line a second must not flap at stale = 1 s */
	CHECK_EQ(s[3].baud, 9600);
	CHECK_STR(s[3].start, "$GPGGA");
	CHECK(s[3].nmea && !s[3].part);
	CHECK_EQ(s[3].channel[0].field, 9);
	CHECK_NEAR(s[3].channel[0].check.min, -500, 0);
	CHECK_EQ(s[4].part->length, 32);
	CHECK_EQ(s[4].part->starts, 2);
	CHECK_EQ(s[4].part->sum, PART_SUM_16BE);
	CHECK_STR(s[5].channel[0].attribute, "temp");
	CHECK_STR(s[5].channel[0].unit, "°C");
	CHECK_STR(s[6].device, "*");
	CHECK_STR(s[6].channel[0].attribute, "temperature");
	CHECK_EQ(c->outputs, 1);
	CHECK_STR(c->output[0].gpio.line, "LAMP");
	CHECK_NEAR(c->output[0].minimum_s, 5, 0);
	config_free(c);
}

/* Features share the bytes of their element. */
static void test_stream_features(void)
{
	struct config *c = load(PIPELINE "[sensor m]\nkind = stream\npath = /dev/null\n"
				"channel.x = le:s16/16>>0, features = mean p2p\n"
				"channel.y = le:s16/16>>0\n");
	const struct sensor_config *s = c->pipeline[0].sensor;

	CHECK_EQ(s->channels, 3);
	CHECK_EQ(s->scan_bytes, 4);
	CHECK_EQ(s->channel[0].scan.offset, 0);
	CHECK_EQ(s->channel[1].scan.offset, 0);
	CHECK_EQ(s->channel[2].scan.offset, 2);
	config_free(c);
}

static void test_mistakes(void)
{
	refuse(3, "part = lmap: ...", PIPELINE "[sensor s]\npart = lmap\nbus = 1\n");
	refuse(3, "kind = spi: part lamp is of kind i2c",
	       PIPELINE "[sensor s]\nkind = spi\npart = lamp\nbus = 1\n");
	refuse(2, "[sensor s] does not say its bus: ...", PIPELINE "[sensor s]\npart = lamp\n");
	refuse(4, "bus = one: must read i2c-N, as in i2c-1",
	       PIPELINE "[sensor s]\npart = lamp\nbus = one\n");
	refuse(5, "address = 0x99: not between 0x03 and 0x77",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\naddress = 0x99\n");
	refuse(5, "address = 48h: \"h\" after the number",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\naddress = 48h\n");
	refuse(5, "every = 2: Lamp meter needs 0.1 s for a reading, which is 5 ticks",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\nevery = 2\n");
	refuse(5, "channel.a = lihgt: part lamp has no channel \"lihgt\"; did you mean light?",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\nchannel.a = lihgt\n");
	refuse(4, "baud = 9600: that is for kind = serial, not for i2c",
	       PIPELINE "[sensor s]\npart = lamp\nbaud = 9600\nbus = 1\n");
	refuse(2, "[sensor s] does not say its device: ...",
	       PIPELINE "[sensor s]\nkind = hwmon\nchannel.t = temp1_input\n");
	refuse(2, "[sensor s] names no channels: ...", PIPELINE "[sensor s]\nkind = iio\ndevice = x\n");
	refuse(5, "channel.t = ../../x: \"../../x\" is no attribute: ...",
	       PIPELINE "[sensor s]\nkind = hwmon\ndevice = x\nchannel.t = ../../x\n");
	refuse(5, "mode = fast: must be auto, buffer or poll",
	       PIPELINE "[sensor s]\nkind = iio\ndevice = x\nmode = fast\nchannel.x = accel_x\n");
	refuse(5, "mode = off: must be level, counter or trigger",
	       PIPELINE "[sensor s]\nkind = gpio\nline = A\nmode = off\n");
	refuse(5, "channel.x = 1: a line is one channel: leave out channel.x",
	       PIPELINE "[sensor s]\nkind = gpio\nline = A\nchannel.x = 1\n");
	refuse(2, "[sensor s]: trigger = door: pipeline p has no other sensor of this name",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\ntrigger = door\n");
	refuse(2, "[sensor s]: trigger = door: that one gives no edges: ...",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\ntrigger = door\n"
	       "[sensor door]\nkind = gpio\nline = A\n");
	refuse(5, "range = 5..1: the second number must be the larger one",
	       PIPELINE "[sensor s]\nkind = sysfs\npath = /proc/loadavg\nrange = 5..1\n");
	refuse(5, "range = 5: must read MIN..MAX, as in -40..125",
	       PIPELINE "[sensor s]\nkind = sysfs\npath = /proc/loadavg\nrange = 5\n");
	refuse(5, "channel.a: ...", PIPELINE "[sensor s]\nkind = sysfs\npath = /proc/loadavg\n"
	       "channel.a = 0, features = rsm\n");
	refuse(4, "rad.0 = 1 -> 2: [sensor] has no key of this name",
	       PIPELINE "[sensor s]\nkind = spi\nrad.0 = 1 -> 2\nbus = 0.0\n");
	refuse(2, "[sensor s]: trigger = s: pipeline p has no other sensor of this name",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\ntrigger = s\n");
	refuse(4, "trigger = t: that is for kind = sysfs, ...",
	       PIPELINE "[sensor s]\nkind = serial\ntrigger = t\npath = /dev/null\nchannel.a = 1\n");
	refuse(5, "rate = 5 Hz: a polled device is read at ticks: say every instead",
	       PIPELINE "[sensor s]\nkind = iio\nmode = poll\nrate = 5 Hz\ndevice = x\n"
	       "channel.x = accel_x\n");
	refuse(5, "address = 48: part lamp answers at 0x23, 0x5c",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\naddress = 48\n");
	refuse(5, "[sensor t]: 0x23 on i2c-1 is read by [sensor s] already",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\n[sensor t]\npart = lamp\nbus = i2c-01\n");
	refuse(5, "channel.a: unit = K: it comes in °C; say the scale as well",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\nchannel.a = heat, unit = K\n");
	refuse(5, "channel.a: there is a channel s.a.rms already",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\nchannel.a = heat, features = rms rms\n");
	refuse(5, "s.a.4-6Hz: at 10 readings a second there is nothing above 5 Hz",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\nchannel.a = heat, features = 4-6Hz\n");
	refuse(5, "channel.a: samples = 100: for a band it is a power of two",
	       PIPELINE "[sensor s]\npart = lamp\nbus = 1\n"
	       "channel.a = heat, features = 1-2Hz, samples = 100\n");
	refuse(5, "channel.t = temp1 input: \"temp1 input\" is no attribute: ...",
	       PIPELINE "[sensor s]\nkind = hwmon\ndevice = x\nchannel.t = temp1 input\n");
	refuse(5, "edge = rising: mode = level follows both edges",
	       PIPELINE "[sensor s]\nkind = gpio\nline = A\nedge = rising\n");
	refuse(2, "[output o] does not say its line: ...",
	       PIPELINE "[output o]\nminimum = 1 s\n[sensor s]\nkind = sysfs\npath = /proc/loadavg\n");
	refuse(2, "[sensor s] does not say its kind: ...", PIPELINE "[sensor s]\npath = /proc/stat\n");
}

int main(void)
{
	char dir[280];

	CHECK(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/test.conf", folder);
	snprintf(dir, sizeof dir, "%s/sensors", folder);
	make_library(dir);
	test_part();
	test_wires();
	test_stream_features();
	test_mistakes();
	remove_library(dir);
	unlink(file);
	CHECK(!rmdir(folder));
	return 0;
}
