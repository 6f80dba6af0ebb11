// SPDX-License-Identifier: MIT
/* dev iio text: types and units, where an attribute may stand, rates, layouts. */
#include "agent/dev/iio_text.h"

#include <errno.h>

#include "agent/dev/iio.h"
#include "kernels/why.h"
#include "test/test.h"

static void types(void)
{
	static const struct { const char *channel, *unit; double factor; } want[] = {
		{ "accel_x", "m/s2", 1 }, { "anglvel_z", "rad/s", 1 }, { "magn_x", "G", 1 },
		{ "temp", "°C", 1e-3 }, { "temp_ambient", "°C", 1e-3 }, { "temp0", "°C", 1e-3 },
		{ "pressure", "kPa", 1 }, { "pressure1", "kPa", 1 },
		{ "humidityrelative", "%", 1e-3 }, { "voltage0", "V", 1e-3 },
		{ "voltage0-voltage1", "V", 1e-3 }, { "current2", "A", 1e-3 },
		{ "power0", "W", 1e-3 }, { "energy", "J", 1 }, { "illuminance", "lx", 1 },
		{ "resistance", "ohm", 1 }, { "concentration_co2", "%", 1 },
		{ "massconcentration_pm2p5", "ug/m3", 1 }, { "incli_x", "deg", 1 },
		{ "intensity_both", "", 1 }, { "proximity", "", 1 }, { "count0", "", 1 },
		{ "angl", "rad", 1 }, { "anglx", "", 1 }, { "te", "", 1 }, { "tempe", "", 1 },
		{ "", "", 1 },
	};

	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		CHECK_STR(iio_unit(want[i].channel), want[i].unit);
		CHECK_NEAR(iio_type(want[i].channel)->factor, want[i].factor, 0);
	}
}

static void attributes(void)
{
	static const char *const want[][5] = {
		{ "magn_x", "in_magn_x_scale", "in_magn_x_scale", "in_magn_scale", "in_scale" },
		{ "voltage0-voltage1", "in_voltage0-voltage1_scale", "in_voltage-voltage_scale",
		  "in_voltage_scale", "in_scale" },
		{ "voltage12_i", "in_voltage12_i_scale", "in_voltage_i_scale", "in_voltage_scale",
		  "in_scale" },
	};
	char name[64];

	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		for (unsigned n = 0; n < 4; n++) {
			CHECK(iio_attribute(name, sizeof name, want[i][0], "scale", n));
			CHECK_STR(name, want[i][1 + n]);
		}
		CHECK(iio_attribute(name, sizeof name, want[i][0], "scale", 4));
		CHECK_STR(name, "scale");
		CHECK(!iio_attribute(name, sizeof name, want[i][0], "scale", 5));
	}
}

static void numbers(void)
{
	double v;

	CHECK_EQ(iio_number("0.000598205", &v), 0);
	CHECK_NEAR(v, 0.000598205, 1e-15);
	CHECK_EQ(iio_number("-28.500000", &v), 0);
	CHECK_NEAR(v, -28.5, 0);
	CHECK_EQ(iio_number("6.020600 dB", &v), 0);
	CHECK_NEAR(v, 6.0206, 1e-12);
	CHECK_EQ(iio_number("", &v), -EINVAL);
	CHECK_EQ(iio_number("dB", &v), -EINVAL);
	CHECK_EQ(iio_number("\n5", &v), -EINVAL);
}

static void choose(const char *list, double hz, const char *want)
{
	char text[16] = "";
	int err = iio_rate_choose(list, hz, text, sizeof text);

	if (!want) {
		CHECK_EQ(err, -ENOENT);
		return;
	}
	CHECK_EQ(err, 0);
	CHECK_STR(text, want);
}

static void rates(void)
{
	static const char lsm[] = "0.750 1.500 3.000 7.500 15.000 30.000 75.000 220.000";
	char text[32];

	choose(lsm, 50, "75.000");
	choose(lsm, 75, "75.000");
	choose(lsm, 0.1, "0.750");
	choose(lsm, 500, "220.000");
	/* In no order, with what is no rate between; 12.499999 is how 12.5 may be printed. */
	choose("100 25 0 50 off 12.499999\n", 12.5, "12.499999");
	choose("100 25 0 50", 30, "50");
	choose("100 25 0 50", 0.5, "25");
	choose("100,25, 50", 26, "50");
	choose("0", 5, NULL);
	choose("", 5, NULL);
	choose("none at all", 5, NULL);
	choose("-5 -1", 5, NULL);
	choose("99999999999", 5, NULL);
	choose("12345678901234567890123456789012345", 5, NULL);

	choose("[1 1 400]", 49.5, "50");
	choose("[1 1 400]", 50, "50");
	choose("[1 1 400]", 0.2, "1");
	choose("[1 1 400]", 1000, "400");
	choose("[4 0.5 100]", 10.3, "10.5");
	choose("[0 0 100]", 10.25, "10.25");
	choose("[3.9 1 500]", 5, "5.9");
	choose("[0 0.3 100]", 2.1, "2.1");	/* 7.000000000000001 steps */
	choose("[10 1 400]", 2, "10");
	choose("[0.00001 0 1]", 0.00001, NULL);
	choose("[1 2]", 5, NULL);
	choose("[1 2 3 4]", 5, NULL);
	choose("[0 0 0]", 5, NULL);
	choose("[9 1 5]", 5, NULL);
	choose("[", 5, NULL);

	iio_rate_text(50, text, sizeof text);
	CHECK_STR(text, "50");
	iio_rate_text(100, text, sizeof text);
	CHECK_STR(text, "100");
	iio_rate_text(12.5, text, sizeof text);
	CHECK_STR(text, "12.5");
	iio_rate_text(1 / 3., text, sizeof text);
	CHECK_STR(text, "0.333");
}

struct case_element {
	const char *index, *type;
};

/* Elements in the configuration's order; the k-th of the scan is sources[k], at at[k]. */
static void layout(const struct case_element *c, unsigned n, bool timestamp, int bytes,
		   const unsigned *sources, const unsigned *at)
{
	struct iio_element e[IIO_ELEMENTS_MAX];
	struct why why = { "" };

	for (unsigned i = 0; i < n; i++) {
		CHECK_EQ(iio_element_parse(&e[i], c[i].index, c[i].type, &why), 0);
		e[i].source = i;
	}
	CHECK_EQ(iio_layout(e, n, timestamp, &why), bytes);
	for (unsigned k = 0; k < n && bytes > 0; k++) {
		CHECK_EQ(e[k].source, sources[k]);
		CHECK_EQ(e[k].scan.offset, at[k]);
	}
}

static void layouts(void)
{
	static const struct case_element mixed[] = {
		{ "4", "le:u8/8>>0" }, { "2", "be:s24/32>>8" }, { "0", "le:s12/16>>4" },
		{ "3", "le:s16/16X3>>0" }, { "9", "le:s64/64>>0" },
	};
	static const struct case_element first[] = {
		{ "1", "le:s16/16>>0" }, { "0", "le:s64/64>>0" },
	};
	static const struct case_element same[] = {
		{ "1", "le:s16/16>>0" }, { "1", "le:s16/16>>0" },
	};
	static const struct case_element rotation[] = { { "0", "le:s32/32X4>>0" } };
	struct iio_element many[IIO_ELEMENTS_MAX + 1];

	/* 16 bits at 0, 32 at 4, 3 x 16 at ALIGN(8, 6), 8 bits behind them, 64 at the next 8. */
	layout(mixed, 5, true, 24, (unsigned[]){ 2, 1, 3, 0, 4 }, (unsigned[]){ 0, 4, 8, 14, 16 });
	/* The timestamp is last whatever its index is; without one the order is the index's. */
	layout(first, 2, true, 16, (unsigned[]){ 0, 1 }, (unsigned[]){ 0, 8 });
	layout(first, 2, false, 16, (unsigned[]){ 1, 0 }, (unsigned[]){ 0, 8 });
	layout(rotation, 1, false, 16, (unsigned[]){ 0 }, (unsigned[]){ 0 });
	layout(same, 2, false, -EINVAL, NULL, NULL);
	layout(same, 2, true, 4, (unsigned[]){ 0, 1 }, (unsigned[]){ 0, 2 });
	CHECK_EQ(iio_layout(many, 0, false, NULL), -EINVAL);
	for (unsigned i = 0; i < IIO_ELEMENTS_MAX; i++) {
		CHECK_EQ(iio_element_parse(&many[i], "0", "le:s64/64X4>>0", NULL), 0);
		many[i].index = i;
	}
	CHECK_EQ(iio_layout(many, 64, false, NULL), IIO_SCAN_MAX);
	CHECK_EQ(iio_layout(many, 65, false, NULL), -EINVAL);
	for (unsigned i = 0; i <= IIO_ELEMENTS_MAX; i++) {
		CHECK_EQ(iio_element_parse(&many[i], "0", "le:s8/8>>0", NULL), 0);
		many[i].index = i;
	}
	CHECK_EQ(iio_layout(many, 65, false, NULL), 65);
	CHECK_EQ(iio_layout(many, 66, false, NULL), -EINVAL);
}

static void bad_elements(void)
{
	static const struct case_element bad[] = {
		{ "", "le:s16/16>>0" }, { "x", "le:s16/16>>0" }, { "-1", "le:s16/16>>0" },
		{ "1 2", "le:s16/16>>0" }, { "65536", "le:s16/16>>0" },
		{ "99999999999999999999", "le:s16/16>>0" }, { "0", "" }, { "0", "le:s16" },
		{ "0", "le:s17/16>>0" }, { "0", "le:s16/24>>0" },
	};
	struct iio_element e;
	struct why why;

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_EQ(iio_element_parse(&e, bad[i].index, bad[i].type, &why), -EINVAL);
	CHECK_EQ(iio_element_parse(&e, "65535", "be:u24/32>>8", &why), 0);
	CHECK_EQ(e.index, 65535);
}

int main(void)
{
	types();
	attributes();
	numbers();
	rates();
	layouts();
	bad_elements();
	return 0;
}
