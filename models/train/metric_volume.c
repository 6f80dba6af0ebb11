// SPDX-License-Identifier: MIT
/*
 * metric_volume: VUS-ROC and VUS-PR. A row in the border of an event, d rows from it, has
 * the soft label sqrt(1 - d / w) while d <= w / 2, and borders that overlap add up to at
 * most 1. As every such label is over 0.7, two of them always reach 1: the nearest two
 * events tell all there is to know of a row, whatever w, and are looked up once.
 */
#include "models/train/metric.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS METRIC_THRESHOLDS
#define FAR UINT_MAX

struct volume {
	const uint8_t *label;
	unsigned rows, events;
	double positive;
	unsigned *first, *last;		/* [events] rows */
	unsigned *nearest, *second;	/* [rows] distances to events; FAR: none */
	unsigned short *level;		/* [rows] first threshold that the score reaches; LEVELS: none */
	double count[LEVELS];		/* rows that reach each threshold */
	double hard[LEVELS];		/* labelled ones among them */
};

static int descending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x < y) - (x > y);
}

/* Evenly spaced ranks from the largest score to the smallest. */
static int set_levels(struct volume *v, const float *score)
{
	double step = (double)(v->rows - 1) / (LEVELS - 1);
	float *sorted = malloc(v->rows * sizeof(*sorted)), threshold[LEVELS];

	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, score, v->rows * sizeof(*sorted));
	qsort(sorted, v->rows, sizeof(*sorted), descending);
	for (unsigned k = 0; k < LEVELS; k++)
		threshold[k] = sorted[k + 1 < LEVELS ? (unsigned)(k * step) : v->rows - 1];
	free(sorted);
	for (unsigned r = 0; r < v->rows; r++) {
		unsigned low = 0, high = LEVELS;

		while (low < high) {
			unsigned mid = (low + high) / 2;

			if (score[r] >= threshold[mid])
				high = mid;
			else
				low = mid + 1;
		}
		v->level[r] = (unsigned short)low;
		if (low < LEVELS) {
			v->count[low]++;
			v->hard[low] += v->label[r] != 0;
		}
	}
	for (unsigned k = 1; k < LEVELS; k++) {
		v->count[k] += v->count[k - 1];
		v->hard[k] += v->hard[k - 1];
	}
	return 0;
}

static void find_events(struct volume *v)
{
	for (unsigned r = 0; r < v->rows; r++) {
		if (!v->label[r])
			continue;
		v->positive++;
		if (!r || !v->label[r - 1])
			v->first[v->events++] = r;
		v->last[v->events - 1] = r;
	}
}

static void approach(unsigned *nearest, unsigned *second, unsigned distance)
{
	if (distance < *nearest) {
		*second = *nearest;
		*nearest = distance;
	} else if (distance < *second) {
		*second = distance;
	}
}

/* Only rows outside of events: those within are labelled anyway. */
static void find_distances(struct volume *v)
{
	unsigned next = 0;

	for (unsigned r = 0; r < v->rows; r++) {
		unsigned *a = &v->nearest[r], *b = &v->second[r];

		while (next < v->events && v->first[next] <= r)
			next++;
		*a = *b = FAR;
		for (unsigned e = next > 2 ? next - 2 : 0; !v->label[r] && e < next; e++)
			approach(a, b, r - v->last[e]);
		for (unsigned e = next; !v->label[r] && e < v->events && e < next + 2; e++)
			approach(a, b, v->first[e] - r);
	}
}

/* soft[k]: what the borders add to the labels that reach threshold k. */
static void add_borders(double *soft, const struct volume *v, unsigned w)
{
	memset(soft, 0, (LEVELS + 1) * sizeof(*soft));
	for (unsigned r = 0; r < v->rows; r++) {
		if (v->nearest[r] > w / 2)
			continue;
		soft[v->level[r]] += v->second[r] <= w / 2 ? 1 : sqrt(1 - (double)v->nearest[r] / w);
	}
	for (unsigned k = 1; k < LEVELS; k++)
		soft[k] += soft[k - 1];
}

/* met[k]: the share of events, widened and merged where they touch, that reach threshold k. */
static void find_met(double *met, const struct volume *v, unsigned reach)
{
	unsigned groups = 0;

	memset(met, 0, (LEVELS + 1) * sizeof(*met));
	for (unsigned e = 0; e < v->events; groups++) {
		unsigned from = v->first[e] > reach ? v->first[e] - reach : 0, to, best = LEVELS;

		for (e++; e < v->events && v->first[e] - v->last[e - 1] <= 2 * reach; e++)
			;
		to = v->rows - 1 - v->last[e - 1] > reach ? v->last[e - 1] + reach : v->rows - 1;
		for (unsigned r = from; r <= to; r++)
			best = v->level[r] < best ? v->level[r] : best;
		met[best]++;
	}
	for (unsigned k = 1; k < LEVELS; k++)
		met[k] += met[k - 1];
	for (unsigned k = 0; k < LEVELS; k++)
		met[k] /= groups;
}

/* The areas under both curves for one width of the borders. */
static struct metric_volume areas(const struct volume *v, unsigned w)
{
	double soft[LEVELS + 1], met[LEVELS + 1], recall_before = 0, false_before = 0;
	struct metric_volume area = { 0, 0 };

	add_borders(soft, v, w);
	find_met(met, v, w / 2);
	for (unsigned k = 0; k < LEVELS; k++) {
		double hits = v->hard[k] + soft[k], positive = v->positive + soft[k] / 2;
		double recall = fmin(hits / positive, 1) * met[k];
		double alarms = (v->count[k] - hits) / (v->rows - positive);

		area.roc += (alarms - false_before) * (recall + recall_before) / 2;
		area.pr += (recall - recall_before) * hits / v->count[k];
		recall_before = recall;
		false_before = alarms;
	}
	area.roc += (1 - false_before) * (1 + recall_before) / 2;
	return area;
}

static void volume_free(struct volume *v)
{
	free(v->first);
	free(v->last);
	free(v->nearest);
	free(v->second);
	free(v->level);
}

static int volume_open(struct volume *v, const uint8_t *label, const float *score, unsigned rows)
{
	*v = (struct volume){ .label = label, .rows = rows };
	v->first = malloc(((size_t)rows + 1) / 2 * sizeof(*v->first));
	v->last = malloc(((size_t)rows + 1) / 2 * sizeof(*v->last));
	v->nearest = malloc(rows * sizeof(*v->nearest));
	v->second = malloc(rows * sizeof(*v->second));
	v->level = malloc(rows * sizeof(*v->level));
	if (!v->first || !v->last || !v->nearest || !v->second || !v->level)
		return -ENOMEM;
	find_events(v);
	find_distances(v);
	return set_levels(v, score);
}

int metric_volume(struct metric_volume *out, const uint8_t *label, const float *score,
		  unsigned rows, unsigned window)
{
	struct volume v;
	int err;

	*out = (struct metric_volume){ NAN, NAN };
	if (!rows)
		return 0;
	err = volume_open(&v, label, score, rows);
	if (!err && v.events && v.positive < rows) {
		*out = (struct metric_volume){ 0, 0 };
		for (unsigned w = 0; w <= window; w++) {
			struct metric_volume a = areas(&v, w);

			out->roc += a.roc / (window + 1.0);
			out->pr += a.pr / (window + 1.0);
		}
	}
	volume_free(&v);
	return err;
}
