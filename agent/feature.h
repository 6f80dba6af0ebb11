/* SPDX-License-Identifier: MIT */
/*
 * feature: what this kernel and these rights allow, each with the reason and
 * what would enable it. Probes by trying, not by version numbers.
 */
#ifndef SONDE_FEATURE_H
#define SONDE_FEATURE_H

#include <stdbool.h>

struct feature {
	const char *name;	/* "io_uring", "bpf", "btf", "sched_fifo", "mlock", "psi" ... */
	bool ok;
	char detail[160];	/* what was found, or why not */
	const char *enable;	/* what would help; NULL when ok */
};

#define FEATURES_MAX 24

/* Probe all; returns how many were written. Safe at any time, as any user. */
unsigned feature_probe(struct feature *f, unsigned max);

#endif
