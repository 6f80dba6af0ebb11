/* SPDX-License-Identifier: MIT */
/*
 * quick_rows: what the quick head learns from: the rows of a recording as they are and the same
 * rows with departures put in, each as the state of the net and what the cheap views said.
 */
#ifndef SONDE_TRAIN_QUICK_ROWS_H
#define SONDE_TRAIN_QUICK_ROWS_H

#include "kernels/detector.h"
#include "models/train/quick_fit.h"

struct draft;
struct why;

struct quick_rows {
	unsigned inputs, rows;	/* hidden + QUICK_CHEAP; at most twice the recording's */
	float *value;		/* [rows][inputs] */
	uint8_t *label;		/* [rows] */
	float *margin;		/* [rows] of a teacher, or NULL */
};

/*
 * x[rows][N] in channel units; std[N]: of each channel, 0 for one that never moves. teacher: the
 * spec of a model of the same channels with a quick head, or NULL; rows on which it is not
 * ready are left out. -ENOMEM; what detector_open returns. Result: quick_rows_close.
 */
int quick_rows_open(struct quick_rows *q, const struct detector_spec *spec,
		    const struct detector_spec *teacher, const float *x, unsigned rows,
		    const float *std, uint64_t seed, struct why *why);
void quick_rows_close(struct quick_rows *q);

/*
 * The head that these rows teach, kept by d, into out. soft_weight: how much of the loss is the
 * teacher's, at QUICK_TEMPERATURE. A recording too short for a departure: no head, which is
 * always right. report may be NULL. -ENOMEM.
 */
int quick_rows_fit(struct quick_spec *out, struct draft *d, const struct quick_rows *q,
		   float margin, float soft_weight, struct quick_report *report, struct why *why);

#endif
