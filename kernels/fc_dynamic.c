// SPDX-License-Identifier: MIT
/*
 * fc_dynamic: the step of a dynamic operator's inputs, found and applied at each run.
 *
 * The largest magnitude is looked for among bits: without their sign, floats that are
 * no NaN (fc_put lets none in) are ordered as integers are, and an integer maximum vectorises.
 */
#include <string.h>

#include "kernels/clones.h"
#include "kernels/fc_impl.h"
#include "kernels/quant.h"

#define MAGNITUDE 0x7fffffff

CLONES
static float largest(const float *v, unsigned n)
{
	int32_t most = 0;
	float size;

	for (unsigned i = 0; i < n; i++) {
		int32_t bits;

		memcpy(&bits, &v[i], sizeof bits);
		bits &= MAGNITUDE;
		most = bits > most ? bits : most;
	}
	memcpy(&size, &most, sizeof size);
	return size;
}

void fc_dynamic(struct fc *fc)
{
	float most = largest(fc->x_f32, fc->spec.in);

	if (most < FC_LEAST) {
		memset(fc->x, 0, fc->spec.in);
		fc->step = 1;
		return;
	}
	quant_i8(fc->x, fc->x_f32, fc->spec.in, QUANT_MAX / most);
	fc->step = most / QUANT_MAX;
}
