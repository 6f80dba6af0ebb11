// SPDX-License-Identifier: MIT
/*
 * sonde-model: learning and model files, on the device or a workstation;
 * reached by users as `sonde model VERB`. This file is the table of verbs and
 * the only one that prints an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/verb.h"

static const struct verb verbs[] = {
	{ "fit", "--train A.csv -o MODEL [options]", "learn what normal is from a recording",
	  fit_help, verb_fit },
	{ "quantize", "MODEL -o MODEL [options]", "make the int8 model that the daemon runs fastest",
	  quantize_help, verb_quantize },
	{ "prune", "MODEL -o MODEL --train A.csv [options]",
	  "make a model smaller: fewer units, fewer weights, then tuned again", prune_help,
	  verb_prune },
	{ "distill", "TEACHER -o MODEL --train A.csv [options]",
	  "teach a small net what a large one knows", distill_help, verb_distill },
	{ "search", "--train A.csv -o MODEL [options]",
	  "which net fits a device's budget, if any is worth it", search_help, verb_search },
	{ "eval", "--model M --test B.csv [--train A.csv] [options]",
	  "how well it tells labelled rows, beside plain methods", eval_help, verb_eval },
	{ "profile", "MODEL [B.csv] [--rows N] [--core N] [-j]",
	  "where the time and the memory of a row go, by operator", profile_help, verb_profile },
	{ "bench", "MODEL [B.csv] [--core N] [options]",
	  "microseconds a row, rows a second, alone and side by side", bench_help, verb_bench },
	{ "general", "-o MODEL [--seed N] [options]",
	  "make the model that judges any channels before any training", general_help,
	  verb_general },
	{ "import", "STATE -o MODEL {--like M|--train A.csv} [options]",
	  "take the weights of a PyTorch state dict", import_help, verb_import },
	{ "export", "MODEL -o STATE [-j]", "a model's weights as a PyTorch state dict", export_help,
	  verb_export },
	{ "compile", "MODEL -o D [options]", "the file to deploy: int8, with a self-test",
	  compile_help, verb_compile },
	{ "verify", "MODEL [--key K.pub]", "is it whole, sound on this machine, and whose is it",
	  verify_help, verb_verify },
	{ "key", "-o NAME", "make a pair of keys to sign models with", key_help, verb_key },
	{ "sign", "MODEL --key NAME.key", "sign a model file", sign_help, verb_sign },
	{ "score", "MODEL B.csv", "one score a row of a recording, causal", score_help, verb_score },
	{ "show", "MODEL [-j]", "what a model file is", show_help, verb_show },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static void usage(FILE *to, const struct verb *v)
{
	if (v) {
		fprintf(to, "usage: sonde model %s %s\n%s", v->name, v->synopsis, v->help);
		return;
	}
	fprintf(to, "usage: sonde model VERB ...\n");
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
	fprintf(to, "  %-10s %s\n", "help", "this list; `sonde model VERB help`: the options of one");
}

static int help(int argc, char **argv)
{
	const struct verb *v = argc > 1 ? find(argv[1]) : NULL;

	if (argc > 1 && !v) {
		fprintf(stderr, "sonde-model: %s: no such verb\n", argv[1]);
		usage(stderr, NULL);
		return 2;
	}
	usage(stdout, v);
	return 0;
}

static int is_help(const char *arg)
{
	return !strcmp(arg, "help") || !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

int main(int argc, char **argv)
{
	const struct verb *v;
	struct why why = { "" };
	int err;

	if (argc < 2) {
		usage(stderr, NULL);
		return 2;
	}
	if (is_help(argv[1]))
		return help(argc - 1, argv + 1);
	v = find(argv[1]);
	if (!v) {
		fprintf(stderr, "sonde-model: %s: no such verb\n", argv[1]);
		usage(stderr, NULL);
		return 2;
	}
	if (argc == 3 && is_help(argv[2])) {
		usage(stdout, v);
		return 0;
	}
	err = v->run(argc - 1, argv + 1, &why);
	if (!err && fflush(stdout))
		err = why_set(&why, -1, "standard output: cannot be written");
	if (!err)
		return 0;
	fprintf(stderr, "sonde-model: %s\n", why.text[0] ? why.text : strerror(-err));
	if (err != VERB_USAGE)
		return 1;
	usage(stderr, v);
	return 2;
}
