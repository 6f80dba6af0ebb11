// SPDX-License-Identifier: MIT
/*
 * What a device remarks on an opening that succeeded stands on the stats page, though nothing
 * has failed: here that two thermal zones have the name that was asked for.
 */
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/runner.h"
#include "agent/stats.h"
#include "kernels/why.h"
#include "test/test.h"

#define TRIES 2000

static char root[] = "/tmp/sonde-page-XXXXXX";
static struct sonde_stats stats;

static void make(const char *path, const char *text)
{
	char full[128];
	FILE *f;

	snprintf(full, sizeof full, "%s%s", root, path);
	if (!text) {
		CHECK_EQ(mkdir(full, 0755), 0);
		return;
	}
	f = fopen(full, "we");
	CHECK(f && fputs(text, f) >= 0);
	CHECK_EQ(fclose(f), 0);
}

static void make_zones(void)
{
	make("/sys", NULL);
	make("/sys/class", NULL);
	make("/sys/class/thermal", NULL);
	make("/sys/class/thermal/thermal_zone0", NULL);
	make("/sys/class/thermal/thermal_zone1", NULL);
	make("/sys/class/thermal/thermal_zone0/type", "board\n");
	make("/sys/class/thermal/thermal_zone1/type", "board\n");
	make("/sys/class/thermal/thermal_zone0/temp", "41000\n");
	make("/sys/class/thermal/thermal_zone1/temp", "42000\n");
}

static void clean_up(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -r %s", root);
	if (system(command))
		fprintf(stderr, "%s is left behind\n", root);
}

/* A word of the page while it is written, as any reader of it may look (stats_page.c). */
__attribute__((no_sanitize("thread")))
static bool has_read(const volatile struct sonde_sensor *s)
{
	return s->reads > 0;
}

/* The sensor's entry is looked at when the thread has ended: nobody writes it any more. */
static void remark(void)
{
	struct channel_config channel = {
		.name = "board", .attribute = "temp", .scale = 1e-3, .scaled = true,
		.part_channel = -1, .check = { .min = -20, .max = 90 },
	};
	struct sensor_config sensor = {
		.name = "board", .kind = "thermal", .device = "board", .every = 1,
		.channel = &channel, .channels = 1,
	};
	struct pipeline_config p = {
		.name = "p", .rate_hz = 100, .core = CORE_NONE, .stale_s = 5, .pre_s = 1,
		.post_s = 1, .sensor = &sensor, .sensors = 1, .channels = 1,
	};
	struct config agent = { .pipelines = 1, .pipeline = &p, .ring = "epoll" };
	const struct sonde_sensor *s = &stats.tick.sensor[0];
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct why why = { "" };
	struct runner *r;

	if (runner_open(&r, &agent, &p, &stats, efd, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	for (unsigned i = 0; i < TRIES && !has_read(s); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	runner_close(r);
	close(efd);
	CHECK(s->reads && !s->errors);
	CHECK_EQ(s->opened, 1);
	CHECK(strstr(s->why, "2 devices are called board"));
}

int main(void)
{
	CHECK(mkdtemp(root));
	atexit(clean_up);
	make_zones();
	CHECK_EQ(setenv("SONDE_ROOT", root, 1), 0);
	remark();
	return 0;
}
