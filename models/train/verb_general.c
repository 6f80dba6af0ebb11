// SPDX-License-Identifier: MIT
/*
 * verb_general: `sonde model general`: the model for any channels, which is shipped as
 * models/general.safetensors. Nothing goes in but the seed, and no date is written, so that
 * anybody can make the very same file again.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/general.h"
#include "models/train/quantize.h"
#include "models/train/report.h"
#include "models/train/verb.h"

const char general_help[] =
	"  -o, --output F  where the model goes; it runs on any channels, each of which it\n"
	"                  measures over its first rows\n"
	"  --float         float32, not int8\n"
	"  --seed N        of the series that it is made from; the same seed gives the same file (1)\n"
	"  -q, --quiet     no progress\n"
	"  -j, --json      the report as JSON\n";

struct general_line {
	const char *output;
	uint64_t seed;
	bool precise, quiet, json;
};

static int parse(struct general_line *l, int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "output", 1, 0, 'o' }, { "float", 0, 0, 'f' }, { "seed", 1, 0, 's' },
		{ "quiet", 0, 0, 'q' }, { "json", 0, 0, 'j' }, { 0 },
	};
	int o, err = 0;

	opterr = 0;
	while (!err && (o = getopt_long(argc, argv, "o:qj", options, NULL)) != -1)
		switch (o) {
		case 'o': l->output = optarg; break;
		case 'f': l->precise = true; break;
		case 's': err = option_seed(&l->seed, optarg, why); break;
		case 'q': l->quiet = true; break;
		case 'j': l->json = true; break;
		default: err = option_unknown(argc, argv, why); break;
		}
	if (err)
		return err;
	if (optind < argc)
		return why_set(why, VERB_USAGE, "%s: not expected here", argv[optind]);
	return l->output ? 0 : why_set(why, VERB_USAGE, "-o is missing");
}

static int make(struct draft *d, struct draft *q, const struct general_line *l, struct why *why)
{
	const struct quantize_options how = { .dynamic = false };
	struct quantize_report report;
	struct general_report r;
	struct model *m = &d->m;
	int err;

	strcpy(d->m.name, "general");
	err = general_make(d, l->seed, &r, why);
	if (!err && !l->quiet)
		fprintf(stderr, "%u series, %u rows; left of a held-out row, mean square: %.3g "
			"(by its last value: %.3g, by the mean: %.3g)\n", r.series, r.rows, r.loss,
			r.loss_last, r.loss_mean);
	if (!err && !l->precise) {
		err = quantize_model(q, &d->m, NULL, &how, &report, why);
		m = &q->m;
	}
	if (!err)
		err = model_save(m, l->output, why);
	if (!err)
		err = report_model(m, l->output, report_file_size(l->output), l->json);
	return err;
}

int verb_general(int argc, char **argv, struct why *why)
{
	struct general_line l = { .seed = 1 };
	struct draft d = { 0 }, q = { 0 };
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = make(&d, &q, &l, why);
	draft_close(&q);
	draft_close(&d);
	return err;
}
