/* SPDX-License-Identifier: MIT */
/*
 * quant: the one rounding rule of the project.
 *
 * q = clamp(round_half_even(v * inv_step), -127, 127); NaN becomes 0. The same
 * bits on every CPU: one multiply, a round that needs no rounding-mode change,
 * integer saturation. -128 is never produced, so that negation is exact.
 */
#ifndef SONDE_QUANT_H
#define SONDE_QUANT_H

#include <stdint.h>

#define QUANT_MAX 127

/* Inputs are clipped here, in deviations; what predictions are compared with never is. */
#define QUANT_Z_CLIP 10.0f

/* dst[n] = the rule above of src[n]. Thread: any. Allocates nothing. */
void quant_i8(int8_t *dst, const float *src, unsigned n, float inv_step);

#endif
