// SPDX-License-Identifier: MIT
/* bench_pick: how many recordings to score side by side, and on which core. See bench.h. */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "models/train/bench.h"

#define SCARCE (512ull << 20)

unsigned bench_usual(const char *board, const char *machine, uint64_t free_bytes)
{
	bool x86 = !strcmp(machine, "x86_64") || !strcmp(machine, "i686");
	const char *pi = strstr(board, "Raspberry Pi");
	const char *digit = pi ? strpbrk(pi, "0123456789") : NULL;
	unsigned usual = x86 ? 32 : 8;

	/* The first digit is the generation: "4 Model B", "400", "Compute Module 4", "Rev 1". */
	if (pi)
		usual = !digit || *digit < '4' ? 4 : *digit == '4' ? 8 : 16;
	return free_bytes < SCARCE ? usual / 2 : usual;
}

static uint64_t available_bytes(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kb = SCARCE / 1024;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb * 1024;
}

unsigned bench_usual_here(void)
{
	FILE *f = fopen("/sys/firmware/devicetree/base/model", "re");
	char board[128] = "";
	struct utsname u;

	if (f) {
		board[fread(board, 1, sizeof(board) - 1, f)] = 0;
		fclose(f);
	}
	return bench_usual(board, uname(&u) ? "" : u.machine, available_bytes());
}

unsigned bench_pick(const struct bench_batch *batch, unsigned n, unsigned usual)
{
	const struct bench_batch *now = batch, *best = batch;

	for (unsigned k = 0; k < n; k++) {
		if (batch[k].size <= usual)
			now = &batch[k];
		/* Of equals the smaller, which answers sooner and takes less. */
		if (batch[k].rows_s > best->rows_s)
			best = &batch[k];
	}
	return best->rows_s > now->rows_s * BENCH_BETTER ? best->size : now->size;
}

int bench_pin(int core)
{
	cpu_set_t set;

	if (core < 0) {
		if (sched_getaffinity(0, sizeof(set), &set))
			return -errno;
		for (core = CPU_SETSIZE - 1; core > 0 && !CPU_ISSET(core, &set); core--)
			;
	}
	if (core >= CPU_SETSIZE)
		return -EINVAL;
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : core;
}
