// SPDX-License-Identifier: MIT
/*
 * verb_distill: the command line of `sonde model distill`. Ctrl-C ends the learning: the best
 * of what was learnt until then is written as usual.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/distill.h"
#include "models/train/draft.h"
#include "models/train/interrupt.h"
#include "models/train/match.h"
#include "models/train/progress.h"
#include "models/train/report.h"
#include "models/train/report_distill.h"
#include "models/train/verb.h"

const char distill_help[] =
	"  TEACHER           a float32 model with a forecast net\n"
	"  --train A.csv     normal operation, best what the teacher was fitted on\n"
	"  -o, --output S    where the small model goes\n"
	"  --hidden N        LSTM units of the student (a quarter of the teacher's)\n"
	"  --layers N        1 or 2 (1)\n"
	"  --features N      of a node of the teacher's graph (0: no graph)\n"
	"  --seeds N         students, and as many nets trained alone (3)\n"
	"  --weight W        of the teacher in what is learnt, 0 to 1 (0.5)\n"
	"  --epochs N        at most (150)\n"
	"  --seed N          of the first (1)\n"
	"  --threads N       (as many as there are)\n"
	"  -q, --quiet       no progress\n"
	"  -j, --json        the report as JSON\n";

struct distill_line {
	const char *model, *output, *train;
	bool quiet, json;
	struct distill_options how;
};

enum { TRAIN = 256, HIDDEN, LAYERS, FEATURES, SEEDS, WEIGHT, EPOCHS, SEED, THREADS };

static const struct option options[] = {
	{ "train", 1, 0, TRAIN }, { "output", 1, 0, 'o' }, { "hidden", 1, 0, HIDDEN },
	{ "layers", 1, 0, LAYERS }, { "features", 1, 0, FEATURES }, { "seeds", 1, 0, SEEDS },
	{ "weight", 1, 0, WEIGHT }, { "epochs", 1, 0, EPOCHS }, { "seed", 1, 0, SEED },
	{ "threads", 1, 0, THREADS }, { "quiet", 0, 0, 'q' }, { "json", 0, 0, 'j' }, { 0 },
};

static int parse_weight(double *out, const char *text, struct why *why)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= 0 && v <= 1))
		return why_set(why, VERB_USAGE, "--weight %s: a number from 0 to 1", text);
	*out = v;
	return 0;
}

static int set_long(struct distill_line *l, int option, struct why *why)
{
	struct distill_options *o = &l->how;

	switch (option) {
	case TRAIN: l->train = optarg; return 0;
	case WEIGHT: return parse_weight(&o->weight, optarg, why);
	case HIDDEN: return option_count(&o->hidden, "hidden", optarg, 1, 1024, why);
	case LAYERS: return option_count(&o->layers, "layers", optarg, 1, 2, why);
	case FEATURES: return option_count(&o->features, "features", optarg, 0,
					   GRAPH_FEATURES_MAX, why);
	case SEEDS: return option_count(&o->seeds, "seeds", optarg, 1, DISTILL_SEEDS_MAX, why);
	case EPOCHS: return option_count(&o->learn.epochs, "epochs", optarg, 1, 10000, why);
	case THREADS: return option_count(&o->learn.threads, "threads", optarg, 1, 256, why);
	default: return option_seed(&o->seed, optarg, why);
	}
}

static int parse(struct distill_line *l, int argc, char **argv, struct why *why)
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
		return why_set(why, VERB_USAGE, "one model file is wanted: the teacher");
	if (!l->train || !l->output)
		return why_set(why, VERB_USAGE, "%s is missing", l->train ? "-o" : "--train");
	l->model = argv[optind];
	return 0;
}

static int run(const struct distill_line *l, const struct model *m, const float *x, unsigned rows,
	       struct why *why)
{
	struct distill_report *report = calloc(1, sizeof(*report));
	struct distill_options how = l->how;
	struct progress progress;
	struct draft d = { 0 };
	int err;

	if (!report)
		return why_set(why, -ENOMEM, "out of memory");
	progress_init(&progress, l->quiet);
	how.learn.progress = &progress;
	how.learn.stop = interrupt_catch();
	err = distill_model(&d, m, x, rows, &how, report, why);
	progress_end(&progress);
	if (!err) {
		draft_name(&d, l->output);
		draft_stamp(&d);
		err = model_save(&d.m, l->output, why);
	}
	if (!err)
		err = report_distill(&d.m, report, m->spec.recurrent.hidden, l->output,
				     report_file_size(l->output), progress_elapsed(&progress),
				     l->json);
	free(report);
	draft_close(&d);
	return err;
}

int verb_distill(int argc, char **argv, struct why *why)
{
	struct distill_line l = {
		.how = { .seeds = DISTILL_SEEDS, .seed = 1, .weight = DISTILL_WEIGHT,
			 .learn.epochs = DISTILL_EPOCHS },
	};
	struct table *t = NULL;
	struct model *m = NULL;
	float *x = NULL;
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = model_load(&m, l.model, why);
	if (!err)
		err = table_read(&t, l.train, why);
	if (!err)
		err = match_table(&x, m, t, l.train, why);
	if (!err)
		err = run(&l, m, x, t->rows, why);
	free(x);
	table_free(t);
	model_free(m);
	return err;
}
