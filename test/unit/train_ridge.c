// SPDX-License-Identifier: MIT
/*
 * The linear forecast recovers a process that it can express: two channels, one
 * driven by itself two rows ago, the other by the first one row ago, with an offset; and
 * without a block it is what the other blocks alone give.
 */
#include "models/train/ridge.h"

#include <errno.h>

#include "kernels/why.h"
#include "models/train/data.h"
#include "models/train/gram.h"
#include "models/train/random.h"
#include "test/test.h"

#define ROWS 3000
#define N 2
#define L 3

static float input[ROWS * N], left[ROWS * N];

/* Of all blocks of the first `rows` rows, or of all but one. */
static int ridge(float *w, float *b, unsigned rows, unsigned lags, int without, double lambda,
		 struct why *why)
{
	struct series s = { .rows = rows, .channels = N, .input = input };
	struct gram g;
	int err;

	CHECK(!gram_open(&g, &s, lags));
	err = ridge_fit(w, b, &g, without < 0 ? g.blocks : (unsigned)without, lambda, why);
	gram_close(&g);
	return err;
}

static void make(float noise)
{
	struct random r = { 11 };

	memset(input, 0, sizeof(input));
	for (int t = 2; t < ROWS; t++) {
		float *x = input + t * N;

		x[0] = -0.8f * x[-2 * N] + random_uniform(&r);
		x[1] = 0.5f * x[-N] + 0.25f + noise * random_uniform(&r);
	}
}

static void recovers(void)
{
	float w[N * L * N], b[N];
	double square = 0, square1 = 0;
	struct why why;

	make(0.5f);
	CHECK(!ridge(w, b, ROWS, L, -1, 1e-3, &why));
	/* weight[o][(lag - 1) * N + channel], newest first */
	CHECK_NEAR(w[0 * L * N + 1 * N + 0], -0.8, 0.05);
	CHECK_NEAR(w[0 * L * N + 0 * N + 0], 0, 0.05);
	CHECK_NEAR(w[1 * L * N + 0 * N + 0], 0.5, 0.03);
	CHECK_NEAR(w[1 * L * N + 0 * N + 1], 0, 0.05);
	CHECK_NEAR(b[1], 0.25, 2e-2);
	memset(left, 0, sizeof(left));
	CHECK(!ridge_left(left, w, b, input, input, L, ROWS, N, L));
	for (int t = 0; t < L; t++)
		CHECK(left[t * N] == 0 && left[t * N + 1] == 0);
	for (int t = L; t < ROWS; t++) {
		float f = b[0];

		for (int l = 1; l <= L; l++)
			for (int i = 0; i < N; i++)
				f += w[(l - 1) * N + i] * input[(t - l) * N + i];
		CHECK_NEAR(left[t * N], input[t * N] - f, 1e-5);
		square1 += (double)left[t * N + 1] * left[t * N + 1];
		square += (double)left[t * N] * left[t * N];
	}
	/* What is left is the noise that was put in: uniform, variance 1/3 of its square. */
	CHECK_NEAR(square / ROWS, 1.0 / 3, 0.02);
	CHECK_NEAR(square1 / ROWS, 0.25 / 3, 0.005);
}

/* A penalty shrinks, a dead channel does no harm, and too little of either is refused. */
static void penalty(void)
{
	float weak[N * N], strong[N * N], b[N];
	struct why why;

	make(0.1f);
	CHECK(!ridge(weak, b, ROWS, 1, -1, 1e-3, &why));
	CHECK(!ridge(strong, b, ROWS, 1, -1, 1e4, &why));
	CHECK(fabsf(strong[N]) < 0.5f * fabsf(weak[N]));
	for (int t = 0; t < ROWS; t++)
		input[t * N + 1] = 0;
	CHECK(!ridge(weak, b, ROWS, 1, -1, 10, &why));
	CHECK_NEAR(weak[N + 1], 0, 1e-6);
	CHECK_NEAR(b[1], 0, 1e-6);
	why.text[0] = 0;
	CHECK_EQ(ridge(weak, b, ROWS, 1, -1, 0, &why), -EDOM);
	CHECK(why.text[0]);
}

/* A block that follows another law: what is made without it knows nothing of it. */
static void without_a_block(void)
{
	const unsigned block = ROWS / GRAM_BLOCKS_MAX;
	float all[N * N], clean[N * N], cut[N * N], b[N], b_clean[N];
	struct why why;

	make(0.1f);
	CHECK(!ridge(clean, b_clean, ROWS - block, 1, -1, 10, &why));
	for (unsigned t = ROWS - block; t < ROWS; t++)
		input[t * N + 1] = -3 * input[(t - 1) * N];
	CHECK(!ridge(all, b, ROWS, 1, -1, 10, &why));
	CHECK(!ridge(cut, b, ROWS, 1, GRAM_BLOCKS_MAX - 1, 10, &why));
	for (unsigned i = 0; i < N * N; i++)
		CHECK_NEAR(cut[i], clean[i], 1e-5);
	for (unsigned i = 0; i < N; i++)
		CHECK_NEAR(b[i], b_clean[i], 1e-5);
	CHECK(fabsf(all[N] - clean[N]) > 0.3f);
}

int main(void)
{
	recovers();
	penalty();
	without_a_block();
	return 0;
}
