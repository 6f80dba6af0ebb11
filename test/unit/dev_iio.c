// SPDX-License-Identifier: MIT
/* dev iio: what scans mean: layouts, scales, halves, garbage; and the same channels polled. */
#include "test/unit/dev_iio_stream.h"

static void values(enum ring_kind kind)
{
	struct sensor_config s = begin(50);
	uint8_t b[3 * SCAN];
	struct rig g;

	rig(&g, kind, &s);
	make_scan(b, -100, 300, -40, g.t_ns - 7);
	send(b, SCAN);
	take(&g, SCAN);
	CHECK_NEAR(SLOT(&g, 0)->value, (-40 + 160) * 125 * 1e-3, 1e-5);
	CHECK_NEAR(SLOT(&g, 1)->value, 150, 0);		/* its own scale */
	CHECK_NEAR(SLOT(&g, 2)->value, 150, 0);
	CHECK_NEAR(SLOT(&g, 3)->value, -25, 0);		/* that of its type */
	CHECK_NEAR(SLOT(&g, 4)->value, (-100 + 1) * 2, 0);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(SLOT(&g, i)->t_ns, g.t_ns - 7);
		CHECK_EQ(SLOT(&g, i)->state, CHANNEL_LIVE);
		CHECK_EQ(SLOT(&g, i)->samples, 1);
	}
	CHECK_EQ(g.dev->reads, 1);
	CHECK_EQ(SLOT(&g, 5)->samples, 0);
	/* Several at once, each with its own time. */
	rig_start(&g);
	make_scan(b, 32767, -32768, 2047, g.t_ns - 3000);
	make_scan(b + SCAN, 0, 0, -2048, g.t_ns - 2000);
	make_scan(b + 2 * SCAN, 8, 8, 8, g.t_ns - 1000);
	send(b, 3 * SCAN);
	take(&g, 4 * SCAN);
	CHECK_EQ(SLOT(&g, 0)->samples, 4);
	CHECK_NEAR(SLOT(&g, 1)->value, 4, 0);
	CHECK_EQ(SLOT(&g, 1)->t_ns, g.t_ns - 1000);
	CHECK_EQ(g.dev->errors, 0);
	unrig(&g);
}

/* A scan as it is laid out by the types: the oracle shifts bits one by one. */
static int64_t oracle(const char *type, const uint8_t *p)
{
	unsigned bits, storage, shift = 0;
	bool big = type[0] == 'b', sign = type[3] == 's';
	int64_t v = 0;

	CHECK(sscanf(type + 4, "%u/%u", &bits, &storage) == 2);
	if (strstr(type, ">>"))
		shift = (unsigned)atoi(strstr(type, ">>") + 2);
	for (unsigned i = 0; i < bits; i++) {
		unsigned at = shift + i, byte = at / 8;

		if (p[big ? storage / 8 - 1 - byte : byte] >> at % 8 & 1)
			v |= (int64_t)(1ull << i);
	}
	if (sign && bits < 64 && v >> (bits - 1) & 1)
		v -= (int64_t)(1ull << bits);
	return v;
}

/* Every byte order, sign, width and shift, behind an element that needs alignment after it. */
static void layouts(enum ring_kind kind)
{
	static const char *const types[] = {
		"le:u8/8>>0", "le:s8/8>>0", "be:s5/8>>3", "le:u12/16>>4", "be:u12/16>>4",
		"be:s12/16>>0", "le:s14/16>>2", "be:u16/16>>0", "le:s24/32>>0", "be:s24/32>>8",
		"le:u20/32>>12", "be:u32/32>>0", "le:s32/32>>0", "be:s48/64>>2", "le:u64/64>>0",
		"be:s64/64>>0", "le:s16/16X4>>0", "be:s32/32X2>>0",
	};
	static const unsigned size[] = { 1, 1, 1, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 8, 8, 8, 8, 8 };

	for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
		struct sensor_config s = begin(0);
		unsigned n = size[i] + 1 > 2 * size[i] ? 2 : 2 * size[i];
		uint8_t b[16];
		struct rig g;

		made_element("temp", "0", "le:u8/8>>0");
		made_element("magn_x", "1", types[i]);
		tree_drop(MAGN "/trigger");
		tree_drop(MAGN "/scan_elements/in_timestamp_en");
		channels[0] = made_channel("magn_x");
		channels[1] = made_channel("temp");
		channels[0].scaled = true;
		s.channels = 2;
		rig(&g, kind, &s);
		for (unsigned round = 0; round < 8; round++) {
			for (unsigned k = 0; k < n; k++)
				b[k] = (uint8_t)((round + 3) * 0x9e3779b1u >> (k % 4 * 8));
			if (round == 7)
				memset(b, 0xff, n);
			send(b, n);
			take(&g, (round + 1) * n);
			CHECK_NEAR(SLOT(&g, 0)->value,
				   strchr(types[i], 'u') && size[i] == 8
					   ? (float)(uint64_t)oracle(types[i], b + size[i])
					   : (float)oracle(types[i], b + size[i]), 0);
			CHECK_NEAR(SLOT(&g, 1)->value, (float)((b[0] + 160) * 0.125), 0);
		}
		CHECK_EQ(g.dev->reads, 8);
		unrig(&g);
	}
}

/* In pieces of every size; the ring's buffers are 100 bytes, no multiple of a scan. */
static void pieces(enum ring_kind kind)
{
	static uint8_t b[200 * SCAN];
	struct sensor_config s = begin(0);
	struct rig g;

	tree_drop(MAGN "/trigger");
	rig(&g, kind, &s);
	for (unsigned i = 0; i < 200; i++)
		make_scan(b + i * SCAN, (int)i, -(int)i, 0, 0);
	for (unsigned at = 0, n = 1; at < sizeof b; at += n, n = n % 97 + 1) {
		if (n > sizeof b - at)
			n = sizeof b - at;
		send(b + at, n);
		take(&g, at + n);
		if (at + n >= SCAN)
			CHECK_NEAR(SLOT(&g, 3)->value, ((at + n) / SCAN - 1) * 0.25, 0);
	}
	CHECK_EQ(g.dev->reads, 200);
	CHECK_EQ(SLOT(&g, 3)->samples, 200);
	/* All at once, more than the buffers hold. */
	send(b, sizeof b);
	take(&g, 2 * sizeof b);
	CHECK_EQ(g.dev->reads, 400);
	CHECK_EQ(g.dev->errors, 0);

	/* Half a scan whose rest does not come while ticks go by is no beginning of the next. */
	send(b, 7);
	take(&g, 2 * sizeof b + 7);
	dev_iio.tick(g.dev, &g.frame, g.t_ns += 1000 * MS);
	CHECK_EQ(g.dev->errors, 0);
	for (unsigned i = 0; i < 3; i++)
		dev_iio.tick(g.dev, &g.frame, g.t_ns += 20 * MS);
	CHECK_EQ(g.dev->errors, 1);
	send(b + 3 * SCAN, SCAN);
	take(&g, 2 * sizeof b + 7 + SCAN);
	CHECK_NEAR(SLOT(&g, 3)->value, 0.75, 0);
	/* A slow writer is not a lost one, nor is this thread when it was held up once. */
	for (unsigned i = 0; i < SCAN; i++) {
		send(b + 4 * SCAN + i, 1);
		take(&g, 2 * sizeof b + 8 + SCAN + i);
		dev_iio.tick(g.dev, &g.frame, g.t_ns += i == 8 ? 1000 * MS : 20 * MS);
		for (unsigned k = 0; k < 9 && i != 8; k++)
			dev_iio.tick(g.dev, &g.frame, g.t_ns += 20 * MS);
	}
	CHECK_NEAR(SLOT(&g, 3)->value, 1, 0);
	CHECK_EQ(g.dev->errors, 1);
	unrig(&g);
}

static void polled(enum ring_kind kind)
{
	struct sensor_config s = begin(0);
	struct ring_event e;
	struct rig g;

	tree_attr(MAGN, "in_magn_x_input", "0.5");	/* computed by the driver: no scale */
	snprintf(s.mode, sizeof s.mode, "poll");
	rig_open(&g, kind, &s);
	CHECK_EQ(iio_path(g.dev), DEV_PATH_WORKER);
	CHECK_STR(tree_get(MAGN, "buffer/enable"), "0");
	CHECK_EQ(rig_tick(&g), 1);	/* temp, magn_z, magn_x */
	CHECK_NEAR(SLOT(&g, 0)->value, 25, 1e-5);
	CHECK_NEAR(SLOT(&g, 1)->value, 150, 0);
	CHECK_NEAR(SLOT(&g, 2)->value, 150, 0);
	CHECK_NEAR(SLOT(&g, 3)->value, 0.5, 0);
	CHECK_NEAR(SLOT(&g, 4)->value, 3, 0);
	CHECK_EQ(SLOT(&g, 3)->t_ns, g.t_ns);
	CHECK_EQ(g.dev->reads, 3);
	tree_attr(MAGN, "in_magn_z_raw", "-4000");
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 1)->value, -2000, 0);
	/* The buffer of another program keeps the driver from answering. */
	CHECK_EQ(rig_start(&g), 1);
	for (unsigned i = 0; i < 3; i++) {
		e = next_event(g.ring);
		e.res = -EBUSY;
		CHECK_EQ(rig_complete(&g, &e), i == 2);
	}
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_BUSY);
	CHECK(!g.dev->gone);
	rig_close(&g);

	/* Milli percent and kilopascal, read by their own files, where there is no buffer. */
	tree_drop(MAGN "/buffer");
	tree_attr(MAGN, "in_pressure_input", "101.325000");
	tree_attr(MAGN, "in_humidityrelative_input", "45500");
	channels[0] = made_channel("humidityrelative");
	channels[1] = made_channel("pressure");
	s.channels = 2;
	s.mode[0] = '\0';
	rig_open(&g, kind, &s);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 45.5, 1e-5);
	CHECK_NEAR(SLOT(&g, 1)->value, 101.325, 1e-4);
	rig_close(&g);
}

/* No bytes make a value that is none, and none are lost or taken twice. */
static void garbage(enum ring_kind kind)
{
	struct sensor_config s = begin(50);
	uint64_t written = 0;
	uint32_t seed = 1;
	uint8_t b[77];
	struct rig g;

	rig(&g, kind, &s);
	for (unsigned i = 0; i < 300; i++) {
		unsigned n = 1 + i % sizeof b;

		for (unsigned k = 0; k < n; k++) {
			seed = seed * 1664525 + 1013904223;
			b[k] = (uint8_t)(seed >> 24);
		}
		send(b, n);
		take(&g, written += n);
		rig_start(&g);
		for (unsigned k = 0; k < 5; k++) {
			CHECK(isfinite(SLOT(&g, k)->value));
			CHECK(SLOT(&g, k)->t_ns <= g.t_ns);
		}
		CHECK(fabs(SLOT(&g, 3)->value) <= 8192);
	}
	CHECK_EQ(g.dev->reads, written / SCAN);
	unrig(&g);
}

static void body(enum ring_kind kind)
{
	values(kind);
	layouts(kind);
	pieces(kind);
	polled(kind);
	garbage(kind);
}

int main(void)
{
	tree_open();
	return on_both(body);
}
