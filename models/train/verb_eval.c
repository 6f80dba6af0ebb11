// SPDX-License-Identifier: MIT
/*
 * verb_eval: `sonde model eval`: how well models tell the labelled rows of a recording,
 * always beside what plain methods make of the same rows.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/table.h"
#include "models/train/match.h"
#include "models/train/report_eval.h"
#include "models/train/rival.h"
#include "models/train/verb.h"

#define MODELS_MAX 32u
#define WINDOW_MAX 10000u

const char eval_help[] =
	"  --model M       a model; may be given again, for models side by side\n"
	"  --test B.csv    labelled: a column label, anomaly or is_anomaly, 0 or 1, which no\n"
	"                  method sees\n"
	"  --train A.csv   what the rivals are fitted on, best what the model was\n"
	"  --label NAME    another column has the labels\n"
	"  --limit RULE    what alarms: point (the default; the model's own for single rows),\n"
	"                  N/hour, N/day, N/week (by its training tail), or a score\n"
	"  --views LIST    the models by these of their views alone\n"
	"  --window N      rows around an event that VUS counts as near (100)\n"
	"  --rate HZ       rows a second (from the time column, else the model's)\n"
	"  --seed N        of the random score and the half-space trees (1)\n"
	"  -j, --json      the report as JSON\n"
	"ROC-AUC, AP, VUS: of the scores, no limit in it. F1, FAR, MAR: of single rows. ev.pr,\n"
	"ev.re: alarms that are true, events that are met. delay: median, in rows. false/d:\n"
	"false alarms in a day of normal rows. Nothing is adjusted to whole events.\n";

struct eval_line {
	const char *model[MODELS_MAX], *test, *train, *label;
	unsigned models, views, window;
	struct eval_limit limit;
	double rate_hz;
	uint64_t seed;
	bool json;
};

/* What is scored, in the channels of one model. */
struct eval_data {
	struct table *test, *train;	/* train may be NULL */
	float *score, *departure;	/* [test->rows] */
	struct eval_row row[MODELS_MAX + RIVALS];
	unsigned rows;
};

static int add_model(struct eval_line *l, const char *path, struct why *why)
{
	if (l->models == MODELS_MAX)
		return why_set(why, VERB_USAGE, "--model: more than %u", MODELS_MAX);
	l->model[l->models++] = path;
	return 0;
}

static int set_option(struct eval_line *l, int option, struct why *why)
{
	switch (option) {
	case 'm': return add_model(l, optarg, why);
	case 't': l->test = optarg; return 0;
	case 'a': l->train = optarg; return 0;
	case 'n': l->label = optarg; return 0;
	case 'v': return option_views(&l->views, optarg, why);
	case 'w': return option_count(&l->window, "window", optarg, 0, WINDOW_MAX, why);
	case 'r': return option_hz(&l->rate_hz, optarg, why);
	case 's': return option_seed(&l->seed, optarg, why);
	case 'j': l->json = true; return 0;
	}
	if (eval_limit_parse(&l->limit, optarg))
		return 0;
	return why_set(why, VERB_USAGE, "--limit %s: point, N/day or a score", optarg);
}

static int parse(struct eval_line *l, int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "model", 1, 0, 'm' }, { "test", 1, 0, 't' }, { "train", 1, 0, 'a' },
		{ "label", 1, 0, 'n' }, { "limit", 1, 0, 'l' }, { "views", 1, 0, 'v' },
		{ "window", 1, 0, 'w' }, { "rate", 1, 0, 'r' }, { "seed", 1, 0, 's' },
		{ "json", 0, 0, 'j' }, { 0 },
	};
	int o, err = 0;

	opterr = 0;
	while (!err && (o = getopt_long(argc, argv, "j", options, NULL)) != -1)
		err = o == '?' || o == ':' ? option_unknown(argc, argv, why) : set_option(l, o, why);
	if (err)
		return err;
	if (optind < argc)
		return why_set(why, VERB_USAGE, "%s: not expected here", argv[optind]);
	if (!l->models || !l->test)
		return why_set(why, VERB_USAGE, "%s is missing", l->models ? "--test" : "--model");
	return 0;
}

static int judge(const struct eval_line *l, struct eval_data *d, const char *name, bool rival,
		 const float *decide, float limit, struct why *why)
{
	struct eval_row *row = &d->row[d->rows++];
	struct eval e = { .window = l->window, .rate_hz = l->rate_hz };
	int err = eval_add(&e, d->test->label, d->score, decide, d->test->rows, limit);

	*row = (struct eval_row){ name, rival, limit, eval_figures(&e) };
	eval_close(&e);
	return err ? why_set(why, err, "out of memory") : 0;
}

static int eval_model(const struct eval_line *l, struct eval_data *d, const char *path,
		      const struct model *m, struct why *why)
{
	float *x;
	int err = match_table(&x, m, d->test, l->test, why);

	if (err)
		return err;
	err = eval_scores(m, l->views, x, d->test->rows, d->score, d->departure, why);
	if (!err)
		err = judge(l, d, path, false,
			    l->limit.rule == EVAL_POINT ? d->departure : d->score,
			    eval_limit_of(&l->limit, m), why);
	free(x);
	return err;
}

static int eval_rival(const struct eval_line *l, struct eval_data *d, enum rival_kind kind,
		      const struct model *m, const float *train, unsigned rows, const float *test,
		      struct why *why)
{
	unsigned n = m->spec.channels;
	struct rival *r;
	int err = rival_open(&r, kind, train, rows, n, l->seed, why);

	if (err)
		return err;
	for (unsigned k = 0; k < d->test->rows; k++)
		d->score[k] = rival_step(r, test + (size_t)k * n);
	err = judge(l, d, rival_name(kind), true, d->score, rival_limit(r), why);
	rival_close(r);
	return err;
}

/* Rivals read the channels that the first model reads. A random score needs no training. */
static int eval_rivals(const struct eval_line *l, struct eval_data *d, const struct model *m,
		       struct why *why)
{
	float *train = NULL, *test = NULL;
	int err = match_table(&test, m, d->test, l->test, why);

	if (!err && d->train)
		err = match_table(&train, m, d->train, l->train, why);
	for (int k = 0; !err && k < (d->train ? RIVALS : RIVAL_RANDOM + 1); k++)
		err = eval_rival(l, d, (enum rival_kind)k, m, d->train ? train : test,
				 d->train ? d->train->rows : d->test->rows, test, why);
	free(train);
	free(test);
	return err;
}

/* Stamps give 19.98 Hz where the model knows 20. */
static void set_rate(struct eval_line *l, double table_hz, double model_hz)
{
	if (l->rate_hz > 0)
		return;
	l->rate_hz = fabs(table_hz - model_hz) > 0.01 * model_hz && table_hz > 0 ? table_hz : model_hz;
}

static int run(struct eval_line *l, struct eval_data *d, struct why *why)
{
	struct eval_report report = { .test = l->test, .train = l->train, .window = l->window };
	struct metric_events e = { 0 };
	struct model *m = NULL, *first = NULL;
	int err = 0;

	for (unsigned k = 0; !err && k < l->models; k++) {
		err = model_load(&m, l->model[k], why);
		if (err)
			break;
		err = match_general(m, d->test, l->test, why);
		if (err) {
			model_free(m);
			break;
		}
		set_rate(l, d->test->rate_hz, m->rate_hz);
		err = eval_model(l, d, l->model[k], m, why);
		if (!first)
			first = m;
		else
			model_free(m);
	}
	if (!err)
		err = eval_rivals(l, d, first, why);
	model_free(first);
	if (!err && metric_events_add(&e, d->test->label, d->test->label, d->test->rows))
		err = why_set(why, -ENOMEM, "out of memory");
	metric_events_free(&e);
	if (err)
		return err;
	report.rows = d->test->rows;
	report.anomalous = d->test->rows - (unsigned)e.normal_rows;
	report.events = e.events;
	report.rate_hz = l->rate_hz;
	report.row = d->row;
	report.row_count = d->rows;
	return report_eval(&report, l->json);
}

int verb_eval(int argc, char **argv, struct why *why)
{
	struct eval_line l = { .window = METRIC_WINDOW, .seed = 1 };
	struct eval_data d = { 0 };
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = table_read_label(&d.test, l.test, l.label, why);
	if (!err && !d.test->label)
		err = why_set(why, -EINVAL, "%s: no column label, anomaly or is_anomaly; --label "
			      "names another", l.test);
	if (!err && l.train)
		err = table_read(&d.train, l.train, why);
	if (!err) {
		d.score = malloc(2 * (size_t)d.test->rows * sizeof(*d.score));
		d.departure = d.score + d.test->rows;
		err = d.score ? run(&l, &d, why) : why_set(why, -ENOMEM, "out of memory");
	}
	free(d.score);
	table_free(d.test);
	table_free(d.train);
	return err;
}
