// SPDX-License-Identifier: MIT
/*
 * feature_board: the probes of rights and of the board: what a real-time thread would be granted,
 * which files the board's own sensors would be read from, which buses there are.
 * A device file that exists but may not be opened is the commonest trouble on a
 * Raspberry Pi, so that is told apart from one that is not there.
 */
#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/feature_probe.h"

#define LOCKED_BYTES (128UL << 20)	/* more than sonded's address space in use */

static void *become_fifo(void *err)
{
	struct sched_param param = { .sched_priority = 1 };

	/* pid 0 is this thread alone, and its policy ends with it. */
	*(int *)err = sched_setscheduler(0, SCHED_FIFO, &param) ? errno : 0;
	return NULL;
}

void feature_sched_fifo(struct feature *f)
{
	struct rlimit limit = { 0 };
	pthread_t thread;
	int err;

	if (pthread_create(&thread, NULL, become_fifo, &err)) {
		feature_no(f, "raise RLIMIT_NPROC", "no thread could be made to try it");
		return;
	}
	pthread_join(thread, NULL);
	getrlimit(RLIMIT_RTPRIO, &limit);
	if (!err)
		feature_yes(f, "a thread may be SCHED_FIFO");
	else if (!geteuid())
		feature_no(f, "CAP_SYS_NICE in the container; or with CONFIG_RT_GROUP_SCHED: "
			   "sysctl kernel.sched_rt_runtime_us=-1", "refused to root: %s", strerror(err));
	else
		feature_no(f, "LimitRTPRIO=49 in the unit, or CAP_SYS_NICE",
			   "%s (RLIMIT_RTPRIO is %llu)", strerror(err),
			   (unsigned long long)limit.rlim_cur);
}

/* MLOCK_ONFAULT: the limit is checked for all of it, and no page is taken. */
void feature_mlock(struct feature *f)
{
	void *p = mmap(NULL, LOCKED_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (p == MAP_FAILED) {
		feature_no(f, "raise RLIMIT_AS", "%lu MB can not be mapped", LOCKED_BYTES >> 20);
		return;
	}
	if (!mlock2(p, LOCKED_BYTES, MLOCK_ONFAULT))
		feature_yes(f, "%lu MB may be locked", LOCKED_BYTES >> 20);
	else
		feature_no(f, "LimitMEMLOCK=infinity in the unit, or CAP_IPC_LOCK",
			   "%s (RLIMIT_MEMLOCK is %llu KB)", strerror(errno),
			   (unsigned long long)limit.rlim_cur / 1024);
	munmap(p, LOCKED_BYTES);
}

void feature_affinity(struct feature *f)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		feature_no(f, "see the error", "sched_getaffinity: %s", strerror(errno));
	else if (CPU_COUNT(&set) < online)
		feature_no(f, "lift the limit of the cpuset or taskset",
			   "%d of %ld cores may be used", CPU_COUNT(&set), online);
	else
		feature_yes(f, "all %ld cores may be used", online);
}

void feature_isolated(struct feature *f)
{
	char cores[64];

	if (feature_line("/sys/devices/system/cpu/isolated", cores, sizeof(cores)) || !cores[0])
		feature_no(f, "isolcpus=managed_irq,domain,N nohz_full=N on the kernel command line",
			   "none: the scheduler places others on the pipeline's core");
	else
		feature_yes(f, "%s", cores);
}

void feature_psi(struct feature *f)
{
	char line[128];
	int err = feature_line("/proc/pressure/cpu", line, sizeof(line));

	/* With psi=0 the files are there, and reading gives -EOPNOTSUPP (kernel/sched/psi.c). */
	if (err == -EOPNOTSUPP)
		feature_no(f, "boot with psi=1", "switched off at boot");
	else if (err == -ENOENT)
		feature_no(f, "boot with psi=1, or a kernel with CONFIG_PSI=y", "no /proc/pressure");
	else if (err)
		feature_no(f, "see the error", "/proc/pressure/cpu: %s", strerror(-err));
	else
		feature_yes(f, "%.100s", line);
}

void feature_schedstat(struct feature *f)
{
	unsigned long long ran, waited, slices;
	char line[96];

	if (feature_line("/proc/self/schedstat", line, sizeof(line)) ||
	    sscanf(line, "%llu %llu %llu", &ran, &waited, &slices) != 3)
		feature_no(f, "a kernel with CONFIG_SCHED_INFO=y", "no /proc/self/schedstat");
	else if (!slices)
		feature_no(f, "sysctl kernel.sched_schedstats=1", "/proc/self/schedstat stays at 0");
	else
		feature_yes(f, "waiting time per thread%s",
			    access("/proc/schedstat", R_OK) ? "" : " and per core");
}

/* How many names match, and how many of those this user may open so. */
static unsigned count(const char *pattern, int mode, unsigned *usable, char *first, unsigned size)
{
	glob_t g;
	unsigned n;

	*usable = 0;
	first[0] = '\0';
	if (glob(pattern, GLOB_NOSORT, NULL, &g))
		return 0;
	n = g.gl_pathc;
	for (unsigned i = 0; i < n; i++) {
		if (access(g.gl_pathv[i], mode))
			continue;
		(*usable)++;
		if (!first[0])
			snprintf(first, size, "%s", g.gl_pathv[i]);
	}
	globfree(&g);
	return n;
}

static void files(struct feature *f, const char *pattern, int mode, const char *none,
		  const char *rights)
{
	char first[96];
	unsigned usable, n = count(pattern, mode, &usable, first, sizeof(first));

	if (usable)
		feature_yes(f, "%u (%s%s)", usable, first, usable > 1 ? " ..." : "");
	else if (n)
		feature_no(f, rights, "%u, none of which this user may open", n);
	else
		feature_no(f, none, "no %s", pattern);
}

void feature_thermal(struct feature *f)
{
	files(f, "/sys/class/thermal/thermal_zone*/temp", R_OK,
	      "a kernel driver for the board's sensors (a virtual machine has none)", "root");
}

void feature_hwmon(struct feature *f)
{
	files(f, "/sys/class/hwmon/hwmon*/*_input", R_OK,
	      "a hwmon driver (modprobe; a virtual machine has none)", "root");
}

void feature_i2c(struct feature *f)
{
	files(f, "/dev/i2c-*", R_OK | W_OK,
	      "modprobe i2c-dev; on a Raspberry Pi dtparam=i2c_arm=on in /boot/firmware/config.txt",
	      "add the user to the group i2c");
}

void feature_spi(struct feature *f)
{
	files(f, "/dev/spidev*", R_OK | W_OK,
	      "on a Raspberry Pi dtparam=spi=on in /boot/firmware/config.txt",
	      "add the user to the group spi");
}

void feature_gpio(struct feature *f)
{
	files(f, "/dev/gpiochip*", R_OK | W_OK, "a kernel with CONFIG_GPIO_CDEV=y and a GPIO driver",
	      "add the user to the group gpio");
}

void feature_iio(struct feature *f)
{
	files(f, "/sys/bus/iio/devices/iio:device*/name", R_OK,
	      "a dtoverlay= for the sensor in /boot/firmware/config.txt, or its driver", "root");
}

void feature_cpufreq(struct feature *f)
{
	files(f, "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq", R_OK,
	      "a cpufreq driver (a virtual machine has none)", "root");
}
