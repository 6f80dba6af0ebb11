/* SPDX-License-Identifier: MIT */
/*
 * activity: what goes into each layer of a float model while it reads a recording:
 * how much a column matters when its weights are rounded, and what to compare the
 * rounded layer on.
 */
#ifndef SONDE_TRAIN_ACTIVITY_H
#define SONDE_TRAIN_ACTIVITY_H

struct model;
struct why;

#define ACTIVITY_ROWS_MAX 4096u

struct activity {
	unsigned rows;		/* behind the lags, at most ACTIVITY_ROWS_MAX */
	float *linear;		/* [rows][L * N] */
	float *gates;		/* [rows][N + H], NULL without an LSTM */
	float *head;		/* [rows][H], NULL without an LSTM */
};

/* x[rows][N] in channel units, NaN: missing (repeats the last). Result: activity_free. */
int activity_open(struct activity *a, const struct model *m, const float *x, unsigned rows,
		  struct why *why);
void activity_free(struct activity *a);

#endif
