/* SPDX-License-Identifier: MIT */
/*
 * ridge: the linear forecast. Row t from rows t-1 .. t-L (newest first) by
 * least squares with a penalty, all channels at once.
 */
#ifndef SONDE_TRAIN_RIDGE_H
#define SONDE_TRAIN_RIDGE_H

struct why;

/*
 * input[rows][N] explains target[rows][N] for rows L .. rows-1. weight[N][L * N],
 * bias[N]; the bias is not penalised. Normal equations in double, Cholesky.
 * The weights of a channel with wanders[i] nonzero sum to zero over the lags: only its
 * changes count, because its level will be one that was never learnt from.
 * -ENOMEM, -EDOM (not positive definite: lambda is not positive).
 */
int ridge_fit(float *weight, float *bias, const float *input, const float *target,
	      const float *wanders, unsigned rows, unsigned channels, unsigned lags,
	      double lambda, struct why *why);

/* left[rows][N] = target - forecast; the first L rows are zero. -ENOMEM. */
int ridge_left(float *left, const float *weight, const float *bias, const float *input,
	       const float *target, unsigned rows, unsigned channels, unsigned lags);

#endif
