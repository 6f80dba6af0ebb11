/* SPDX-License-Identifier: MIT */
/* detector_impl: the state that detector.c steps and detector_open.c makes. Private to both. */
#ifndef SONDE_DETECTOR_IMPL_H
#define SONDE_DETECTOR_IMPL_H

#include "kernels/detector.h"

struct detector {
	struct detector_spec spec;
	struct fc *linear;
	struct subspace *subspace;	/* NULL: the model has no such view, as below */
	struct spread *spread, *lefts, *code;
	struct recurrent *recurrent;
	float z_inv_step;
	unsigned warmup, seen;		/* rows; seen stops at warmup */
	float *memory;			/* holds what follows, [N] each */
	float ratio[VIEWS];		/* of this row: each view in its medians */
	float *mean, *inv_std;		/* in force: the model's, measured, or followed */
	float *last;			/* value the next change counts from, where it wanders */
	float *u;			/* this row; the forecast where invalid */
	float *live;			/* 1 where this row is believed, else 0 */
	float *forecast;		/* of the next row, in u */
	float *prediction;		/* of this row */
	float *ewma[VIEWS];		/* fast views: of u (level), or of sizes */
	float *size[VIEWS];		/* where live, else 0 */
	float *left;			/* what the subspace leaves of this row's channels */
	float *scratch;
	float *code_size;		/* [rank] */
	float *state;			/* [H] of the net before this row */
	float *contribution;
	float *first_mean, *first_m2;	/* online: Welford's over the first rows of a channel */
	unsigned *gap;			/* rows since last valid, at most lags + 1 */
	unsigned *measured;		/* online: rows of the channel so far, at most spec.online */
};

#endif
