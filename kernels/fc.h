/* SPDX-License-Identifier: MIT */
/*
 * fc: the fully connected operator, y = scale * (W x) + bias, behind one small
 * interface with several implementations.
 *
 * An int8 operator reads an int8 input tensor whose steps were folded into the
 * weights when the model was quantised: zero point 0 and scale 1 as far as any
 * library is concerned. Exact result, the same in all of them:
 *	y[o] = fmaf((float)sum_i(W[o][i] * x[i]), scale[o], bias[o])
 * A dynamic int8 operator keeps its inputs as floats v and finds their step at each run, in
 * the order of XNNPACK's qd8 kernels, which round the product of sum and step by itself:
 *	x = quant_i8(v, 127 / most), step = most / 127, most = max_i |v[i]|
 *	y[o] = fmaf((float)sum_i(W[o][i] * x[i]) * step, scale[o], bias[o])
 * where most is below FC_LEAST, x is 0 and step 1.
 * A float operator (weight_f32 set) sums in index order, in plain C.
 *
 * No output is a NaN, whatever finite weights and whatever inputs: a float sum that
 * overflowed both ways counts as 0. It may be an infinity.
 */
#ifndef SONDE_FC_H
#define SONDE_FC_H

#include <stdbool.h>
#include <stdint.h>

struct why;

/* Inputs of a dynamic operator: held within +-FC_MOST; all below FC_LEAST count as zeros. */
#define FC_MOST 1e12f
#define FC_LEAST 1e-30f

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
	/*
	 * int8 only: the step is that of each run's inputs, over all columns alike, and scale
	 * belongs to the plain weights. No clipping short of FC_MOST; one pass more.
	 */
	bool dynamic;
	/* A float operator tells its input [in] at each run; for those who quantise it. */
	void (*tap)(void *ctx, const float *in);
	void *tap_ctx;
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
 * step 1 / inv_step (int8), clipped to +-QUANT_MAX / inv_step (float), or as they
 * are (dynamic). A NaN becomes 0.
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
