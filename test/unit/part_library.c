// SPDX-License-Identifier: MIT
/*
 * The sensor library: every file loads and is whole, no two parts could be taken for one
 * another, and the examples that the data sheets print come out as they say. A row is the
 * bytes of all reads of a part, one after the other.
 */
#include <errno.h>

#include "agent/frame.h"
#include "agent/part.h"
#include "kernels/why.h"
#include "test/test.h"
#include "test/unit/part_golden.h"

static const char *library(void)
{
	const char *dir = getenv("SONDE_SENSORS_DIR");

	return dir ? dir : "agent/sensors";
}

static struct part load(const char *name)
{
	struct part p;
	struct why why = { "" };

	if (part_load(&p, library(), name, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	return p;
}

static unsigned channel(const struct part *p, const char *name)
{
	for (unsigned i = 0; i < p->channels; i++)
		if (!strcmp(p->channel[i].name, name))
			return i;
	fprintf(stderr, "%s has no channel %s\n", p->name, name);
	exit(1);
}

/* hex: "19 00 | 80", blanks and bars for the eye. */
static unsigned bytes(uint8_t out[PART_BYTES_MAX], const char *hex)
{
	unsigned n = 0, v;
	int used;

	while (sscanf(hex, " %2x%n", &v, &used) == 1) {
		CHECK(n < PART_BYTES_MAX);
		out[n++] = (uint8_t)v;
		hex += used;
		hex += strspn(hex, " |");
	}
	CHECK(!*hex);
	return n;
}

static void test_golden(void)
{
	for (unsigned i = 0; i < sizeof golden / sizeof *golden; i++) {
		const struct golden *g = &golden[i];
		struct part p = load(g->part);
		unsigned c = channel(&p, g->channel);
		uint8_t in[PART_BYTES_MAX] = { 0 };
		double v = NAN;
		int fault;

		if (bytes(in, g->in) != p.bytes) {
			fprintf(stderr, "%s: a reading has %u bytes, not %s\n", g->part, p.bytes,
				g->in);
			exit(1);
		}
		fault = part_decode(&p, c, in, &v);
		if (fault != g->fault || (!fault && !(fabs(v - g->value) <= g->eps))) {
			fprintf(stderr, "%s %s of %s: %.9g, fault %d; not %.9g, fault %d\n",
				g->part, g->channel, g->in, v, fault, g->value, g->fault);
			exit(1);
		}
		if (!fault && g->outside == ((float)v >= p.channel[c].min &&
					     (float)v <= p.channel[c].max)) {
			fprintf(stderr, "%s %s: %g and the range %g..%g\n", g->part, g->channel, v,
				(double)p.channel[c].min, (double)p.channel[c].max);
			exit(1);
		}
	}
}

/* Plantower's manual, Appendix I: 42 4D 00 1C, 13 words, the sum of the 30 bytes. */
static void test_particles(void)
{
	static const struct { const char *name; double value; } want[] = {
		{ "pm1", 4 }, { "pm2.5", 5 }, { "pm10", 256 + 6 }, { "count3", 0x0702 },
		{ "count5", 8 }, { "count10", 9 }, { "count25", 10 }, { "count50", 11 },
		{ "count100", 12 },
	};
	static const char text[] = "42 4d 00 1c | 00 01 00 02 00 03 | 00 04 00 05 01 06 | "
		"07 02 00 08 00 09 00 0a 00 0b 00 0c | 97 00 | 01 94";
	struct part p = load("pms5003");
	uint8_t f[PART_BYTES_MAX];
	unsigned sum = 0;
	double v;

	CHECK_EQ(bytes(f, text), 32);
	CHECK_EQ(p.bytes, 32);
	CHECK_EQ(p.reads, 1);
	for (unsigned i = 0; i < 30; i++)
		sum += f[i];
	f[30] = (uint8_t)(sum >> 8);
	f[31] = (uint8_t)sum;
	CHECK(part_frame_ok(&p, f));
	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		CHECK_EQ(part_decode(&p, channel(&p, want[i].name), f, &v), 0);
		CHECK_NEAR(v, want[i].value, 0);
	}
	for (unsigned i = 0; i < 32; i++) {
		f[i] ^= 0x04;
		CHECK(!part_frame_ok(&p, f));
		f[i] ^= 0x04;
	}
	CHECK(part_frame_ok(&p, f));
}

/* Maxim 19-7487, Table 1. The kernel decodes; here the same table in raw form. */
static void test_one_wire(void)
{
	static const struct { uint16_t raw; double value; } table[] = {
		{ 0x07d0, 125 }, { 0x0550, 85 }, { 0x0191, 25.0625 }, { 0x00a2, 10.125 },
		{ 0x0008, 0.5 }, { 0, 0 }, { 0xfff8, -0.5 }, { 0xff5e, -10.125 },
		{ 0xfe6f, -25.0625 }, { 0xfc90, -55 },
	};
	struct part p = load("ds18b20"), raw;
	double v;

	CHECK_STR(p.kind, "w1");
	CHECK_EQ(p.channels, 1);
	CHECK_STR(p.channel[0].attribute, "temperature");
	part_init(&raw, "scratchpad");
	CHECK_EQ(part_key(&raw, "kind", "i2c", NULL), 0);
	CHECK_EQ(part_key(&raw, "read.0", "-> 9", NULL), 0);
	CHECK_EQ(part_key(&raw, "channel.t", "0 @ 0 le:s16/16, scale = 1/16", NULL), 0);
	CHECK_EQ(part_key(&raw, "channel.all", "0 @ 0 le:u64/64, crc = dallas", NULL), 0);
	CHECK_EQ(part_check(&raw, NULL), 0);
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
		uint8_t pad[9] = { (uint8_t)table[i].raw, (uint8_t)(table[i].raw >> 8), 0x4b, 0x46,
				   0x7f, 0xff, 0x0c, 0x10 };

		pad[8] = part_crc8(PART_CRC_DALLAS, pad, 8);
		CHECK_EQ(part_decode(&raw, 0, pad, &v), 0);
		CHECK_NEAR(v, table[i].value, 0);
		CHECK_EQ(part_decode(&raw, 1, pad, &v), 0);
		pad[0] ^= 0x20;
		CHECK_EQ(part_decode(&raw, 1, pad, &v), FAULT_CRC);
	}
}

/* What is left to the kernel's drivers: no register is touched, all they give is named. */
static void test_driven(void)
{
	static const struct { const char *part; unsigned channels; } parts[] = {
		{ "bme280", 3 }, { "dps310", 2 },
	};

	for (unsigned i = 0; i < 2; i++) {
		struct part p = load(parts[i].part);

		CHECK_STR(p.kind, "iio");
		CHECK_STR(p.driver, parts[i].part);
		CHECK(*p.overlay);
		CHECK_EQ(p.reads, 0);
		CHECK_EQ(p.inits, 0);
		CHECK_EQ(p.channels, parts[i].channels);
		CHECK_STR(p.channel[0].attribute, "temp");
		CHECK_STR(p.channel[1].attribute, "pressure");
	}
}

/*
 * What goes over the wire, as the data sheets' register tables have it, not as the files do: the
 * first address and how many, the SPI mode, bytes written (in ! to set up), bytes read (>).
 */
static const struct {
	const char *part, *wire;
	uint8_t address, addresses, spi_mode;
} wires[] = {
	{ "lm75", "00>2", 0x48, 8 },
	{ "tmp102", "00>2", 0x48, 4 },
	{ "tmp105", "!0160 00>2", 0x48, 8 },
	{ "tmp117", "00>2", 0x48, 4 },
	{ "mcp9808", "05>2", 0x18, 8 },
	{ "sht3x", "2400>6", 0x44, 2 },
	{ "sht4x", "fd>6", 0x44, 3 },
	{ "bh1750", "20>2", 0x23, 2 },
	{ "ina219", "01>2 02>2", 0x40, 16 },
	{ "ina226", "01>2 02>2", 0x40, 16 },
	/* OS, MUX = AINi to ground, PGA ±4.096 V, single shot; 128 a second, no comparator */
	{ "ads1115", "01c383 00>2 01d383 00>2 01e383 00>2 01f383 00>2", 0x48, 4 },
	/* Reset; awake on the gyroscope's clock; 1 kHz / 5; 94 Hz; ±250 °/s; ±2 g */
	{ "mpu6050", "!6b80 !6b01 !1904 !1a02 !1b00 !1c00 3b>14 6b>1", 0x68, 2 },
	/* 100 Hz; full resolution, ±16 g; measure */
	{ "adxl345", "!2c0a !310b !2d08 2d>11", 0x53, 2 },
	{ "adxl345-spi", "!2c0a !310b !2d08 ed0000000000000000000000>11", 0, 0, 3 },
	/* BDU, ±2 g, high resolution; 100 Hz, three axes */
	{ "lis3dh", "!2388 !2057 a8>6 20>1", 0x18, 2 },
	{ "mcp3008", "018000>2 019000>2 01a000>2 01b000>2 01c000>2 01d000>2 01e000>2 01f000>2" },
	{ "max31855", ">4" },
	{ "max6675", ">2", 0, 0, 1 },
	{ "pms5003", ">32" },
	{ "bme280", "", 0x76, 2 },
	{ "dps310", "", 0x77, 2 },
	{ "ds18b20", "" },
};

static size_t print_step(char *text, size_t size, const char *mark, const struct part_step *s)
{
	size_t n = (size_t)snprintf(text, size, "%s", mark);

	for (unsigned i = 0; i < s->outs; i++)
		n += (size_t)snprintf(text + n, size - n, "%02x", s->out[i]);
	if (s->in)
		n += (size_t)snprintf(text + n, size - n, ">%u", s->in);
	return n + (size_t)snprintf(text + n, size - n, " ");
}

static void test_wires(void)
{
	for (unsigned i = 0; i < sizeof wires / sizeof *wires; i++) {
		struct part p = load(wires[i].part);
		char text[512] = "";
		size_t n = 0;

		for (unsigned k = 0; k < p.inits; k++)
			n += print_step(text + n, sizeof text - n, "!", &p.init[k]);
		for (unsigned k = 0; k < p.reads; k++)
			n += print_step(text + n, sizeof text - n, "", &p.read[k]);
		text[n ? n - 1 : 0] = '\0';
		CHECK_STR(text, wires[i].wire);
		CHECK_EQ(p.addresses, wires[i].addresses);
		CHECK_EQ(p.address[0], wires[i].address);
		CHECK_EQ(p.spi_mode, wires[i].spi_mode);
	}
}

/* Not shorter than the data sheet's longest, not much longer. */
static void test_times(void)
{
	struct part p = load("sht3x");

	CHECK(p.read[0].wait_us >= 15500 && p.read[0].wait_us <= 20000);
	p = load("sht4x");
	CHECK(p.read[0].wait_us >= 8300 && p.read[0].wait_us <= 12000);
	p = load("bh1750");
	CHECK(p.read[0].wait_us >= 180000 && p.read[0].wait_us <= 200000);
	CHECK_EQ(p.address[1], 0x5c);
	p = load("ads1115");
	for (unsigned i = 0; i < 8; i += 2)	/* 128 a second, 10 % slow */
		CHECK(p.read[i].wait_us * 128 * 0.9 >= 1000000 && p.read[i].wait_us < 10000);
	CHECK(p.period_s * 1e6 >= 4 * p.read[0].wait_us);
	p = load("max6675");
	CHECK(p.period_s >= 0.22);
	CHECK_STR(p.driver, "maxim_thermocouple");
	/* Their drivers wait: two values a second each, three of 85 ms. */
	p = load("dps310");
	CHECK(p.period_s >= 2);
	p = load("bme280");
	CHECK(p.period_s >= 0.26);
	CHECK(p.spi_hz <= 4300000);
	p = load("max31855");
	CHECK(p.period_s >= 0.1);
	CHECK_STR(p.driver, "maxim_thermocouple");
	CHECK(p.spi_hz <= 5000000);
	p = load("mcp3008");
	CHECK(p.spi_hz <= 1350000);
	p = load("adxl345-spi");
	CHECK(p.spi_hz <= 5000000);
	CHECK_EQ(p.identify.out[0], 0x80);
	CHECK_EQ(p.id_value[0], 0xe5);
	p = load("adxl345");
	CHECK_EQ(p.address[1], 0x1d);
	p = load("pms5003");
	CHECK_EQ(p.baud, 9600);
}

/* All inputs of the converters alike. */
static void test_inputs(void)
{
	struct part p = load("mcp3008");
	uint8_t in[PART_BYTES_MAX] = { 0 };
	double v;

	for (unsigned i = 0; i < 8; i++) {
		in[2 * i] = (uint8_t)(0xf8 | (i & 3));
		in[2 * i + 1] = (uint8_t)(i + 1);
	}
	for (unsigned i = 0; i < 8; i++) {
		CHECK_EQ(part_decode(&p, i, in, &v), 0);
		CHECK_NEAR(v, 3.3 * ((i & 3) * 256 + i + 1) / 1024, 1e-12);
		in[2 * i] |= 4;
		for (unsigned k = 0; k < 8; k++)
			CHECK_EQ(part_decode(&p, k, in, &v), k == i ? FAULT_FORMAT : FAULT_NONE);
		in[2 * i] &= 0xfb;
	}
}

static bool shares_address(const struct part *a, const struct part *b)
{
	for (unsigned i = 0; i < a->addresses; i++)
		if (memchr(b->address, a->address[i], b->addresses))
			return true;
	return false;
}

/* Could a part answer a's question as b would? Other registers tell nothing of each other. */
static bool same_identity(const struct part *a, const struct part *b)
{
	unsigned n = a->identify.in < b->identify.in ? a->identify.in : b->identify.in;

	if (!a->identify.outs || a->identify.outs != b->identify.outs ||
	    memcmp(a->identify.out, b->identify.out, a->identify.outs))
		return false;
	for (unsigned i = 0; i < n; i++)
		if ((a->id_value[i] ^ b->id_value[i]) & a->id_mask[i] & b->id_mask[i])
			return false;
	return true;
}

static void test_whole(void)
{
	static const char *const needed[] = {
		"lm75", "tmp102", "tmp105", "tmp117", "mcp9808", "sht3x", "sht4x", "bh1750",
		"ina219", "ina226", "ads1115", "mpu6050", "adxl345", "adxl345-spi", "lis3dh",
		"mcp3008",
		"max31855", "max6675", "ds18b20", "pms5003", "bme280", "dps310",
	};
	struct why why = { "" };
	struct part *all;
	char **names;
	unsigned n;

	if (part_list(&names, &n, library(), &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	all = calloc(n, sizeof *all);
	CHECK(all);
	for (unsigned i = 0; i < n; i++) {
		bool raw;

		all[i] = load(names[i]);
		CHECK_STR(all[i].name, names[i]);
		CHECK(*all[i].title && *all[i].datasheet);
		raw = strcmp(all[i].kind, "iio") && strcmp(all[i].kind, "w1");
		CHECK(all[i].channels);
		for (unsigned c = 0; raw && c < all[i].channels; c++)
			CHECK(*all[i].channel[c].unit);
		if (raw && strcmp(all[i].kind, "serial"))
			CHECK(all[i].period_s > 0);
		for (unsigned k = 0; k < i; k++)
			if (shares_address(&all[i], &all[k]) && same_identity(&all[i], &all[k])) {
				fprintf(stderr, "%s and %s can not be told apart\n", names[i],
					names[k]);
				exit(1);
			}
	}
	for (unsigned i = 0; i < sizeof needed / sizeof *needed; i++)
		load(needed[i]);
	part_list_free(names, n);
	free(all);
}

int main(void)
{
	test_whole();
	test_golden();
	test_particles();
	test_one_wire();
	test_driven();
	test_wires();
	test_times();
	test_inputs();
	return 0;
}
