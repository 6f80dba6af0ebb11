// SPDX-License-Identifier: MIT
/*
 * metric: see metric.h. One sort serves both rank figures; rows of equal scores
 * are taken together, so that the order a sort leaves them in is of no account.
 */
#include "models/train/metric.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct ranked {
	float score;
	unsigned label;
};

static int by_score_descending(const void *a, const void *b)
{
	float x = ((const struct ranked *)a)->score, y = ((const struct ranked *)b)->score;

	return (x < y) - (x > y);
}

/* r[rows] by descending score, `positive` of them labelled. */
static void sum_up(struct metric_ranks *out, const struct ranked *r, unsigned rows,
		   double positive)
{
	double above = 0, true_above = 0, pairs = 0, precision = 0;

	for (unsigned i = 0; i < rows;) {
		unsigned hits = 0, from = i;

		for (; i < rows && r[i].score == r[from].score; i++)
			hits += r[i].label;
		/* A labelled row wins against each normal one below, half against its equals. */
		pairs += hits * (rows - positive - (above - true_above) - (i - from - hits) / 2.0);
		above += i - from;
		true_above += hits;
		precision += hits * true_above / above;
	}
	out->average_precision = positive > 0 ? precision / positive : NAN;
	out->roc_auc = positive > 0 && positive < rows ? pairs / (positive * (rows - positive)) : NAN;
}

int metric_ranks(struct metric_ranks *out, const uint8_t *label, const float *score,
		 unsigned rows)
{
	struct ranked *r = malloc(((size_t)rows + 1) * sizeof(*r));
	double positive = 0;

	if (!r)
		return -ENOMEM;
	for (unsigned i = 0; i < rows; i++) {
		r[i] = (struct ranked){ score[i], label[i] != 0 };
		positive += r[i].label;
	}
	qsort(r, rows, sizeof(*r), by_score_descending);
	sum_up(out, r, rows, positive);
	free(r);
	return 0;
}

void metric_confusion_add(struct metric_confusion *c, const uint8_t *label,
			  const uint8_t *alarm, unsigned rows)
{
	for (unsigned i = 0; i < rows; i++) {
		c->tp += label[i] && alarm[i];
		c->tn += !label[i] && !alarm[i];
		c->fp += !label[i] && alarm[i];
		c->fn += label[i] && !alarm[i];
	}
}

double metric_f1(const struct metric_confusion *c)
{
	double wrong = (double)(c->fp + c->fn) / 2;

	return c->tp ? (double)c->tp / ((double)c->tp + wrong) : 0;
}

static double percent(uint64_t part, uint64_t rest)
{
	return part ? 100 * (double)part / (double)(part + rest) : 0;
}

double metric_far(const struct metric_confusion *c)
{
	return percent(c->fp, c->tn);
}

double metric_mar(const struct metric_confusion *c)
{
	return percent(c->fn, c->tp);
}
