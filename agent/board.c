// SPDX-License-Identifier: MIT
/*
 * board: the tables of what is looked for, most telling first, since the number of
 * channels is bounded. A file is opened, read and decoded here once: only what gives
 * a number becomes a channel. (PSI files may exist and fail, cpufreq and hwmon
 * attributes as well.)
 *
 * Counters are rates over a window of reads, not over one: the kernel counts CPU time
 * in 10 ms, half a tick at 50 Hz, so over one read a core would be 0, 50 or 100 %
 * busy. Ten reads make steps of 5 % and still move with every tick.
 *
 * The read itself is cheap (2 cores, 6.18: /proc/stat 2.6 us, meminfo 1.8, vmstat 11,
 * diskstats 2.5, net/dev 2, pressure 0.7 each, loadavg 0.4), having it done by another
 * thread is not: some 40 us of CPU each, waking included. So each tick takes what
 * tells most, and the others take turns, counted in ticks of 50 Hz. loadavg changes
 * each 5 s; what may be a transfer on a bus is read twice a second.
 */
#include "agent/board.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/board_impl.h"
#include "kernels/why.h"

#define KIB_OF_SECTORS 0.5
#define WINDOW 5
#define COARSE 10		/* for what the kernel counts in jiffies, read on every tick */

struct row {
	const char *channel, *unit, *field;
	double scale;
	unsigned window;	/* 0: no counter */
};

struct table {
	const char *sensor, *path;
	unsigned every;
	const struct row *row;
};

/* Disks, not their partitions; no loop, ram or zram device; md and dm sit on top of disks. */
#define DISKS "sd?,vd?,xvd?,mmcblk?,nvme?n?@2/all:"
/* Wires and radios; bridges and tunnels count the same bytes again. */
#define LINKS "eth*,en*,wl*,ww*,usb*/all:"

static const struct row pressure_cpu[] = {
	{ "psi.cpu", "%", "some:4", 1e-4, COARSE }, { NULL },
};
static const struct row pressure_io[] = {
	{ "psi.io", "%", "some:4", 1e-4, WINDOW }, { NULL },
};
static const struct row pressure_memory[] = {
	{ "psi.memory", "%", "some:4", 1e-4, WINDOW }, { NULL },
};
static const struct row meminfo[] = {
	{ "mem.available", "MiB", "MemAvailable:1", 1.0 / 1024, 0 },
	{ "mem.dirty", "MiB", "Dirty:1", 1.0 / 1024, 0 }, { NULL },
};
static const struct row vmstat[] = {
	{ "mem.faults", "/s", "pgfault:1", 1, WINDOW }, { NULL },
};
static const struct row diskstats[] = {
	{ "disk.read", "KiB/s", DISKS "5", KIB_OF_SECTORS, WINDOW },
	{ "disk.write", "KiB/s", DISKS "9", KIB_OF_SECTORS, WINDOW },
	{ "disk.busy", "%", DISKS "12", 0.1, WINDOW }, { NULL },
};
static const struct row net[] = {
	{ "net.rx", "KiB/s", LINKS "1", 1.0 / 1024, WINDOW },
	{ "net.tx", "KiB/s", LINKS "9", 1.0 / 1024, WINDOW }, { NULL },
};
static const struct row loadavg[] = {
	{ "load.1min", "", "0", 1, 0 }, { NULL },
};

static const struct table tables[] = {
	{ "pressure-cpu", "/proc/pressure/cpu", 1, pressure_cpu },
	{ "pressure-io", "/proc/pressure/io", 2, pressure_io },
	{ "pressure-memory", "/proc/pressure/memory", 2, pressure_memory },
	{ "meminfo", "/proc/meminfo", 5, meminfo },
	{ "diskstats", "/proc/diskstats", 2, diskstats },
	{ "net", "/proc/net/dev", 2, net },
	{ "vmstat", "/proc/vmstat", 2, vmstat },
	{ "loadavg", "/proc/loadavg", 25, loadavg },
};

/* The rest of /proc/stat, behind the cores. procs_running counts the reader as well. */
static const struct row stat_rows[] = {
	{ "irq.rate", "/s", "intr:1", 1, WINDOW },
	{ "softirq.rate", "/s", "softirq:1", 1, WINDOW },
	{ "ctx.rate", "/s", "ctxt:1", 1, WINDOW },
	{ "fork.rate", "/s", "processes:1", 1, COARSE },
	{ "load.running", "", "procs_running:1", 1, 0 },
	{ "load.blocked", "", "procs_blocked:1", 1, 0 }, { NULL },
};

static struct channel_config channel_of(const struct row *row)
{
	struct channel_config c = {
		.scale = row->scale, .counter = row->window > 0, .window = row->window,
	};

	snprintf(c.name, sizeof c.name, "%s", row->channel);
	snprintf(c.unit, sizeof c.unit, "%s", row->unit);
	if (decode_text_parse(&c.text, row->field, NULL))
		abort();	/* our own table */
	return c;
}

static int add_rows(struct board *b, struct sensor_config *s, const char *text, unsigned len,
		    const struct row *row)
{
	int err = 0;

	for (; !err && row->channel; row++) {
		struct channel_config c = channel_of(row);
		double v;

		if (!decode_text(&c.text, text, len, &v))
			err = board_channel(b, s, &c);
	}
	return err;
}

/*
 * A channel a core; on machines with so many that they would crowd out the rest,
 * one for all of them together.
 */
static int add_cores(struct board *b, struct sensor_config *s, const char *text, unsigned len)
{
	const double percent_of_jiffies = 100.0 / (double)sysconf(_SC_CLK_TCK);
	struct row row = {
		.unit = "%", .scale = percent_of_jiffies, .window = COARSE,
	};
	char name[32], field[64];
	unsigned cores = 0;
	int err = 0;

	row.channel = name;
	row.field = field;
	for (unsigned cpu = 0; cpu < BOARD_CORES_MAX; cpu++) {
		struct channel_config c;
		double v;

		snprintf(name, sizeof name, "cpu%u.busy", cpu);
		/* Not idle, not waiting for a disk; a guest's time is in the user time. */
		snprintf(field, sizeof field, "cpu%u:1+2+3+6+7+8", cpu);
		c = channel_of(&row);
		cores += !decode_text(&c.text, text, len, &v);
	}
	snprintf(field, sizeof field, "cpu:1+2+3+6+7+8");
	snprintf(name, sizeof name, "cpu.busy");
	if (cores > b->max / 4) {
		row.scale /= cores;
		return add_rows(b, s, text, len, (struct row[]){ row, { NULL } });
	}
	for (unsigned cpu = 0; !err && cpu < BOARD_CORES_MAX; cpu++) {
		snprintf(name, sizeof name, "cpu%u.busy", cpu);
		snprintf(field, sizeof field, "cpu%u:1+2+3+6+7+8", cpu);
		err = add_rows(b, s, text, len, (struct row[]){ row, { NULL } });
	}
	return err;
}

static int add_stat(struct board *b)
{
	struct sensor_config s = board_sensor("stat", "/proc/stat", 1);
	char *text;
	unsigned len;
	int err = board_read(b, s.path, &text, &len);

	if (err)
		return err == -ENOMEM ? err : 0;
	err = add_cores(b, &s, text, len);
	if (!err)
		err = add_rows(b, &s, text, len, stat_rows);
	free(text);
	return board_add(b, &s, err);
}

static int add_table(struct board *b, const struct table *t)
{
	struct sensor_config s = board_sensor(t->sensor, t->path, t->every);
	char *text;
	unsigned len;
	int err = board_read(b, s.path, &text, &len);

	if (err)
		return err == -ENOMEM ? err : 0;
	err = add_rows(b, &s, text, len, t->row);
	free(text);
	return board_add(b, &s, err);
}

int board_find(struct sensor_config **sensor, unsigned *n, const char *root,
	       unsigned max_channels, struct why *why)
{
	struct board b = { .sensor = *sensor, .n = *n, .root = root, .max = max_channels };
	unsigned before = *n;
	int err;

	for (unsigned i = 0; i < b.n; i++)
		b.channels += b.sensor[i].channels;
	err = add_stat(&b);
	for (unsigned i = 0; !err && i < sizeof tables / sizeof *tables; i++)
		err = add_table(&b, &tables[i]);
	if (!err)
		err = board_frequencies(&b);
	if (!err)
		err = board_thermal(&b);
	if (!err)
		err = board_hwmon(&b);
	*sensor = b.sensor;
	*n = b.n;
	if (err)
		return why_set(why, err, "the board's sensors: %s", strerror(-err));
	if (b.n == before)
		return why_set(why, -ENODEV, "the board's sensors: nothing below %s/proc or %s/sys "
			       "can be read", root, root);
	return 0;
}

void board_at_rate(struct sensor_config *s, double rate_hz)
{
	double faster = rate_hz / BOARD_RATE_HZ;
	double every = fmax(1, round((double)s->every * faster));

	for (unsigned i = 0; i < s->channels; i++) {
		struct channel_config *c = &s->channel[i];

		if (c->window)
			c->window = fmax(1, round(c->window * faster * (double)s->every / every));
	}
	s->every = every;
}
