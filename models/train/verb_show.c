// SPDX-License-Identifier: MIT
/*
 * verb_show: `sonde model show`: what a model file says of itself.
 */
#include <getopt.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/train/report.h"
#include "models/train/verb.h"

const char show_help[] =
	"  -j, --json      as JSON\n";

int verb_show(int argc, char **argv, struct why *why)
{
	static const struct option options[] = { { "json", 0, 0, 'j' }, { 0 } };
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
	err = report_model(m, argv[optind], report_file_size(argv[optind]), json);
	model_free(m);
	return err;
}
