// SPDX-License-Identifier: MIT
/*
 * What a row costs, counted by hand for models of known shapes, and how work becomes time.
 */
#include "models/train/cost.h"
#include "kernels/recurrent.h"
#include "test/golden/made.h"
#include "test/test.h"

static struct cost cost_of_made(const struct made_shape *shape)
{
	struct made m;
	struct cost c;

	made_open(&m, shape);
	cost_of(&c, &m.spec);
	made_close(&m);
	return c;
}

static void test_linear_parts(void)
{
	struct made_shape shape = { .channels = 6, .lags = 4, .rank = 7, .slow = true,
				    .int8 = true };
	struct cost c = cost_of_made(&shape);

	/* 6 x 24, then 7 x 30 and 30 x 7; a byte each, and 8 of scale and bias a row. */
	CHECK_EQ(cost_mul_adds(&c.part[COST_LINEAR]), 144);
	CHECK_EQ(c.part[COST_LINEAR].weight_bytes, 144 + 48);
	CHECK_EQ(c.part[COST_LINEAR].state_bytes, 24 + 24);
	CHECK_EQ(cost_mul_adds(&c.part[COST_ENCODE]), 210);
	CHECK_EQ(c.part[COST_ENCODE].weight_bytes, 210 + 56);
	CHECK_EQ(cost_mul_adds(&c.part[COST_DECODE]), 210);
	CHECK_EQ(c.part[COST_DECODE].weight_bytes, 210 + 240);
	CHECK_EQ(c.part[COST_SPREAD].work[COST_LOG], 6);
	CHECK_EQ(c.part[COST_LEFT].work[COST_LOG], 6);
	CHECK_EQ(c.part[COST_CODE].work[COST_LOG], 7);
	CHECK_EQ(c.part[COST_LINEAR].work[COST_MAC_F32], 0);
	for (unsigned op = COST_GATES; op <= COST_QUICK; op++)
		CHECK_EQ(c.part[op].runs, 0);
	CHECK_EQ(c.part[COST_REST].runs, 1);

	shape.int8 = false;
	c = cost_of_made(&shape);
	CHECK_EQ(c.part[COST_LINEAR].work[COST_MAC_INT8], 0);
	CHECK_EQ(c.part[COST_LINEAR].work[COST_MAC_F32], 144);
	CHECK_EQ(c.part[COST_LINEAR].weight_bytes, 4 * (144 + 6));
}

static void test_views_left_out(void)
{
	struct made_shape shape = { .channels = 5, .lags = 3, .int8 = true };
	struct cost c = cost_of_made(&shape);

	for (unsigned op = COST_ENCODE; op < COST_REST; op++) {
		CHECK_EQ(c.part[op].runs, 0);
		CHECK_EQ(c.part[op].weight_bytes, 0);
		CHECK_EQ(c.part[op].state_bytes, 0);
	}
}

/* The sum over the net's operators is what the kernels say of themselves. */
static void test_net(enum recurrent_kind kind, unsigned layers, unsigned window, unsigned features)
{
	struct made_shape shape = { .channels = 6, .lags = 4, .net = kind, .hidden = 16,
				    .layers = layers, .window = window, .features = features,
				    .quick = true, .int8 = true };
	unsigned times = window ? window : 1, cells = kind == RECURRENT_AUTOENCODER ? 2 : layers;
	double small, dense = 0;
	struct made m;
	struct cost c;

	made_open(&m, &shape);
	cost_of(&c, &m.spec);
	small = features ? c.part[COST_GRAPH].work[COST_ELEMENT] - 16 : 0;
	for (unsigned op = COST_GATES; op <= COST_GRAPH; op++)
		dense += cost_mul_adds(&c.part[op]);
	CHECK_EQ(dense + small, recurrent_cost(&m.spec.recurrent));
	made_close(&m);
	CHECK_EQ(c.part[COST_GATES].runs, times);
	CHECK_EQ(c.part[COST_GATES2].runs, cells == 2 ? times : 0);
	CHECK_EQ(c.part[COST_CELL].work[COST_UNIT], cells * times * 16);
	CHECK_EQ(c.part[COST_GRAPH].runs, features != 0);
	CHECK_EQ(c.part[COST_QUICK].weight_bytes, 4 * (2 * (16 + QUICK_CHEAP) + 2));
}

static void test_dynamic(void)
{
	struct made_shape shape = { .channels = 6, .lags = 4, .int8 = true };
	struct cost fixed = cost_of_made(&shape), dynamic;

	shape.dynamic = true;
	dynamic = cost_of_made(&shape);
	CHECK_EQ(dynamic.part[COST_LINEAR].work[COST_ELEMENT] -
		 fixed.part[COST_LINEAR].work[COST_ELEMENT], 2 * 24);
	CHECK_EQ(dynamic.part[COST_LINEAR].weight_bytes, fixed.part[COST_LINEAR].weight_bytes);
}

static void test_sum_and_time(void)
{
	struct cost c = { 0 };
	struct cost_target t = { .ns = { [COST_MAC_INT8] = 0.5, [COST_LOG] = 3, [COST_RUN] = 20 } };
	struct cost_part all;

	c.part[COST_LINEAR] = (struct cost_part){ .runs = 1, .weight_bytes = 100,
						  .state_bytes = 7 };
	c.part[COST_LINEAR].work[COST_MAC_INT8] = 64;
	c.part[COST_LINEAR].work[COST_RUN] = 1;
	c.part[COST_CODE] = (struct cost_part){ .runs = 2, .weight_bytes = 30, .state_bytes = 5 };
	c.part[COST_CODE].work[COST_LOG] = 4;
	CHECK_NEAR(cost_ns(&c.part[COST_LINEAR], &t), 52, 1e-9);
	CHECK_NEAR(cost_ns(&c.part[COST_CODE], &t), 12, 1e-9);
	all = cost_sum(&c);
	CHECK_NEAR(cost_ns(&all, &t), 64, 1e-9);
	CHECK_EQ(all.weight_bytes, 130);
	CHECK_EQ(all.state_bytes, 12);
	CHECK_EQ(cost_ram(&c, 1000), 1142);
}

static void test_targets(void)
{
	struct made_shape shape = { .channels = 8, .lags = 5, .net = RECURRENT_FORECAST,
				    .hidden = 64, .int8 = true };
	struct cost c = cost_of_made(&shape);
	struct cost_part step = c.part[COST_GATES], all = cost_sum(&c);
	const struct cost_target *pi[3] = { cost_target("pi3"), cost_target("pi4"),
					    cost_target("pi5") };
	struct cost_target here;
	double ns;

	CHECK(!cost_target("this") && !cost_target("pi") && !cost_target(""));
	for (unsigned k = 0; k < 3; k++)
		CHECK(pi[k] && !pi[k]->measured);
	/* Newer ones are faster at everything. */
	for (unsigned w = 0; w < COST_WORKS; w++) {
		CHECK(pi[0]->ns[w] > pi[1]->ns[w]);
		CHECK(pi[1]->ns[w] > pi[2]->ns[w] && pi[2]->ns[w] > 0);
	}
	/* 11000 instructions of a step of 64 units, 8 inputs, at 1.5 GHz and 1.3 a cycle. */
	step.work[COST_UNIT] = 64;
	step.work[COST_ELEMENT] = step.work[COST_RUN] = 0;
	CHECK_NEAR(cost_ns(&step, pi[1]), 11000 / 1.95, 1);

	CHECK_EQ(cost_measure(&here, NULL), 0);
	CHECK(here.measured);
	for (unsigned w = 0; w < COST_WORKS; w++)
		CHECK(isfinite(here.ns[w]) && here.ns[w] >= 0);
	ns = cost_ns(&all, &here);
	CHECK(ns > 0 && isfinite(ns));
}

static void test_names(void)
{
	for (unsigned a = 0; a < COST_OPS; a++)
		for (unsigned b = a + 1; b < COST_OPS; b++)
			CHECK(strcmp(cost_name((enum cost_op)a), cost_name((enum cost_op)b)));
}

int main(void)
{
	test_linear_parts();
	test_views_left_out();
	test_net(RECURRENT_FORECAST, 1, 0, 0);
	test_net(RECURRENT_FORECAST, 2, 0, 0);
	test_net(RECURRENT_FORECAST, 1, 0, 4);
	test_net(RECURRENT_AUTOENCODER, 1, 9, 0);
	test_dynamic();
	test_sum_and_time();
	test_targets();
	test_names();
	return 0;
}
