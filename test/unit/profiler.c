// SPDX-License-Identifier: MIT
/*
 * The profiler against what the kernel says of the same thread: context switches from getrusage,
 * time on the run queue from schedstat. A hog of equal real-time priority shares the core, so
 * it is known who made the thread wait; a third thread that runs for a moment, often between the
 * two, must not get the blame. Refusals come first, each with its own errno.
 */
#include "agent/profiler.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "agent/stats.h"
#include "kernels/why.h"
#include "test/unit/refuse.h"

#define WAKES 200
#define HOG "sonde-hog"

static bool stop;
static pid_t hog_tid, brief_tid, apart_tid;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void sleep_ns(long ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

/* Half as long to half as long again: in no fixed phase to the others. */
static void sleep_about(unsigned *seed, long ns)
{
	sleep_ns(ns / 2 + rand_r(seed) % ns);
}

static void spin_ns(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end)
		;
}

static int become(int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	return sched_setscheduler(0, policy, &param);
}

static void *hog(void *arg)
{
	prctl(PR_SET_NAME, HOG);
	CHECK(!become(SCHED_FIFO, 1));
	__atomic_store_n(&hog_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		spin_ns(4000000);
		sleep_ns(2000000);
	}
	return NULL;
}

static void *brief(void *arg)
{
	unsigned seed = 1;

	prctl(PR_SET_NAME, "sonde-brief");
	CHECK(!become(SCHED_FIFO, 1));
	__atomic_store_n(&brief_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		spin_ns(10000);
		sleep_about(&seed, 500000);
	}
	return NULL;
}

/* Comes and goes on another core, where nobody waits for it. */
static void *apart(void *arg)
{
	CHECK(!sched_setaffinity(0, sizeof(cpu_set_t), arg));
	prctl(PR_SET_NAME, "sonde-apart");
	__atomic_store_n(&apart_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		sleep_ns(50000);
	return NULL;
}

struct seen {		/* by the kernel, of this thread */
	uint64_t switches, preempted, waited_ns;
};

static void look(struct seen *s)
{
	unsigned long long ran, waited = 0;
	char path[64];
	struct rusage u;
	FILE *f;

	getrusage(RUSAGE_THREAD, &u);
	s->preempted = u.ru_nivcsw;
	s->switches = u.ru_nvcsw + u.ru_nivcsw;
	snprintf(path, sizeof(path), "/proc/self/task/%ld/schedstat", syscall(SYS_gettid));
	f = fopen(path, "r");
	if (f && fscanf(f, "%llu %llu", &ran, &waited) != 2)
		waited = 0;
	if (f)
		fclose(f);
	s->waited_ns = waited;
}

static void check_followed(const struct sonde_host *h, const struct seen *a, const struct seen *b,
			   uint64_t took_ns)
{
	uint64_t switches = b->switches - a->switches, waited = b->waited_ns - a->waited_ns;
	uint64_t sum = 0;

	printf("%llu waits, %llu of the kernel's; %.3f ms, %.3f ms; max %.3f ms by %s\n",
	       h->wakeup.count, (unsigned long long)switches, h->wakeup.sum_ns / 1e6, waited / 1e6,
	       h->wakeup.max_ns / 1e6, h->worst_comm);
	/* Everything that left the core came back; on a busy virtual machine a few are not traced. */
	CHECK_NEAR(h->wakeup.count, switches, 2 + switches / 20);
	for (unsigned i = 0; i < SONDE_HIST_BUCKETS; i++)
		sum += h->wakeup.bucket[i];
	CHECK_EQ(sum, h->wakeup.count);
	if (waited)
		CHECK_NEAR(h->wakeup.sum_ns, waited, waited * 0.1 + 1e6);
	CHECK(h->wakeup.max_ns <= took_ns);
	CHECK(h->wakeup.max_ns >= 1000000);
	CHECK_EQ(h->worst_ns, h->wakeup.max_ns);
	CHECK(h->wakeup.bucket[stats_bucket(h->wakeup.max_ns)] > 0);
	CHECK(h->preemptions <= h->wakeup.count);
	CHECK_NEAR(h->preempted_ns, h->wakeup.sum_ns, waited * 0.2 + 1e6);
}

static void check_culprits(struct profiler *p, const struct sonde_host *h)
{
	struct profiler_culprit c[16];
	unsigned n = profiler_culprits(p, 0, c, 16);
	uint64_t count = 0, total = 0, brief_count = 0, brief_ns = 0;

	CHECK(n > 0);
	for (unsigned i = 0; i < n; i++) {
		printf("  %s[%d] %llu times, %.3f ms, at worst %.3f ms\n", c[i].comm, c[i].pid,
		       (unsigned long long)c[i].count, c[i].total_ns / 1e6, c[i].worst_ns / 1e6);
		CHECK(c[i].pid > 0 && c[i].pid != apart_tid);
		CHECK(!i || c[i].total_ns <= c[i - 1].total_ns);
		count += c[i].count;
		total += c[i].total_ns;
		if (c[i].pid == brief_tid) {
			brief_count = c[i].count;
			brief_ns = c[i].total_ns;
		}
	}
	/* A table that was full lost some of both. */
	CHECK(total <= h->preempted_ns);
	CHECK(n == 8 || (total == h->preempted_ns && count >= h->preemptions));
	CHECK(brief_count > 5);
	CHECK(brief_ns < h->preempted_ns / 5);
	CHECK(c[0].total_ns > h->preempted_ns / 2);
	CHECK_EQ(c[0].pid, hog_tid);
	CHECK_STR(c[0].comm, HOG);
	CHECK(c[0].count > WAKES / 10);
	CHECK(c[0].worst_ns >= 1000000);
	CHECK_EQ(profiler_culprits(p, 0, c, 1), 1);
	CHECK_EQ(c[0].pid, hog_tid);
	CHECK_EQ(profiler_culprits(p, 0, c, 0), 0);
}

/* Of the real-time part: only a hypervisor can have taken the core away for longer. */
static void check_worst(struct profiler *p)
{
	struct sonde_host h = { 0 };

	profiler_read(p, 0, &h);
	CHECK(h.worst_ns >= 1000000);
	if (h.worst_ns < 8000000) {
		CHECK_STR(h.worst_comm, HOG);
		CHECK_EQ(h.worst_pid, hog_tid);
	}
}

/* This thread to the last core; the others there are, if any, into *rest. */
static void pin(cpu_set_t *rest)
{
	int cpu = CPU_SETSIZE - 1;
	cpu_set_t one;

	CHECK(!sched_getaffinity(0, sizeof(*rest), rest));
	while (!CPU_ISSET(cpu, rest))
		cpu--;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CPU_CLR(cpu, rest);
	CHECK(!sched_setaffinity(0, sizeof(one), &one));
}

static void test_arguments(struct profiler *p)
{
	struct sonde_host h = { 0 };

	CHECK_STR(profiler_name(p), "co-re");
	CHECK_STR(profiler_name(NULL), "none");
	CHECK_EQ(profiler_track(p, 8, 1), -EINVAL);
	CHECK_EQ(profiler_track(p, 0, -1), -EINVAL);
	CHECK_EQ(profiler_track(NULL, 0, 1), -EINVAL);
	profiler_read(NULL, 0, &h);
	profiler_read(p, 8, &h);
	CHECK_EQ(profiler_culprits(NULL, 0, NULL, 0), 0);
	profiler_close(NULL);
}

static void test_followed(struct profiler *p)
{
	struct sonde_host h = { 0 }, after = { 0 };
	struct seen before, end;
	unsigned seed = 2, threads = 2;
	pthread_t others[3];
	uint64_t began;
	cpu_set_t rest;

	pin(&rest);
	if (CPU_COUNT(&rest))
		CHECK(!pthread_create(&others[threads++], NULL, apart, &rest));
	CHECK(!pthread_create(&others[0], NULL, hog, NULL));
	CHECK(!pthread_create(&others[1], NULL, brief, NULL));
	while (!__atomic_load_n(&hog_tid, __ATOMIC_ACQUIRE) ||
	       !__atomic_load_n(&brief_tid, __ATOMIC_ACQUIRE))
		sleep_ns(1000000);
	/* A free slot's tid is the idle tasks' and shares its filter bit with this one. */
	CHECK_EQ(profiler_track(p, 1, 64 * 60000), 0);
	CHECK(!become(SCHED_FIFO, 1));
	CHECK_EQ(profiler_track(p, 0, syscall(SYS_gettid)), 0);
	look(&before);
	began = now_ns();
	for (int i = 0; i < WAKES; i++)
		sleep_about(&seed, 1000000);
	check_worst(p);
	/* Runnable without a wake-up: an ordinary thread that the hog takes the core from. */
	CHECK(!become(SCHED_OTHER, 0));
	spin_ns(60000000);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(others[i], NULL);
	/* So that no more is added between one look and the next. */
	CHECK(!become(SCHED_FIFO, 1));
	look(&end);
	profiler_read(p, 0, &h);
	CHECK(end.switches - before.switches >= WAKES);
	CHECK(end.preempted - before.preempted > 2);
	check_followed(&h, &before, &end, now_ns() - began);
	check_culprits(p, &h);

	CHECK_EQ(profiler_track(p, 0, 0), 0);
	sleep_ns(20000000);
	for (unsigned slot = 0; slot < 8; slot++) {
		profiler_read(p, slot, &after);
		CHECK_EQ(after.wakeup.count, 0);
		CHECK_EQ(after.worst_ns, 0);
	}
	CHECK(!become(SCHED_OTHER, 0));
}

/* Refused as *arg says; in a child, which gives the right or the file up. */
struct refusal {
	void (*give_up)(void);
	int want;
	const char *says;
};

static void no_bpf_call(void)
{
	refuse_call(SYS_bpf, ENOSYS);
}

static void filtered(void)
{
	refuse_call(SYS_bpf, EPERM);
}

static void no_root(void)
{
	CHECK(!setresuid(65534, 65534, 65534));
}

static void no_btf(void)
{
	CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/sys", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL));
}

static void container(void)
{
	int status;
	pid_t pid;

	CHECK(!unshare(CLONE_NEWPID));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		return;
	CHECK(waitpid(pid, &status, 0) == pid);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void test_refused(const void *arg)
{
	const struct refusal *r = arg;
	struct why why = { "" };
	struct profiler *p = (void *)1;
	int out, err, saved = dup(2);
	char printed[256] = "";

	r->give_up();
	out = memfd_create("stderr", 0);
	dup2(out, 2);
	err = profiler_open(&p, &why);
	dup2(saved, 2);
	CHECK_EQ(err, r->want);
	CHECK(!p);
	if (!strstr(why.text, r->says))
		CHECK_STR(why.text, r->says);
	/* libbpf has said nothing. */
	CHECK(pread(out, printed, sizeof(printed) - 1, 0) >= 0);
	CHECK_STR(printed, "");
	/* LeakSanitizer can not look at a process that gave its rights up. */
	_exit(0);
}

int main(void)
{
	static const struct refusal refusals[] = {
		{ no_bpf_call, -ENOSYS, "CONFIG_BPF_SYSCALL" },
		{ filtered, -EPERM, "seccomp" },
		{ no_root, -EPERM, "needs root" },
		{ no_btf, -ENOENT, "CONFIG_DEBUG_INFO_BTF" },
		{ container, -ENOTSUP, "PID namespace" },
	};
	struct why why = { "" };
	struct profiler *p;
	int err;

	err = profiler_open(&p, &why);
	if (err == -EPERM || err == -ENOENT || err == -ENOSYS || err == -ENOTSUP)
		SKIP_BECAUSE("%s", why.text);
	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK_EQ(err, 0);
	profiler_close(p);
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		in_child(test_refused, &refusals[i]);
	CHECK_EQ(profiler_open(&p, &why), 0);
	test_arguments(p);
	if (become(SCHED_FIFO, 1))
		SKIP_BECAUSE("SCHED_FIFO is not permitted: %s", strerror(errno));
	CHECK(!become(SCHED_OTHER, 0));
	test_followed(p);
	profiler_close(p);
	return 0;
}
