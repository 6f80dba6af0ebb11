/* SPDX-License-Identifier: MIT */
/*
 * season: a forecast for what repeats itself: from the last few rows and from those about one
 * period ago. The period is the recording's own, found where it correlates with itself.
 */
#ifndef SONDE_TRAIN_SEASON_H
#define SONDE_TRAIN_SEASON_H

#define SEASON_RECENT 5u	/* rows back */
#define SEASON_ABOUT 2u		/* rows on either side of a period ago */
#define SEASON_WEIGHTS (1 + SEASON_RECENT + 2 * SEASON_ABOUT + 1)

struct season {
	unsigned period;	/* rows; 0: nothing repeats itself, and the rest means nothing */
	double weight[SEASON_WEIGHTS];	/* bias; recent rows, newest first; about a period ago */
	double inv_sigma;	/* 1 / deviation of what it leaves of the rows it was made from */
};

/*
 * From u[rows] of normal operation, in deviations. The period is the lag of the largest
 * autocorrelation beyond the first fall of it, over 20 rows and under half of them. -ENOMEM.
 */
int season_fit(struct season *s, const float *u, unsigned rows);

/* What it leaves of row r, in its deviations; 0 where the past does not reach far enough. */
double season_left(const struct season *s, const float *u, unsigned r);

#endif
