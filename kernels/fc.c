// SPDX-License-Identifier: MIT
/*
 * fc: the operator's input tensor, and the choice of who computes it.
 *
 * The input tensor stays in place from step to step: a lag line shifts within it and an
 * LSTM's state is written back into it, so that a run begins with nothing to gather.
 * int8 operators differ in speed alone, hence an operator too small to repay a library
 * call is computed in plain C whatever was asked for.
 */
#include "kernels/fc.h"

#include <errno.h>
#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/fc_impl.h"
#include "kernels/quant.h"
#include "kernels/why.h"

/* Multiply-adds below which plain C is done before xnn_run_operator has begun (20 ns). */
#define SMALL 128

/* Sums of products stay far inside int32 and, converted, mean the same everywhere. */
#define DIM_MAX 65536

void *fc_alloc(size_t size)
{
	size_t whole = (size + FC_PAD + 63) & ~(size_t)63;
	void *p = aligned_alloc(64, whole);

	if (p)
		memset(p, 0, whole);
	return p;
}

static const struct fc_ops *choose(const struct fc_spec *spec, enum fc_kind kind)
{
	if (spec->weight_f32)
		return &fc_float;
	if (kind == FC_SUBGRAPH)
		return &fc_subgraph;
	if (kind == FC_XNN && (size_t)spec->in * spec->out >= SMALL)
		return &fc_xnn;
	return &fc_ref;
}

/* XNNPACK refuses any other, and what one kind refuses none may take. */
static bool scales_are_normal(const struct fc_spec *spec)
{
	for (unsigned o = 0; o < spec->out; o++)
		if (!(spec->scale[o] >= FLT_MIN && spec->scale[o] <= FLT_MAX))
			return false;
	return true;
}

int fc_open(struct fc **out, const struct fc_spec *spec, enum fc_kind kind, struct why *why)
{
	bool floats = !spec->weight || spec->dynamic;
	struct fc *fc;
	int err;

	*out = NULL;
	if (!spec->in || !spec->out || spec->in > DIM_MAX || spec->out > DIM_MAX)
		return why_set(why, -EINVAL, "%u x %u is not an operator's shape", spec->out,
			       spec->in);
	if (!spec->weight == !spec->weight_f32 || !spec->bias || (spec->weight && !spec->scale))
		return why_set(why, -EINVAL, "weights, scale and bias do not make an operator");
	if (spec->dynamic && !spec->weight)
		return why_set(why, -EINVAL, "only an int8 operator is dynamic");
	if ((unsigned)kind >= FC_KINDS)
		return why_set(why, -EINVAL, "no operator kind %d", (int)kind);

	if (spec->weight && !scales_are_normal(spec))
		return why_set(why, -EINVAL, "a scale is not a normal number above 0");

	fc = calloc(1, sizeof *fc);
	if (!fc)
		return why_set(why, -ENOMEM, "out of memory");
	fc->ops = choose(spec, kind);
	fc->spec = *spec;
	fc->step = 1;
	err = why_set(why, -ENOMEM, "out of memory");
	fc->y = fc_alloc(spec->out * sizeof *fc->y);
	if (!fc->y)
		goto fail;
	if (spec->weight)
		fc->x = fc_alloc(spec->in);
	if (floats)
		fc->x_f32 = fc_alloc(spec->in * sizeof *fc->x_f32);
	if ((spec->weight && !fc->x) || (floats && !fc->x_f32))
		goto fail;
	err = fc->ops->open(fc, why);
	if (err)
		goto fail;
	*out = fc;
	return 0;
fail:
	fc_close(fc);
	return err;
}

void fc_close(struct fc *fc)
{
	if (!fc)
		return;
	fc->ops->close(fc);
	free(fc->x);
	free(fc->x_f32);
	free(fc->y);
	free(fc);
}

void fc_put(struct fc *fc, unsigned at, const float *v, unsigned n, float inv_step)
{
	float limit = fc->x ? FC_MOST : QUANT_MAX / inv_step;

	if (!fc->x_f32) {
		quant_i8(fc->x + at, v, n, inv_step);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		float x = v[i] == v[i] ? v[i] : 0.0f;

		x = x > limit ? limit : x;
		fc->x_f32[at + i] = x < -limit ? -limit : x;
	}
}

void fc_shift(struct fc *fc, unsigned by)
{
	if (fc->x_f32)
		memmove(fc->x_f32 + by, fc->x_f32, (fc->spec.in - by) * sizeof *fc->x_f32);
	else
		memmove(fc->x + by, fc->x, fc->spec.in - by);
}

void fc_clear(struct fc *fc)
{
	if (fc->x_f32)
		memset(fc->x_f32, 0, fc->spec.in * sizeof *fc->x_f32);
	else
		memset(fc->x, 0, fc->spec.in);
}

const float *fc_run(struct fc *fc)
{
	if (fc->spec.dynamic)
		fc_dynamic(fc);
	fc->ops->run(fc);
	return fc->y;
}

const char *fc_name(const struct fc *fc)
{
	return fc->ops->name;
}
