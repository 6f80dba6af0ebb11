/* SPDX-License-Identifier: MIT */
/*
 * subspace: how far the last rows are from the linear subspace that training rows kept to.
 *
 * A window of L rows is coded by its principal components (encode: K <- L * N) and told again
 * (decode: L * N <- K); what is left, of the whole window, is the size. Both operators are
 * fully connected int8; what is compared with the decoder's output is never clipped or
 * rounded. Source: dynamic PCA, Ku, Storer and Georgakis 1995; Q statistic, Jackson and
 * Mudholkar 1979, here a channel at a time and whitened.
 */
#ifndef SONDE_SUBSPACE_H
#define SONDE_SUBSPACE_H

#include "kernels/fc.h"

/* Borrowed. Components come out of encode in their own deviations. */
struct subspace_spec {
	unsigned lags, rank;
	struct fc_spec encode;		/* rank <- lags * N, newest row first */
	struct fc_spec decode;		/* lags * N <- rank */
	const float *inv_sigma;		/* [lags * N] of what is left */
	float code_clip;		/* deviations at which a component is cut for decode */
};

struct subspace;

/* z_inv_step: of the int8 input. Errors as fc_open. */
int subspace_open(struct subspace **out, const struct subspace_spec *spec, unsigned n,
		  float z_inv_step, enum fc_kind kind, struct why *why);
void subspace_close(struct subspace *s);
void subspace_reset(struct subspace *s);

/* Channel i had value v in all rows so far: one that begins, or begins again. */
void subspace_hold(struct subspace *s, unsigned i, float v);

/*
 * One row, u[N] in deviations. size[N]: root mean square over the window of the
 * channel's whitened error, each element of it at most `most`.
 */
void subspace_step(struct subspace *s, const float *u, float most, float *size);

/* [rank] of the last step, in their own deviations, before they are cut for decode. */
const float *subspace_code(const struct subspace *s);

#endif
