// SPDX-License-Identifier: MIT
/* k of n, hysteresis, and who departed first. */
#include "agent/verdict.h"
#include "test/test.h"

static const float departure[4] = { 2, 2, 2, 2 };

static struct verdict fresh(unsigned k, unsigned n, unsigned clear)
{
	const struct verdict_config c = {
		.limit = 10, .clear_ratio = 0.8f, .k = k, .n = n, .clear_ticks = clear,
	};
	struct verdict v;

	verdict_init(&v, &c, 4);
	return v;
}

static enum verdict_change feed(struct verdict *v, uint64_t tick, float score)
{
	const float even[4] = { score / 4, score / 4, score / 4, score / 4 };

	return verdict_step(v, tick, VERDICT_SOUND, score, even, departure);
}

static void k_of_n(void)
{
	struct verdict v = fresh(3, 5, 2);
	const float scores[] = { 11, 1, 11, 1, 1, 1, 1, 1, 11, 11, 1, 11 };

	for (unsigned i = 0; i < 11; i++)
		CHECK_EQ(feed(&v, i + 1, scores[i]), VERDICT_SAME);
	CHECK_EQ(feed(&v, 12, scores[11]), VERDICT_ALARM);
	CHECK(v.alarm);
	CHECK_EQ(v.alarm_tick, 12);
	/* Tick 3's exceedance had left the window before tick 9's came: a new run. */
	CHECK_EQ(v.run_tick, 9);
}

static void whole_window(void)
{
	struct verdict v = fresh(64, 64, 1);

	for (unsigned i = 1; i < 64; i++)
		CHECK_EQ(feed(&v, i, 11), VERDICT_SAME);
	CHECK_EQ(feed(&v, 64, 11), VERDICT_ALARM);
}

static void hysteresis(void)
{
	struct verdict v = fresh(1, 1, 3);

	CHECK_EQ(feed(&v, 1, 10), VERDICT_SAME);	/* the limit itself is not over it */
	CHECK_EQ(feed(&v, 2, 50), VERDICT_ALARM);
	/* Between 8 and 10 neither over nor calm: any number of those changes nothing. */
	for (unsigned i = 3; i < 50; i++)
		CHECK_EQ(feed(&v, i, 9), VERDICT_SAME);
	CHECK_EQ(feed(&v, 50, 7), VERDICT_SAME);
	CHECK_EQ(feed(&v, 51, 7), VERDICT_SAME);
	CHECK_EQ(feed(&v, 52, 11), VERDICT_SAME);	/* starts the count again */
	CHECK_EQ(feed(&v, 53, 7), VERDICT_SAME);
	CHECK_EQ(feed(&v, 54, 7), VERDICT_SAME);
	CHECK_EQ(feed(&v, 55, 7), VERDICT_CLEAR);
	CHECK(!v.alarm);
	CHECK(v.peak == 50);
	/* And it can come again. */
	CHECK_EQ(feed(&v, 56, 11), VERDICT_ALARM);
	CHECK_EQ(v.run_tick, 56);
	CHECK(v.peak == 11);
}

/* A spike now and then does not hold an alarm; a relapse does. */
static void spikes_while_calm(void)
{
	for (int relapse = 0; relapse < 2; relapse++) {
		struct verdict v = fresh(6, 8, 20);
		unsigned cleared = 0;

		for (unsigned i = 1; i <= 6; i++)
			feed(&v, i, 50);
		CHECK(v.alarm);
		for (unsigned i = 7; i < 17; i++)
			CHECK_EQ(feed(&v, i, 1), VERDICT_SAME);
		for (unsigned i = 17; i < 60 && !cleared; i++) {
			bool spike = relapse ? i < 20 : i == 20;

			if (feed(&v, i, spike ? 50 : 1) == VERDICT_CLEAR)
				cleared = i;
		}
		/* 20 calm ticks from 7 on and a spike between; or from 20 on, after the relapse. */
		CHECK_EQ(cleared, relapse ? 39 : 27);
	}
}

static void untrusted(void)
{
	struct verdict v = fresh(2, 4, 2);
	const float c[4] = { 30, 30, 30, 30 };

	for (unsigned i = 1; i < 20; i++)
		CHECK_EQ(verdict_step(&v, i, VERDICT_DEAF, 120, c, departure), VERDICT_SAME);
	CHECK(!v.alarm);
	CHECK_EQ(feed(&v, 20, 11), VERDICT_SAME);
	CHECK_EQ(feed(&v, 21, 11), VERDICT_ALARM);
	for (unsigned i = 22; i < 40; i++)
		CHECK_EQ(verdict_step(&v, i, VERDICT_DEAF, 0, c, departure), VERDICT_SAME);
	CHECK(v.alarm);
}

static void first_departed(void)
{
	struct verdict v = fresh(4, 4, 2);
	const float tick[4][4] = {
		{ 0, 11, 0, 1 },	/* 1 first, large */
		{ 0, 1, 12, 1 },	/* then 2 */
		{ 30, 1, 0, 1 },	/* then 0, larger than all */
		{ 30, 1, 0, 1 },	/* 3 never */
	};
	unsigned order[4];

	for (unsigned i = 0; i < 4; i++) {
		float score = 0;

		for (unsigned c = 0; c < 4; c++)
			score += tick[i][c];
		verdict_step(&v, i + 1, VERDICT_SOUND, score, tick[i], departure);
	}
	CHECK(v.alarm);
	CHECK_EQ(verdict_departed(&v, order, 4), 3);
	CHECK_EQ(order[0], 1);
	CHECK_EQ(order[1], 2);
	CHECK_EQ(order[2], 0);
	/* 0 is larger than 1 and 2 together: of two, the smaller of those goes. */
	CHECK_EQ(verdict_departed(&v, order, 2), 2);
	CHECK_EQ(order[0], 1);
	CHECK_EQ(order[1], 0);
}

/* Of more than fit the small ones go, however early they were; so do those under 1 %. */
static void largest_kept(void)
{
	struct verdict v = fresh(2, 2, 2);
	const float early[4] = { 2.5f, 9, 0, 2.5f }, late[4] = { 0, 400, 300, 2.5f };
	unsigned order[4];

	verdict_step(&v, 1, VERDICT_SOUND, 14, early, departure);
	verdict_step(&v, 2, VERDICT_SOUND, 700, late, departure);
	CHECK_EQ(verdict_departed(&v, order, 4), 2);
	CHECK_EQ(order[0], 1);
	CHECK_EQ(order[1], 2);
	CHECK_EQ(verdict_departed(&v, order, 1), 1);
	CHECK_EQ(order[0], 1);
}

static void ties_by_size_and_nobody_over(void)
{
	struct verdict v = fresh(1, 1, 2);
	const float tie[4] = { 3, 5, 4, 0 }, nobody[4] = { 1.5f, 1.9f, 1.6f, 0 };
	unsigned order[4];

	verdict_step(&v, 1, VERDICT_SOUND, 12, tie, departure);
	CHECK_EQ(verdict_departed(&v, order, 4), 3);
	CHECK_EQ(order[0], 1);
	CHECK_EQ(order[1], 2);
	CHECK_EQ(order[2], 0);

	v = fresh(1, 1, 2);
	verdict_step(&v, 1, VERDICT_SOUND, 12, nobody, departure);
	CHECK_EQ(verdict_departed(&v, order, 4), 1);
	CHECK_EQ(order[0], 1);
}

/* What is over is so by the limit as it is now, which sound ticks alone move. */
static void following(void)
{
	const struct verdict_config c = {
		.limit = 3, .clear_ratio = 0.8f, .k = 1, .n = 1, .clear_ticks = 1,
		.follow = { .promise = 1000, .k = 1, .n = 1, .freeze = 1000000,
			    .tail = { { 0, 1, 2, 3, 4, 5, 6, 7 }, 2 } },
	};
	const float even[4] = { 0 };
	struct verdict v;
	uint64_t tick = 0;
	float start;

	verdict_init(&v, &c, 4);
	start = v.limit_now;
	CHECK(start > 7);	/* the ladder's, not the configuration's */
	for (unsigned i = 0; i < 5000; i++)
		verdict_step(&v, ++tick, VERDICT_DOUBTFUL, 1, even, departure);
	CHECK(v.limit_now == start);
	for (unsigned i = 0; i < 5000; i++)
		CHECK_EQ(feed(&v, ++tick, 1), VERDICT_SAME);
	CHECK(v.limit_now < 0.7f * start && v.limit_now > 1);
	/* Between then and now: an alarm. It ends under the ratio of the limit as it is. */
	start = v.limit_now;
	CHECK_EQ(feed(&v, ++tick, start * 1.01f), VERDICT_ALARM);
	CHECK_EQ(feed(&v, ++tick, start * 0.9f), VERDICT_SAME);
	CHECK(v.limit_now == start);
	CHECK_EQ(feed(&v, ++tick, start * 0.79f), VERDICT_CLEAR);
	CHECK(v.limit_now > start);
}

int main(void)
{
	following();
	k_of_n();
	whole_window();
	hysteresis();
	spikes_while_calm();
	largest_kept();
	untrusted();
	first_departed();
	ties_by_size_and_nobody_over();
	return 0;
}
