// SPDX-License-Identifier: MIT
/*
 * The profile of a step and the bench: what was run, how often, and that times add up. How
 * long anything took is nothing that a test can know.
 */
#include <errno.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "models/train/bench.h"
#include "models/train/profile.h"
#include "test/test.h"
#include "test/unit/model_fixture.h"

#define ROWS 300

static float *rows_of(const struct fixture *f, unsigned rows)
{
	unsigned n = f->m.spec.channels;
	float *x = malloc((size_t)rows * n * sizeof(*x));

	CHECK(x);
	for (unsigned r = 0; r < rows; r++)
		for (unsigned i = 0; i < n; i++)
			x[r * n + i] = (r + i) % 37 ? (float)((r * 31 + i * 17) % 97) : NAN;
	return x;
}

static void sums(const struct profile *p)
{
	double parts = 0;

	CHECK(p->step_ns > 0);
	for (unsigned op = 0; op < COST_OPS; op++) {
		CHECK(p->part[op].ns >= 0);
		CHECK_EQ(p->part[op].calls > 0, p->cost.part[op].runs > 0);
		if (!p->part[op].calls)
			CHECK_EQ(p->part[op].ns, 0);
		parts += p->part[op].ns;
	}
	/* Everything else is what is missing, unless the parts alone were slower. */
	if (p->part[COST_REST].ns > 0)
		CHECK_NEAR(parts, p->step_ns, 1e-6 * p->step_ns);
	else
		CHECK(parts >= p->step_ns * (1 - 1e-9));
}

static void profiled(const struct fixture_shape *shape, unsigned rows, unsigned steps)
{
	struct fixture *f = malloc(sizeof(*f));
	struct profile p;
	unsigned runs = shape->kind == RECURRENT_AUTOENCODER ? shape->window : 1;
	float *x;

	CHECK(f);
	fixture_shaped(f, shape);
	fixture_score(f);
	x = rows_of(f, rows);
	CHECK_EQ(profile_model(&p, &f->m, x, rows, steps, 3, NULL), 0);
	CHECK_EQ(p.steps, steps);
	CHECK_EQ(p.turns, 3);
	sums(&p);
	CHECK_EQ(p.part[COST_LINEAR].calls, steps);
	CHECK_EQ(p.part[COST_REST].calls, steps);
	CHECK_EQ(p.part[COST_ENCODE].calls, shape->rank ? steps : 0);
	CHECK_EQ(p.part[COST_CODE].calls, shape->rank ? steps : 0);
	CHECK_EQ(p.part[COST_SPREAD].calls, shape->spread ? steps : 0);
	if (shape->kind == RECURRENT_FORECAST) {
		CHECK_EQ(p.part[COST_GATES].calls, steps);
		CHECK_EQ(p.part[COST_HEAD].calls, steps - p.early);
		CHECK_EQ(p.part[COST_GRAPH].calls, shape->features ? steps - p.early : 0);
	} else if (shape->kind == RECURRENT_AUTOENCODER) {
		CHECK_EQ(p.part[COST_GATES2].calls, (steps - p.early) * runs);
		CHECK_EQ(p.part[COST_CELL].calls, 2 * (steps - p.early) * runs);
		CHECK_EQ(p.part[COST_HEAD].calls, (steps - p.early) * runs);
	}
	CHECK_EQ(p.part[COST_QUICK].calls, shape->quick ? steps : 0);
	free(x);
	fixture_free(f);
	free(f);
}

/* A head that is always sure, and one that never is. */
static void test_early(void)
{
	struct fixture_shape shape = { .n = 4, .lags = 2, .kind = RECURRENT_FORECAST, .hidden = 8,
				       .features = 2, .degree = 2, .quick = true, .rows = 4,
				       .int8 = true };
	struct fixture *f = malloc(sizeof(*f));
	struct detector *d;
	struct profile p;
	unsigned warmup;
	float *x;

	CHECK(f);
	fixture_shaped(f, &shape);
	f->m.spec.quick.margin = -1e6f;
	fixture_score(f);
	CHECK_EQ(detector_open(&d, &f->m.spec, FC_REF, NULL), 0);
	warmup = detector_warmup(d);
	detector_close(d);
	x = rows_of(f, ROWS);
	CHECK_EQ(profile_model(&p, &f->m, x, ROWS, ROWS, 1, NULL), 0);
	CHECK_EQ(p.early, ROWS - warmup);
	CHECK_EQ(p.part[COST_GRAPH].calls, warmup);
	CHECK_EQ(p.part[COST_GATES].calls, ROWS);
	f->m.spec.quick.margin = 1e6f;
	fixture_score(f);
	CHECK_EQ(profile_model(&p, &f->m, x, ROWS, ROWS, 1, NULL), 0);
	CHECK_EQ(p.early, 0);
	CHECK_EQ(p.part[COST_GRAPH].calls, ROWS);
	CHECK_EQ(profile_model(&p, &f->m, x, 0, 1, 1, NULL), -EINVAL);
	CHECK_EQ(profile_model(&p, &f->m, x, 1, 0, 1, NULL), -EINVAL);
	free(x);
	fixture_free(f);
	free(f);
}

static void test_bench(void)
{
	struct fixture *f = malloc(sizeof(*f));
	struct bench b;
	float *x;

	CHECK(f);
	fixture_make(f, 4, 2, 8, 4, true);
	fixture_score(f);
	x = rows_of(f, ROWS);
	CHECK_EQ(bench_model(&b, &f->m, x, ROWS, 2 * ROWS, BENCH_BATCH_MAX, NULL), 0);
	CHECK_EQ(b.batches, BENCH_BATCHES);
	for (unsigned k = 0; k < b.batches; k++) {
		CHECK_EQ(b.batch[k].size, 1u << k);
		CHECK(b.batch[k].rows_s > 0);
		CHECK_EQ(b.batch[k].bytes, b.batch[0].bytes << k);
	}
	CHECK(b.clock_us >= 0 && b.p50_us > 0);
	CHECK(b.p50_us <= b.p99_us && b.p99_us <= b.max_us);
	CHECK(b.rss_bytes > 0 && b.rss_peak_bytes >= b.rss_bytes);
	/* One row, more detectors than rows. */
	CHECK_EQ(bench_model(&b, &f->m, x, 1, 3, 5, NULL), 0);
	CHECK_EQ(b.batches, 3);
	CHECK_EQ(bench_model(&b, &f->m, x, 0, 1, 1, NULL), -EINVAL);
	CHECK_EQ(bench_model(&b, &f->m, x, 1, 1, BENCH_BATCH_MAX + 1, NULL), -EINVAL);
	free(x);
	fixture_free(f);
	free(f);
}

static void test_usual(void)
{
	const uint64_t much = 2ull << 30, little = (512ull << 20) - 1;

	CHECK_EQ(bench_usual("Raspberry Pi 4 Model B Rev 1.5", "aarch64", much), 8);
	CHECK_EQ(bench_usual("Raspberry Pi 4 Model B Rev 1.5", "aarch64", little), 4);
	CHECK_EQ(bench_usual("Raspberry Pi 3 Model B Plus Rev 1.3", "aarch64", much), 4);
	CHECK_EQ(bench_usual("Raspberry Pi Zero 2 W Rev 1.0", "aarch64", little), 2);
	CHECK_EQ(bench_usual("Raspberry Pi 5 Model B Rev 1.0", "aarch64", much), 16);
	CHECK_EQ(bench_usual("Raspberry Pi 500", "aarch64", much), 16);
	CHECK_EQ(bench_usual("Raspberry Pi 400 Rev 1.0", "aarch64", much), 8);
	CHECK_EQ(bench_usual("Raspberry Pi Compute Module 4 Rev 1.0", "aarch64", much), 8);
	CHECK_EQ(bench_usual("", "x86_64", much), 32);
	CHECK_EQ(bench_usual("", "x86_64", little), 16);
	CHECK_EQ(bench_usual("", "riscv64", 512ull << 20), 8);
}

static void test_pick(void)
{
	const struct bench_batch falls[] = { { 1, 1000 }, { 2, 900 }, { 8, 500 } };
	const struct bench_batch flat[] = { { 1, 1000 }, { 8, 990 }, { 32, 1010 } };
	const struct bench_batch grows[] = { { 1, 1000 }, { 8, 1500 }, { 32, 3000 } };

	CHECK_EQ(bench_pick(falls, 3, 8), 1);
	CHECK_EQ(bench_pick(flat, 3, 8), 8);
	CHECK_EQ(bench_pick(flat, 3, 32), 32);
	CHECK_EQ(bench_pick(grows, 3, 8), 32);
	/* The usual one was not tried: the next below it. */
	CHECK_EQ(bench_pick(flat, 3, 16), 8);
	CHECK_EQ(bench_pick(flat, 1, 32), 1);
}

int main(void)
{
	struct fixture_shape forecast = { .n = 6, .lags = 3, .rank = 5, .spread = true,
					  .kind = RECURRENT_FORECAST, .hidden = 16, .layers = 2,
					  .features = 4, .degree = 3, .quick = true, .rows = 8,
					  .int8 = true };
	struct fixture_shape window = { .n = 5, .lags = 2, .kind = RECURRENT_AUTOENCODER,
					.hidden = 8, .window = 7, .rows = 8, .int8 = true };
	struct fixture_shape plain = { .n = 3, .lags = 2, .rows = 4 };

	profiled(&forecast, ROWS, ROWS);
	forecast.int8 = false;
	profiled(&forecast, ROWS, ROWS);
	profiled(&window, ROWS, ROWS);
	profiled(&plain, 100, 1500);
	profiled(&plain, 1500, 10);
	test_early();
	test_bench();
	test_usual();
	test_pick();
	return 0;
}
