/* SPDX-License-Identifier: MIT */
/*
 * profiler: how long the pinned threads waited between runnable and running, and
 * who ran instead. This is rung (a) of the ladder, CO-RE on tp_btf; where the kernel
 * does not let it attach, the reason is kept for `sonde feature`.
 */
#ifndef SONDE_PROFILER_H
#define SONDE_PROFILER_H

#include <stdint.h>
#include <sys/types.h>

struct profiler;
struct sonde_host;
struct why;

/*
 * Attach; when this kernel can not, the reason and -ENOENT: no BTF, -EPERM: no rights,
 * -ENOSYS: no bpf(), -ENOTSUP: no BPF tracing or a PID namespace, or another -errno.
 */
int profiler_open(struct profiler **out, struct why *why);
void profiler_close(struct profiler *p);

/* Follow a thread in slot (0 .. 7) from zero; tid 0: none any more. */
int profiler_track(struct profiler *p, unsigned slot, pid_t tid);

/* Fold the slot's histogram and culprits into a host section (inside its seqlock). */
void profiler_read(struct profiler *p, unsigned slot, struct sonde_host *h);

/* A thread that had the core while ours waited for it. */
struct profiler_culprit {
	char comm[16];
	pid_t pid;
	uint64_t count, total_ns, worst_ns;
};

/* The most time first; returns how many. The idle task is none of them. */
unsigned profiler_culprits(struct profiler *p, unsigned slot, struct profiler_culprit *out,
			   unsigned max);

const char *profiler_name(const struct profiler *p);	/* "co-re"; NULL p: "none" */

#endif
