/* SPDX-License-Identifier: MIT */
/*
 * fc: the fully connected operator, y = scale * (W x) + bias, behind one small
 * interface with several implementations.
 *
 * An int8 operator reads an int8 input tensor whose steps were folded into the
 * weights when the model was quantised: zero point 0 and scale 1 as far as any
 * library is concerned. Exact result, the same in all of them:
 *	y[o] = fmaf((float)sum_i(W[o][i] * x[i]), scale[o], bias[o])
 * A float operator (weight_f32 set) sums in index order, in plain C.
 */
#ifndef SONDE_FC_H
#define SONDE_FC_H

#include <stdint.h>

struct why;

enum fc_kind {
	FC_XNN,		/* XNNPACK operators: the default */
	FC_SUBGRAPH,	/* XNNPACK subgraph: the API that will outlive them */
	FC_REF,		/* plain C: the truth */
	FC_KINDS
};

/* What a model file supplies. Everything is borrowed and must outlive the fc. */
struct fc_spec {
	unsigned in, out;
	const int8_t *weight;		/* [out][in], or NULL for a float operator */
	const float *weight_f32;	/* [out][in], or NULL for an int8 operator */
	const float *scale;		/* [out], each normal and above 0; int8 only */
	const float *bias;		/* [out] */
};

struct fc;

/*
 * Allocate, pack, and set up once; after that fc_run neither allocates nor
 * calls the system. kind is ignored by float operators. Errors: -EINVAL, -ENOMEM, -ENOTSUP
 * (the library refuses this machine). *out is owned by the caller: fc_close.
 */
int fc_open(struct fc **out, const struct fc_spec *spec, enum fc_kind kind,
	    struct why *why);
void fc_close(struct fc *fc);

/*
 * Write values v[n] into the input tensor from column `at`, quantised at the
 * step 1 / inv_step (int8), or clipped to +-QUANT_MAX / inv_step (float).
 */
void fc_put(struct fc *fc, unsigned at, const float *v, unsigned n,
	    float inv_step);

/* Move the input columns [0, in - by) to [by, in): a lag line's shift. */
void fc_shift(struct fc *fc, unsigned by);

/* Zero the input tensor. */
void fc_clear(struct fc *fc);

/* Run; returns the output [out], owned by fc, valid until the next run. */
const float *fc_run(struct fc *fc);

/* "xnnpack", "xnnpack-subgraph", "reference", "float". */
const char *fc_name(const struct fc *fc);

#endif
