// SPDX-License-Identifier: MIT
/*
 * worker: every job is done and posted once, what is due comes in order of time, and the
 * thread is where and what it was told to be.
 */
#include "test/unit/worker_fixture.h"

static void jobs(enum ring_kind kind)
{
	struct ring *r = open_peers(kind);
	struct why why;
	struct worker *w = open_worker(r, 2, -1, 0, &why);
	struct fake a = make(7), b = make(0x20008);
	struct ring_event e;

	CHECK_STR(why.text, "");
	a.res = -ENXIO;
	CHECK_EQ(worker_submit(w, &a.dev, WORKER_OPEN), 0);
	e = next_event(r);
	CHECK_EQ(e.kind, RING_POST);
	CHECK_EQ(e.token, 7);
	CHECK_EQ(e.res, -ENXIO);
	CHECK(!e.data);
	CHECK(e.t_ns <= a.began_ns && a.began_ns - e.t_ns < 60000ull * MS);
	CHECK_EQ(a.opened, 1);
	CHECK(a.tid != gettid());
	CHECK_STR(a.name, NAME);

	/* -EAGAIN of anything but a transfer is an error like others. */
	a.res = -EAGAIN;
	CHECK_EQ(worker_submit(w, &a.dev, WORKER_OPEN), 0);
	CHECK_EQ(next_event(r).res, -EAGAIN);
	CHECK_EQ(a.opened, 2);

	for (unsigned i = 0; i < 200; i++) {
		a.res = (int)i;
		CHECK_EQ(worker_submit(w, &a.dev, WORKER_TRANSFER), 0);
		CHECK_EQ(worker_submit(w, &b.dev, i % 3 ? WORKER_TRANSFER : WORKER_OPEN), 0);
		e = next_event(r);
		CHECK_EQ(e.token, 7);
		CHECK_EQ(e.res, i);
		e = next_event(r);
		CHECK_EQ(e.token, 0x20008);
		CHECK_EQ(e.res, 0x20008);
	}
	CHECK_EQ(a.transferred, 200);
	CHECK_EQ(b.opened, 67);
	CHECK_EQ(b.transferred, 133);
	CHECK_EQ(worker_submit(w, &a.dev, WORKER_SHUT), 0);
	CHECK_EQ(next_event(r).res, 0);
	CHECK_EQ(a.shut, 1);
	nothing_comes(r, 5);
	CHECK_EQ(worker_close(w), 0);
	CHECK_EQ(worker_close(NULL), 0);
	ring_close(r);
}

/* Conversions of 900, 300 and 600 ms; another device is read all the while. */
static void again(enum ring_kind kind)
{
	static const unsigned wait_ms[] = { 900, 300, 600 };
	struct ring *r = open_peers(kind);
	struct why why;
	struct worker *w = open_worker(r, 4, -1, 0, &why);
	struct fake slow[3], other = make(9);
	unsigned order[3], done = 0, read = 0;
	uint64_t first = 0;

	for (unsigned i = 0; i < 3; i++) {
		slow[i] = make(i);
		slow[i].again = 1;
		slow[i].again_ms = wait_ms[i];
		CHECK_EQ(worker_submit(w, &slow[i].dev, WORKER_TRANSFER), 0);
	}
	CHECK_EQ(worker_submit(w, &other.dev, WORKER_TRANSFER), 0);
	while (done < 3) {
		struct ring_event e = next_event(r);

		CHECK_EQ(e.kind, RING_POST);
		CHECK_EQ(e.res, e.token);
		if (e.token != 9) {
			/* The time of the first of its transfers. */
			CHECK(e.t_ns <= slow[e.token].began_ns);
			order[done++] = e.token;
			first = first ? first : e.t_ns;
			continue;
		}
		read += !done;
		sleep_ms(2);
		CHECK_EQ(worker_submit(w, &other.dev, WORKER_TRANSFER), 0);
	}
	CHECK_EQ(order[0], 1);
	CHECK_EQ(order[1], 2);
	CHECK_EQ(order[2], 0);
	CHECK(read >= 5);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(slow[i].transferred, 2);
		CHECK(!slow[i].early);
	}
	CHECK_EQ(next_event(r).token, 9);

	/* Due again at once, often: the other one has its turn in between. */
	slow[0].again = 1000000;
	slow[0].again_ms = 0;
	CHECK_EQ(worker_submit(w, &slow[0].dev, WORKER_TRANSFER), 0);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQ(worker_submit(w, &other.dev, WORKER_TRANSFER), 0);
		CHECK_EQ(next_event(r).token, 9);
	}
	CHECK_EQ(worker_close(w), 0);
	ring_close(r);
}

struct place {
	enum ring_kind kind;
	int core;
};

/* The pipeline's situation: bound to one core, real-time if that is allowed. */
static void *placed_thread(void *arg)
{
	const struct place *p = arg;
	struct sched_param param = { .sched_priority = 5 };
	struct ring *r = open_peers(p->kind);
	bool fifo = !sched_setscheduler(0, SCHED_FIFO, &param);
	struct fake f = make(1);
	struct worker *w;
	struct why why;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(p->core, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
	for (int priority = 0; priority < 8; priority += 3) {
		f.tid = 0;
		w = open_worker(r, 1, p->core, priority, &why);
		CHECK_EQ(worker_submit(w, &f.dev, WORKER_TRANSFER), 0);
		CHECK_EQ(next_event(r).token, 1);
		CHECK(!CPU_ISSET(p->core, &f.cores));
		CHECK(CPU_COUNT(&f.cores) >= 1);
		CHECK_EQ(f.policy, priority && fifo ? SCHED_FIFO : SCHED_OTHER);
		CHECK_EQ(f.priority, fifo ? priority : 0);
		if (fifo || !priority)
			CHECK_STR(why.text, "");
		else
			CHECK(strstr(why.text, "worker i2c-test-bus-99 is not SCHED_FIFO"));
		CHECK_EQ(worker_close(w), 0);
	}
	if (!fifo)
		printf("no right to SCHED_FIFO: its absence was tested\n");
	ring_close(r);
	return NULL;
}

static void placed(enum ring_kind kind)
{
	struct place p = { .kind = kind };
	pthread_t thread;
	cpu_set_t set;

	CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
	if (CPU_COUNT(&set) < 2) {
		printf("one core only: there is no other to keep to\n");
		return;
	}
	for (p.core = CPU_SETSIZE - 1; !CPU_ISSET(p.core, &set); p.core--)
		;
	CHECK_EQ(pthread_create(&thread, NULL, placed_thread, &p), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void refused(enum ring_kind kind)
{
	struct ring *r = open_peers(kind);
	const struct worker_options o = { .name = "fifth", .devices = 1, .core = -1 };
	struct worker *w[4], *fifth;
	struct why why;

	for (unsigned i = 0; i < 4; i++)
		w[i] = open_worker(r, 1, -1, 0, &why);
	CHECK_EQ(worker_open(&fifth, r, &o, &why), -ENFILE);
	CHECK(!fifth);
	CHECK(why.text[0]);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(worker_close(w[i]), 0);
	ring_close(r);
}

static void body(enum ring_kind kind)
{
	unsigned before = descriptors();

	jobs(kind);
	again(kind);
	placed(kind);
	refused(kind);
	CHECK_EQ(descriptors(), before);
}

int main(void)
{
	return on_both(body);
}
