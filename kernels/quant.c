// SPDX-License-Identifier: MIT
/*
 * quant: the rounding rule of quant.h, written so that it vectorises on SSE2 and NEON.
 *
 * A float of size below 2^22 added to 1.5 * 2^23 is rounded to an integer by the
 * adder itself, half to even, and that integer sits in the low bits of the sum.
 * Saturation comes first, in float, so that no conversion can overflow (where
 * x86 and arm disagree). It assumes the rounding mode every process starts in.
 */
#include "kernels/quant.h"

#include <string.h>

#include "kernels/clones.h"

#define ROUNDER 12582912.0f

CLONES
void quant_i8(int8_t *restrict dst, const float *restrict src, unsigned n, float inv_step)
{
	const float max = QUANT_MAX;

	for (unsigned i = 0; i < n; i++) {
		float v = src[i] * inv_step;
		uint32_t bits;

		v = v == v ? v : 0.0f;
		v = v > max ? max : v;
		v = v < -max ? -max : v;
		v += ROUNDER;
		memcpy(&bits, &v, sizeof bits);
		dst[i] = (int8_t)bits;
	}
}
