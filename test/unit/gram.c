// SPDX-License-Identifier: MIT
/* The sums of lagged products against sums written out; that every window is in one block. */
#include "models/train/gram.h"

#include "models/train/data.h"
#include "models/train/random.h"
#include "test/test.h"

#define ROWS 1301
#define N 3
#define LAGS 4
#define D ((LAGS + 1) * N)

static float input[ROWS * N];

static double cell(unsigned t, unsigned c)
{
	return input[(t - c / N) * N + c % N];
}

/* Rows from .. to-1 of those whose window is whole. */
static void direct(double *product, double *sum, double *count, unsigned from, unsigned to)
{
	for (unsigned t = from < LAGS ? LAGS : from; t < to; t++) {
		for (unsigned a = 0; a < D; a++) {
			for (unsigned b = 0; b < D; b++)
				product[a * D + b] += cell(t, a) * cell(t, b);
			sum[a] += cell(t, a);
		}
		*count += 1;
	}
}

static void same(const struct gram *g, unsigned without)
{
	static double want[D * D], got[D * D];
	double sum[D] = { 0 }, got_sum[D], count = 0, got_count;

	memset(want, 0, sizeof(want));
	for (unsigned k = 0; k < g->blocks; k++)
		if (k != without)
			direct(want, sum, &count, g->from[k], g->from[k + 1]);
	/* What was there before does not count. */
	memset(got, 0x55, sizeof(got));
	memset(got_sum, 0x55, sizeof(got_sum));
	gram_total(g, without, got, got_sum, &got_count);
	CHECK(got_count == count);
	for (unsigned i = 0; i < D * D; i++)
		CHECK_NEAR(got[i], want[i], 1e-9 * ROWS);
	for (unsigned i = 0; i < D; i++)
		CHECK_NEAR(got_sum[i], sum[i], 1e-9 * ROWS);
}

int main(void)
{
	struct series s = { .rows = ROWS, .channels = N, .input = input };
	struct random r = { 3 };
	struct gram g;

	for (unsigned i = 0; i < ROWS * N; i++)
		input[i] = 3 * random_uniform(&r) + 1;
	CHECK(!gram_open(&g, &s, LAGS));
	CHECK_EQ(g.cells, D);
	CHECK_EQ(g.blocks, GRAM_BLOCKS_MAX);
	CHECK_EQ(g.from[0], 0);
	CHECK_EQ(g.from[g.blocks], ROWS);
	for (unsigned k = 0; k < g.blocks; k++)
		CHECK(g.from[k + 1] - g.from[k] >= ROWS / GRAM_BLOCKS_MAX);
	for (unsigned k = 0; k <= g.blocks; k++)
		same(&g, k);
	gram_close(&g);
	CHECK(!g.sum && !g.product);

	/* Fewer blocks where they would take too much: the recording is still all there. */
	s = (struct series){ .rows = 60, .channels = 600 };
	s.input = calloc(60 * 600, sizeof(float));
	CHECK(s.input && !gram_open(&g, &s, 4));
	CHECK(g.blocks >= 2 && g.blocks < GRAM_BLOCKS_MAX);
	CHECK_EQ(g.from[g.blocks], 60);
	gram_close(&g);
	free(s.input);
	return 0;
}
