// SPDX-License-Identifier: MIT
/*
 * bf16: see bf16.h. Adding 0x7fff and the lowest bit that stays rounds to nearest even, and
 * carries from the largest finite value into infinity as IEEE 754 wants; a NaN must be kept
 * from carrying, so it is made quiet.
 */
#include "models/train/bf16.h"

#include <string.h>

#include "kernels/clones.h"

static inline __attribute__((always_inline)) uint32_t rounded(uint32_t bits)
{
	uint32_t up = bits + 0x7fffu + (bits >> 16 & 1);

	return (bits & 0x7fffffffu) > 0x7f800000u ? bits | 0x400000u : up;
}

CLONES
void bf16_pack(uint16_t *restrict dst, const float *restrict src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, src + i, sizeof(bits));
		dst[i] = (uint16_t)(rounded(bits) >> 16);
	}
}

CLONES
void bf16_unpack(float *restrict dst, const uint16_t *restrict src, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits = (uint32_t)src[i] << 16;

		memcpy(dst + i, &bits, sizeof(bits));
	}
}

CLONES
void bf16_round(float *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, v + i, sizeof(bits));
		bits = rounded(bits) & 0xffff0000u;
		memcpy(v + i, &bits, sizeof(bits));
	}
}
