// SPDX-License-Identifier: MIT
/*
 * rival: each against values worked out by hand on data where that is possible,
 * their limits, missing values, what is causal, and what a seed decides.
 */
#include "models/train/rival.h"

#include <errno.h>

#include "kernels/why.h"
#include "models/train/metric.h"
#include "models/train/random.h"
#include "test/test.h"

#define ROWS 1000u

static struct rival *open_rival(enum rival_kind kind, const float *x, unsigned rows,
				unsigned channels, uint64_t seed)
{
	struct rival *r;
	struct why why;

	if (rival_open(&r, kind, x, rows, channels, seed, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	return r;
}

static void names(void)
{
	CHECK_STR(rival_name(RIVAL_RANDOM), "random");
	CHECK_STR(rival_name(RIVAL_LAGGED_PCA), "lagged-pca");
	CHECK_STR(rival_name(RIVAL_TREES), "half-space-trees");
}

/* Exponential with mean 1; labels are as good as unknown to it. */
static void random_scores(void)
{
	static float x[2 * RIVAL_ROWS_MIN], score[20000];
	static uint8_t label[20000];
	struct rival *a = open_rival(RIVAL_RANDOM, x, RIVAL_ROWS_MIN, 2, 5);
	struct rival *b = open_rival(RIVAL_RANDOM, x, RIVAL_ROWS_MIN, 2, 5);
	struct metric_ranks ranks;
	double mean = 0;

	for (int i = 0; i < 20000; i++) {
		score[i] = rival_step(a, x);
		CHECK(rival_step(b, x) == score[i]);
		CHECK(score[i] >= 0 && isfinite(score[i]));
		mean += (double)score[i] / 20000;
		label[i] = i % 10 == 0;
	}
	CHECK_NEAR(mean, 1, .03);
	metric_ranks(&ranks, label, score, 20000);
	CHECK_NEAR(ranks.roc_auc, .5, .02);
	rival_close(a);
	rival_close(b);
}

/* Channel 0: 1 .. 9; channel 1: mostly 3, sometimes 4; channel 2: always 7. */
static void robust(void)
{
	float x[90 * 3], row[3] = { 11, 3, 7 };
	struct rival *r;

	for (int i = 0; i < 90; i++) {
		x[3 * i] = (float)(i % 9) + 1;
		x[3 * i + 1] = i % 10 ? 3 : 4;
		x[3 * i + 2] = 7;
	}
	r = open_rival(RIVAL_MAD, x, 90, 3, 1);
	CHECK_NEAR(rival_step(r, row), 6 / (1.4826 * 2), 1e-5);
	row[0] = 5;
	row[1] = 1;
	CHECK_NEAR(rival_step(r, row), 2 / (1.2533 * .1), 1e-3);
	row[1] = 3;
	row[2] = 9.5f;
	CHECK_NEAR(rival_step(r, row), 2.5, 1e-5);
	/* Of the 90 rows the largest score: both ends of channel 0 with channel 1 away: the second. */
	CHECK_NEAR(rival_limit(r), 1.5 * (1 / .12533 + 4 / 2.9652), 1e-3);
	rival_close(r);
}

/* The second channel is twice the first: one axis, and whatever leaves it. */
static void plane(void)
{
	float x[400], row[2];
	struct rival *t2, *q;

	for (int i = 0; i < 200; i++) {
		x[2 * i] = i % 2 ? 1 : -1;
		x[2 * i + 1] = 2 * x[2 * i] + 10;
	}
	t2 = open_rival(RIVAL_T2, x, 200, 2, 1);
	q = open_rival(RIVAL_Q, x, 200, 2, 1);
	row[0] = 3;
	row[1] = 16;
	CHECK_NEAR(rival_step(t2, row), 9, 1e-4);
	CHECK_NEAR(rival_step(q, row), 0, 1e-4);
	/* z = (1, -1): right across. */
	row[0] = 1;
	row[1] = 8;
	CHECK_NEAR(rival_step(t2, row), 0, 1e-4);
	CHECK_NEAR(rival_step(q, row), 2, 1e-4);
	CHECK_NEAR(rival_limit(t2), 1.5, 1e-4);
	rival_close(t2);
	rival_close(q);
}

/* A turning part: its windows lie in a plane of two axes, until its speed changes. */
static void lagged(void)
{
	static float x[ROWS];
	struct rival *r;
	float row, worst = 0, other = 0, shifted;

	for (unsigned i = 0; i < ROWS; i++)
		x[i] = sinf((float)i * .3f);
	r = open_rival(RIVAL_LAGGED_PCA, x, ROWS, 1, 1);
	/* The window that all equal the first row is not one of a sine; ten rows later it is. */
	for (unsigned i = 0; i < 300; i++) {
		row = sinf((float)i * .3f + 1);
		row = rival_step(r, &row);
		if (i >= 10)
			worst = fmaxf(worst, row);
	}
	for (unsigned i = 0; i < 300; i++) {
		row = sinf((float)i * .45f);
		row = rival_step(r, &row);
		if (i >= 10)
			other = fmaxf(other, row);
	}
	CHECK(worst < rival_limit(r));
	CHECK(other > 2 * rival_limit(r));
	rival_close(r);
	/* So few rows that one row is a window: its place in time is of no account. */
	r = open_rival(RIVAL_LAGGED_PCA, x, 20, 12, 1);
	shifted = rival_step(r, x);
	rival_step(r, x + 100);
	CHECK(rival_step(r, x) == shifted);
	rival_close(r);
}

static void fill(float *x, unsigned rows, unsigned n, uint64_t seed)
{
	struct random rng = { seed };

	for (unsigned i = 0; i < rows * n; i++)
		x[i] = random_uniform(&rng) + random_uniform(&rng);
}

/* A window begins as if the first row had always been there, and a gap goes on with the last. */
static void window_begins(void)
{
	static float x[ROWS];
	float row = .7f, gap = NAN, first;
	struct rival *r;

	for (unsigned i = 0; i < ROWS; i++)
		x[i] = sinf((float)i * .3f);
	r = open_rival(RIVAL_LAGGED_PCA, x, ROWS, 1, 1);
	first = rival_step(r, &row);
	CHECK(first > 0);
	for (int i = 0; i < 12; i++)
		CHECK(rival_step(r, i % 2 ? &gap : &row) == first);
	rival_close(r);
}

/*
 * Rows spread evenly over a channel: the mass of any of them is a period's rows times the box's
 * width in the data's, which is between 2 and 4, on average 3; trees and periods as in the paper.
 */
static void trees_measure_density(void)
{
	static float x[ROWS];
	const float row = .5f, most = 25.0f * 250 * 32768, mass = 25.0f * 250 * 3;
	struct rival *r;

	for (unsigned i = 0; i < ROWS; i++)
		x[i] = fmodf((float)i * .61803399f, 1);
	r = open_rival(RIVAL_TREES, x, ROWS, 1, 4);
	CHECK_NEAR(rival_step(r, &row), logf(most / mass), .25);
	rival_close(r);
}

/* A far row is odd, until it has been the rule for two periods. */
static void trees(void)
{
	static float x[ROWS * 3];
	const float far[3] = { 3.5f, -3, 2.5f }, near[3] = { 0.1f, 0, -.1f };
	struct rival *r, *same, *other;
	float odd, usual;

	fill(x, ROWS, 3, 3);
	r = open_rival(RIVAL_TREES, x, ROWS, 3, 8);
	same = open_rival(RIVAL_TREES, x, ROWS, 3, 8);
	other = open_rival(RIVAL_TREES, x, ROWS, 3, 9);
	usual = rival_step(r, near);
	odd = rival_step(r, far);
	CHECK(odd > usual + 1);
	CHECK(rival_step(same, near) == usual);
	CHECK(rival_step(other, near) != usual);
	for (int i = 0; i < 500; i++)
		rival_step(r, far);
	CHECK(rival_step(r, far) < usual);
	CHECK(rival_step(r, near) > odd - 1);
	rival_close(r);
	rival_close(same);
	rival_close(other);
}

/* A gap repeats the last value; a channel that never was there is silent. */
static void missing(void)
{
	static float x[ROWS * 3];
	float row[3] = { 1, NAN, NAN };

	fill(x, ROWS, 3, 4);
	for (unsigned i = 0; i < ROWS; i++) {
		x[3 * i + 2] = NAN;
		if (i % 7 == 3)
			x[3 * i] = NAN;
	}
	for (int k = 0; k < RIVALS; k++) {
		struct rival *r = open_rival((enum rival_kind)k, x, ROWS, 3, 1);
		float first;

		CHECK(rival_limit(r) > 0 && isfinite(rival_limit(r)));
		first = rival_step(r, row);
		CHECK(first >= 0 && isfinite(first));
		row[0] = NAN;
		if (k == RIVAL_MAD || k == RIVAL_T2)
			CHECK(rival_step(r, row) == first);
		row[0] = 3e38f;
		CHECK(isfinite(rival_step(r, row)));
		row[0] = 1;
		rival_close(r);
	}
}

static void refused(void)
{
	float x[RIVAL_ROWS_MIN] = { 0 };
	struct rival *r;
	struct why why;

	CHECK_EQ(rival_open(&r, RIVAL_MAD, x, RIVAL_ROWS_MIN - 1, 1, 1, &why), -EINVAL);
	CHECK(strstr(why.text, "19 training rows"));
	CHECK_EQ(rival_open(&r, RIVAL_Q, x, RIVAL_ROWS_MIN, RIVAL_CHANNELS_MAX + 1, 1, &why), -EINVAL);
	/* Nothing ever moved: no axis, and yet a score. */
	r = open_rival(RIVAL_T2, x, RIVAL_ROWS_MIN, 1, 1);
	CHECK(rival_step(r, x) == 0);
	rival_close(r);
	rival_close(NULL);
}

int main(void)
{
	names();
	random_scores();
	robust();
	plane();
	lagged();
	window_begins();
	trees_measure_density();
	trees();
	missing();
	refused();
	return 0;
}
