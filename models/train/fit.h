/* SPDX-License-Identifier: MIT */
/*
 * fit: from a table to a float model. The order is fixed: deviations, linear forecast,
 * subspace, spread, a net on what the linear forecast leaves, then which of those views
 * stay (select.h), then measure all of it on held-out rows (calibrate.h).
 */
#ifndef SONDE_TRAIN_FIT_H
#define SONDE_TRAIN_FIT_H

#include <stdint.h>

#include "kernels/detector.h"
#include "models/train/graph.h"
#include "models/train/learn.h"

struct draft;
struct fold;
struct gram;
struct series;
struct table;
struct why;

/* Zero of a size is its default. */
struct fit_options {
	unsigned lags;			/* of the linear forecast and of the subspace */
	enum recurrent_kind net;	/* RECURRENT_NONE: no net is tried */
	unsigned hidden, layers, window;
	unsigned features, degree;	/* graph; features 0: none */
	const struct graph *graph;	/* given by the user; NULL: from correlations */
	double confidence;		/* of the quick head; 0: none */
	unsigned views;			/* bit of each enum detector_view to keep; 0: choose */
	uint64_t seed;
	struct learn_options learn;
};

struct fit_report {
	unsigned rows, held_rows, channels, wandering, dead;
	unsigned lags, rank, hidden;	/* as in the model */
	bool tried_net;
	double linear_loss, net_loss;	/* held out, mean square in deviations */
	double carry[VIEWS];	/* what select.h measured of each; NAN: no such view */
	struct learn_report learn;	/* .curve: the caller frees */
	double early;			/* share of the rows that the quick head ended */
};

#define FIT_EPOCHS 150u
#define FIT_HIDDEN 64u
#define FIT_FEATURES 4u
#define FIT_DEGREE 4u
#define FIT_WINDOW 16u
#define FIT_CONFIDENCE 0.95

/*
 * The net stays when its best epoch lowers the held-out loss by more than
 * FIT_GAIN_MIN of the linear forecast's, or when its view was asked for by name.
 */
#define FIT_GAIN_MIN 0.005

/* Defaults put in place of zeros. */
void fit_defaults(struct fit_options *o);

/* name and rate_hz of d->m are the caller's. */
int fit_table(struct draft *d, const struct table *t, const struct fit_options *o,
	      struct fit_report *report, struct why *why);

/*
 * The operators of the linear forecast and of the subspace from all blocks of g but `without`
 * (g->blocks: all of them), kept by d, into f. Where nothing ever moves the subspace is left out.
 */
int fit_linear_parts(struct fold *f, struct draft *d, const struct gram *g, unsigned without,
		     struct why *why);

/*
 * fit_net.c: a net on what the linear forecast of d->m leaves of s (forecast), or on the rows
 * themselves (autoencoder), into d->m.spec.recurrent where it gains. left[rows][N].
 */
int fit_net(struct draft *d, const struct series *s, const float *left,
	    const struct fit_options *o, struct fit_report *r, struct why *why);

/* fit_quick.c: the quick head of d->m, on departures put into x[rows][N] (channel units). */
int fit_quick(struct draft *d, const float *x, unsigned rows, const float *std,
	      const struct fit_options *o, struct fit_report *r, struct why *why);

#endif
