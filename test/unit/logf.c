// SPDX-License-Identifier: MIT
/* Our own logarithm against libm's in double; its ends; the same bits here as everywhere. */
#include <float.h>
#include <stdint.h>

#include "kernels/log.h"
#include "test/test.h"

#define BLOCK 1021	/* no multiple of a vector */

static float of_bits(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof x);
	return x;
}

static uint32_t bits_of(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

/* In units of the last place of the result. */
static double error_of(float x, float got)
{
	double want = log(x);
	float near = fabsf((float)want);

	return fabs(got - want) / (nextafterf(near, INFINITY) - near);
}

/* Every so many of all floats from FLT_MIN to FLT_MAX, one by one and as an array. */
static uint64_t sweep(uint32_t from, uint32_t to, uint32_t stride, double *worst)
{
	float x[BLOCK], y[BLOCK];
	uint64_t hash = 14695981039346656037u;
	unsigned n = 0;

	for (uint64_t bits = from; bits <= to; bits += stride) {
		x[n++] = of_bits((uint32_t)bits);
		if (n < BLOCK && bits + stride <= to)
			continue;
		log_v(y, x, n);
		for (unsigned i = 0; i < n; i++) {
			double e = error_of(x[i], y[i]);

			CHECK(bits_of(y[i]) == bits_of(log_f32(x[i])));
			*worst = e > *worst ? e : *worst;
			hash = (hash ^ bits_of(y[i])) * 1099511628211u;	/* FNV-1a */
		}
		n = 0;
	}
	return hash;
}

static void same_as(const char *what, uint64_t hash, uint64_t want)
{
	if (hash == want)
		return;
	fprintf(stderr, "%s: the bits are %#llx, not %#llx\n", what, (unsigned long long)hash,
		(unsigned long long)want);
	exit(1);
}

static void ends(void)
{
	const float low = log_f32(FLT_MIN);
	float v[] = { 0, -0.0f, -1, 1e-40f, NAN, -NAN, -INFINITY };

	CHECK_NEAR(low, -87.33654475, 1e-5);
	for (unsigned i = 0; i < sizeof v / sizeof *v; i++)
		CHECK(log_f32(v[i]) == low);
	log_v(v, v, 7);
	for (unsigned i = 0; i < 7; i++)
		CHECK(v[i] == low);
	CHECK(log_f32(1) == 0);
	CHECK_NEAR(log_f32(INFINITY), 88.72283905, 1e-5);
	CHECK_NEAR(log_f32(FLT_MAX), 88.72283905, 1e-5);
	CHECK(log_f32(nextafterf(1, 2)) == 0x1.fffffep-24f);
	CHECK(log_f32(nextafterf(1, 0)) == -0x1p-24f);
}

int main(void)
{
	double worst = 0;

	same_as("all", sweep(bits_of(FLT_MIN), bits_of(FLT_MAX), 4093, &worst), 0xa35da6ac5b1eb790);
	same_as("about 1", sweep(bits_of(0.5f), bits_of(2.0f), 67, &worst), 0xd8b0cdf89d8457c5);
	printf("worst error: %.3f units\n", worst);
	CHECK(worst < 1);
	ends();
	return 0;
}
