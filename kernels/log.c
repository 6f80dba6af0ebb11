// SPDX-License-Identifier: MIT
/*
 * log: x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), so that f is exact and near 1,
 * where the result is small, e is 0 and takes no part.
 *
 * ln(1 + f) = f - f^2 / 2 + f^3 P(f), P of degree 7 by Remez exchange for the smallest
 * relative error of the whole: 5.9e-9, which float rounding hides. ln 2 is taken in two parts (Cody
 * and Waite 1980), the larger of so few bits that e times it is exact.
 */
#include "kernels/log.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "kernels/clones.h"

#define ROOT_HALF 0x3f3504f3	/* bits of sqrt(1/2) */
#define MANTISSA 0x7fffff
#define LN2_HIGH 0.693359375f
#define LN2_LOW -2.12194440e-4f

static inline __attribute__((always_inline)) float log_of(float x)
{
	int32_t bits, e;
	float f, k, p;

	x = x >= FLT_MIN ? x : FLT_MIN;
	memcpy(&bits, &x, sizeof bits);
	bits -= ROOT_HALF;
	e = bits >> 23;
	bits = (bits & MANTISSA) + ROOT_HALF;
	memcpy(&f, &bits, sizeof f);
	f -= 1.0f;
	k = (float)e;

	p = -0.0763450291f * f + 0.127615773f;
	p = p * f - 0.131601805f;
	p = p * f + 0.14201758f;
	p = p * f - 0.166233575f;
	p = p * f + 0.200012269f;
	p = p * f - 0.25000821f;
	p = p * f + 0.333333317f;
	/* The small parts first. */
	p = p * f * (f * f) + k * LN2_LOW;
	p = p - 0.5f * (f * f);
	return k * LN2_HIGH + (f + p);
}

float log_f32(float x)
{
	return log_of(x);
}

CLONES
void log_v(float *dst, const float *src, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dst[i] = log_of(src[i]);
}
