// SPDX-License-Identifier: MIT
/* report_eval: see report_eval.h. A figure that labels do not define is "-", in JSON null. */
#include "models/train/report_eval.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-json.h>

static int row_json(sd_json_variant **rows, const struct eval_row *r)
{
	const struct eval_figures *f = &r->figures;

	return sd_json_variant_append_arraybo(rows,
		SD_JSON_BUILD_PAIR_STRING("name", r->name),
		SD_JSON_BUILD_PAIR_STRING("kind", r->rival ? "rival" : "model"),
		SD_JSON_BUILD_PAIR_REAL("roc_auc", f->roc_auc),
		SD_JSON_BUILD_PAIR_REAL("ap", f->ap),
		SD_JSON_BUILD_PAIR_REAL("vus_roc", f->vus_roc),
		SD_JSON_BUILD_PAIR_REAL("vus_pr", f->vus_pr),
		SD_JSON_BUILD_PAIR_REAL("f1", f->f1),
		SD_JSON_BUILD_PAIR_REAL("far", f->far),
		SD_JSON_BUILD_PAIR_REAL("mar", f->mar),
		SD_JSON_BUILD_PAIR_REAL("event_precision", f->event_precision),
		SD_JSON_BUILD_PAIR_REAL("event_recall", f->event_recall),
		SD_JSON_BUILD_PAIR_REAL("delay", f->delay_rows),
		SD_JSON_BUILD_PAIR_REAL("false_alarms_day", f->false_alarms_day),
		SD_JSON_BUILD_PAIR_REAL("limit", (double)r->limit));
}

static int put_json(const struct eval_report *r)
{
	sd_json_variant *v = NULL, *rows = NULL;
	int err = sd_json_variant_new_array(&rows, NULL, 0);

	for (unsigned k = 0; err >= 0 && k < r->row_count; k++)
		err = row_json(&rows, &r->row[k]);
	if (err >= 0)
		err = sd_json_buildo(&v,
			SD_JSON_BUILD_PAIR_STRING("test", r->test),
			SD_JSON_BUILD_PAIR_CONDITION(!!r->train, "train", SD_JSON_BUILD_STRING(r->train)),
			SD_JSON_BUILD_PAIR_UNSIGNED("rows", r->rows),
			SD_JSON_BUILD_PAIR_UNSIGNED("anomalous_rows", r->anomalous),
			SD_JSON_BUILD_PAIR_UNSIGNED("events", r->events),
			SD_JSON_BUILD_PAIR_REAL("rate_hz", r->rate_hz),
			SD_JSON_BUILD_PAIR_UNSIGNED("vus_window", r->window),
			SD_JSON_BUILD_PAIR_VARIANT("methods", rows));
	if (err >= 0)
		err = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(rows);
	sd_json_variant_unref(v);
	return err < 0 ? err : 0;
}

static void cell(int width, int digits, double v)
{
	if (isnan(v))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, digits, v);
}

static void row_text(const struct eval_row *r, int width)
{
	const struct eval_figures *f = &r->figures;

	printf("%-*s", width, r->name);
	cell(7, 4, f->roc_auc);
	cell(7, 4, f->ap);
	cell(7, 4, f->vus_roc);
	cell(7, 4, f->vus_pr);
	cell(6, 3, f->f1);
	cell(5, 1, f->far);
	cell(5, 1, f->mar);
	cell(6, 3, f->event_precision);
	cell(6, 3, f->event_recall);
	cell(6, 1, f->delay_rows);
	cell(8, 1, f->false_alarms_day);
	printf(" %9.4g\n", (double)r->limit);
}

int report_eval(const struct eval_report *r, bool json)
{
	int width = (int)strlen("half-space-trees");

	if (json)
		return put_json(r);
	for (unsigned k = 0; k < r->row_count; k++)
		if ((int)strlen(r->row[k].name) > width)
			width = (int)strlen(r->row[k].name);
	printf("%s: %u rows at %g Hz, %u of them in %u events\n", r->test, r->rows, r->rate_hz,
	       r->anomalous, r->events);
	printf("%-*s %7s %7s %7s %7s %6s %5s %5s %6s %6s %6s %8s %9s\n", width, "", "ROC-AUC", "AP",
	       "VUS-ROC", "VUS-PR", "F1", "FAR%", "MAR%", "ev.pr", "ev.re", "delay", "false/d",
	       "limit");
	for (unsigned k = 0; k < r->row_count; k++)
		row_text(&r->row[k], width);
	if (!r->train)
		printf("Without --train only the random rival can stand beside.\n");
	return 0;
}
