// SPDX-License-Identifier: MIT
/*
 * torch: see torch.h. This file is about numbers: cutting weights apart, joining them, and
 * the float formats that tensors come in. Half floats are widened by hand, which is exact and
 * needs no compiler support.
 */
#include "models/train/torch.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "kernels/why.h"

void torch_join(float *gates, const float *ih, const float *hh, unsigned inputs, unsigned hidden)
{
	for (size_t r = 0; r < 4 * (size_t)hidden; r++) {
		float *row = gates + r * ((size_t)inputs + hidden);

		memcpy(row, ih + r * inputs, inputs * sizeof *row);
		memcpy(row + inputs, hh + r * hidden, hidden * sizeof *row);
	}
}

void torch_split(float *ih, float *hh, const float *gates, unsigned inputs, unsigned hidden)
{
	for (size_t r = 0; r < 4 * (size_t)hidden; r++) {
		const float *row = gates + r * ((size_t)inputs + hidden);

		memcpy(ih + r * inputs, row, inputs * sizeof *row);
		memcpy(hh + r * hidden, row + inputs, hidden * sizeof *row);
	}
}

static float from_bits(uint32_t bits)
{
	float v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

/* IEEE 754 binary16: 5 bits of exponent with bias 15, 10 of fraction. */
static float from_half(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16;
	uint32_t exponent = half >> 10 & 31, fraction = half & 0x3ff;
	float v;

	if (exponent == 31)
		return from_bits(sign | 0x7f800000 | fraction << 13);
	if (exponent)
		return from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
	v = (float)fraction * 0x1p-24f;
	return sign ? -v : v;
}

/* Element i of a tensor; tensors lie at a multiple of their element's size. */
static float element(const struct st_tensor *t, size_t i)
{
	switch (t->dtype) {
	case ST_F16:
		return from_half(((const uint16_t *)t->data)[i]);
	case ST_BF16:
		return from_bits((uint32_t)((const uint16_t *)t->data)[i] << 16);
	case ST_F64:
		return (float)((const double *)t->data)[i];
	default:
		return ((const float *)t->data)[i];
	}
}

int torch_floats(float *dst, const struct st_tensor *t, struct why *why)
{
	size_t n = (t->end - t->begin) / st_dtype_size(t->dtype);

	if (t->dtype != ST_F16 && t->dtype != ST_BF16 && t->dtype != ST_F32 && t->dtype != ST_F64)
		return why_set(why, -EINVAL, "tensor %.64s is %s, expected F32, F64, F16 or BF16",
			       t->name, st_dtype_name(t->dtype));
	for (size_t i = 0; i < n; i++) {
		dst[i] = element(t, i);
		if (!isfinite(dst[i]))
			return why_set(why, -EINVAL, "tensor %.64s: element %zu is %g, must be a "
				       "finite float", t->name, i, (double)dst[i]);
	}
	return 0;
}
