/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * stats.bpf: the stats page as a BPF map. There is no program in this object: it exists so
 * that the map carries the BTF of struct sonde_stats, with which
 * `bpftool map dump pinned /sys/fs/bpf/sonde/stats` prints every counter by its name.
 * The daemon sets the number of elements before loading it, pins the map and writes
 * it through mmap with plain stores. That BTF comes from this object, so the kernel needs
 * none of its own.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/stats.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, sonde_u32);
	__type(value, struct sonde_stats);
} stats SEC(".maps");
