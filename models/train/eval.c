// SPDX-License-Identifier: MIT
/* eval: see eval.h. */
#include "models/train/eval.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/train/run.h"

enum { ROC, AP, VUS_ROC, VUS_PR };

static void count_in(struct eval *e, int which, double v)
{
	if (isnan(v))
		return;
	e->sum[which] += v;
	e->count[which]++;
}

int eval_add(struct eval *e, const uint8_t *label, const float *score, const float *decide,
	     unsigned rows, float limit)
{
	uint8_t *alarm = malloc((size_t)rows + 1);
	struct metric_ranks ranks;
	struct metric_volume volume;
	int err = alarm ? metric_ranks(&ranks, label, score, rows) : -ENOMEM;

	if (!err)
		err = metric_volume(&volume, label, score, rows, e->window);
	for (unsigned r = 0; !err && r < rows; r++)
		alarm[r] = decide[r] > limit;
	if (!err)
		err = metric_events_add(&e->events, label, alarm, rows);
	if (!err) {
		metric_confusion_add(&e->confusion, label, alarm, rows);
		count_in(e, ROC, ranks.roc_auc);
		count_in(e, AP, ranks.average_precision);
		count_in(e, VUS_ROC, volume.roc);
		count_in(e, VUS_PR, volume.pr);
	}
	free(alarm);
	return err;
}

void eval_close(struct eval *e)
{
	metric_events_free(&e->events);
}

static double mean(const struct eval *e, int which)
{
	return e->count[which] ? e->sum[which] / e->count[which] : NAN;
}

struct eval_figures eval_figures(struct eval *e)
{
	return (struct eval_figures){
		.roc_auc = mean(e, ROC), .ap = mean(e, AP),
		.vus_roc = mean(e, VUS_ROC), .vus_pr = mean(e, VUS_PR),
		.f1 = metric_f1(&e->confusion),
		.far = metric_far(&e->confusion), .mar = metric_mar(&e->confusion),
		.event_precision = metric_event_precision(&e->events),
		.event_recall = metric_event_recall(&e->events),
		.delay_rows = metric_delay_rows(&e->events),
		.false_alarms_day = metric_false_alarms_day(&e->events, e->rate_hz),
	};
}

bool eval_limit_parse(struct eval_limit *out, const char *text)
{
	static const struct {
		const char *unit;
		double days;
	} units[] = { { "/hour", 1 / 24. }, { "/day", 1 }, { "/week", 7 } };
	char *end;
	double v = strtod(text, &end);

	if (!strcmp(text, "point")) {
		*out = (struct eval_limit){ EVAL_POINT, 0 };
		return true;
	}
	if (end == text || !isfinite(v) || v < 0)
		return false;
	if (!*end) {
		*out = (struct eval_limit){ EVAL_SCORE, v };
		return true;
	}
	for (unsigned i = 0; v > 0 && i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].unit)) {
			*out = (struct eval_limit){ EVAL_PER_DAY, v / units[i].days };
			return true;
		}
	return false;
}

float eval_limit_of(const struct eval_limit *l, const struct model *m)
{
	if (l->rule == EVAL_SCORE)
		return (float)l->value;
	if (l->rule == EVAL_PER_DAY)
		return tail_score(&m->tail, (float)log(m->rate_hz * 86400 / l->value));
	return m->point_limit;
}

struct outcome {
	float *score, *departure;
};

static void keep(void *ctx, unsigned row, const struct detector_result *r)
{
	struct outcome *o = ctx;

	o->score[row] = r->ready ? r->score : 0;
	if (o->departure)
		o->departure[row] = r->departure;
}

int eval_scores(const struct model *m, unsigned views, const float *x, unsigned rows,
		float *score, float *departure, struct why *why)
{
	struct outcome o = { score, departure };
	struct detector_spec s = m->spec;
	struct detector *d;
	enum fc_kind kind;
	bool any = !views;
	int err;

	for (unsigned v = 0; views && v < VIEWS; v++) {
		if (!(views >> v & 1))
			s.view[v].weight = 0;
		any |= s.view[v].weight > 0;
	}
	/* The quick head listens to all cheap views: one alone is to speak on every row. */
	if (views)
		s.quick.hidden = 0;
	if (!any)
		return why_set(why, -EINVAL, "model %s has none of these views", m->name);
	err = model_detector_best(&d, m, &kind, why);
	if (err)
		return err;
	detector_close(d);
	return run_rows(&s, kind, x, rows, keep, &o, why);
}
