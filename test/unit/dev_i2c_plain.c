// SPDX-License-Identifier: MIT
/*
 * dev i2c by the ring: parts that need no more than write() and read(), on a socket that
 * plays the part, and the watch that tells when the bus has gone.
 */
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "test/unit/ring_fixture.h"

#include "test/unit/dev_i2c_fixture.h"

#define LATCHED "address = 0x23\nread.0 = -> 2\nchannel.x = 0 @ 0 be:u16/16\n"
#define COMMAND "address = 0x44\nread.0 = 0x24 0x00 -> 3 wait 20 ms\n" \
	"channel.x = 0 @ 0 be:u16/16, crc = sht\n"

struct rig {
	struct ring *ring;
	struct dev *d;
	struct frame frame;
	int part;		/* the other end of the wire */
	int ends[2];
};

static void rig_open(struct rig *g, enum ring_kind kind, struct sensor *s, const char *lines)
{
	memset(g, 0, sizeof *g);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, g->ends), 0);
	g->part = g->ends[1];
	bus.open_res = g->ends[0];
	sensor_of(s, "i2c", "i2c-1", lines);
	g->ring = open_ring(kind, 4, 100);
	g->d = opened(s);
	g->d->token = 7;
	frame_init(&g->frame, 8, 1000000000);
	CHECK_EQ(g->d->ops->attach(g->d, g->ring), 0);
}

static void rig_close(struct rig *g)
{
	ring_close(g->ring);
	closed(g->d);
	close(g->ends[0]);
	if (g->part >= 0)
		close(g->part);
}

static unsigned complete(struct rig *g)
{
	struct ring_event e = next_event(g->ring);

	CHECK_EQ(e.token & 0xffff, 7);
	return g->d->ops->complete(g->d, g->ring, &e, &g->frame, now_ns());
}

static void latched(void)
{
	struct sensor s;
	struct rig g;

	bus_reset();
	rig_open(&g, RING_URING, &s, LATCHED);
	CHECK(g.d->ops->start && !g.d->ops->transfer);
	CHECK_STR(g.d->ops->kind, "i2c");
	CHECK_STR(g.d->bus, "i2c-1");
	bus_clear();
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 1), 1);
	/* The one before is not back: a second is not asked for, nor waited for. */
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 2), 0);
	CHECK_EQ(send(g.part, "\x12\x34", 2, 0), 2);
	CHECK_EQ(complete(&g), 1);
	CHECK_NEAR(g.frame.slot[2].value, 0x1234, 0);
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 3), 1);
	CHECK_EQ(send(g.part, "\x12", 1, 0), 1);
	CHECK_EQ(complete(&g), 1);
	CHECK_EQ(g.d->error, -ENODATA);
	CHECK_EQ(g.frame.slot[2].faults[FAULT_SHORT], 1);
	/* virtio-i2c says 0 where others say -EREMOTEIO. */
	shutdown(g.part, SHUT_WR);
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 4), 1);
	CHECK_EQ(complete(&g), 1);
	CHECK_EQ(g.d->error, -EREMOTEIO);
	has(g.d->why.text, "no answer from 0x23");
	CHECK(!g.d->gone);
	CHECK_EQ(g.frame.slot[2].samples, 1);
	CHECK_EQ(bus.lines, 0);
	CHECK_EQ(g.d->ops->detach(g.d, g.ring), 0);
	rig_close(&g);
}

static void command(void)
{
	struct sensor s;
	struct rig g;
	char wire[8];
	uint64_t began;

	bus_reset();
	rig_open(&g, RING_URING, &s, COMMAND);
	CHECK(g.d->ops->start && !g.d->ops->transfer);
	CHECK_EQ(g.d->slow_ns, 0);
	CHECK_EQ(send(g.part, "\xbe\xef\x92", 3, 0), 3);
	began = now_ns();
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 1), 1);
	CHECK_EQ(complete(&g), 1);
	CHECK(now_ns() - began >= 20 * MS);
	CHECK_EQ(recv(g.part, wire, sizeof wire, 0), 2);
	CHECK(!memcmp(wire, "\x24\x00", 2));
	CHECK_NEAR(g.frame.slot[2].value, 0xbeef, 0);
	CHECK_EQ(send(g.part, "\xbe\xef\x93", 3, 0), 3);
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 1), 1);
	CHECK_EQ(complete(&g), 1);
	CHECK_EQ(g.frame.slot[2].faults[FAULT_CRC], 1);
	CHECK_EQ(g.d->error, -EBADMSG);
	/* The write fails: one completion, and nothing of the read. */
	CHECK_EQ(recv(g.part, wire, sizeof wire, 0), 2);
	close(g.part);
	g.part = -1;
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 1), 1);
	CHECK_EQ(complete(&g), 1);
	CHECK_EQ(g.d->error, -EPIPE);
	CHECK_EQ(g.d->ops->detach(g.d, g.ring), 0);
	rig_close(&g);
}

/* Taken out of the ring while a read hangs: cancelled, its end awaited, and put in again. */
static void hangs(void)
{
	int other, pipes[2];
	char byte;
	struct sensor s;
	struct rig g;
	struct ring_event e;
	unsigned tries = 0;

	bus_reset();
	rig_open(&g, RING_URING, &s, LATCHED);
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 1), 1);
	while (g.d->ops->detach(g.d, g.ring) == -EBUSY) {
		e = next_event(g.ring);
		CHECK_EQ(e.kind, RING_READ);
		g.d->ops->complete(g.d, g.ring, &e, &g.frame, now_ns());
		CHECK(tries++ < 3);
	}
	CHECK(tries);
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 2), 0);
	/* Its place in the ring is another's now: once more changes nothing for that. */
	CHECK_EQ(pipe(pipes), 0);
	other = ring_add(g.ring, pipes[0], true, NULL);
	CHECK(other >= 0);
	CHECK_EQ(g.d->ops->detach(g.d, g.ring), 0);
	CHECK_EQ(ring_read(g.ring, other, &byte, 1, 99), 0);
	CHECK_EQ(write(pipes[1], "x", 1), 1);
	e = next_event(g.ring);
	CHECK_EQ(e.res, 1);
	CHECK_EQ(e.token, 99);
	CHECK_EQ(ring_remove(g.ring, other), 0);
	close(pipes[0]);
	close(pipes[1]);
	g.d->ops->shut(g.d);
	CHECK_EQ(g.d->ops->open(g.d), 0);
	CHECK_EQ(g.d->ops->attach(g.d, g.ring), 0);
	CHECK_EQ(g.d->ops->start(g.d, g.ring, 1), 1);
	CHECK_EQ(send(g.part, "\0\1", 2, 0), 2);
	CHECK_EQ(complete(&g), 1);
	CHECK_NEAR(g.frame.slot[2].value, 1, 0);
	rig_close(&g);
}

static void touch_and_remove(const char *dir, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(unlink(path), 0);
}

static void watched(void)
{
	char dir[] = "/tmp/sonde-i2c-XXXXXX";
	struct sensor s;
	struct rig g;
	unsigned tries = 0;

	CHECK(mkdtemp(dir));
	bus_reset();
	bus.watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	CHECK(bus.watch_fd >= 0);
	CHECK(inotify_add_watch(bus.watch_fd, dir, IN_DELETE | IN_MOVED_FROM) >= 0);
	rig_open(&g, RING_URING, &s, LATCHED);
	touch_and_remove(dir, "i2c-10");
	CHECK_EQ(complete(&g), 0);
	CHECK(!g.d->gone);
	touch_and_remove(dir, "i2c-0");
	touch_and_remove(dir, "i2c-1");
	while (!g.d->gone) {
		CHECK_EQ(complete(&g), 0);
		CHECK(tries++ < 4);
	}
	CHECK_EQ(g.d->error, -ENODEV);
	has(g.d->why.text, "i2c-1 has gone");
	CHECK_EQ(g.d->ops->detach(g.d, g.ring), 0);
	/* Shut, the watch is closed; the next open gets its own. */
	g.d->ops->shut(g.d);
	CHECK_EQ(fcntl(bus.watch_fd, F_GETFD), -1);
	bus.watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	CHECK_EQ(g.d->ops->open(g.d), 0);
	CHECK(!g.d->gone);
	CHECK_EQ(g.d->ops->attach(g.d, g.ring), 0);
	/* It goes out of the ring although its watch waits. */
	tries = 0;
	while (g.d->ops->detach(g.d, g.ring) == -EBUSY) {
		struct ring_event e = next_event(g.ring);

		CHECK_EQ(g.d->ops->complete(g.d, g.ring, &e, &g.frame, 1), 0);
		CHECK(tries++ < 3);
	}
	CHECK(tries);
	CHECK(!g.d->gone);
	CHECK_EQ(g.d->ops->detach(g.d, g.ring), 0);
	rig_close(&g);
	CHECK_EQ(rmdir(dir), 0);
}

static unsigned add_event(uint8_t *at, uint32_t mask, const char *name, unsigned room)
{
	struct inotify_event e = { .wd = 1, .mask = mask, .len = room };

	memcpy(at, &e, sizeof e);
	memset(at + sizeof e, 0, room);
	memcpy(at + sizeof e, name, strlen(name));
	return (unsigned)sizeof e + room;
}

static void events(void)
{
	uint8_t b[256];
	unsigned n = add_event(b, IN_DELETE, "tty1", 16), second = n;

	CHECK(!i2c_watch_gone(b, n, 1));
	n += add_event(b + n, IN_DELETE, "i2c-1", 16);
	CHECK(i2c_watch_gone(b, n, 1));
	CHECK(!i2c_watch_gone(b, n, 0));
	CHECK(!i2c_watch_gone(b, n, 11));
	/* Cut anywhere it is not there, and nothing behind the cut is looked at. */
	for (unsigned cut = 0; cut < n; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		CHECK(exact);
		memcpy(exact, b, cut);
		CHECK(!i2c_watch_gone(exact, cut, 1));
		free(exact);
	}
	/* A name without its end. */
	n = second + add_event(b + second, IN_DELETE, "i2c-1", 5);
	CHECK(!i2c_watch_gone(b, n, 1));
	n = add_event(b, IN_Q_OVERFLOW, "", 0);
	CHECK(i2c_watch_gone(b, n, 1));
}

/* Where a bus would hold up everybody's helper, the bus's worker reads it. */
static void epoll(void)
{
	struct sensor s;
	struct rig g;

	bus_reset();
	rig_open(&g, RING_EPOLL, &s, LATCHED);
	CHECK(g.d->ops->transfer && !g.d->ops->start);
	bus_clear();
	lay(0, "\1\2", 2);
	CHECK_EQ(g.d->ops->transfer(g.d), 2);
	CHECK_STR(bus.wire[0], "23 R2");
	CHECK_EQ(g.d->ops->detach(g.d, g.ring), 0);
	rig_close(&g);
}

/* What can be done by write() and read(): one step, and never a repeated start. */
static void which_way(void)
{
	static const struct {
		const char *reads;
		bool plain;
	} cases[] = {
		{ "read.0 = -> 2\n", true },
		{ "read.0 = 0x24 -> 2 wait 1 ms\n", true },
		{ "read.0 = 0x24 -> 2\n", false },
		{ "read.0 = -> 2 wait 1 ms\n", false },
		{ "read.0 = -> 2\nread.1 = -> 1\n", false },
		{ "read.0 = 0x24 -> 2 wait 1 ms\nread.1 = 0x25 wait 1 ms\n", false },
	};
	char lines[200];

	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sensor s;
		struct dev *d;

		bus_reset();
		snprintf(lines, sizeof lines, "address = 0x44\n%schannel.t = 0 @ 0 be:u16/16\n",
			 cases[i].reads);
		sensor_of(&s, "i2c", "i2c-1", lines);
		d = opened(&s);
		CHECK_EQ(!d->ops->transfer, cases[i].plain);
		closed(d);
	}
}

int main(void)
{
	struct why why;

	events();
	which_way();
	epoll();
	if (uring_refused(&why))
		SKIP_BECAUSE("passed without io_uring; not here: %s", why.text);
	latched();
	command();
	hangs();
	watched();
	return 0;
}
