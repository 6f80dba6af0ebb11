// SPDX-License-Identifier: MIT
/* report_fit_json: all of a fit's report, for programs. What is not defined is null. */
#include <math.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "models/model.h"
#include "models/train/fit.h"
#include "models/train/report.h"
#include "models/train/review.h"

#define MATRIX_MAX 256u		/* channels up to which the whole matrix is told */

static int numbers(sd_json_variant **v, const double *value, unsigned n)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < n; k++)
		err = sd_json_variant_append_arrayb(v, SD_JSON_BUILD_REAL(value[k]));
	return err;
}

static int views(sd_json_variant **v, const struct report_fit *r)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < VIEWS; k++)
		err = sd_json_variant_append_arraybo(v,
			SD_JSON_BUILD_PAIR_STRING("name",
						  detector_view_name((enum detector_view)k)),
			SD_JSON_BUILD_PAIR_BOOLEAN("kept", r->m->spec.view[k].weight > 0),
			SD_JSON_BUILD_PAIR_REAL("carry", r->fit->carry[k]));
	return err;
}

static int pairs(sd_json_variant **v, const struct report_fit *r)
{
	const struct covariance *c = &r->review->left;
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < c->pairs; k++)
		err = sd_json_variant_append_arraybo(v,
			SD_JSON_BUILD_PAIR_STRING("a", r->m->channel[c->pair[k].a].name),
			SD_JSON_BUILD_PAIR_STRING("b", r->m->channel[c->pair[k].b].name),
			SD_JSON_BUILD_PAIR_REAL("correlation", (double)c->pair[k].correlation));
	return err;
}

/* Rows of v[rows][n] as arrays. */
static int matrix(sd_json_variant **v, const float *value, unsigned rows, unsigned n)
{
	int err = sd_json_variant_new_array(v, NULL, 0);

	for (unsigned r = 0; err >= 0 && r < rows; r++) {
		sd_json_variant *row = NULL;

		err = sd_json_variant_new_array(&row, NULL, 0);
		for (unsigned k = 0; err >= 0 && k < n; k++)
			err = sd_json_variant_append_arrayb(&row,
				SD_JSON_BUILD_REAL((double)value[(size_t)r * n + k]));
		if (err >= 0)
			err = sd_json_variant_append_array(v, row);
		sd_json_variant_unref(row);
	}
	return err;
}

static int residuals(sd_json_variant **v, const struct report_fit *r)
{
	const struct covariance *c = &r->review->left;
	unsigned n = c->channels <= MATRIX_MAX ? c->channels : 0;
	sd_json_variant *top = NULL, *all = NULL, *deviation = NULL;
	int err = pairs(&top, r);

	if (err >= 0)
		err = matrix(&all, c->correlation, n, n);
	if (err >= 0)
		err = matrix(&deviation, c->deviation, n ? 1 : 0, n);
	if (err >= 0)
		err = sd_json_buildo(v,
			SD_JSON_BUILD_PAIR_UNSIGNED("rows", c->rows),
			SD_JSON_BUILD_PAIR_VARIANT("pairs", top),
			SD_JSON_BUILD_PAIR_CONDITION(n > 0, "deviation",
				SD_JSON_BUILD_VARIANT(sd_json_variant_by_index(deviation, 0))),
			SD_JSON_BUILD_PAIR_CONDITION(n > 0, "correlation",
						     SD_JSON_BUILD_VARIANT(all)));
	sd_json_variant_unref(top);
	sd_json_variant_unref(all);
	sd_json_variant_unref(deviation);
	return err;
}

static int training(sd_json_variant **v, const struct report_fit *r)
{
	const struct learn_report *l = &r->fit->learn;

	return sd_json_buildo(v,
		SD_JSON_BUILD_PAIR_REAL("seconds", l->seconds),
		SD_JSON_BUILD_PAIR_UNSIGNED("threads", l->threads),
		SD_JSON_BUILD_PAIR_UNSIGNED("memory_budget", r->options->learn.memory_budget),
		SD_JSON_BUILD_PAIR_UNSIGNED("peak_bytes", l->peak_bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("peak_bytes_without_budget", l->peak_bytes_plain),
		SD_JSON_BUILD_PAIR_UNSIGNED("segment_steps", l->segment_steps),
		SD_JSON_BUILD_PAIR_UNSIGNED("steps", l->steps_run),
		SD_JSON_BUILD_PAIR_UNSIGNED("steps_again", l->steps_again),
		SD_JSON_BUILD_PAIR_BOOLEAN("mixed", r->options->learn.mixed),
		SD_JSON_BUILD_PAIR_UNSIGNED("updates", l->updates),
		SD_JSON_BUILD_PAIR_UNSIGNED("skipped", l->skipped),
		SD_JSON_BUILD_PAIR_REAL("loss_scale", (double)l->loss_scale));
}

static int cost(sd_json_variant **v, const struct report_fit *r)
{
	const struct review *w = r->review;
	struct cost_part all = cost_sum(&w->cost);
	double us = cost_ns(&all, &w->target) / 1e3;
	sd_json_variant *operators = NULL;
	int err = report_cost_build(&operators, &w->cost, &w->target);

	if (err >= 0)
		err = sd_json_buildo(v,
			SD_JSON_BUILD_PAIR_STRING("target", w->target.name),
			SD_JSON_BUILD_PAIR_BOOLEAN("estimated", !w->target.measured),
			SD_JSON_BUILD_PAIR_REAL("us", us),
			SD_JSON_BUILD_PAIR_REAL("measured_us", w->measured_us),
			SD_JSON_BUILD_PAIR_REAL("core_percent", us * 1e-4 * r->m->rate_hz),
			SD_JSON_BUILD_PAIR_UNSIGNED("ram_bytes", cost_ram(&w->cost, w->int8_bytes)),
			SD_JSON_BUILD_PAIR_REAL("mul_adds", cost_mul_adds(&all)),
			SD_JSON_BUILD_PAIR_VARIANT("operators", operators));
	sd_json_variant_unref(operators);
	return err;
}

static int agreement(sd_json_variant **v, const struct report_fit *r)
{
	const struct quantize_report *q = &r->review->agree;

	return sd_json_buildo(v,
		SD_JSON_BUILD_PAIR_UNSIGNED("bytes", r->review->int8_bytes),
		SD_JSON_BUILD_PAIR_UNSIGNED("rows_compared", q->rows),
		SD_JSON_BUILD_PAIR_REAL("correlation", q->correlation),
		SD_JSON_BUILD_PAIR_REAL("mean_difference", q->mean_difference),
		SD_JSON_BUILD_PAIR_REAL("max_difference", q->max_difference),
		SD_JSON_BUILD_PAIR_REAL("agreement", r->review->same_side));
}

/* What there is but the parts that have an object of their own. */
static int build(sd_json_variant **v, const struct report_fit *r)
{
	const struct fit_report *f = r->fit;

	return sd_json_buildo(v,
		SD_JSON_BUILD_PAIR_STRING("model", r->m->name),
		SD_JSON_BUILD_PAIR_STRING("file", r->path),
		SD_JSON_BUILD_PAIR_UNSIGNED("bytes", report_file_size(r->path)),
		SD_JSON_BUILD_PAIR_UNSIGNED("rows", f->rows),
		SD_JSON_BUILD_PAIR_UNSIGNED("held_out_rows", f->held_rows),
		SD_JSON_BUILD_PAIR_UNSIGNED("channels", f->channels),
		SD_JSON_BUILD_PAIR_UNSIGNED("wandering", f->wandering),
		SD_JSON_BUILD_PAIR_UNSIGNED("dead", f->dead),
		SD_JSON_BUILD_PAIR_REAL("rate_hz", r->m->rate_hz),
		SD_JSON_BUILD_PAIR_UNSIGNED("lags", f->lags),
		SD_JSON_BUILD_PAIR_UNSIGNED("rank", f->rank),
		SD_JSON_BUILD_PAIR_UNSIGNED("hidden", f->hidden),
		SD_JSON_BUILD_PAIR_BOOLEAN("lstm_tried", f->tried_net),
		SD_JSON_BUILD_PAIR_BOOLEAN("lstm_kept",
					   r->m->spec.recurrent.kind != RECURRENT_NONE),
		SD_JSON_BUILD_PAIR_UNSIGNED("epochs", f->learn.epochs),
		SD_JSON_BUILD_PAIR_UNSIGNED("best_epoch", f->learn.best_epoch),
		SD_JSON_BUILD_PAIR_BOOLEAN("interrupted", f->learn.stopped),
		SD_JSON_BUILD_PAIR_REAL("loss_linear", f->linear_loss),
		SD_JSON_BUILD_PAIR_REAL("loss_net", f->net_loss),
		SD_JSON_BUILD_PAIR_REAL("early_share", f->early),
		SD_JSON_BUILD_PAIR_REAL("point_limit", (double)r->m->point_limit),
		SD_JSON_BUILD_PAIR_REAL("limit_per_day", report_day_limit(r->m)),
		SD_JSON_BUILD_PAIR_REAL("seconds", r->seconds));
}

enum { CURVE, TRAIN_CURVE, VIEW_LIST, RESIDUALS, TRAINING, COST, INT8, PARTS };

int report_fit_json(const struct report_fit *r)
{
	const struct learn_report *l = &r->fit->learn;
	sd_json_variant *v = NULL, *part[PARTS] = { NULL };
	int err = numbers(&part[CURVE], l->curve, l->epochs);

	if (err >= 0)
		err = numbers(&part[TRAIN_CURVE], l->train_curve, l->epochs);
	if (err >= 0)
		err = views(&part[VIEW_LIST], r);
	if (err >= 0)
		err = residuals(&part[RESIDUALS], r);
	if (err >= 0)
		err = training(&part[TRAINING], r);
	if (err >= 0)
		err = cost(&part[COST], r);
	if (err >= 0)
		err = agreement(&part[INT8], r);
	if (err >= 0)
		err = build(&v, r);
	if (err >= 0)
		err = sd_json_variant_merge_objectbo(&v,
			SD_JSON_BUILD_PAIR_VARIANT("loss_curve", part[CURVE]),
			SD_JSON_BUILD_PAIR_VARIANT("train_curve", part[TRAIN_CURVE]),
			SD_JSON_BUILD_PAIR_VARIANT("views", part[VIEW_LIST]),
			SD_JSON_BUILD_PAIR_VARIANT("residuals", part[RESIDUALS]),
			SD_JSON_BUILD_PAIR_CONDITION(r->fit->tried_net, "training",
						     SD_JSON_BUILD_VARIANT(part[TRAINING])),
			SD_JSON_BUILD_PAIR_VARIANT("cost", part[COST]),
			SD_JSON_BUILD_PAIR_VARIANT("int8", part[INT8]));
	for (unsigned k = 0; k < PARTS; k++)
		sd_json_variant_unref(part[k]);
	return report_put(v, err);
}
