// SPDX-License-Identifier: MIT
/*
 * fc_ref: the int8 operator in plain C, which is the truth for the others, and the
 * float operator.
 *
 * An integer sum has one value in whatever order, so the compiler may vectorise it.
 * fmaf is one rounding by definition, in hardware or not. A float sum depends on its
 * order: here every output adds bias first, then its inputs by index, and the weights
 * are turned to [in][out] so that it is the outputs that fill a vector.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "kernels/clones.h"
#include "kernels/fc_impl.h"
#include "kernels/why.h"

static int ref_open(struct fc *fc, struct why *why)
{
	return 0;
}

static void ref_close(struct fc *fc)
{
}

CLONES
static void ref_run(struct fc *fc)
{
	const struct fc_spec *s = &fc->spec;
	const int8_t *restrict x = fc->x;
	const int8_t *restrict w = s->weight;
	unsigned in = s->in;

	for (unsigned o = 0; o < s->out; o++, w += in) {
		int32_t sum = 0;

		for (unsigned i = 0; i < in; i++)
			sum += w[i] * x[i];
		fc->y[o] = fmaf((float)sum * fc->step, s->scale[o], s->bias[o]);
	}
}

const struct fc_ops fc_ref = {
	.name = "reference", .open = ref_open, .close = ref_close, .run = ref_run,
};

static int float_open(struct fc *fc, struct why *why)
{
	const struct fc_spec *s = &fc->spec;
	float *turned = fc_alloc((size_t)s->in * s->out * sizeof *turned);

	if (!turned)
		return why_set(why, -ENOMEM, "out of memory");
	for (size_t o = 0; o < s->out; o++)
		for (size_t i = 0; i < s->in; i++)
			turned[i * s->out + o] = s->weight_f32[o * s->in + i];
	fc->state = turned;
	return 0;
}

static void float_close(struct fc *fc)
{
	free(fc->state);
}

CLONES
static void float_run(struct fc *fc)
{
	const float *restrict w = fc->state;
	const float *restrict bias = fc->spec.bias;
	float *restrict y = fc->y;
	unsigned out = fc->spec.out;

	if (fc->spec.tap)
		fc->spec.tap(fc->spec.tap_ctx, fc->x_f32);
	for (unsigned o = 0; o < out; o++)
		y[o] = bias[o];
	for (unsigned i = 0; i < fc->spec.in; i++, w += out) {
		float x = fc->x_f32[i];

		for (unsigned o = 0; o < out; o++)
			y[o] += w[o] * x;
	}
	for (unsigned o = 0; o < out; o++)
		y[o] = y[o] == y[o] ? y[o] : 0.0f;
}

const struct fc_ops fc_float = {
	.name = "float", .open = float_open, .close = float_close, .run = float_run,
};
