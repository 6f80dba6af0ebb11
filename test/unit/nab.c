// SPDX-License-Identifier: MIT
/*
 * nab: four streams that formulas make, against values that another program
 * computed from the benchmark's definition; and what can be said without one.
 */
#include "models/train/nab.h"

#include <errno.h>

#include "test/test.h"

#define STREAMS 4u
#define LONG 6001u

/* One has no window, one a window within the probation and one at its end. */
static const struct nab_window p[] = { { 120, 160 }, { 300, 330 } };
static const struct nab_window r[] = { { 5, 20 }, { 200, 249 } };
static const struct nab_window s[] = { { 1000, 1100 } };
static float score[STREAMS][LONG];
static struct nab_stream stream[STREAMS] = {
	{ 400, 2, score[0], p }, { 300, 0, score[1], NULL }, { 250, 2, score[2], r },
	{ LONG, 1, score[3], s },
};

static void make(void)
{
	static const float size[] = { 1, .9375f, 1, .75f }, within[] = { .984375f, 1, 1, 1.25f };

	for (unsigned k = 0; k < STREAMS; k++) {
		for (unsigned i = 0; i < stream[k].rows; i++)
			score[k][i] = (float)((i * i * 7 + 13 * (k + 1)) % 1009) / 2048 * size[k];
		for (unsigned w = 0; w < stream[k].windows; w++)
			for (unsigned i = stream[k].window[w].first; i <= stream[k].window[w].last; i++)
				score[k][i] *= within[k];
	}
}

static void golden(void)
{
	struct nab_result got;

	make();
	CHECK_EQ(nab_score(&got, stream, STREAMS), 0);
	CHECK_EQ(got.windows, 5);
	CHECK_NEAR(got.score[NAB_STANDARD], 39.66144959579535, 1e-9);
	CHECK_NEAR(got.score[NAB_LOW_FP], 17.065139567783195, 1e-9);
	CHECK_NEAR(got.score[NAB_LOW_FN], 50.53484972016604, 1e-9);
	for (int k = 0; k < NAB_PROFILES; k++)
		CHECK(got.threshold[k] == 0.47824859619140625f);
}

/* The first row of each window and no other: nearly perfect, but for the one never seen. */
static void best(void)
{
	struct nab_result got;

	memset(score, 0, sizeof(score));
	for (unsigned k = 0; k < STREAMS; k++)
		for (unsigned w = 0; w < stream[k].windows; w++)
			score[k][stream[k].window[w].first] = 1;
	CHECK_EQ(nab_score(&got, stream, STREAMS), 0);
	CHECK_NEAR(got.score[NAB_STANDARD], 100 * 8 / 9., .5);
	CHECK(got.threshold[NAB_STANDARD] == 1);
}

/* A constant score finds nothing that is worth its false alarms. */
static void silent(void)
{
	struct nab_result got;

	memset(score, 0, sizeof(score));
	CHECK_EQ(nab_score(&got, stream, STREAMS), 0);
	for (int k = 0; k < NAB_PROFILES; k++) {
		CHECK(got.score[k] == 0);
		CHECK(isinf(got.threshold[k]));
	}
}

/* Rows of one score alarm together: the good ones among them can not be had alone. */
static void together(void)
{
	static const struct nab_window at_once[] = { { 15, 40 } };
	const struct nab_stream one = { 100, 1, score[0], at_once };
	struct nab_result got;

	for (int i = 0; i < 100; i++)
		score[0][i] = 1;
	CHECK_EQ(nab_score(&got, &one, 1), 0);
	CHECK(got.score[NAB_STANDARD] == 0);
	score[0][15] = 2;
	CHECK_EQ(nab_score(&got, &one, 1), 0);
	CHECK(got.score[NAB_STANDARD] > 99);
	CHECK(got.threshold[NAB_STANDARD] == 2);
}

static void probation(void)
{
	CHECK_EQ(nab_probation(0), 0);
	CHECK_EQ(nab_probation(250), 37);
	CHECK_EQ(nab_probation(4999), 749);
	CHECK_EQ(nab_probation(6000), 750);
}

static void refused(void)
{
	static const struct nab_window over[] = { { 3, 10 } }, back[] = { { 3, 2 } };
	static const struct nab_window mixed[] = { { 3, 5 }, { 5, 6 } };
	struct nab_stream bad = { 10, 1, score[0], over };
	struct nab_result got;

	CHECK_EQ(nab_score(&got, &bad, 1), -EINVAL);
	bad.window = back;
	CHECK_EQ(nab_score(&got, &bad, 1), -EINVAL);
	bad.window = mixed;
	bad.windows = 2;
	CHECK_EQ(nab_score(&got, &bad, 1), -EINVAL);
}

int main(void)
{
	golden();
	best();
	silent();
	together();
	probation();
	refused();
	return 0;
}
