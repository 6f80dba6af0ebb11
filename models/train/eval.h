/* SPDX-License-Identifier: MIT */
/*
 * eval: scores of labelled recordings summed up into the figures that are shown. Ranks and
 * volumes are means over recordings (each has its own limit and scale); decisions and events
 * are pooled, as the sets' own tables do it.
 */
#ifndef SONDE_TRAIN_EVAL_H
#define SONDE_TRAIN_EVAL_H

#include <stdbool.h>

#include "models/train/metric.h"

struct model;
struct why;

/* What labels do not define is NaN. */
struct eval_figures {
	double roc_auc, ap, vus_roc, vus_pr;
	double f1, far, mar;			/* far, mar in percent */
	double event_precision, event_recall;
	double delay_rows, false_alarms_day;
};

/* One method over all recordings seen. Zeroed but for window and rate_hz: none yet. */
struct eval {
	unsigned window;		/* of the volumes; METRIC_WINDOW */
	double rate_hz;			/* rows a second */
	double sum[4];			/* roc_auc, ap, vus_roc, vus_pr */
	unsigned count[4];		/* recordings that define them */
	struct metric_confusion confusion;
	struct metric_events events;
};

/*
 * Rows whose decide[] is over limit alarm: the score itself, or a model's departure, which
 * falls back faster. -ENOMEM.
 */
int eval_add(struct eval *e, const uint8_t *label, const float *score, const float *decide,
	     unsigned rows, float limit);
void eval_close(struct eval *e);
struct eval_figures eval_figures(struct eval *e);

/* Which score is an alarm. */
struct eval_limit {
	enum { EVAL_POINT, EVAL_PER_DAY, EVAL_SCORE } rule;
	double value;		/* alarms a day by the model's training tail; the score itself */
};

/* "point" (the model's own), a number, or N/hour, N/day, N/week; false: none of these. */
bool eval_limit_parse(struct eval_limit *out, const char *text);
/* The limit of a model: of its departures (point), else of its score. */
float eval_limit_of(const struct eval_limit *l, const struct model *m);

/*
 * score[rows] and departure[rows] (may be NULL) of x[rows][N] by m, whose self-test chooses the operators as it does in the
 * daemon; with views (bits of enum detector_view, 0: as the model is) only by these.
 * -EINVAL: it has none of them.
 */
int eval_scores(const struct model *m, unsigned views, const float *x, unsigned rows,
		float *score, float *departure, struct why *why);

#endif
