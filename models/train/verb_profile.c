// SPDX-License-Identifier: MIT
/* verb_profile: the command line of `sonde model profile`. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/train/bench.h"
#include "models/train/profile.h"
#include "models/train/report.h"
#include "models/train/sample.h"
#include "models/train/verb.h"

const char profile_help[] =
	"  MODEL           float32 or int8\n"
	"  B.csv           rows to run it on (those of its self-test, again and again)\n"
	"  --rows N        of a turn; B.csv's come round again (4096)\n"
	"  --turns N       of which the median counts (9)\n"
	"  --core N        to run on (the last one allowed)\n"
	"  -j, --json      as JSON\n";

struct profile_line {
	unsigned steps, turns, core;
	bool on_core, json;
};

static int parse(struct profile_line *l, int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "rows", 1, 0, 'r' }, { "turns", 1, 0, 't' }, { "core", 1, 0, 'c' },
		{ "json", 0, 0, 'j' }, { 0 },
	};
	int o, err = 0;

	opterr = 0;
	while (!err && (o = getopt_long(argc, argv, "j", options, NULL)) != -1)
		switch (o) {
		case 'r': err = option_count(&l->steps, "rows", optarg, 1, 1u << 24, why); break;
		case 't': err = option_count(&l->turns, "turns", optarg, 1, 1000, why); break;
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

int verb_profile(int argc, char **argv, struct why *why)
{
	struct profile_line l = { .steps = PROFILE_STEPS, .turns = PROFILE_TURNS };
	struct profile p;
	struct model *m = NULL;
	unsigned rows;
	float *x = NULL;
	int err = parse(&l, argc, argv, why), core;

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
		err = profile_model(&p, m, x, rows, l.steps, l.turns, why);
	if (!err)
		err = report_profile(m, &p, argv[optind], l.json);
	free(x);
	model_free(m);
	return err;
}
