// SPDX-License-Identifier: MIT
/* dev serial, frames: cut, damaged, among garbage, and ten thousand scripted faults with a seed. */
#include "agent/dev/serial_frame.h"

#include "test/unit/dev_serial_fixture.h"

#define LENGTH 32	/* as a PMS5003 sends it: start, length, 13 words, sum of all before */

static struct part dust = {
	.name = "dust", .kind = "serial", .baud = 9600, .start = { 0x42, 0x4d }, .starts = 2,
	.length = LENGTH, .sum = PART_SUM_16BE, .reads = 1, .bytes = LENGTH,
	.read = { { .in = LENGTH } }, .channels = 2,
	.channel = {
		{ .name = "pm2_5", .at = 12, .scale = 1 },
		{ .name = "pm10", .at = 14, .scale = 0.5 },
	},
};
static struct channel_config channels[2] = {
	{ .name = "pm2_5", .part_channel = 0, .scale = 1 },
	{ .name = "pm10", .part_channel = 1, .scale = 1 },
};
static struct sensor_config sensor = {
	.name = "dust", .kind = "serial", .part = &dust, .channel = channels, .channels = 2,
};
static struct cable cable;

static void make(uint8_t *f, unsigned value)
{
	unsigned sum = 0;

	memset(f, 0, LENGTH);
	f[0] = 0x42;
	f[1] = 0x4d;
	f[3] = 28;
	f[12] = f[14] = (uint8_t)(value >> 8);
	f[13] = f[15] = (uint8_t)value;
	for (unsigned i = 0; i < LENGTH - 2; i++)
		sum += f[i];
	f[30] = (uint8_t)(sum >> 8);
	f[31] = (uint8_t)sum;
}

static void describe(void)
{
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(decode_scan_parse(&dust.channel[i].scan, "be:u16/16", NULL), 0);
}

static void expect(struct rig *g, unsigned value, uint64_t samples)
{
	CHECK_NEAR(SLOT(g, 0)->value, value, 0);
	CHECK_NEAR(SLOT(g, 1)->value, value / 2.0, 0);
	CHECK_EQ(SLOT(g, 0)->samples, samples);
	CHECK_EQ(SLOT(g, 0)->state, CHANNEL_LIVE);
}

static void frames(enum ring_kind kind)
{
	uint8_t f[4 * LENGTH];
	struct rig g;

	cable_open(&cable, &sensor);
	rig_open(&g, kind, &sensor);
	CHECK_EQ(cable_settings(&cable).c_ospeed, 9600);
	/* Joined in the middle of one: that is no fault. */
	make(f, 7);
	make(f + LENGTH, 300);
	cable_feed(&cable, &g, f + 9, 2 * LENGTH - 9);
	expect(&g, 300, 1);
	CHECK_EQ(g.dev->errors, 0);
	for (unsigned i = 0; i < LENGTH; i++) {
		make(f, i);
		cable_feed(&cable, &g, f, i);
		CHECK_EQ(SLOT(&g, 0)->samples, 1 + i);
		cable_feed(&cable, &g, f + i, LENGTH - i);
		expect(&g, i, 2 + i);
	}
	CHECK_EQ(g.dev->reads, 33);
	CHECK_EQ(g.dev->bytes, 33 * LENGTH);

	/* A bit turned over: no value, one fault; the next frame is read. */
	make(f, 400);
	f[13] ^= 0x10;
	cable_feed(&cable, &g, f, LENGTH);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_FAULTY);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_CRC);
	CHECK_EQ(SLOT(&g, 1)->fault, FAULT_CRC);
	CHECK_EQ(g.dev->error, -EBADMSG);
	make(f, 500);
	cable_feed(&cable, &g, f, LENGTH);
	expect(&g, 500, 34);
	CHECK_EQ(g.dev->errors, 1);

	/* A byte is missing, with the next one right behind; garbage that begins like one. */
	make(f, 1);
	memmove(f + 5, f + 6, LENGTH - 6);
	make(f + LENGTH - 1, 501);
	cable_feed(&cable, &g, f, 2 * LENGTH - 1);
	expect(&g, 501, 35);
	CHECK_EQ(SLOT(&g, 0)->faults[FAULT_CRC], 2);
	memcpy(f, "\x42\x42\x4d\x42", 4);
	make(f + 4, 502);
	cable_feed(&cable, &g, f, LENGTH + 4);
	expect(&g, 502, 36);
	CHECK_EQ(g.dev->errors, 3);
	CHECK_EQ(SLOT(&g, 0)->faults[FAULT_FORMAT], 1);

	/* Its writer stops within a frame: that is given up, and the next one is whole. */
	make(f, 503);
	cable_feed(&cable, &g, f, 20);
	g.t_ns += 1000ull * MS;
	rig_ticks(&g, 1);
	CHECK_EQ(g.dev->errors, 3);
	rig_ticks(&g, 4);
	CHECK_EQ(g.dev->errors, 4);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_SHORT);
	cable_feed(&cable, &g, f, LENGTH);
	expect(&g, 503, 37);
	rig_ticks(&g, 500);
	CHECK_EQ(g.dev->errors, 4);

	/* A wrong rate: nothing but garbage is a failure, again and again. */
	memset(f, 0xe0, sizeof f);
	for (unsigned i = 0; i < 10; i++)
		cable_feed(&cable, &g, f, sizeof f);
	CHECK(SLOT(&g, 0)->faults[FAULT_FORMAT] >= 10);
	CHECK(SLOT(&g, 0)->faults[FAULT_FORMAT] <= 25);
	CHECK_EQ(SLOT(&g, 0)->samples, 37);

	/* Unplugged within a frame, and back. */
	make(f, 504);
	cable_feed(&cable, &g, f, 20);
	cable_unplug(&cable);
	rig_until_gone(&g);
	cable_plug(&cable);
	CHECK_EQ(rig_reopen(&g), 0);
	cable_feed(&cable, &g, f + 20, LENGTH - 20);
	CHECK_EQ(SLOT(&g, 0)->samples, 37);
	cable_feed(&cable, &g, f, LENGTH);
	expect(&g, 504, 38);
	/* Set up anew within a frame, for whatever reason: its rest is nobody's. */
	cable_feed(&cable, &g, f, 20);
	CHECK_EQ(rig_reopen(&g), 0);
	cable_feed(&cable, &g, f + 20, LENGTH - 20);
	CHECK_EQ(SLOT(&g, 0)->samples, 38);
	cable_feed(&cable, &g, f, LENGTH);
	expect(&g, 504, 39);
	rig_close(&g);
	cable_close(&cable);
}

static uint64_t seed = 0x5eed5e41a1;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

struct tally {
	unsigned good, sum, garbage;
	unsigned last;			/* value of the last good one */
};

/* Everything of data, in pieces; each good frame must be the one that was sent next. */
static void push(struct serial_frame *s, const uint8_t *data, unsigned n, struct tally *t)
{
	while (n) {
		unsigned piece = 1 + below(n), left = piece;
		enum serial_frame_result got;

		while ((got = serial_frame_take(s, &data, &left)) != SERIAL_FRAME_MORE) {
			t->good += got == SERIAL_FRAME_GOOD;
			t->sum += got == SERIAL_FRAME_SUM;
			t->garbage += got == SERIAL_FRAME_GARBAGE;
			if (got == SERIAL_FRAME_GOOD)
				t->last = (unsigned)(s->buf[12] << 8 | s->buf[13]);
		}
		CHECK_EQ(left, 0);
		n -= piece;
	}
}

/*
 * One fault before each good frame: every good frame must come through at the very byte it
 * ends with, with its value, and every fault must be told, once.
 */
static void faults(void)
{
	struct serial_frame s;
	struct tally t = { 0 };
	uint8_t f[LENGTH], bad[2 * LENGTH];

	CHECK_EQ(serial_frame_init(&s, &dust), 0);
	make(f, 1);
	push(&s, f, LENGTH, &t);
	for (unsigned i = 1; i <= 10000; i++) {
		unsigned n = LENGTH, before = t.sum + t.garbage;

		make(bad, 60000);
		switch (below(4)) {
		case 0:		/* a bit */
			bad[below(LENGTH)] ^= (uint8_t)(1u << below(8));
			break;
		case 1:		/* cut */
			n = 1 + below(LENGTH - 1);
			break;
		case 2:		/* a byte lost */
			n = below(LENGTH);
			memmove(bad + n, bad + n + 1, LENGTH - n - 1);
			n = LENGTH - 1;
			break;
		default:	/* noise, some of it like a start */
			n = 1 + below(LENGTH);
			for (unsigned k = 0; k < n; k++)
				bad[k] = below(3) ? (uint8_t)below(256) : 0x42 + 11 * below(2);
		}
		make(f, i);
		push(&s, bad, n, &t);
		CHECK_EQ(t.good, i);
		push(&s, f, LENGTH, &t);
		CHECK_EQ(t.good, i + 1);
		CHECK_EQ(t.last, i);
		CHECK(t.sum + t.garbage > before);
		CHECK(t.sum + t.garbage <= before + 2);
	}
	CHECK(t.sum > 2000 && t.garbage > 2000);
	CHECK(t.sum + t.garbage < 10300);
}

static void many_bad(void)
{
	struct serial_frame s;
	struct tally t = { 0 };
	uint8_t f[LENGTH];

	/* Each of a row of damaged frames counts, from the first that follows a good one. */
	CHECK_EQ(serial_frame_init(&s, &dust), 0);
	make(f, 1);
	push(&s, f, LENGTH, &t);
	f[20] ^= 1;
	for (unsigned i = 0; i < 100; i++)
		push(&s, f, LENGTH, &t);
	CHECK_EQ(t.good, 1);
	CHECK_EQ(t.sum, 100);
	CHECK_EQ(t.garbage, 0);
	/* And also when none was ever good. */
	memset(&t, 0, sizeof t);
	CHECK_EQ(serial_frame_init(&s, &dust), 0);
	for (unsigned i = 0; i < 100; i++)
		push(&s, f, LENGTH, &t);
	CHECK_EQ(t.sum, 99);
	make(f, 2);
	push(&s, f, LENGTH, &t);
	CHECK_EQ(t.good, 1);

	/* Joined in the middle, and again after a pause: too little garbage to be told. */
	memset(&t, 0, sizeof t);
	CHECK_EQ(serial_frame_init(&s, &dust), 0);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < LENGTH + 20; k++)
			push(&s, f + LENGTH - 1, 1, &t);
		push(&s, f, LENGTH, &t);
		CHECK(!serial_frame_gap(&s));
	}
	CHECK_EQ(t.good, 2);
	CHECK_EQ(t.sum + t.garbage, 0);
}

static void refused(void)
{
	struct sensor_config s = sensor;
	struct part p = dust;
	struct serial_frame f;
	struct why why;
	struct dev *d;

	p.length = PART_BYTES_MAX + 1;
	CHECK_EQ(serial_frame_init(&f, &p), -EINVAL);
	p.length = 1;
	CHECK_EQ(serial_frame_init(&f, &p), -EINVAL);
	p.length = 0;
	CHECK_EQ(serial_frame_init(&f, &p), -EINVAL);
	p = dust;
	p.starts = 9;
	CHECK_EQ(serial_frame_init(&f, &p), -EINVAL);
	p.starts = 0;
	CHECK_EQ(serial_frame_init(&f, &p), 0);
	p.sum = PART_SUM_NONE;
	CHECK_EQ(serial_frame_init(&f, &p), -EINVAL);
	s.part = &p;
	CHECK_EQ(dev_serial.create(&d, &s, 0, &why), -EINVAL);
	CHECK(!d);
	p = dust;
	p.bytes = LENGTH + 1;
	CHECK_EQ(dev_serial.create(&d, &s, 0, &why), -EINVAL);
	snprintf(p.kind, sizeof p.kind, "i2c");
	CHECK_EQ(dev_serial.create(&d, &s, 0, &why), -EINVAL);
}

int main(void)
{
	describe();
	faults();
	many_bad();
	refused();
	return on_both(frames);
}
