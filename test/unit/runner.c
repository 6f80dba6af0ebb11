// SPDX-License-Identifier: MIT
/*
 * A pipeline's thread in full, on a FIFO of binary scans: ticks arrive in the
 * queue with the values that were written, a model is taken up between two ticks and the
 * old one comes home, a departure is reported once with its channel, and the thread
 * ends when asked. Both rings.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/queue.h"
#include "agent/runner.h"
#include "agent/stats.h"
#include "kernels/why.h"
#include "test/unit/pipeline_fixture.h"

#define RATE 100

static atomic_bool stop_feeding;
static _Atomic int departed = -1;

static void sleep_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

static void *feed(void *arg)
{
	int fd = open(arg, O_RDWR);
	uint32_t seed = 3;

	CHECK(fd >= 0);
	while (!stop_feeding) {
		int16_t scan[FIXTURE_CHANNELS];

		for (int c = 0; c < FIXTURE_CHANNELS; c++)
			scan[c] = 1000 + (int)(fixture_random(&seed) % 100) - 50 +
				  (departed == c ? 3000 : 0);
		CHECK(write(fd, scan, sizeof scan) == sizeof scan);
		sleep_ms(5);
	}
	close(fd);
	return NULL;
}

static struct pipeline_config *stream_config(const char *path)
{
	struct pipeline_config *c = fixture_config(RATE);
	struct sensor_config *s = c->sensor;

	snprintf(s->name, sizeof s->name, "fifo");
	snprintf(s->kind, sizeof s->kind, "stream");
	snprintf(s->path, sizeof s->path, "%s", path);
	s->every = 1;
	for (unsigned i = 0; i < FIXTURE_CHANNELS; i++) {
		CHECK(!decode_scan_parse(&s->channel[i].scan, "le:s16/16>>0", NULL));
		s->channel[i].scan.offset = 2 * i;
		s->channel[i].scale = 0.01;
	}
	s->scan_bytes = 2 * FIXTURE_CHANNELS;
	c->core = CORE_NONE;
	c->pre_s = c->post_s = 1;
	return c;
}

/* Take records until one of this kind comes (copied), at most 10 s. */
static struct record *next(struct runner *r, enum record_kind kind, unsigned *ticks)
{
	static struct {
		struct record r;
		float room[3 * FIXTURE_CHANNELS];
	} copy;

	for (unsigned waited = 0; waited < 1000; waited++) {
		const struct record *rec;

		while ((rec = queue_peek(runner_queue(r)))) {
			bool found = rec->kind == kind;

			CHECK(rec->kind != RECORD_DEAD);
			if (ticks)
				*ticks += rec->kind == RECORD_TICK;
			memcpy(&copy, rec, sizeof *rec + FIXTURE_CHANNELS * (2 * sizeof(float) + 1));
			queue_pop(runner_queue(r));
			if (found)
				return &copy.r;
		}
		sleep_ms(10);
	}
	fprintf(stderr, "no record of kind %d came\n", kind);
	exit(1);
}

static void whole_life(const char *kind, const char *path)
{
	struct config agent = { .pipelines = 1 };
	struct pipeline_config *c = stream_config(path);
	static struct sonde_stats stats;
	struct pipeline_model *pm[2];
	struct why why = { "" };
	struct record *rec;
	struct runner *r;
	pthread_t feeder;
	uint64_t wakes = 0, first;
	unsigned ticks = 0;
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	snprintf(agent.ring, sizeof agent.ring, "%s", kind);
	agent.pipeline = c;
	memset(&stats, 0, sizeof stats);
	stop_feeding = false;
	departed = -1;
	CHECK(!pthread_create(&feeder, NULL, feed, (void *)path));
	if (runner_open(&r, &agent, c, &stats, efd, &why)) {
		if (!strcmp(kind, "io_uring"))
			SKIP_BECAUSE("io_uring is refused here: %s", why.text);
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	CHECK_STR(runner_ring(r), kind);

	/* Values arrive scaled, and ticks on the grid. */
	sleep_ms(300);
	rec = next(r, RECORD_TICK, NULL);
	first = rec->t_ns;
	for (unsigned i = 0; i < 30; i++)
		rec = next(r, RECORD_TICK, NULL);
	CHECK_EQ((rec->t_ns - first) % (1000000000 / RATE), 0);
	for (unsigned i = 0; i < FIXTURE_CHANNELS; i++) {
		CHECK(record_valid(rec, FIXTURE_CHANNELS)[i]);
		CHECK(rec->data[i] > 9.4f && rec->data[i] < 10.6f);
	}
	CHECK(!rec->scored);

	/* A model, and another over it: the first comes home. */
	for (unsigned i = 0; i < 2; i++) {
		CHECK(!pipeline_model_open(&pm[i], fixture_model(RATE), c, FC_XNN, &why));
		pm[i]->generation = i + 1;
		CHECK(runner_offer(r, pm[i]) == NULL);
		rec = next(r, RECORD_MODEL, NULL);
		CHECK(rec->old_model == (i ? pm[0] : NULL));
	}
	pipeline_model_close(pm[0]);
	CHECK_EQ(read(efd, &wakes, sizeof wakes), sizeof wakes);
	CHECK(wakes >= 1);

	/* Normal for half a second, then channel 3 departs. */
	for (unsigned i = 0; i < RATE / 2; i++) {
		rec = next(r, RECORD_TICK, NULL);
		CHECK(!rec->alarm);
	}
	CHECK(rec->scored);
	departed = 3;
	rec = next(r, RECORD_ALARM, NULL);
	CHECK(rec->score > 0 && rec->score > rec->limit);
	CHECK(rec->departed >= 1);
	CHECK_EQ(rec->departed_channel[0], 3);
	CHECK(rec->since_tick <= rec->tick);
	departed = -1;
	rec = next(r, RECORD_CLEAR, &ticks);
	CHECK(ticks >= 1);

	CHECK_EQ(stats.tick.alarms, 1);
	CHECK_EQ(stats.tick.channels, FIXTURE_CHANNELS);
	CHECK_STR(stats.tick.channel[4].name, "e");
	CHECK_EQ(stats.tick.model_generation, 2);
	CHECK(stats.tick.ticks > RATE / 2);
	CHECK_EQ(stats.tick.latency.count, stats.tick.ticks);
	CHECK(stats.tick.channel[0].samples > 0);
	CHECK_EQ(stats.tick.seq % 2, 0);
	runner_close(r);
	stop_feeding = true;
	pthread_join(feeder, NULL);
	close(efd);
	fixture_free(c);
}

int main(void)
{
	char dir[] = "/tmp/sonde-runner-XXXXXX", path[64];

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/fifo", dir);
	CHECK(!mkfifo(path, 0600));
	whole_life("epoll", path);
	whole_life("io_uring", path);
	unlink(path);
	rmdir(dir);
	return 0;
}
