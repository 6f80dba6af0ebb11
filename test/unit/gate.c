// SPDX-License-Identifier: MIT
/* The approximations against libm, and the fused loop against the scalars, bit for bit. */
#include <stdbool.h>
#include <stdint.h>

#include "kernels/gate.h"
#include "test/test.h"

#define ERROR 1e-6	/* what gate.h promises */
#define HIDDEN_MAX 131

static void check_at(float x)
{
	float t = gate_tanh(x), s = gate_sigmoid(x);

	CHECK_NEAR(t, tanh((double)x), ERROR);
	CHECK_NEAR(s, 1 / (1 + exp(-(double)x)), ERROR);
	CHECK(t >= -1 && t <= 1);
	CHECK(s >= 0 && s <= 1);
	CHECK(gate_tanh(-x) == -t);
}

/* All exponents: denormals first, then up to the largest finite. */
static void sweep(void)
{
	for (uint32_t bits = 0; bits < 0x7f800000; bits += 1499) {
		float x;

		memcpy(&x, &bits, sizeof x);
		check_at(x);
		check_at(-x);
	}
	for (int i = -200000; i <= 200000; i++)
		check_at((float)i * 1e-4f);
}

static void extremes(void)
{
	CHECK(gate_tanh(INFINITY) == 1 && gate_tanh(-INFINITY) == -1);
	CHECK(gate_sigmoid(INFINITY) == 1 && gate_sigmoid(-INFINITY) == 0);
	CHECK(gate_tanh(20) == 1 && gate_sigmoid(40) == 1 && gate_sigmoid(-40) == 0);
	CHECK(gate_tanh(0) == 0 && gate_sigmoid(0) == 0.5f);
	CHECK(gate_tanh(1e-20f) == 1e-20f);
	CHECK(gate_tanh(1e-45f) == 1e-45f);
	CHECK(isnan(gate_tanh(NAN)) && isnan(gate_sigmoid(NAN)));
}

static float value(unsigned i)
{
	return 6 * sinf((float)i * 1.37f) + 3 * sinf((float)i * 0.11f);
}

/* h and c as gate.h defines them, one unit at a time. */
static void step_of_scalars(unsigned hidden, const float *pre, float *c, float *h)
{
	for (unsigned u = 0; u < hidden; u++) {
		volatile float keep = gate_sigmoid(pre[hidden + u]) * c[u];
		volatile float add = gate_sigmoid(pre[u]) * gate_tanh(pre[2 * hidden + u]);

		c[u] = keep + add;
		h[u] = gate_sigmoid(pre[3 * hidden + u]) * gate_tanh(c[u]);
	}
}

static void fused_is_the_scalars(void)
{
	float pre[4 * HIDDEN_MAX], c[HIDDEN_MAX + 1], h[HIDDEN_MAX + 1];
	float c_want[HIDDEN_MAX], h_want[HIDDEN_MAX];

	for (unsigned hidden = 1; hidden <= HIDDEN_MAX; hidden++) {
		for (unsigned i = 0; i < hidden; i++)
			c[i] = c_want[i] = value(i + hidden) / 4;
		c[hidden] = h[hidden] = 77;
		for (unsigned round = 0; round < 5; round++) {
			for (unsigned i = 0; i < 4 * hidden; i++)
				pre[i] = value(i * 7 + round);
			gate_step(hidden, pre, c, h);
			step_of_scalars(hidden, pre, c_want, h_want);
			CHECK(!memcmp(c, c_want, hidden * sizeof *c));
			CHECK(!memcmp(h, h_want, hidden * sizeof *h));
		}
		CHECK(c[hidden] == 77 && h[hidden] == 77);
	}
}

static void close_to_libm(void)
{
	float pre[4], c = 0, h;
	double c_want = 0;

	for (unsigned round = 0; round < 1000; round++) {
		for (unsigned i = 0; i < 4; i++)
			pre[i] = value(4 * round + i);
		gate_step(1, pre, &c, &h);
		c_want = c_want / (1 + exp(-(double)pre[1])) +
			 tanh((double)pre[2]) / (1 + exp(-(double)pre[0]));
		CHECK_NEAR(c, c_want, 3e-5);
		CHECK_NEAR(h, tanh(c_want) / (1 + exp(-(double)pre[3])), 1e-5);
	}
}

/* NaN in any of a unit's four gates or in its cell: that unit and no other. */
static void nan_stays_where_it_is(void)
{
	for (unsigned gate = 0; gate < 5; gate++) {
		float pre[4 * 20] = { 0 }, c[20] = { 0 }, h[20];

		if (gate < 4)
			pre[gate * 20 + 13] = NAN;
		else
			c[13] = NAN;
		gate_step(20, pre, c, h);
		for (unsigned u = 0; u < 20; u++) {
			CHECK(!isnan(h[u]) == (u != 13));
			CHECK(!isnan(c[u]) == (u != 13 || gate == 3));
		}
	}
}

int main(void)
{
	sweep();
	extremes();
	fused_is_the_scalars();
	close_to_libm();
	nan_stays_where_it_is();
	return 0;
}
