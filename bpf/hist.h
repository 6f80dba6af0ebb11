/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * hist: which bucket of a struct sonde_hist a latency falls into. One function for the kernel
 * side and for user space, so that a histogram filled by a BPF program and one
 * filled by the pipeline have the same edges and can be laid over each other.
 */
#ifndef SONDE_HIST_H
#define SONDE_HIST_H

#include "bpf/stats.h"

#define SONDE_HIST_SUB_SHIFT 2	/* four linear buckets an octave */

static inline __attribute__((always_inline)) sonde_u32 sonde_hist_bucket(sonde_u64 ns)
{
	sonde_u32 octave, sub, bucket;

	if (ns < 1ULL << SONDE_HIST_MIN_SHIFT)
		return 0;
	octave = 63 - __builtin_clzll(ns);
	sub = ns >> (octave - SONDE_HIST_SUB_SHIFT) & ((1 << SONDE_HIST_SUB_SHIFT) - 1);
	bucket = 1 + ((octave - SONDE_HIST_MIN_SHIFT) << SONDE_HIST_SUB_SHIFT) + sub;
	return bucket < SONDE_HIST_BUCKETS ? bucket : SONDE_HIST_BUCKETS - 1;
}

#endif
