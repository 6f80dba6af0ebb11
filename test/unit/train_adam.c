// SPDX-License-Identifier: MIT
/* The optimiser, whole and in ranges, and the gate functions of many values at once. */
#include "models/train/adam.h"

#include "kernels/gate.h"
#include "test/test.h"

/* Adam goes to the bottom of a bowl; a wild gradient does not throw it out. */
static void descent(void)
{
	float p[2] = { 3, -2 }, g[2] = { 1e9f, 0 };
	struct adam_update u;
	struct adam a;

	CHECK(!adam_open(&a, 2, 0, 1));
	u = adam_begin(&a, adam_square(g, 2), 0.01f);
	CHECK_NEAR(u.scale * g[0], 1, 1e-6);	/* clipped to norm 1 */
	adam_range(&a, &u, p, g, 1, 1);
	CHECK(p[0] == 3);
	adam_range(&a, &u, p, g, 0, 1);
	CHECK_NEAR(p[0], 2.99, 1e-4);
	for (int k = 0; k < 2000; k++) {
		g[0] = p[0] - 1;
		g[1] = 10 * (p[1] + 1);
		adam_step(&a, p, g, 0.01f);
	}
	CHECK_NEAR(p[0], 1, 1e-2);
	CHECK_NEAR(p[1], -1, 1e-2);
	adam_close(&a);
}

static void square(void)
{
	float v[21];
	double sum = 0;

	for (int k = 0; k < 21; k++) {
		v[k] = (float)(k - 7);
		sum += v[k] * v[k];
	}
	CHECK(adam_square(v, 21) == sum);
	CHECK(adam_square(v, 3) == 49 + 36 + 25);
}

/* The many are the one, bit for bit. */
static void gates(void)
{
	float s[33], t[33];

	for (int k = 0; k < 33; k++)
		s[k] = t[k] = 0.7f * (float)(k - 16);
	gate_sigmoid_n(33, s);
	gate_tanh_n(33, t);
	for (int k = 0; k < 33; k++) {
		CHECK(s[k] == gate_sigmoid(0.7f * (float)(k - 16)));
		CHECK(t[k] == gate_tanh(0.7f * (float)(k - 16)));
	}
}

int main(void)
{
	descent();
	square();
	gates();
	return 0;
}
