// SPDX-License-Identifier: MIT
/* The rounding rule against nearbyint in double, over every kind of float there is. */
#include <fenv.h>
#include <stdint.h>

#include "kernels/quant.h"
#include "test/test.h"

static int expected(float v, float inv_step)
{
	volatile float product = v * inv_step;	/* one rounding, as the rule says */
	double x = product;

	if (isnan(x))
		return 0;
	if (x > QUANT_MAX)
		return QUANT_MAX;
	if (x < -QUANT_MAX)
		return -QUANT_MAX;
	return (int)nearbyint(x);
}

static void check_one(float v, float inv_step)
{
	int8_t q;

	quant_i8(&q, &v, 1, inv_step);
	if (q != expected(v, inv_step)) {
		fprintf(stderr, "%.9g * %.9g gives %d, not %d\n", (double)v, (double)inv_step, q,
			expected(v, inv_step));
		exit(1);
	}
}

static void ties_go_to_even(void)
{
	const float v[] = { 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 125.5f, 126.5f, -126.5f };
	const int8_t want[] = { 0, 2, 2, 0, -2, -2, 126, 126, -126 };
	int8_t q[9];

	quant_i8(q, v, 9, 1);
	for (unsigned i = 0; i < 9; i++)
		CHECK_EQ(q[i], want[i]);
}

static void extremes(void)
{
	const float v[] = { INFINITY, -INFINITY, NAN, -NAN, 3e38f, -3e38f, 1e-45f, -1e-45f,
			    -0.0f, 127.4f, 127.5f, -127.5f, -128, 1e10f, -2147483648.0f };
	const int8_t want[] = { 127, -127, 0, 0, 127, -127, 0, 0, 0, 127, 127, -127, -127, 127,
				-127 };
	int8_t q[15];

	for (unsigned i = 0; i < 15; i++)
		CHECK_EQ(expected(v[i], 1), want[i]);
	quant_i8(q, v, 15, 1);
	for (unsigned i = 0; i < 15; i++)
		CHECK_EQ(q[i], want[i]);
	/* A product that overflows is still of that sign. */
	quant_i8(q, v, 15, 1e10f);
	CHECK_EQ(q[4], 127);
	CHECK_EQ(q[5], -127);
}

/* Bit patterns 1 in 4099 of all floats, and all neighbourhoods of ties. */
static void sweep(void)
{
	static const float inv_steps[] = { 1, 12.7f, 127, 0.03f };

	for (uint64_t b = 0; b <= UINT32_MAX; b += 4099) {
		uint32_t bits = (uint32_t)b;
		float v;

		memcpy(&v, &bits, sizeof v);
		check_one(v, inv_steps[b % 4]);
	}
	for (int i = -260; i <= 260; i++) {
		float tie = 0.5f * (float)i;

		check_one(tie, 1);
		check_one(nextafterf(tie, 1000), 1);
		check_one(nextafterf(tie, -1000), 1);
		check_one(tie / 12.7f, 12.7f);
	}
}

/* A vector loop and its remainder: the same values, and nothing written beyond. */
static void lengths(void)
{
	float v[160];
	int8_t q[162], want[160];

	for (unsigned i = 0; i < 160; i++) {
		v[i] = i % 23 == 7 ? NAN : 1.7f * (float)i - 130;
		want[i] = (int8_t)expected(v[i], 1);
	}
	for (unsigned at = 0; at < 5; at++)
		for (unsigned n = 0; n + at <= 160; n++) {
			memset(q, 99, sizeof q);
			quant_i8(q + 1, v + at, n, 1);
			CHECK(!memcmp(q + 1, want + at, n));
			CHECK_EQ(q[0], 99);
			CHECK_EQ(q[n + 1], 99);
		}
}

int main(void)
{
	CHECK_EQ(fegetround(), FE_TONEAREST);
	ties_go_to_even();
	extremes();
	sweep();
	lengths();
	return 0;
}
