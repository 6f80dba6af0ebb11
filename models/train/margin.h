/* SPDX-License-Identifier: MIT */
/*
 * margin: how far a row goes beyond all that was seen before it, for recordings where one
 * threshold has to do for streams of all kinds and a window of truth wants to be hit
 * once, early (the Numenta benchmark). The score itself is the wrong number for that: it says
 * how unusual a row is by training, again and again in a process that changed for good.
 *
 * For each channel a few views of what the detector computed, each with a limit of its own, on
 * a logarithmic scale of nats: the highest value so far, that falls back slowly and of an
 * excess learns a part at once. The margin is the largest excess: ln of how many times over. In
 * the rows behind one, only a larger one is told.
 *
 *   up, down   u, the side that it is on: each has its own extremes
 *   surprise   u less its forecast, whitened: its size, and the size of its smoothed sign
 *   season     the same of a forecast that knows a period ago, where there is a period (season.h)
 *
 * One limit on a combined score (sum, maximum, mean square of the views) was tried and is
 * 10 to 20 points worse on that benchmark; limits that learn an excess whole, 60.
 */
#ifndef SONDE_TRAIN_MARGIN_H
#define SONDE_TRAIN_MARGIN_H

#include "kernels/detector.h"

struct why;

#define MARGIN_HOLD 50u		/* rows */
#define MARGIN_NORMAL_MIN 60u	/* rows that the limits begin with */

/*
 * margin[rows] of x[rows][N] (channel units, NaN: missing) by the detector of spec; the first
 * `normal` rows are taken for normal, set the limits and have margin 0. Causal behind them.
 * -ENOMEM, -EINVAL (normal under MARGIN_NORMAL_MIN or over rows); errors as detector_open.
 */
int margin_scores(const struct detector_spec *spec, enum fc_kind kind, const float *x,
		  unsigned rows, unsigned normal, float *margin, struct why *why);

#endif
