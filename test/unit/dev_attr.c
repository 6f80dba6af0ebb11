// SPDX-License-Identifier: MIT
/*
 * dev attr: the files of a device one after the other, what is left of a reading when it has
 * to end, and how long a reading takes. The driver's slowness is this file's pread().
 */
#include <sys/syscall.h>

#include "test/unit/dev_fixture.h"
#include "test/unit/dev_iio_tree.h"

#define CHIP "/sys/class/hwmon/hwmon0"
#define PROBE "/sys/bus/w1/devices/28-000005e2fdc3"
#define SLOT(g, i) (&(g)->frame.slot[2 + (i)])

static unsigned preads, slow_from, slow_until, slow_ms;

/* Those from slow_from up to slow_until take slow_ms. */
ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
	if (preads >= slow_from && preads < slow_until)
		sleep_ms(slow_ms);
	preads++;
	return syscall(SYS_pread64, fd, buf, n, at);
}

static struct channel_config in[3];
static struct sensor_config chip = {
	.name = "x", .kind = "hwmon", .device = "ina2xx", .every = 1, .channel = in, .channels = 3,
};

static void make(void)
{
	tree_device("/sys/class/hwmon", "hwmon0", "i2c-1/1-0040/hwmon", "name", "ina2xx");
	for (unsigned i = 0; i < 3; i++) {
		in[i] = (struct channel_config){ .scale = 1, .scaled = true, .part_channel = -1 };
		snprintf(in[i].name, sizeof in[i].name, "x.in%u", i);
		snprintf(in[i].attribute, sizeof in[i].attribute, "in%u_input", i);
		tree_attr(CHIP, in[i].attribute, "5");
	}
}

/* Never two under way: a slow driver holds one of the ring's workers, not all. */
static void one_by_one(enum ring_kind kind)
{
	struct rig g;

	rig_open(&g, kind, &chip);
	for (unsigned round = 1; round <= 2; round++) {
		CHECK_EQ(rig_start(&g), 1);
		for (unsigned i = 0; i < 3; i++) {
			struct ring_event e = next_event(g.ring);

			CHECK_EQ(DEV_TOKEN_OWN(e.token), i);
			nothing_comes(g.ring, 10);
			/* Nor is a second reading begun in the midst of one. */
			CHECK_EQ(rig_start(&g), 0);
			if (i == 1)
				e.res = -EIO;
			CHECK_EQ(rig_complete(&g, &e), i == 2);
			/* What is late of a file that was given up already is nobody's. */
			CHECK_EQ(rig_complete(&g, &e), 0);
			CHECK_EQ(SLOT(&g, i)->samples, i == 1 ? 0 : round);
		}
		CHECK_EQ(g.dev->errors, round);
		nothing_comes(g.ring, 10);
	}
	rig_close(&g);
}

/* On the way out: the file under way is the last, however it ends. */
static void given_up(enum ring_kind kind)
{
	struct ring_event e;
	struct rig g;

	rig_open(&g, kind, &chip);
	for (unsigned round = 0; round < 4; round++) {
		CHECK_EQ(rig_start(&g), 1);
		if (round > 1) {
			e = next_event(g.ring);
			CHECK_EQ(rig_complete(&g, &e), 0);
		}
		if (g.dev->ops->detach(g.dev, g.ring)) {
			e = next_event(g.ring);
			if (round % 2)
				e.res = -ECANCELED;
			CHECK_EQ(rig_complete(&g, &e), 1);
			CHECK_EQ(rig_start(&g), 0);
			nothing_comes(g.ring, 10);
			CHECK_EQ(g.dev->ops->detach(g.dev, g.ring), 0);
		}
		CHECK_EQ(rig_start(&g), 0);
		CHECK_EQ(g.dev->errors, 0);
		CHECK_EQ(rig_reopen(&g), 0);
	}
	CHECK_EQ(rig_tick(&g), 1);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(SLOT(&g, i)->state, CHANNEL_LIVE);
	/* Cut by its request, and on the way out: that is not asked for again. */
	tree_attr(CHIP, "in0_input", "512");
	CHECK_EQ(rig_start(&g), 1);
	if (g.dev->ops->detach(g.dev, g.ring)) {
		e = next_event(g.ring);
		CHECK(e.res == 2 || e.res == -ECANCELED);
		CHECK_EQ(rig_complete(&g, &e), 1);
	}
	nothing_comes(g.ring, 10);
	tree_attr(CHIP, "in0_input", "5");
	rig_close(&g);
}

static uint64_t measured(const struct sensor_config *s, unsigned from, unsigned until, unsigned ms)
{
	struct why why;
	struct dev *d;
	uint64_t ns;

	preads = 0;
	slow_from = from;
	slow_until = until;
	slow_ms = ms;
	CHECK_EQ(dev_find(s->kind)->create(&d, s, 0, &why), 0);
	CHECK_EQ(d->ops->open(d), 0);
	/* Once slow is slow, though a reading may have been quick. */
	slow_until = 0;
	ns = d->slow_ns;
	CHECK_EQ(d->ops->open(d), 0);
	CHECK(d->slow_ns >= ns);
	d->ops->shut(d);
	d->ops->free(d);
	return ns;
}

static void slow(void)
{
	struct channel_config one = { .scale = 1, .part_channel = -1 };
	struct sensor_config iio = {
		.name = "x", .kind = "iio", .device = "bme280", .mode = "poll", .every = 1,
		.channel = &one, .channels = 1,
	}, probe = { .name = "x", .kind = "w1", .device = "*", .channel = &one, .channels = 1 };
	uint64_t ns;

	CHECK_EQ(measured(&chip, 0, 0, 0), 0);
	CHECK(preads >= 6);		/* of two openings */
	/* Three of a bme280's. */
	CHECK(measured(&chip, 0, 6, 85) >= 3 * 85 * MS);
	/* Once, and not again: that was not the driver. */
	CHECK_EQ(measured(&chip, 0, 3, 30), 0);
	/* What is slow beyond doubt is not waited for again, nor are the others. */
	ns = measured(&chip, 0, 9, 600);
	CHECK(ns >= 3 * 600 * MS);
	CHECK_EQ(preads, 1 + 3);

	snprintf(one.attribute, sizeof one.attribute, "pressure");
	tree_device("/sys/bus/iio/devices", "iio:device0", "i2c-1/1-0076", "name", "bme280");
	tree_attr("/sys/bus/iio/devices/iio:device0", "in_pressure_input", "101.3");
	CHECK_EQ(measured(&iio, 0, 0, 0), 0);
	CHECK(measured(&iio, 0, 2, 85) >= 85 * MS);

	/* Of these it is known, and they are not read twice. */
	one.attribute[0] = '\0';
	tree_put(PROBE "/temperature", "21000\n");
	CHECK(measured(&probe, 0, 9, 85) >= 750 * MS);
	CHECK_EQ(preads, 0);
}

static void body(enum ring_kind kind)
{
	one_by_one(kind);
	given_up(kind);
}

int main(void)
{
	tree_open();
	make();
	slow();
	return on_both(body);
}
