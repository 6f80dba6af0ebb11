// SPDX-License-Identifier: MIT
/*
 * feature: the list behind `sonde feature`, and the probes of the kernel's facilities. Each is
 * tried and undone: a small ring, a small map, the profiler attached for a moment. A version
 * number would say nothing about a container's filter, a sysctl or a vendor's configuration.
 * It reports; what a program then does without, it decides by its own attempt.
 */
#include "agent/feature.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/feature_probe.h"
#include "agent/profiler.h"
#include "agent/ring.h"
#include "kernels/why.h"

void feature_yes(struct feature *f, const char *format, ...)
{
	va_list args;

	f->ok = true;
	f->enable = NULL;
	va_start(args, format);
	vsnprintf(f->detail, sizeof(f->detail), format, args);
	va_end(args);
}

void feature_no(struct feature *f, const char *enable, const char *format, ...)
{
	va_list args;

	f->ok = false;
	f->enable = enable;
	va_start(args, format);
	vsnprintf(f->detail, sizeof(f->detail), format, args);
	va_end(args);
}

int feature_line(const char *path, char *line, unsigned size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	line[0] = '\0';
	if (fd < 0)
		return -errno;
	n = read(fd, line, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

static void feature_kernel(struct feature *f)
{
	struct utsname u;

	uname(&u);
	feature_yes(f, "Linux %.60s, %.20s, pages of %ld bytes", u.release, u.machine,
		    sysconf(_SC_PAGESIZE));
}

/* A ring as the pipeline wants it, or a plain one where the flags are not known. */
static int uring(unsigned *flags)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	int fd = syscall(SYS_io_uring_setup, 4, &p);

	if (fd < 0 && errno == EINVAL) {
		p = (struct io_uring_params){ 0 };
		fd = syscall(SYS_io_uring_setup, 4, &p);
	}
	*flags = p.flags;
	return fd < 0 ? -errno : fd;
}

static void feature_io_uring(struct feature *f)
{
	char disabled[16];
	unsigned flags;
	int fd = uring(&flags);

	if (fd >= 0) {
		close(fd);
		feature_yes(f, "%s", flags & IORING_SETUP_DEFER_TASKRUN ? "with DEFER_TASKRUN" :
			    "without DEFER_TASKRUN (kernel before 6.1)");
		return;
	}
	feature_line("/proc/sys/kernel/io_uring_disabled", disabled, sizeof(disabled));
	if (fd == -EPERM && (disabled[0] == '1' || disabled[0] == '2'))
		feature_no(f, "sysctl kernel.io_uring_disabled=0", "kernel.io_uring_disabled is %s%s",
			   disabled, disabled[0] == '1' ?
			   ": for CAP_SYS_ADMIN and kernel.io_uring_group only" : "");
	else if (fd == -EPERM || fd == -EACCES)
		feature_no(f, "allow io_uring_setup in the container's seccomp profile or policy",
			   "io_uring_setup is refused by a seccomp filter or security module");
	else if (fd == -ENOSYS)
		feature_no(f, "a kernel with CONFIG_IO_URING=y",
			   "no io_uring_setup: not in this kernel, or hidden by a seccomp filter");
	else
		feature_no(f, fd == -ENOMEM ? "raise RLIMIT_MEMLOCK" : "see the error",
			   "io_uring_setup: %s", strerror(-fd));
}

static void feature_multishot(struct feature *f)
{
	struct {
		struct io_uring_probe head;
		struct io_uring_probe_op op[IORING_OP_READ_MULTISHOT + 1];
	} probe = { 0 };
	unsigned flags;
	int fd = uring(&flags), err;

	if (fd < 0) {
		feature_no(f, "io_uring", "there is no io_uring");
		return;
	}
	err = syscall(SYS_io_uring_register, fd, IORING_REGISTER_PROBE, &probe,
		      IORING_OP_READ_MULTISHOT + 1);
	close(fd);
	if (!err && probe.op[IORING_OP_READ_MULTISHOT].flags & IO_URING_OP_SUPPORTED)
		feature_yes(f, "streams are read by READ_MULTISHOT");
	else
		feature_no(f, "a kernel from 6.7 on", "no READ_MULTISHOT");
}

static void feature_ring(struct feature *f)
{
	struct ring_options o = {
		.kind = RING_ANY, .files = 1, .workers = 1, .core = -1,
		.stream_buffers = 2, .stream_buffer_size = 64,
	};
	struct why why = { "" };
	struct ring *r;

	if (ring_open(&r, &o, &why)) {
		feature_no(f, "see the error", "%.150s", why.text);
		return;
	}
	if (ring_kind(r) == RING_URING)
		feature_yes(f, "io_uring");
	else
		feature_yes(f, "epoll: io_uring is refused, more system calls and processor time");
	ring_close(r);
}

static int array_map(unsigned flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = flags);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "sonde_probe", 4, 8, 1, &o);
}

static void no_map(struct feature *f, int err)
{
	if (err == -EPERM)
		feature_no(f, "root, or CAP_BPF (and no filter on bpf())",
			   "making a BPF map is not permitted");
	else if (err == -ENOSYS)
		feature_no(f, "a kernel with CONFIG_BPF_SYSCALL=y", "there is no bpf()");
	else
		feature_no(f, "see the error", "making a BPF map: %s", strerror(-err));
}

static void feature_bpf(struct feature *f)
{
	int fd = array_map(0);

	if (fd < 0) {
		no_map(f, fd);
		return;
	}
	close(fd);
	feature_yes(f, "maps can be made");
}

static void feature_bpf_mmap(struct feature *f)
{
	int fd = array_map(BPF_F_MMAPABLE);
	void *p;

	if (fd < 0) {
		no_map(f, fd);
		if (fd == -EINVAL)
			feature_no(f, "a kernel from 5.5 on", "maps can not be mapped");
		return;
	}
	p = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		feature_no(f, "see the error", "mapping a BPF map: %s", strerror(errno));
	} else {
		munmap(p, sysconf(_SC_PAGESIZE));
		feature_yes(f, "the stats page can be a map that bpftool prints");
	}
	close(fd);
}

static void feature_bpffs(struct feature *f)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs))
		feature_no(f, "a kernel with CONFIG_BPF_SYSCALL=y", "/sys/fs/bpf: %s",
			   strerror(errno));
	else if (fs.f_type != BPF_FS_MAGIC)
		feature_no(f, "mount -t bpf bpf /sys/fs/bpf", "nothing is mounted on /sys/fs/bpf");
	else if (access("/sys/fs/bpf", W_OK | X_OK))
		feature_no(f, "root", "/sys/fs/bpf: %s", strerror(errno));
	else
		feature_yes(f, "maps can be pinned below /sys/fs/bpf");
}

static void feature_btf(struct feature *f)
{
	struct stat st;

	if (stat("/sys/kernel/btf/vmlinux", &st))
		feature_no(f, "a kernel with CONFIG_DEBUG_INFO_BTF=y",
			   "no /sys/kernel/btf/vmlinux");
	else
		feature_yes(f, "/sys/kernel/btf/vmlinux, %lld KB", (long long)st.st_size / 1024);
}

static void feature_profiler(struct feature *f)
{
	struct why why = { "" };
	struct profiler *p;
	const char *enable;
	int err = profiler_open(&p, &why);

	if (!err) {
		feature_yes(f, "%s", profiler_name(p));
		profiler_close(p);
		return;
	}
	switch (err) {
	case -EPERM:
		enable = "run as root, or with CAP_BPF and CAP_PERFMON";
		break;
	case -ENOENT:
		enable = "a kernel with CONFIG_DEBUG_INFO_BTF=y";
		break;
	case -ENOSYS:
		enable = "a kernel with CONFIG_BPF_SYSCALL=y";
		break;
	case -ENOTSUP:
		enable = "a kernel with CONFIG_BPF_EVENTS=y, outside of a container";
		break;
	default:
		enable = "see the error";
	}
	feature_no(f, enable, "none: %.150s", why.text);
}

static void feature_perf(struct feature *f)
{
	struct perf_event_attr a = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(a), .disabled = 1 };
	char id[16], paranoid[16];
	int fd;

	if (feature_line("/sys/kernel/tracing/events/sched/sched_switch/id", id, sizeof(id)) &&
	    feature_line("/sys/kernel/debug/tracing/events/sched/sched_switch/id", id, sizeof(id))) {
		if (geteuid())
			feature_no(f, "root", "tracefs is not readable");
		else
			feature_no(f, "mount -t tracefs tracefs /sys/kernel/tracing",
				   "no sched_switch in tracefs");
		return;
	}
	a.config = strtoul(id, NULL, 10);
	fd = syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		feature_yes(f, "sched_switch can be opened");
		return;
	}
	fd = -errno;
	feature_line("/proc/sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid));
	if (fd == -EACCES || fd == -EPERM)
		feature_no(f, "root or CAP_PERFMON; or sysctl kernel.perf_event_paranoid=-1",
			   "not permitted (kernel.perf_event_paranoid is %s)", paranoid);
	else
		feature_no(f, "a kernel with CONFIG_PERF_EVENTS=y and CONFIG_FTRACE=y",
			   "perf_event_open: %s", strerror(-fd));
}

static const struct {
	const char *name;
	void (*probe)(struct feature *f);
} probes[] = {
	{ "kernel", feature_kernel },
	{ "io_uring", feature_io_uring },
	{ "io_uring_multishot", feature_multishot },
	{ "ring", feature_ring },
	{ "bpf", feature_bpf },
	{ "bpf_mmap", feature_bpf_mmap },
	{ "bpffs", feature_bpffs },
	{ "btf", feature_btf },
	{ "profiler", feature_profiler },
	{ "perf_tracepoints", feature_perf },
	{ "schedstat", feature_schedstat },
	{ "sched_fifo", feature_sched_fifo },
	{ "mlock", feature_mlock },
	{ "affinity", feature_affinity },
	{ "isolated_cores", feature_isolated },
	{ "psi", feature_psi },
	{ "cpufreq", feature_cpufreq },
	{ "thermal", feature_thermal },
	{ "hwmon", feature_hwmon },
	{ "i2c", feature_i2c },
	{ "spi", feature_spi },
	{ "gpio", feature_gpio },
	{ "iio", feature_iio },
};

_Static_assert(sizeof(probes) / sizeof(*probes) <= FEATURES_MAX, "FEATURES_MAX is too small");

unsigned feature_probe(struct feature *f, unsigned max)
{
	unsigned n = sizeof(probes) / sizeof(*probes);

	if (n > max)
		n = max;
	for (unsigned i = 0; i < n; i++) {
		memset(&f[i], 0, sizeof(f[i]));
		f[i].name = probes[i].name;
		probes[i].probe(&f[i]);
	}
	return n;
}
