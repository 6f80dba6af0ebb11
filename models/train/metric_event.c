// SPDX-License-Identifier: MIT
/*
 * metric_event: what a person with a pager sees: events met and missed, how late,
 * and alarms about nothing; and SKAB's change points.
 */
#include "models/train/metric.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define DAY_S 86400.0

static unsigned runs(const uint8_t *v, unsigned rows)
{
	unsigned n = 0;

	for (unsigned r = 0; r < rows; r++)
		n += v[r] && (!r || !v[r - 1]);
	return n;
}

/* First row from `from` on that is not of the run. */
static unsigned run_end(const uint8_t *v, unsigned from, unsigned rows)
{
	while (from < rows && v[from])
		from++;
	return from;
}

/* First row of from..to-1 that is set, or to. */
static unsigned first_set(const uint8_t *v, unsigned from, unsigned to)
{
	while (from < to && !v[from])
		from++;
	return from;
}

int metric_events_add(struct metric_events *e, const uint8_t *label, const uint8_t *alarm,
		      unsigned rows)
{
	size_t room = (size_t)e->met + runs(label, rows) + 1;
	unsigned *delay = realloc(e->delay, room * sizeof(*delay));

	if (!delay)
		return -ENOMEM;
	e->delay = delay;
	for (unsigned r = first_set(label, 0, rows), end; r < rows; r = first_set(label, end, rows)) {
		unsigned hit;

		end = run_end(label, r, rows);
		hit = first_set(alarm, r, end);
		e->events++;
		if (hit < end)
			e->delay[e->met++] = hit - r;
	}
	for (unsigned r = first_set(alarm, 0, rows), end; r < rows; r = first_set(alarm, end, rows)) {
		end = run_end(alarm, r, rows);
		e->alarms++;
		e->true_alarms += first_set(label, r, end) < end;
	}
	for (unsigned r = 0; r < rows; r++)
		e->normal_rows += !label[r];
	return 0;
}

void metric_events_free(struct metric_events *e)
{
	free(e->delay);
	e->delay = NULL;
}

double metric_event_recall(const struct metric_events *e)
{
	return e->events ? (double)e->met / e->events : NAN;
}

double metric_event_precision(const struct metric_events *e)
{
	return e->alarms ? (double)e->true_alarms / e->alarms : NAN;
}

static int ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

double metric_delay_rows(struct metric_events *e)
{
	if (!e->met)
		return NAN;
	qsort(e->delay, e->met, sizeof(*e->delay), ascending);
	return ((double)e->delay[(e->met - 1) / 2] + e->delay[e->met / 2]) / 2;
}

double metric_false_alarms_day(const struct metric_events *e, double rate_hz)
{
	double days = (double)e->normal_rows / (rate_hz * DAY_S);

	return days > 0 ? (e->alarms - e->true_alarms) / days : NAN;
}

/* What a detection in a window earns at best, one outside and a window without one cost. */
static const struct {
	double hit, outside, missed;
} profiles[METRIC_PROFILES] = {
	[METRIC_STANDARD] = { 1, -.11, -1 },
	[METRIC_LOW_FP] = { 1, -.22, -1 },
	[METRIC_LOW_FN] = { 1, -.11, -2 },
};

/* The earning falls along a tanh over +-pi/2, from .hit to .outside, in so many steps. */
#define STEPS 1000

static double earning(enum metric_profile p, double part)
{
	double step = part < 1 ? floor(part * STEPS) : STEPS - 1;
	double x = M_PI * (fmin(step, STEPS - 1) / (STEPS - 1) - .5);
	double half = (profiles[p].hit - profiles[p].outside) / 2;

	return -half * tanh(x) / tanh(M_PI / 2) + half + profiles[p].outside;
}

/* Windows of change points as [begin, end]; one that reaches into the next cuts that one short. */
static unsigned windows(double (*w)[2], const double *time, const uint8_t *point, unsigned rows,
			double window_s)
{
	unsigned n = 0;

	for (unsigned r = 0; r < rows; r++) {
		if (!point[r])
			continue;
		w[n][0] = n && w[n - 1][1] >= time[r] ? w[n - 1][1] : time[r];
		w[n][1] = time[r] + window_s;
		n++;
	}
	return n;
}

int metric_change_add(struct metric_change *c, const double *time, const uint8_t *point,
		      const uint8_t *alarm, unsigned rows, double window_s)
{
	double(*w)[2] = malloc(((size_t)rows + 1) * sizeof(*w));
	uint8_t *used = calloc((size_t)rows + 1, 1);
	unsigned n = 0, missed = 0, outside = 0;

	if (!w || !used) {
		free(w);
		free(used);
		return -ENOMEM;
	}
	n = windows(w, time, point, rows, window_s);
	for (unsigned i = 0; i < n; i++) {
		unsigned first = rows;

		for (unsigned r = 0; r < rows; r++) {
			if (!alarm[r] || time[r] < w[i][0] || time[r] > w[i][1])
				continue;
			first = first < rows ? first : r;
			used[r] = 1;
		}
		missed += first == rows;
		for (int p = 0; first < rows && p < METRIC_PROFILES; p++) {
			double length = w[i][1] - w[i][0];
			double part = length > 0 ? (time[first] - w[i][0]) / length : 1;

			c->sum[p] += earning((enum metric_profile)p, part);
		}
	}
	for (unsigned r = 0; r < rows; r++)
		outside += alarm[r] && !used[r];
	for (int p = 0; p < METRIC_PROFILES; p++)
		c->sum[p] += profiles[p].outside * outside + profiles[p].missed * missed;
	c->points += n;
	c->missed += missed;
	c->false_alarms += outside;
	free(w);
	free(used);
	return 0;
}

double metric_change_score(const struct metric_change *c, enum metric_profile p)
{
	double none = profiles[p].missed * c->points, all = profiles[p].hit * c->points;

	return c->points ? 100 * (c->sum[p] - none) / (all - none) : NAN;
}
