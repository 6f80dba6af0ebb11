/* SPDX-License-Identifier: MIT */
/*
 * teach: what a net is taught of a recording. A forecast net learns what the linear forecast
 * leaves, in that residual's own deviations; its outputs become deviations of the channels when
 * the scales are folded into its last layers.
 */
#ifndef SONDE_TRAIN_TEACH_H
#define SONDE_TRAIN_TEACH_H

#include "models/train/learn.h"

struct net;
struct series;

struct teach {
	struct lesson lesson;	/* points at s and at target and weight */
	float *target, *weight;	/* [rows][N] */
	float *scale;		/* [N] of what is left; 1 for an autoencoder */
};

/*
 * left[rows][N] of the linear forecast, from row `lags` on; NULL: an autoencoder's lesson, the rows
 * themselves. s must outlive the lesson. -ENOMEM. Result: teach_close.
 */
int teach_open(struct teach *t, const struct series *s, const float *left, unsigned lags);
void teach_close(struct teach *t);

/* The net's outputs, in deviations of what is left, become u; and the reverse. */
void teach_fold(struct net *net, const float *scale);
void teach_unfold(struct net *net, const float *scale);

/* out[rows][N]: a residual of each row, in u, as the target of the row before it. */
void teach_target(const struct teach *t, float *out, const float *left, unsigned lags);

#endif
