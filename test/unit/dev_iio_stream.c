// SPDX-License-Identifier: MIT
/* dev iio stream: the times of scans, lost ones, streams that stop, end, or fall silent. */
#include "test/unit/dev_iio_stream.h"

static void times(enum ring_kind kind)
{
	struct sensor_config s = begin(50);
	uint8_t b[4 * SCAN];
	uint64_t before;
	struct rig g;

	rig(&g, kind, &s);
	g.t_ns = 100000 * (uint64_t)MS;
	one(&g, 1, g.t_ns - 60000 * (uint64_t)MS);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns);
	rig_start(&g);
	one(&g, 1, g.t_ns - 5 * MS);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns - 5 * MS);
	/* What can not be: before the last one, too old, far ahead, the wall's. */
	rig_start(&g);
	one(&g, 2, g.t_ns - 25 * MS);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns);
	rig_start(&g);
	one(&g, 3, 1);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns);
	rig_start(&g);
	one(&g, 4, g.t_ns + 1000 * MS);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns);
	rig_start(&g);
	one(&g, 5, 1700000000000000000u);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns);
	rig_start(&g);
	one(&g, 5, UINT64_MAX);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns);
	/* A little ahead is now, never later. */
	rig_start(&g);
	one(&g, 6, g.t_ns + 2 * MS);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns);
	CHECK_EQ(SLOT(&g, 3)->samples, 8);
	unrig(&g);

	/* Without the kernel's times: over the time since the last, a period apart at most. */
	s = begin(50);
	tree_drop(MAGN "/current_timestamp_clock");
	rig(&g, kind, &s);
	for (unsigned i = 0; i < 4; i++)
		make_scan(b + i * 6, (int)i, 0, 0, 0);
	before = g.t_ns;
	send(b, 6);
	take(&g, 6);
	CHECK_EQ(SLOT(&g, 3)->t_ns, before);
	g.t_ns += 30 * MS;
	CHECK_EQ(SLOT(&g, 3)->samples, 1);
	channels[3].counter = false;
	send(b, 12);
	take(&g, 18);
	CHECK_EQ(SLOT(&g, 3)->t_ns, before + 30 * MS);
	CHECK_EQ(SLOT(&g, 3)->samples, 3);
	unrig(&g);
}

/* A counter tells the times that its scans were given. */
static void spread(enum ring_kind kind)
{
	struct sensor_config s = begin(50);
	struct ring_event e;
	uint8_t b[8];
	struct rig g;

	tree_drop(MAGN "/current_timestamp_clock");
	channels[0] = made_channel("magn_x");
	channels[0].counter = true;
	s.channels = 1;
	rig(&g, kind, &s);
	/* 2 bytes a scan: 0, then 10, 20, 30, 40 that came together 40 ms later: 10 ms apart. */
	memcpy(b, "\0\0", 2);
	e = event(&g, 2, b, true);
	rig_complete(&g, &e);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_PROBING);
	g.t_ns += 40 * MS;
	memcpy(b, "\0\x0a\0\x14\0\x1e\0\x28", 8);
	e = event(&g, 8, b, true);
	rig_complete(&g, &e);
	CHECK_EQ(SLOT(&g, 0)->samples, 4);
	CHECK_NEAR(SLOT(&g, 0)->value, 10 / 0.010 * 0.25, 0.01);
	/* After a long silence they are still no further apart than the rate says. */
	g.t_ns += 4000 * MS;
	memcpy(b, "\0\x32\0\x3c", 4);
	e = event(&g, 4, b, true);
	rig_complete(&g, &e);
	CHECK_NEAR(SLOT(&g, 0)->value, 10 / 0.020 * 0.25, 0.01);
	/* The same with the kernel's times would be wrong here; arrival is all there is. */
	CHECK_EQ(SLOT(&g, 0)->t_ns, g.t_ns);
	/* Another device, for all we know: no rate across. */
	CHECK_EQ(rig_reopen(&g), 0);
	rig_start(&g);
	memcpy(b, "\1\0", 2);
	e = event(&g, 2, b, true);
	rig_complete(&g, &e);
	CHECK_EQ(SLOT(&g, 0)->samples, 6);
	/* Just after the boot there is not so much past as they should have taken. */
	CHECK_EQ(rig_reopen(&g), 0);
	frame_init(&g.frame, FRAME_CHANNELS_MAX, 1000 * MS);
	g.t_ns = 30 * MS;
	memcpy(b, "\0\1\0\2\0\3\0\4", 8);
	e = event(&g, 8, b, true);
	rig_complete(&g, &e);
	CHECK_EQ(SLOT(&g, 0)->samples, 0);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_PROBING);
	unrig(&g);
}

/* What a timer should have brought and did not is lost, a late one is not. */
static void lost(enum ring_kind kind)
{
	struct sensor_config s = begin(50);
	uint64_t t;
	struct rig g;

	rig(&g, kind, &s);
	t = g.t_ns;
	for (unsigned i = 0; i < 200; i++) {
		g.t_ns = t + i * 20 * MS + 19 * MS;
		one(&g, (int)i, t + i * 20 * MS + (i % 5 == 4 ? 15 * MS : i >= 96 && i < 160 ?
		    9 * MS : 0));
	}
	CHECK_EQ(SLOT(&g, 3)->faults[FAULT_LOST], 0);
	CHECK_EQ(g.dev->errors, 0);
	for (unsigned i = 200; i < 264; i++) {
		if (i == 230)
			continue;
		g.t_ns = t + i * 20 * MS + 19 * MS;
		one(&g, (int)i, t + i * 20 * MS);
	}
	CHECK_EQ(SLOT(&g, 3)->faults[FAULT_LOST], 1);
	CHECK_EQ(SLOT(&g, 0)->faults[FAULT_LOST], 1);
	CHECK_EQ(g.dev->errors, 1);
	CHECK_EQ(g.dev->error, 0);
	CHECK_EQ(SLOT(&g, 3)->state, CHANNEL_LIVE);
	unrig(&g);

	/* Somebody else's trigger promises nothing. */
	s = begin(0);
	tree_attr(MAGN, "trigger/current_trigger", "sonde-mag");
	rig(&g, kind, &s);
	t = g.t_ns;
	for (unsigned i = 0; i < 64; i++) {
		g.t_ns = t + 2 * i * 10 * MS + 9 * MS;
		one(&g, (int)i, t + 2 * i * 10 * MS);
	}
	CHECK_EQ(SLOT(&g, 3)->faults[FAULT_LOST], 0);
	unrig(&g);
}

/* The kernel stops a multishot read, or runs out of buffers: the device is there as before. */
static void rearmed(enum ring_kind kind)
{
	struct sensor_config s = begin(50);
	uint8_t b[SCAN];
	struct ring_event e;
	struct rig g;

	rig(&g, kind, &s);
	make_scan(b, 4, 0, 0, g.t_ns);
	e = event(&g, -ENOBUFS, NULL, true);
	CHECK_EQ(rig_complete(&g, &e), 0);
	CHECK_EQ(g.dev->error, -ENOBUFS);
	CHECK_EQ(g.dev->errors, 1);
	CHECK(!g.dev->gone);
	one(&g, 8, g.t_ns);
	CHECK_EQ(g.dev->error, 0);
	CHECK_NEAR(SLOT(&g, 3)->value, 2, 0);
	/* What was lost may have been the rest of a scan. */
	send(b, 7);
	take(&g, SCAN + 7);
	e = event(&g, -EIO, NULL, true);
	rig_complete(&g, &e);
	CHECK_EQ(g.dev->errors, 2);
	one(&g, 16, g.t_ns);
	CHECK_NEAR(SLOT(&g, 3)->value, 4, 0);
	/* It was told to end. */
	e = event(&g, -ECANCELED, NULL, false);
	rig_complete(&g, &e);
	CHECK(!g.dev->gone);
	CHECK_EQ(g.dev->errors, 2);
	/*
	 * A real end of the stream (its writer has gone), told as one that the kernel made: with
	 * bytes, for want of buffers, for no reason. It has to be armed again each time.
	 */
	for (unsigned i = 0; i < 3; i++) {
		static const int res[] = { SCAN, -ENOBUFS, -EAGAIN };
		uint64_t bytes;

		close(writer);
		do {
			e = next_event(g.ring);
		} while (e.kind != RING_STREAM || e.more);
		writer = open(tree_path("/dev/iio:device0"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		CHECK(writer >= 0);
		rig_start(&g);
		make_scan(b, 4, 0, 0, g.t_ns);
		e = event(&g, res[i], b, false);
		CHECK_EQ(rig_complete(&g, &e), 0);
		CHECK(!g.dev->gone);
		bytes = g.dev->bytes;
		one(&g, (int)(12 + i), g.t_ns + 1);
		CHECK_EQ(g.dev->bytes, bytes + SCAN);
		CHECK_NEAR(SLOT(&g, 3)->value, (12 + i) * 0.25, 0);
	}
	unrig(&g);
}

static void ended(enum ring_kind kind)
{
	static const struct { int res, error; enum channel_state state; enum channel_fault fault; }
		want[] = {
		{ -ENODEV, -ENODEV, CHANNEL_ABSENT, FAULT_ABSENT },
		{ -EIO, -EIO, CHANNEL_FAULTY, FAULT_BUS },
		{ 0, -ENODEV, CHANNEL_ABSENT, FAULT_ABSENT },
	};
	struct sensor_config s;
	struct ring_event e;
	struct rig g;

	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		s = begin(50);
		rig(&g, kind, &s);
		one(&g, 8, g.t_ns);
		send("half of it", 7);
		take(&g, SCAN + 7);
		close(writer);
		e = next_event(g.ring);
		CHECK(e.kind == RING_STREAM && !e.more);
		e.res = want[i].res;
		CHECK_EQ(rig_complete(&g, &e), 0);
		CHECK(g.dev->gone);
		CHECK_EQ(g.dev->error, want[i].error);
		CHECK_EQ(g.dev->errors, 1);
		CHECK_EQ(SLOT(&g, 3)->state, want[i].state);
		CHECK_EQ(SLOT(&g, 3)->fault, want[i].fault);
		/* Unplugged, and plugged in again as number 3. */
		CHECK_EQ(dev_iio.detach(g.dev, g.ring), 0);
		CHECK_EQ(dev_iio.detach(g.dev, g.ring), 0);
		CHECK_EQ(rig_start(&g), 0);
		dev_iio.shut(g.dev);
		CHECK(!tree_has(HRTIMERS "/sonde-mag"));
		CHECK_EQ(rename(tree_path("/sys/devices/soc/i2c-1/1-001e/iio:device0"),
				tree_path("/sys/devices/soc/i2c-1/1-001e/iio:device3")), 0);
		tree_drop(MAGN);
		CHECK_EQ(dev_iio.open(g.dev), -ENODEV);
		tree_link(IIO "/iio:device3", "/sys/devices/soc/i2c-1/1-001e/iio:device3");
		CHECK_EQ(dev_iio.open(g.dev), -ENOENT);	/* udev has not made its node yet */
		CHECK(!tree_has(HRTIMERS "/sonde-mag"));
		made_fifo("/dev/iio:device3");
		CHECK_EQ(dev_iio.open(g.dev), 0);
		g.dev->gone = false;
		CHECK_EQ(dev_iio.attach(g.dev, g.ring), 0);
		writer = open(tree_path("/dev/iio:device3"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		rig_start(&g);
		one(&g, 16, g.t_ns);
		CHECK_NEAR(SLOT(&g, 3)->value, 4, 0);
		CHECK_EQ(SLOT(&g, 3)->state, CHANNEL_LIVE);
		unrig(&g);
	}
}

/* Half a second of silence is looked into, and only that. */
static struct ring_event look(struct rig *g, enum ring_kind kind, struct sensor_config *s)
{
	*s = begin(50);
	rig(g, kind, s);
	one(g, 8, g->t_ns);
	for (unsigned i = 0; i < 25; i++)
		CHECK_EQ(rig_start(g), 0);
	nothing_comes(g->ring, 5);
	CHECK_EQ(rig_start(g), 0);
	CHECK_EQ(rig_start(g), 0);
	return next_event(g->ring);
}

static void silence(enum ring_kind kind)
{
	struct sensor_config s;
	struct ring_event e;
	struct rig g;

	/* The buffer is on: it is only silent, and is asked again after as long. */
	e = look(&g, kind, &s);
	CHECK_EQ(e.kind, RING_READ);
	CHECK_EQ(rig_complete(&g, &e), 0);
	CHECK(!g.dev->gone);
	CHECK_EQ(g.dev->errors, 0);
	CHECK_EQ(SLOT(&g, 3)->state, CHANNEL_LIVE);
	CHECK_EQ(rig_start(&g), 0);
	nothing_comes(g.ring, 5);
	/* Somebody has switched it off. */
	tree_attr(MAGN, "buffer/enable", "0");
	for (unsigned i = 0; i < 26; i++)
		rig_start(&g);
	e = next_event(g.ring);
	CHECK_EQ(e.kind, RING_READ);
	rig_complete(&g, &e);
	CHECK(g.dev->gone);
	CHECK_EQ(g.dev->error, -EBUSY);
	CHECK_EQ(SLOT(&g, 3)->fault, FAULT_BUSY);
	CHECK_EQ(rig_reopen(&g), 0);
	CHECK_STR(tree_get(MAGN, "buffer/enable"), "1");
	unrig(&g);

	/* The file is no more: that is how an unplug shows. */
	e = look(&g, kind, &s);
	e.res = -ENODEV;
	rig_complete(&g, &e);
	CHECK(g.dev->gone);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_ABSENT);
	CHECK_EQ(g.dev->errors, 1);
	unrig(&g);

	e = look(&g, kind, &s);
	e.res = 0;
	rig_complete(&g, &e);
	CHECK(g.dev->gone);
	unrig(&g);

	/* It was on its way when the device was taken out of the ring. */
	e = look(&g, kind, &s);
	e.res = -ECANCELED;
	rig_complete(&g, &e);
	CHECK(!g.dev->gone);
	CHECK_EQ(g.dev->errors, 0);
	unrig(&g);
}

static void body(enum ring_kind kind)
{
	times(kind);
	spread(kind);
	lost(kind);
	rearmed(kind);
	ended(kind);
	silence(kind);
}

int main(void)
{
	tree_open();
	return on_both(body);
}
