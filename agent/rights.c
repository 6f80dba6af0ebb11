// SPDX-License-Identifier: MIT
#include "agent/rights.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/why.h"

#define STACK_TOUCH (64 * 1024)
#define PAGE_MIN 4096

/* The highest core of a kernel list such as "2-3,5"; -1 for an empty one. */
static int last_of_list(const char *path)
{
	char text[256];
	FILE *f = fopen(path, "re");
	int last = -1;

	if (!f)
		return -1;
	if (fgets(text, sizeof text, f)) {
		for (char *p = text; *p; p++)
			if (*p >= '0' && *p <= '9' && (p == text || p[-1] < '0' || p[-1] > '9'))
				sscanf(p, "%d", &last);
	}
	fclose(f);
	return last;
}

int rights_pick_core(unsigned index)
{
	int isolated = last_of_list("/sys/devices/system/cpu/isolated");
	cpu_set_t set;
	unsigned count;

	if (isolated >= 0 && index == 0)
		return isolated;
	if (sched_getaffinity(0, sizeof set, &set))
		return -1;
	count = CPU_COUNT(&set);
	if (count < 2)
		return -1;
	/* The first core keeps the interrupts and everything that may block. */
	index %= count - 1;
	for (int cpu = CPU_SETSIZE - 1; cpu > 0; cpu--)
		if (CPU_ISSET(cpu, &set) && index-- == 0)
			return cpu;
	return -1;
}

bool rights_pin(int core, struct why *why)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (!sched_setaffinity(0, sizeof set, &set))
		return true;
	why_set(why, -errno, "not pinned to core %d: %s", core, strerror(errno));
	return false;
}

bool rights_fifo(int priority, struct why *why)
{
	struct sched_param param = { .sched_priority = priority };

	if (!sched_setscheduler(0, SCHED_FIFO, &param))
		return true;
	why_set(why, -errno,
		"not SCHED_FIFO %d: %s (needs CAP_SYS_NICE or LimitRTPRIO; other work may delay a tick)",
		priority, strerror(errno));
	return false;
}

void rights_avoid(const int *core, unsigned n)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set))
		return;
	for (unsigned i = 0; i < n; i++)
		if (core[i] >= 0)
			CPU_CLR(core[i], &set);
	if (CPU_COUNT(&set))
		sched_setaffinity(0, sizeof set, &set);
}

bool rights_lock_memory(struct why *why)
{
	if (!mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return true;
	why_set(why, -errno,
		"memory not locked: %s (needs CAP_IPC_LOCK or LimitMEMLOCK; a tick may wait for a page)",
		strerror(errno));
	return false;
}

void rights_touch_stack(void)
{
	volatile char stack[STACK_TOUCH];

	for (unsigned i = 0; i < sizeof stack; i += PAGE_MIN)
		stack[i] = 0;
	(void)stack[0];
}
