// SPDX-License-Identifier: MIT
/*
 * stats_page: what is in the stats page: the seqlock around its sections and the histograms.
 *
 * The sections' fields are plain, so that a writer sets them as any struct and bpftool sees
 * them as they are. The order comes from fences (H. Boehm, "Can seqlocks get along with programming
 * language memory models?", MSPC 2012): the writer's release fence keeps the fields after
 * the odd seq, the reader's acquire fence keeps them before its second look. A copy that
 * a writer tore is thrown away, so the race on the fields is meant; the reader loads whole
 * words, and ThreadSanitizer, which knows neither fences nor that, leaves that function out.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "agent/stats.h"
#include "bpf/hist.h"

#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic ignored "-Wtsan"
#endif

/*
 * Tries in a row, then with a pause before each: a pipeline writes for about a
 * microsecond, but main may be preempted in the middle of its section.
 */
#define SPINS 64
#define PAUSES 50
#define PAUSE_NS 1000000

_Static_assert(sizeof(struct sonde_host) % 8 == 0 && sizeof(struct sonde_tick) % 8 == 0 &&
	       offsetof(struct sonde_stats, host) % 8 == 0 &&
	       offsetof(struct sonde_stats, tick) % 8 == 0, "sections are copied by words");
_Static_assert(sizeof(struct sonde_channel) == 88 && sizeof(struct sonde_sensor) == 352 &&
	       sizeof(struct sonde_hist) == 1048,
	       "no padding that another compiler may lay out otherwise");

void stats_write_begin(uint32_t *seq)
{
	__atomic_store_n(seq, *seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void stats_write_end(uint32_t *seq)
{
	__atomic_store_n(seq, *seq + 1, __ATOMIC_RELEASE);
}

__attribute__((no_sanitize("thread")))
static bool copy_section(const uint32_t *seq, const void *from, void *to, size_t bytes)
{
	const uint64_t *src = from;
	uint32_t before, after;
	uint64_t *dst = to;

	before = __atomic_load_n(seq, __ATOMIC_ACQUIRE);
	for (size_t i = 0; i < bytes / sizeof(*src); i++)
		dst[i] = __atomic_load_n(&src[i], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	after = __atomic_load_n(seq, __ATOMIC_RELAXED);
	return before == after && !(before & 1);
}

static int read_section(const uint32_t *seq, const void *from, void *to, size_t bytes)
{
	struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int i = 0; i < SPINS + PAUSES; i++) {
		if (i >= SPINS)
			nanosleep(&pause, NULL);
		if (copy_section(seq, from, to, bytes))
			return 0;
	}
	return -EAGAIN;
}

int stats_read(const struct stats_page *p, unsigned i, struct sonde_stats *copy)
{
	const struct sonde_stats *s;
	int host, tick;

	if (i >= stats_pipelines(p))
		return -EINVAL;
	s = stats_pipeline((struct stats_page *)p, i);
	if (s->magic != SONDE_STATS_MAGIC || s->version != SONDE_STATS_VERSION ||
	    s->size != sizeof(*s))
		return -EINVAL;
	copy->magic = s->magic;
	copy->version = s->version;
	copy->size = s->size;
	host = read_section(&s->host.seq, &s->host, &copy->host, sizeof(copy->host));
	tick = read_section(&s->tick.seq, &s->tick, &copy->tick, sizeof(copy->tick));
	return host ? host : tick;
}

unsigned stats_bucket(uint64_t ns)
{
	return sonde_hist_bucket(ns);
}

uint64_t stats_bucket_floor(unsigned bucket)
{
	unsigned steps = 1 << SONDE_HIST_SUB_SHIFT;
	unsigned octave = SONDE_HIST_MIN_SHIFT + (bucket - 1) / steps;

	if (!bucket)
		return 0;
	return (uint64_t)(steps + (bucket - 1) % steps) << (octave - SONDE_HIST_SUB_SHIFT);
}

void stats_hist_add(struct sonde_hist *h, uint64_t ns)
{
	h->bucket[sonde_hist_bucket(ns)]++;
	h->count++;
	h->sum_ns += ns;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

uint64_t stats_hist_quantile(const struct sonde_hist *h, double q)
{
	uint64_t total = 0, seen = 0, rank;
	unsigned i;

	/* Not h->count: in a copy of a live histogram the buckets agree only with themselves. */
	for (i = 0; i < SONDE_HIST_BUCKETS; i++)
		total += h->bucket[i];
	if (!total)
		return 0;
	if (q >= 1)
		return h->max_ns;
	rank = q > 0 ? ceil(q * total) : 1;
	for (i = 0; i < SONDE_HIST_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			break;
	}
	if (i == SONDE_HIST_BUCKETS - 1 || stats_bucket_floor(i + 1) > h->max_ns)
		return h->max_ns;
	return stats_bucket_floor(i + 1);
}
