/* SPDX-License-Identifier: MIT */
/*
 * quick_fit: the weights of the two-class quick head (kernels/quick.h). Two logits whose
 * difference decides are logistic regression, which is convex: Newton's method finds its one
 * minimum in a few steps, so there is no rate, no epoch and no seed. A teacher's margins may
 * stand beside the labels (Hinton, Vinyals & Dean 2015), which leaves it convex.
 */
#ifndef SONDE_TRAIN_QUICK_FIT_H
#define SONDE_TRAIN_QUICK_FIT_H

#include <stdint.h>

/*
 * K inputs a row: the state before the row [H], then the cheap views in their medians, cut at
 * QUICK_RATIO_MAX and times QUICK_RATIO_SCALE [QUICK_CHEAP], as quick_margin makes them of its
 * arguments.
 */
struct quick_lesson {
	const float *features;	/* [rows][K] */
	const uint8_t *label;	/* [rows] 1: not normal */
	unsigned rows, inputs;
	/*
	 * Distillation, or NULL: margin[rows] of the teacher, logit(normal) - logit(not). Loss:
	 * (1 - soft_weight) * cross entropy + soft_weight * T^2 * KL(teacher / T | student / T)
	 */
	const float *margin;
	float temperature, soft_weight;
};

struct quick_report {
	unsigned iterations;
	double loss;		/* mean, classes balanced, without the ridge */
	/* Shares at 0.5: not normal taken for normal; normal not taken for it. */
	double missed, wary;
};

#define QUICK_CONFIDENCE 0.95
#define QUICK_TEMPERATURE 3.0f

/*
 * weight[2][K] and bias[2], row 0: normal. Both classes weigh the same however many rows they
 * have. -EINVAL: a class without rows, or a number that is not finite; -ENOMEM. report may be NULL.
 */
int quick_fit(float *weight, float *bias, const struct quick_lesson *l,
	      struct quick_report *report);

/* ln(p / (1 - p)): quick_spec.margin for a confidence p in (0, 1). */
float quick_fit_margin(double confidence);

#endif
