// SPDX-License-Identifier: MIT
/*
 * ring: what happens without io_uring, and where the work that blocks is done. A
 * seccomp filter in a child stands for a container that forbids io_uring.
 */
#include <dirent.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "test/unit/refuse.h"
#include "test/unit/ring_fixture.h"

struct refusal {
	int error;
	const char *word;
};

static void refused(const void *arg)
{
	const struct refusal *a = arg;
	struct ring_options o = { .kind = RING_URING, .files = 1, .workers = 1, .core = -1 };
	int disabled = 0, fd;
	struct why why;
	struct ring *r;
	char buf[8];
	FILE *f;

	refuse_call(SYS_io_uring_setup, (unsigned)a->error);
	f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	if (f) {
		CHECK_EQ(fscanf(f, "%d", &disabled), 1);
		fclose(f);
	}
	CHECK_EQ(ring_open(&r, &o, &why), -a->error);
	CHECK(!r);
	if (!disabled)
		CHECK(strstr(why.text, a->word));
	o.kind = RING_ANY;
	CHECK_EQ(ring_open(&r, &o, &why), 0);
	CHECK_EQ(ring_kind(r), RING_EPOLL);
	CHECK(strstr(why.text, "epoll instead of io_uring"));
	fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	CHECK_EQ(ring_read(r, ring_add(r, fd, true, &why), buf, sizeof buf, 1), 0);
	CHECK_EQ(next_event(r).res, sizeof buf);
	ring_close(r);
}

/* Threads of this process whose name begins so; all of them must stay off the core. */
static unsigned threads_off_core(const char *prefix, int core)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *d = opendir("/proc/self/task");

	CHECK(d);
	while ((e = readdir(d))) {
		char path[300], comm[32] = "";
		cpu_set_t set;
		FILE *f;

		snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (!fgets(comm, sizeof comm, f))
			comm[0] = '\0';
		fclose(f);
		if (strncmp(comm, prefix, strlen(prefix)))
			continue;
		n++;
		CHECK_EQ(sched_getaffinity(atoi(e->d_name), sizeof set, &set), 0);
		CHECK(!CPU_ISSET(core, &set));
	}
	closedir(d);
	return n;
}

struct pinned {
	enum ring_kind kind;
	int core;
};

/* The pipeline's situation: a thread bound to one core, whose blocking reads go elsewhere. */
static void *pinned_thread(void *arg)
{
	const struct pinned *p = arg;
	struct ring_options o = {
		.kind = p->kind, .files = 8, .workers = 2, .core = p->core,
	};
	char buf[8][4096];
	struct why why;
	struct ring *r;
	unsigned workers;
	int fd[8], index[8];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(p->core, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof set, &set), 0);
	CHECK_EQ(ring_open(&r, &o, &why), 0);
	CHECK_STR(why.text, "");
	for (unsigned i = 0; i < 8; i++) {
		fd[i] = open("/proc/stat", O_RDONLY | O_CLOEXEC);
		index[i] = ring_add(r, fd[i], true, &why);
		CHECK(index[i] >= 0);
	}
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 8; i++)
			CHECK_EQ(ring_read(r, index[i], buf[i], sizeof *buf, i), 0);
		for (unsigned i = 0; i < 8; i++) {
			struct ring_event e = next_event(r);

			CHECK_EQ(e.kind, RING_READ);
			CHECK(e.res > 3);
			CHECK(!memcmp(buf[e.token], "cpu", 3));
		}
	}
	workers = threads_off_core(p->kind == RING_URING ? "iou-wrk" : "sonde-read", p->core);
	CHECK(workers >= 1 && workers <= 2);
	ring_close(r);
	for (unsigned i = 0; i < 8; i++)
		close(fd[i]);
	return NULL;
}

static void off_core(enum ring_kind kind, int core)
{
	struct pinned p = { .kind = kind, .core = core };
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, pinned_thread, &p), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

int main(void)
{
	struct why why;
	cpu_set_t set;
	int core;

	in_child(refused, &(struct refusal){ EPERM, "seccomp" });
	in_child(refused, &(struct refusal){ ENOSYS, "built without" });
	CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
	if (CPU_COUNT(&set) < 2)
		SKIP_BECAUSE("one core only: there is no other to keep to");
	for (core = CPU_SETSIZE - 1; !CPU_ISSET(core, &set); core--)
		;
	off_core(RING_EPOLL, core);
	if (uring_refused(&why))
		SKIP_BECAUSE("passed on epoll; no io_uring here: %s", why.text);
	off_core(RING_URING, core);
	return 0;
}
