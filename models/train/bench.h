/* SPDX-License-Identifier: MIT */
/*
 * bench: how fast a model's detector is on one core, a row at a time as the daemon runs it, and
 * several recordings side by side as offline scoring may. Side by side means B detectors stepped
 * in turn: their steps do not depend on each other, but each brings weights of its own.
 */
#ifndef SONDE_TRAIN_BENCH_H
#define SONDE_TRAIN_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/fc.h"

struct model;
struct why;

#define BENCH_BATCH_MAX 64u
#define BENCH_BATCHES 7u	/* 1, 2, 4 ... 64 */
#define BENCH_TURNS 5u
/* A batch is better than the device's usual one when it scores so many times the rows. */
#define BENCH_BETTER 1.05

struct bench_batch {
	unsigned size;
	double rows_s;		/* of all recordings together, the median turn */
	uint64_t bytes;		/* of its detectors: weights as the kernels want them, and state */
};

struct bench {
	enum fc_kind kind;
	unsigned steps;			/* of a turn */
	double p50_us, p99_us, max_us;	/* of single steps, each with a look at the clock in it */
	double clock_us;		/* that look */
	double step_us;			/* mean of steps back to back, the median turn */
	struct bench_batch batch[BENCH_BATCHES];
	unsigned batches;		/* fewer where memory ended */
	uint64_t rss_bytes, rss_peak_bytes;	/* of this process with one detector; at most */
};

/*
 * steps of a turn over x[rows][N] (channel units, NaN: missing), from the first again when it is
 * longer. batch_max 1 .. BENCH_BATCH_MAX. The caller pins the thread. -EINVAL, -ENOMEM; as
 * model_detector_best.
 */
int bench_model(struct bench *out, const struct model *m, const float *x, unsigned rows,
		unsigned steps, unsigned batch_max, struct why *why);

/*
 * The batch of a device before anything is measured: 8 on a Raspberry Pi 4, 4 on an earlier
 * one, 16 on a later one; otherwise 32 on x86 and 8 elsewhere; half of it below 512 MB free.
 * board: the device tree's model, "" where there is none; machine: as uname has it.
 */
unsigned bench_usual(const char *board, const char *machine, uint64_t free_bytes);
/* Of this machine, now. */
unsigned bench_usual_here(void);

/* What is measured overrules it: the batch to use, one of batch[n]. */
unsigned bench_pick(const struct bench_batch *batch, unsigned n, unsigned usual);

/* This thread onto one core; core < 0: the last one it may run on. The core, or -errno. */
int bench_pin(int core);

#endif
