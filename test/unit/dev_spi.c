// SPDX-License-Identifier: MIT
/* dev spi: what goes over the wire, mode, clock and word as read back, errors, the ring's way. */
#include <sys/socket.h>

#include "test/unit/ring_fixture.h"

#include "test/unit/dev_spi_fixture.h"

#define MCP "spi_mode = 0\nspi_hz = 1000000\nread.0 = 0x01 0x80 0x00 -> 2\n" \
	"read.1 = 0x01 0x90 0x00 -> 2\nfault.0 = 0 @ 0 & 0x04\n" \
	"channel.a = 0 @ 0 be:u10/16\nchannel.b = 1 @ 0 be:u10/16\n"

static void reads(void)
{
	struct frame f;
	struct sensor s;
	struct dev *d;

	wire_reset();
	sensor_of(&s, "spi", "spi0.1", MCP);
	d = created(&s);
	CHECK_STR(d->bus, "spi0");
	CHECK(d->ops->transfer && !d->ops->start);
	CHECK_EQ(d->ops->open(d), 0);
	/* The mode is the part's, what the wiring needs is left. */
	CHECK_EQ(wire.mode, SPI_CS_HIGH | SPI_MODE_0);
	CHECK_EQ(wire.hz, 1000000);
	CHECK_EQ(wire.lines, 0);
	CHECK_EQ(d->ops->transfer(d), 4);
	CHECK_EQ(wire.lines, 1);
	CHECK_STR(wire.line[0], "018000^019000");
	frame_init(&f, 8, 1000000000);
	settle(d, &f, 4, 5);
	/* 00 [01 02] 03 [04 05]: that 04 has its null bit set is nobody's business. */
	CHECK_NEAR(f.slot[2].value, 0x102, 0);
	CHECK_NEAR(f.slot[3].value, 0x405 & 0x3ff, 0);
	wire.next = 3;
	CHECK_EQ(d->ops->transfer(d), 4);
	settle(d, &f, 4, 6);
	CHECK_EQ(f.slot[2].faults[FAULT_FORMAT], 1);
	CHECK_EQ(f.slot[3].samples, 2);
	closed(d);
}

/* A wait parts the message and lets others through; set-up waits are slept away. */
static void waits(void)
{
	struct sensor s;
	struct dev *d;

	wire_reset();
	sensor_of(&s, "spi", "spi0.1",
		  "spi_hz = 5000000\nspi_mode = 3\nidentify = 0x80 0x00 -> 0x01\n"
		  "init.0 = 0x2c 0x0a\ninit.1 = 0x2d 0x08 wait 12 ms\n"
		  "init.2 = 0x31 0x0b\nread.0 = 0x40\n"
		  "read.1 = 0x41 wait 2 ms\nread.2 = 0xf2 0 0 0 -> 2\nread.3 = -> 3 wait 1 ms\n"
		  "channel.x = 2 @ 0 be:u16/16\nchannel.y = 3 @ 0 be:u8/8\n");
	s.config.spi_hz = 2000000;
	d = created(&s);
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_EQ(wire.hz, 2000000);
	CHECK_EQ(wire.lines, 3);
	CHECK_STR(wire.line[0], "8000");
	CHECK_STR(wire.line[1], "2c0a^2d08");
	CHECK_STR(wire.line[2], "310b");
	CHECK_EQ(wire.sleeps, 1);
	CHECK_EQ(wire.now_ns, 1012000000);
	wire.lines = 0;
	wire.next = 0;
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_EQ(d->again_ns, 1014000000);
	wire.now_ns = 1013999999;
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_EQ(wire.lines, 1);
	CHECK_STR(wire.line[0], "40^41");
	wire.now_ns = 1014000000;
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_STR(wire.line[1], "f2000000^000000");
	CHECK_EQ(d->again_ns, 1015000000);
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	wire.now_ns = 1015000000;
	CHECK_EQ(d->ops->transfer(d), 5);
	CHECK_EQ(wire.lines, 2);
	CHECK(!memcmp(((struct spi *)d)->base.in, "\4\5\6\7\10", 5));
	/* After a failure in the middle the next reading begins at the beginning. */
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	wire.now_ns = d->again_ns;
	wire.res = -EIO;
	CHECK_EQ(d->ops->transfer(d), -EIO);
	wire.res = 0;
	wire.lines = 0;
	CHECK_EQ(d->ops->transfer(d), -EAGAIN);
	CHECK_STR(wire.line[0], "40^41");
	/* Opened anew it is set up again; another part is not taken for this one. */
	wire.lines = 0;
	wire.next = 0;
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_EQ(wire.lines, 3);
	CHECK_STR(wire.line[2], "310b");
	wire.next = 9;
	CHECK_EQ(d->ops->open(d), -ENODEV);
	has(d->why.text, "no test");
	closed(d);
}

static void errors(void)
{
	struct frame f;
	struct sensor s;
	struct dev *d;

	wire_reset();
	sensor_of(&s, "spi", "spi0.1", MCP);
	d = created(&s);
	CHECK_EQ(d->ops->open(d), 0);
	frame_init(&f, 8, 1000000000);
	wire.res = -ETIMEDOUT;
	CHECK_EQ(d->ops->transfer(d), -ETIMEDOUT);
	has(d->why.text, "spi0.1: Connection timed out");
	wire.res = 5;
	CHECK_EQ(d->ops->transfer(d), -ENODATA);
	has(d->why.text, "5 of 6 bytes");
	wire.res = -ESHUTDOWN;
	CHECK_EQ(d->ops->transfer(d), -ENODEV);
	has(d->why.text, "has gone");
	settle(d, &f, -ENODEV, 1);
	CHECK(d->gone);
	CHECK_EQ(f.slot[2].samples, 0);
	wire.res = 0;
	wire.ioctl_res = -EINVAL;
	CHECK_EQ(d->ops->open(d), -EINVAL);
	wire.ioctl_res = 0;
	wire.stubborn = true;
	wire.mode = SPI_MODE_3;
	CHECK_EQ(d->ops->open(d), -EINVAL);
	has(d->why.text, "mode 0");
	wire.stubborn = false;
	CHECK_EQ(d->ops->open(d), 0);
	CHECK(!d->gone);
	/* A slower clock will do, a faster one will not. */
	wire.max_hz = 400000;
	CHECK_EQ(d->ops->open(d), 0);
	wire.max_hz = wire.min_hz = 2000000;
	CHECK_EQ(d->ops->open(d), -EINVAL);
	has(d->why.text, "1000000 Hz");
	CHECK_EQ(wire.opens, wire.closes);
	wire.open_res = -ENOENT;
	CHECK_EQ(d->ops->open(d), -ENOENT);
	has(d->why.text, "no /dev/spidev0.1");
	wire.has_owner = true;
	CHECK_EQ(d->ops->open(d), -EBUSY);
	has(d->why.text, "mcp320x");
	wire.open_res = -EACCES;
	CHECK_EQ(d->ops->open(d), -EACCES);
	has(d->why.text, "group spi");
	closed(d);
}

/* More than spidev's buffer holds goes in several messages. */
static void small(void)
{
	struct sensor s;
	struct dev *d;

	wire_reset();
	wire.bufsiz = 256;
	sensor_of(&s, "spi", "spi0.1", "spi_hz = 1000000\nread.0 = 1 -> 1\nread.1 = 2 -> 1\n"
		  "read.2 = 3 -> 1\nread.3 = 4 -> 1\nread.4 = 5 -> 1\nchannel.a = 4 @ 0 be:u8/8\n");
	d = created(&s);
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_EQ(d->ops->transfer(d), 5);
	CHECK_EQ(wire.lines, 3);
	CHECK_STR(wire.line[0], "01^02");
	CHECK_STR(wire.line[1], "03^04");
	CHECK_STR(wire.line[2], "05");
	CHECK(!memcmp(((struct spi *)d)->base.in, "\0\1\2\3\4", 5));
	wire.bufsiz = 10;
	CHECK_EQ(d->ops->open(d), 0);
	wire.lines = 0;
	CHECK_EQ(d->ops->transfer(d), 5);
	CHECK_EQ(wire.lines, 5);
	closed(d);
}

static void configurations(void)
{
	static const char *const bad[] = { "spi0", "spi0.1.2", "spi0.x", "spi0.-1", "i2c-1", "" };
	struct sensor s;
	struct why why;
	struct dev *d;

	sensor_of(&s, "spi", "spi0.1", MCP);
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		strcpy(s.config.bus, bad[i]);
		CHECK_EQ(spi_create_on(&fake_io, &d, &s.config, 2, &why), -EINVAL);
		has(why.text, "spiBUS.CHIP");
	}
}

static void by_ring(enum ring_kind kind)
{
	struct frame f;
	struct sensor s;
	struct dev *d;
	struct ring *r = open_ring(kind, 4, 100);
	struct ring_event e;
	int ends[2];

	wire_reset();
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	wire.open_res = ends[0];
	sensor_of(&s, "spi", "spi0.1", "spi_hz = 4000000\nread.0 = -> 4\nfault.0 = 0 @ 1 & 0x01\n"
		  "channel.t = 0 @ 0 be:s14/16>>2, scale = 0.25\n");
	frame_init(&f, 8, 1000000000);
	d = created(&s);
	d->token = 3;
	CHECK(d->ops->start && !d->ops->transfer);
	CHECK_EQ(d->ops->open(d), 0);
	CHECK_EQ(wire.mode & SPI_MODE_3, SPI_MODE_0);
	CHECK_EQ(d->ops->attach(d, r), 0);
	CHECK_EQ(d->ops->start(d, r, 1), 1);
	CHECK_EQ(d->ops->start(d, r, 2), 0);
	CHECK_EQ(send(ends[1], "\x01\x90\x19\x00", 4, 0), 4);
	e = next_event(r);
	CHECK_EQ(d->ops->complete(d, r, &e, &f, 9), 1);
	CHECK_NEAR(f.slot[2].value, 25, 0);
	CHECK_EQ(d->ops->start(d, r, 3), 1);
	CHECK_EQ(send(ends[1], "\x01\x91\x19\x00", 4, 0), 4);
	e = next_event(r);
	CHECK_EQ(d->ops->complete(d, r, &e, &f, 9), 1);
	CHECK_EQ(f.slot[2].faults[FAULT_FORMAT], 1);
	CHECK_EQ(d->error, -EPROTO);
	CHECK_EQ(wire.lines, 0);
	e = (struct ring_event){ .kind = RING_READ, .token = 3, .res = -ESHUTDOWN };
	CHECK_EQ(d->ops->complete(d, r, &e, &f, 9), 1);
	CHECK(d->gone);
	has(d->why.text, "spi0.1: it has gone");
	CHECK_EQ(d->ops->detach(d, r), 0);
	ring_close(r);
	closed(d);
	close(ends[0]);
	close(ends[1]);
}

/* Zeros are what spidev sends of its own; anything else, or what is thrown away, is a transfer. */
static void which_way(void)
{
	static const struct {
		const char *reads;
		bool plain;
	} cases[] = {
		{ "read.0 = -> 2\n", true },
		{ "read.0 = 0 0 -> 2\n", true },
		{ "read.0 = 0 0 0 -> 2\n", false },
		{ "read.0 = 0 1 -> 2\n", false },
		{ "read.0 = -> 2 wait 1 ms\n", false },
		{ "read.0 = -> 2\nread.1 = -> 1\n", false },
	};
	char lines[200];

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sensor s;
		struct dev *d;

		wire_reset();
		snprintf(lines, sizeof lines, "spi_hz = 1000\n%schannel.t = 0 @ 0 be:u16/16\n",
			 cases[i].reads);
		sensor_of(&s, "spi", "spi0.1", lines);
		d = created(&s);
		CHECK_EQ(!d->ops->transfer, cases[i].plain);
		closed(d);
	}
}

static void library(void)
{
	char **names;
	unsigned n, seen = 0;

	CHECK_EQ(part_list(&names, &n, "agent/sensors", NULL), 0);
	for (unsigned i = 0; i < n; i++) {
		struct sensor s;
		struct dev *d;
		int res;

		memset(&s, 0, sizeof s);
		CHECK_EQ(part_load(&s.part, "agent/sensors", names[i], NULL), 0);
		if (strcmp(s.part.kind, "spi"))
			continue;
		seen++;
		strcpy(s.config.bus, "spi0.1");
		sensor_channels(&s);
		wire_reset();
		d = created(&s);
		/* The identity is the last bytes of its transfer. */
		wire.next = (uint8_t)(s.part.id_value[0] - (s.part.identify.outs -
							     s.part.identify.in));
		res = d->ops->open(d);
		if (res)
			fprintf(stderr, "%s: %s\n", names[i], d->why.text);
		CHECK_EQ(res, 0);
		CHECK_EQ(wire.mode & SPI_MODE_3, s.part.spi_mode);
		if (d->ops->transfer) {
			while ((res = d->ops->transfer(d)) == -EAGAIN)
				wire.now_ns = d->again_ns;
			CHECK_EQ(res, s.part.bytes);
		}
		closed(d);
	}
	part_list_free(names, n);
	CHECK(seen >= 3);
	printf("%u SPI parts of the library\n", seen);
}

int main(void)
{
	reads();
	waits();
	errors();
	small();
	configurations();
	which_way();
	library();
	return on_both(by_ring);
}
