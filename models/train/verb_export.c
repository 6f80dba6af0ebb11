// SPDX-License-Identifier: MIT
/*
 * verb_export: `sonde model export`: the nets of a float model as a state dict for PyTorch.
 * What is reported is read back from the file that was written.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/file.h"
#include "models/model.h"
#include "models/train/draft.h"
#include "models/train/report_torch.h"
#include "models/train/torch.h"
#include "models/train/verb.h"

const char export_help[] =
	"  MODEL              a float32 model\n"
	"  -o, --output S     the state dict, a safetensors file; models/pytorch.py loads it\n"
	"  -j, --json         the report as JSON\n";

struct export_line {
	const char *model, *output;
	bool json;
};

static int parse(struct export_line *l, int argc, char **argv, struct why *why)
{
	static const struct option options[] = {
		{ "output", 1, 0, 'o' }, { "json", 0, 0, 'j' }, { 0 },
	};
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "o:j", options, NULL)) != -1)
		switch (o) {
		case 'o': l->output = optarg; break;
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

static int tell(const struct export_line *l, const struct model *m, struct why *why)
{
	struct report_torch from = { .state = l->output, .model = l->model };
	const void *data;
	struct st_file f;
	size_t len;
	int err = file_read(&data, &len, l->output, MODEL_FILE_MAX, why);

	if (err)
		return err;
	from.bytes = len;
	err = st_open(&f, data, len, why);
	if (!err) {
		err = report_export(m, &f, &from, l->json);
		st_close(&f);
	}
	file_free(data, len);
	return err;
}

int verb_export(int argc, char **argv, struct why *why)
{
	struct export_line l = { 0 };
	struct draft scratch = { 0 };
	struct model *m = NULL;
	struct torch_net net;
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = model_load(&m, l.model, why);
	if (!err)
		err = torch_from_model(&net, &scratch, m, why);
	if (!err)
		err = torch_write(l.output, &net, why);
	if (!err)
		err = tell(&l, m, why);
	draft_close(&scratch);
	model_free(m);
	return err;
}
