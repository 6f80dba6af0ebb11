// SPDX-License-Identifier: MIT
/* events: a pipeline's records become history, events with their windows, and captures. */
#include "agent/events.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/history.h"
#include "agent/queue.h"
#include "kernels/why.h"
#include "test/test.h"

#define CHANNELS 3
#define RATE 100
#define PERIOD_NS 10000000ull
#define SEEN_MAX 64

static char folder[] = "/tmp/sonde-events-XXXXXX";
static struct channel_config channel[CHANNELS] = {
	{ .name = "s.a" }, { .name = "s.b" }, { .name = "t" },
};
static struct sensor_config sensor[2] = {
	{ .name = "s", .channel = channel, .channels = 2 },
	{ .name = "t", .channel = channel + 2, .channels = 1 },
};
static struct pipeline_config pipeline = {
	.name = "p", .rate_hz = RATE, .pre_s = 0.5, .post_s = 0.2,
	.sensor = sensor, .sensors = 2, .channels = CHANNELS,
};

static struct {
	unsigned n, deaths, problems;
	bool begin[SEEN_MAX];
	struct store_event event[SEEN_MAX];
	void *old;
} seen;

static void take_event(void *user, bool begin, const struct store_event *e)
{
	CHECK(user == &seen && seen.n < SEEN_MAX);
	seen.begin[seen.n] = begin;
	seen.event[seen.n++] = *e;
}

static void take_model(void *user, void *old)
{
	seen.old = old;
}

static void take_death(void *user, int error)
{
	CHECK_EQ(error, -EIO);
	seen.deaths++;
}

static void take_problem(void *user, const char *text)
{
	CHECK(strstr(text, "p: "));
	seen.problems++;
}

static const struct events_ops ops = { take_event, take_model, take_death, take_problem };

static struct queue *queue;
static struct store *store;
static struct events *events;
static uint64_t start_ns, now_tick;

static uint64_t t_of(uint64_t tick)
{
	return start_ns + tick * PERIOD_NS;
}

static struct record *claim(enum record_kind kind)
{
	struct record *r = queue_claim(queue);

	CHECK(r);
	memset(r, 0, sizeof *r);
	r->kind = kind;
	r->tick = now_tick;
	r->t_ns = t_of(now_tick);
	r->scored = true;
	r->limit = 10;
	for (unsigned i = 0; i < CHANNELS; i++) {
		r->data[i] = now_tick + i / 10.0f;
		r->data[CHANNELS + i] = i + 1;	/* nats: shares of 1/6, 2/6, 3/6 */
	}
	memset(r->data + 2 * CHANNELS, 1, CHANNELS);
	return r;
}

/* n ticks of this score; drained in pieces that divide nothing evenly. */
static void ticks(unsigned n, float score)
{
	while (n--) {
		now_tick++;
		claim(RECORD_TICK)->score = score;
		queue_push(queue);
		if (now_tick % 13 == 0)
			events_drain(events, queue);
	}
	events_drain(events, queue);
}

static void alarm_now(uint64_t since)
{
	struct record *r = claim(RECORD_ALARM);

	r->score = 20;
	r->peak = 25;
	r->since_tick = since;
	r->departed = 2;
	r->departed_channel[0] = 2;
	r->departed_channel[1] = 0;
	queue_push(queue);
	events_drain(events, queue);
}

static void clear_now(void)
{
	claim(RECORD_CLEAR)->peak = 30;
	queue_push(queue);
	events_drain(events, queue);
}

static void begin(struct store *s)
{
	struct timespec t;
	struct why why;

	clock_gettime(CLOCK_MONOTONIC, &t);
	start_ns = t.tv_sec * 1000000000ull + t.tv_nsec;
	now_tick = 0;
	memset(&seen, 0, sizeof seen);
	CHECK_EQ(queue_open(&queue, 256, CHANNELS), 0);
	CHECK_EQ(events_open(&events, &pipeline, s, &ops, &seen, &why), 0);
}

static void end(void)
{
	events_close(events);
	queue_close(queue);
}

static void test_history(void)
{
	const struct record *const *rows;
	struct history *h;

	CHECK_EQ(queue_open(&queue, 2, CHANNELS), 0);
	CHECK_EQ(history_open(&h, 0, CHANNELS), -EINVAL);
	CHECK_EQ(history_open(&h, 10, CHANNELS), 0);
	CHECK_EQ(history_capacity(h), 10);
	CHECK_EQ(history_find(h, 0, UINT64_MAX, &rows), 0);
	for (now_tick = 1; now_tick <= 25; now_tick++)
		if (now_tick != 20)	/* one that was lost */
			history_add(h, claim(RECORD_TICK));
	CHECK_EQ(history_find(h, 0, UINT64_MAX, &rows), 10);
	CHECK_EQ(rows[0]->tick, 15);
	CHECK_EQ(rows[9]->tick, 25);
	CHECK_EQ(record_valid(rows[9], CHANNELS)[2], 1);
	CHECK_NEAR(rows[9]->data[1], 25.1, 1e-5);
	CHECK_EQ(history_find(h, 18, 22, &rows), 4);
	CHECK_EQ(rows[0]->tick, 18);
	CHECK_EQ(rows[2]->tick, 21);
	CHECK_EQ(history_find(h, 20, 20, &rows), 0);
	CHECK_EQ(history_find(h, 26, UINT64_MAX, &rows), 0);
	CHECK_EQ(history_find(h, 1, 14, &rows), 0);
	history_close(h);
	queue_close(queue);
}

/* Begin, end, shares, and exactly the rows from `before` the run to `after` its end. */
static void test_alarm(void)
{
	const struct store_event *e = seen.event;
	struct store_window *w;
	struct why why;

	begin(store);
	ticks(200, 1);
	ticks(10, 20);
	alarm_now(204);
	CHECK_EQ(seen.n, 1);
	CHECK(seen.begin[0]);
	CHECK_STR(e[0].kind, "alarm");
	CHECK_STR(e[0].pipeline, "p");
	CHECK_STR(e[0].channels, "[{\"name\":\"t\",\"share\":0.500},{\"name\":\"s.a\",\"share\":0.167}]");
	CHECK_NEAR(e[0].score, 20, 0);
	CHECK_NEAR(e[0].limit, 10, 0);
	CHECK(e[0].trusted);
	CHECK_EQ(e[0].end_realtime_ns, 0);
	ticks(30, 40);
	alarm_now(204);		/* one that is on does not begin again */
	clear_now();
	CHECK_EQ(seen.n, 2);
	CHECK(!seen.begin[1]);
	CHECK_EQ(e[1].id, e[0].id);
	CHECK_NEAR(e[1].peak, 40, 0);
	/* It began with the run at 204, not with the verdict at 210, and ended at 240. */
	CHECK_NEAR((e[1].end_realtime_ns - e[1].start_realtime_ns) / 1e6, 360, 5);
	ticks(100, 1);
	CHECK_EQ(store_window_read(store, e[0].id, &w, &why), 0);
	CHECK_EQ(w->tick[0], 204 - 50);
	CHECK(w->tick[w->rows - 1] >= 240 + 20 && w->tick[w->rows - 1] < 240 + 20 + 13);
	for (unsigned i = 1; i < w->rows; i++)
		CHECK_EQ(w->tick[i], w->tick[i - 1] + 1);
	CHECK_EQ(w->channels, CHANNELS);
	CHECK_STR(w->name[2], "t");
	CHECK_NEAR(w->value[2], 154.2, 1e-3);
	store_window_free(w);
	end();
	CHECK_EQ(seen.n, 2);
	CHECK_EQ(seen.problems, 0);
}

/* Of a long alarm: its first minute, and the rows around its end. */
static void test_long_alarm(void)
{
	struct store_window *w;
	struct why why;
	unsigned gaps = 0;

	begin(store);
	ticks(100, 1);
	alarm_now(100);
	ticks(90 * RATE, 20);
	clear_now();
	ticks(100, 1);
	CHECK_EQ(store_window_read(store, seen.event[0].id, &w, &why), 0);
	for (unsigned i = 1; i < w->rows; i++)
		if (w->tick[i] != w->tick[i - 1] + 1) {
			gaps++;
			CHECK_EQ(w->tick[i - 1], 100 + 60 * RATE);
			CHECK_EQ(w->tick[i], 100 + 90 * RATE - 50);
		}
	CHECK_EQ(gaps, 1);
	store_window_free(w);
	end();
}

/* An alarm while the last one's window is still being written; then the agent stops. */
static void test_alarm_again(void)
{
	begin(store);
	ticks(100, 1);
	alarm_now(100);
	ticks(10, 20);
	clear_now();
	ticks(5, 1);
	alarm_now(115);
	ticks(5, 20);
	end();
	CHECK_EQ(seen.n, 4);
	CHECK(seen.event[2].id > seen.event[0].id);
	CHECK_EQ(seen.event[3].id, seen.event[2].id);
	CHECK_STR(seen.event[3].detail, "the agent stopped meanwhile");
	CHECK(seen.event[3].end_realtime_ns > seen.event[3].start_realtime_ns);
}

/* A burst of missed ticks is one event; an alarm in it is not trusted. */
static void test_missed(void)
{
	begin(store);
	ticks(10, 1);
	for (unsigned i = 1; i <= 3; i++) {
		claim(RECORD_LOST)->missed = i;
		queue_push(queue);
		ticks(10, 1);
	}
	CHECK_EQ(seen.n, 1);
	CHECK_STR(seen.event[0].kind, "missed");
	CHECK_STR(seen.event[0].detail, "1 tick missed");
	alarm_now(40);
	CHECK(!seen.event[1].trusted);
	CHECK_STR(seen.event[1].detail, "doubtful: ticks were missed");
	clear_now();
	end();
	CHECK_EQ(seen.n, 4);
	CHECK_STR(seen.event[3].detail, "6 ticks missed");

	/* Eleven seconds ago: the burst is over as soon as main looks again. */
	begin(NULL);
	start_ns -= 11000000000ull;
	claim(RECORD_LOST)->missed = 1;
	queue_push(queue);
	events_drain(events, queue);
	CHECK_EQ(seen.n, 2);
	CHECK_EQ(seen.event[0].id, 0);
	end();
}

static void state(unsigned c, unsigned value)
{
	struct record *r = claim(RECORD_STATE);

	r->channel = c;
	r->state = value;
	r->fault = value == CHANNEL_FAULTY ? FAULT_CRC : FAULT_NONE;
	queue_push(queue);
	events_drain(events, queue);
}

/* One event a sensor, from its first channel's failure to its last one's return. */
static void test_states(void)
{
	begin(store);
	state(0, CHANNEL_PROBING);
	state(1, CHANNEL_LIVE);
	state(0, CHANNEL_LIVE);
	state(2, CHANNEL_FAULTY);	/* never was there */
	CHECK_EQ(seen.n, 0);
	ticks(10, 1);
	state(1, CHANNEL_STALE);
	state(0, CHANNEL_FAULTY);
	state(1, CHANNEL_FAULTY);
	CHECK_EQ(seen.n, 1);
	CHECK_STR(seen.event[0].kind, "state");
	CHECK_STR(seen.event[0].detail, "s.b stale");
	CHECK_STR(seen.event[0].channels, "[{\"name\":\"s.b\",\"share\":1}]");
	alarm_now(5);
	CHECK_STR(seen.event[1].detail, "doubtful: a sensor is at fault");
	clear_now();
	state(1, CHANNEL_LIVE);
	CHECK_EQ(seen.n, 3);
	ticks(10, 1);
	state(0, CHANNEL_LIVE);
	CHECK_EQ(seen.n, 4);
	CHECK(!seen.begin[3]);
	CHECK_STR(seen.event[3].detail, "s.b stale; live");
	alarm_now(20);
	CHECK(seen.event[4].trusted);
	state(99, CHANNEL_FAULTY);	/* no such channel */
	end();
}

/* A loose contact is told a few times, and then as one event until it has been steady. */
static void test_flapping(void)
{
	begin(store);
	state(2, CHANNEL_LIVE);
	for (unsigned i = 0; i < 50; i++) {
		ticks(10, 1);
		state(2, CHANNEL_FAULTY);
		ticks(1, 1);
		state(2, CHANNEL_LIVE);
	}
	CHECK_EQ(seen.n, 7);
	CHECK_STR(seen.event[0].detail, "t faulty: crc");
	CHECK_STR(seen.event[5].detail, "t faulty: crc; live");
	CHECK(seen.begin[6]);
	/* The last one is over when ten seconds have gone by since it was well. */
	start_ns -= 20000000000ull;
	state(2, CHANNEL_FAULTY);
	ticks(10, 1);
	CHECK_EQ(seen.n, 7);
	state(2, CHANNEL_LIVE);
	CHECK_EQ(seen.n, 8);
	CHECK(!seen.begin[7]);
	CHECK_STR(seen.event[7].detail, "t faulty: crc; 48 times; live");
	/* And the next one is told at once. */
	start_ns += 40000000000ull;
	state(2, CHANNEL_ABSENT);
	CHECK_EQ(seen.n, 9);
	CHECK_STR(seen.event[8].detail, "t absent");
	state(2, CHANNEL_LIVE);
	CHECK_EQ(seen.n, 10);
	alarm_now(20);
	CHECK(seen.event[10].trusted);
	end();
}

static void test_others(void)
{
	struct record *r;
	int model;

	begin(store);
	r = claim(RECORD_MODEL);
	r->old_model = &model;
	queue_push(queue);
	claim(RECORD_DEAD)->error = -EIO;
	queue_push(queue);
	events_drain(events, queue);
	CHECK(seen.old == &model);
	CHECK_EQ(seen.deaths, 1);
	events_note(events, "model", "a model");
	CHECK_EQ(seen.n, 1);
	CHECK_EQ(seen.event[0].end_realtime_ns, seen.event[0].start_realtime_ns);
	CHECK(seen.event[0].id > 0);
	end();
	CHECK_EQ(seen.n, 1);
}

static void test_capture(void)
{
	struct events_counters counters;
	struct rlimit limit, small;
	char path[100], got[100];
	uint64_t rows;
	struct why why;

	snprintf(path, sizeof path, "%s/capture.csv", folder);
	begin(store);
	CHECK_EQ(events_capture_stop(events, got, sizeof got, &rows, &why), -ENOENT);
	CHECK_EQ(events_capture_start(events, "/nowhere/x.csv", &why), -ENOENT);
	CHECK(!events_capture_path(events));
	CHECK_EQ(events_capture_start(events, path, &why), 0);
	CHECK_EQ(events_capture_start(events, path, &why), -EBUSY);
	CHECK_STR(events_capture_path(events), path);
	ticks(40, 1);
	CHECK_EQ(events_capture_stop(events, got, sizeof got, &rows, &why), 0);
	CHECK_EQ(rows, 40);
	CHECK_STR(got, path);
	CHECK(!access(path, R_OK));
	CHECK(!unlink(path));
	/* One that is on when the agent stops is closed in good order. */
	CHECK_EQ(events_capture_start(events, path, &why), 0);
	ticks(5, 1);
	events_counters(events, &counters);
	CHECK_EQ(counters.captures, 2);
	CHECK_EQ(counters.ticks, 45);
	end();
	CHECK(!unlink(path));
	/* A disk that is full (here: a limit on files) ends it, and the reason is told once. */
	begin(NULL);
	CHECK_EQ(events_capture_start(events, path, &why), 0);
	CHECK(!getrlimit(RLIMIT_FSIZE, &limit));
	small = limit;
	small.rlim_cur = 4096;
	signal(SIGXFSZ, SIG_IGN);
	CHECK(!setrlimit(RLIMIT_FSIZE, &small));
	ticks(5 * RATE, 1);
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	CHECK_EQ(seen.problems, 1);
	CHECK(!events_capture_path(events));
	CHECK(access(path, F_OK));
	end();
}

/* A store that fails is told once, not at each row; the events are told all the same. */
static void test_broken_store(void)
{
	struct why why;
	struct rlimit limit, small;
	struct store *dead;
	char dir[100], command[200];

	snprintf(dir, sizeof dir, "%s/dead", folder);
	snprintf(command, sizeof command, "mkdir %s", dir);
	CHECK(!system(command));
	CHECK_EQ(store_open(&dead, dir, false, &why), 0);
	store_close(dead);
	CHECK_EQ(store_open(&dead, dir, true, &why), 0);
	begin(dead);
	ticks(100, 1);
	alarm_now(100);
	ticks(100, 20);
	clear_now();
	CHECK_EQ(seen.n, 2);
	CHECK_EQ(seen.problems, 1);
	end();
	store_close(dead);

	/* It fills up between an alarm and its rows. */
	begin(store);
	ticks(100, 1);
	alarm_now(100);
	CHECK(!getrlimit(RLIMIT_FSIZE, &limit));
	small = limit;
	small.rlim_cur = 4096;
	CHECK(!setrlimit(RLIMIT_FSIZE, &small));
	ticks(200, 20);
	CHECK_EQ(seen.problems, 1);
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit));
	clear_now();
	CHECK_EQ(seen.problems, 1);
	CHECK_EQ(seen.n, 2);
	end();
}

int main(void)
{
	char command[100];
	struct why why;

	CHECK(mkdtemp(folder));
	CHECK_EQ(store_open(&store, folder, false, &why), 0);
	test_history();
	test_alarm();
	test_long_alarm();
	test_alarm_again();
	test_missed();
	test_states();
	test_flapping();
	test_others();
	test_capture();
	test_broken_store();
	store_close(store);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}
