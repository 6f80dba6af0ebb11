/* SPDX-License-Identifier: MIT */
/*
 * stats: make, find and read the stats page (bpf/stats.h), and its histograms.
 */
#ifndef SONDE_AGENT_STATS_H
#define SONDE_AGENT_STATS_H

#include <stdint.h>

#include "bpf/stats.h"

struct why;
struct stats_page;

/*
 * Writer (the daemon): one element a pipeline. With BPF: a mmapable map pinned
 * at /sys/fs/bpf/sonde/stats, or below /sys/fs/bpf/sonde-<n>/ for a run directory
 * other than /run/sonde; RUN_DIR/stats is then a link to it. Without: RUN_DIR/stats
 * is a file of the same layout. What was there before is replaced. bpf tells which (may be NULL), and
 * the reason why not in why.
 */
int stats_create(struct stats_page **out, const char *run_dir, unsigned pipelines,
		 int *bpf, struct why *why);

/* Reader (the tool): RUN_DIR/stats, read-only. -ENOENT: no daemon has run here. */
int stats_attach(struct stats_page **out, const char *run_dir, struct why *why);

void stats_close(struct stats_page *p);

unsigned stats_pipelines(const struct stats_page *p);
struct sonde_stats *stats_pipeline(struct stats_page *p, unsigned i);

/*
 * A consistent copy; -EINVAL for another layout; -EAGAIN when the writer kept writing for 50 ms or
 * died while it wrote: the copy is made all the same, for those who say that it may be torn.
 */
int stats_read(const struct stats_page *p, unsigned i, struct sonde_stats *copy);

/* Around a writer's plain stores (one writer a section). */
void stats_write_begin(uint32_t *seq);
void stats_write_end(uint32_t *seq);

unsigned stats_bucket(uint64_t ns);
uint64_t stats_bucket_floor(unsigned bucket);	/* its lowest value, ns */
void stats_hist_add(struct sonde_hist *h, uint64_t ns);
/* The upper edge of the bucket that holds fraction q of all; 0 when empty; max for q = 1. */
uint64_t stats_hist_quantile(const struct sonde_hist *h, double q);

#endif
