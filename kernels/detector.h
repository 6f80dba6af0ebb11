/* SPDX-License-Identifier: MIT */
/*
 * detector: one row of channel values in, one score with its parts out. All the
 * mathematics of a tick; no clock, no I/O, no allocation, no log, no libm.
 *
 * Views, each brought to nats of its own training tail, then summed:
 *   forecast  z - (skip * z' + linear(last rows, int8) + head(LSTM state)),
 *             divided by its held-out deviation, signed EWMA, mean of sizes;
 *   level     EWMA of z, mean of sizes, over channels that return to a level.
 * skip is 1 for channels that wander (an integrated counter, free memory):
 * their forecast starts from the last value in full precision, and they have
 * no level to depart from. The net learns what the linear part leaves.
 */
#ifndef SONDE_DETECTOR_H
#define SONDE_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/fc.h"
#include "kernels/tail.h"

/* What a model supplies. Borrowed; must outlive the detector. N = channels. */
struct detector_spec {
	unsigned channels, lags, hidden;	/* hidden 0: no recurrent view */
	const float *mean, *inv_std;		/* [N] channel units -> z */
	const float *skip;			/* [N] 0 or 1 */
	struct fc_spec linear;			/* N <- lags * N, newest row first */
	struct fc_spec gates;			/* 4H <- N + H */
	struct fc_spec head;			/* N <- H, in z */
	const float *inv_sigma;			/* [N] of the held-out residual */
	const float *level_weight;		/* [N] 0 where skip is 1 */
	float forecast_smooth, level_smooth;	/* EWMA a: new = old + a (v - old) */
	struct tail forecast_tail, level_tail;
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
	float score;			/* nats; 0 while not ready */
	float forecast, level;		/* each view before calibration */
	const float *contribution;	/* [N] nats; sizes of each channel's part */
	const float *prediction;	/* [N] this row's forecast, in z */
	bool ready;			/* enough rows seen, and a channel to see, for the score to mean something */
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

#endif
