/* SPDX-License-Identifier: MIT */
/*
 * data: a table made into what learning reads: rows in deviations, what the int8
 * operators will see of them, which values are there at all, and which
 * channels wander: of those the changes are learnt, not the values.
 */
#ifndef SONDE_TRAIN_DATA_H
#define SONDE_TRAIN_DATA_H

#include <stdint.h>

struct table;
struct why;

struct series {
	unsigned rows, channels;
	unsigned fit_rows;	/* learnt from; the rows behind them are held out */
	float z_clip;
	float *mean, *inv_std;	/* [N] of the values, or of the changes of one that wanders */
	float *wanders;		/* [N] 0 or 1 */
	float *dead;		/* [N] 1: it never changed while it was learnt from */
	float *u;		/* [rows][N] deviations; a missing one is 0 change, or repeats */
	float *input;		/* [rows][N] u clipped and rounded as the runtime's int8 input is */
	float *valid;		/* [rows][N] 0 or 1 */
};

/*
 * -EINVAL when there are too few rows to hold any out, -ENOMEM. Result: series_free.
 *
 * Constant channel: its scale is a part of its magnitude, or 1 for a constant zero.
 * Nothing is known of a zero's scale, so it counts as wandering: a change of it
 * shows (the detector bounds by how much), but a level that it may rightly keep does not.
 *
 * Wanders: it moves little from row to row for how far it gets, and cut into ten blocks, either
 * most of its variance is between the blocks' means, or the mean of the last two lies outside
 * of what the others' means span.
 */
int series_open(struct series **out, const struct table *t, struct why *why);
void series_free(struct series *s);

/* Of so many rows, those that are learnt from: the last fifth is held out. */
unsigned series_fit_rows(unsigned rows);

#endif
