// SPDX-License-Identifier: MIT
/*
 * page: a stats page without a daemon, for tests of what is printed of it. page RUN_DIR makes it,
 * says "ready" and keeps its heart beating until it is killed. Pipeline "well" has
 * sensors in each state and on each path; in "ill" nothing is what it should be.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/frame.h"
#include "agent/stats.h"
#include "kernels/why.h"

enum { PATH_INLINE, PATH_POLL, PATH_WORKER, PATH_BUS };

static const struct sonde_sensor well[] = {
	{ .name = "room", .kind = "i2c", .state = CHANNEL_LIVE, .rate_hz = 12.5f, .reads = 1000,
	  .errors = 3, .opened = 2, .recovered = 1, .path_expected = PATH_BUS, .path_seen = 1,
	  .age_ns = 2000000, .faults = { [FAULT_CRC] = 2, [FAULT_BUS] = 1 }, .error = -121,
	  .edge_to_value_ns = 77000, .why = "an old story" },
	{ .name = "mag", .kind = "iio", .state = CHANNEL_LIVE, .reads = 5000, .queued = 50,
	  .path_expected = PATH_POLL, .path_seen = 1 },
	{ .name = "board", .kind = "hwmon", .state = CHANNEL_STALE, .reads = 100, .queued = 100,
	  .path_expected = PATH_WORKER, .path_seen = 1, .why = "nothing for 12 s" },
	{ .name = "odd", .kind = "sysfs", .state = CHANNEL_LIVE, .reads = 100, .queued = 100,
	  .path_expected = PATH_INLINE, .path_seen = 1 },
	{ .name = "swift", .kind = "sysfs", .state = CHANNEL_LIVE, .reads = 100,
	  .path_expected = PATH_WORKER, .path_seen = 1 },
	{ .name = "unwatched", .kind = "sysfs", .state = CHANNEL_PROBING, .reads = 100,
	  .path_expected = PATH_WORKER },
	{ .name = "door", .kind = "gpio", .state = CHANNEL_ABSENT, .fault = FAULT_ABSENT,
	  .errors = 9, .path_expected = PATH_POLL, .path_seen = 1, .error = -2,
	  .why = "no line is called \"DOOR\"" },
};

static const struct sonde_channel channels[] = {
	{ .name = "room", .unit = "degC", .state = CHANNEL_LIVE, .value = 21.5f, .samples = 1000,
	  .errors = 3, .age_ns = 3000000, .sensor = 0 },
	{ .name = "mag.x", .unit = "uT", .state = CHANNEL_FAULTY, .fault = FAULT_STUCK,
	  .value = -40, .samples = 10, .errors = 7, .sensor = 1 },
	{ .name = "door", .state = CHANNEL_ABSENT, .fault = FAULT_ABSENT, .sensor = 6 },
};

static void beat(struct sonde_stats *s)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	stats_write_begin(&s->host.seq);
	s->host.heartbeat_ns = t.tv_sec * 1000000000ull + t.tv_nsec;
	s->host.alive = 1;
	s->host.pid = getpid();
	stats_write_end(&s->host.seq);
}

int main(int argc, char **argv)
{
	struct why why = { "" };
	struct stats_page *p;
	struct sonde_stats *a, *b;

	if (argc != 2 || stats_create(&p, argv[1], 2, NULL, &why)) {
		fprintf(stderr, "page RUN_DIR: %s\n", why.text);
		return 2;
	}
	a = stats_pipeline(p, 0);
	b = stats_pipeline(p, 1);
	strcpy(a->host.name, "well");
	a->tick.sensors = sizeof well / sizeof *well;
	memcpy(a->tick.sensor, well, sizeof well);
	a->tick.channels = sizeof channels / sizeof *channels;
	memcpy(a->tick.channel, channels, sizeof channels);
	memset(&b->tick.sensors, 0xff, sizeof b->tick - offsetof(struct sonde_tick, sensors));
	memset(b->host.name, 'i', sizeof b->host.name);
	b->tick.channels = 1;
	beat(a);
	beat(b);
	puts("ready");
	fflush(stdout);
	for (;;) {
		usleep(200000);
		beat(a);
		beat(b);
	}
}
