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
