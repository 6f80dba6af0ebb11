/* SPDX-License-Identifier: MIT */
/*
 * detector: one row of channel values in, one score with its parts out. All the
 * mathematics of a tick; no clock, no I/O, no allocation, no log, no libm.
 *
 * A row becomes u, in deviations: the value of a channel that returns to a level, the change
 * since the last row of one that wanders (an integrated counter, free memory). Views look at
 * u; each comes to one number, which is divided by the median that it had on training rows
 * (rows that its operators were made without), and the score is the root of the sum of their
 * squares. A view that does not carry over from row to row has a large median: that is all
 * the weighting there is. Fast ones, over the last few rows:
 *   level      EWMA of u, its size;
 *   subspace   what a lagged linear subspace leaves of the rows (subspace.h);
 *   forecast   u less its linear forecast from the last rows, whitened;
 *   recurrent  the same less what an LSTM and a graph add to that forecast, or what an
 *              autoencoder leaves of a window (recurrent.h);
 * slow ones, two-sided, over some fifty rows (spread.h):
 *   spread     how restless each channel is;
 *   left       how large that is what the subspace leaves of each channel;
 *   code       how restless the components of the subspace are.
 * A model that was trained elsewhere (online > 0) knows no channel's mean and deviation: it
 * measures them over the first rows of each, and is silent until then.
 * A model has those views that helped on held-out rows (models/train/select.h); the linear
 * forecast is always there, as it fills the gaps of channels that can not be believed.
 */
#ifndef SONDE_DETECTOR_H
#define SONDE_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/fc.h"
#include "kernels/quick.h"
#include "kernels/recurrent.h"
#include "kernels/spread.h"
#include "kernels/subspace.h"
#include "kernels/tail.h"

/* The cheap ones first: QUICK_CHEAP of them feed the quick head. */
enum detector_view {
	VIEW_LEVEL, VIEW_SUBSPACE, VIEW_FORECAST, VIEW_SPREAD, VIEW_LEFT, VIEW_CODE,
	VIEW_RECURRENT,
	VIEWS
};

struct view_spec {
	float weight;		/* in the score; 0: the model does not have it */
	float scale;		/* 1 / median of the view on training rows */
	float smooth;		/* EWMA a of a fast view: new = old + a (v - old) */
};

/* What a model supplies. Borrowed; must outlive the detector. N = channels. */
struct detector_spec {
	unsigned channels, lags;
	const float *mean, *inv_std;	/* [N] channel units -> u; of the change where it wanders */
	const float *wanders;		/* [N] 0 or 1 */
	unsigned online;		/* rows that measure mean and inv_std first; 0: none */
	float z_clip;			/* deviations at which operators' inputs are cut */
	struct view_spec view[VIEWS];
	const float *level_weight;	/* [N] of the level view */
	float spread_rate;		/* of the slow views' windows */
	struct spread_spec spread, left, code;
	struct subspace_spec subspace;
	const float *inv_usual;		/* [N] 1 / what the subspace leaves in 95 of 100 rows */
	struct fc_spec linear;		/* N <- lags * N, newest row first */
	const float *inv_sigma;		/* [N] of the linear forecast's held-out residual */
	struct recurrent_spec recurrent;
	const float *recurrent_inv_sigma;	/* [N] of what the recurrent view leaves */
	struct quick_spec quick;
};

/*
 * What one channel can add to a view is bounded: before they are smoothed, residuals
 * and levels are cut at PART_MAX * N, so that no channel moves a view's mean by more
 * than PART_MAX in one row. A channel that was dead in training has no known scale: one odd
 * row of it has to fade within a few rows, not in the logarithm of what it happened to read.
 */
#define DETECTOR_PART_MAX 20.0f

struct detector;

/* Errors as fc_open, with the operator named in the reason. */
int detector_open(struct detector **out, const struct detector_spec *spec,
		  enum fc_kind kind, struct why *why);
void detector_close(struct detector *d);

/* Forget the past: as after open. */
void detector_reset(struct detector *d);

struct detector_result {
	float score;			/* in medians of training; 0 while not ready */
	/*
	 * How far the channel that is furthest out has departed: the largest of what the subspace
	 * leaves of a channel, in units of what it usually leaves. Slow views take no part, so it
	 * falls back as fast as it rose.
	 */
	float departure;
	float view[VIEWS];		/* before they are scaled */
	const float *size[VIEWS];	/* [N] parts of a view, 0 where invalid; code: [rank] */
	const float *left;		/* [N] what the subspace leaves, as it is; NULL: no view */
	const float *contribution;	/* [N] its part of the score */
	const float *prediction;	/* [N] this row's forecast, in u */
	const float *u;			/* [N] this row */
	const float *code;		/* [rank] components of the subspace; NULL: no such view */
	const float *state;		/* [H] before the row, for the quick head; NULL: no net */
	bool early;			/* the quick head ended the tick: recurrent was not run */
	bool ready;			/* enough rows seen, and a channel to see */
};

/*
 * One row: x[N] in channel units, valid[N] nonzero where x may be believed. An
 * invalid channel adds nothing to any view and feeds its own forecast onward.
 * NaN and infinity count as invalid, whatever valid says. After more than `lags` such
 * rows a channel begins as at the start: its first valid row is taken, not judged.
 */
void detector_step(struct detector *d, const float *x, const uint8_t *valid,
		   struct detector_result *result);

/* Rows that must pass before .ready: lags, and the recurrent state's settling. */
unsigned detector_warmup(const struct detector *d);

/* "level", "subspace", "forecast", "spread", "left", "code", "recurrent". */
const char *detector_view_name(enum detector_view v);

/*
 * Slow re-baselining: move the mean of each channel that returns to a level by `rate` of the
 * way to the last row (cut at a few deviations). The owner calls it after a step, and never
 * during an alarm, a fault or a throttle. It acts on what is normal, not on the score.
 * detector_reset undoes it.
 * A deviation that was measured online, over a few rows only, follows as slowly.
 */
void detector_follow(struct detector *d, float rate);

#endif
