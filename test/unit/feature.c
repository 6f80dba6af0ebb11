// SPDX-License-Identifier: MIT
/*
 * What `sonde feature` says, on this kernel and on worse ones: each probe is run again with one
 * thing taken away (a system call, a mount, a file, root) and must name that as the reason, with
 * a way back. And a look must change nothing: no policy, lock, descriptor or thread stays.
 */
#include "agent/feature.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test/unit/refuse.h"

static struct feature all[FEATURES_MAX];
static unsigned found;

static const struct feature *feature(const char *name)
{
	for (unsigned i = 0; i < found; i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	fprintf(stderr, "no feature %s\n", name);
	exit(1);
}

static void lacks(const char *name, const char *detail, const char *enable)
{
	const struct feature *f = feature(name);

	if (f->ok || !strstr(f->detail, detail) || !strstr(f->enable, enable)) {
		fprintf(stderr, "%s: %s (%s)\n", name, f->detail, f->ok ? "ok" : f->enable);
		CHECK_STR(f->detail, detail);
		CHECK_STR(f->enable, enable);
	}
}

static void probe(void)
{
	found = feature_probe(all, FEATURES_MAX);
	CHECK(found > 20 && found <= FEATURES_MAX);
	for (unsigned i = 0; i < found; i++) {
		CHECK(all[i].detail[0]);
		CHECK(all[i].ok ? !all[i].enable : all[i].enable && all[i].enable[0]);
		CHECK(memchr(all[i].detail, '\0', sizeof(all[i].detail)));
		for (unsigned j = 0; j < i; j++)
			CHECK(strcmp(all[i].name, all[j].name));
	}
}

static unsigned entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static long locked_kb(void)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %ld", &kb);
	fclose(f);
	CHECK(kb >= 0);
	return kb;
}

static void test_nothing_stays(void)
{
	long locked;
	unsigned fds;

	/* Once before: libraries may keep what they opened first. */
	probe();
	fds = entries("/proc/self/fd");
	locked = locked_kb();
	probe();
	CHECK_EQ(entries("/proc/self/fd"), fds);
	CHECK_EQ(locked_kb(), locked);
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	for (unsigned i = 0; i < found; i++)
		printf("%-18s %-3s %s%s%s\n", all[i].name, all[i].ok ? "yes" : "no", all[i].detail,
		       all[i].ok ? "" : "; try: ", all[i].ok ? "" : all[i].enable);
	CHECK(feature("kernel")->ok);
	CHECK(feature("affinity")->ok || strstr(feature("affinity")->detail, "cores"));
	/* Fewer asked for than there are. */
	CHECK_EQ(feature_probe(all, 3), 3);
	CHECK_EQ(feature_probe(all, 0), 0);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void sysctl_says(const char *value)
{
	char text[] = "/tmp/sonde-feature-XXXXXX";
	int fd = mkstemp(text);

	CHECK(fd >= 0);
	close(fd);
	put(text, value);
	CHECK(!mount(text, "/proc/sys/kernel/io_uring_disabled", NULL, MS_BIND, NULL));
	unlink(text);
}

static void own_mounts(void)
{
	CHECK(!unshare(CLONE_NEWNS));
	CHECK(!mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount(NULL, "/sys", NULL, MS_REC | MS_PRIVATE, NULL));
}

static void test_no_uring(const void *arg)
{
	refuse_call(SYS_io_uring_setup, *(const int *)arg);
	probe();
	if (*(const int *)arg == ENOSYS)
		lacks("io_uring", "not in this kernel", "CONFIG_IO_URING");
	else
		lacks("io_uring", "seccomp", "seccomp");
	lacks("io_uring_multishot", "no io_uring", "io_uring");
	CHECK(feature("ring")->ok && strstr(feature("ring")->detail, "epoll"));
}

static void test_uring_disabled(const void *arg)
{
	const char *value = arg;

	own_mounts();
	sysctl_says(value);
	refuse_call(SYS_io_uring_setup, EPERM);
	probe();
	lacks("io_uring", "kernel.io_uring_disabled is", "kernel.io_uring_disabled=0");
	CHECK((value[0] == '1') == !!strstr(feature("io_uring")->detail, "io_uring_group"));
}

static void test_no_bpf(const void *arg)
{
	refuse_call(SYS_bpf, ENOSYS);
	probe();
	lacks("bpf", "no bpf()", "CONFIG_BPF_SYSCALL");
	lacks("bpf_mmap", "no bpf()", "CONFIG_BPF_SYSCALL");
	CHECK(!feature("profiler")->ok);
}

static void test_no_perf(const void *arg)
{
	refuse_call(SYS_perf_event_open, EACCES);
	probe();
	/* Where there is no tracefs, that is what is said first. */
	if (!access("/sys/kernel/tracing/events/sched", R_OK))
		lacks("perf_tracepoints", "not permitted", "CAP_PERFMON");
	else
		CHECK(!feature("perf_tracepoints")->ok);
}

static void test_hidden(const void *arg)
{
	own_mounts();
	CHECK(!mount("none", "/sys/fs", "tmpfs", 0, NULL));
	CHECK(!mkdir("/sys/fs/bpf", 0700));
	CHECK(!mount("none", "/sys/kernel", "tmpfs", 0, NULL));
	CHECK(!mount("none", "/sys/class", "tmpfs", 0, NULL));
	CHECK(!mount("none", "/sys/bus", "tmpfs", 0, NULL));
	if (!access("/proc/pressure", F_OK))
		CHECK(!mount("none", "/proc/pressure", "tmpfs", 0, NULL));
	probe();
	lacks("bpffs", "nothing is mounted", "mount -t bpf bpf /sys/fs/bpf");
	lacks("btf", "/sys/kernel/btf/vmlinux", "CONFIG_DEBUG_INFO_BTF");
	lacks("profiler", "BTF", "CONFIG_DEBUG_INFO_BTF");
	lacks("perf_tracepoints", "tracefs", "mount -t tracefs");
	lacks("psi", "/proc/pressure", "psi=1");
	lacks("thermal", "thermal_zone", "driver");
	lacks("hwmon", "hwmon", "driver");
	lacks("iio", "iio:device", "dtoverlay");
}

static void test_found(const void *arg)
{
	own_mounts();
	CHECK(!mount("none", "/sys/class", "tmpfs", 0, NULL));
	CHECK(!mkdir("/sys/class/thermal", 0755) && !mkdir("/sys/class/thermal/thermal_zone0", 0755));
	put("/sys/class/thermal/thermal_zone0/temp", "47000\n");
	CHECK(!mkdir("/sys/class/hwmon", 0755) && !mkdir("/sys/class/hwmon/hwmon0", 0755));
	put("/sys/class/hwmon/hwmon0/temp1_input", "1\n");
	put("/sys/class/hwmon/hwmon0/in0_input", "1\n");
	CHECK(!mount("none", "/sys/devices/system/cpu", "tmpfs", 0, NULL));
	put("/sys/devices/system/cpu/isolated", "3\n");
	probe();
	CHECK(feature("thermal")->ok && strstr(feature("thermal")->detail, "thermal_zone0"));
	CHECK(feature("hwmon")->ok && feature("hwmon")->detail[0] == '2');
	CHECK(feature("isolated_cores")->ok);
	CHECK_STR(feature("isolated_cores")->detail, "3");
	lacks("cpufreq", "cpufreq", "driver");
}

static void test_plain_user(const void *arg)
{
	struct rlimit none = { 0, 0 }, some = { 65536, 65536 };

	CHECK(!setrlimit(RLIMIT_RTPRIO, &none) && !setrlimit(RLIMIT_MEMLOCK, &some));
	CHECK(!setresgid(65534, 65534, 65534) && !setresuid(65534, 65534, 65534));
	probe();
	lacks("sched_fifo", "RLIMIT_RTPRIO is 0", "LimitRTPRIO");
	lacks("mlock", "RLIMIT_MEMLOCK is 64 KB", "LimitMEMLOCK");
	lacks("profiler", "root", "CAP_BPF");
	/* LeakSanitizer can not look at a process that gave its rights up. */
	fflush(NULL);
	_exit(0);
}

int main(void)
{
	test_nothing_stays();
	in_child(test_no_uring, &(int){ EPERM });
	in_child(test_no_uring, &(int){ ENOSYS });
	in_child(test_no_bpf, NULL);
	in_child(test_no_perf, NULL);
	if (geteuid()) {
		printf("the other refusals are tested as root only\n");
		return 0;
	}
	in_child(test_uring_disabled, "1\n");
	in_child(test_uring_disabled, "2\n");
	in_child(test_hidden, NULL);
	in_child(test_found, NULL);
	in_child(test_plain_user, NULL);
	return 0;
}
