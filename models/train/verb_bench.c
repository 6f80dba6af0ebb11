// SPDX-License-Identifier: MIT
/* verb_bench: the command line of `sonde model bench`. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/train/bench.h"
#include "models/train/report.h"
#include "models/train/sample.h"
#include "models/train/verb.h"

#define STEPS 20000u

const char bench_help[] =
	"  MODEL           float32 or int8\n"
	"  B.csv           rows to run it on (those of its self-test)\n"
	"  --rows N        of a turn; they come round again (20000)\n"
	"  --core N        to run on (the last one allowed)\n"
	"  --batch N       recordings side by side: 1, 2, 4 ... up to N (64)\n"
	"  -j, --json      as JSON\n";

struct bench_line {
	unsigned steps, core, batch;
	bool on_core, json;
};

static int parse(struct bench_line *l, int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "rows", 1, 0, 'r' }, { "batch", 1, 0, 'b' }, { "core", 1, 0, 'c' },
		{ "json", 0, 0, 'j' }, { 0 },
	};
	int o, err = 0;

	opterr = 0;
	while (!err && (o = getopt_long(argc, argv, "j", options, NULL)) != -1)
		switch (o) {
		case 'r': err = option_count(&l->steps, "rows", optarg, 1, 1u << 24, why); break;
		case 'b':
			err = option_count(&l->batch, "batch", optarg, 1, BENCH_BATCH_MAX, why);
			break;
		case 'c':
			err = option_count(&l->core, "core", optarg, 0, 1023, why);
			l->on_core = true;
			break;
		case 'j': l->json = true; break;
		default: return option_unknown(argc, argv, why);
		}
	if (!err && (argc - optind < 1 || argc - optind > 2))
		err = why_set(why, VERB_USAGE, "a model file is wanted, and perhaps a recording");
	return err;
}

int verb_bench(int argc, char **argv, struct why *why)
{
	struct bench_line l = { .steps = STEPS, .batch = BENCH_BATCH_MAX };
	unsigned rows, usual = bench_usual_here();
	struct model *m = NULL;
	struct bench b;
	float *x = NULL;
	int err = parse(&l, argc, argv, why), core = -1;

	if (err)
		return err;
	err = model_load(&m, argv[optind], why);
	if (!err)
		err = sample_rows(&x, &rows, m, argc - optind > 1 ? argv[optind + 1] : NULL, why);
	if (!err) {
		core = bench_pin(l.on_core ? (int)l.core : -1);
		if (core < 0 && l.on_core)
			err = why_set(why, core, "core %u: %s", l.core, strerror(-core));
	}
	if (!err)
		err = bench_model(&b, m, x, rows, l.steps, l.batch, why);
	if (!err)
		err = report_bench(m, &b, argv[optind], core, usual,
				   bench_pick(b.batch, b.batches, usual), l.json);
	free(x);
	model_free(m);
	return err;
}
