// SPDX-License-Identifier: MIT
/* frame: each way in which a reading can be none: no number, out of range, too fast, stuck. */
#include "test/unit/frame_fixture.h"

static void test_nan_and_range(void)
{
	frame_init(&f, 1, S);
	CHECK(put(3, 1 * MS));
	CHECK(!put(NAN, 2 * MS));
	CHECK(!put(-INFINITY, 3 * MS));
	CHECK_EQ(f.slot[0].errors, 2);
	CHECK_EQ(f.slot[0].faults[FAULT_NAN], 2);
	CHECK_EQ(f.slot[0].fault, FAULT_NAN);
	CHECK_EQ(f.slot[0].state, CHANNEL_FAULTY);
	CHECK_EQ(f.slot[0].t_ns, 1 * MS);
	CHECK_EQ(f.slot[0].samples, 1);
	CHECK_NEAR(value[0], 3, 0);
	/* Nothing was said of a range, in either way. */
	CHECK(put(3e38f, 4 * MS));
	CHECK(put(-3e38f, 5 * MS));
	f.slot[0].check = (struct channel_check){ 0 };
	CHECK(put(3e38f, 6 * MS));

	f.slot[0].check.min = -40;
	f.slot[0].check.max = 125;
	CHECK(put(125, 7 * MS));
	CHECK(put(-40, 8 * MS));
	CHECK(!put(125.01f, 9 * MS));
	CHECK_EQ(f.slot[0].fault, FAULT_RANGE);
	CHECK_NEAR(value[0], -40, 0);
	CHECK(!put(-40.01f, 10 * MS));
	CHECK(!put(3e38f, 11 * MS));
	CHECK_EQ(f.slot[0].faults[FAULT_RANGE], 3);
	CHECK(put(0, 12 * MS));
	/* One bound alone; zero is a bound too. */
	f.slot[0].check = (struct channel_check){ .min = 0, .max = INFINITY };
	CHECK(!put(-1, 13 * MS));
	CHECK(put(1e9f, 14 * MS));
	f.slot[0].check = (struct channel_check){ .min = -INFINITY, .max = 0 };
	CHECK(!put(1, 15 * MS));
	CHECK(put(-1e9f, 16 * MS));
	/* Bounds that make no sense hold all back. */
	f.slot[0].check = (struct channel_check){ .min = 1, .max = -1 };
	CHECK(!put(0, 17 * MS));
	f.slot[0].check = (struct channel_check){ .min = NAN, .max = 5 };
	CHECK(!put(0, 18 * MS));
}

static void test_rate(void)
{
	frame_init(&f, 1, 10 * S);
	f.slot[0].check.rate = 5;
	/* The first reading has none before it. */
	CHECK(put(20, 1 * S));
	CHECK(put(25, 2 * S));
	CHECK(put(20, 3 * S));
	CHECK(put(10, 5 * S));
	CHECK(!put(15.01f, 6 * S));
	CHECK_EQ(f.slot[0].fault, FAULT_RATE);
	CHECK_NEAR(value[0], 10, 0);
	/* It masks one reading, not all that follow; a spike itself, */
	CHECK(put(15.5f, 7 * S));
	CHECK(!put(50, 8 * S));
	CHECK(put(25.5f, 9 * S));
	CHECK(put(20.5f, 10 * S));
	/* ... and one that is back where it can not be yet. */
	CHECK(!put(50, 11 * S));
	CHECK(!put(31, 12 * S));
	CHECK(put(31, 13 * S));
	/* Many: only what the one just before confirms is believed. */
	CHECK(!put(80, 14 * S));
	CHECK(!put(60, 15 * S));
	CHECK(!put(80, 16 * S));
	CHECK(!put(60, 17 * S));
	CHECK(!put(80, 18 * S));
	CHECK(put(80, 19 * S));
	CHECK_EQ(f.slot[0].faults[FAULT_RATE], 9);
	/* Down as well as up. */
	CHECK(!put(-50, 20 * S));
	CHECK(put(-50, 21 * S));
	/* What can not be true is nothing to compare with. */
	f.slot[0].check.max = 100;
	CHECK(!put(1e6f, 22 * S));
	CHECK(!put(NAN, 23 * S));
	CHECK(put(-45, 24 * S));
	CHECK_EQ(f.slot[0].faults[FAULT_RATE], 10);
	/* But it does not hide a step, and time that went by counts. */
	CHECK(!put(1e6f, 25 * S));
	CHECK(!put(-34.9f, 26 * S));
	CHECK_EQ(f.slot[0].fault, FAULT_RATE);
}

/* Three failures in a row are few, four are many. */
static void test_rate_after_gap(void)
{
	frame_init(&f, 1, 10 * S);
	f.slot[0].check.rate = 5;
	CHECK(put(20, 1 * S));
	for (unsigned i = 0; i < 3; i++)
		frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_BUS);
	CHECK(!put(80, 2 * S));
	for (unsigned i = 0; i < 2; i++) {
		frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_TIMEOUT);
		CHECK(!put(NAN, 2 * S));
	}
	CHECK(put(50, 3 * S));
	/* ... the next one is judged again. */
	CHECK(!put(80, 4 * S));
	CHECK(put(80, 5 * S));
	frame_fail(&f, 0, CHANNEL_ABSENT, FAULT_ABSENT);
	CHECK(put(20, 6 * S));
	CHECK(!put(80, 7 * S));
	CHECK(put(80, 8 * S));
	/* Silence is a gap when a tick has seen it. */
	CHECK(!believed(18 * S + 1));
	CHECK(put(20, 18 * S + 2));
	CHECK(!put(80, 19 * S));
	/* However many, and of whatever kind. */
	for (unsigned i = 0; i < 257; i++)
		frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_BUS);
	CHECK(put(50, 20 * S));
	f.slot[0].check.max = 100;
	for (unsigned i = 0; i < 4; i++)
		CHECK(!put(101, 21 * S));
	CHECK(put(80, 22 * S));
	/* A change too fast was read all the same. */
	CHECK(!put(20, 23 * S));
	for (unsigned i = 0; i < 3; i++)
		frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_BUS);
	CHECK(!put(60, 24 * S));
}

/* Eight samples with the time of their arrival, 10 ms apart. */
static void test_rate_in_batches(void)
{
	frame_init(&f, 1, S);
	f.slot[0].check.rate = 100;
	for (unsigned i = 0; i < 80; i++)
		CHECK(put(i * 0.1f, (i / 8 + 1) * 10 * MS));
	/* Against the last one of the batch before, all of them. */
	CHECK(put(8.8f, 110 * MS));
	CHECK(!put(9.1f, 110 * MS));
	CHECK(put(8.6f, 110 * MS));
	CHECK(put(9.5f, 120 * MS));
	CHECK(!put(9.7f, 120 * MS));
	CHECK(put(10.6f, 130 * MS));
	/* Behind a gap the whole batch is a first one. */
	frame_fail(&f, 0, CHANNEL_ABSENT, FAULT_ABSENT);
	CHECK(put(50, 200 * MS));
	CHECK(put(80, 200 * MS));
	CHECK(!put(82, 210 * MS));
	CHECK(put(82, 220 * MS));
	/* Time that runs backwards is no time at all, and soon forgotten. */
	CHECK(!put(82.5f, 205 * MS));
	CHECK(put(82.5f, 215 * MS));
	CHECK(!put(90, 225 * MS));
	CHECK(put(90, 235 * MS));
}

static void test_stuck(void)
{
	frame_init(&f, 1, 100 * S);
	/* Off. */
	for (unsigned i = 1; i < 100; i++)
		CHECK(put(7, i * S));
	f.slot[0].check.stuck_ns = 10 * S;
	CHECK(put(8, 100 * S));
	CHECK(put(8, 109 * S));
	CHECK(put(8, 110 * S - 1));
	CHECK(!put(8, 110 * S));
	CHECK_EQ(f.slot[0].fault, FAULT_STUCK);
	CHECK(!put(8, 111 * S));
	CHECK_EQ(f.slot[0].faults[FAULT_STUCK], 2);
	/* Bits, not numbers: the last one is enough, and minus zero is another one. */
	CHECK(put(nextafterf(8, 9), 112 * S));
	CHECK(put(0, 113 * S));
	CHECK(put(-0.0f, 122 * S));
	CHECK(put(-0.0f, 131 * S));
	CHECK(!put(-0.0f, 132 * S));
	/* What is out of range in between does not unstick it. */
	f.slot[0].check.max = 100;
	CHECK(!put(1000, 133 * S));
	CHECK(!put(-0.0f, 134 * S));
	CHECK_EQ(f.slot[0].fault, FAULT_STUCK);
	/* A step is a change, even where it is too fast. */
	f.slot[0].check.rate = 1;
	CHECK(!put(50, 135 * S));
	CHECK(put(50, 144 * S));
	CHECK(!put(50, 145 * S));
}

/* The time without readings does not count, neither for nor against. */
static void test_stuck_and_gaps(void)
{
	frame_init(&f, 1, 20 * S);
	f.slot[0].check.stuck_ns = 10 * S;
	CHECK(put(8, 100 * S));
	CHECK(put(8, 105 * S));
	CHECK(!believed(126 * S));
	CHECK(put(8, 126 * S));
	CHECK(put(8, 130 * S));
	CHECK(!put(8, 131 * S));
	for (unsigned i = 0; i < 4; i++)
		frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_BUS);
	CHECK(!put(8, 132 * S));
	/* A single failure is no gap. */
	CHECK(put(9, 200 * S));
	frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_BUS);
	CHECK(!put(9, 210 * S));
	/* Plugged in again, it begins anew. */
	frame_fail(&f, 0, CHANNEL_ABSENT, FAULT_ABSENT);
	CHECK(put(9, 211 * S));
	CHECK(put(9, 220 * S));
	CHECK(!put(9, 221 * S));
}

int main(void)
{
	test_nan_and_range();
	test_rate();
	test_rate_after_gap();
	test_rate_in_batches();
	test_stuck();
	test_stuck_and_gaps();
	return 0;
}
