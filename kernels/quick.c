// SPDX-License-Identifier: MIT
/*
 * quick: a difference of two dot products, in LANES sums side by side so that neither the
 * additions wait for each other nor their order depends on the CPU.
 */
#include "kernels/quick.h"

#include "kernels/clones.h"

#define LANES 16

/* What a comparison says no to (a NaN) is as far from normal as can be. */
static inline float cut_ratio(float v)
{
	v = v < QUICK_RATIO_MAX ? v : QUICK_RATIO_MAX;
	return (v > 0 ? v : 0) * QUICK_RATIO_SCALE;
}

CLONES
float quick_margin(const struct quick_spec *q, const float *h, const float *ratio)
{
	unsigned n = q->hidden, i = 0;
	const float *normal = q->weight, *other = q->weight + n + QUICK_CHEAP;
	float lane[LANES] = { 0 }, sum = q->bias[0] - q->bias[1];

	for (; i + LANES <= n; i += LANES)
		for (unsigned k = 0; k < LANES; k++)
			lane[k] += (normal[i + k] - other[i + k]) * h[i + k];
	for (unsigned k = 0; i + k < n; k++)
		lane[k] += (normal[i + k] - other[i + k]) * h[i + k];
	for (unsigned half = LANES / 2; half; half /= 2)
		for (unsigned k = 0; k < half; k++)
			lane[k] += lane[k + half];
	for (unsigned k = 0; k < QUICK_CHEAP; k++)
		sum += (normal[n + k] - other[n + k]) * cut_ratio(ratio[k]);
	return sum + lane[0];
}
