// SPDX-License-Identifier: MIT
/*
 * verb_quantize: the command line of `sonde model quantize`.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/match.h"
#include "models/train/quantize.h"
#include "models/train/report.h"
#include "models/train/verb.h"

const char quantize_help[] =
	"  MODEL                the float32 model that fit wrote\n"
	"  -o, --output Q       where the int8 model goes\n"
	"  --calibrate A.csv    normal operation, best what it was fitted on: limits are\n"
	"                       measured again with the int8 arithmetic\n"
	"  -j, --json           the report as JSON\n";

struct quantize_line {
	const char *model, *output, *calibrate;
	bool json;
};

static int parse(struct quantize_line *l, int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "output", 1, 0, 'o' }, { "calibrate", 1, 0, 'c' }, { "json", 0, 0, 'j' }, { 0 },
	};
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "o:j", options, NULL)) != -1)
		switch (o) {
		case 'o': l->output = optarg; break;
		case 'c': l->calibrate = optarg; break;
		case 'j': l->json = true; break;
		default: return option_unknown(argc, argv, why);
		}
	if (argc - optind != 1)
		return why_set(why, VERB_USAGE, "one model file is wanted");
	if (!l->output)
		return why_set(why, VERB_USAGE, "-o is missing");
	l->model = argv[optind];
	return 0;
}

static int run(const struct quantize_line *l, const struct model *m, const struct recording *rec,
	       struct why *why)
{
	struct quantize_report report;
	struct draft d = { 0 };
	int err = quantize_model(&d, m, rec, &report, why);

	if (!err)
		err = model_save(&d.m, l->output, why);
	if (!err)
		err = report_quantize(&d.m, &report, l->output, report_file_size(l->output),
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
		struct recording rec = { x, t->rows, series_fit_rows(t->rows) };

		err = run(&l, m, &rec, why);
	} else if (!err) {
		err = run(&l, m, NULL, why);
	}
	free(x);
	table_free(t);
	model_free(m);
	return err;
}
