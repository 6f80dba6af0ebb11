// SPDX-License-Identifier: MIT
/*
 * ring: peers. Every call arrives once and in order, every post comes back once and in order,
 * with what was written before it, however full the lanes are and whatever becomes of the bells.
 */
#include <dirent.h>
#include <pthread.h>

#include "test/unit/ring_fixture.h"

#define PEERS 4

static struct ring *open_peers(enum ring_kind kind, unsigned peers)
{
	struct ring_options o = {
		.kind = kind, .files = 1, .workers = 1, .peers = peers, .core = -1,
	};

	return open_ring_with(&o);
}

static struct ring_peer *open_peer(struct ring *r, unsigned calls)
{
	struct ring_peer *p;
	struct why why = { "" };
	int err = ring_peer_open(&p, r, calls, &why);

	if (err)
		fprintf(stderr, "ring_peer_open: %s\n", why.text);
	CHECK_EQ(err, 0);
	return p;
}

struct echo {
	struct ring_peer *peer;
	pthread_t thread;
	uint64_t cell[64];	/* no atomics: the lanes order them */
	uint64_t taken;
};

/* Doubles the cell that it is called for. */
static void *echo_thread(void *arg)
{
	struct echo *e = arg;
	uint64_t v;
	int err;

	while (!(err = ring_peer_wait(e->peer, 0, &v))) {
		CHECK_EQ(v >> 6, e->taken);
		e->taken++;
		e->cell[v & 63] *= 2;
		ring_peer_post(e->peer, (uint32_t)v, -(int)(v & 63), v << 8);
	}
	CHECK_EQ(err, -ECANCELED);
	return NULL;
}

static void start(struct echo *e, struct ring_peer *p)
{
	memset(e, 0, sizeof *e);
	e->peer = p;
	CHECK_EQ(pthread_create(&e->thread, NULL, echo_thread, e), 0);
}

static void end(struct echo *e)
{
	ring_peer_end(e->peer);
	CHECK_EQ(pthread_join(e->thread, NULL), 0);
	ring_peer_close(e->peer);
}

/* One at a time, and as many as may be: the peer sleeps in between, or does not. */
static void echoes(enum ring_kind kind)
{
	struct ring *r = open_peers(kind, 1);
	struct ring_counters before, after;
	struct ring_event e;
	struct echo echo;
	uint64_t sent = 0;

	start(&echo, open_peer(r, 64));
	for (unsigned round = 0; round < 600; round++) {
		unsigned n = round & 1 ? 1 : round % 64 + 1;

		for (unsigned i = 0; i < n; i++) {
			echo.cell[i] = round + i + 1;
			CHECK_EQ(ring_peer_call(echo.peer, (sent + i) << 6 | i), 0);
		}
		for (unsigned i = 0; i < n; i++) {
			uint64_t v = (sent + i) << 6 | i;

			e = next_event(r);
			CHECK_EQ(e.kind, RING_POST);
			CHECK_EQ(e.token, (uint32_t)v);
			CHECK_EQ(e.res, -(int)i);
			CHECK_EQ(e.t_ns, v << 8);
			CHECK(!e.data && !e.more);
			CHECK_EQ(echo.cell[i], 2 * (round + i + 1));
		}
		sent += n;
	}
	/* And then all is quiet: a bell that goes on ringing would wake us again and again. */
	ring_counters(r, &before);
	nothing_comes(r, 20);
	ring_counters(r, &after);
	CHECK(after.submits - before.submits <= 3);
	end(&echo);
	CHECK_EQ(echo.taken, sent);
	ring_close(r);
}

static void limit(enum ring_kind kind)
{
	struct ring *r = open_peers(kind, 2);
	struct ring_peer *p = open_peer(r, 5), *none = open_peer(r, 0), *third;
	struct why why;
	uint64_t v;

	CHECK_EQ(ring_peer_open(&third, r, 1, &why), -ENFILE);
	CHECK(!third);
	CHECK(strstr(why.text, "all 2 peers"));
	CHECK_EQ(ring_peer_call(none, 1), -EBUSY);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 5; i++)
			CHECK_EQ(ring_peer_call(p, 10 * round + i), 0);
		CHECK_EQ(ring_peer_call(p, 99), -EBUSY);
		CHECK_EQ(ring_peer_wait(p, 1, &v), 0);
		CHECK_EQ(v, 10 * round);
		CHECK_EQ(ring_peer_call(p, 10 * round + 5), 0);
		CHECK_EQ(ring_peer_call(p, 99), -EBUSY);
		for (unsigned i = 1; i < 6; i++) {
			CHECK_EQ(ring_peer_wait(p, 1, &v), 0);
			CHECK_EQ(v, 10 * round + i);
		}
		CHECK_EQ(ring_peer_wait(p, 1, &v), -ETIME);
	}
	ring_peer_close(p);
	ring_peer_close(none);

	/* Its place is free; what was left of the last one does not reach the next. */
	for (unsigned i = 0; i < 20; i++) {
		p = open_peer(r, 4);
		CHECK_EQ(ring_peer_call(p, 7), 0);
		if (i & 1)
			nothing_comes(r, 0);
		ring_peer_post(p, 1, 2, 3);
		ring_peer_close(p);
	}
	p = open_peer(r, 4);
	nothing_comes(r, 5);
	CHECK_EQ(ring_peer_wait(p, 1, &v), -ETIME);
	ring_peer_close(p);
	ring_peer_close(NULL);
	ring_close(r);
}

struct flood {
	struct ring_peer *peer;
	pthread_t thread;
	unsigned number, count;
};

static void *flood_thread(void *arg)
{
	struct flood *f = arg;

	for (unsigned i = 0; i < f->count; i++)
		ring_peer_post(f->peer, f->number << 24 | i, (int)(i * 7), i);
	return NULL;
}

/* More than the lanes hold, from all sides, while the ring has its ticks to keep. */
static void flood(enum ring_kind kind, unsigned each, unsigned max)
{
	struct ring *r = open_peers(kind, PEERS);
	unsigned next[PEERS] = { 0 }, sum = 0, ticks = 0;
	struct ring_event events[64];
	struct flood f[PEERS];

	for (unsigned i = 0; i < PEERS; i++) {
		f[i] = (struct flood){ .peer = open_peer(r, 16 << i), .number = i, .count = each };
		CHECK_EQ(pthread_create(&f[i].thread, NULL, flood_thread, &f[i]), 0);
	}
	ring_tick(r, now_ns() + MS, MS);
	while (sum < PEERS * each) {
		int n = ring_wait(r, events, max);

		CHECK(n >= 1 && n <= (int)max);
		for (int i = 0; i < n; i++) {
			unsigned peer = events[i].token >> 24;

			if (events[i].kind == RING_TICK) {
				ticks += 1 + (unsigned)events[i].res;
				continue;
			}
			CHECK_EQ(events[i].kind, RING_POST);
			CHECK(peer < PEERS);
			CHECK_EQ(events[i].token & 0xffffff, next[peer]);
			CHECK_EQ(events[i].res, next[peer] * 7);
			CHECK_EQ(events[i].t_ns, next[peer]);
			next[peer]++;
			sum++;
		}
	}
	/* A hundred thousand take more than a millisecond. */
	CHECK(ticks > 0 || sum < 100000);
	ring_tick(r, 0, 0);
	nothing_comes(r, 5);
	for (unsigned i = 0; i < PEERS; i++) {
		CHECK_EQ(pthread_join(f[i].thread, NULL), 0);
		CHECK_EQ(next[i], each);
		ring_peer_close(f[i].peer);
	}
	ring_close(r);
}

static void *ender(void *peer)
{
	sleep_ms(20);
	ring_peer_end(peer);
	return NULL;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Times and the end, in the thread that waits. */
static void waits(enum ring_kind kind)
{
	struct ring *r = open_peers(kind, 1);
	struct ring_peer *p = open_peer(r, 2);
	struct ring_counters before, after;
	pthread_t thread;
	uint64_t v, until, cpu;

	until = now_ns() + 20 * MS;
	CHECK_EQ(ring_peer_wait(p, until, &v), -ETIME);
	CHECK(now_ns() >= until);
	CHECK_EQ(ring_peer_wait(p, until, &v), -ETIME);

	/* A bell that rang for what was taken already keeps nobody awake. */
	CHECK_EQ(ring_peer_call(p, 5), 0);
	CHECK_EQ(ring_peer_wait(p, until, &v), 0);
	nothing_comes(r, 1);
	until = now_ns() + 300 * MS;
	cpu = cpu_ns();
	CHECK_EQ(ring_peer_wait(p, until, &v), -ETIME);
	CHECK(now_ns() >= until);
	CHECK(cpu_ns() - cpu < 50 * MS);

	/* The calls of a turn go out with the submission that the wait makes anyway. */
	ring_tick(r, now_ns() + 50 * MS, 3600000ull * MS);
	CHECK_EQ(ring_peer_call(p, 6), 0);
	CHECK_EQ(ring_peer_call(p, 7), 0);
	ring_counters(r, &before);
	CHECK_EQ(next_event(r).kind, RING_TICK);
	ring_counters(r, &after);
	CHECK_EQ(after.submits - before.submits, 1);
	CHECK_EQ(ring_peer_wait(p, 1, &v), 0);
	CHECK_EQ(v, 6);

	CHECK_EQ(pthread_create(&thread, NULL, ender, p), 0);
	CHECK_EQ(ring_peer_wait(p, 1, &v), 0);
	CHECK_EQ(v, 7);
	CHECK_EQ(ring_peer_wait(p, 0, &v), -ECANCELED);
	CHECK_EQ(ring_peer_wait(p, 0, &v), -ECANCELED);
	CHECK_EQ(ring_peer_wait(p, 1, &v), -ECANCELED);
	pthread_join(thread, NULL);
	/* What nobody will take any more does not hold the thread up. */
	for (unsigned i = 0; i < 10; i++)
		ring_peer_post(p, i, 0, 0);
	ring_peer_close(p);
	ring_close(r);
}

struct owned {
	enum ring_kind kind;
	struct ring *ring;
	struct echo echo;
};

static void *own_ring(void *arg)
{
	struct owned *o = arg;

	o->ring = open_peers(o->kind, 1);
	start(&o->echo, open_peer(o->ring, 64));
	CHECK_EQ(ring_peer_call(o->echo.peer, 0), 0);
	CHECK_EQ(next_event(o->ring).kind, RING_POST);
	CHECK_EQ(ring_peer_call(o->echo.peer, 64), 0);
	/* This or that comes first. */
	ring_tick(o->ring, now_ns(), 3600000ull * MS);
	next_event(o->ring);
	return NULL;
}

/* Main closes both when the pipeline's thread is gone, posts or no posts on their way. */
static void closed_by_main(enum ring_kind kind)
{
	for (unsigned i = 0; i < 10; i++) {
		struct owned o = { .kind = kind };
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, own_ring, &o), 0);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		end(&o.echo);
		ring_close(o.ring);
	}
}

/* The descriptors of rings, as a set. */
static unsigned rings(int fd[static 8])
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	unsigned n = 0;

	CHECK(d);
	while ((e = readdir(d))) {
		char path[300], target[64] = "";

		snprintf(path, sizeof path, "/proc/self/fd/%s", e->d_name);
		if (readlink(path, target, sizeof target - 1) < 0)
			continue;
		CHECK(n < 8);
		if (strstr(target, "io_uring"))
			fd[n++] = atoi(e->d_name);
	}
	closedir(d);
	return n;
}

struct mend {
	int saved, fd;
};

static void *mender(void *arg)
{
	struct mend *m = arg;

	sleep_ms(30);
	CHECK_EQ(dup3(m->saved, m->fd, O_CLOEXEC), m->fd);
	return NULL;
}

static void *wait_once(void *arg)
{
	struct echo *e = arg;

	CHECK_EQ(ring_peer_wait(e->peer, 0, &e->taken), 0);
	return NULL;
}

/*
 * io_uring only: a message that is refused. Another file takes the descriptor of the target
 * for a while, so that the kernel says -EBADFD.
 */
static void refused(void)
{
	struct ring *r = open_peers(RING_URING, 1);
	int before[8], after[8], ring_fd, peer_fd, null;
	struct ring_event e;
	struct echo echo = { 0 };
	struct mend m;
	pthread_t thread;

	CHECK_EQ(rings(before), 1);
	ring_fd = before[0];
	echo.peer = open_peer(r, 4);
	CHECK_EQ(rings(after), 2);
	peer_fd = after[0] == ring_fd ? after[1] : after[0];
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK(null >= 0);

	/* To the peer, which sleeps on the true one: told again with each later submission. */
	CHECK_EQ(pthread_create(&echo.thread, NULL, wait_once, &echo), 0);
	sleep_ms(50);
	m.saved = fcntl(peer_fd, F_DUPFD_CLOEXEC, 0);
	CHECK_EQ(dup3(null, peer_fd, O_CLOEXEC), peer_fd);
	CHECK_EQ(ring_peer_call(echo.peer, 77), 0);
	for (unsigned i = 0; i < 3; i++)
		nothing_comes(r, 5);
	CHECK_EQ(dup3(m.saved, peer_fd, O_CLOEXEC), peer_fd);
	nothing_comes(r, 5);
	CHECK_EQ(pthread_join(echo.thread, NULL), 0);
	CHECK_EQ(echo.taken, 77);
	close(m.saved);

	/* To the pipeline: the post does not return before it is told. */
	m.fd = ring_fd;
	m.saved = fcntl(ring_fd, F_DUPFD_CLOEXEC, 0);
	CHECK_EQ(dup3(null, ring_fd, O_CLOEXEC), ring_fd);
	CHECK_EQ(pthread_create(&thread, NULL, mender, &m), 0);
	ring_peer_post(echo.peer, 1, 2, 3);
	e = next_event(r);
	CHECK_EQ(e.kind, RING_POST);
	CHECK_EQ(e.token, 1);
	pthread_join(thread, NULL);
	close(m.saved);
	close(null);
	ring_peer_close(echo.peer);
	ring_close(r);
}

static void body(enum ring_kind kind)
{
	echoes(kind);
	limit(kind);
	waits(kind);
	flood(kind, 25000, 64);
	flood(kind, 1000, 1);
	flood(kind, 3000, 3);
	closed_by_main(kind);
	if (kind == RING_URING)
		refused();
}

int main(void)
{
	return on_both(body);
}
