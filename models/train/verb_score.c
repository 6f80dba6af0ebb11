// SPDX-License-Identifier: MIT
/*
 * verb_score: `sonde model score`: what the daemon would have said of each row of
 * a recording. Causal: a row's score is printed before the next row is looked at.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/table.h"
#include "models/train/margin.h"
#include "models/train/match.h"
#include "models/train/nab.h"
#include "models/train/verb.h"

const char score_help[] =
	"  MODEL           float32 or int8; general.safetensors judges any channels\n"
	"  B.csv           any order of columns; those the model does not know are ignored\n"
	"                  A row's score is in medians of training, 0 until enough rows were seen.\n"
	"  --views LIST    only these of the model's views: what each of them says alone\n"
	"  --margin[=ROWS] instead: how far each row goes beyond all that came before it, for\n"
	"                  one threshold on recordings of all kinds. The first ROWS of B.csv\n"
	"                  are taken for normal (15 %, at most 750) and have margin 0\n";

static int only_views(struct detector_spec *s, unsigned views, const char *model, struct why *why)
{
	bool any = false;

	for (unsigned v = 0; v < VIEWS; v++) {
		if (!(views >> v & 1))
			s->view[v].weight = 0;
		any |= s->view[v].weight > 0;
	}
	return any ? 0 : why_set(why, -EINVAL, "model %s has none of these views", model);
}

static int print_scores(const struct model *m, const struct table *t, const float *x,
			unsigned views, struct why *why)
{
	unsigned n = m->spec.channels;
	uint8_t *valid = malloc(n);
	struct detector *d = NULL;
	enum fc_kind kind;
	int err = valid ? model_detector_best(&d, m, &kind, why) :
			  why_set(why, -ENOMEM, "out of memory");

	if (!err && views) {
		struct detector_spec some = m->spec;

		detector_close(d);
		/* The quick head listens to all cheap views: one alone is to speak on every row. */
		some.quick.hidden = 0;
		err = only_views(&some, views, m->name, why);
		if (!err)
			err = detector_open(&d, &some, kind, why);
	}

	for (unsigned r = 0; !err && r < t->rows; r++) {
		const float *row = x + (size_t)r * n;
		struct detector_result res;

		for (unsigned i = 0; i < n; i++)
			valid[i] = isfinite(row[i]) != 0;
		detector_step(d, row, valid, &res);
		if (printf("%.9g\n", (double)(res.ready ? res.score : 0)) < 0)
			err = why_set(why, -EIO, "standard output: cannot be written");
	}
	detector_close(d);
	free(valid);
	return err;
}

/* rows 0: as many as the Numenta benchmark gives to learn from. */
static int print_margins(const struct model *m, const struct table *t, const float *x,
			 unsigned rows, struct why *why)
{
	float *margin = malloc(((size_t)t->rows + 1) * sizeof *margin);
	struct detector *d = NULL;
	enum fc_kind kind;
	int err = margin ? model_detector_best(&d, m, &kind, why) :
			   why_set(why, -ENOMEM, "out of memory");

	detector_close(d);
	if (!err)
		err = margin_scores(&m->spec, kind, x, t->rows,
				    rows ? rows : nab_probation(t->rows), margin, why);
	for (unsigned r = 0; !err && r < t->rows; r++)
		if (printf("%.9g\n", (double)margin[r]) < 0)
			err = why_set(why, -EIO, "standard output: cannot be written");
	free(margin);
	return err;
}

int verb_score(int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "views", required_argument, 0, 'v' },
		{ "margin", optional_argument, 0, 'm' },
		{ 0 }
	};
	struct model *m = NULL;
	struct table *t = NULL;
	float *x = NULL;
	unsigned views = 0, normal = 0;
	bool margin = false;
	int o, err;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		err = 0;
		margin |= o == 'm';
		if (o == 'v')
			err = option_views(&views, optarg, why);
		else if (o == 'm' && optarg)
			err = option_count(&normal, "margin", optarg, MARGIN_NORMAL_MIN,
					   UINT_MAX, why);
		else if (o != 'm')
			err = option_unknown(argc, argv, why);
		if (err)
			return err;
	}
	if (margin && views)
		return why_set(why, VERB_USAGE, "--margin has views of its own: not with --views");
	if (argc - optind != 2)
		return why_set(why, VERB_USAGE, "a model and a CSV file are wanted");
	err = model_load(&m, argv[optind], why);
	if (!err)
		err = table_read(&t, argv[optind + 1], why);
	if (!err)
		err = match_general(m, t, argv[optind + 1], why);
	if (!err)
		err = match_table(&x, m, t, argv[optind + 1], why);
	if (!err && margin)
		err = print_margins(m, t, x, normal, why);
	else if (!err)
		err = print_scores(m, t, x, views, why);
	free(x);
	table_free(t);
	model_free(m);
	return err;
}
