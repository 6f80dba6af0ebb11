/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* path: what bpf/path.bpf.c and agent/path.c share: the keys of its counts, and their table. */
#ifndef SONDE_BPF_PATH_H
#define SONDE_BPF_PATH_H

#include "bpf/stats.h"

#define PATH_ENTRIES 2048	/* 8 pipelines with up to 130 files, and some that ended */

/* Whose request: the thread that submitted it, and 16 bits of its user_data. */
struct path_key {
	sonde_u32 tid, key;
};

#endif
