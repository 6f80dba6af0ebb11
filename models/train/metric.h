/* SPDX-License-Identifier: MIT */
/*
 * metric: how well scores and decisions match labels. Every figure is per row as it
 * comes: nothing is adjusted by segments, because with that a random score looks like
 * the state of the art (Kim et al. 2022, "Towards a rigorous evaluation of time-series
 * anomaly detection"). Labels are 0 or not 0; scores are finite, higher is more anomalous.
 * A figure that labels do not define (one class only) is NaN and left out of means.
 */
#ifndef SONDE_TRAIN_METRIC_H
#define SONDE_TRAIN_METRIC_H

#include <stdint.h>

/* A window of labels' borders that still counts as the event, for VUS. */
#define METRIC_WINDOW 100u

struct metric_ranks {
	double roc_auc;			/* Mann-Whitney, equal scores share their mean rank */
	double average_precision;	/* over distinct scores, no interpolation */
};

/* -ENOMEM. label[rows], score[rows]. */
int metric_ranks(struct metric_ranks *out, const uint8_t *label, const float *score,
		 unsigned rows);

/*
 * Volumes under the surface (Paparrizos et al. 2022, PVLDB 15): areas under the curves,
 * averaged over labels that are widened softly by 0 .. window rows, at METRIC_THRESHOLDS
 * scores, with the share of events that were met at all as a factor of recall. O(window *
 * (rows + thresholds)).
 */
#define METRIC_THRESHOLDS 250u

struct metric_volume {
	double roc, pr;
};

/* NaN without an event or without a row outside of events. -ENOMEM. */
int metric_volume(struct metric_volume *out, const uint8_t *label, const float *score,
		  unsigned rows, unsigned window);

/* Decisions against labels; sums over files, then ratios of the sums. */
struct metric_confusion {
	uint64_t tp, tn, fp, fn;
};

void metric_confusion_add(struct metric_confusion *c, const uint8_t *label,
			  const uint8_t *alarm, unsigned rows);
double metric_f1(const struct metric_confusion *c);
/* Percent of the normal rows that alarmed, of the anomalous rows that did not. */
double metric_far(const struct metric_confusion *c);
double metric_mar(const struct metric_confusion *c);

/*
 * Events: an event is a run of labelled rows, an alarm a run of alarmed rows. An event
 * is met when one of its rows alarmed, and its delay is the rows before the first that did;
 * an alarm is true when it has a labelled row. Zeroed: nothing yet; metric_events_free.
 */
struct metric_events {
	unsigned events, met, alarms, true_alarms;
	uint64_t normal_rows;
	unsigned *delay;	/* [met] rows */
};

int metric_events_add(struct metric_events *e, const uint8_t *label, const uint8_t *alarm,
		      unsigned rows);
void metric_events_free(struct metric_events *e);
double metric_event_recall(const struct metric_events *e);
double metric_event_precision(const struct metric_events *e);
/* Median over the events that were met; sorts e->delay. */
double metric_delay_rows(struct metric_events *e);
/* False alarms in a day's worth of normal rows, at so many rows a second. */
double metric_false_alarms_day(const struct metric_events *e, double rate_hz);

/*
 * SKAB's change points: a window of so many seconds right of each; the first detection
 * in a window earns the more the earlier, those outside cost, as do windows without one.
 * 100 is perfect, 0 is no detection at all. Sums over files: zeroed at first.
 */
enum metric_profile { METRIC_STANDARD, METRIC_LOW_FP, METRIC_LOW_FN, METRIC_PROFILES };

struct metric_change {
	double sum[METRIC_PROFILES];
	unsigned points, missed, false_alarms;
};

/* time[rows] seconds, ascending; point[rows] truth, alarm[rows] decisions. -ENOMEM. */
int metric_change_add(struct metric_change *c, const double *time, const uint8_t *point,
		      const uint8_t *alarm, unsigned rows, double window_s);
double metric_change_score(const struct metric_change *c, enum metric_profile profile);

#endif
