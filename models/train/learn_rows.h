/* SPDX-License-Identifier: MIT */
/*
 * learn_rows: which rows of a lesson stand where in the windows of an epoch.
 *
 * Forecast: the rows are cut into streams that run side by side; each window goes on where the
 * one before it ended. Autoencoder: windows that overlap, each on its own; side by side are
 * windows far apart, so that every update sees all of the recording.
 */
#ifndef SONDE_TRAIN_LEARN_ROWS_H
#define SONDE_TRAIN_LEARN_ROWS_H

#include <stdbool.h>

struct lesson;
struct net_shape;

struct rows_plan {
	const struct lesson *lesson;
	bool coder;
	unsigned from, to;	/* rows that count */
	unsigned batch, steps;	/* side by side; rows of a window */
	unsigned windows;	/* one behind the other: updates of an epoch */
	unsigned length, early;	/* forecast: of a stream; rows seen before it that do not count */
	unsigned hop, shift;	/* autoencoder: windows apart, all of them earlier by */
	const float *teacher;	/* what y is drawn to, by so much, or NULL */
	float teacher_weight;
};

/* steps and batch as asked for; batch 0: by the rows. The whole lesson, of which a part counts. */
void rows_fit(struct rows_plan *p, const struct lesson *l, const struct net_shape *net,
	      unsigned steps, unsigned batch);
void rows_held(struct rows_plan *p, const struct lesson *l, const struct net_shape *net,
	       unsigned steps);

/* An autoencoder's windows lie elsewhere in every epoch. */
void rows_epoch(struct rows_plan *p, unsigned epoch);

/* Streams [first, first + batch) of one window; rows_read is a tape_source's. */
struct rows_view {
	const struct rows_plan *plan;
	unsigned window, first, batch;
};

void rows_read(const void *view, unsigned at, unsigned steps, float *x, float *y, float *w);

#endif
