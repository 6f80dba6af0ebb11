// SPDX-License-Identifier: MIT
/*
 * verb_show: `sonde model show`: what a model file says of itself, part by part, and what
 * it costs here.
 */
#include <getopt.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/train/about.h"
#include "models/train/report_deploy.h"
#include "models/train/verb.h"

const char show_help[] =
	"  -j, --json      as JSON\n";

int verb_show(int argc, char **argv, struct why *why)
{
	static const struct option options[] = { { "json", 0, 0, 'j' }, { 0 } };
	struct about a;
	struct model *m;
	bool json = false;
	int o, err;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "j", options, NULL)) != -1) {
		if (o != 'j')
			return option_unknown(argc, argv, why);
		json = true;
	}
	if (argc - optind != 1)
		return why_set(why, VERB_USAGE, "one model file is wanted");
	err = model_load(&m, argv[optind], why);
	if (err)
		return err;
	err = about_file(&a, m->memory, m->memory_size, why);
	if (err)
		why_in(why, err, "%s", argv[optind]);
	else
		err = about_cost(&a, m, why);
	if (!err)
		err = report_show(m, &a, argv[optind], json);
	model_free(m);
	return err;
}
