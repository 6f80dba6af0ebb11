// SPDX-License-Identifier: MIT
/*
 * verb_prune: the command line of `sonde model prune`. Ctrl-C ends the tuning: what it had
 * reached is calibrated and written as usual.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/draft.h"
#include "models/train/interrupt.h"
#include "models/train/match.h"
#include "models/train/progress.h"
#include "models/train/refit.h"
#include "models/train/report.h"
#include "models/train/report_prune.h"
#include "models/train/verb.h"

const char prune_help[] =
	"  MODEL             the float32 model that fit wrote; quantise what comes out\n"
	"  --train A.csv     normal operation, best what the model was fitted on: to tune\n"
	"                    and to calibrate on\n"
	"  -o, --output P    where the pruned model goes\n"
	"  --structured PCT  of the hidden units go, those with the smallest gate rows (30);\n"
	"                    without a net of the components of the subspace\n"
	"  --unstructured PCT  of the weights become zero, the smallest (20)\n"
	"  --parts LIST      in which: dense (head, graph, quick head), linear, subspace\n"
	"                    (dense; of a model without a net linear)\n"
	"  --epochs N        of tuning at most (30); 0: none\n"
	"  --test B.csv      labelled rows, to compare on as well\n"
	"  --seed N          of the departures that are made up (1)\n"
	"  --threads N       (as many as there are)\n"
	"  -q, --quiet       no progress\n"
	"  -j, --json        the report as JSON\n";

struct prune_line {
	const char *model, *output, *train, *test;
	bool quiet, json;
	struct prune_options how;
};

static int parse_share(double *out, const char *name, const char *text, struct why *why)
{
	char *end;
	double v = strtod(text, &end);

	if (*end == '%')
		end++;
	if (end == text || *end || !(v >= 0 && v <= 95))
		return why_set(why, VERB_USAGE, "--%s %s: a percentage of 0 to 95", name, text);
	*out = v / 100;
	return 0;
}

static int parse_parts(unsigned *out, const char *text, struct why *why)
{
	static const char *const names[] = { "dense", "linear", "subspace" };
	const char *at = text;

	*out = 0;
	while (*at) {
		size_t len = strcspn(at, ",");
		unsigned k = 0;

		while (k < 3 && (strlen(names[k]) != len || strncmp(names[k], at, len)))
			k++;
		if (k == 3)
			return why_set(why, VERB_USAGE, "--parts %s: %.*s is not one of dense, "
				       "linear, subspace", text, (int)len, at);
		*out |= 1u << k;
		at += len + (at[len] == ',');
	}
	return *out ? 0 : why_set(why, VERB_USAGE, "--parts: none is named");
}

enum { TRAIN = 256, STRUCTURED, UNSTRUCTURED, PARTS, EPOCHS, TEST, SEED, THREADS };

static const struct option options[] = {
	{ "train", 1, 0, TRAIN }, { "output", 1, 0, 'o' }, { "structured", 1, 0, STRUCTURED },
	{ "unstructured", 1, 0, UNSTRUCTURED }, { "parts", 1, 0, PARTS }, { "epochs", 1, 0, EPOCHS },
	{ "test", 1, 0, TEST }, { "seed", 1, 0, SEED }, { "threads", 1, 0, THREADS },
	{ "quiet", 0, 0, 'q' }, { "json", 0, 0, 'j' }, { 0 },
};

static int set_long(struct prune_line *l, int option, struct why *why)
{
	struct prune_options *o = &l->how;

	switch (option) {
	case TRAIN: l->train = optarg; return 0;
	case TEST: l->test = optarg; return 0;
	case STRUCTURED: return parse_share(&o->units, "structured", optarg, why);
	case UNSTRUCTURED: return parse_share(&o->weights, "unstructured", optarg, why);
	case PARTS: return parse_parts(&o->parts, optarg, why);
	case EPOCHS: return option_count(&o->learn.epochs, "epochs", optarg, 0, 10000, why);
	case THREADS: return option_count(&o->learn.threads, "threads", optarg, 1, 256, why);
	default: return option_seed(&o->seed, optarg, why);
	}
}

static int parse(struct prune_line *l, int argc, char **argv, struct why *why)
{
	int o, err = 0;

	opterr = 0;
	while (!err && (o = getopt_long(argc, argv, "o:qj", options, NULL)) != -1)
		switch (o) {
		case 'o': l->output = optarg; break;
		case 'q': l->quiet = true; break;
		case 'j': l->json = true; break;
		case '?': case ':': return option_unknown(argc, argv, why);
		default: err = set_long(l, o, why); break;
		}
	if (err)
		return err;
	if (argc - optind != 1)
		return why_set(why, VERB_USAGE, "one model file is wanted");
	if (!l->train || !l->output)
		return why_set(why, VERB_USAGE, "%s is missing", l->train ? "-o" : "--train");
	l->model = argv[optind];
	return 0;
}

/* Both models on the recording with departures in it, and on the labelled rows. */
static int ranks(struct prune_table *t, const struct model *before, const struct model *after,
		 const struct refit *refit, const struct table *test, const float *test_x,
		 uint64_t seed, struct why *why)
{
	unsigned rows = refit->rec.rows;
	struct judge_trial trial = { 0 };
	float *a = malloc(2 * (size_t)rows * sizeof(*a)), *b = a + rows;
	int err = a && !judge_trial_open(&trial, before, refit->rec.x, rows, refit->std, seed) ? 0 :
		  why_set(why, -ENOMEM, "out of memory");

	if (!err)
		err = judge_ranks(&t->before.made_up, before, trial.x, trial.label, rows, a, why);
	if (!err)
		err = judge_ranks(&t->after.made_up, after, trial.x, trial.label, rows, b, why);
	t->agreement = err ? NAN : judge_agreement(a, b, rows);
	t->rows = rows;
	t->departures = trial.departures;
	if (!err && test)
		err = judge_ranks(&t->before.labelled, before, test_x, test->label, test->rows, NULL,
				  why);
	if (!err && test)
		err = judge_ranks(&t->after.labelled, after, test_x, test->label, test->rows, NULL,
				  why);
	judge_trial_close(&trial);
	free(a);
	return err;
}

/* Losses of both in the same whitening: the model's before. */
static int costs(struct prune_table *t, const struct model *before, const struct refit *was,
		 const struct model *after, const struct refit *is, struct why *why)
{
	struct draft int8[2] = { 0 };
	const struct model *all[4] = { before, after, &int8[0].m, &int8[1].m };
	double us[4];
	int err = judge_loss(&t->before.loss, before, before->spec.inv_sigma, &was->rec, why);

	if (!err)
		err = judge_loss(&t->after.loss, after, before->spec.inv_sigma, &is->rec, why);
	if (!err)
		err = judge_int8(&t->before, &int8[0], before, &was->rec, why);
	if (!err)
		err = judge_int8(&t->after, &int8[1], after, &was->rec, why);
	if (!err)
		err = judge_time(us, all, 4, was->rec.x, was->rec.rows, why);
	if (!err) {
		t->before.us = us[0];
		t->after.us = us[1];
		t->before.int8_us = us[2];
		t->after.int8_us = us[3];
	}
	draft_close(&int8[0]);
	draft_close(&int8[1]);
	return err;
}

static int compare(struct prune_table *t, const struct model *before, struct draft *d,
		   const float *x, unsigned rows, const struct table *test, const float *test_x,
		   uint64_t seed, struct why *why)
{
	struct refit was = { 0 }, is = { 0 };
	int err = refit_open(&was, d, before, x, rows, why);

	judge_size(&t->before, before);
	judge_size(&t->after, &d->m);
	if (!err)
		err = refit_open(&is, d, &d->m, x, rows, why);
	if (!err)
		err = costs(t, before, &was, &d->m, &is, why);
	if (!err)
		err = ranks(t, before, &d->m, &was, test, test_x, seed, why);
	refit_close(&was);
	refit_close(&is);
	return err;
}

static int run(const struct prune_line *l, const struct model *m, const struct table *t,
	       const float *x, const struct table *test, const float *test_x, struct why *why)
{
	struct prune_options how = l->how;
	struct prune_report report = { 0 };
	struct prune_table table = { .path = l->output, .test = l->test };
	struct progress progress;
	struct draft d = { 0 };
	int err;

	progress_init(&progress, l->quiet);
	how.learn.progress = &progress;
	how.learn.stop = interrupt_catch();
	err = prune_model(&d, m, x, t->rows, &how, &report, why);
	progress_end(&progress);
	if (!err) {
		draft_name(&d, l->output);
		draft_stamp(&d);
		err = model_save(&d.m, l->output, why);
	}
	if (!err)
		err = compare(&table, m, &d, x, t->rows, test, test_x, how.seed, why);
	table.file_bytes = report_file_size(l->output);
	table.seconds = progress_elapsed(&progress);
	if (!err)
		err = report_prune(&d.m, &report, &table, l->json);
	free(report.learn.curve);
	draft_close(&d);
	return err;
}

int verb_prune(int argc, char **argv, struct why *why)
{
	struct prune_line l = { .how = prune_defaults() };
	struct table *t = NULL, *test = NULL;
	struct model *m = NULL;
	float *x = NULL, *test_x = NULL;
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = model_load(&m, l.model, why);
	if (!err)
		err = table_read(&t, l.train, why);
	if (!err && l.test)
		err = table_read(&test, l.test, why);
	if (!err && test && !test->label)
		err = why_set(why, -EINVAL, "%s: no column of labels", l.test);
	if (!err)
		err = match_table(&x, m, t, l.train, why);
	if (!err && test)
		err = match_table(&test_x, m, test, l.test, why);
	if (!err)
		err = run(&l, m, t, x, test, test_x, why);
	free(x);
	free(test_x);
	table_free(t);
	table_free(test);
	model_free(m);
	return err;
}
