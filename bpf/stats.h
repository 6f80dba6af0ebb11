/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The stats page: what a pipeline tells the world, shared by the daemon (writes),
 * the tool (reads) and bpftool (prints it from its BTF). One element a pipeline of
 * a BPF_F_MMAPABLE array pinned in bpffs; without BPF, of a file in the run
 * directory. Compiled for BPF, x86-64 and arm64: fixed-width types, no pointers,
 * no implicit padding. bpftool stops at the first float of a struct (its BTF printer has no
 * BTF_KIND_FLOAT), so in the map's BTF they are words, named for what they hold.
 *
 * Two writers, a section each, each a seqlock: seq is odd while the section is being
 * written. A reader copies, then looks again.
 */
#ifndef SONDE_STATS_H
#define SONDE_STATS_H

#define SONDE_STATS_MAGIC 0x30455441444e4f53ULL	/* "SONDATE0" */
#define SONDE_STATS_VERSION 4
#define SONDE_CHANNELS_MAX 64
#define SONDE_NAME_MAX 32
#define SONDE_SENSORS_MAX 64
#define SONDE_FAULT_KINDS 13	/* enum channel_fault */
#define SONDE_RUNGS_MAX 6

/*
 * A latency histogram: octaves of nanoseconds from 2^8, four linear buckets each. Bucket
 * 0 holds all below 256 ns; the last all from 1.5 * 2^39 ns on (14 minutes).
 */
#define SONDE_HIST_BUCKETS 128
#define SONDE_HIST_MIN_SHIFT 8

typedef unsigned long long sonde_u64;
typedef unsigned int sonde_u32;
#ifdef __bpf__
#define SONDE_F32(name) sonde_u32 name##_ieee754
#define SONDE_F32S(name, n) sonde_u32 name##_ieee754[n]
#else
#define SONDE_F32(name) float name
#define SONDE_F32S(name, n) float name[n]
#endif

struct sonde_hist {
	sonde_u64 count, sum_ns, max_ns;
	sonde_u64 bucket[SONDE_HIST_BUCKETS];
};

struct sonde_channel {
	char name[SONDE_NAME_MAX];
	char unit[12];
	sonde_u32 state;		/* enum channel_state */
	SONDE_F32(value);
	SONDE_F32(contribution);	/* nats */
	sonde_u64 age_ns;
	sonde_u64 samples, errors;
	sonde_u32 fault, sensor;	/* enum channel_fault; index into sensor[] */
};

/* A device, as the keeper sees it. */
struct sonde_sensor {
	char name[SONDE_NAME_MAX];
	char kind[12];
	sonde_u32 state, fault;		/* enum channel_state, channel_fault */
	int error;			/* -errno of the last failure, 0: none */
	SONDE_F32(rate_hz);		/* good readings a second, lately */
	sonde_u32 path_expected;	/* enum dev_path: as configured */
	sonde_u64 reads, errors, opened, recovered;
	sonde_u64 faults[SONDE_FAULT_KINDS];
	sonde_u64 age_ns;		/* of the last good reading */
	sonde_u64 edge_to_value_ns;	/* of a triggered one: the last */
	sonde_u64 queued;		/* reads that io_uring gave to a worker, as traced; see path_seen */
	sonde_u32 path_seen, pad;	/* 1: the tracepoint is watched; written by main */
	char why[120];			/* the last failure in words */
};

/* The model that judges beside the live one (agent/shadow.h), and both since it began. */
struct sonde_shadow {
	sonde_u32 on, alarm;		/* on: there is one; alarm: its verdict now */
	SONDE_F32(score);
	SONDE_F32(limit);
	SONDE_F32(correlation);		/* of the two scores, -1 to 1 */
	SONDE_F32(mean_live);
	SONDE_F32(mean_shadow);
	sonde_u32 pad;
	sonde_u64 generation;
	sonde_u64 ticks, skipped;	/* judged by both; left out, being late already */
	sonde_u64 over_live, over_shadow, over_both;	/* of ticks: over their limits */
	sonde_u64 alarms_live, alarms_shadow;
};

/* The limit that follows to keep the promised false alarms (agent/limit.h). */
struct sonde_limit {
	sonde_u32 follows, frozen;	/* 0: the limit stays; frozen: nothing is learned now */
	SONDE_F32(start);		/* the limit that training gave */
	sonde_u32 rungs, k, n;		/* of rung and hits; the verdict's k of n */
	SONDE_F32S(rung, SONDE_RUNGS_MAX);	/* the last of them is the limit */
	sonde_u32 hits[SONDE_RUNGS_MAX];	/* blocks of ticks that passed it, up to a bound */
	sonde_u64 promise;		/* ticks for each false alarm */
	sonde_u64 ticks, alarms;	/* learned from; alarms since that promise was made */
	sonde_u64 key;			/* of the model that it belongs to */
};

/* Written by the pipeline's thread, once a tick. */
struct sonde_tick {
	sonde_u32 seq, channels, sensors, pad;
	sonde_u64 ticks, missed, late, dropped;	/* late: past the deadline; dropped: queue records */
	sonde_u64 scored, over_limit, alarms;
	sonde_u64 t_ns;			/* CLOCK_MONOTONIC of the last tick */
	sonde_u64 submits, no_buffers, rearmed, cq_overflow;	/* ring_counters */
	sonde_u64 model_generation;
	SONDE_F32(score);
	SONDE_F32(limit);
	SONDE_F32(peak);
	sonde_u32 alarm;
	sonde_u64 alarm_since_ns;	/* 0: none now */
	struct sonde_hist latency;	/* grid time -> verdict */
	struct sonde_hist lateness;	/* grid time -> the thread runs */
	struct sonde_hist step;		/* decode, model, verdict alone */
	struct sonde_hist edge;		/* a trigger's edge -> the first verdict with its value */
	struct sonde_channel channel[SONDE_CHANNELS_MAX];
	struct sonde_sensor sensor[SONDE_SENSORS_MAX];
	struct sonde_shadow shadow;
	struct sonde_limit limits;
};

/* Written by main, about once a second. */
struct sonde_host {
	sonde_u32 seq, pid;
	sonde_u32 tid, core;		/* core: 0xffffffff when not pinned */
	sonde_u32 priority;		/* SCHED_FIFO, 0 when not */
	sonde_u32 alive;		/* 0: the daemon has left in good order */
	sonde_u64 start_realtime_ns, heartbeat_ns;	/* the second: CLOCK_MONOTONIC */
	sonde_u64 events, events_lost, captures;
	sonde_u64 rss_bytes, cpu_ns;	/* of the process */
	sonde_u64 page_faults;		/* of the pipeline's thread, since it began */
	char name[SONDE_NAME_MAX];	/* the pipeline's */
	char ring[16], profiler[16];	/* "io_uring", "co-re" ... */
	char model[SONDE_NAME_MAX], model_precision[16], kernel[24];
	char model_path[160];
	char shadow_model[SONDE_NAME_MAX], shadow_precision[16], shadow_kernel[24];
	char shadow_path[160];
	SONDE_F32(rate_hz);
	sonde_u32 model_channels, model_hidden, model_lags;
	struct sonde_hist wakeup;	/* runnable -> running, seen by the profiler */
	sonde_u64 preempted_ns, preemptions;	/* others ran while this thread was runnable */
	char worst_comm[16];		/* who ran during the longest wake-up */
	sonde_u64 worst_ns;
	sonde_u32 worst_pid, pad;
};

struct sonde_stats {
	sonde_u64 magic;
	sonde_u32 version, size;	/* size: of this struct */
	struct sonde_host host;
	struct sonde_tick tick;
};

#endif
