// SPDX-License-Identifier: MIT
/*
 * Views stay when rows unknown look to them about as rows known do: folds here are made to do as
 * well as the model, or worse.
 */
#include "models/train/select.h"

#include <errno.h>

#include "kernels/why.h"
#include "test/unit/calibrate_fixture.h"

static unsigned have(const struct constant *c)
{
	unsigned bits = 0;

	for (unsigned v = 0; v < VIEWS; v++)
		bits |= (unsigned)(c->d.m.spec.view[v].weight > 0) << v;
	return bits;
}

#define BIT(v) (1u << VIEW_##v)
#define LINEAR (BIT(LEVEL) | BIT(SUBSPACE) | BIT(FORECAST) | BIT(SPREAD) | BIT(LEFT) | BIT(CODE))

/* off: what the folds' subspace and forecast get wrong by, in u. */
static unsigned chosen(float subspace, float forecast, unsigned views, double carry[VIEWS])
{
	static struct constant c;
	unsigned bits;

	constant_open(&c);
	for (unsigned k = 0; k < FOLDS; k++) {
		c.fold[k].decode = constant_decode(&c.d, subspace, subspace);
		c.fold[k].linear = constant_fc(&c.d, forecast, forecast);
	}
	CHECK(!select_views(&c.d, &c.rec, views, carry, NULL));
	bits = have(&c);
	constant_close(&c);
	return bits;
}

static void asked_too_much(void)
{
	static struct constant c;
	double carry[VIEWS];
	struct why why;

	constant_open(&c);
	CHECK_EQ(select_views(&c.d, &c.rec, BIT(RECURRENT), carry, &why), -EINVAL);
	CHECK(strstr(why.text, "none of the views"));
	CHECK_EQ(select_views(&c.d, &c.rec, BIT(LEFT), carry, &why), -EINVAL);
	CHECK(strstr(why.text, "without the subspace"));
	constant_close(&c);
}

int main(void)
{
	double carry[VIEWS];

	/* The same for known and unknown rows: all stay. */
	CHECK_EQ(chosen(0, 0, 0, carry), LINEAR);
	for (unsigned v = 0; v < VIEW_RECURRENT; v++)
		CHECK_NEAR(carry[v], 1, 0.35);
	CHECK(isnan(carry[VIEW_RECURRENT]));

	/* A subspace that does not carry over goes, and with it what reads it. */
	CHECK_EQ(chosen(9, 0, 0, carry), LINEAR & ~(BIT(SUBSPACE) | BIT(LEFT) | BIT(CODE)));
	CHECK(carry[VIEW_SUBSPACE] > SELECT_CARRY_MAX && carry[VIEW_SPREAD] < SELECT_CARRY_MAX);

	/* Somebody has to stay: the forecast does. And nobody argues with who was asked for. */
	CHECK(chosen(0, 9, 0, carry) & BIT(FORECAST));
	CHECK_EQ(chosen(9, 0, BIT(SUBSPACE) | BIT(CODE), carry), BIT(SUBSPACE) | BIT(CODE));
	CHECK(carry[VIEW_SUBSPACE] > SELECT_CARRY_MAX);
	CHECK_EQ(chosen(0, 0, BIT(LEVEL) | BIT(RECURRENT), carry), BIT(LEVEL));
	asked_too_much();
	return 0;
}
