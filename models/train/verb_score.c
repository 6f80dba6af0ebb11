// SPDX-License-Identifier: MIT
/*
 * verb_score: `sonde model score`: what the daemon would have said of each row of
 * a recording. Causal: a row's score is printed before the next row is looked at.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/table.h"
#include "models/train/match.h"
#include "models/train/verb.h"

const char score_help[] =
	"  MODEL           float32 or int8\n"
	"  B.csv           any order of columns; those the model does not know are ignored\n"
	"                  A row's score is in nats, 0 until enough rows were seen.\n";

static int print_scores(const struct model *m, const struct table *t, const float *x,
			struct why *why)
{
	unsigned n = m->spec.channels;
	uint8_t *valid = malloc(n);
	struct detector *d = NULL;
	int err = valid ? model_detector_best(&d, m, NULL, why) : why_set(why, -ENOMEM, "out of memory");

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

int verb_score(int argc, char **argv, struct why *why)
{
	struct model *m = NULL;
	struct table *t = NULL;
	float *x = NULL;
	int err;

	opterr = 0;
	if (getopt(argc, argv, "") != -1)
		return option_unknown(argc, argv, why);
	if (argc - optind != 2)
		return why_set(why, VERB_USAGE, "a model and a CSV file are wanted");
	err = model_load(&m, argv[optind], why);
	if (!err)
		err = table_read(&t, argv[optind + 1], why);
	if (!err)
		err = match_table(&x, m, t, argv[optind + 1], why);
	if (!err)
		err = print_scores(m, t, x, why);
	free(x);
	table_free(t);
	model_free(m);
	return err;
}
