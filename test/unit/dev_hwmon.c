// SPDX-License-Identifier: MIT
/* dev hwmon: chips, zones and probes of a made tree: values, units, faults, unplug and replug. */
#include "agent/dev/hwmon.h"

#include "test/unit/dev_fixture.h"
#include "test/unit/dev_iio_tree.h"

#define HWMON "/sys/class/hwmon"
#define THERMAL "/sys/class/thermal"
#define W1 "/sys/bus/w1/devices"

static struct channel_config channel(const char *attribute)
{
	struct channel_config c = { .scale = 1, .part_channel = -1 };

	snprintf(c.name, sizeof c.name, "x.%s", attribute);
	snprintf(c.attribute, sizeof c.attribute, "%s", attribute);
	return c;
}

static struct sensor_config sensor(const char *kind, const char *device, struct channel_config *c,
				   unsigned n)
{
	struct sensor_config s = { .name = "x", .every = 1, .channel = c, .channels = n };

	snprintf(s.kind, sizeof s.kind, "%s", kind);
	snprintf(s.device, sizeof s.device, "%s", device);
	return s;
}

#define SLOT(g, i) (&(g)->frame.slot[2 + (i)])

static void make_chips(void)
{
	tree_device(HWMON, "hwmon0", "i2c-1/1-0048/hwmon", "name", "lm75");
	tree_attr(HWMON "/hwmon0", "temp1_input", "23125");
	tree_attr(HWMON "/hwmon0", "temp1_max", "80000");
	tree_device(HWMON, "hwmon1", "i2c-1/1-0040/hwmon", "name", "ina2xx");
	tree_attr(HWMON "/hwmon1", "in0_input", "12");
	tree_attr(HWMON "/hwmon1", "in1_input", "3312");
	tree_attr(HWMON "/hwmon1", "curr1_input", "-250");
	tree_attr(HWMON "/hwmon1", "power1_input", "828000");
	tree_attr(HWMON "/hwmon1", "energy1_input", "5000000");
}

static void units(void)
{
	static const struct { const char *kind, *attribute, *unit; double scale; } want[] = {
		{ "hwmon", "temp1_input", "°C", 1e-3 },
		{ "hwmon", "temp12_crit", "°C", 1e-3 },
		{ "hwmon", "temp1_alarm", "", 1 },
		{ "hwmon", "temp1_type", "", 1 },
		{ "hwmon", "temp_input", "", 1 },
		{ "hwmon", "in0_input", "V", 1e-3 },
		{ "hwmon", "in10_average", "V", 1e-3 },
		{ "hwmon", "intrusion0_alarm", "", 1 },
		{ "hwmon", "curr1_input", "A", 1e-3 },
		{ "hwmon", "power1_average", "W", 1e-6 },
		{ "hwmon", "power1_average_interval", "", 1 },
		{ "hwmon", "energy1_input", "J", 1e-6 },
		{ "hwmon", "humidity1_input", "%", 1e-3 },
		{ "hwmon", "fan2_input", "rpm", 1 },
		{ "hwmon", "freq1_input", "MHz", 1e-6 },
		{ "hwmon", "pwm1", "", 1 },
		{ "hwmon", "", "", 1 },
		{ "thermal", "temp", "°C", 1e-3 },
		{ "thermal", "trip_point_0_temp", "°C", 1e-3 },
		{ "thermal", "_temp", "", 1 },
		{ "thermal", "passive", "", 1 },
		{ "w1", "temperature", "°C", 1e-3 },
		{ "w1", "resolution", "", 1 },
	};

	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		CHECK_STR(hwmon_unit(want[i].kind, want[i].attribute), want[i].unit);
		CHECK_NEAR(hwmon_scale(want[i].kind, want[i].attribute), want[i].scale, 0);
	}
}

static void values(enum ring_kind kind)
{
	struct channel_config c[] = {
		channel("curr1_input"), channel("in1_input"), channel("power1_input"),
		channel("in1_input"), channel("in0_input"),
	};
	struct sensor_config s = sensor("hwmon", "ina2xx", c, 5);
	uint64_t bytes;
	struct rig g;

	/* The user's numbers stand for the driver's. */
	c[4].scaled = c[4].shifted = true;
	c[4].scale = 2;
	c[4].offset = 100;
	rig_open(&g, kind, &s);
	CHECK_EQ(g.dev->slow_ns, 0);
	CHECK_EQ(rig_tick(&g), 1);	/* of four files, one after the other */
	CHECK_NEAR(SLOT(&g, 0)->value, -0.25, 1e-6);
	CHECK_NEAR(SLOT(&g, 1)->value, 3.312, 1e-6);
	CHECK_NEAR(SLOT(&g, 2)->value, 0.828, 1e-6);
	CHECK_NEAR(SLOT(&g, 3)->value, 3.312, 1e-6);
	CHECK_NEAR(SLOT(&g, 4)->value, 224, 0);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(SLOT(&g, i)->state, CHANNEL_LIVE);
		CHECK_EQ(SLOT(&g, i)->t_ns, g.t_ns);
		CHECK_EQ(SLOT(&g, i)->samples, 1);
	}
	CHECK_EQ(g.dev->reads, 4);
	CHECK_EQ(g.dev->bytes, 5 + 5 + 7 + 3);
	/* The exact length from now on, and more when that cuts a number. */
	tree_attr(HWMON "/hwmon1", "in1_input", "13312");
	tree_attr(HWMON "/hwmon1", "curr1_input", "7");
	bytes = g.dev->bytes;
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 1)->value, 13.312, 1e-6);
	CHECK_NEAR(SLOT(&g, 0)->value, 0.007, 1e-9);
	CHECK_EQ(g.dev->bytes - bytes, 2 + (5 + 6) + 7 + 3);
	bytes = g.dev->bytes;
	rig_tick(&g);
	CHECK_EQ(g.dev->bytes - bytes, 2 + 6 + 7 + 3);
	CHECK_EQ(g.dev->errors, 0);
	tree_attr(HWMON "/hwmon1", "in1_input", "3312");
	tree_attr(HWMON "/hwmon1", "curr1_input", "-250");
	rig_close(&g);
}

/* Texts that are no number are faults, of that channel only; it comes back by itself. */
static void bad_texts(enum ring_kind kind)
{
	static const char *const bad[] = { "", "\n", "N/A\n", "-\n",
		"1111111111111111111111111111111111111111111111111111111111111111111111\n" };
	struct channel_config c[] = { channel("in0_input"), channel("in1_input") };
	struct sensor_config s = sensor("hwmon", "ina2xx", c, 2);
	uint64_t bytes;
	struct rig g;

	rig_open(&g, kind, &s);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		tree_put(HWMON "/hwmon1/in0_input", bad[i]);
		CHECK_EQ(rig_tick(&g), 1);
		CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_FAULTY);
		CHECK_EQ(SLOT(&g, 0)->fault, FAULT_FORMAT);
		CHECK_EQ(SLOT(&g, 0)->faults[FAULT_FORMAT], i + 1);
		CHECK_EQ(SLOT(&g, 0)->samples, i);
		CHECK_EQ(SLOT(&g, 1)->state, CHANNEL_LIVE);
		CHECK_EQ(g.dev->errors, i + 1);
		CHECK(!g.dev->gone);
		tree_put(HWMON "/hwmon1/in0_input", "12\n");
		CHECK_EQ(rig_tick(&g), 1);
		CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_LIVE);
		CHECK_EQ(SLOT(&g, 0)->samples, i + 1);
	}
	/* Without an end of line, and longer than was asked for. */
	tree_put(HWMON "/hwmon1/in0_input", "12345");
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 12.345, 1e-5);
	/* Nothing marks its end: with the whole room one read is enough. */
	bytes = g.dev->bytes;
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_EQ(g.dev->bytes - bytes, 5 + 5);
	tree_put(HWMON "/hwmon1/in0_input", "12\n");
	rig_close(&g);
}

/* What a driver answers instead of a number. */
static void driver_errors(enum ring_kind kind)
{
	static const struct { int err; enum channel_fault fault; } want[] = {
		{ -EIO, FAULT_BUS }, { -EREMOTEIO, FAULT_BUS }, { -ENODATA, FAULT_FORMAT },
		{ -EAGAIN, FAULT_FORMAT }, { -ETIMEDOUT, FAULT_TIMEOUT }, { -EBUSY, FAULT_BUSY },
		{ -EBADMSG, FAULT_CRC },
	};
	struct channel_config c[] = { channel("temp1_input"), channel("temp1_max") };
	struct sensor_config s = sensor("hwmon", "lm75", c, 2);
	struct ring_event e;
	struct rig g;

	rig_open(&g, kind, &s);
	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		unsigned bad = i % 2;

		CHECK_EQ(rig_start(&g), 1);
		e = next_event(g.ring);
		if (bad) {
			CHECK_EQ(rig_complete(&g, &e), 0);
			e = next_event(g.ring);
		}
		CHECK_EQ(DEV_TOKEN_OWN(e.token), bad);
		e.res = want[i].err;
		CHECK_EQ(rig_complete(&g, &e), bad);
		CHECK_EQ(g.dev->error, want[i].err);
		CHECK_EQ(SLOT(&g, bad)->fault, want[i].fault);
		CHECK_EQ(SLOT(&g, bad)->state, CHANNEL_FAULTY);
		if (!bad) {
			e = next_event(g.ring);
			CHECK_EQ(rig_complete(&g, &e), 1);
			CHECK_EQ(g.dev->error, 0);
		}
		CHECK_EQ(SLOT(&g, !bad)->state, CHANNEL_LIVE);
		CHECK_EQ(g.dev->errors, i + 1);
		CHECK(!g.dev->gone);
	}
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 23.125, 1e-6);
	/* A completion that was not asked for changes nothing. */
	e = (struct ring_event){ .kind = RING_READ, .res = 4, .token = DEV_TOKEN(g.dev, 0) };
	CHECK_EQ(rig_complete(&g, &e), 0);
	e.token = DEV_TOKEN(g.dev, 2);
	CHECK_EQ(rig_complete(&g, &e), 0);
	e.kind = RING_STREAM;
	CHECK_EQ(rig_complete(&g, &e), 0);
	CHECK_EQ(SLOT(&g, 0)->errors + SLOT(&g, 1)->errors, sizeof want / sizeof *want);
	rig_close(&g);
}

/* Its number changes with a replug; its name does not. */
static void replug(enum ring_kind kind)
{
	struct channel_config c[] = { channel("temp1_input"), channel("temp1_max") };
	struct sensor_config s = sensor("hwmon", "lm75", c, 2);
	struct ring_event e;
	struct rig g;

	rig_open(&g, kind, &s);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_EQ(rig_start(&g), 1);
	for (unsigned i = 0; i < 2; i++) {
		e = next_event(g.ring);
		e.res = -ENODEV;
		CHECK_EQ(rig_complete(&g, &e), i);
	}
	CHECK(g.dev->gone);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_ABSENT);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_ABSENT);
	tree_drop(HWMON "/hwmon0");
	tree_drop("/sys/devices/i2c-1/1-0048");
	CHECK_EQ(rig_reopen(&g), -ENODEV);
	CHECK_STR(g.dev->why.text, "no hwmon chip is called \"lm75\"; there is ina2xx");
	tree_device(HWMON, "hwmon7", "i2c-1/1-0048/hwmon", "name", "lm75");
	/* In the middle of its probing. */
	CHECK_EQ(rig_reopen(&g), -EINVAL);
	CHECK(strstr(g.dev->why.text, "lm75 has no temp1_input; there is none"));
	tree_attr(HWMON "/hwmon7", "temp1_input", "5000");
	tree_attr(HWMON "/hwmon7", "temp1_max", "1000");
	CHECK_EQ(rig_reopen(&g), 0);
	CHECK(!g.dev->gone);
	CHECK_STR(g.dev->why.text, "");
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 5, 0);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_LIVE);
	rig_close(&g);
	tree_drop(HWMON "/hwmon7");
	tree_drop("/sys/devices/i2c-1/1-0048");
	make_chips();
}

/* A detach while a read is under way: asked again when it came, and nothing counts as failed. */
static void leave(enum ring_kind kind)
{
	struct channel_config c[] = { channel("temp1_input") };
	struct sensor_config s = sensor("hwmon", "lm75", c, 1);
	struct rig g;
	int err;

	rig_open(&g, kind, &s);
	CHECK_EQ(rig_start(&g), 1);
	CHECK_EQ(rig_start(&g), 0);	/* one at a time */
	err = g.dev->ops->detach(g.dev, g.ring);
	if (err) {
		struct ring_event e = next_event(g.ring);

		CHECK_EQ(err, -EBUSY);
		rig_complete(&g, &e);
		CHECK_EQ(g.dev->ops->detach(g.dev, g.ring), 0);
	}
	CHECK_EQ(rig_start(&g), 0);
	CHECK_EQ(g.dev->ops->detach(g.dev, g.ring), 0);
	CHECK_EQ(g.dev->errors, 0);
	CHECK_EQ(rig_reopen(&g), 0);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_LIVE);
	rig_close(&g);
}

static void counters(enum ring_kind kind)
{
	struct channel_config c[] = { channel("energy1_input"), channel("energy1_input") };
	struct sensor_config s = sensor("hwmon", "ina2xx", c, 2);
	struct rig g;
	char text[32];

	c[0].counter = c[1].counter = true;
	c[1].window = 4;
	rig_open(&g, kind, &s);
	for (unsigned i = 0; i < 9; i++) {
		/* 40 mJ each 20 ms are 2 W; every other read sees none of them, then two. */
		snprintf(text, sizeof text, "%u", 5000000 + i / 2 * 2 * 40000);
		tree_attr(HWMON "/hwmon1", "energy1_input", text);
		CHECK_EQ(rig_tick(&g), 1);
		CHECK_EQ(SLOT(&g, 0)->samples, i);
		if (i)
			CHECK_NEAR(SLOT(&g, 0)->value, i % 2 ? 0 : 4, 1e-5);
		CHECK_EQ(SLOT(&g, 1)->samples, i < 4 ? 0 : i - 3);
		if (i >= 4)
			CHECK_NEAR(SLOT(&g, 1)->value, 2, 1e-5);
	}
	/* It may have been another device meanwhile: the step to it is no energy. */
	CHECK_EQ(rig_reopen(&g), 0);
	tree_attr(HWMON "/hwmon1", "energy1_input", "999000000");
	rig_tick(&g);
	CHECK_EQ(SLOT(&g, 0)->samples, 8);
	rig_close(&g);
}

static void zones_and_probes(enum ring_kind kind)
{
	struct channel_config none = channel("");
	struct sensor_config zone = sensor("thermal", "board", &none, 1);
	struct sensor_config probe = sensor("w1", "", &none, 1);
	uint64_t bytes;
	struct rig g;

	tree_device(THERMAL, "thermal_zone0", "virtual/thermal", "type", "cpu-thermal");
	tree_device(THERMAL, "thermal_zone1", "virtual/thermal", "type", "board");
	tree_attr(THERMAL "/thermal_zone0", "temp", "51000");
	tree_attr(THERMAL "/thermal_zone1", "temp", "37500");
	rig_open(&g, kind, &zone);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 37.5, 0);
	rig_close(&g);

	tree_device(W1, "28-000005e2fdc3", "w1_bus_master1", "temperature", "-500");
	tree_device(W1, "28-0000072431ff", "w1_bus_master1", "temperature", "21500");
	rig_open(&g, kind, &probe);
	CHECK(g.dev->slow_ns >= 750 * MS);
	CHECK_STR(g.dev->why.text, "2 devices are called *: this is 28-000005e2fdc3; "
		  "say its id for another");
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, -0.5, 0);
	/* A second read would be a second conversion: there is always room. */
	tree_attr(W1 "/28-000005e2fdc3", "temperature", "-12500");
	bytes = g.dev->bytes;
	rig_tick(&g);
	CHECK_EQ(g.dev->bytes - bytes, 7);
	CHECK_NEAR(SLOT(&g, 0)->value, -12.5, 0);
	rig_close(&g);
	snprintf(probe.device, sizeof probe.device, "28-0000072431ff");
	rig_open(&g, kind, &probe);
	rig_tick(&g);
	CHECK_NEAR(SLOT(&g, 0)->value, 21.5, 0);
	CHECK_STR(g.dev->why.text, "");
	rig_close(&g);
}

static void several(enum ring_kind kind)
{
	struct channel_config c = channel("temp1_input");
	struct sensor_config s = sensor("hwmon", "lm75", &c, 1);
	struct rig g;

	tree_device(HWMON, "hwmon9", "i2c-1/1-0049/hwmon", "name", "lm75");
	tree_attr(HWMON "/hwmon9", "temp1_input", "99000");
	rig_open(&g, kind, &s);
	CHECK_STR(g.dev->why.text, "2 devices are called lm75: this is 1-0048; "
		  "say lm75@PLACE for another");
	rig_tick(&g);
	CHECK_NEAR(SLOT(&g, 0)->value, 23.125, 1e-6);
	rig_close(&g);
	snprintf(s.device, sizeof s.device, "lm75@1-0049");
	rig_open(&g, kind, &s);
	rig_tick(&g);
	CHECK_NEAR(SLOT(&g, 0)->value, 99, 0);
	rig_close(&g);
	tree_drop(HWMON "/hwmon9");
	tree_drop("/sys/devices/i2c-1/1-0049");
}

static void refused(void)
{
	struct channel_config c[] = { channel("temp1_input"), channel("temp2_input") };
	struct sensor_config s = sensor("hwmon", "lm75", c, 2);
	unsigned before = tree_descriptors();
	struct why why;
	struct dev *d;

	CHECK_EQ(dev_hwmon.create(&d, &s, 0, &why), 0);
	CHECK_EQ(d->ops->open(d), -EINVAL);
	CHECK_EQ(tree_descriptors(), before);	/* of what failed nothing stays open */
	CHECK_STR(d->why.text, "lm75 has no temp2_input; there is temp1_input");
	/* A FIFO in a directory of attributes would hold every read. */
	CHECK_EQ(mkfifo(tree_path(HWMON "/hwmon0/temp2_input"), 0600), 0);
	CHECK_EQ(d->ops->open(d), -EINVAL);
	CHECK_EQ(tree_descriptors(), before);
	CHECK_STR(d->why.text, "temp2_input of lm75: no file");
	unlink(tree_path(HWMON "/hwmon0/temp2_input"));
	tree_attr(HWMON "/hwmon0", "temp2_input", "1");
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_EQ(tree_descriptors(), before + 2);
	d->ops->shut(d);
	d->ops->free(d);
	CHECK_EQ(tree_descriptors(), before);
	tree_drop(HWMON "/hwmon0/temp2_input");
	s = sensor("hwmon", "", c, 2);
	CHECK_EQ(dev_hwmon.create(&d, &s, 0, &why), -EINVAL);
	CHECK(!d && strstr(why.text, "device = NAME"));
	s = sensor("hwmon", "lm75", c, 2);
	snprintf(c[1].attribute, sizeof c[1].attribute, "../../secret");
	CHECK_EQ(dev_hwmon.create(&d, &s, 0, &why), -EINVAL);
	c[1].attribute[0] = '\0';
	CHECK_EQ(dev_hwmon.create(&d, &s, 0, &why), -EINVAL);
	CHECK(!d);
}

static void body(enum ring_kind kind)
{
	make_chips();
	values(kind);
	bad_texts(kind);
	driver_errors(kind);
	replug(kind);
	leave(kind);
	counters(kind);
	several(kind);
	zones_and_probes(kind);
}

int main(void)
{
	tree_open();
	units();
	make_chips();
	refused();
	return on_both(body);
}
