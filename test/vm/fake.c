// SPDX-License-Identifier: MIT
/*
 * fake {bus|text|frames} NAME, fake pulse FILE US: a device for the guests that QEMU does not
 * have, because it misbehaves. bus: an I2C adapter /dev/NAME with a tmp105 and an SHT3x on it.
 * text, frames: a serial line with NMEA sentences or a PMSx003. pulse: US microseconds high, as
 * many low, on a line of gpio-sim whose `pull` is FILE. Modes change while it runs:
 * echo hang >/run/fake/NAME. It is no model of a bus, only of what user space sees of one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/vm/fake.h"

static const char *const words[] = {
	[FAKE_OK] = "ok", [FAKE_NAK] = "nak", [FAKE_TIMEOUT] = "timeout", [FAKE_SLOW] = "slow",
	[FAKE_SHORT] = "short", [FAKE_GARBAGE] = "garbage", [FAKE_STUCK] = "stuck",
	[FAKE_HANG] = "hang", [FAKE_DEAF] = "deaf", [FAKE_GONE] = "gone",
};

enum fake_mode fake_mode(const char *name)
{
	char path[96], word[16] = "";
	unsigned i;
	FILE *f;

	snprintf(path, sizeof(path), "/run/fake/%s", name);
	f = fopen(path, "r");
	if (!f)
		return FAKE_OK;
	if (fscanf(f, "%15s", word) != 1)
		word[0] = 0;
	fclose(f);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i]))
			return (enum fake_mode)i;
	return FAKE_OK;
}

void fake_wait(struct timespec *due, long us)
{
	due->tv_nsec += us * 1000;
	due->tv_sec += due->tv_nsec / 1000000000;
	due->tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, due, NULL);
}

int fake_pulse(const char *file, long half_us)
{
	static const char *const pull[] = { "pull-down", "pull-up" };
	struct timespec due;
	unsigned level = 0;

	clock_gettime(CLOCK_MONOTONIC, &due);
	for (;;) {
		FILE *f = fopen(file, "w");

		if (!f || fputs(pull[level ^= 1], f) < 0) {
			perror(file);
			return 1;
		}
		fclose(f);
		fake_wait(&due, half_us);
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "bus"))
		return fake_bus(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "text"))
		return fake_line(argv[2], 0);
	if (argc == 3 && !strcmp(argv[1], "frames"))
		return fake_line(argv[2], 1);
	if (argc == 4 && !strcmp(argv[1], "pulse") && atol(argv[3]) > 0)
		return fake_pulse(argv[2], atol(argv[3]));
	fprintf(stderr, "usage: fake {bus|text|frames} NAME | fake pulse FILE US\n");
	return 2;
}
