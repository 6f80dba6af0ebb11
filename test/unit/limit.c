// SPDX-License-Identifier: MIT
/*
 * The ladder's mechanics: where it begins, what moves a rung and by how much, when nothing does,
 * and what another promise or a restart leaves of it. What it achieves: test/unit/budget.c.
 * Numbers worked by hand from agent/limit.h's rules.
 */
#include "agent/limit.h"
#include "test/test.h"

/* A nat is half a unit of score from 2.43 nats, score 7, on. */
static const struct tail tail = { { 0, 1, 2, 3, 4, 5, 6, 7 }, 2 };

static struct limit_config config(uint64_t promise)
{
	return (struct limit_config){
		.promise = promise, .tail = tail, .k = 3, .n = 5, .freeze = 1000,
	};
}

static struct limit fresh(uint64_t promise)
{
	const struct limit_config c = config(promise);
	struct limit l;

	limit_init(&l, &c);
	return l;
}

static void feed(struct limit *l, unsigned ticks, float score)
{
	for (unsigned i = 0; i < ticks; i++)
		limit_step(l, score, true, false);
}

static void start(void)
{
	struct limit l = fresh(86400);
	double nats;

	CHECK(limit_follows(&l));
	CHECK_EQ(l.block, 86);
	/* .85 * 86 / 86400 = 8.46e-4 of the blocks: ln(.5 / that) / ln 8 = 3.07 steps, so four. */
	CHECK_EQ(l.rungs, 5);
	CHECK_NEAR(l.share[0], 0.5, 0);
	CHECK_NEAR(l.share[4], .85 * 86 / 86400, 1e-9);
	CHECK_NEAR(l.share[1], 0.5 * pow(.85 * 86 / 86400 / .5, .25), 1e-9);
	for (unsigned j = 0; j < l.rungs; j++) {
		nats = log(86 / l.share[j]);
		CHECK_NEAR(l.rung[j], 7 + (nats - 3.5 * log(2)) / 2, 1e-4);
	}
	CHECK(limit_value(&l) == l.rung[4]);
	/* As training would have it: an alarm each promised time, but for the bias. */
	CHECK_NEAR(limit_value(&l), tail_score(&tail, (float)log(86400 / .85)), 1e-4);

	l = fresh(LIMIT_PROMISE_MIN);
	CHECK(limit_follows(&l));
	CHECK_EQ(l.block, 4);
	CHECK_EQ(l.rungs, 2);
	l = fresh(LIMIT_PROMISE_MIN - 1);
	CHECK(!limit_follows(&l));
	limit_step(&l, 100, true, true);
	/* Each promise that can be written down has its ladder, rising to the promised share. */
	for (uint64_t promise = 16; promise < (1ull << 40); promise += promise / 3) {
		l = fresh(promise);
		CHECK(l.rungs >= 2 && l.rungs <= LIMIT_RUNGS);
		CHECK_NEAR(l.share[l.rungs - 1] * (double)promise / (double)l.block, .85, 1e-6);
		for (unsigned j = 1; j < l.rungs; j++)
			CHECK(l.rung[j] > l.rung[j - 1] && l.share[j - 1] / l.share[j] < 8.001);
	}
}

/* A block passed by nobody, then one that the lowest two are. */
static void moves(void)
{
	struct limit l = fresh(86400);
	double gap[5], slope = l.gap[1] / l.ratio;

	memcpy(gap, l.gap, sizeof gap);
	feed(&l, 85, 0);
	CHECK_NEAR(l.gap[0], gap[0], 0);
	feed(&l, 1, 0);
	/* No hits yet, so whole steps, of a nat's width; the topmost's is whole always. */
	CHECK_NEAR(l.gap[0], gap[0] - .5 * slope, 1e-6);
	CHECK_NEAR(l.gap[1], gap[1] - l.share[1] * slope, 1e-6);
	CHECK_NEAR(l.gap[4], gap[4] - l.share[4] * slope, 1e-3);

	memcpy(gap, l.gap, sizeof gap);
	slope = l.gap[1] / l.ratio;
	feed(&l, 2, l.rung[1] + .01f);
	CHECK(!l.hit[0]);		/* two of five are not three */
	feed(&l, 1, l.rung[1] + .01f);
	CHECK(l.hit[0] && l.hit[1] && !l.hit[2]);
	feed(&l, 83, 0);
	CHECK_NEAR(l.gap[0], gap[0] + .5 * slope, 1e-6);
	CHECK_NEAR(l.gap[1], gap[1] + (1 - l.share[1]) * slope, 1e-6);
	CHECK_EQ(l.hits[0], 1);
	CHECK_EQ(l.hits[1], 1);
	CHECK_EQ(l.hits[2], 0);
	CHECK(l.before[0] && l.before[1] && !l.hit[0]);

	/* It goes on into the next block: the lowest rung counts again, those above do not. */
	feed(&l, 86, l.rung[1] + .2f);
	CHECK_EQ(l.hits[0], 2);
	CHECK_EQ(l.hits[1], 1);
	/* The size of an excess means nothing. */
	for (int size = 0; size < 2; size++) {
		struct limit other = fresh(86400);

		feed(&other, 3, size ? 1e9f : other.rung[4] + .01f);
		feed(&other, 83, 0);
		if (size)
			CHECK(limit_value(&other) == limit_value(&l));
		l = other;
	}
}

/* Steps shrink as a rung is passed, down to a twentieth; the topmost's do not. */
static void steps(void)
{
	struct limit l = fresh(86400);
	double slope, top;

	l.gap[3] = 3;
	l.gap[4] = 2;
	top = 2 - 2 / (double)l.ratio * l.share[4];
	slope = 3 / (double)l.ratio;
	feed(&l, 86, 0);
	/* Not passed yet: it takes a fiftieth of the difference to the gap below. */
	CHECK_NEAR(l.gap[4], top + .02 * (l.gap[3] - top), 1e-9);
	top = 3 - slope * l.share[3];
	CHECK_NEAR(l.gap[3], top + .02 * (l.gap[2] - top), 1e-9);

	for (unsigned hits = 0; hits < 1200; hits++) {
		double before = l.gap[0], step = hits < 19 ? 1.0 / (1 + hits) : .05;

		slope = l.gap[1] / (double)l.ratio;
		slope = slope > .01 ? slope : .01;
		feed(&l, 86, hits % 2 ? l.rung[4] + 1 : l.rung[0] + .1f);
		CHECK_NEAR(l.gap[0], before + .5 * step * slope, 1e-9);
		/* Down again, or it would be out of sight. */
		l.gap[0] = 10;
	}
	CHECK_EQ(l.hits[0], 1000);
	top = l.gap[4];
	slope = top / (double)l.ratio;
	feed(&l, 86, 0);
	CHECK_NEAR(l.gap[4], top - slope * l.share[4], 1e-9);
}

/* k of the last n, and not of those before; an alarm's are forgotten. */
static void counts_as_the_verdict(void)
{
	struct limit l = fresh(86400);
	float over = l.rung[0] + .1f;

	for (unsigned i = 0; i < 3; i++) {
		feed(&l, 2, over);
		feed(&l, 4, 0);
	}
	CHECK(!l.hit[0]);
	feed(&l, 1, over);
	feed(&l, 2, 0);
	feed(&l, 2, over);
	CHECK(l.hit[0]);

	l = fresh(86400);
	over = l.rung[4] + 20;
	feed(&l, 2, over);
	limit_step(&l, over, true, true);
	limit_step(&l, over, true, false);
	CHECK(!l.hit[0]);
	feed(&l, 1, over);
	CHECK(!l.hit[0]);
	feed(&l, 1, over);
	CHECK(l.hit[0]);
}

static void same_rungs(const struct limit *a, const struct limit *b)
{
	CHECK(!memcmp(a->rung, b->rung, sizeof a->rung));
	CHECK_EQ(a->in_block, b->in_block);
	CHECK(!memcmp(a->hits, b->hits, sizeof a->hits));
}

/* Nothing that is not vouched for moves or counts. */
static void frozen(void)
{
	struct limit l = fresh(86400), before;

	feed(&l, 100, 3);
	before = l;
	for (unsigned i = 0; i < 5000; i++)
		limit_step(&l, 1e6f, false, false);
	CHECK(l.frozen);
	same_rungs(&l, &before);
	CHECK_EQ(l.ticks, 100);
	/* An alarm that begins on such ticks is none of the promise's. */
	limit_step(&l, 1e6f, false, true);
	for (unsigned i = 0; i < 500; i++)
		limit_step(&l, 1e6f, true, true);
	CHECK_EQ(l.alarms, 0);
	same_rungs(&l, &before);
	limit_step(&l, 0, true, false);
	CHECK(!l.frozen);
	CHECK(!memcmp(l.rung, before.rung, sizeof l.rung));
	CHECK_EQ(l.in_block, 1);
	CHECK_EQ(l.ticks, 101);
}

/* Frozen while it lasts; then one hit of each rung, whether it took ten ticks or nine hundred. */
static void alarm_counts_once(void)
{
	float after[2];

	for (int k = 0; k < 2; k++) {
		struct limit l = fresh(86400), before;

		feed(&l, 200, 3);
		before = l;
		for (int i = 0; i < (k ? 900 : 10); i++) {
			limit_step(&l, k ? 1e6f : 20, true, true);
			same_rungs(&l, &before);
			CHECK(l.frozen);
		}
		limit_step(&l, 1, true, false);
		CHECK_EQ(l.alarms, 1);
		for (unsigned j = 0; j < l.rungs; j++)
			CHECK_EQ(l.hits[j], before.hits[j] + 1);
		CHECK_EQ(l.in_block, 1);
		CHECK_EQ(l.ticks, 201);
		CHECK(!l.hit[0] && !l.before[0] && l.history[0] == 0);
		CHECK(limit_value(&l) > limit_value(&before));
		after[k] = limit_value(&l);
	}
	CHECK(after[0] == after[1]);
}

/* What will not end is normal after a while: the ladder climbs past it, within a few blocks. */
static void endless_alarm(void)
{
	struct limit l = fresh(86400), before = l;
	unsigned ticks = 0;

	for (; ticks < 1000; ticks++)
		limit_step(&l, 40, true, true);
	CHECK_EQ(l.hits[4], 0);
	CHECK(!memcmp(l.rung, before.rung, sizeof l.rung));
	limit_step(&l, 40, true, true);
	CHECK_EQ(l.hits[4], 1);
	CHECK(!l.frozen);
	CHECK_EQ(l.alarms, 1);
	before = l;
	for (; ticks < 1000 + 10 * 86 && l.rung[0] < 40; ticks++)
		limit_step(&l, 40, true, true);
	CHECK(l.rung[0] >= 40 && l.rung[0] < 80);
	for (unsigned j = 1; j < l.rungs; j++)
		CHECK(l.gap[j] == before.gap[j]);
	/* There it stays as long as the alarm does. */
	before = l;
	for (ticks = 0; ticks < 5000; ticks++)
		limit_step(&l, 40, true, true);
	CHECK(!memcmp(l.rung, before.rung, sizeof l.rung));
	CHECK_EQ(l.alarms, 1);
	/* However far it is, no infinity comes of it. */
	for (ticks = 0; ticks < 100000; ticks++)
		limit_step(&l, 3e38f, true, true);
	CHECK(isfinite(limit_value(&l)) && limit_value(&l) > 1e12f);
}

/* Half the blocks pass the lowest rung: it finds the median of the blocks' third largest score. */
static void finds_the_level(void)
{
	struct limit l = fresh(8640);
	uint32_t s = 1;
	double q;

	for (unsigned i = 0; i < 20 * 3000; i++) {
		/* Each block of 20 has three ticks alike, uniform in 8 .. 12. */
		if (i % 20 == 0)
			s = s * 1664525u + 1013904223u;
		limit_step(&l, i % 20 < 3 ? 8 + (float)(s >> 8) / (1 << 24) * 4 : 0, true, false);
	}
	CHECK_NEAR(l.rung[0], 10, .3);
	/* Of two such blocks in a row only one counts: q (1 - q) = share. */
	q = .5 - sqrt(.25 - l.share[1]);
	CHECK_NEAR(l.rung[1], 12 - 4 * q, .3);
}

static void restart(void)
{
	struct limit a = fresh(86400), b = fresh(86400);
	struct limit_state s;

	feed(&a, 40000, 1.5f);
	limit_save(&a, &s);
	CHECK(limit_restore(&b, &s));
	for (unsigned j = 0; j < a.rungs; j++)
		CHECK_NEAR(b.rung[j], a.rung[j], 1e-5);
	CHECK_EQ(b.ticks, 40000);
	CHECK(b.rung[0] < fresh(86400).rung[0] - 1);

	/* Ten times as seldom: higher on the same line; what was promised is counted anew. */
	b = fresh(864000);
	CHECK(limit_restore(&b, &s));
	CHECK_EQ(b.ticks, 0);
	CHECK(limit_value(&b) > limit_value(&a));
	CHECK_NEAR(limit_value(&b) - limit_value(&a), log(10) * a.gap[4] / a.ratio, 1e-3);
	/* More often: between the known ones. Rarities of ticks, ln(block / share), decide. */
	b = fresh(8640);
	CHECK(limit_restore(&b, &s));
	CHECK(limit_value(&b) < limit_value(&a) && limit_value(&b) > a.rung[0]);

	/* Nothing of sense. */
	a = b = fresh(86400);
	for (unsigned i = 0; i < 7; i++) {
		struct limit_state bad;

		limit_save(&a, &bad);
		switch (i) {
		case 0: bad.rungs = 0; break;
		case 1: bad.rungs = 4000000; break;
		case 2: bad.k = 2; break;
		case 3: bad.rung[2] = NAN; break;
		case 4: bad.rung[3] = bad.rung[2]; break;
		case 5: bad.hits[0] = 2000000000; break;
		case 6: bad.promise = 3; break;
		}
		CHECK(!limit_restore(&b, &bad));
		CHECK(!memcmp(&a, &b, sizeof a));
	}
}

static void another_promise_in_an_alarm(void)
{
	struct limit l = fresh(86400);
	const struct limit_config c = config(864000), stays = config(0);
	float before = limit_value(&l);

	limit_step(&l, 50, true, true);
	limit_continue(&l, &c);
	CHECK(limit_value(&l) > before && l.alarm && l.owed);
	limit_step(&l, 50, true, true);
	CHECK_EQ(l.alarms, 0);
	limit_step(&l, 0, true, false);
	CHECK_EQ(l.hits[l.rungs - 1], 1);
	limit_continue(&l, &stays);
	CHECK(!limit_follows(&l));
	limit_continue(&l, &c);		/* what it had learned went with the promise */
	CHECK(limit_value(&l) == limit_value(&(struct limit[]){ fresh(864000) }[0]));
}

int main(void)
{
	start();
	moves();
	steps();
	counts_as_the_verdict();
	frozen();
	alarm_counts_once();
	endless_alarm();
	finds_the_level();
	restart();
	another_promise_in_an_alarm();
	return 0;
}
