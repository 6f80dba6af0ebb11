/* SPDX-License-Identifier: MIT */
/*
 * ridge: the linear forecast. Row t from rows t-1 .. t-L (newest first) by
 * least squares with a penalty, all channels at once.
 */
#ifndef SONDE_TRAIN_RIDGE_H
#define SONDE_TRAIN_RIDGE_H

struct gram;
struct why;

/*
 * weight[N][L * N], bias[N] from the blocks of g but `without` (g->blocks: all of them); the
 * bias is not penalised. Normal equations in double, Cholesky.
 * -ENOMEM, -EDOM (not positive definite: lambda is not positive).
 */
int ridge_fit(float *weight, float *bias, const struct gram *g, unsigned without, double lambda,
	      struct why *why);

/* left[t][N] = target - forecast for rows from .. to-1 (from >= lags) of input. -ENOMEM. */
int ridge_left(float *left, const float *weight, const float *bias, const float *input,
	       const float *target, unsigned from, unsigned to, unsigned channels,
	       unsigned lags);

#endif
