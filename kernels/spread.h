/* SPDX-License-Identifier: MIT */
/*
 * spread: are some series as restless as they were in training? Too quiet is a departure as
 * well: a stopped, stuck or unloaded machine moves less. The logarithm of a series' mean
 * square over a window is compared with training's, two-sided.
 *
 * Exponential windows instead of a ring of rows: one multiply-add a series, nothing to
 * shift, and no running sum to drift.
 */
#ifndef SONDE_SPREAD_H
#define SONDE_SPREAD_H

#include <stdbool.h>

struct why;

/* Borrowed; [S] each. */
struct spread_spec {
	unsigned series;
	float rate;		/* of the window: 2 / (rows + 1) */
	bool centred;		/* about the window's own mean */
	const float *start;	/* mean square that training had on the whole: where each begins */
	const float *center;	/* mean of its logarithm in training */
	const float *inv_dev;	/* 1 / deviation of it; 0: the series does not count */
	/*
	 * Of a model that was trained elsewhere: rows from which each series' center is measured
	 * first, the window settling in the earlier half of them; its size is 0 until then. 0: none.
	 */
	unsigned online;
};

struct spread;

/* -EINVAL for a rate outside (0, 1], -ENOMEM. */
int spread_open(struct spread **out, const struct spread_spec *spec, struct why *why);
void spread_close(struct spread *s);
void spread_reset(struct spread *s);

/* Series i begins only now: what was before it counts for nothing, also in its center. */
void spread_begin(struct spread *s, unsigned i);

/* One row v[S], each cut at +-most. size[S]: how many deviations each is off. */
void spread_step(struct spread *s, const float *v, float most, float *size);

/* ln of the mean squares as they are, [S]; for those who measure what is usual. */
const float *spread_ln(const struct spread *s);

#endif
