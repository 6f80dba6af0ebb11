// SPDX-License-Identifier: MIT
/*
 * tail: knots at fixed probabilities, so that only scores need storing; straight
 * lines of nats between them and one line of slope `slope` beyond.
 *
 * Scores may have atoms (a machine at rest repeats itself), which make knots fall
 * together: a score equal to such knots is exceeded no less often than the first of them
 * says, one above them no more often than the last does.
 */
#include "kernels/tail.h"

#include <errno.h>
#include <float.h>
#include <stdlib.h>

#define LN2_HALF 0.34657359f	/* nats from one knot to the next */
#define LAST (TAIL_KNOTS - 1)
#define SCORES_MIN 32

/* Of scores that are all alike the mean excess is 0: take this part of their size. */
#define EXCESS_MIN 1e-3f

/* Share of the scores at or below knot k: 1 - 2^(-k/2). */
static const double below[TAIL_KNOTS] = {
	0, 0.29289321881345254, 0.5, 0.64644660940672627, 0.75, 0.82322330470336313, 0.875,
	0.91161165235168156,
};

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

int tail_fit(struct tail *t, float *scores, unsigned n)
{
	double excess = 0;
	unsigned beyond = 0;
	float size, mean;

	if (n < SCORES_MIN)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		if (!(scores[i] >= -FLT_MAX && scores[i] <= FLT_MAX))
			return -EINVAL;
	qsort(scores, n, sizeof *scores, ascending);
	for (unsigned k = 0; k < TAIL_KNOTS; k++)
		t->knot[k] = scores[(unsigned)(below[k] * n)];
	for (unsigned i = n; i-- && scores[i] > t->knot[LAST]; beyond++)
		excess += (double)scores[i] - t->knot[LAST];

	size = t->knot[LAST] < 0 ? -t->knot[LAST] : t->knot[LAST];
	mean = beyond ? (float)(excess / beyond) : 0;
	if (mean < EXCESS_MIN * size)
		mean = EXCESS_MIN * size;
	if (mean < EXCESS_MIN * EXCESS_MIN)
		mean = EXCESS_MIN * EXCESS_MIN;
	t->slope = 1 / mean;
	return 0;
}

float tail_nats(const struct tail *t, float score)
{
	unsigned k = 0;
	float part;

	if (!(score > t->knot[0]))
		return 0;
	if (score > t->knot[LAST])
		return LAST * LN2_HALF + t->slope * (score - t->knot[LAST]);
	while (score > t->knot[k + 1])
		k++;
	part = (score - t->knot[k]) / (t->knot[k + 1] - t->knot[k]);
	/* Not (k + part): a rounded sum may pass the next knot's. */
	part = k * LN2_HALF + part * LN2_HALF;
	return part < (k + 1) * LN2_HALF ? part : (k + 1) * LN2_HALF;
}

float tail_score(const struct tail *t, float nats)
{
	unsigned k;
	float part;

	if (!(nats > 0))
		return t->knot[0];
	if (nats > LAST * LN2_HALF)
		return t->knot[LAST] + (nats - LAST * LN2_HALF) / t->slope;
	for (k = 0; k + 1 < LAST && nats > (k + 1) * LN2_HALF; k++)
		;
	part = (nats - k * LN2_HALF) / LN2_HALF;
	return t->knot[k] + part * (t->knot[k + 1] - t->knot[k]);
}
