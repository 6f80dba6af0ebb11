// SPDX-License-Identifier: MIT
/* dev sysfs: single values, tables, counters, files that grow, shrink, fail or are not there. */
#include <sys/stat.h>

#include "test/unit/dev_fixture.h"

static char dir[] = "/tmp/sonde-sysfs-XXXXXX";

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	CHECK(f);
	CHECK(fputs(text, f) >= 0);
	CHECK_EQ(fclose(f), 0);
}

static struct sensor_config sensor(struct channel_config *c, unsigned n, const char *name)
{
	struct sensor_config s = {
		.name = "x", .kind = "sysfs", .every = 1, .channel = c, .channels = n,
	};

	snprintf(s.path, sizeof s.path, *name == '/' ? "%.0s%s" : "%s/%s", dir, name);
	return s;
}

static struct channel_config channel(const char *field, double scale)
{
	struct channel_config c = { .scale = scale };

	CHECK_EQ(decode_text_parse(&c.text, field, NULL), 0);
	return c;
}

#define SLOT(g, i) (&(g)->frame.slot[2 + (i)])

static void single(enum ring_kind kind)
{
	struct channel_config c = channel("0", 0.001);
	struct sensor_config s = sensor(&c, 1, "temp");
	struct rig g;
	uint64_t bytes;

	s.single = true;
	c.offset = 1000;
	write_file(s.path, "42000\n");
	rig_open(&g, kind, &s);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 43, 1e-4);
	CHECK_EQ(SLOT(&g, 0)->t_ns, g.t_ns);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_LIVE);
	CHECK_EQ(SLOT(&g, 1)->samples, 0);
	/* From now on six bytes are asked for; a longer value must not be cut to them. */
	bytes = g.dev->bytes;
	rig_tick(&g);
	CHECK_EQ(g.dev->bytes - bytes, 6);
	write_file(s.path, "1234567\n");
	bytes = g.dev->bytes;
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_EQ(g.dev->bytes - bytes, 6 + 8);
	CHECK_NEAR(SLOT(&g, 0)->value, 1235.567, 1e-3);
	bytes = g.dev->bytes;
	rig_tick(&g);
	CHECK_EQ(g.dev->bytes - bytes, 8);
	/* Shorter, and without an end of line. */
	write_file(s.path, "7\n");
	rig_tick(&g);
	CHECK_NEAR(SLOT(&g, 0)->value, 1.007, 1e-6);
	write_file(s.path, "12345678");
	rig_tick(&g);
	CHECK_NEAR(SLOT(&g, 0)->value, 12346.678, 1e-2);
	bytes = g.dev->bytes;
	rig_tick(&g);
	CHECK_EQ(g.dev->bytes - bytes, 8);
	write_file(s.path, "123456789");
	rig_tick(&g);
	CHECK_NEAR(SLOT(&g, 0)->value, 123457.789, 0.01);
	CHECK_EQ(g.dev->errors, 0);
	CHECK_EQ(SLOT(&g, 0)->samples, g.dev->reads);

	/* Nothing in it, nonsense in it: faulty, counted; and it comes back. */
	write_file(s.path, "");
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_FAULTY);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_SHORT);
	CHECK_EQ(g.dev->error, -ENODATA);
	write_file(s.path, "N/A\n");
	rig_tick(&g);
	CHECK_EQ(g.dev->errors, 2);
	CHECK_EQ(g.dev->error, -EINVAL);
	CHECK_EQ(SLOT(&g, 0)->fault, FAULT_FORMAT);
	CHECK_EQ(SLOT(&g, 0)->errors, 2);
	write_file(s.path, "5000\n");
	rig_tick(&g);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_LIVE);
	CHECK_NEAR(SLOT(&g, 0)->value, 6, 1e-6);
	CHECK_EQ(g.dev->error, 0);
	rig_close(&g);
}

static void table(enum ring_kind kind)
{
	struct channel_config c[3] = {
		channel("a:1", 1), channel("b:1", 2), channel("z/all:1", 1),
	};
	struct sensor_config s = sensor(c, 3, "table");
	static char big[60000];
	struct rig g;

	write_file(s.path, "a 1\nb 2\n");
	rig_open(&g, kind, &s);
	rig_tick(&g);
	CHECK_NEAR(SLOT(&g, 0)->value, 1, 0);
	CHECK_NEAR(SLOT(&g, 1)->value, 4, 0);
	/* One line missing does not spoil the others. */
	CHECK_EQ(SLOT(&g, 2)->state, CHANNEL_FAULTY);
	CHECK_EQ(SLOT(&g, 1)->state, CHANNEL_LIVE);
	CHECK_EQ(g.dev->errors, 1);
	CHECK_EQ(g.dev->error, -ENOENT);
	/* Grown beyond the buffer: what is there is used, a cut line is not. */
	memset(big, ' ', sizeof big - 1);
	memcpy(big, "a 3\nb 4\n", 8);
	for (unsigned i = 100; i < sizeof big - 10; i += 5)
		memcpy(big + i, "z 12\n", 5);
	big[99] = '\n';
	write_file(s.path, big);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 1)->value, 8, 0);
	/* The buffer is twice the 8 bytes of the beginning and a page: 802 lines and a bit. */
	CHECK_NEAR(SLOT(&g, 2)->value, 12 * 802, 0);
	rig_close(&g);
}

static void counters(enum ring_kind kind)
{
	struct channel_config c[3] = { channel("0", 1), channel("0", 100), channel("1", 1) };
	struct sensor_config s = sensor(c, 3, "count");
	struct rig g;
	char text[64];

	c[0].counter = c[1].counter = c[2].counter = true;
	c[1].window = 4;
	c[2].wrap = 256;
	write_file(s.path, "0 0\n");
	rig_open(&g, kind, &s);
	rig_tick(&g);
	CHECK_EQ(SLOT(&g, 0)->state, CHANNEL_PROBING);
	CHECK_EQ(SLOT(&g, 0)->samples, 0);
	for (unsigned i = 1; i <= 12; i++) {
		/* In bursts of 4 every fourth read; the wrapping one 100 a read. */
		snprintf(text, sizeof text, "%u %u\n", i / 4 * 4, i * 100 % 256);
		write_file(s.path, text);
		rig_tick(&g);
		CHECK_EQ(SLOT(&g, 0)->samples, i);
		CHECK_NEAR(SLOT(&g, 0)->value, i % 4 ? 0 : 4 / 0.020, 1e-3);
		/* Over four reads of 20 ms the bursts are a steady 50 a second. */
		CHECK_EQ(SLOT(&g, 1)->samples, i < 4 ? 0 : i - 3);
		if (i >= 4)
			CHECK_NEAR(SLOT(&g, 1)->value, 100 * 4 / 0.080, 1e-2);
		CHECK_NEAR(SLOT(&g, 2)->value, 100 / 0.020, 1e-2);
	}
	rig_close(&g);
}

/* A read that outlives its tick: the next one asks for no second. */
static void late(enum ring_kind kind)
{
	struct channel_config c = channel("0", 1);
	struct sensor_config s = sensor(&c, 1, "temp");
	struct ring_event e;
	struct rig g;

	write_file(s.path, "1\n");
	rig_open(&g, kind, &s);
	CHECK_EQ(rig_start(&g), 1);
	CHECK_EQ(rig_start(&g), 0);
	e = next_event(g.ring);
	CHECK_EQ(rig_complete(&g, &e), 1);
	CHECK_EQ(SLOT(&g, 0)->samples, 1);
	CHECK_EQ(rig_tick(&g), 1);
	rig_close(&g);
}

/* Why can this not be opened? */
static int refused_as(enum ring_kind kind, const struct sensor_config *s, struct why *why)
{
	struct rig g;
	int err;

	rig_create(&g, kind, s);
	err = g.dev->ops->open(g.dev);
	*why = g.dev->why;
	rig_close(&g);
	return err;
}

static void missing(enum ring_kind kind)
{
	struct channel_config c = channel("0", 1);
	struct sensor_config s = sensor(&c, 1, "nowhere");
	char path[64];
	struct why why;
	struct rig g;

	/* Not there, there at last, another one in its place, not there, there again. */
	rig_create(&g, kind, &s);
	CHECK_EQ(g.dev->ops->open(g.dev), -ENOENT);
	CHECK(strstr(g.dev->why.text, "nowhere"));
	write_file(s.path, "42\n");
	CHECK_EQ(g.dev->ops->open(g.dev), 0);
	CHECK_EQ(g.dev->ops->attach(g.dev, g.ring), 0);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 42, 0);
	CHECK(!unlink(s.path));
	write_file(s.path, "4321\n");
	CHECK_EQ(rig_reopen(&g), 0);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 4321, 0);
	CHECK(!unlink(s.path));
	CHECK_EQ(rig_reopen(&g), -ENOENT);
	CHECK_EQ(rig_start(&g), 0);
	write_file(s.path, "43\n");
	CHECK_EQ(rig_reopen(&g), 0);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_NEAR(SLOT(&g, 0)->value, 43, 0);
	CHECK(!unlink(s.path));
	rig_close(&g);

	s = sensor(&c, 1, "/tmp");
	CHECK_EQ(refused_as(kind, &s, &why), -EISDIR);
	/* Nobody writes: an open that waited would never come back. */
	snprintf(path, sizeof path, "%s/fifo.%d", dir, kind);
	CHECK(!mkfifo(path, 0600));
	s = sensor(&c, 1, path);
	CHECK_EQ(refused_as(kind, &s, &why), -EINVAL);
	CHECK(strstr(why.text, "kind = stream"));
	CHECK(!dev_find("sysf"));
	CHECK(dev_find("w1") == &dev_hwmon && dev_find("thermal") == &dev_hwmon);
}

/* A counter that was opened anew has no rate until it was read twice. */
static void reopened_counter(enum ring_kind kind)
{
	struct channel_config c = channel("0", 1);
	struct sensor_config s = sensor(&c, 1, "anew");
	struct rig g;

	c.counter = true;
	write_file(s.path, "1000\n");
	rig_open(&g, kind, &s);
	rig_tick(&g);
	rig_tick(&g);
	CHECK_EQ(SLOT(&g, 0)->samples, 1);
	write_file(s.path, "9000\n");
	CHECK_EQ(rig_reopen(&g), 0);
	rig_tick(&g);
	CHECK_EQ(SLOT(&g, 0)->samples, 1);
	rig_tick(&g);
	CHECK_EQ(SLOT(&g, 0)->samples, 2);
	CHECK_NEAR(SLOT(&g, 0)->value, 0, 0);
	rig_close(&g);
}

/* Real ones: several lines, several pieces, and reads that fail in the kernel. */
static void kernel(enum ring_kind kind)
{
	struct channel_config stat[2] = { channel("ctxt:1", 1), channel("cpu:1", 1) };
	struct channel_config symbol = channel("_text,_stext@2:0", 1);
	struct channel_config number = channel("0", 1);
	struct sensor_config s = sensor(stat, 2, "/proc/stat");
	struct rig g;

	rig_open(&g, kind, &s);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(rig_tick(&g), 1);
	CHECK(SLOT(&g, 0)->value > 0);
	CHECK_EQ(g.dev->errors, 0);
	rig_close(&g);

	/* A page at a time, megabytes of them: too long, and said so. */
	s = sensor(&symbol, 1, "/proc/kallsyms");
	if (!access(s.path, R_OK)) {
		struct why why;

		CHECK_EQ(refused_as(kind, &s, &why), -EFBIG);
	}

	/* An address space cannot be read at 0: -EIO each time. */
	s = sensor(&number, 1, "/proc/self/mem");
	rig_open(&g, kind, &s);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_EQ(g.dev->errors, 2);
	CHECK_EQ(g.dev->error, -EIO);
	CHECK_EQ(SLOT(&g, 0)->samples, 0);
	rig_close(&g);
}

/* /proc/self/smaps is handed out a page at a time. */
static void pieces(enum ring_kind kind)
{
	struct channel_config c = channel("Size/all:1", 1);
	struct sensor_config s = sensor(&c, 1, "/proc/self/smaps");
	struct rig g;

	rig_open(&g, kind, &s);
	CHECK_EQ(rig_tick(&g), 1);
	/* Much longer than a page: one read would have brought a part of it. */
	CHECK(g.dev->bytes > 3 * 4096);
	CHECK_EQ(g.dev->reads, 1);
	CHECK(SLOT(&g, 0)->value > 1000);
	CHECK_EQ(rig_tick(&g), 1);
	CHECK_EQ(g.dev->errors, 0);
	rig_close(&g);
}

static void body(enum ring_kind kind)
{
	single(kind);
	table(kind);
	counters(kind);
	late(kind);
	missing(kind);
	reopened_counter(kind);
	kernel(kind);
	pieces(kind);
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
	int refused = uring_refused(&why);

	CHECK(mkdtemp(dir));
	atexit(clean_up);
	body(RING_EPOLL);
	if (!refused)
		body(RING_URING);
	if (refused)
		SKIP_BECAUSE("passed on epoll; no io_uring here: %s", why.text);
	return 0;
}
