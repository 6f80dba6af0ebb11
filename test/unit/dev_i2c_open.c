// SPDX-License-Identifier: MIT
/* dev i2c, opening: who is there, whose it is, what is set up, and SMBus-only adapters. */
#include "test/unit/dev_i2c_fixture.h"

#define ADXL "address = 0x53\nidentify = 0x00 -> 0xe5 0x10 / 0xff 0xf0\n" \
	"init.0 = 0x2d 0x08 wait 2 ms\ninit.1 = 0x31 0x0b\nread.0 = 0x32 -> 6\n" \
	"channel.x = 0 @ 0 le:s16/16\nchannel.y = 0 @ 2 le:s16/16\nchannel.z = 0 @ 4 le:s16/16\n"

static void refuse(const struct sensor *s, const char *words)
{
	struct why why = { "" };
	struct dev *d;

	CHECK_EQ(i2c_create_on(&fake_io, &d, &s->config, 0, &why), -EINVAL);
	CHECK(!d);
	has(why.text, words);
}

static void configurations(void)
{
	static const char *const bad[] = { "i2c-1x", "i2c-", "i2c--1", "i2c- 1", "spi0.0", "" };
	struct sensor s, good;

	sensor_of(&good, "i2c", "i2c-1", ADXL);
	s = good;
	s.config.part = &s.part;
	s.config.channel = s.channel;
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		strcpy(s.config.bus, bad[i]);
		refuse(&s, "i2c-N");
	}
	strcpy(s.config.bus, "i2c-1");
	s.config.address = 0x78;
	refuse(&s, "0x78");
	s.config.address = 0x53;
	s.config.part = NULL;
	refuse(&s, "needs a part");
	s.config.part = &s.part;
	s.channel[2].part_channel = 3;
	refuse(&s, "x.z");
	s.channel[2].part_channel = -1;
	refuse(&s, "x.z");
	s.channel[2].part_channel = 2;
	strcpy(s.part.kind, "spi");
	refuse(&s, "kind = spi");
	strcpy(s.part.kind, "i2c");
	s.part.read[0].at = 1;
	refuse(&s, "outside");
}

static void set_up(void)
{
	struct sensor s;
	struct dev *d;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1", ADXL);
	d = created(&s);
	lay(0, "\xe5\x1f", 2);
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_EQ(bus.lines, 3);
	CHECK_STR(bus.wire[0], "53 W00 R2");
	CHECK_STR(bus.wire[1], "53 W2d08");
	CHECK_STR(bus.wire[2], "53 W310b");
	CHECK_EQ(bus.now_ns, 5002000000);
	/* A sensor that lost power: an open one is set up again, all of it, with one file open. */
	bus_clear();
	lay(0, "\xe5\x10", 2);
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_EQ(bus.lines, 3);
	CHECK_STR(bus.wire[2], "53 W310b");
	CHECK_EQ(bus.opens, bus.closes + 1);
	/* Another part at its address. */
	bus_clear();
	lay(0, "\xe5\x20", 2);
	CHECK_EQ(d->ops->open(d), -ENODEV);
	has(d->why.text, "no test: byte 1");
	CHECK_EQ(bus.lines, 1);
	CHECK_EQ(bus.opens, bus.closes);
	/* It goes away half-way; that is a NAK, not another errno, since it was there. */
	bus_clear();
	lay(0, "\xe5\x10", 2);
	bus.res[1] = -ETIMEDOUT;
	CHECK_EQ(d->ops->open(d), -ETIMEDOUT);
	CHECK_EQ(bus.opens, bus.closes);
	closed(d);
}

static void absent(void)
{
	static const int naks[] = { -EREMOTEIO, -ENXIO, DONE(0) };
	struct sensor s, command;
	struct dev *d;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1", ADXL);
	sensor_of(&command, "i2c", "i2c-1", "address = 0x44\nread.0 = 0xfd -> 2 wait 10 ms\n"
		  "channel.t = 0 @ 0 be:u16/16\n");
	d = created(&s);
	for (unsigned i = 0; i < 3; i++) {
		bus_clear();
		bus.res[0] = naks[i];
		CHECK_EQ(d->ops->open(d), -ENXIO);
		has(d->why.text, "no answer from 0x53");
		CHECK_EQ(bus.lines, 1);
	}
	bus_clear();
	bus.open_res = -ENOENT;
	CHECK_EQ(d->ops->open(d), -ENOENT);
	has(d->why.text, "no /dev/i2c-1");
	bus.open_res = -EACCES;
	CHECK_EQ(d->ops->open(d), -EACCES);
	has(d->why.text, "group i2c");
	bus.open_res = 1000;
	closed(d);
	/* No register to ask, nothing to set up: a whole reading, with its wait, tells. */
	d = opened(&command);
	CHECK_EQ(bus.lines, 2);
	CHECK_STR(bus.wire[1], "44 R2");
	CHECK_EQ(bus.sleeps, 1);
	bus_clear();
	bus.res[1] = -ENXIO;
	CHECK_EQ(d->ops->open(d), -ENXIO);
	CHECK_EQ(bus.lines, 2);
	closed(d);
}

static void taken(void)
{
	struct sensor s;
	struct dev *d;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1", ADXL);
	d = created(&s);
	bus.slave_res = -EBUSY;
	bus.has_owner = true;
	bus.owner = (struct i2c_owner){ "adxl345_i2c", "iio" };
	CHECK_EQ(d->ops->open(d), -EBUSY);
	has(d->why.text, "adxl345_i2c has 0x53: use kind = iio");
	CHECK_EQ(bus.lines, 0);
	bus.owner.kind[0] = '\0';
	CHECK_EQ(d->ops->open(d), -EBUSY);
	has(d->why.text, "adxl345_i2c");
	has(d->why.text, "kind = hwmon");
	bus.has_owner = false;
	CHECK_EQ(d->ops->open(d), -EBUSY);
	has(d->why.text, "a kernel driver has 0x53");
	bus.slave_res = 0;
	bus.funcs_res = -ENOTTY;
	CHECK_EQ(d->ops->open(d), -ENOTTY);
	closed(d);
}

/* The adapter's time-out follows the deadline, within what others on the bus can bear. */
static void timeouts(void)
{
	static const struct {
		double deadline_s;
		unsigned units;
	} cases[] = {
		{ 0, 10 }, { 0.001, 5 }, { 0.05, 5 }, { 0.2, 20 }, { 0.201, 21 }, { 1, 100 },
		{ 30, 100 },
	};
	struct sensor s;

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dev *d;

		bus_reset();
		sensor_of(&s, "i2c", "i2c-1", "address = 0x53\nread.0 = 0x32 -> 2\n"
			  "channel.x = 0 @ 0 le:s16/16\n");
		s.config.deadline_s = cases[i].deadline_s;
		d = opened(&s);
		CHECK_EQ(bus.timeout, cases[i].units);
		closed(d);
	}
}

/* An open file keeps a removed adapter from going: once a second somebody looks. */
static void gone(void)
{
	struct sensor s;
	struct dev *d;

	bus_reset();
	sensor_of(&s, "i2c", "i2c-1", "address = 0x53\nread.0 = 0x32 -> 2\n"
		  "channel.x = 0 @ 0 le:s16/16\n");
	d = opened(&s);
	for (unsigned i = 0; i < 40; i++) {
		bus_clear();
		CHECK_EQ(d->ops->transfer(d), 2);
		bus.now_ns += 100 * MS;
	}
	CHECK(bus.looks >= 3 && bus.looks <= 4);
	bus.there = false;
	bus.now_ns += 1000 * MS;
	bus_clear();
	CHECK_EQ(d->ops->transfer(d), -ENODEV);
	CHECK_EQ(bus.lines, 0);
	has(d->why.text, "i2c-1 has gone");
	closed(d);
}

static void smbus(void)
{
	struct sensor s;
	struct dev *d;
	struct frame f;

	bus_reset();
	bus.funcs = I2C_FUNC_SMBUS_BYTE | I2C_FUNC_SMBUS_BYTE_DATA | I2C_FUNC_SMBUS_WORD_DATA |
		    I2C_FUNC_SMBUS_I2C_BLOCK;
	sensor_of(&s, "i2c", "i2c-1",
		  "address = 0x53\nidentify = 0x00 -> 0x00\ninit.0 = 0x10\ninit.1 = 0x2d 0x08\n"
		  "init.2 = 0x05 0x12 0x34\ninit.3 = 0x06 1 2 3\nread.0 = 0x32 -> 6\n"
		  "read.1 = 0x07 -> 2\nread.2 = 0x08 -> 1\nread.3 = 0x09 -> 1 wait 5 ms\n"
		  "channel.x = 0 @ 4 le:s16/16\nchannel.w = 1 @ 0 be:u16/16\n"
		  "channel.b = 2 @ 0 be:u8/8\n"
		  "channel.c = 3 @ 0 be:u8/8\n");
	d = opened(&s);
	CHECK_EQ(bus.lines, 5);
	CHECK_STR(bus.wire[0], "byte-data R00");
	CHECK_STR(bus.wire[1], "byte W10");
	CHECK_STR(bus.wire[2], "byte-data W2d 08");
	CHECK_STR(bus.wire[3], "word-data W05 3412");
	CHECK_STR(bus.wire[4], "block W06 01 02 03");
	bus_clear();
	lay(0, "\1\2\3\4\5\6", 6);
	lay(1, "\x12\x34", 2);
	lay(2, "\x99", 1);
	lay(4, "\x77", 1);
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	bus.now_ns = d->again_ns;
	CHECK_EQ(d->ops->transfer(d), 10);
	CHECK_STR(bus.wire[0], "block R32 6");
	CHECK_STR(bus.wire[1], "word-data R07");
	CHECK_STR(bus.wire[2], "byte-data R08");
	CHECK_STR(bus.wire[3], "byte W09");
	CHECK_STR(bus.wire[4], "byte R00");
	frame_init(&f, 8, 1000 * MS);
	settle(d, &f, 10, 1);
	CHECK_NEAR(f.slot[2].value, 0x0605, 0);
	CHECK_NEAR(f.slot[3].value, 0x1234, 0);
	CHECK_NEAR(f.slot[4].value, 0x99, 0);
	CHECK_NEAR(f.slot[5].value, 0x77, 0);
	/* A block that ends early; errors are those of I2C. */
	bus_clear();
	bus.answers[0] = 255;
	CHECK_EQ(d->ops->transfer(d), -EIO);
	bus_clear();
	bus.res[0] = -ENXIO;
	CHECK_EQ(d->ops->transfer(d), -EREMOTEIO);
	bus_clear();
	bus.res[0] = bus.res[1] = -EAGAIN;
	CHECK_EQ(d->ops->transfer(d), -EIO);
	CHECK_EQ(bus.lines, 2);
	/* Without words a block of two does as well; without that it can not be done. */
	bus.funcs &= ~(unsigned long)I2C_FUNC_SMBUS_WORD_DATA;
	bus_clear();
	lay(0, "\0", 1);
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_STR(bus.wire[3], "block W05 12 34");
	bus_clear();
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_STR(bus.wire[1], "block R07 2");
	bus.funcs &= ~(unsigned long)I2C_FUNC_SMBUS_I2C_BLOCK;
	bus_clear();
	CHECK_EQ(d->ops->open(d), -EOPNOTSUPP);
	has(d->why.text, "SMBus only");
	CHECK_EQ(bus.lines, 0);
	closed(d);
	/* What was one write() and one read() on I2C is neither here: the worker does it. */
	bus.funcs = I2C_FUNC_SMBUS_BYTE;
	sensor_of(&s, "i2c", "i2c-1", "address = 0x23\nread.0 = -> 1\nchannel.x = 0 @ 0 be:u8/8\n");
	bus_clear();
	d = opened(&s);
	CHECK(d->ops->transfer);
	closed(d);
	sensor_of(&s, "i2c", "i2c-1", "address = 0x23\nread.0 = -> 2\nchannel.x = 0 @ 0 be:u8/8\n");
	d = created(&s);
	CHECK_EQ(d->ops->open(d), -EOPNOTSUPP);
	closed(d);
}

/* Each single exchange must be one that the adapter has. */
static void smbus_refused(void)
{
	static const char *const lines[] = {
		"init.0 = 1 2\nread.0 = 0x00 -> 1\n",
		"identify = 0x00 -> 1 2\nread.0 = 0x00 -> 1\n",
		"read.0 = 0x00 -> 1\nread.1 = 0x00 -> 1 wait 1 ms\n",
		"read.0 = 0x00 -> 1\nread.1 = 0x00 0x01 -> 1\n",
	};
	char text[160];

	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct sensor s;
		struct dev *d;

		bus_reset();
		bus.funcs = I2C_FUNC_SMBUS_READ_BYTE_DATA | I2C_FUNC_SMBUS_WRITE_BYTE;
		snprintf(text, sizeof text, "address = 0x53\n%schannel.x = 0 @ 0 be:u8/8\n",
			 lines[i]);
		sensor_of(&s, "i2c", "i2c-1", text);
		d = created(&s);
		CHECK_EQ(d->ops->open(d), -EOPNOTSUPP);
		has(d->why.text, "SMBus only");
		CHECK_EQ(bus.lines, 0);
		CHECK_EQ(bus.opens, bus.closes);
		closed(d);
	}
}

/* Every part of the library: it can be opened, and a reading fills all of its bytes. */
static void library(void)
{
	char **names;
	unsigned n, seen = 0;

	CHECK_EQ(part_list(&names, &n, "agent/sensors", NULL), 0);
	for (unsigned i = 0; i < n; i++) {
		struct why why = { "" };
		struct sensor s;
		struct dev *d;
		int res;

		memset(&s, 0, sizeof s);
		if (part_load(&s.part, "agent/sensors", names[i], &why)) {
			fprintf(stderr, "%s\n", why.text);
			exit(1);
		}
		if (strcmp(s.part.kind, "i2c"))
			continue;
		strcpy(s.config.bus, "i2c-1");
		sensor_channels(&s);
		bus_reset();
		d = created(&s);
		if (s.part.identify.outs)
			lay(0, s.part.id_value, s.part.identify.in);
		res = d->ops->open(d);
		if (res)
			fprintf(stderr, "%s: %s\n", names[i], d->why.text);
		CHECK_EQ(res, 0);
		seen++;
		for (unsigned k = 0; d->ops->transfer && k < 100; k++) {
			bus_clear();
			memset(((struct i2c *)d)->base.in, 0xaa, PART_BYTES_MAX);
			bus.next = 0;
			while ((res = d->ops->transfer(d)) == -EAGAIN)
				bus.now_ns = d->again_ns;
			CHECK_EQ(res, s.part.bytes);
			for (unsigned b = 0; b < s.part.bytes; b++)
				CHECK_EQ(((struct i2c *)d)->base.in[b], b);
			CHECK_EQ(((struct i2c *)d)->base.in[s.part.bytes], 0xaa);
		}
		closed(d);
	}
	part_list_free(names, n);
	CHECK(seen >= 10);
	printf("%u I2C parts of the library\n", seen);
}

int main(void)
{
	configurations();
	set_up();
	absent();
	taken();
	timeouts();
	gone();
	smbus();
	smbus_refused();
	library();
	return 0;
}
