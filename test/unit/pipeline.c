// SPDX-License-Identifier: MIT
/*
 * The step in full, on a model made here: channels are matched by name, the limit
 * comes from the budget, a departure in one channel is flagged and named, a channel
 * that fails is masked, and the same frames give the same bits.
 */
#include <errno.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/pipeline.h"
#include "kernels/why.h"
#include "models/model.h"
#include "test/test.h"
#include "test/unit/pipeline_fixture.h"

static void matching(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct pipeline_model *pm;
	struct model *m = fixture_model(50);
	struct why why = { "" };

	/* The fixture's model has the channels in another order than the pipeline. */
	CHECK_EQ(pipeline_model_open(&pm, m, c, FC_REF, &why), 0);
	CHECK_STR(config_channel(c, pm->channel[0])->name, m->channel[0].name);
	CHECK(pm->channel[0] != 0);
	CHECK_EQ(pm->verdict.k, 3);
	CHECK_EQ(pm->verdict.clear_ticks, 25);
	pipeline_model_close(pm);

	m = fixture_model(50);
	snprintf(m->channel[1].name, sizeof m->channel[1].name, "nobody");
	CHECK_EQ(pipeline_model_open(&pm, m, c, FC_REF, &why), -EINVAL);
	CHECK(strstr(why.text, "\"nobody\"") != NULL);
	CHECK(pm == NULL);
	model_free(m);

	m = fixture_model(60);
	CHECK_EQ(pipeline_model_open(&pm, m, c, FC_REF, &why), -EINVAL);
	CHECK(strstr(why.text, "60") && strstr(why.text, "50"));
	model_free(m);
	fixture_free(c);
}

/* A smaller budget of false alarms is a higher limit, by the tail's slope. */
static void budget(void)
{
	float limit[2];

	for (int i = 0; i < 2; i++) {
		struct pipeline_config *c = fixture_config(50);
		struct pipeline_model *pm;

		c->false_alarms_per_day = i ? 1.0 : 10.0;
		CHECK_EQ(pipeline_model_open(&pm, fixture_model(50), c, FC_REF, NULL), 0);
		limit[i] = pm->verdict.limit;
		CHECK_NEAR(limit[1] - limit[0], i ? log(10) / pm->model->tail.slope : limit[1] - limit[0], 1e-3);
		pipeline_model_close(pm);
		fixture_free(c);
	}
	CHECK(limit[1] > limit[0]);
}

static void departure(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct pipeline_model *pm;
	struct pipeline_result r;
	struct pipeline p;
	unsigned alarm_at = 0, clear_at = 0, order[FRAME_CHANNELS_MAX];

	CHECK_EQ(pipeline_model_open(&pm, fixture_model(50), c, FC_REF, NULL), 0);
	pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
	fixture_tick(&p, 0, -1, &r);
	CHECK(!r.scored && !r.alarm && r.score == 0);	/* no model yet */
	CHECK(pipeline_swap(&p, pm) == NULL);
	for (unsigned i = 1; i < 2000; i++) {
		fixture_tick(&p, i, i >= 1000 && i < 1200 ? 2 : -1, &r);
		CHECK_EQ(r.tick, i + 1);
		if (r.change == VERDICT_ALARM) {
			CHECK(!alarm_at);
			alarm_at = i;
			CHECK(pipeline_departed(&p, order, FRAME_CHANNELS_MAX) >= 1);
			CHECK_EQ(order[0], 2);
			for (unsigned k = 0; k < FIXTURE_CHANNELS; k++)
				CHECK(k == 2 || p.contribution[k] < p.contribution[2]);
		} else if (r.change == VERDICT_CLEAR) {
			CHECK(!clear_at);
			clear_at = i;
		}
	}
	CHECK(alarm_at >= 1000 && alarm_at < 1010);
	CHECK(clear_at >= 1200 + 24 && clear_at < 1300);
	CHECK(pipeline_swap(&p, NULL) == pm);
	pipeline_model_close(pm);
	fixture_free(c);
}

/* A sensor that dies or says nonsense is a fault of the sensor: no alarm. */
static void fault_is_no_anomaly(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct pipeline_model *pm;
	struct pipeline_result r;
	struct pipeline p;

	CHECK_EQ(pipeline_model_open(&pm, fixture_model(50), c, FC_REF, NULL), 0);
	pipeline_init(&p, FIXTURE_CHANNELS, 100000000);
	pipeline_swap(&p, pm);
	for (unsigned i = 0; i < 1000; i++) {
		if (i == 500)
			frame_fail(&p.frame, 1, CHANNEL_FAULTY, FAULT_BUS);
		fixture_values(&p, i, -1, i >= 500 ? 1u << 1 : 0);
		if (i > 600)
			frame_put(&p.frame, 3, NAN, i * FIXTURE_PERIOD_NS);
		pipeline_step(&p, i * FIXTURE_PERIOD_NS, &r);
		CHECK_EQ(r.change, VERDICT_SAME);
		CHECK(i < 500 || !p.valid[1]);
		CHECK(isfinite(r.score));
	}
	CHECK(p.frame.slot[3].errors > 300);
	CHECK(p.frame.slot[1].state != CHANNEL_LIVE);
	pipeline_swap(&p, NULL);
	pipeline_model_close(pm);
	fixture_free(c);
}

/* New limits end no alarm and forget nothing; another model does both. */
static void limits_alone(void)
{
	struct pipeline_config *c = fixture_config(50);
	struct pipeline_model *pm[3];
	struct detector *seen;
	struct pipeline_result r;
	struct pipeline p;

	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(pipeline_model_open(&pm[i], fixture_model(50), c, FC_REF, NULL), 0);
		pm[i]->generation = i < 2 ? 1 : 2;
		c->false_alarms_per_day /= 10;
	}
	CHECK(pm[1]->verdict.limit > pm[0]->verdict.limit);
	seen = pm[0]->detector;
	pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
	CHECK(!pipeline_continues(&p, pm[0]));
	pipeline_swap(&p, pm[0]);
	for (unsigned i = 1; i < 1100; i++)
		fixture_tick(&p, i, i >= 1000 ? 2 : -1, &r);
	CHECK(r.alarm && r.scored);
	CHECK(pipeline_continues(&p, pm[1]));
	CHECK(pipeline_swap(&p, pm[1]) == pm[0]);
	CHECK(pm[1]->detector == seen);
	fixture_tick(&p, 1100, 2, &r);
	CHECK(r.alarm && r.scored && r.change == VERDICT_SAME);
	CHECK(r.limit == pm[1]->verdict.limit && r.limit > 0);
	CHECK(!pipeline_continues(&p, pm[2]));
	CHECK(pipeline_swap(&p, pm[2]) == pm[1]);
	fixture_tick(&p, 1101, 2, &r);
	CHECK(!r.alarm);
	pipeline_swap(&p, NULL);
	for (unsigned i = 0; i < 3; i++)
		pipeline_model_close(pm[i]);
	fixture_free(c);
}

static void same_bits(void)
{
	static float first[1500];
	struct pipeline_config *c = fixture_config(50);

	for (int round = 0; round < 2; round++) {
		struct pipeline_model *pm;
		struct pipeline_result r;
		struct pipeline p;

		CHECK_EQ(pipeline_model_open(&pm, fixture_model(50), c, FC_REF, NULL), 0);
		pipeline_init(&p, FIXTURE_CHANNELS, 1000000000);
		pipeline_swap(&p, pm);
		for (unsigned i = 0; i < 1500; i++) {
			fixture_tick(&p, i, i > 900 ? 0 : -1, &r);
			if (!round)
				first[i] = r.score;
			else
				CHECK(!memcmp(&first[i], &r.score, sizeof r.score));
		}
		pipeline_swap(&p, NULL);
		pipeline_model_close(pm);
	}
	CHECK(first[1000] != first[800]);
	fixture_free(c);
}

int main(void)
{
	matching();
	budget();
	departure();
	fault_is_no_anomaly();
	limits_alone();
	same_bits();
	return 0;
}
