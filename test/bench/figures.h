/* SPDX-License-Identifier: MIT */
/* figures: what turns.c makes of what it was told: medians, and whether two say the same. */
#ifndef SONDE_BENCH_FIGURES_H
#define SONDE_BENCH_FIGURES_H

#include <math.h>
#include <stdlib.h>

static inline int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts v[n], n > 0. */
static inline double median(double *v, unsigned n)
{
	qsort(v, n, sizeof *v, ascending);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* |a - truth| / |truth|; infinite where they can not be compared. */
static inline double difference(const double *a, unsigned n, const double *truth, unsigned truths)
{
	double sum = 0, norm = 0;

	if (n != truths)
		return INFINITY;
	for (unsigned i = 0; i < n; i++) {
		sum += (a[i] - truth[i]) * (a[i] - truth[i]);
		norm += truth[i] * truth[i];
	}
	return isfinite(sum) && norm > 0 ? sqrt(sum / norm) : INFINITY;
}

#endif
