// SPDX-License-Identifier: MIT
/*
 * verb_import: `sonde model import`: a PyTorch state dict into a float model. Everything that
 * such a dict has not (channels, views, limits) is another model's or fitted to a recording.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/file.h"
#include "models/table.h"
#include "models/train/calibrate.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/import.h"
#include "models/train/match.h"
#include "models/train/report.h"
#include "models/train/report_torch.h"
#include "models/train/verb.h"

const char import_help[] =
	"  STATE              a safetensors file: lstm.weight_ih_l0 and its kin, head.weight,\n"
	"                     linear.weight, norm.mean ..., with any prefix; float of any size\n"
	"  -o, --output M     where the float32 model goes\n"
	"  --like M           the model whose other parts it gets\n"
	"  --train A.csv      normal operation: limits are measured on it; without --like\n"
	"                     all other parts are fitted to it\n"
	"  --lstm NAME        the module to take, where there are several\n"
	"  --decoder NAME     of an autoencoder, its second LSTM\n"
	"  --head NAME        the nn.Linear behind the LSTM\n"
	"  --linear NAME      the nn.Linear that forecasts from the last rows\n"
	"  --window N         rows that an autoencoder tells again (--like's)\n"
	"  --name NAME        of the model (the file's)\n"
	"  --rate HZ          ticks a second (--like's, or from the time column, else 1)\n"
	"  -j, --json         the report as JSON\n";

struct import_line {
	const char *state, *output, *like, *train, *name;
	struct torch_names names;
	double rate_hz;
	unsigned window;
	bool json;
};

/* Everything that is read. */
struct source {
	const void *data;
	size_t len;
	struct st_file file;
	struct torch_map map;
	struct model *like;
	struct table *table;
	float *x;
};

static int parse_line(struct import_line *l, int argc, char **argv, struct why *why)
{
	enum { LIKE = 256, TRAIN, LSTM, DECODER, HEAD, LINEAR, WINDOW, NAME, RATE };
	static const struct option options[] = {
		{ "output", 1, 0, 'o' }, { "like", 1, 0, LIKE }, { "train", 1, 0, TRAIN },
		{ "lstm", 1, 0, LSTM }, { "decoder", 1, 0, DECODER }, { "head", 1, 0, HEAD },
		{ "linear", 1, 0, LINEAR }, { "window", 1, 0, WINDOW }, { "name", 1, 0, NAME },
		{ "rate", 1, 0, RATE }, { "json", 0, 0, 'j' }, { 0 },
	};
	int o, err = 0;

	opterr = 0;
	while (!err && (o = getopt_long(argc, argv, "o:j", options, NULL)) != -1)
		switch (o) {
		case 'o': l->output = optarg; break;
		case 'j': l->json = true; break;
		case LIKE: l->like = optarg; break;
		case TRAIN: l->train = optarg; break;
		case LSTM: l->names.lstm = optarg; break;
		case DECODER: l->names.decoder = optarg; break;
		case HEAD: l->names.head = optarg; break;
		case LINEAR: l->names.linear = optarg; break;
		case NAME: l->name = optarg; break;
		case RATE: err = option_hz(&l->rate_hz, optarg, why); break;
		case WINDOW: err = option_count(&l->window, "window", optarg, 1,
						RECURRENT_WINDOW_MAX, why); break;
		default: return option_unknown(argc, argv, why);
		}
	if (err)
		return err;
	if (argc - optind != 1)
		return why_set(why, VERB_USAGE, "one state dict is wanted");
	if (!l->output)
		return why_set(why, VERB_USAGE, "-o is missing");
	if (!l->like && !l->train)
		return why_set(why, VERB_USAGE, "--like or --train is missing: a state dict is only "
			       "a part of a model");
	if (l->name && strlen(l->name) >= MODEL_NAME_MAX)
		return why_set(why, VERB_USAGE, "--name %s: longer than %d characters", l->name,
			       MODEL_NAME_MAX - 1);
	l->state = argv[optind];
	return 0;
}

static int read_state(struct source *s, const struct import_line *l, struct why *why)
{
	int err = file_read(&s->data, &s->len, l->state, MODEL_FILE_MAX, why);

	if (err)
		return err;
	/* torch.save's files are zip archives of pickles. */
	if (s->len >= 4 && !memcmp(s->data, "PK\3\4", 4))
		return why_set(why, -EINVAL, "%s: a file of torch.save, which only Python should "
			       "open: save the state dict with safetensors.torch.save_file", l->state);
	err = st_open(&s->file, s->data, s->len, why);
	if (!err)
		err = torch_match(&s->map, &s->file, &l->names, why);
	return err ? why_in(why, err, "%s", l->state) : 0;
}

static int read_all(struct source *s, const struct import_line *l, struct why *why)
{
	int err = read_state(s, l, why);

	if (!err && l->like)
		err = model_load(&s->like, l->like, why);
	if (!err && l->train)
		err = table_read(&s->table, l->train, why);
	if (!err && l->like && l->train)
		err = match_table(&s->x, s->like, s->table, l->train, why);
	return err;
}

static void source_close(struct source *s)
{
	free(s->x);
	table_free(s->table);
	model_free(s->like);
	torch_unmatch(&s->map);
	st_close(&s->file);
	file_free(s->data, s->len);
}

/* The recording is known to a few parts in a thousand; nobody ticks at 49.98 Hz. */
static double tidy_rate(double hz)
{
	double whole = round(hz);

	return whole >= 1 && fabs(hz - whole) < 0.005 * whole ? whole : hz;
}

/* The model that the net goes into; d->m borrows from s. */
static int make_base(struct draft *d, const struct source *s, const struct import_line *l,
		     struct why *why)
{
	struct fit_options fit = { .net = RECURRENT_NONE, .seed = 1 };
	struct fit_report report;
	int err = 0;

	if (s->like) {
		d->m = *s->like;
		d->m.memory = NULL;
		d->m.memory_size = 0;
	} else {
		d->m.rate_hz = l->rate_hz > 0 ? l->rate_hz :
			       s->table->rate_hz > 0 ? tidy_rate(s->table->rate_hz) : 1;
		draft_name(d, l->output);
		err = fit_table(d, s->table, &fit, &report, why);
		free(report.learn.curve);
	}
	if (l->rate_hz > 0)
		d->m.rate_hz = l->rate_hz;
	draft_name(d, l->output);
	if (l->name)
		strcpy(d->m.name, l->name);
	draft_stamp(d);
	return err;
}

static void provenance(struct model *m, const struct table *t, const struct import_report *r)
{
	if (!t)
		return;
	m->rows = t->rows;
	memcpy(m->data_sha256, t->sha256, sizeof m->data_sha256);
	m->loss_linear = (float)r->loss_linear;
	m->loss_net = isnan(r->loss_net) ? 0 : (float)r->loss_net;
}

static int run(const struct source *s, const struct import_line *l, struct why *why)
{
	struct report_torch from = { l->state, l->output, l->train, l->like, 0 };
	struct recording rec = { 0 };
	struct import_report report;
	struct draft d = { 0 };
	struct torch_net net;
	unsigned window = l->window;
	int err = make_base(&d, s, l, why);

	if (!window && s->like)
		window = s->like->spec.recurrent.window;
	if (err)
		goto out;
	if (s->table) {
		rec.x = s->x ? s->x : s->table->value;
		rec.rows = s->table->rows;
	}
	err = torch_take(&net, &d, &s->map, window, why);
	if (!err)
		err = import_net(&d, &net, s->table ? &rec : NULL, &report, why);
	if (err) {
		why_in(why, err, "%s", l->state);
		goto out;
	}
	provenance(&d.m, s->table, &report);
	err = model_save(&d.m, l->output, why);
	from.bytes = report_file_size(l->output);
	if (!err)
		err = report_import(&d.m, &s->file, &s->map, &report, &from, l->json);
out:
	draft_close(&d);
	return err;
}

int verb_import(int argc, char **argv, struct why *why)
{
	struct import_line l = { 0 };
	struct source s = { 0 };
	int err = parse_line(&l, argc, argv, why);

	if (!err)
		err = read_all(&s, &l, why);
	if (!err)
		err = run(&s, &l, why);
	source_close(&s);
	return err;
}
