// SPDX-License-Identifier: MIT
/*
 * 100,000 steps of a detector of each kind: no allocation, no page fault. The allocator's
 * functions are this program's own here, in front of the C library's.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "test/golden/made.h"
#include "test/test.h"
#include "test/unit/count_allocations.h"

#define STEPS 100000
#define ROWS 512
#define CHANNELS 12

static float x[ROWS][CHANNELS];
static uint8_t valid[ROWS][CHANNELS];

static long faults(void)
{
	struct rusage u;

	CHECK_EQ(getrusage(RUSAGE_THREAD, &u), 0);
	return u.ru_minflt + u.ru_majflt;
}

static void run(struct detector *d, unsigned steps)
{
	struct detector_result r;

	for (unsigned i = 0; i < steps; i++) {
		detector_step(d, x[i % ROWS], valid[i % ROWS], &r);
		CHECK(isfinite(r.score));
		if (i % 100 == 0)
			detector_follow(d, 0.01f);
	}
}

static void cost(enum fc_kind kind, const struct made_shape *shape, const char *name)
{
	struct detector *d;
	struct made m;
	long least = -1;

	made_open(&m, shape);
	for (unsigned i = 0; i < ROWS; i++)
		made_row(&m, x[i], valid[i]);
	CHECK_EQ(detector_open(&d, &m.spec, kind, NULL), 0);
	run(d, ROWS);
#ifndef SONDE_SANITIZED
	unsigned long before = allocations;

	run(d, STEPS);
	if (allocations != before) {
		fprintf(stderr, "%s: %lu allocations\n", name, allocations - before);
		exit(1);
	}
#endif
	/* The kernel may take a page back meanwhile: not thrice, though. */
	for (unsigned turn = 0; turn < 3 && least; turn++) {
		long begin = faults(), n;

		run(d, STEPS);
		n = faults() - begin;
		least = least < 0 || n < least ? n : least;
	}
	if (least) {
		fprintf(stderr, "%s: %ld page faults\n", name, least);
		exit(1);
	}
	detector_close(d);
	made_close(&m);
}

int main(void)
{
	struct made_shape all = {
		.channels = CHANNELS, .lags = 5, .level = true, .rank = 9, .slow = true,
		.net = RECURRENT_FORECAST, .hidden = 32, .layers = 2, .features = 4, .quick = -2,
		.int8 = true,
	};
	struct made_shape window = {
		.channels = CHANNELS, .lags = 2, .net = RECURRENT_AUTOENCODER, .hidden = 8,
		.window = 6, .online = 20,
	};

	mlockall(MCL_CURRENT);
	cost(FC_XNN, &all, "xnnpack");
	cost(FC_SUBGRAPH, &all, "xnnpack-subgraph");
	cost(FC_REF, &all, "reference");
	all.dynamic = true;
	cost(FC_XNN, &all, "xnnpack, dynamic");
	cost(FC_REF, &window, "float, autoencoder");
	return 0;
}
