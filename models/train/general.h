/* SPDX-License-Identifier: MIT */
/*
 * general: the model that is there before anything was recorded. Of one channel, "*", whose mean,
 * deviation and restlessness the detector measures by itself; what it knows beforehand is how
 * channels go on from row to row and how far a normal one strays. Made from series out of a seed
 * (made.h), never from anybody's data.
 *
 * The same seed gives the same bits on every machine: sums run in double, in index order, without
 * a library, and the detector that measures is kernels/'s plain C.
 */
#ifndef SONDE_TRAIN_GENERAL_H
#define SONDE_TRAIN_GENERAL_H

#include <stdint.h>

struct draft;
struct why;

#define GENERAL_LAGS 8u
#define GENERAL_ONLINE 128u	/* rows that a channel is measured over */
#define GENERAL_ROWS 1536u	/* of a series */
#define GENERAL_EACH 64u	/* series of each kind; every other one is held out */

struct general_report {
	unsigned series, rows;		/* made in all */
	double loss;			/* held out, mean square in deviations, of the forecast */
	double loss_last;		/* ... of the last value as forecast */
	double loss_mean;		/* ... of the mean */
};

/* d->m becomes the float model; its name is the caller's. -ENOMEM; errors as detector_open. */
int general_make(struct draft *d, uint64_t seed, struct general_report *r, struct why *why);

#endif
