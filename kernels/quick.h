/* SPDX-License-Identifier: MIT */
/*
 * quick: the two-class head that ends a confident-normal tick early.
 *
 * Inputs are the state of the LSTM before the row and what the cheap views said of the row, each
 * in its medians, cut at QUICK_RATIO_MAX. Softmax over two logits is above a threshold exactly
 * where their difference is above its logit, so nothing here needs an exponential and bits stay
 * equal.
 */
#ifndef SONDE_QUICK_H
#define SONDE_QUICK_H

#include <stdbool.h>

#define QUICK_CHEAP 6		/* all views but the recurrent one */
#define QUICK_RATIO_MAX 16.0f
#define QUICK_RATIO_SCALE 0.125f	/* so that they weigh about what a state does */

/* hidden 0: no head, never early. weight[2][hidden + QUICK_CHEAP], row 0: normal. */
struct quick_spec {
	unsigned hidden;
	const float *weight, *bias;	/* bias[2] */
	float margin;			/* ln(p / (1 - p)) of the confidence p asked for */
};

/* logit(normal) - logit(not). h[hidden], ratio[QUICK_CHEAP] (cut and scaled here). */
float quick_margin(const struct quick_spec *q, const float *h, const float *ratio);

static inline bool quick_confident(const struct quick_spec *q, const float *h, const float *ratio)
{
	return q->hidden && quick_margin(q, h, ratio) >= q->margin;
}

#endif
