/* SPDX-License-Identifier: MIT */
/*
 * fit: from a table to a float model. The order is fixed: normalise, linear
 * forecast, LSTM on what it leaves, then measure all of it on held-out rows.
 */
#ifndef SONDE_TRAIN_FIT_H
#define SONDE_TRAIN_FIT_H

#include <stdint.h>

#include "models/train/learn.h"

struct draft;
struct table;
struct why;

struct fit_options {
	unsigned hidden, lags;	/* asked for; hidden 0: linear only */
	uint64_t seed;
	struct learn_options learn;
};

struct fit_report {
	unsigned rows, held_rows, channels, wandering;
	unsigned lags, hidden;	/* as in the model */
	unsigned asked_hidden;
	double linear_loss, net_loss;	/* held out, mean square in deviations */
	struct learn_report learn;	/* .curve: the caller frees */
};

#define FIT_EPOCHS 150u

/*
 * The LSTM stays when its best epoch lowers the held-out loss by more than
 * FIT_GAIN_MIN of the linear forecast's; otherwise the model has hidden = 0: a view
 * that does not help is left out. name and rate_hz of d->m are the caller's.
 */
#define FIT_GAIN_MIN 0.005

int fit_table(struct draft *d, const struct table *t, const struct fit_options *o,
	      struct fit_report *report, struct why *why);

#endif
