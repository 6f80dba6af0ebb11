/* SPDX-License-Identifier: MIT */
/*
 * log: the natural logarithm with the same bits on every CPU.
 *
 * libm's differs from one to the next. Only adds, multiplies and integer operations
 * on bits are used, without a branch, so that the array form vectorises.
 */
#ifndef SONDE_LOG_H
#define SONDE_LOG_H

/*
 * ln x, within one unit in the last place. Below FLT_MIN (denormals, zero, negative) and for
 * a NaN: ln FLT_MIN, -87.336...; infinity: 128 ln 2. So the result is always finite.
 */
float log_f32(float x);

/* dst[n] = the same of src[n], which may be dst. Thread: any. Allocates nothing. */
void log_v(float *dst, const float *src, unsigned n);

#endif
