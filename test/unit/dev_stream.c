// SPDX-License-Identifier: MIT
/* dev stream: whole scans, cut scans, lost writers, ends, garbage. */
#include <sys/stat.h>

#include "test/unit/dev_fixture.h"

#define SCAN 16		/* two axes, a counter of 8 bits, padding, the timestamp */

static char dir[] = "/tmp/sonde-stream-XXXXXX";

static struct channel_config channels[4];
static struct sensor_config sensor = {
	.name = "acc", .kind = "stream", .channel = channels, .channels = 4,
};

static void describe(void)
{
	static const char *const type[4] = {
		"le:s12/16>>4", "be:s16/16>>0", "le:u8/8>>0", "le:s64/64>>0",
	};
	struct scan_element e[4];

	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(decode_scan_parse(&e[i], type[i], NULL), 0);
	sensor.scan_bytes = decode_scan_layout(e, 4);
	CHECK_EQ(sensor.scan_bytes, SCAN);
	for (unsigned i = 0; i < 4; i++)
		channels[i] = (struct channel_config){ .scan = e[i], .scale = 1 };
	channels[0].scale = 0.5;
	channels[1].offset = 10;
	channels[2].counter = true;
	channels[2].wrap = 256;
	snprintf(sensor.path, sizeof sensor.path, "%s/fifo", dir);
	CHECK_EQ(mkfifo(sensor.path, 0600), 0);
}

static void make_scan(uint8_t *p, int x, int y, unsigned count)
{
	memset(p, 0xee, SCAN);
	p[0] = (uint8_t)((unsigned)x << 4);
	p[1] = (uint8_t)(x >> 4);
	p[2] = (uint8_t)(y >> 8);
	p[3] = (uint8_t)y;
	p[4] = (uint8_t)count;
	memset(p + 8, 0, 8);
}

/* Events until the frame has taken in that many bytes of this stream. */
static void take(struct rig *g, uint64_t bytes)
{
	while (g->dev->bytes < bytes) {
		struct ring_event e = next_event(g->ring);

		CHECK_EQ(e.kind, RING_STREAM);
		CHECK_EQ(rig_complete(g, &e), 0);
	}
	CHECK_EQ(g->dev->bytes, bytes);
}

#define SLOT(g, i) (&(g)->frame.slot[2 + (i)])

static void scans(enum ring_kind kind)
{
	uint8_t s[200 * SCAN];
	struct rig g;
	int writer;

	rig_open(&g, kind, &sensor);
	CHECK_EQ(rig_start(&g), 0);
	writer = open(sensor.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK(writer >= 0);
	make_scan(s, -5, 300, 250);
	CHECK_EQ(write(writer, s, SCAN), SCAN);
	take(&g, SCAN);
	CHECK_NEAR(SLOT(&g, 0)->value, -2.5, 0);
	CHECK_NEAR(SLOT(&g, 1)->value, 310, 0);
	CHECK_EQ(SLOT(&g, 2)->state, CHANNEL_PROBING);
	CHECK_EQ(SLOT(&g, 0)->t_ns, g.t_ns);
	rig_start(&g);
	make_scan(s, 2047, -300, 4);
	CHECK_EQ(write(writer, s, SCAN), SCAN);
	take(&g, 2 * SCAN);
	CHECK_NEAR(SLOT(&g, 0)->value, 1023.5, 0);
	CHECK_NEAR(SLOT(&g, 1)->value, -290, 0);
	CHECK_NEAR(SLOT(&g, 2)->value, 10 / 0.020, 1e-3);

	/* In pieces of every size, some over several chunks; buffers are 100 bytes, no multiple. */
	for (unsigned i = 0; i < 200; i++)
		make_scan(s + i * SCAN, (int)i, (int)i, i);
	for (unsigned at = 0, n = 1; at < sizeof s; at += n, n = n % 97 + 1) {
		if (n > sizeof s - at)
			n = sizeof s - at;
		CHECK_EQ(write(writer, s + at, n), n);
		take(&g, 2 * SCAN + at + n);
		if (at + n >= SCAN)
			CHECK_NEAR(SLOT(&g, 1)->value, (double)((at + n) / SCAN - 1 + 10), 0);
	}
	CHECK_EQ(g.dev->reads, 202);
	CHECK_EQ(SLOT(&g, 0)->samples, 202);
	CHECK_EQ(g.dev->errors, 0);

	/* All at once, more than the buffers hold. */
	CHECK_EQ(write(writer, s, sizeof s), sizeof s);
	take(&g, 202 * SCAN + sizeof s);
	CHECK_EQ(g.dev->reads, 402);
	CHECK_NEAR(SLOT(&g, 1)->value, 199 + 10, 0);
	close(writer);
	rig_close(&g);
}

/* A writer dies within a scan; the next one's scans are read from their beginning. */
static void lost_writer(enum ring_kind kind)
{
	uint8_t s[SCAN];
	uint64_t errors;
	struct rig g;
	int writer;

	rig_open(&g, kind, &sensor);
	writer = open(sensor.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	for (unsigned i = 0; i < 5; i++)
		rig_start(&g);
	make_scan(s, 1, 1, 1);
	CHECK_EQ(write(writer, s, SCAN), SCAN);
	CHECK_EQ(write(writer, s, 7), 7);
	take(&g, SCAN + 7);
	close(writer);
	/* Its going is no event: the channels only grow old. */
	ring_tick(g.ring, now_ns() + 2 * MS, 1000 * MS);
	CHECK_EQ(next_event(g.ring).kind, RING_TICK);
	ring_tick(g.ring, 0, 0);
	/* One long pause is not enough, this thread may have been held; ticks that go by are. */
	g.t_ns += 1000 * MS;
	CHECK_EQ(rig_start(&g), 0);
	CHECK_EQ(g.dev->errors, 0);
	for (unsigned i = 0; i < 5; i++)
		rig_start(&g);
	errors = g.dev->errors;
	CHECK_EQ(errors, 1);
	writer = open(sensor.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	make_scan(s, 9, 99, 1);
	CHECK_EQ(write(writer, s, SCAN), SCAN);
	take(&g, 2 * SCAN + 7);
	CHECK_NEAR(SLOT(&g, 1)->value, 109, 0);

	/* A slow writer is not a lost one. */
	make_scan(s, 9, 77, 1);
	for (unsigned i = 0; i < SCAN; i++) {
		CHECK_EQ(write(writer, s + i, 1), 1);
		take(&g, 2 * SCAN + 7 + i + 1);
		for (unsigned k = 0; k < 10; k++)
			rig_start(&g);
	}
	CHECK_NEAR(SLOT(&g, 1)->value, 87, 0);
	CHECK_EQ(g.dev->errors, errors);
	close(writer);
	rig_close(&g);
}

static void garbage(enum ring_kind kind)
{
	uint8_t s[77];
	uint64_t written = 0;
	uint32_t seed = 1;
	struct rig g;
	int writer;

	rig_open(&g, kind, &sensor);
	writer = open(sensor.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	for (unsigned i = 0; i < 300; i++) {
		unsigned n = 1 + i % sizeof s;

		for (unsigned k = 0; k < n; k++) {
			seed = seed * 1664525 + 1013904223;
			s[k] = (uint8_t)(seed >> 24);
		}
		CHECK_EQ(write(writer, s, n), n);
		take(&g, written += n);
		rig_start(&g);
		for (unsigned k = 0; k < 4; k++)
			CHECK(isfinite(SLOT(&g, k)->value));
		CHECK(fabs(SLOT(&g, 0)->value) <= 1024);
	}
	CHECK_EQ(g.dev->reads, written / SCAN);
	close(writer);
	rig_close(&g);
}

/* A tty in raw mode passes every byte; when its other side goes, it is gone until opened anew. */
static void tty(enum ring_kind kind)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct sensor_config t = sensor;
	uint8_t s[SCAN];
	struct ring_event e;
	struct rig g;
	char link[64];

	if (master < 0) {
		printf("no pseudo-terminals here\n");
		return;
	}
	CHECK_EQ(grantpt(master), 0);
	CHECK_EQ(unlockpt(master), 0);
	snprintf(link, sizeof link, "%s/tty", dir);
	CHECK_EQ(symlink(ptsname(master), link), 0);
	snprintf(t.path, sizeof t.path, "%s", link);
	rig_open(&g, kind, &t);
	/* What a terminal would swallow or turn into something else. */
	make_scan(s, 0x0d3, 0x0a0d, 0x03);
	memcpy(s + 8, "\x04\x11\x13\x1a\x7f\x0d\x0a\x1c", 8);
	CHECK_EQ(write(master, s, SCAN), SCAN);
	take(&g, SCAN);
	CHECK_NEAR(SLOT(&g, 1)->value, 0x0a0d + 10, 0);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_LIVE);
	CHECK_EQ(write(master, s, 5), 5);
	take(&g, SCAN + 5);
	CHECK(!g.dev->gone);
	close(master);
	CHECK_EQ(unlink(link), 0);
	e = next_event(g.ring);
	CHECK(e.res <= 0);
	rig_complete(&g, &e);
	CHECK(g.dev->gone && g.dev->error < 0);
	CHECK_EQ(rig_reopen(&g), -ENOENT);

	/* Plugged in again, under the same name: its first byte begins a scan. */
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
	CHECK_EQ(symlink(ptsname(master), link), 0);
	CHECK_EQ(rig_reopen(&g), 0);
	make_scan(s, 1, 55, 4);
	CHECK_EQ(write(master, s, SCAN), SCAN);
	take(&g, 2 * SCAN + 5);
	CHECK_NEAR(SLOT(&g, 1)->value, 65, 0);
	CHECK(!g.dev->gone && !g.dev->error);
	close(master);
	rig_close(&g);
	CHECK_EQ(unlink(link), 0);
}

static void refused(enum ring_kind kind)
{
	struct sensor_config s = sensor;
	struct channel_config c = channels[0];
	struct why why;
	struct dev *d;
	struct rig g;
	FILE *f;

	snprintf(s.path, sizeof s.path, "%s/plain", dir);
	f = fopen(s.path, "we");
	CHECK(f);
	fclose(f);
	rig_create(&g, kind, &s);
	CHECK_EQ(g.dev->ops->open(g.dev), -EINVAL);
	CHECK(strstr(g.dev->why.text, "no stream"));
	snprintf(s.path, sizeof s.path, "%s", dir);
	CHECK_EQ(g.dev->ops->open(g.dev), -EINVAL);
	snprintf(s.path, sizeof s.path, "%s/nowhere", dir);
	CHECK_EQ(g.dev->ops->open(g.dev), -ENOENT);
	CHECK_EQ(rig_start(&g), 0);
	rig_close(&g);
	s = sensor;
	s.scan_bytes = 0;
	CHECK_EQ(dev_stream.create(&d, &s, 0, &why), -EINVAL);
	s = sensor;
	c.scan.offset = SCAN - 1;
	s.channel = &c;
	s.channels = 1;
	CHECK_EQ(dev_stream.create(&d, &s, 0, &why), -EINVAL);
	CHECK(!d);
}

static void body(enum ring_kind kind)
{
	scans(kind);
	lost_writer(kind);
	garbage(kind);
	tty(kind);
	refused(kind);
}

static void clean_up(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -r %s", dir);
	if (system(command))
		fprintf(stderr, "%s is left behind\n", dir);
}

int main(void)
{
	struct why why;
	int no_uring = uring_refused(&why);

	CHECK(mkdtemp(dir));
	atexit(clean_up);
	describe();
	body(RING_EPOLL);
	if (!no_uring)
		body(RING_URING);
	if (no_uring)
		SKIP_BECAUSE("passed on epoll; no io_uring here: %s", why.text);
	return 0;
}
