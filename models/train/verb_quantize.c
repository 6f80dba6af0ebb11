// SPDX-License-Identifier: MIT
/*
 * verb_quantize: the command line of `sonde model quantize`.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/eval.h"
#include "models/train/match.h"
#include "models/train/metric.h"
#include "models/train/quantize.h"
#include "models/train/report.h"
#include "models/train/review.h"
#include "models/train/verb.h"

const char quantize_help[] =
	"  MODEL                the float32 model that fit wrote\n"
	"  -o, --output Q       where the int8 model goes\n"
	"  --calibrate A.csv    normal operation, best what it was fitted on: limits are\n"
	"                       measured again with the int8 arithmetic\n"
	"  --dynamic            each row at its own step; slower, and nothing to calibrate\n"
	"  --range R            where inputs are clipped: fixed (as the float model has it),\n"
	"                       minmax, or a percentile of what A.csv had, e.g. 99.9\n"
	"  --test B.csv         labelled rows: how well float and int8 tell them apart\n"
	"  -j, --json           the report as JSON\n";

struct quantize_line {
	const char *model, *output, *calibrate, *test;
	struct quantize_options how;
	bool json;
};

static int parse_range(struct quantize_options *o, const char *text, struct why *why)
{
	char *end;

	if (!strcmp(text, "fixed")) {
		o->range = QUANTIZE_FIXED;
		return 0;
	}
	if (!strcmp(text, "minmax")) {
		o->range = QUANTIZE_MINMAX;
		return 0;
	}
	o->range = QUANTIZE_PERCENTILE;
	o->percentile = strtod(text, &end);
	if (end == text || *end || !(o->percentile >= 50 && o->percentile <= 100))
		return why_set(why, VERB_USAGE, "--range %s: fixed, minmax or a percentile of 50 "
			       "to 100", text);
	return 0;
}

static int parse(struct quantize_line *l, int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "output", 1, 0, 'o' }, { "calibrate", 1, 0, 'c' }, { "dynamic", 0, 0, 'd' },
		{ "range", 1, 0, 'r' }, { "test", 1, 0, 't' },
		{ "json", 0, 0, 'j' }, { 0 },
	};
	int o, err = 0;

	opterr = 0;
	while (!err && (o = getopt_long(argc, argv, "o:j", options, NULL)) != -1)
		switch (o) {
		case 'o': l->output = optarg; break;
		case 'c': l->calibrate = optarg; break;
		case 'd': l->how.dynamic = true; break;
		case 'r': err = parse_range(&l->how, optarg, why); break;
		case 't': l->test = optarg; break;
		case 'j': l->json = true; break;
		default: return option_unknown(argc, argv, why);
		}
	if (err)
		return err;
	if (argc - optind != 1)
		return why_set(why, VERB_USAGE, "one model file is wanted");
	if (!l->output)
		return why_set(why, VERB_USAGE, "-o is missing");
	l->model = argv[optind];
	return 0;
}

/* The score that m[k] has of each labelled row, for both. */
static int rank(struct report_ranks *r, const struct model *const m[2], const struct table *t,
		const float *x, struct why *why)
{
	float *score = malloc(t->rows * sizeof(*score));
	int err = score ? 0 : why_set(why, -ENOMEM, "out of memory");

	r->rows = t->rows;
	for (unsigned k = 0; k < t->rows; k++)
		r->anomalous += t->label[k] != 0;
	for (unsigned k = 0; !err && k < 2; k++) {
		struct metric_ranks ranks;

		err = eval_scores(m[k], 0, x, t->rows, score, NULL, why);
		if (!err && metric_ranks(&ranks, t->label, score, t->rows))
			err = why_set(why, -ENOMEM, "out of memory");
		if (err)
			break;
		r->roc_auc[k] = ranks.roc_auc;
		r->ap[k] = ranks.average_precision;
	}
	free(score);
	return err;
}

static int test(struct report_ranks *r, const char *path, const struct model *m,
		const struct model *int8, struct why *why)
{
	const struct model *both[2] = { m, int8 };
	struct table *t = NULL;
	float *x = NULL;
	int err = table_read(&t, path, why);

	*r = (struct report_ranks){ .path = path };
	if (!err && !t->label)
		err = why_set(why, -EINVAL, "%s: no column label or anomaly", path);
	if (!err)
		err = match_table(&x, m, t, path, why);
	if (!err)
		err = rank(r, both, t, x, why);
	free(x);
	table_free(t);
	return err;
}

/* Nothing is written before everything went well. */
static int run(const struct quantize_line *l, const struct model *m, const struct recording *rec,
	       struct why *why)
{
	struct quantize_report report;
	struct report_ranks ranks = { 0 };
	struct draft d = { 0 };
	double same = 0;
	int err = quantize_model(&d, m, rec, &l->how, &report, why);

	if (!err)
		err = review_same_side(&same, m, &d.m, rec ? rec->x : m->test_x,
				       rec ? rec->rows : m->test_rows, why);
	if (!err && l->test)
		err = test(&ranks, l->test, m, &d.m, why);
	if (!err)
		err = model_save(&d.m, l->output, why);
	if (!err)
		err = report_quantize(&d.m, &l->how, &report, same, &ranks, l->output,
				      l->json);
	draft_close(&d);
	return err;
}

int verb_quantize(int argc, char **argv, struct why *why)
{
	struct quantize_line l = { 0 };
	struct model *m = NULL;
	struct table *t = NULL;
	float *x = NULL;
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = model_load(&m, l.model, why);
	if (!err && l.calibrate)
		err = table_read(&t, l.calibrate, why);
	if (!err && t)
		err = match_table(&x, m, t, l.calibrate, why);
	if (!err && t) {
		struct recording rec = { .x = x, .rows = t->rows };

		err = run(&l, m, &rec, why);
	} else if (!err) {
		err = run(&l, m, NULL, why);
	}
	free(x);
	table_free(t);
	model_free(m);
	return err;
}
