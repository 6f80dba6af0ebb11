// SPDX-License-Identifier: MIT
/*
 * verb_compile: `sonde model compile`: the file that goes to the board. What is reported was
 * read back from the disk.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/table.h"
#include "models/train/about.h"
#include "models/train/data.h"
#include "models/train/deploy.h"
#include "models/train/match.h"
#include "models/train/report_deploy.h"
#include "models/train/verb.h"

const char compile_help[] =
	"  MODEL                float32 or int8\n"
	"  -o, --output D       where the file to deploy goes: int8, with a self-test, nothing\n"
	"                       that only training needed\n"
	"  --calibrate A.csv    normal operation, to quantise a float32 model on; not given: the\n"
	"                       rows of its self-test\n"
	"  -j, --json           the report as JSON\n";

struct compile_line {
	const char *model, *output, *calibrate;
	bool json;
};

static int parse(struct compile_line *l, int argc, char **argv, struct why *why)
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

/* At least the plain C kernels have to give the bits that they have given. */
static int judge(const struct about *a, struct why *why)
{
	const struct about_kind *last = &a->kind[a->kinds - 1];

	if (!last->err)
		return 0;
	*why = last->why;
	return last->err;
}

static int report(const struct compile_line *l, const struct deploy *c, struct why *why)
{
	struct about a;
	struct model *m;
	int err = model_load(&m, l->output, why);

	if (err)
		return err;
	err = about_file(&a, m->memory, m->memory_size, why);
	if (!err) {
		about_test(&a, m);
		err = judge(&a, why);
	}
	if (!err)
		err = report_compile(m, c, &a, l->output, l->json);
	model_free(m);
	return err;
}

static int run(const struct compile_line *l, const struct model *m, const struct recording *rec,
	       struct why *why)
{
	struct deploy c;
	int err = deploy_model(&c, m, rec, why);

	if (err)
		why_in(why, err, "%s", l->model);
	else
		err = model_save(&c.out.m, l->output, why);
	if (!err)
		err = report(l, &c, why);
	deploy_close(&c);
	return err;
}

int verb_compile(int argc, char **argv, struct why *why)
{
	struct compile_line l = { 0 };
	struct recording rec = { 0 };
	struct model *m = NULL;
	struct table *t = NULL;
	float *x = NULL;
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = model_load(&m, l.model, why);
	if (!err && l.calibrate && !strcmp(model_precision(m), "int8"))
		err = why_set(why, -EINVAL, "%s is int8 already: there is nothing to calibrate",
			      l.model);
	if (!err && l.calibrate)
		err = table_read(&t, l.calibrate, why);
	if (!err && t)
		err = match_table(&x, m, t, l.calibrate, why);
	if (!err && t)
		rec = (struct recording){ .x = x, .rows = t->rows };
	if (!err)
		err = run(&l, m, t ? &rec : NULL, why);
	free(x);
	table_free(t);
	model_free(m);
	return err;
}
