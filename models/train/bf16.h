/* SPDX-License-Identifier: MIT */
/*
 * bf16: float32 with its last 16 bits rounded away (to nearest, ties to even; NaN stays NaN).
 * The range is float32's, the precision 8 bits. Thread: any.
 */
#ifndef SONDE_TRAIN_BF16_H
#define SONDE_TRAIN_BF16_H

#include <stddef.h>
#include <stdint.h>

void bf16_pack(uint16_t *dst, const float *src, size_t n);
void bf16_unpack(float *dst, const uint16_t *src, size_t n);
/* v[n] to the nearest values that bf16 has. */
void bf16_round(float *v, size_t n);

#endif
