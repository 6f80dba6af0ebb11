// SPDX-License-Identifier: MIT
/* dev i2c on the bus's worker: what goes over the wire, what errors become, how it is opened. */
#include "test/unit/dev_i2c_fixture.h"

#define TMP "address = 0x48\nread.0 = 0x00 -> 2\nchannel.t = 0 @ 0 be:s16/16, scale = 0.0078125\n"

static struct frame frame;

static void reads(void)
{
	struct sensor s;
	struct dev *d;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1", TMP);
	d = opened(&s);
	CHECK_STR(d->bus, "i2c-1");
	CHECK_STR(bus.path, "/dev/i2c-1");
	CHECK_EQ(bus.slave, 0x48);
	CHECK_EQ(d->slow_ns, 0);
	CHECK(d->ops->transfer && !d->ops->start);
	/* Nothing tells whether it is there but a reading, which is thrown away. */
	CHECK_EQ(bus.lines, 1);
	CHECK_EQ(d->reads, 0);
	bus_clear();
	lay(0, "\x0c\x80", 2);
	CHECK_EQ(d->ops->transfer(d), 2);
	CHECK_EQ(bus.lines, 1);
	CHECK_STR(bus.wire[0], "48 W00 R2");
	frame_init(&frame, 4, 1000 * MS);
	CHECK_EQ(settle(d, &frame, 2, 77), 1);
	CHECK_NEAR(frame.slot[2].value, 25, 0);
	CHECK_EQ(frame.slot[2].t_ns, 77);
	CHECK_EQ(frame.slot[2].state, CHANNEL_LIVE);
	CHECK_EQ(frame.slot[3].samples, 0);
	CHECK_EQ(d->reads, 1);
	CHECK_EQ(d->bytes, 2);
	CHECK_EQ(d->errors, 0);
	closed(d);
}

/* Steps with waits: others have their turn meanwhile, and nothing is sent before its time. */
static void waits(void)
{
	struct sensor s;
	struct dev *d;
	uint64_t t;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1",
		  "address = 0x48\ninit.0 = 0x02\nread.0 = 0x01 0xc3 0x83 wait 9 ms\n"
		  "read.1 = 0x00 -> 2\nread.2 = 0x24 0x0b -> 3 wait 15 ms\nread.3 = -> 1\n"
		  "channel.v = 1 @ 0 be:s16/16\nchannel.w = 2 @ 1 be:u16/16\n"
		  "channel.x = 3 @ 0 be:u8/8\n");
	d = opened(&s);
	bus_clear();
	bus.slow_us = 700;
	bus.next = 0;
	t = bus.now_ns;
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_EQ(bus.lines, 1);
	CHECK_STR(bus.wire[0], "48 W01c383");
	/* The wait begins when the write is over. */
	CHECK_EQ(d->again_ns, t + 700 * US + 9 * MS);
	bus.now_ns = d->again_ns - 1;
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_EQ(d->again_ns, t + 700 * US + 9 * MS);
	CHECK_EQ(bus.lines, 1);
	bus.now_ns = d->again_ns;
	t = bus.now_ns;
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_EQ(bus.lines, 3);
	CHECK_STR(bus.wire[1], "48 W00 R2");
	CHECK_STR(bus.wire[2], "48 W240b");
	CHECK_EQ(d->again_ns, t + 1400 * US + 15 * MS);
	bus.now_ns = d->again_ns + 3 * MS;
	CHECK_EQ(d->ops->transfer(d), 6);
	CHECK_EQ(bus.lines, 5);
	CHECK_STR(bus.wire[3], "48 R3");
	CHECK_STR(bus.wire[4], "48 R1");
	CHECK_EQ(bus.sleeps, 0);
	/* Ticks are not held up for so long. */
	CHECK_EQ(d->slow_ns, 24 * MS);
	frame_init(&frame, 8, 1000 * MS);
	settle(d, &frame, 6, 1);
	CHECK_NEAR(frame.slot[2].value, 0x0001, 0);
	CHECK_NEAR(frame.slot[3].value, 0x0304, 0);
	CHECK_NEAR(frame.slot[4].value, 5, 0);
	/* The next reading begins at the beginning; so does one after a failure in the middle. */
	bus_clear();
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_STR(bus.wire[0], "48 W01c383");
	bus.now_ns = d->again_ns;
	bus.res[1] = -EIO;
	CHECK_EQ(d->ops->transfer(d), -EIO);
	bus_clear();
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_STR(bus.wire[0], "48 W01c383");
	/* And one after it was set up in the middle of another. */
	CHECK_EQ(d->ops->open(d), 0);
	bus_clear();
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_EQ(bus.lines, 1);
	CHECK_STR(bus.wire[0], "48 W01c383");
	closed(d);
}

static void errors(void)
{
	static const struct {
		int kernel, ours, again;
		const char *words;
	} cases[] = {
		{ -EREMOTEIO, -EREMOTEIO, 0, "no answer from 0x48 (NAK)" },
		{ -ENXIO, -EREMOTEIO, 0, "no answer from 0x48 (NAK)" },
		{ DONE(0), -EREMOTEIO, 0, "no answer from 0x48 (NAK)" },
		{ DONE(1), -EREMOTEIO, 0, "no answer from 0x48 (NAK)" },
		{ -EAGAIN, -EIO, 1, "arbitration lost" },
		{ -ETIMEDOUT, -ETIMEDOUT, 0, "clock" },
		{ -EBUSY, -ETIMEDOUT, 0, "become free" },
		{ -EIO, -EIO, 0, "Input/output error" },
		{ -EPROTO, -EPROTO, 0, "Protocol error" },
		{ -ENODEV, -ENODEV, 0, "has gone" },
		{ -ESHUTDOWN, -ENODEV, 0, "has gone" },
	};
	struct sensor s;
	struct dev *d;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1", TMP);
	d = opened(&s);
	frame_init(&frame, 4, 1000 * MS);
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t failed = d->errors;
		int res;

		bus_clear();
		bus.res[0] = bus.res[1] = bus.res[2] = cases[i].kernel;
		res = d->ops->transfer(d);
		CHECK_EQ(res, cases[i].ours);
		CHECK_EQ(bus.lines, 1 + cases[i].again);
		has(d->why.text, cases[i].words);
		has(d->why.text, "i2c-1");
		d->gone = false;
		CHECK_EQ(settle(d, &frame, res, 1), 1);
		CHECK_EQ(d->error, res);
		CHECK_EQ(d->gone, res == -ENODEV);
		CHECK_EQ(d->errors, failed + 1);
		CHECK_EQ(frame.slot[2].samples, 0);
	}
	/* Arbitration lost once: the second try brings the value, and nobody hears of it. */
	bus_clear();
	bus.res[0] = -EAGAIN;
	lay(1, "\x0c\x80", 2);
	CHECK_EQ(d->ops->transfer(d), 2);
	CHECK_STR(bus.wire[0], "48 W00 R2");
	CHECK_STR(bus.wire[1], "48 W00 R2");
	settle(d, &frame, 2, 1);
	CHECK_NEAR(frame.slot[2].value, 25, 0);
	CHECK_EQ(d->error, 0);
	closed(d);
}

/* Faults of single channels leave the others their values. */
static void faults(void)
{
	static const uint8_t good[7] = { 0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92, 0x00 };
	struct sensor s;
	struct dev *d;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1",
		  "address = 0x44\ninit.0 = 0x30\nread.0 = 0x24 -> 6\nread.1 = 0x05 -> 1\n"
		  "fault.0 = 1 @ 0 & 0x06 = 0x02\n"
		  "channel.t = 0 @ 0 be:u16/16, crc = sht\nchannel.h = 0 @ 3 be:u16/16, crc = sht\n"
		  "channel.s = 1 @ 0 be:u8/8\n");
	d = opened(&s);
	frame_init(&frame, 8, 1000 * MS);
	for (unsigned step = 0; step < 4; step++) {
		uint8_t in[7];

		memcpy(in, good, sizeof in);
		if (step == 1)
			in[4] ^= 1;
		if (step == 2)
			in[1] ^= 0x80, in[5] ^= 0x10, in[6] = 0x02;
		if (step == 3)
			in[6] = 0x04;
		bus_clear();
		lay(0, in, 6);
		lay(1, in + 6, 1);
		CHECK_EQ(d->ops->transfer(d), 7);
		settle(d, &frame, 7, 10 + step);
		CHECK_EQ(d->reads, step + 1);
		CHECK_EQ(d->error, step == 2 ? -EPROTO : 0);
		if (step == 1)
			has(d->why.text, "x.h: the checksum");
	}
	CHECK_EQ(frame.slot[2].samples, 3);
	CHECK_EQ(frame.slot[3].samples, 2);
	CHECK_EQ(frame.slot[3].faults[FAULT_CRC], 2);
	CHECK_EQ(frame.slot[2].faults[FAULT_CRC], 1);
	CHECK_EQ(frame.slot[4].faults[FAULT_FORMAT], 1);
	CHECK_EQ(frame.slot[4].samples, 3);
	CHECK_EQ(d->errors, 2);
	/* After a good reading one of too few bytes: none of them is believed. */
	CHECK_EQ(d->error, 0);
	CHECK_EQ(frame.slot[2].state, CHANNEL_LIVE);
	settle(d, &frame, 6, 20);
	CHECK_EQ(d->error, -ENODATA);
	has(d->why.text, "6 of the 7 bytes");
	for (unsigned i = 2; i < 5; i++)
		CHECK_EQ(frame.slot[i].faults[FAULT_SHORT], 1);
	bus_clear();
	lay(0, "\1\2\3\4\5\6", 6);
	lay(1, "\2", 1);
	CHECK_EQ(d->ops->transfer(d), 7);
	settle(d, &frame, 7, 30);
	CHECK(d->error == -EPROTO || d->error == -EBADMSG);
	closed(d);
}

/* The configuration's own scale and offset, a counter that wraps, one over a window. */
static void scales(void)
{
	static const uint8_t count[] = { 250, 254, 4, 8, 20 };
	struct sensor s;
	struct dev *d;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1",
		  "address = 0x48\nread.0 = 0x00 -> 1\n"
		  "channel.v = 0 @ 0 be:u8/8, scale = 2, offset = 1\n"
		  "channel.w = 0 @ 0 be:u8/8, scale = 2, offset = 1\n"
		  "channel.n = 0 @ 0 be:u8/8, scale = 3, offset = 100\n"
		  "channel.m = 0 @ 0 be:u8/8\n");
	s.channel[1].scaled = s.channel[1].shifted = true;
	s.channel[1].scale = 10;
	s.channel[1].offset = -1;
	s.channel[2].counter = s.channel[3].counter = true;
	s.channel[2].wrap = s.channel[3].wrap = 256;
	s.channel[3].window = 2;
	s.channel[3].scaled = true;
	s.channel[3].scale = 0.5;
	d = opened(&s);
	frame_init(&frame, 8, 1000 * MS);
	for (unsigned i = 0; i < sizeof count; i++) {
		bus_clear();
		lay(0, &count[i], 1);
		CHECK_EQ(d->ops->transfer(d), 1);
		settle(d, &frame, 1, (i + 1) * 500 * MS);
	}
	CHECK_NEAR(frame.slot[2].value, (20 + 1) * 2, 0);
	CHECK_NEAR(frame.slot[3].value, (20 - 1) * 10, 0);
	CHECK_EQ(frame.slot[4].samples, 4);
	CHECK_NEAR(frame.slot[4].value, 12 / 0.5 * 3, 1e-4);
	CHECK_EQ(frame.slot[5].samples, 3);
	CHECK_NEAR(frame.slot[5].value, 16 / 1. * 0.5, 1e-4);
	/* Opened anew, the counters begin anew: what came between is not known. */
	CHECK_EQ(d->ops->open(d), 0);
	settle(d, &frame, 1, 3000 * MS);
	CHECK_EQ(frame.slot[4].samples, 4);
	CHECK_EQ(frame.slot[2].samples, 6);
	closed(d);
}

int main(void)
{
	reads();
	waits();
	errors();
	faults();
	scales();
	return 0;
}
