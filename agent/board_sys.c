// SPDX-License-Identifier: MIT
/*
 * board_sys: clocks, thermal zones and hwmon inputs: directories of single values,
 * whose names, labels and scales come from /sys (Documentation/hwmon/sysfs-interface.rst,
 * Documentation/driver-api/thermal/sysfs-api.rst). In the order of their numbers, so that
 * a board has the same channels in the same order after each start.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/board_impl.h"

#define SLOW 25			/* may be a transfer on a bus, or a firmware call */

/* The file's first line without its end; "" when there is none. */
static void read_line(const struct board *b, const char *path, char *line, size_t size)
{
	unsigned len = 0;
	char *text;

	line[0] = '\0';
	if (board_read(b, path, &text, &len))
		return;
	snprintf(line, size, "%.*s", (int)len, text);
	line[strcspn(line, "\n")] = '\0';
	free(text);
}

/* The last part of where a link leads; "" when it is none. */
static void read_link(const struct board *b, const char *path, char *last, size_t size)
{
	char full[2 * CONFIG_PATH_MAX], target[CONFIG_PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(full, sizeof full, "%s%s", b->root, path);
	n = readlink(full, target, sizeof target - 1);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(last, size, "%.*s", (int)size - 1, slash ? slash + 1 : target);
}

/* Only what a channel's name may hold. */
static void clean(char *s)
{
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && *s != '_' && *s != '-')
			*s = '-';
}

/* A sensor with the one channel c, if the file gives a number now. */
static int add_single(struct board *b, const char *path, unsigned every,
		      struct channel_config *c)
{
	struct sensor_config s = board_sensor(c->name, path, every);
	char *text;
	unsigned len;
	double v;
	int err = board_read(b, path, &text, &len);

	if (err)
		return err == -ENOMEM ? err : 0;
	s.single = true;
	c->text = (struct text_field){ .columns = 1 };
	if (!decode_text(&c->text, text, len, &v))
		err = board_channel(b, &s, c);
	free(text);
	return board_add(b, &s, err);
}

/* The numbers N of the entries PREFIX<N> of a directory, sorted. */
static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static unsigned numbered(const struct board *b, const char *dir, const char *prefix,
			 const char *suffix, int *number, unsigned max)
{
	char full[2 * CONFIG_PATH_MAX];
	size_t plen = strlen(prefix);
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	snprintf(full, sizeof full, "%s%s", b->root, dir);
	d = opendir(full);
	if (!d)
		return 0;
	while (n < max && (e = readdir(d))) {
		char *end;
		long v;

		if (strncmp(e->d_name, prefix, plen) ||
		    e->d_name[plen] < '0' || e->d_name[plen] > '9')
			continue;
		v = strtol(e->d_name + plen, &end, 10);
		if (!strcmp(end, suffix) && v < 100000)
			number[n++] = (int)v;
	}
	closedir(d);
	qsort(number, n, sizeof *number, by_number);
	return n;
}

/* Cores that share a clock share a policy: the same number twice tells nothing twice. */
int board_frequencies(struct board *b)
{
	char path[CONFIG_PATH_MAX], policy[64], seen[BOARD_CORES_MAX][64];
	int cpu[BOARD_CORES_MAX], err = 0;
	unsigned n = numbered(b, "/sys/devices/system/cpu", "cpu", "", cpu, BOARD_CORES_MAX);

	for (unsigned i = 0; !err && i < n; i++) {
		struct channel_config c = { .scale = 1e-3, .unit = "MHz" };
		bool again = false;

		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq", cpu[i]);
		read_link(b, path, policy, sizeof policy);
		for (unsigned k = 0; k < i; k++)
			again |= *policy && !strcmp(policy, seen[k]);
		memcpy(seen[i], policy, sizeof policy);
		if (again)
			continue;
		snprintf(c.name, sizeof c.name, "cpu%d.freq", cpu[i]);
		snprintf(path, sizeof path,
			 "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", cpu[i]);
		err = add_single(b, path, 5, &c);
	}
	return err;
}

int board_thermal(struct board *b)
{
	int zone[64], err = 0;
	unsigned n = numbered(b, "/sys/class/thermal", "thermal_zone", "", zone, 64);

	for (unsigned i = 0; !err && i < n; i++) {
		struct channel_config c = { .scale = 1e-3, .unit = "°C" };
		char path[CONFIG_PATH_MAX], type[CONFIG_NAME_MAX];

		snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/type", zone[i]);
		read_line(b, path, type, sizeof type);
		clean(type);
		if (*type)
			snprintf(c.name, sizeof c.name, "thermal.%.22s", type);
		else
			snprintf(c.name, sizeof c.name, "thermal.zone%d", zone[i]);
		snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/temp", zone[i]);
		err = add_single(b, path, SLOW, &c);
	}
	return err;
}

struct input {
	const char *prefix, *suffix, *unit;
	double scale;
	bool counter;
};

static const struct input inputs[] = {
	{ "temp", "_input", "°C", 1e-3, false },
	{ "in", "_input", "V", 1e-3, false },
	{ "curr", "_input", "A", 1e-3, false },
	{ "power", "_input", "W", 1e-6, false },
	{ "power", "_average", "W", 1e-6, false },
	{ "energy", "_input", "W", 1e-6, true },
	{ "fan", "_input", "rpm", 1, false },
	{ "humidity", "_input", "%", 1e-3, false },
	{ "freq", "_input", "MHz", 1e-6, false },
};

/* One kind of input of one chip. */
static int add_inputs(struct board *b, int hwmon, const char *chip, const struct input *in)
{
	char dir[64], path[CONFIG_PATH_MAX], label[CONFIG_NAME_MAX];
	int number[64], err = 0;
	unsigned n;

	snprintf(dir, sizeof dir, "/sys/class/hwmon/hwmon%d", hwmon);
	n = numbered(b, dir, in->prefix, in->suffix, number, 64);
	for (unsigned i = 0; !err && i < n; i++) {
		struct channel_config c = { .scale = in->scale, .counter = in->counter };

		snprintf(c.unit, sizeof c.unit, "%s", in->unit);
		snprintf(path, sizeof path, "%s/%s%d_label", dir, in->prefix, number[i]);
		read_line(b, path, label, sizeof label);
		clean(label);
		if (!*label)
			snprintf(label, sizeof label, "%s%d", in->prefix, number[i]);
		snprintf(c.name, sizeof c.name, "hwmon.%.14s.%.10s", chip, label);
		snprintf(path, sizeof path, "%s/%s%d%s", dir, in->prefix, number[i], in->suffix);
		err = add_single(b, path, SLOW, &c);
	}
	return err;
}

int board_hwmon(struct board *b)
{
	int hwmon[64], err = 0;
	unsigned n = numbered(b, "/sys/class/hwmon", "hwmon", "", hwmon, 64);

	for (unsigned i = 0; !err && i < n; i++) {
		char path[CONFIG_PATH_MAX], chip[CONFIG_NAME_MAX], device[64];

		snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/device", hwmon[i]);
		read_link(b, path, device, sizeof device);
		/* thermal_hwmon.c shows a zone here once more: it is a channel already. */
		if (!strncmp(device, "thermal_zone", 12))
			continue;
		snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/name", hwmon[i]);
		read_line(b, path, chip, sizeof chip);
		clean(chip);
		if (!*chip)
			snprintf(chip, sizeof chip, "%d", hwmon[i]);
		for (unsigned k = 0; !err && k < sizeof inputs / sizeof *inputs; k++)
			err = add_inputs(b, hwmon[i], chip, &inputs[k]);
	}
	return err;
}
