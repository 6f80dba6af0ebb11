// SPDX-License-Identifier: MIT
/* The grammar of parts: what each key does, what is refused and how that is told. */
#include "test/unit/part_fixture.h"

static void refused(const char *key, const char *value, const char *text)
{
	struct part p;
	struct why why = { "" };
	int err;

	part_init(&p, "x");
	err = part_key(&p, key, value, &why);
	if (err != -EINVAL) {
		fprintf(stderr, "%s = %s: %d\n", key, value, err);
		exit(1);
	}
	has(&why, text);
}

static void test_keys(void)
{
	struct part p;

	part_init(&p, "a-name");
	CHECK_STR(p.name, "a-name");
	CHECK_EQ(p.spi_bits, 8);
	part_init(&p, "0123456789012345678901234567890123456789");
	CHECK_STR(p.name, "0123456789012345678901234567890");
	set(&p, "title", "Some sensor");
	CHECK_STR(p.title, "Some sensor");
	set(&p, "period", "250 ms");
	CHECK_NEAR(p.period_s, 0.25, 1e-12);
	set(&p, "address", "0x48-0x4b, 29 , 0x53");
	CHECK_EQ(p.addresses, 6);
	CHECK_EQ(p.address[0], 0x48);
	CHECK_EQ(p.address[3], 0x4b);
	CHECK_EQ(p.address[4], 29);
	CHECK_EQ(p.address[5], 0x53);
	set(&p, "identify", "0x0f -> 0x01 0x17 / 0x0f 0xff wait 2 ms");
	CHECK_EQ(p.identify.outs, 1);
	CHECK_EQ(p.identify.out[0], 0x0f);
	CHECK_EQ(p.identify.in, 2);
	CHECK_EQ(p.identify.wait_us, 2000);
	CHECK_EQ(p.id_value[1], 0x17);
	CHECK_EQ(p.id_mask[0], 0x0f);
	CHECK_EQ(p.id_mask[1], 0xff);
	set(&p, "identify", "0 -> 0xe5");
	CHECK_EQ(p.id_mask[0], 0xff);
	CHECK_EQ(p.identify.wait_us, 0);
	set(&p, "init.0", "0x6b 128 wait 100 ms");
	set(&p, "init.1", "0x6b 0x01");
	CHECK_EQ(p.inits, 2);
	CHECK_EQ(p.init[0].outs, 2);
	CHECK_EQ(p.init[0].out[1], 128);
	CHECK_EQ(p.init[0].wait_us, 100000);
	CHECK_EQ(p.init[1].wait_us, 0);
	set(&p, "init.0", "0x6b 0x81");	/* again: replaced, not added */
	CHECK_EQ(p.inits, 2);
	CHECK_EQ(p.init[0].out[1], 0x81);
	CHECK_EQ(p.init[0].wait_us, 0);
	set(&p, "read.0", "-> 4");
	CHECK_EQ(p.read[0].outs, 0);
	CHECK_EQ(p.read[0].in, 4);
	set(&p, "read.1", "0xfd->6 wait 9ms");
	CHECK_EQ(p.read[1].in, 6);
	CHECK_EQ(p.read[1].wait_us, 9000);
	set(&p, "read.2", "1 0xc3 0x83 wait 1 s");
	CHECK_EQ(p.read[2].outs, 3);
	CHECK_EQ(p.read[2].in, 0);
	CHECK_EQ(p.read[2].wait_us, 1000000);
	set(&p, "read.2", "1 wait 7 us");
	CHECK_EQ(p.read[2].wait_us, 7);
	set(&p, "read.2", "1 wait 10 s");
	CHECK_EQ(p.read[2].wait_us, 10000000);
}

static void test_more_keys(void)
{
	struct part p;

	part_init(&p, "x");
	set(&p, "fault.0", "1 @ 2 & 0x41");
	CHECK_EQ(p.fault[0].read, 1);
	CHECK_EQ(p.fault[0].at, 2);
	CHECK_EQ(p.fault[0].mask, 0x41);
	CHECK_EQ(p.fault[0].value, 0x41);
	set(&p, "fault.1", "0 @ 0 & 0xf0 = 0x30");
	CHECK_EQ(p.fault[1].value, 0x30);
	CHECK_EQ(p.faults, 2);
	set(&p, "spi_mode", "3");
	set(&p, "spi_hz", "5000000");
	set(&p, "spi_bits", "8");
	CHECK_EQ(p.spi_mode, 3);
	CHECK_EQ(p.spi_hz, 5000000);
	set(&p, "baud", "9600");
	set(&p, "start", "0x42 0x4d");
	set(&p, "length", "32");
	set(&p, "checksum", "sum16be");
	CHECK_EQ(p.baud, 9600);
	CHECK_EQ(p.starts, 2);
	CHECK_EQ(p.start[1], 0x4d);
	CHECK_EQ(p.length, 32);
	CHECK_EQ(p.sum, PART_SUM_16BE);
	set(&p, "checksum", "xor8");
	CHECK_EQ(p.sum, PART_XOR_8);
	set(&p, "checksum", "sum8");
	CHECK_EQ(p.sum, PART_SUM_8);
}

static void test_suggestions(void)
{
	struct part p;
	struct why why = { "" };

	part_init(&p, "x");
	CHECK_EQ(part_key(&p, "tittle", "x", &why), -ENOENT);
	has(&why, "did you mean title?");
	CHECK_EQ(part_key(&p, "kin", "x", &why), -ENOENT);
	has(&why, "did you mean kind?");
	CHECK_EQ(part_key(&p, "idntify", "x", &why), -ENOENT);
	has(&why, "did you mean identify?");
	CHECK_EQ(part_key(&p, "colour", "x", &why), -ENOENT);
	has(&why, "init.N");
	CHECK_EQ(part_key(&p, "", "x", &why), -ENOENT);
}

static void test_channel_keys(void)
{
	struct part p;
	struct part_channel *c = p.channel;

	part_init(&p, "x");
	set(&p, "channel.t", "1 @ 2 be:s12/16>>4, unit = °C, scale = 175/65535, offset=-3, "
	    "range = -40..125.5, crc = dallas");
	CHECK_EQ(p.channels, 1);
	CHECK_STR(c->name, "t");
	CHECK_STR(c->unit, "°C");
	CHECK_STR(c->attribute, "");
	CHECK_EQ(c->read, 1);
	CHECK_EQ(c->at, 2);
	CHECK_EQ(c->scan.bits, 12);
	CHECK_EQ(c->scan.shift, 4);
	CHECK(c->scan.is_signed && c->scan.big_endian);
	CHECK_NEAR(c->scale, 175.0 / 65535, 1e-15);
	CHECK_NEAR(c->offset, -3, 0);
	CHECK_NEAR(c->min, -40, 0);
	CHECK_NEAR(c->max, 125.5, 0);
	CHECK_EQ(c->crc, PART_CRC_DALLAS);
	set(&p, "channel.pm2.5", "0@4 le:u8/8");
	CHECK_EQ(p.channels, 2);
	CHECK_NEAR(c[1].scale, 1, 0);
	CHECK_NEAR(c[1].offset, 0, 0);
	CHECK(isinf(c[1].min) && c[1].min < 0 && isinf(c[1].max) && c[1].max > 0);
	CHECK_EQ(c[1].crc, PART_CRC_NONE);
	set(&p, "channel.t", "temp1_input, unit = K");
	CHECK_EQ(p.channels, 2);
	CHECK_STR(c->attribute, "temp1_input");
	CHECK_STR(c->unit, "K");
	CHECK_NEAR(c->scale, 1, 0);
	for (unsigned i = 2; i < PART_CHANNELS_MAX; i++) {
		char name[24];

		snprintf(name, sizeof name, "channel.c%u", i);
		set(&p, name, "0 @ 0 be:u8/8");
	}
	CHECK_EQ(p.channels, PART_CHANNELS_MAX);
	CHECK_EQ(part_key(&p, "channel.more", "0 @ 0 be:u8/8", NULL), -EINVAL);
	CHECK_EQ(part_key(&p, "channel.c5", "0 @ 1 be:u8/8", NULL), 0);
}

static void test_refused(void)
{
	refused("kind", "usb", "must be i2c, spi");
	refused("title", "", "nothing after");
	refused("period", "10", "a unit is missing");
	refused("address", "", "a number is missing");
	refused("address", "0x80", "between 0x08 and 0x77");
	refused("address", "0x03", "between 0x08 and 0x77");
	refused("address", "0x4f-0x48", "between 0x4f");
	refused("address", "0x48, 0x48", "0x48 twice");
	refused("address", "0x48,", "a number is missing");
	refused("address", "0x48 0x49", "not understood");
	refused("address", "0x08-0x77", "more than 24");
	refused("address", "4294967368", "between");
	refused("identify", "-> 1", "BYTES -> BYTES");
	refused("identify", "1", "BYTES -> BYTES");
	refused("identify", "1 ->", "no byte is expected");
	refused("identify", "1 -> 2 3 / 0xff", "2 bytes are expected, the mask has 1");
	refused("identify", "1 -> 0x17 / 0x0f", "leaves out");
	refused("identify", "1 -> 0x01 0x17 / 0xff 0x0f", "0x17 has bits");
	refused("identify", "1 -> 2 x", "not understood");
	refused("identify", "1 -> 256", "between 0 and 255");
	refused("init.0", "1 -> 2", "init only writes");
	refused("init.1", "1", "init.0 is missing before it");
	refused("init.16", "1", "between 0 and 15");
	refused("init.x", "1", "a number is missing");
	refused("init.0x", "1", "no whole number");
	refused("init.0", "", "neither bytes");
	refused("init.0", "0x6b wait 5", "a unit is missing");
	refused("init.0", "0x6b wait 11 s", "no part is waited for");
	refused("init.0", "0x6b wait 4294967 s", "no part is waited for");
	refused("init.0", "0x6b wait 4294967296 us", "between");
	refused("init.0", "0x6b wait5 ms", "not understood");
	refused("init.0", "0x6b wait 5 min", "a unit is missing");
	refused("init.0", "0x1g", "no whole number");
	refused("init.0", "0x", "no whole number");
	refused("init.0", "1.5", "no whole number");
	refused("init.0", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25",
		"more than 24 bytes");
	refused("read.0", "", "neither bytes");
	refused("read.0", "1 -> 0", "between 1 and 64");
	refused("read.0", "1 -> 65", "between 1 and 64");
	refused("read.0", "1 -> 2 3", "not understood");
	refused("fault.0", "0 @ 0", "READ @ AT & MASK");
	refused("fault.0", "0 & 1", "READ @ AT & MASK");
	refused("fault.0", "0 @ 0 & 0", "between 1 and 255");
	refused("fault.0", "0 @ 0 & 0x0f = 0x10", "leaves out");
	refused("fault.0", "16 @ 0 & 1", "between 0 and 15");
	refused("fault.0", "0 @ 64 & 1", "between 0 and 63");
	refused("spi_mode", "4", "between 0 and 3");
	refused("spi_bits", "16", "between 8 and 8");
	refused("spi_hz", "0", "between");
	refused("baud", "1", "between");
	refused("start", "", "no byte");
	refused("start", "1 2 3 4 5 6 7 8 9", "more than 8");
	refused("length", "65", "between 1 and 64");
	refused("checksum", "crc32", "must be sum16be");
}

static void test_channels_refused(void)
{
	char text[300];

	memset(text, ' ', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	memcpy(text, "0 @ 0 be:u8/8", 13);
	refused("channel.a", text, "longer than 255 bytes");
	text[255] = '\0';
	CHECK_EQ(part_key(&(struct part){ .spi_bits = 8 }, "channel.a", text, NULL), 0);
	refused("channel.", "0 @ 0 be:u8/8", "empty name");
	refused("channel.a b", "0 @ 0 be:u8/8", "made of letters");
	refused("channel.a", "", "a number is missing");
	refused("channel.a", "0 be:u8/8", "READ @ AT TYPE");
	refused("channel.a", "16 @ 0 be:u8/8", "between 0 and 15");
	refused("channel.a", "0 @ 64 be:u8/8", "between 0 and 63");
	refused("channel.a", "0 @ 0 u16", "begins with be: or le:");
	refused("channel.a", "0 @ 0 be:u8/8 x", "does not end");
	refused("channel.a", "0 @ 0 be:u8/8X2", "a channel is one value");
	refused("channel.a", "in/../temp", "no attribute");
	refused("channel.a", "12 34", "READ @ AT TYPE");
	refused("channel.a", "x0123456789012345678901234567890", "more than 31");
	refused("channel.a", "0 @ 0 be:u8/8, units = V", "did you mean unit?");
	refused("channel.a", "0 @ 0 be:u8/8, colour = red", "no option of a channel");
	refused("channel.a", "0 @ 0 be:u8/8, unit", "KEY = VALUE");
	refused("channel.a", "0 @ 0 be:u8/8,", "KEY = VALUE");
	refused("channel.a", "0 @ 0 be:u8/8, unit =", "1 to 11 bytes");
	refused("channel.a", "0 @ 0 be:u8/8, unit = 123456789012", "1 to 11 bytes");
	refused("channel.a", "0 @ 0 be:u8/8, scale = 0", "scale = 0");
	refused("channel.a", "0 @ 0 be:u8/8, scale = 1/0", "finite");
	refused("channel.a", "0 @ 0 be:u8/8, scale = nan", "no number");
	refused("channel.a", "0 @ 0 be:u8/8, scale = -inf", "no number");
	refused("channel.a", "0 @ 0 be:u8/8, scale = 0x10", "no number");
	refused("channel.a", "0 @ 0 be:u8/8, scale = 1e999", "too large");
	refused("channel.a", "0 @ 0 be:u8/8, scale = 1/2/3", "not understood");
	refused("channel.a", "0 @ 0 be:u8/8, offset = x", "offset");
	refused("channel.a", "0 @ 0 be:u8/8, range = 5", "MIN..MAX");
	refused("channel.a", "0 @ 0 be:u8/8, range = 5..4", "range");
	refused("channel.a", "0 @ 0 be:u8/8, crc = crc16", "must be sht");
}

int main(void)
{
	test_keys();
	test_more_keys();
	test_suggestions();
	test_channel_keys();
	test_refused();
	test_channels_refused();
	return 0;
}
