// SPDX-License-Identifier: MIT
/*
 * Made-up departures: where they are is told, nothing else changes, each kind does what
 * its name says, and the same seed does the same again.
 */
#include "models/train/inject.h"

#include "models/train/random.h"
#include "test/test.h"

#define ROWS 4000
#define N 11

static float before[ROWS * N], x[ROWS * N], again[ROWS * N], mean[N], std[N];
static uint8_t label[ROWS], label_again[ROWS];
static const struct inject_options options = { .length = 20, .apart = 40, .size = 4, .seed = 3 };

static void make(void)
{
	struct random r = { 8 };

	for (unsigned i = 0; i < ROWS * N; i++)
		before[i] = 50 + random_uniform(&r);
	for (unsigned i = 0; i < N; i++) {
		mean[i] = 50;
		std[i] = 0.577f;
	}
	std[4] = 0;
	memcpy(x, before, sizeof(x));
	memcpy(again, before, sizeof(x));
}

/* Stretches of label 1, their lengths and how far apart they are. Returns how many. */
static unsigned stretches(void)
{
	unsigned count = 0, since = 0;

	for (unsigned r = 0; r < ROWS; r++) {
		unsigned length = 0;

		if (!label[r]) {
			since++;
			continue;
		}
		CHECK(since >= options.apart);
		while (r < ROWS && label[r])
			r++, length++;
		CHECK(r < ROWS && length >= 10 && length <= 30);
		since = 1;
		count++;
	}
	return count;
}

static void labels(void)
{
	unsigned count = inject(x, label, ROWS, N, mean, std, &options);
	unsigned touched = 0, idle = 0;

	CHECK(count >= 4000 / 110 && count == stretches());
	for (unsigned r = 0; r < ROWS; r++) {
		unsigned changed = 0;

		for (unsigned i = 0; i < N; i++)
			changed += x[r * N + i] != before[r * N + i];
		CHECK(label[r] || !changed);
		CHECK(changed <= 3);	/* a fifth of the channels, rounded up */
		CHECK(x[r * N + 4] == before[r * N + 4]);
		touched += changed > 0;
		idle += label[r] && !changed;
	}
	/* Spikes are in every fourth row, and channels that never move stay as they are. */
	CHECK(touched > 3 * idle);
	CHECK_EQ(inject(again, label_again, ROWS, N, mean, std, &options), count);
	CHECK(!memcmp(again, x, sizeof(x)) && !memcmp(label, label_again, sizeof(label)));
}

/* x of one channel against what it was, of the k-th departure. */
static void kind(enum inject_kind k, const float *was, const float *is, unsigned n)
{
	float first = is[0] - was[0], last = is[n - 1] - was[n - 1], most = 0, least = INFINITY;
	double middle = 0;

	for (unsigned r = 0; r < n; r++) {
		middle += was[r] / (double)n;
		most = fmaxf(most, fabsf(is[r] - was[r]));
		least = fminf(least, fabsf(is[r] - was[r]));
	}
	for (unsigned r = 0; r < n; r++) {
		float by = is[r] - was[r];

		if (k == INJECT_SHIFT)
			CHECK_NEAR(by, first, 1e-4);
		else if (k == INJECT_DRIFT)
			CHECK_NEAR(by, last * (float)(r + 1) / (float)n, 1e-4);
		else if (k == INJECT_SPIKE)
			CHECK_NEAR(by, r % 4 ? 0 : first, 1e-4);
		else if (k == INJECT_QUIET)
			CHECK_NEAR(is[r] - middle, 0.1 * (was[r] - middle), 1e-4);
		else if (k == INJECT_STUCK)
			CHECK(is[r] == was[0]);
	}
	if (k == INJECT_SHIFT || k == INJECT_DRIFT)
		CHECK(most >= 0.499f * 4 * 0.577f && most <= 1.501f * 4 * 0.577f);
	if (k == INJECT_SPIKE)
		CHECK(most >= 0.999f * 4 * 0.577f && most <= 3.001f * 4 * 0.577f);
	if (k == INJECT_NOISE)
		CHECK(most <= 1.501f * 4 * 0.577f && least < 0.5f * most);
	if (k == INJECT_ELSEWHEN)
		CHECK(most > 0);	/* that other time may have departed itself */
}

static void kinds(void)
{
	unsigned seen = 0;

	CHECK_STR(inject_name(INJECT_SHIFT), "shift");
	CHECK_STR(inject_name(INJECT_ELSEWHEN), "elsewhen");
	memcpy(x, before, sizeof(x));
	CHECK(inject(x, label, ROWS, 1, mean, std, &options) > 2 * INJECT_KINDS);
	for (unsigned r = 0; r < ROWS; r++) {
		unsigned from = r;

		while (r < ROWS && label[r])
			r++;
		if (r > from)
			kind((enum inject_kind)(seen++ % INJECT_KINDS), before + from, x + from,
			     r - from);
	}
	CHECK(seen > 2 * INJECT_KINDS);
}

int main(void)
{
	make();
	labels();
	kinds();
	/* Too short for any: none, and no label. */
	label[0] = 1;
	CHECK_EQ(inject(x, label, 60, N, mean, std, &options), 0);
	CHECK(!label[0]);
	return 0;
}
