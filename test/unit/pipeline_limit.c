// SPDX-License-Identifier: MIT
/*
 * What the step lets a limit and a baseline learn from, and what goes on over a swap: the frames
 * are those of the pipeline's own test, the ladder's mechanics are test/unit/limit.c's.
 */
#include "agent/config.h"
#include "agent/pipeline.h"
#include "kernels/why.h"
#include "models/model.h"
#include "test/test.h"
#include "test/unit/pipeline_fixture.h"

#define CALM 4000

static struct pipeline_config *following(void)
{
	struct pipeline_config *c = fixture_config(50);

	c->follow = true;
	c->freeze_s = 3600;
	return c;
}

static struct pipeline_model *made(const struct pipeline_config *c)
{
	struct pipeline_model *pm;

	CHECK_EQ(pipeline_model_open(&pm, fixture_model(50), c, FC_REF, NULL), 0);
	return pm;
}

static void begin(struct pipeline *p, struct pipeline_model *pm)
{
	pipeline_init(p, FIXTURE_CHANNELS, 100000000);
	CHECK(pipeline_swap(p, pm) == NULL);
}

static void end(struct pipeline *p, struct pipeline_config *c)
{
	pipeline_model_close(pipeline_swap(p, NULL));
	fixture_free(c);
}

static void calm(struct pipeline *p, unsigned from, unsigned to)
{
	struct pipeline_result r;

	for (unsigned i = from; i < to; i++)
		fixture_tick(p, i, -1, &r);
	CHECK(r.scored && !r.alarm && r.trust == VERDICT_SOUND);
	CHECK(!p->verdict.limit.frozen);
}

/* The limit that a tick was judged by is told, and comes down from where training put it. */
static void follows(void)
{
	struct pipeline_config *c = following();
	struct pipeline_model *pm = made(c);
	struct pipeline_result r;
	struct pipeline p;
	float start = pm->verdict.limit;

	begin(&p, pm);
	CHECK(p.verdict.limit_now == start);
	/* A promise of a day at 50 Hz is counted in ticks. */
	CHECK_EQ(pm->verdict.follow.promise, 86400 * 50);
	CHECK_EQ(pm->verdict.follow.freeze, 3600 * 50);
	calm(&p, 1, 9000);
	CHECK(p.verdict.limit_now < start);
	for (unsigned i = 9000; i < 20000; i++) {
		float now = p.verdict.limit_now;

		fixture_tick(&p, i, -1, &r);
		CHECK(r.limit == now);
	}
	end(&p, c);

	c = following();
	c->follow = false;
	pm = made(c);
	begin(&p, pm);
	calm(&p, 1, 9000);
	CHECK(p.verdict.limit_now == pm->verdict.limit);
	CHECK_NEAR(pm->verdict.limit, start, .2);
	end(&p, c);
}

/* Neither a sensor at fault nor a throttled machine nor an alarm teaches anything. */
static void learns_from_sound_ticks_only(void)
{
	struct pipeline_config *c = following();
	struct pipeline_result r;
	struct limit before;
	struct pipeline p;
	unsigned i = CALM;

	begin(&p, made(c));
	calm(&p, 1, CALM);

	before = p.verdict.limit;
	p.held = true;
	for (; i < CALM + 9000; i++) {
		fixture_tick(&p, i, -1, &r);
		CHECK(r.scored && r.trust == VERDICT_DOUBTFUL);
	}
	CHECK_EQ(p.verdict.limit.ticks, before.ticks);
	CHECK(!memcmp(p.verdict.limit.gap, before.gap, sizeof before.gap));
	p.held = false;

	calm(&p, i, i + 500);
	i += 500;
	CHECK(p.verdict.limit.ticks > before.ticks);
	before = p.verdict.limit;
	for (unsigned to = i + 9000; i < to; i++) {
		frame_fail(&p.frame, 1, CHANNEL_FAULTY, FAULT_BUS);
		fixture_values(&p, i, -1, 1u << 1);
		pipeline_step(&p, i * FIXTURE_PERIOD_NS, &r);
		CHECK(r.scored && r.trust == VERDICT_DOUBTFUL);
	}
	CHECK_EQ(p.verdict.limit.ticks, before.ticks);
	CHECK(!memcmp(p.verdict.limit.gap, before.gap, sizeof before.gap));
	calm(&p, i, i + 500);
	i += 500;
	CHECK(p.verdict.limit.ticks > before.ticks);

	for (unsigned to = i + 10; i < to; i++)
		fixture_tick(&p, i, 2, &r);
	CHECK(r.alarm && r.trust == VERDICT_SOUND);
	before = p.verdict.limit;
	for (unsigned to = i + 9000; i < to; i++) {
		fixture_tick(&p, i, 2, &r);
		CHECK(r.alarm);
	}
	CHECK_EQ(p.verdict.limit.ticks, before.ticks);
	CHECK(!memcmp(p.verdict.limit.gap, before.gap, sizeof before.gap));
	CHECK_EQ(p.verdict.limit.alarms, 1);
	/* A fault while the alarm lasts does not end it, nor is it judged by another limit. */
	p.held = true;
	fixture_tick(&p, i, 2, &r);
	CHECK(r.alarm && r.limit == limit_value(&before));
	end(&p, c);
}

/* A restart goes on where it was, another promise from what is known, another model anew. */
static void swaps(void)
{
	struct pipeline_config *c = following();
	struct pipeline_model *first = made(c), *again, *seldom;
	struct limit_state known;
	struct pipeline p;
	float learned, start = first->verdict.limit;

	first->generation = 1;
	begin(&p, first);
	calm(&p, 1, 30000);
	learned = p.verdict.limit_now;
	limit_save(&p.verdict.limit, &known);

	c->false_alarms_per_day /= 10;
	seldom = made(c);
	seldom->generation = 1;
	CHECK(pipeline_continues(&p, seldom));
	CHECK(pipeline_swap(&p, seldom) == first);
	CHECK(p.verdict.limit_now > learned && p.verdict.limit_now < seldom->verdict.limit);
	pipeline_model_close(first);

	c->false_alarms_per_day *= 10;
	again = made(c);
	again->generation = 2;
	CHECK(again->key == seldom->key && again->key);
	CHECK(pipeline_swap(&p, again) == seldom);
	CHECK(p.verdict.limit_now == start);
	pipeline_model_close(seldom);

	again = made(c);
	again->generation = 3;
	again->known = known;
	pipeline_model_close(pipeline_swap(&p, again));
	CHECK_NEAR(p.verdict.limit_now, learned, 1e-4 * learned);
	CHECK_EQ(p.verdict.limit.ticks, known.ticks);
	end(&p, c);
}

/* Every value stands a little higher: the mean goes there, as slowly as it was told, if it may. */
static float moved(bool rebaseline, bool held)
{
	struct pipeline_config *c = following();
	struct pipeline_result r;
	struct pipeline p;
	float sum = 0;

	c->rebaseline_s = rebaseline ? 40 : 0;	/* 2000 ticks; a configuration has to say a day */
	begin(&p, made(c));
	p.held = held;
	for (unsigned i = 1; i < 20000; i++) {
		for (unsigned k = 0; k < FIXTURE_CHANNELS; k++) {
			uint32_t s = i * 31 + k;
			float v = (float)(fixture_random(&s) % 1000) / 1000 - 0.5f;

			frame_put(&p.frame, k, 11 + v, i * FIXTURE_PERIOD_NS);
		}
		pipeline_step(&p, i * FIXTURE_PERIOD_NS, &r);
		CHECK(r.change != VERDICT_ALARM);
		if (i >= 19000)
			sum += r.score / 1000;
	}
	CHECK_EQ(p.model->follow_ticks, rebaseline ? 2 : 0);
	end(&p, c);
	return sum;
}

static void rebaselines(void)
{
	float off = moved(false, false), on = moved(true, false);

	CHECK(on < 0.7f * off);
	CHECK(moved(true, true) == off);
	CHECK(moved(true, false) == on);	/* to the bit: a replay begins as the daemon does */
}

int main(void)
{
	follows();
	learns_from_sound_ticks_only();
	swaps();
	rebaselines();
	return 0;
}
