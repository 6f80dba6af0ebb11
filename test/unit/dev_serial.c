// SPDX-License-Identifier: MIT
/* dev serial, lines: fields, checksums, garbage, cut lines, the tty itself, unplugged and back. */
#include "agent/dev/serial_line.h"

#include "test/unit/dev_serial_fixture.h"

static struct channel_config channels[3];
static struct sensor_config sensor;
static struct cable cable;

static void describe(const char *start, bool nmea, unsigned a, unsigned b, unsigned c)
{
	const unsigned field[3] = { a, b, c };

	memset(channels, 0, sizeof channels);
	for (unsigned i = 0; i < 3; i++)
		channels[i] = (struct channel_config){
			.field = field[i], .scale = 1, .part_channel = -1,
		};
	sensor = (struct sensor_config){
		.name = "gps", .kind = "serial", .channel = channels, .channels = 3,
		.nmea = nmea, .baud = 9600,
	};
	snprintf(sensor.start, sizeof sensor.start, "%s", start);
}

/* The values after a line has gone through; NAN: that channel failed, and kept what it had. */
static void expect(struct rig *g, double a, double b, double c)
{
	const double want[3] = { a, b, c };

	for (unsigned i = 0; i < 3; i++) {
		if (isnan(want[i])) {
			CHECK_EQ(SLOT(g, i)->state, CHANNEL_FAULTY);
			continue;
		}
		CHECK_EQ(SLOT(g, i)->state, CHANNEL_LIVE);
		CHECK_NEAR(SLOT(g, i)->value, want[i], 1e-6 * fabs(want[i]));
	}
}

static void plain(enum ring_kind kind)
{
	struct rig g;

	describe("", false, 0, 1, 2);
	channels[2].scale = 0.5;
	channels[2].offset = 10;
	cable_open(&cable, &sensor);
	rig_open(&g, kind, &sensor);
	/* The end of a line that we did not see begin would be a wrong number. */
	cable_say(&cable, &g, "3.45 1 2\n");
	CHECK_EQ(g.dev->reads, 0);
	CHECK_EQ(SLOT(&g, 0)->samples, 0);
	CHECK_EQ(SLOT(&g, 0)->errors, 0);
	cable_say(&cable, &g, "23.45 -1 2\r\n");
	expect(&g, 23.45, -1, 6);
	CHECK_EQ(SLOT(&g, 0)->t_ns, g.t_ns);
	cable_say(&cable, &g, "T=1.5C, H: 40 %,-.5e1\n");
	expect(&g, 1.5, 40, 2.5);
	cable_say(&cable, &g, "\r\n\n  7\t8   9 \r");
	expect(&g, 7, 8, 9.5);
	CHECK_EQ(g.dev->reads, 3);
	CHECK_EQ(g.dev->errors, 0);

	/* Some fields are no numbers: the others are. */
	cable_say(&cable, &g, "1,,3\n");
	expect(&g, 1, NAN, 6.5);
	CHECK_EQ(SLOT(&g, 1)->fault, FAULT_FORMAT);
	cable_say(&cable, &g, "2,off,nan\n");
	expect(&g, 2, NAN, NAN);
	CHECK_EQ(SLOT(&g, 2)->fault, FAULT_NAN);
	cable_say(&cable, &g, "3,12.5.7\n");
	expect(&g, 3, NAN, NAN);
	CHECK_EQ(SLOT(&g, 1)->faults[FAULT_FORMAT], 3);
	CHECK_EQ(SLOT(&g, 2)->fault, FAULT_SHORT);
	CHECK_NEAR(SLOT(&g, 2)->value, 6.5, 0);
	cable_say(&cable, &g, "4,5,6\n");
	expect(&g, 4, 5, 8);
	CHECK_EQ(g.dev->error, 0);

	/* One byte at a time, and many lines at once. */
	for (const char *s = "11 12 13\r\n"; *s; s++)
		cable_feed(&cable, &g, s, 1);
	expect(&g, 11, 12, 11.5);
	for (unsigned i = 0; i < 40; i++)
		CHECK_EQ(write(cable.master, "21 22 23\n", 9), 9);
	cable_say(&cable, &g, "");
	while (g.dev->reads < 48) {
		struct ring_event e = next_event(g.ring);

		rig_complete(&g, &e);
	}
	expect(&g, 21, 22, 16.5);
	CHECK_EQ(SLOT(&g, 0)->samples, 48);
	rig_close(&g);
	cable_close(&cable);
}

static void counters(enum ring_kind kind)
{
	struct rig g;

	describe("n", false, 0, 1, 1);
	channels[1].counter = channels[2].counter = true;
	channels[1].wrap = 100;
	channels[1].scale = 2;
	cable_open(&cable, &sensor);
	rig_open(&g, kind, &sensor);
	cable_say(&cable, &g, "\nn5 90\n");
	CHECK_NEAR(SLOT(&g, 0)->value, 5, 0);
	CHECK_EQ(SLOT(&g, 1)->state, CHANNEL_PROBING);
	rig_ticks(&g, 50);
	cable_say(&cable, &g, "n6 10\n");
	CHECK_NEAR(SLOT(&g, 1)->value, 40, 1e-4);
	/* Without a wrap a step backwards gives none. */
	CHECK(SLOT(&g, 2)->state != CHANNEL_LIVE);
	/* Opened anew: who knows what it counted meanwhile. */
	CHECK_EQ(rig_reopen(&g), 0);
	rig_ticks(&g, 50);
	cable_say(&cable, &g, "\nn7 20\n");
	CHECK_NEAR(SLOT(&g, 0)->value, 7, 0);
	CHECK_EQ(SLOT(&g, 1)->samples, 1);
	rig_close(&g);
	cable_close(&cable);
}

#define GGA "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,"

static void nmea(enum ring_kind kind)
{
	struct rig g;

	describe("$GPGGA", true, 9, 7, 2);
	cable_open(&cable, &sensor);
	rig_open(&g, kind, &sensor);
	cable_say(&cable, &g, "\r\n" GGA "*47\r\n");
	expect(&g, 545.4, 8, 4807.038);
	/* Other sentences are none of ours. */
	cable_say(&cable, &g, "$GPRMC,1,2,3,4,5,6,7,8,9*56\r\n\r\n$G*47\r\n");
	CHECK_EQ(g.dev->reads, 1);
	expect(&g, 545.4, 8, 4807.038);

	/* A bit that turned over, a checksum that is missing, one that is none. */
	cable_say(&cable, &g, "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,945.4,M,46.9,M,,"
		  "*47\r\n");
	expect(&g, NAN, NAN, NAN);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_CRC);
	CHECK_EQ(g.dev->error, -EBADMSG);
	cable_say(&cable, &g, GGA "\r\n");
	cable_say(&cable, &g, GGA "*4G\r\n");
	CHECK_EQ(SLOT(&g, 0)->faults[FAULT_CRC], 3);
	CHECK_EQ(SLOT(&g, 0)->samples, 1);
	CHECK_EQ(g.dev->errors, 3);
	/* Broken in its name: it may have been ours, so it counts, but fails nothing. */
	cable_say(&cable, &g, GGA "*47\r\n$GQGGA,123519,4807.038,N,01131.000,E*47\r\n");
	CHECK_EQ(g.dev->errors, 4);
	expect(&g, 545.4, 8, 4807.038);

	/* No fix: empty fields are faults of their channels, the line is good. */
	cable_say(&cable, &g, "$GPGGA,123520,,,,,0,00,99.99,,,,,,*4F\r\n");
	expect(&g, NAN, 0, NAN);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_FORMAT);
	CHECK_EQ(g.dev->error, 0);
	CHECK_EQ(g.dev->errors, 4);
	cable_say(&cable, &g, GGA "*47\r\n");
	expect(&g, 545.4, 8, 4807.038);
	rig_close(&g);
	cable_close(&cable);
}

static void rubbish(enum ring_kind kind)
{
	char line[SERIAL_LINE_MAX + 64];
	struct rig g;
	uint64_t reads;

	describe("", false, 0, 1, 2);
	cable_open(&cable, &sensor);
	rig_open(&g, kind, &sensor);
	cable_say(&cable, &g, "\n1 2 3\n");
	/* The longest line there may be, and one byte more. */
	memset(line, ' ', sizeof line);
	memcpy(line, "4 5 6", 5);
	line[SERIAL_LINE_MAX] = '\n';
	cable_feed(&cable, &g, line, SERIAL_LINE_MAX + 1);
	expect(&g, 4, 5, 6);
	CHECK_EQ(g.dev->errors, 0);
	memcpy(line, "7 8 9", 5);
	line[SERIAL_LINE_MAX] = ' ';
	line[SERIAL_LINE_MAX + 1] = '\n';
	cable_feed(&cable, &g, line, SERIAL_LINE_MAX + 2);
	expect(&g, NAN, NAN, NAN);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_FORMAT);
	CHECK_EQ(g.dev->errors, 1);
	CHECK_EQ(g.dev->error, -EPROTO);
	cable_say(&cable, &g, "10 11 12\n");
	expect(&g, 10, 11, 12);
	/* One that never ends counts once. */
	for (unsigned i = 0; i < 20; i++)
		cable_feed(&cable, &g, line, SERIAL_LINE_MAX);
	CHECK_EQ(g.dev->errors, 2);
	/* A wrong rate makes control characters. */
	cable_feed(&cable, &g, "\n1\x02 2 3\n\x80\x01\xfe\n", 12);
	CHECK_EQ(g.dev->errors, 4);
	CHECK_EQ(SLOT(&g, 0)->faults[FAULT_FORMAT], 4);
	cable_say(&cable, &g, "13 14\xc2\xb0 15\n");
	expect(&g, 13, 14, 15);

	/* Cut in the middle, then silence: what comes after the cut is no line. */
	cable_say(&cable, &g, "16 17 18");
	g.t_ns += 10000ull * MS;
	rig_ticks(&g, 1);
	CHECK_EQ(g.dev->errors, 4);	/* this thread may have been held: it is asked again */
	rig_ticks(&g, 5);
	CHECK_EQ(g.dev->errors, 5);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_SHORT);
	rig_ticks(&g, 300);
	CHECK_EQ(g.dev->errors, 5);
	reads = g.dev->reads;
	cable_say(&cable, &g, "0 1 2\n19 20 21\n");
	expect(&g, 19, 20, 21);
	CHECK_EQ(g.dev->reads, reads + 1);
	/* Silence between lines is none of these. */
	rig_ticks(&g, 300);
	cable_say(&cable, &g, "22 23 24\n");
	expect(&g, 22, 23, 24);
	/* A slow writer is no lost one, and a tick that was late is not a silence. */
	cable_say(&cable, &g, "25 ");
	rig_ticks(&g, 50);
	cable_say(&cable, &g, "26 ");
	g.t_ns += 10000ull * MS;
	rig_ticks(&g, 1);
	cable_say(&cable, &g, "27\n");
	expect(&g, 25, 26, 27);
	CHECK_EQ(SLOT(&g, 0)->errors, 5);
	rig_close(&g);
	cable_close(&cable);
}

static struct termios2 settings(void)
{
	return cable_settings(&cable);
}

static void somebody_sets(unsigned baud)
{
	struct termios2 t = settings();

	t.c_cflag = (t.c_cflag & ~CBAUD) | BOTHER | HUPCL | PARENB;
	t.c_ispeed = t.c_ospeed = baud;
	t.c_lflag |= ICANON | ECHO;
	t.c_iflag |= ICRNL;
	CHECK_EQ(ioctl(cable.master, TCSETS2, &t), 0);
	CHECK_EQ(settings().c_ospeed, baud);
}

static void tty(enum ring_kind kind)
{
	struct rig g;

	describe("", false, 0, 1, 2);
	sensor.baud = 31250;	/* none of the old rates */
	cable_open(&cable, &sensor);
	somebody_sets(19200);
	rig_open(&g, kind, &sensor);
	CHECK_EQ(settings().c_ospeed, 31250);
	CHECK_EQ(settings().c_ispeed, 31250);
	CHECK_EQ(settings().c_lflag & (ICANON | ECHO | ISIG), 0);
	CHECK_EQ(settings().c_iflag & (ICRNL | IXON), 0);
	CHECK_EQ(settings().c_cflag & (CSIZE | PARENB | CLOCAL | HUPCL), CS8 | CLOCAL);
	/* Somebody changed it: setting the device up anew mends that. */
	somebody_sets(1200);
	CHECK_EQ(rig_reopen(&g), 0);
	CHECK_EQ(settings().c_ospeed, 31250);
	cable_say(&cable, &g, "\n1 2 3\n");
	expect(&g, 1, 2, 3);
	rig_close(&g);
	/* Nothing said: the rate stays. */
	sensor.baud = 0;
	somebody_sets(57600);
	rig_open(&g, kind, &sensor);
	CHECK_EQ(settings().c_ospeed, 57600);
	CHECK_EQ(settings().c_lflag & ICANON, 0);
	/* What came before it was set up came at another rate, perhaps. */
	CHECK_EQ(g.dev->ops->detach(g.dev, g.ring), 0);
	g.dev->ops->shut(g.dev);
	CHECK_EQ(write(cable.master, "\n4 5 6\n", 7), 7);
	sleep_ms(20);
	CHECK_EQ(g.dev->ops->open(g.dev), 0);
	CHECK_EQ(g.dev->ops->attach(g.dev, g.ring), 0);
	cable_say(&cable, &g, "\n7 8 9\n");
	CHECK_EQ(g.dev->reads, 1);
	expect(&g, 7, 8, 9);
	rig_close(&g);
	cable_close(&cable);
}

static void unplugged(enum ring_kind kind)
{
	struct rig g;

	describe("", false, 0, 1, 2);
	cable_open(&cable, &sensor);
	rig_open(&g, kind, &sensor);
	cable_say(&cable, &g, "\n1 2 3\n4 5");
	cable_unplug(&cable);
	rig_until_gone(&g);
	CHECK(g.dev->errors >= 1);
	expect(&g, 1, 2, 3);	/* what it says of its channels is the keeper's business */
	CHECK_EQ(rig_reopen(&g), -ENOENT);
	CHECK(strstr(g.dev->why.text, cable.link));
	/* Something else in its place. */
	CHECK_EQ(symlink("/dev/null", cable.link), 0);
	CHECK_EQ(g.dev->ops->open(g.dev), -ENOTTY);
	CHECK(strstr(g.dev->why.text, "no tty"));
	for (unsigned i = 0; i < 3; i++) {
		cable_plug(&cable);
		g.dev->gone = false;
		CHECK_EQ(g.dev->ops->open(g.dev), 0);
		CHECK_EQ(g.dev->ops->attach(g.dev, g.ring), 0);
		/* What was begun before is not gone on with. */
		cable_say(&cable, &g, " 6\n7 8 9\n");
		expect(&g, 7, 8, 9);
		CHECK_EQ(SLOT(&g, 0)->samples, 2 + i);
		cable_unplug(&cable);
		rig_until_gone(&g);
		CHECK_EQ(g.dev->ops->detach(g.dev, g.ring), 0);
		g.dev->ops->shut(g.dev);
	}
	rig_close(&g);
	cable_close(&cable);
}

static void numbers(void)
{
	static const struct { const char *text; double value; int err; } n[] = {
		{ "0", 0 }, { "-0.25", -0.25 }, { "+3", 3 }, { ".5", 0.5 }, { "5.", 5 },
		{ "1e3", 1000 }, { "1E-3", 1e-3 }, { "12e", 12 }, { "46.9*47", 46.9 }, { "7%", 7 },
		{ "0012", 12 }, { "123456789012345678901234", 123456789012345678901234.0 },
		{ "0.000000000000000000000001", 1e-24 }, { "0e999", 0 }, { "x=4", 4 },
		{ "temp: -4.5C", -4.5 }, { "1/93", 1 }, { "-1e-999", 0 },
		{ "", 0, -ENODATA }, { "x=", 0, -ENODATA }, { "-", 0, -EINVAL }, { ".", 0, -EINVAL },
		{ "1e999", 0, -EINVAL }, { "1.2.3", 0, -EINVAL }, { "2024-01-05", 0, -EINVAL },
		{ "12:30:00", 0, -EINVAL }, { "--1", 0, -EINVAL }, { "inf", 0, -EINVAL },
		{ "0x10", 0 }, { "abc", 0, -EINVAL }, { "1_000", 0, -EINVAL }, { "x", 0, -EINVAL },
	};
	const char *f;
	unsigned len;
	double v;

	for (unsigned i = 0; i < sizeof n / sizeof *n; i++) {
		char exact[64];

		/* Not NUL-terminated, and what lies behind would go on with it. */
		snprintf(exact, sizeof exact, "%s99", n[i].text);
		v = 77;
		CHECK_EQ(serial_number(exact, (unsigned)strlen(n[i].text), &v), n[i].err);
		CHECK_NEAR(v, n[i].err ? 77 : n[i].value, 1e-15 * fabs(n[i].value));
	}
	CHECK_EQ(serial_number("NaN", 3, &v), 0);
	CHECK(isnan(v));
	CHECK(serial_field("a b", 3, 1, &f, &len) && len == 1 && *f == 'b');
	CHECK(!serial_field("a b ", 4, 2, &f, &len));
	CHECK(serial_field("a, b ,", 6, 1, &f, &len) && len == 1 && *f == 'b');
	CHECK(serial_field("a, b ,", 6, 2, &f, &len) && len == 0);
	CHECK(!serial_field("a, b ,", 6, 3, &f, &len));
	CHECK(serial_field("", 0, 0, &f, &len) && len == 0);
	CHECK(!serial_field("", 0, 1, &f, &len));
	len = 2;
	CHECK_EQ(serial_checksum("*0", &len), 0);
	len = 4;
	CHECK_EQ(serial_checksum("$*00", &len), 1);
	CHECK_EQ(len, 1);
	len = 4;
	CHECK_EQ(serial_checksum("$*0a", &len), -1);
	len = 5;
	CHECK_EQ(serial_checksum("zz*00", &len), 1);
}

static void refused(void)
{
	struct sensor_config s;
	struct why why;
	struct dev *d;

	describe("", false, 0, 1, 2);
	s = sensor;
	s.channels = 0;
	CHECK_EQ(dev_serial.create(&d, &s, 0, &why), -EINVAL);
	CHECK(!d);
}

static void all(enum ring_kind kind)
{
	plain(kind);
	counters(kind);
	nmea(kind);
	rubbish(kind);
	tty(kind);
	unplugged(kind);
}

int main(void)
{
	numbers();
	refused();
	return on_both(all);
}
