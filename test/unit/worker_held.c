// SPDX-License-Identifier: MIT
/*
 * worker: its end. One stuck device holds its own worker only, and what was left behind
 * harms nobody when it comes back.
 */
#include "test/unit/worker_fixture.h"

/* The end does not wait for what is due in an hour, nor for what is queued. */
static void closed_early(enum ring_kind kind)
{
	struct ring *r = open_peers(kind);
	struct why why;
	struct worker *w = open_worker(r, 3, -1, 0, &why);
	struct fake later = make(1), slow = make(2), queued = make(3);
	uint64_t t;

	later.again = 1;
	later.again_ms = 3600000;
	slow.busy_ms = 300;
	CHECK_EQ(worker_submit(w, &later.dev, WORKER_TRANSFER), 0);
	CHECK_EQ(worker_submit(w, &slow.dev, WORKER_TRANSFER), 0);
	begun(r, &slow);
	CHECK_EQ(worker_submit(w, &queued.dev, WORKER_TRANSFER), 0);
	t = now_ns();
	CHECK_EQ(worker_close(w), 0);
	/* It has come to its end, and nothing was begun after that. */
	CHECK(slow.ended_ns && slow.ended_ns <= now_ns());
	CHECK_EQ(queued.transferred, 0);
	CHECK(now_ns() - t < 60000ull * MS);
	ring_close(r);
}

static bool alive(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/task/%d", tid);
	return !access(path, F_OK);
}

struct stuck {
	enum ring_kind kind;
	struct ring *ring;
	struct worker *w[2];
	struct fake held, other;
	sem_t hold;
	bool close;
};

/* The pipeline: one worker is held, the other goes on. */
static void *stuck_thread(void *arg)
{
	struct stuck *s = arg;
	struct why why;

	s->ring = open_peers(s->kind);
	for (unsigned i = 0; i < 2; i++)
		s->w[i] = open_worker(s->ring, 1, -1, 0, &why);
	CHECK_EQ(worker_submit(s->w[0], &s->held.dev, WORKER_TRANSFER), 0);
	for (unsigned i = 0; i < 50; i++) {
		CHECK_EQ(worker_submit(s->w[1], &s->other.dev, WORKER_TRANSFER), 0);
		CHECK_EQ(next_event(s->ring).token, 2);
	}
	begun(s->ring, &s->held);
	CHECK_EQ(worker_submit(s->w[0], &s->other.dev, WORKER_TRANSFER), -EBUSY);
	return NULL;
}

static void stuck(enum ring_kind kind, bool by_main)
{
	/* Nothing orders the end of a thread left behind: what it may touch is not used again. */
	static struct stuck all[4];
	static unsigned used;
	struct stuck *s = &all[used++];
	pthread_t thread;
	uint64_t t;

	*s = (struct stuck){ .kind = kind, .held = make(1), .other = make(2) };
	sem_init(&s->hold, 0, 0);
	s->held.hold = &s->hold;
	if (by_main) {
		CHECK_EQ(pthread_create(&thread, NULL, stuck_thread, s), 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	} else {
		stuck_thread(s);
	}
	t = now_ns();
	CHECK_EQ(worker_close(s->w[0]), -EBUSY);
	s->w[0] = NULL;		/* so that a leak is seen */
	CHECK(now_ns() - t >= 1000ull * MS && now_ns() - t < 60000ull * MS);
	CHECK_EQ(worker_close(s->w[1]), 0);
	ring_close(s->ring);
	/* The kernel lets go of it: it must not miss what is closed and freed by now. */
	CHECK(alive(s->held.tid));
	sem_post(&s->hold);
	for (unsigned i = 0; alive(s->held.tid); i++) {
		CHECK(i < 6000);
		sleep_ms(10);
	}
	CHECK_EQ(s->held.transferred, 1);
	sem_destroy(&s->hold);
}

/* Held, but let go within the second. */
static void *free_later(void *hold)
{
	sleep_ms(600);
	sem_post(hold);
	return NULL;
}

static void let_go_in_time(enum ring_kind kind)
{
	struct ring *r = open_peers(kind);
	struct why why;
	struct worker *w = open_worker(r, 1, -1, 0, &why);
	struct fake f = make(1);
	pthread_t thread;
	sem_t hold;

	sem_init(&hold, 0, 0);
	f.hold = &hold;
	CHECK_EQ(worker_submit(w, &f.dev, WORKER_TRANSFER), 0);
	begun(r, &f);
	CHECK_EQ(pthread_create(&thread, NULL, free_later, &hold), 0);
	CHECK_EQ(worker_close(w), 0);
	CHECK(f.ended_ns);
	pthread_join(thread, NULL);
	ring_close(r);
	sem_destroy(&hold);
}

static void body(enum ring_kind kind)
{
	unsigned before = descriptors();

	closed_early(kind);
	let_go_in_time(kind);
	stuck(kind, false);
	stuck(kind, true);
	CHECK_EQ(descriptors(), before);
}

int main(void)
{
	return on_both(body);
}
