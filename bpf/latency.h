/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * latency: what the profiler's BPF programs and user space share: one struct latency_state
 * in the object's .bss, which user space maps. It holds nothing that depends on how the
 * scheduler's events were reached, so that every BPF rung of the ladder can fill it.
 */
#ifndef SONDE_LATENCY_H
#define SONDE_LATENCY_H

#include "bpf/stats.h"

#define LATENCY_SLOTS 8
#define LATENCY_CULPRITS 8	/* a slot; a power of two */
#define LATENCY_COMM 16		/* TASK_COMM_LEN */

struct latency_culprit {
	char comm[LATENCY_COMM];
	sonde_u32 pid, pad;		/* the thread's id */
	sonde_u64 count, total_ns, worst_ns;
};

struct latency_slot {
	sonde_u64 runnable_ns;		/* since when it waits for a core; 0: runs or sleeps */
	sonde_u64 charged_ns;		/* up to when others were charged for that */
	sonde_u32 cpu, pad;		/* whose queue it waits in */
	struct latency_culprit holder;	/* the longest to run in this wait; worst_ns is set */
	sonde_u64 preemptions, preempted_ns;	/* waits in which another task ran; for how long */
	sonde_u64 evicted_ns;		/* what culprits lost from the table below had */
	struct sonde_hist wakeup;
	struct latency_culprit worst;	/* the holder of the longest wait, and that wait */
	struct latency_culprit culprit[LATENCY_CULPRITS];
};

struct latency_state {
	sonde_u64 filter;		/* bit (tid & 63) of each followed thread: written by user space */
	union {
		sonde_u64 any;
		unsigned char slot[LATENCY_SLOTS];	/* 1: its thread is runnable, not running */
	} waiting;
	sonde_u32 tid[LATENCY_SLOTS];	/* 0: slot is free; written by user space */
	struct latency_slot slot[LATENCY_SLOTS];
};

#endif
