/* SPDX-License-Identifier: MIT */
/*
 * tail: how rare a score is, in nats (-ln of the probability to exceed it).
 *
 * The empirical tail of normal scores as a few knots, exponential beyond the
 * last one. Evaluating is a table walk and one multiply-add: no libm, so that
 * calibrated scores have the same bits everywhere.
 */
#ifndef SONDE_TAIL_H
#define SONDE_TAIL_H

#define TAIL_KNOTS 8

/* Knot k is the score exceeded with probability 2^-(k/2) (k = 0 .. 7: 1 to 0.088). */
struct tail {
	float knot[TAIL_KNOTS];	/* ascending, not necessarily strictly */
	float slope;		/* nats per unit of score beyond the last knot; > 0 */
};

/*
 * Fit from n scores of normal operation (sorted in place). The slope is the
 * exponential tail's maximum-likelihood 1 / mean excess over the last knot.
 * -EINVAL for n < 32 or a score that is not finite.
 */
int tail_fit(struct tail *t, float *scores, unsigned n);

/* Score -> nats: >= 0, never decreasing, linear beyond the last knot. */
float tail_nats(const struct tail *t, float score);

/* Nats -> score: the inverse where the tail is strictly increasing. */
float tail_score(const struct tail *t, float nats);

#endif
