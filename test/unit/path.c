// SPDX-License-Identifier: MIT
/*
 * path: real reads by a real ring. Those of a file that was added as blocking are given to a
 * worker, each of them; those of a pipe are not. Each thread and file has its own count, other
 * processes have none. By BTF and by the classic tracepoint; refusals first, each with its reason.
 */
#include "agent/path.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "test/unit/refuse.h"
#include "test/unit/ring_fixture.h"

/* The token too, whichever of the two PATH_KEY_SHIFT points at. */
static int add(struct ring *r, const char *name, bool blocking)
{
	struct why why;
	int fd = open(name, O_RDONLY | O_CLOEXEC), index;

	CHECK(fd >= 0);
	index = ring_add(r, fd, blocking, &why);
	CHECK(index >= 0);
	return index;
}

static void read_often(struct ring *r, int index, unsigned n)
{
	char buf[64];

	while (n--) {
		struct ring_event e;

		CHECK_EQ(ring_read(r, index, buf, sizeof buf, (uint32_t)index), 0);
		e = next_event(r);
		CHECK_EQ(e.kind, RING_READ);
		CHECK(e.res > 0);
	}
}

static struct path *path;

static void *second_thread(void *arg)
{
	struct ring *r = open_ring(RING_URING, 0, 0);
	pid_t tid = gettid();
	int index = add(r, "/proc/version", true);

	read_often(r, index, 7);
	CHECK_EQ(path_count(path, tid, (unsigned)index), 7);
	ring_close(r);
	*(pid_t *)arg = tid;
	return NULL;
}

static void other_process(const void *arg)
{
	struct ring *r = open_ring(RING_URING, 0, 0);
	int index = add(r, "/proc/version", true);

	read_often(r, index, 9);
	CHECK_EQ(path_count(path, gettid(), (unsigned)index), 0);
	_exit(0);
}

static void test_counts(void)
{
	struct ring *r = open_ring(RING_URING, 4, 64);
	int a = add(r, "/proc/version", true), b = add(r, "/proc/loadavg", true);
	int ends[2], piped, streamed;
	int blocks = eventfd(0, EFD_CLOEXEC);
	pid_t tid = gettid(), other;
	pthread_t thread;
	struct why why;
	char buf[8];

	CHECK(!pipe2(ends, O_NONBLOCK | O_CLOEXEC));
	piped = ring_add(r, ends[0], false, &why);
	streamed = ring_add(r, dup(ends[0]), false, &why);
	CHECK(piped >= 0 && streamed >= 0);
	read_often(r, a, 20);
	CHECK_EQ(path_count(path, tid, (unsigned)a), 20);
	CHECK_EQ(path_count(path, tid, (unsigned)b), 0);
	read_often(r, b, 3);
	read_often(r, a, 1);
	CHECK_EQ(path_count(path, tid, (unsigned)a), 21);
	CHECK_EQ(path_count(path, tid, (unsigned)b), 3);
	CHECK_EQ(path_count(path, tid + 1, (unsigned)a), 0);
	CHECK_EQ(path_count(path, tid, 0xffff), 0);

	/* It waits for the pipe without a worker, once and again and again. */
	CHECK_EQ(ring_read(r, piped, buf, sizeof buf, (uint32_t)piped), 0);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	CHECK_EQ(next_event(r).kind, RING_READ);
	CHECK_EQ(ring_stream(r, streamed, (uint32_t)streamed), 0);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQ(write(ends[1], "x", 1), 1);
		CHECK_EQ(next_event(r).kind, RING_STREAM);
	}
	CHECK_EQ(path_count(path, tid, (unsigned)piped), 0);
	CHECK_EQ(path_count(path, tid, (unsigned)streamed), 0);

	CHECK(!pthread_create(&thread, NULL, second_thread, &other));
	CHECK(!pthread_join(thread, NULL));
	CHECK_EQ(path_count(path, other, (unsigned)a), 7);
	in_child(other_process, NULL);
	CHECK_EQ(path_count(path, tid, (unsigned)a), 21);
	/* Neither the tick, nor what stops the ring, nor a word to main is a file's. */
	ring_notify(r, blocks);
	ring_tick(r, now_ns(), MS);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(next_event(r).kind, RING_TICK);
	ring_stop(r);
	while (next_event(r).kind != RING_STOP)
		;
	CHECK_EQ(path_count(path, tid, (unsigned)a), 21);
	ring_close(r);
}

/* A chain's write is given to a worker, and so is its read when a pause lies between. */
static void test_command(void)
{
	struct ring *r = open_ring(RING_URING, 0, 0);
	int fd = memfd_create("device", MFD_CLOEXEC), index;
	struct why why;
	uint64_t before;
	char buf[4];

	index = ring_add(r, fd, true, &why);
	CHECK(index >= 0);
	before = path_count(path, gettid(), (unsigned)index);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(ring_command(r, index, "go!", 4, MS, buf, 4, (uint32_t)index), 0);
		CHECK_EQ(next_event(r).res, 4);
	}
	CHECK_EQ(path_count(path, gettid(), (unsigned)index), before + 8);
	ring_close(r);
	close(fd);
}

static void no_mount(const char *name)
{
	if (!access(name, F_OK))
		CHECK(!mount("none", name, "tmpfs", 0, NULL));
}

static void no_btf(void)
{
	CHECK(!unshare(CLONE_NEWNS) && !mount(NULL, "/sys", NULL, MS_REC | MS_PRIVATE, NULL));
	/* Inside a chroot it is no mount, and private already. */
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	no_mount("/sys/kernel/btf");
	/* libbpf looks there as well. */
	no_mount("/boot");
}

static void no_btf_no_tracefs(void)
{
	no_btf();
	no_mount("/sys/kernel/tracing");
	no_mount("/sys/kernel/debug");
}

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

struct refusal {
	void (*give_up)(void);
	int want;
	const char *says;
};

static void test_refused(const void *arg)
{
	const struct refusal *r = arg;
	int out, err, saved = dup(2);
	struct path *p = (void *)1;
	char printed[256] = "";
	struct why why = { "" };

	r->give_up();
	out = memfd_create("stderr", 0);
	dup2(out, 2);
	err = path_open(&p, &why);
	dup2(saved, 2);
	CHECK_EQ(err, r->want);
	CHECK(!p);
	if (!strstr(why.text, r->says))
		CHECK_STR(why.text, r->says);
	/* libbpf has said nothing. */
	CHECK(pread(out, printed, sizeof printed - 1, 0) >= 0);
	CHECK_STR(printed, "");
	/* LeakSanitizer can not look at a process that gave its rights up. */
	_exit(0);
}

static void test_classic(const void *arg)
{
	struct why why = { "" };

	no_btf();
	if (access("/sys/kernel/tracing/events/io_uring", F_OK)) {
		printf("without tracefs the classic tracepoint was not tried\n");
		fflush(NULL);
		_exit(0);
	}
	if (path_open(&path, &why))
		CHECK_STR(why.text, "");
	CHECK_STR(path_name(path), "tracepoint");
	test_counts();
	test_command();
	path_close(path);
}

int main(void)
{
	static const struct refusal refusals[] = {
		{ no_bpf_call, -ENOSYS, "CONFIG_BPF_SYSCALL" },
		{ filtered, -EPERM, "seccomp" },
		{ no_root, -EPERM, "needs root" },
		{ no_btf_no_tracefs, -ENOENT, "tracefs" },
		{ container, -EOPNOTSUPP, "PID namespace" },
	};
	struct why why = { "" };
	int err;

	CHECK_EQ(path_count(NULL, 1, 1), 0);
	CHECK_STR(path_name(NULL), "none");
	path_close(NULL);
	err = path_open(&path, &why);
	if (err == -EPERM || err == -ENOENT || err == -ENOSYS || err == -ENOTSUP ||
	    err == -EOPNOTSUPP)
		SKIP_BECAUSE("%s", why.text);
	if (err)
		CHECK_STR(why.text, "");
	path_close(path);
	if (uring_refused(&why))
		SKIP_BECAUSE("%s", why.text);
	for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++)
		in_child(test_refused, &refusals[i]);
	in_child(test_classic, NULL);
	CHECK_EQ(path_open(&path, &why), 0);
	/* Here the kernel may have no BTF. */
	printf("by %s\n", path_name(path));
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		CHECK_STR(path_name(path), "btf");
	test_counts();
	test_command();
	path_close(path);
	return 0;
}
