// SPDX-License-Identifier: MIT
/*
 * board: on a made-up board below a temporary directory, where every name, unit and
 * scale is known; then on this machine, where each channel found must give values.
 */
#include "agent/board.h"

#include <stdarg.h>
#include <sys/stat.h>

#include "test/unit/dev_fixture.h"

static char root[] = "/tmp/sonde-board-XXXXXX";

static void put(const char *path, const char *format, ...)
{
	char full[512];
	va_list args;
	FILE *f;

	for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
		snprintf(full, sizeof full, "%s%.*s", root, (int)(slash - path), path);
		mkdir(full, 0700);
	}
	snprintf(full, sizeof full, "%s%s", root, path);
	f = fopen(full, "we");
	CHECK(f);
	va_start(args, format);
	vfprintf(f, format, args);
	va_end(args);
	CHECK_EQ(fclose(f), 0);
}

static void point(const char *target, const char *path)
{
	char full[512];

	snprintf(full, sizeof full, "%s%s", root, path);
	CHECK_EQ(symlink(target, full), 0);
}

static void make_board(void)
{
	put("/proc/stat", "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 1 3 40 2 4 2 3 0 0\n"
	    "cpu1 20 2 6 60 3 0 4 4 0 0\nintr 500 1 2 3\nctxt 600\nbtime 1\nprocesses 70\n"
	    "procs_running 2\nprocs_blocked 1\nsoftirq 800 1 2\n");
	put("/proc/loadavg", "0.25 0.17 0.08 1/93 13479\n");
	put("/proc/meminfo", "MemTotal: 2048 kB\nMemAvailable:  1024 kB\nDirty:  512 kB\n");
	put("/proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000\n");
	/* There, but nothing to be read in it, as with psi=0. */
	put("/proc/pressure/io", "");
	put("/proc/diskstats", " 8 0 sda 1 1 100 1 1 1 200 1 0 30 1\n"
	    " 8 1 sda1 1 1 100 1 1 1 200 1 0 30 1\n 7 0 loop0 1 1 999 1 1 1 999 1 0 30 1\n");
	put("/proc/net/dev", "h\nh2\n lo: 9 9 9 9 9 9 9 9 9 9\n eth0:2048 1 1 1 1 1 1 1 1024 1\n");
	put("/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1500000\n");
	put("/sys/devices/system/cpu/cpu0/x", "");
	put("/sys/devices/system/cpu/cpu1/x", "");
	put("/sys/devices/system/cpu/cpuidle/x", "");
	point("../cpufreq/policy0", "/sys/devices/system/cpu/cpu0/cpufreq");
	point("../cpufreq/policy0", "/sys/devices/system/cpu/cpu1/cpufreq");
	put("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
	put("/sys/class/thermal/thermal_zone0/temp", "48312\n");
	put("/sys/class/thermal/thermal_zone1/type", "cpu-thermal\n");
	put("/sys/class/thermal/thermal_zone1/temp", "-1500\n");
	put("/sys/class/thermal/thermal_zone2/type", "broken\n");
	put("/sys/class/thermal/thermal_zone10/type", "a very long name of a zone, with blanks\n");
	put("/sys/class/thermal/thermal_zone10/temp", "1\n");
	/* The same zone once more, as the kernel does it. */
	put("/sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
	put("/sys/class/hwmon/hwmon0/temp1_input", "48312\n");
	point("../../thermal_zone0", "/sys/class/hwmon/hwmon0/device");
	put("/sys/class/hwmon/hwmon1/name", "ina219\n");
	put("/sys/class/hwmon/hwmon1/in0_input", "5\n");
	put("/sys/class/hwmon/hwmon1/in1_input", "5102\n");
	put("/sys/class/hwmon/hwmon1/in1_label", "V bus\n");
	put("/sys/class/hwmon/hwmon1/in1_max", "6000\n");
	put("/sys/class/hwmon/hwmon1/curr1_input", "250\n");
	put("/sys/class/hwmon/hwmon1/power1_input", "1275500\n");
	put("/sys/class/hwmon/hwmon1/fan2_input", "1200\n");
	put("/sys/class/hwmon/hwmon1/energy1_input", "7\n");
	put("/sys/class/hwmon/hwmon1/temp1_input", "\n");
}

struct expected {
	const char *name, *unit;
	double value;		/* NAN: a counter, whose value comes later */
};

static const struct expected expected[] = {
	{ "cpu0.busy", "%", NAN }, { "cpu1.busy", "%", NAN },
	{ "irq.rate", "/s", NAN }, { "softirq.rate", "/s", NAN }, { "ctx.rate", "/s", NAN },
	{ "fork.rate", "/s", NAN }, { "load.running", "", 2 }, { "load.blocked", "", 1 },
	{ "psi.cpu", "%", NAN },
	{ "mem.available", "MiB", 1 }, { "mem.dirty", "MiB", 0.5 },
	{ "disk.read", "KiB/s", NAN }, { "disk.write", "KiB/s", NAN }, { "disk.busy", "%", NAN },
	{ "net.rx", "KiB/s", NAN }, { "net.tx", "KiB/s", NAN },
	{ "load.1min", "", 0.25 },
	{ "cpu0.freq", "MHz", 1500 },
	{ "thermal.cpu-thermal", "°C", 48.312 }, { "thermal.cpu-thermal-2", "°C", -1.5 },
	{ "thermal.a-very-long-name-of-a-", "°C", 0.001 },
	{ "hwmon.ina219.in0", "V", 0.005 }, { "hwmon.ina219.V-bus", "V", 5.102 },
	{ "hwmon.ina219.curr1", "A", 0.25 }, { "hwmon.ina219.power1", "W", 1.2755 },
	{ "hwmon.ina219.energy1", "W", NAN }, { "hwmon.ina219.fan2", "rpm", 1200 },
};
#define EXPECTED (sizeof expected / sizeof *expected)

static void forget(struct sensor_config *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(s[i].channel);
	free(s);
}

/* Open every sensor and run ticks over it; the frame holds what came. */
static void run(const struct sensor_config *s, unsigned n, unsigned ticks, struct frame *f)
{
	struct ring *r = open_ring(RING_EPOLL, 0, 0);
	struct dev *dev[64];
	unsigned first = 0;
	struct why why;

	CHECK(n <= 64);
	frame_init(f, FRAME_CHANNELS_MAX, UINT64_MAX / 2);
	for (unsigned i = 0; i < n; i++) {
		CHECK_EQ(dev_find(s[i].kind)->create(&dev[i], &s[i], first, &why), 0);
		dev[i]->token = i;
		CHECK_EQ(dev[i]->ops->open(dev[i]), 0);
		CHECK_EQ(dev[i]->ops->attach(dev[i], r), 0);
		first += s[i].channels;
	}
	for (unsigned k = 0; k < ticks; k++) {
		unsigned pending = 0;

		for (unsigned i = 0; i < n; i++)
			pending += dev[i]->ops->start(dev[i], r, now_ns());
		while (pending) {
			struct ring_event e = next_event(r);

			pending -= dev[e.token]->ops->complete(dev[e.token], r, &e, f, now_ns());
		}
		sleep_ms(1);
	}
	ring_close(r);
	for (unsigned i = 0; i < n; i++) {
		CHECK_EQ(dev[i]->errors, 0);
		dev[i]->ops->shut(dev[i]);
		dev[i]->ops->free(dev[i]);
	}
}

static void made_up(void)
{
	struct sensor_config *s = NULL;
	unsigned n = 0, channel = 0;
	struct frame f;
	struct why why;

	CHECK_EQ(board_find(&s, &n, root, 64, &why), 0);
	for (unsigned i = 0; i < n; i++) {
		CHECK_STR(s[i].kind, "sysfs");
		CHECK(!strncmp(s[i].path, root, strlen(root)));
		CHECK(s[i].every >= 1);
		for (unsigned k = 0; k < s[i].channels; k++, channel++) {
			const struct channel_config *c = &s[i].channel[k];

			CHECK(channel < EXPECTED);
			CHECK_STR(c->name, expected[channel].name);
			CHECK_STR(c->unit, expected[channel].unit);
			CHECK_EQ(c->counter, isnan(expected[channel].value));
		}
	}
	CHECK_EQ(channel, EXPECTED);
	CHECK_STR(s[0].name, "stat");
	CHECK_EQ(s[0].channels, 8);

	run(s, n, 1, &f);
	for (unsigned i = 0; i < channel; i++)
		if (!isnan(expected[i].value))
			CHECK_NEAR(f.slot[i].value, expected[i].value, 1e-4);

	/* The busy time of core 0 is all but idle, iowait and guests. */
	{
		static const char text[] = "cpu0 1 10 100 5 7 1000 10000 100000 3 3\n";
		double v;

		CHECK_EQ(decode_text(&s[0].channel[0].text, text, sizeof text - 1, &v), 0);
		CHECK_NEAR(v, 111111, 0);
		CHECK_NEAR(s[0].channel[0].scale, 100.0 / (double)sysconf(_SC_CLK_TCK), 0);
		CHECK(s[0].channel[0].window > 1);
	}
	forget(s, n);
}

static void check_apart(const struct sensor_config *s, const struct sensor_config *t)
{
	for (unsigned a = 0; a < s->channels; a++)
		for (unsigned b = 0; b < t->channels; b++)
			CHECK(strcmp(s->channel[a].name, t->channel[b].name));
}

/* Behind what a user configured, and not beyond the room there is. */
static void bounded(void)
{
	for (unsigned max = 1; max < EXPECTED + 5; max++) {
		struct sensor_config *s = calloc(1, sizeof *s);
		unsigned n = 1, channels = 0;
		struct why why;
		int err;

		CHECK(s);
		snprintf(s->name, sizeof s->name, "meminfo");
		s->channel = calloc(1, sizeof *s->channel);
		s->channels = 1;
		snprintf(s->channel->name, sizeof s->channel->name, "mem.available");
		err = board_find(&s, &n, root, max, &why);
		CHECK_EQ(err, max == 1 ? -ENODEV : 0);
		for (unsigned i = 0; i < n; i++) {
			channels += s[i].channels;
			for (unsigned k = 0; k < i; k++) {
				CHECK(strcmp(s[i].name, s[k].name));
				check_apart(&s[i], &s[k]);
			}
		}
		/* With four channels or more, two cores have theirs; below that, one for both. */
		CHECK(channels <= max);
		if (max > EXPECTED)
			CHECK_EQ(channels, EXPECTED + 1);
		if (max == 6)
			CHECK_STR(s[1].channel[0].name, "cpu.busy");
		if (max == 8)
			CHECK_STR(s[1].channel[0].name, "cpu0.busy");
		forget(s, n);
	}
}

static void this_machine(void)
{
	struct sensor_config *s = NULL;
	unsigned n = 0, channels = 0, live = 0;
	bool busy = false, memory = false;
	struct frame f;
	struct why why;

	CHECK_EQ(board_find(&s, &n, "", FRAME_CHANNELS_MAX, &why), 0);
	run(s, n, 80, &f);
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < s[i].channels; k++, channels++) {
			printf("%-28s %-8s %g\n", s[i].channel[k].name, s[i].channel[k].unit,
			       (double)f.slot[channels].value);
			live += f.slot[channels].state == CHANNEL_LIVE;
			busy |= !strncmp(s[i].channel[k].name, "cpu", 3);
			memory |= !strcmp(s[i].channel[k].name, "mem.available") &&
				  f.slot[channels].value > 1;
			CHECK(strlen(s[i].channel[k].name) < CONFIG_NAME_MAX);
		}
	}
	CHECK_EQ(live, channels);
	CHECK(busy);
	CHECK(memory);
	forget(s, n);
}

static void clean_up(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -r %s", root);
	if (system(command))
		fprintf(stderr, "%s is left behind\n", root);
}

/* A second stays a second: the same file, the same window, at a fifth and at twice the rate. */
static void other_rates(void)
{
	static const struct { double rate_hz; uint64_t every, slow_every; unsigned window, slow_window; }
	want[] = { { 50, 1, 25, 10, 5 }, { 10, 1, 5, 2, 5 }, { 100, 2, 50, 10, 5 }, { 1, 1, 1, 1, 3 } };

	for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
		struct channel_config c[2] = { { .counter = true, .window = 10 }, { .window = 0 } };
		struct channel_config d = { .counter = true, .window = 5 };
		struct sensor_config fast = { .every = 1, .channel = c, .channels = 2 };
		struct sensor_config slow = { .every = 25, .channel = &d, .channels = 1 };

		board_at_rate(&fast, want[i].rate_hz);
		board_at_rate(&slow, want[i].rate_hz);
		CHECK_EQ(fast.every, want[i].every);
		CHECK_EQ(slow.every, want[i].slow_every);
		CHECK_EQ(c[0].window, want[i].window);
		CHECK_EQ(c[1].window, 0);
		CHECK_EQ(d.window, want[i].slow_window);
	}
}

int main(void)
{
	other_rates();
	struct sensor_config *s = NULL;
	unsigned n = 0;
	struct why why;

	CHECK(mkdtemp(root));
	atexit(clean_up);
	CHECK_EQ(board_find(&s, &n, root, 64, &why), -ENODEV);
	CHECK_EQ(n, 0);
	make_board();
	made_up();
	bounded();
	this_machine();
	return 0;
}
