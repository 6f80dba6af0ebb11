/* SPDX-License-Identifier: MIT */
/*
 * run: the detector that will run, over a recording: what calibration, comparison and
 * the reports are made of. Never a copy of its mathematics.
 */
#ifndef SONDE_TRAIN_RUN_H
#define SONDE_TRAIN_RUN_H

#include "kernels/detector.h"

struct recording;
struct why;

typedef void run_each(void *ctx, unsigned row, const struct detector_result *r);

/*
 * From a fresh start, each row of x[rows][N] (channel units, NaN: missing), in order; each() is
 * called after it. Errors as detector_open.
 */
int run_rows(const struct detector_spec *spec, enum fc_kind kind, const float *x, unsigned rows,
	     run_each *each, void *ctx, struct why *why);

/*
 * The same of a recording with folds: each row once, by the fold that was made without it,
 * which begins some rows earlier to be warm by then. Without the code view: see run_codes.
 */
int run_folds(const struct detector_spec *spec, enum fc_kind kind, const struct recording *rec,
	      run_each *each, void *ctx, struct why *why);

/*
 * The components of a fold's subspace are others than the model's, so what the code view says
 * is asked of the model's own operators, with what was usual of them outside of each fold.
 */
int run_codes(const struct detector_spec *spec, enum fc_kind kind, const struct recording *rec,
	      run_each *each, void *ctx, struct why *why);

/* score[rows]; a row that is not ready has score 0. */
int run_scores(const struct detector_spec *spec, enum fc_kind kind, const float *x,
	       unsigned rows, float *score, struct why *why);

#endif
