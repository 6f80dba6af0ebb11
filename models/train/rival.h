/* SPDX-License-Identifier: MIT */
/*
 * rival: plain detectors that eval always shows beside a model, so that a figure can
 * be judged: what is no better than these is not worth its weights. Each is fitted on the
 * same training rows with the same settings whatever the data, and scores one row after the
 * other from rows it has seen.
 */
#ifndef SONDE_TRAIN_RIVAL_H
#define SONDE_TRAIN_RIVAL_H

#include <stdint.h>

struct why;

enum rival_kind {
	RIVAL_RANDOM,		/* exponential, as calibrated scores of nothing are */
	RIVAL_MAD,		/* sum of |x - median| / (1.4826 MAD) */
	RIVAL_T2,		/* Hotelling's T^2 in the principal components of a row */
	RIVAL_Q,		/* squared distance from their plane (SPE) */
	RIVAL_LAGGED_PCA,	/* the same of the last rows together; sum of sizes */
	RIVAL_TREES,		/* half-space trees (Tan, Ting & Liu 2011), learning on */
	RIVALS
};

/* As in tables and JSON: "random", "mad", "t2", "q", "lagged-pca", "half-space-trees". */
const char *rival_name(enum rival_kind kind);

struct rival;

#define RIVAL_ROWS_MIN 20u	/* training rows */
#define RIVAL_CHANNELS_MAX 4096u

/*
 * x[rows][channels], NaN: missing (repeats the last value). The seed matters to
 * RIVAL_RANDOM and RIVAL_TREES alone. -EINVAL too few rows or too many channels, -ENOMEM,
 * -EDOM no eigenvectors.
 */
int rival_open(struct rival **out, enum rival_kind kind, const float *x, unsigned rows,
	       unsigned channels, uint64_t seed, struct why *why);
void rival_close(struct rival *r);

/* The score of row[channels], finite, >= 0; what came before the first row is taken to equal it. */
float rival_step(struct rival *r, const float *row);

/*
 * From the training rows alone: the score that one in a hundred exceeded, half as much
 * again, as a process drifts and a fit flatters the rows it was made on.
 */
#define RIVAL_LIMIT_QUANTILE 0.99
#define RIVAL_LIMIT_FACTOR 1.5
float rival_limit(const struct rival *r);

#endif
