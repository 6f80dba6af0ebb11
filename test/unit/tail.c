// SPDX-License-Identifier: MIT
/* Calibration: fitted on what is known, monotone on anything, and inverted. */
#include <errno.h>
#include <stdint.h>

#include "kernels/tail.h"
#include "test/test.h"

#define N 20000

static float scores[N];

static double uniform(void)
{
	static uint64_t s = 88172645463325252u;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return ((double)(s >> 11) + 0.5) / 9007199254740992.0;
}

/* Of exponential scores the nats are the score times the rate, everywhere. */
static void exponential(void)
{
	unsigned rare = 0;
	struct tail t;

	for (unsigned i = 0; i < N; i++)
		scores[i] = (float)(-log(uniform()) / 3);
	CHECK_EQ(tail_fit(&t, scores, N), 0);
	for (unsigned i = 1; i < N; i++)
		CHECK(scores[i - 1] <= scores[i]);
	CHECK_NEAR(t.slope, 3, 0.25);
	for (unsigned k = 0; k < TAIL_KNOTS; k++)
		CHECK_NEAR(t.knot[k], k / 2.0 * log(2) / 3, 0.02);
	for (double s = 0; s < 5; s += 0.01)
		CHECK_NEAR(tail_nats(&t, (float)s), 3 * s, 0.1 + 0.25 * s);
	for (unsigned i = 0; i < N; i++)
		rare += tail_nats(&t, scores[i]) > 5;
	CHECK_NEAR(rare, N * exp(-5), 40);
}

static void monotone(const struct tail *t, float from, float to)
{
	float before = tail_nats(t, from);

	CHECK(before >= 0);
	for (unsigned i = 1; i <= 200000; i++) {
		float nats = tail_nats(t, from + (to - from) * (float)i / 200000);

		CHECK(nats >= before);
		before = nats;
	}
	for (unsigned k = 0; k < TAIL_KNOTS; k++) {
		CHECK(tail_nats(t, nextafterf(t->knot[k], 1e9f)) >= tail_nats(t, t->knot[k]));
		CHECK(tail_nats(t, nextafterf(t->knot[k], -1e9f)) <= tail_nats(t, t->knot[k]));
	}
}

static void at_knots(void)
{
	struct tail t = { .knot = { 1, 1.1f, 1.3f, 1.7f, 2, 3, 5, 8 }, .slope = 0.5f };

	for (unsigned k = 0; k < TAIL_KNOTS; k++)
		CHECK_NEAR(tail_nats(&t, t.knot[k]), k / 2.0 * log(2), 1e-6);
	CHECK_NEAR(tail_nats(&t, 10), 3.5 * log(2) + 1, 1e-6);
	CHECK_NEAR(tail_nats(&t, 4), 2.75 * log(2), 1e-6);
	CHECK(tail_nats(&t, 0.5f) == 0);
	CHECK(tail_nats(&t, -INFINITY) == 0);
	CHECK(tail_nats(&t, NAN) == 0);
	CHECK(tail_nats(&t, INFINITY) == INFINITY);
	monotone(&t, 0, 12);
	for (float s = 1; s < 20; s += 0.03f)
		CHECK_NEAR(tail_score(&t, tail_nats(&t, s)), s, 1e-5 * s);
	for (float nats = 0; nats < 20; nats += 0.03f)
		CHECK_NEAR(tail_nats(&t, tail_score(&t, nats)), nats, 1e-5 * (1 + nats));
	CHECK(tail_score(&t, -1) == 1);
}

/* Nine scores in ten are 0: 0 is nothing rare, all above it is. */
static void atoms(void)
{
	struct tail t;

	for (unsigned i = 0; i < 1000; i++)
		scores[i] = i % 10 ? 0 : 1 + (float)i / 1000;
	CHECK_EQ(tail_fit(&t, scores, 1000), 0);
	CHECK(tail_nats(&t, 0) == 0);
	CHECK(tail_nats(&t, 1e-6f) >= 3 * log(2));
	monotone(&t, -1, 4);

	/* An atom within: its score is as rare as the first of its knots, more is rarer. */
	t = (struct tail){ .knot = { 0, 1, 2, 2, 2, 3, 4, 5 }, .slope = 1 };
	CHECK_NEAR(tail_nats(&t, 2), log(2), 1e-6);
	CHECK_NEAR(tail_nats(&t, nextafterf(2, 3)), 2 * log(2), 1e-6);
	monotone(&t, -1, 7);
}

static void all_alike(void)
{
	struct tail t;

	for (unsigned same = 0; same < 2; same++) {
		for (unsigned i = 0; i < 100; i++)
			scores[i] = same ? 5 : 0;
		CHECK_EQ(tail_fit(&t, scores, 100), 0);
		CHECK(t.slope > 0 && t.slope <= (same ? 201 : 1.01e6f));
		CHECK(tail_nats(&t, same ? 5 : 0) == 0);
		CHECK(tail_nats(&t, 6) > 10);
		monotone(&t, 0, 10);
	}
}

static void refused(void)
{
	struct tail t;
	float bad[] = { NAN, INFINITY, -INFINITY };

	for (unsigned i = 0; i < 64; i++)
		scores[i] = (float)i;
	CHECK_EQ(tail_fit(&t, scores, 31), -EINVAL);
	CHECK_EQ(tail_fit(&t, scores, 32), 0);
	for (unsigned k = 0; k < 3; k++) {
		for (unsigned i = 0; i < 64; i++)
			scores[i] = i == 40 ? bad[k] : (float)i;
		CHECK_EQ(tail_fit(&t, scores, 64), -EINVAL);
	}
}

int main(void)
{
	exponential();
	at_knots();
	atoms();
	all_alike();
	refused();
	return 0;
}
