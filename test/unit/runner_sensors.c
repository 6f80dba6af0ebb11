// SPDX-License-Identifier: MIT
/*
 * A pipeline's thread and sensors that are not there, come, talk nonsense and come back, with
 * real workers and a real ring of both kinds: what the records and the stats page say of them.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/dev/dev.h"
#include "agent/queue.h"
#include "agent/runner.h"
#include "agent/stats.h"
#include "kernels/why.h"
#include "test/test.h"

#define RATE 100
#define PATIENCE_MS 10000

static char dir[] = "/tmp/sonde-sensors-XXXXXX";
static struct channel_config channel[3];
static struct sensor_config sensor[2];
static struct pipeline_config pipeline = {
	.name = "p", .rate_hz = RATE, .core = CORE_NONE, .stale_s = 5, .pre_s = 1, .post_s = 1,
	.sensor = sensor, .sensors = 2, .channels = 3,
};
static struct sonde_stats stats;
static struct sonde_tick page;

/* In place, and of one length each time: no reader ever finds a half of it. */
static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "r+e");

	if (!f)
		f = fopen(path, "we");
	CHECK(f);
	CHECK(fputs(text, f) >= 0);
	CHECK_EQ(fclose(f), 0);
}

static void describe(void)
{
	for (unsigned i = 0; i < 2; i++) {
		snprintf(sensor[i].kind, sizeof sensor[i].kind, "sysfs");
		sensor[i].every = 1;
		sensor[i].channel = &channel[i];
		sensor[i].channels = 1 + i;
	}
	snprintf(sensor[0].name, sizeof sensor[0].name, "here");
	snprintf(sensor[1].name, sizeof sensor[1].name, "there");
	snprintf(sensor[0].path, sizeof sensor[0].path, "%s/here", dir);
	snprintf(sensor[1].path, sizeof sensor[1].path, "%s/there", dir);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(channel[i].name, sizeof channel[i].name, "c%u", i);
		snprintf(channel[i].unit, sizeof channel[i].unit, "degC");
		CHECK_EQ(decode_text_parse(&channel[i].text, i < 2 ? "0" : "1", NULL), 0);
		channel[i].scale = 0.001;
		channel[i].check.min = -20;
		channel[i].check.max = 60;
	}
	channel[2].feature = (struct feature_config){ .kind = FEATURE_MEAN, .samples = 16 };
	write_file(sensor[0].path, "21000\n");
}

/* Until the state of a channel is told (with the fault), or for ten seconds. */
static void await(struct runner *r, unsigned c, enum channel_state state, enum channel_fault fault)
{
	for (unsigned ms = 0; ms < PATIENCE_MS; ms++) {
		const struct record *rec;

		while ((rec = queue_peek(runner_queue(r)))) {
			bool found = rec->kind == RECORD_STATE && rec->channel == c &&
				     rec->state == state && rec->fault == fault;

			CHECK(rec->kind != RECORD_DEAD);
			queue_pop(runner_queue(r));
			if (found)
				return;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	fprintf(stderr, "channel %u did not become %d, %d\n", c, state, fault);
	exit(1);
}

/* As the world sees it, a few ticks later: copied while nobody writes (bpf/stats.h). */
__attribute__((no_sanitize("thread")))
static const struct sonde_sensor *look(unsigned s)
{
	const uint64_t *from = (const uint64_t *)&stats.tick;
	uint32_t before;

	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	do {
		before = __atomic_load_n(&stats.tick.seq, __ATOMIC_ACQUIRE);
		for (size_t i = 0; i < sizeof page / sizeof *from; i++)
			((uint64_t *)&page)[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (before % 2 || before != __atomic_load_n(&stats.tick.seq, __ATOMIC_RELAXED));
	return &page.sensor[s];
}

static void body(const char *kind)
{
	struct config agent = { .pipelines = 1, .pipeline = &pipeline };
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const struct sonde_sensor *s;
	struct why why = { "" };
	struct runner *r;

	snprintf(agent.ring, sizeof agent.ring, "%s", kind);
	memset(&stats, 0, sizeof stats);
	write_file(sensor[0].path, "21000\n");
	unlink(sensor[1].path);
	if (runner_open(&r, &agent, &pipeline, &stats, efd, &why)) {
		if (!strcmp(kind, "io_uring"))
			SKIP_BECAUSE("passed on epoll; io_uring is refused here: %s", why.text);
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	await(r, 0, CHANNEL_LIVE, FAULT_NONE);
	s = look(0);
	CHECK_EQ(page.sensors, 2);
	CHECK_EQ(page.channels, 3);
	CHECK_STR(s->name, "here");
	CHECK_STR(s->kind, "sysfs");
	CHECK_EQ(s->state, CHANNEL_LIVE);
	CHECK_EQ(s->path_expected, DEV_PATH_WORKER);
	CHECK(s->reads > 0 && s->opened == 1 && !s->error && !s->errors);
	CHECK_EQ(page.channel[0].sensor, 0);
	CHECK_EQ(page.channel[2].sensor, 1);
	CHECK_NEAR(page.channel[0].value, 21, 1e-5);

	/* The other one is not there: neither an error of the pipeline nor a held tick. */
	s = look(1);
	CHECK_EQ(s->state, CHANNEL_ABSENT);
	CHECK_EQ(s->fault, FAULT_ABSENT);
	CHECK_EQ(s->error, -ENOENT);
	CHECK_EQ(s->faults[FAULT_ABSENT], 1);
	CHECK(strstr(s->why, "there"));
	CHECK_EQ(page.channel[1].fault, FAULT_ABSENT);
	write_file(sensor[1].path, "22000 30000\n");
	runner_kick(r);
	await(r, 1, CHANNEL_LIVE, FAULT_NONE);
	/* A feature needs its window full. */
	await(r, 2, CHANNEL_LIVE, FAULT_NONE);
	s = look(1);
	CHECK_EQ(s->state, CHANNEL_LIVE);
	CHECK_NEAR(page.channel[1].value, 22, 1e-5);
	CHECK_NEAR(page.channel[2].value, 30, 1e-4);

	/* Nonsense, what can not be, and well again: the same thread all the while. */
	write_file(sensor[0].path, "N/A  \n");
	await(r, 0, CHANNEL_FAULTY, FAULT_FORMAT);
	s = look(0);
	CHECK_EQ(s->state, CHANNEL_FAULTY);
	CHECK_EQ(s->fault, FAULT_FORMAT);
	CHECK(s->faults[FAULT_FORMAT] >= 1 && s->errors >= 1);
	CHECK_STR(s->why, "c0: format");
	CHECK_EQ(page.channel[0].fault, FAULT_FORMAT);
	write_file(sensor[0].path, "23000\n");
	await(r, 0, CHANNEL_LIVE, FAULT_NONE);
	s = look(0);
	CHECK(s->recovered >= 1);
	CHECK(s->opened >= 2);
	CHECK_EQ(s->state, CHANNEL_LIVE);
	write_file(sensor[1].path, "85000 30000\n");
	await(r, 1, CHANNEL_FAULTY, FAULT_RANGE);
	CHECK_EQ(look(1)->fault, FAULT_RANGE);
	CHECK_NEAR(page.channel[1].value, 22, 1e-5);
	CHECK_EQ(page.channel[2].state, CHANNEL_LIVE);
	CHECK_EQ(page.dropped, 0);
	runner_close(r);
	close(efd);
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
	CHECK(mkdtemp(dir));
	atexit(clean_up);
	describe();
	body("epoll");
	body("io_uring");
	return 0;
}
