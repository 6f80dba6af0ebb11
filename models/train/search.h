/* SPDX-License-Identifier: MIT */
/*
 * search: which net, if any, for a device that may spend so much on it. Candidates are drawn
 * from a grid; what each costs is measured on this machine before it learns anything, as weights
 * do not change it. Those within the budget learn by successive halving (Karnin, Koren & Somekh
 * 2013; Jamieson & Talwalkar 2016): all for a few epochs, the best 1 / eta of them on for eta
 * times as many, and so on to the last.
 *
 * Kinds of nets are compared by their held-out loss over that of the linear part that does the
 * same without a net: the linear forecast, or the subspace, which is the linear autoencoder. No
 * net is always a candidate, with loss 1 and the least cost.
 */
#ifndef SONDE_TRAIN_SEARCH_H
#define SONDE_TRAIN_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/recurrent.h"
#include "models/train/learn.h"

struct draft;
struct table;
struct why;

#define SEARCH_CANDIDATES 18u
#define SEARCH_MAX 128u
#define SEARCH_ETA 3u
#define SEARCH_FIRST 4u		/* epochs of the first rung */
#define SEARCH_EPOCHS 150u

struct search_options {
	unsigned candidates;		/* with a net, within the budget; at most SEARCH_MAX */
	unsigned eta, first, epochs;	/* epochs: of the last rung, at most */
	unsigned lags;			/* of the linear parts; 0: fit's */
	unsigned hidden_max;		/* 0: as large as the grid has */
	unsigned kinds;			/* bits of enum recurrent_kind */
	double max_us;			/* a full step of the int8 detector; 0: no limit */
	uint64_t max_bytes, max_ram;	/* int8 tensors; these and what the detector allocates */
	double confidence;		/* of the winner's quick head; 0: none */
	uint64_t seed;
	struct learn_options learn;
};

/* Of a forecast steps is the reach of its training, of an autoencoder its window. */
struct search_candidate {
	enum recurrent_kind kind;
	unsigned hidden, layers, steps, features, degree;
	double us;
	uint64_t bytes, ram;
	bool fits;			/* the budget; else it learnt nothing */
	unsigned rungs, epochs;		/* learnt */
	double loss;			/* of the linear part's; NAN where it learnt nothing */
	bool front;			/* none that fits is better in one of loss, us, bytes and
					 * no worse in the others */
};

struct search_report {
	struct search_candidate candidate[SEARCH_MAX * 4];	/* [0]: no net */
	unsigned candidates, over;	/* all; of which over the budget */
	unsigned winner;
	unsigned rungs;
	double linear_loss, subspace_loss;	/* held out, mean square: what 1 is */
	bool stopped;
};

/*
 * d->m becomes the winner, float32 and calibrated; name and rate_hz are the caller's. -EINVAL:
 * even without a net the model is over the budget, too few rows; -ENOMEM; what fit_table returns.
 */
int search_model(struct draft *d, const struct table *t, const struct search_options *o,
		 struct search_report *report, struct why *why);

/* Sets .front of all. */
void search_front(struct search_candidate *c, unsigned candidates);

/* How many of n go on to the next rung: n / eta rounded up, and one less than n at most. */
unsigned search_keep(unsigned n, unsigned eta);

#endif
