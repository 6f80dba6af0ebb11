// SPDX-License-Identifier: MIT
/*
 * Parts as a whole: what does not fit together is refused, and what was accepted decodes inside its
 * bytes: CRCs, fault bits, frames.
 */
#include "agent/frame.h"
#include "test/unit/part_fixture.h"

static void unchecked(const struct part *p, const char *text)
{
	struct part copy = *p;
	struct why why = { "" };

	CHECK_EQ(part_check(&copy, &why), -EINVAL);
	has(&why, text);
}

/* A good I2C part: two reads, a status among them. */
static struct part made(void)
{
	struct part p;

	part_init(&p, "made");
	set(&p, "kind", "i2c");
	set(&p, "address", "0x48");
	set(&p, "read.0", "0x00 -> 3");
	set(&p, "read.1", "0x01 -> 2");
	set(&p, "channel.a", "0 @ 0 be:s16/16, unit = °C, scale = 1/2, crc = sht");
	return p;
}

static void test_check(void)
{
	struct part good = made(), p = good;
	struct why why = { "" };

	CHECK_EQ(part_check(&p, &why), 0);
	CHECK_EQ(p.bytes, 5);
	CHECK_EQ(p.read[0].at, 0);
	CHECK_EQ(p.read[1].at, 3);
	CHECK_EQ(part_check(&p, &why), 0);	/* twice is once */
	CHECK_EQ(p.bytes, 5);

	p = good;
	*p.kind = '\0';
	unchecked(&p, "kind is missing");
	p = good;
	p.reads = 0;
	unchecked(&p, "read.0 is missing");
	p = good;
	p.channels = 0;
	unchecked(&p, "channel.NAME is missing");
	p = good;
	set(&p, "channel.b", "2 @ 0 be:u8/8");
	unchecked(&p, "there is no read.2");
	p = good;
	set(&p, "channel.b", "1 @ 1 be:u16/16");
	unchecked(&p, "ends at byte 3, read.1 has 2");
	p = good;
	set(&p, "channel.b", "1 @ 0 be:u16/16, crc = sht");
	unchecked(&p, "ends at byte 3, read.1 has 2");
	p = good;
	set(&p, "channel.b", "temp1_input");
	unchecked(&p, "kind = i2c has READ @ AT TYPE");
	p = good;
	set(&p, "fault.0", "2 @ 0 & 1");
	unchecked(&p, "fault.0: there is no read.2");
	p = good;
	set(&p, "fault.0", "1 @ 2 & 1");
	unchecked(&p, "fault.0: byte 2, read.1 has 2");
	p = good;
	set(&p, "read.2", "0x20 wait 1 ms");	/* writes only: nothing to look at */
	set(&p, "fault.0", "2 @ 0 & 1");
	unchecked(&p, "fault.0: byte 0, read.2 has 0");
	p = good;
	set(&p, "read.2", "3 -> 64");
	set(&p, "read.3", "4 -> 59");
	CHECK_EQ(part_check(&p, &why), 0);
	CHECK_EQ(p.bytes, PART_BYTES_MAX);
	set(&p, "read.4", "5 -> 1");
	unchecked(&p, "more than 128 bytes");
	p = good;
	set(&p, "baud", "9600");
	unchecked(&p, "are for kind = serial");
	p = good;
	set(&p, "start", "0x42");
	unchecked(&p, "are for kind = serial");
	p = good;
	set(&p, "fault.0", "0 @ 0 & 0xff = 0xff");
	set(&p, "fault.1", "1 @ 2 & 1");
	unchecked(&p, "fault.1: byte 2, read.1 has 2");
	p = good;
	set(&p, "spi_hz", "9600");
	unchecked(&p, "are for kind = spi");
}

static void test_check_spi(void)
{
	struct part p;

	part_init(&p, "x");
	set(&p, "kind", "spi");
	set(&p, "read.0", "1 0 0 -> 2");
	set(&p, "channel.a", "0 @ 0 be:u10/16");
	unchecked(&p, "spi_hz is missing");
	set(&p, "spi_hz", "1000000");
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "identify", "0x80 0 -> 1");
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "read.0", "1 2 -> 2");
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "identify", "0x80 -> 1 2");
	unchecked(&p, "identify: 2 bytes are kept of a transfer of 1");
	set(&p, "identify", "0x80 0 -> 1");
	set(&p, "read.0", "1 0 -> 3");
	unchecked(&p, "read.0: 3 bytes are kept of a transfer of 2");
	set(&p, "read.0", "-> 4");
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "address", "0x48");
	unchecked(&p, "address is for a part on I2C");
}

static void test_check_drivers(void)
{
	struct part p;

	part_init(&p, "x");
	set(&p, "kind", "iio");
	unchecked(&p, "driver is missing");
	set(&p, "driver", "bme280");
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "channel.t", "temp");
	set(&p, "address", "0x76");
	set(&p, "identify", "0xd0 -> 0x60");
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "channel.t", "temp, crc = sht");
	unchecked(&p, "a driver gives no CRC");
	set(&p, "channel.t", "0 @ 0 be:u8/8");
	unchecked(&p, "kind = iio has ATTRIBUTE");
	set(&p, "channel.t", "temp");
	set(&p, "read.0", "1 -> 2");
	unchecked(&p, "read is not for kind = iio");
	p.reads = 0;
	set(&p, "init.0", "1 2");
	unchecked(&p, "init and fault are not for kind = iio");
	part_init(&p, "x");
	set(&p, "kind", "w1");
	set(&p, "channel.t", "temperature");
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "address", "0x28");
	unchecked(&p, "address is for a part on I2C");
	p.addresses = 0;
	set(&p, "identify", "1 -> 2");
	unchecked(&p, "identify is for a part with registers");
}

static void test_check_serial(void)
{
	struct part p;

	part_init(&p, "x");
	set(&p, "kind", "serial");
	set(&p, "channel.a", "0 @ 2 be:u16/16");
	unchecked(&p, "start is missing");
	set(&p, "start", "0x42 0x4d");
	unchecked(&p, "length is missing");
	set(&p, "length", "4");
	set(&p, "checksum", "sum16be");
	unchecked(&p, "nothing is left");
	set(&p, "length", "5");
	CHECK_EQ(part_check(&p, NULL), 0);
	CHECK_EQ(p.reads, 1);
	CHECK_EQ(p.bytes, 5);
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "channel.a", "0 @ 4 be:u16/16");
	unchecked(&p, "ends at byte 6");
	set(&p, "channel.a", "0 @ 3 be:u16/16");
	CHECK_EQ(part_check(&p, NULL), 0);
	set(&p, "init.0", "1");
	unchecked(&p, "nothing is sent");
	p.inits = 0;
	set(&p, "read.1", "-> 2");
	unchecked(&p, "read 0 is the frame");
	p.reads = 1;
	set(&p, "read.0", "1 -> 2");
	unchecked(&p, "read 0 is the frame");
}

static void test_crc(void)
{
	static const uint8_t beef[] = { 0xbe, 0xef }, digits[] = "123456789";
	/* Maxim application note 27: this ROM code's CRC is A2h. */
	static const uint8_t rom[] = { 0x02, 0x1c, 0xb8, 0x01, 0, 0, 0, 0xa2 };

	CHECK_EQ(part_crc8(PART_CRC_SHT, beef, 2), 0x92);
	CHECK_EQ(part_crc8(PART_CRC_SHT, digits, 9), 0xf7);	/* CRC-8/NRSC-5 check value */
	CHECK_EQ(part_crc8(PART_CRC_CCITT8, digits, 9), 0xf4);	/* CRC-8/SMBUS */
	CHECK_EQ(part_crc8(PART_CRC_DALLAS, digits, 9), 0xa1);	/* CRC-8/MAXIM-DOW */
	CHECK_EQ(part_crc8(PART_CRC_DALLAS, rom, 7), 0xa2);
	CHECK_EQ(part_crc8(PART_CRC_DALLAS, rom, 8), 0);
	CHECK_EQ(part_crc8(PART_CRC_SHT, beef, 0), 0xff);
	CHECK_EQ(part_crc8(PART_CRC_NONE, beef, 2), 0);
}

static void test_decode(void)
{
	struct part p = made();
	uint8_t in[] = { 0xbe, 0xef, 0x92, 0x00, 0x07 };
	double v = 99;

	set(&p, "channel.b", "1 @ 1 be:u8/8, offset = 3, scale = 10");
	set(&p, "fault.0", "0 @ 1 & 0x0f = 0x0e");
	CHECK_EQ(part_check(&p, NULL), 0);
	CHECK_EQ(part_decode(&p, 0, in, &v), FAULT_NONE);
	CHECK_NEAR(v, (0xbeef - 0x10000) * 0.5, 0);
	CHECK_EQ(part_decode(&p, 1, in, &v), FAULT_NONE);
	CHECK_NEAR(v, 100, 0);
	in[0] ^= 1;
	CHECK_EQ(part_decode(&p, 0, in, &v), FAULT_CRC);
	CHECK_EQ(part_decode(&p, 1, in, &v), FAULT_NONE);
	in[1] = 0xee;
	in[2] = part_crc8(PART_CRC_SHT, in, 2);
	v = 99;
	CHECK_EQ(part_decode(&p, 0, in, &v), FAULT_FORMAT);	/* the fault of its own read */
	CHECK_NEAR(v, 99, 0);
	CHECK_EQ(part_decode(&p, 1, in, &v), FAULT_NONE);
	/* The fault of a read that no channel is made of concerns all of them. */
	set(&p, "read.2", "2 -> 1");
	set(&p, "fault.0", "2 @ 0 & 0x81");
	CHECK_EQ(part_check(&p, NULL), 0);
	CHECK_EQ(p.bytes, 6);
	for (unsigned status = 0; status < 256; status++) {
		uint8_t all[] = { 0xbe, 0xef, 0x92, 0x00, 0x07, (uint8_t)status };
		int bad = (status & 0x81) == 0x81 ? FAULT_FORMAT : FAULT_NONE;

		CHECK_EQ(part_decode(&p, 0, all, &v), bad);
		CHECK_EQ(part_decode(&p, 1, all, &v), bad);
	}
}

static void test_decode_ends(void)
{
	uint8_t in[8];
	struct part p;
	double v;

	part_init(&p, "x");
	set(&p, "kind", "i2c");
	set(&p, "read.0", "-> 8");
	set(&p, "channel.u", "0 @ 0 be:u64/64");
	set(&p, "channel.s", "0 @ 0 be:s64/64");
	set(&p, "channel.huge", "0 @ 0 be:u64/64, scale = 1e300");
	CHECK_EQ(part_check(&p, NULL), 0);
	memset(in, 0xff, sizeof in);
	CHECK_EQ(part_decode(&p, 0, in, &v), 0);
	CHECK_NEAR(v, 18446744073709551615.0, 0);
	CHECK_EQ(part_decode(&p, 1, in, &v), 0);
	CHECK_NEAR(v, -1, 0);
	CHECK_EQ(part_decode(&p, 2, in, &v), FAULT_NAN);
}

static void test_frames(void)
{
	static const struct { const char *sum; uint8_t frame[6]; } good[] = {
		{ "none", { 0xaa, 0x01, 0xff, 0xff, 0xff, 0xff } },
		{ "sum8", { 0xaa, 0x01, 0xff, 0x02, 0xff, 0xab } },
		{ "xor8", { 0xaa, 0x01, 0xff, 0x02, 0xff, 0xa9 } },
		{ "sum16be", { 0xaa, 0x01, 0xff, 0x02, 0x01, 0xac } },
	};

	for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
		struct part p;

		part_init(&p, "x");
		set(&p, "kind", "serial");
		set(&p, "start", "0xaa 0x01");
		set(&p, "length", "6");
		set(&p, "checksum", good[i].sum);
		set(&p, "channel.a", "0 @ 2 be:u8/8");
		CHECK_EQ(part_check(&p, NULL), 0);
		CHECK(part_frame_ok(&p, good[i].frame));
		for (unsigned at = 0; at < 6; at++) {
			uint8_t f[6];

			memcpy(f, good[i].frame, 6);
			f[at] ^= 0x10;
			CHECK(part_frame_ok(&p, f) == (!strcmp(good[i].sum, "none") && at >= 2));
		}
	}
}

int main(void)
{
	test_check();
	test_check_spi();
	test_check_drivers();
	test_check_serial();
	test_crc();
	test_decode();
	test_decode_ends();
	test_frames();
	return 0;
}
