// SPDX-License-Identifier: MIT
/*
 * verb_search: the command line of `sonde model search`. Ctrl-C ends the search: the best that
 * it has seen is measured and written as usual.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/interrupt.h"
#include "models/train/progress.h"
#include "models/train/report.h"
#include "models/train/report_search.h"
#include "models/train/verb.h"

const char search_help[] =
	"  --train A.csv     normal operation\n"
	"  -o, --output M    where the winner goes, float32; quantise it next\n"
	"  --max-us US       of a full step, int8, measured on this machine\n"
	"  --max-bytes BYTES[K|M]  of the int8 tensors; the file has some KB of names beside them\n"
	"  --max-ram BYTES[K|M]    of these and what the detector allocates\n"
	"  --nets LIST       of forecast,autoencoder (forecast)\n"
	"  --hidden-max N    no larger ones (128)\n"
	"  --lags N          rows that the linear parts read (as fit)\n"
	"  --candidates N    that learn (18, at most 128)\n"
	"  --eta N           one of so many goes on to the next rung (3)\n"
	"  --first N         epochs of the first rung (4)\n"
	"  --epochs N        of the last, at most (150)\n"
	"  --confidence P    of the winner's quick head (0.95); 0: none\n"
	"  --rate HZ         ticks a second (from the time column, else 1)\n"
	"  --seed N          of what is drawn and how it learns (1)\n"
	"  --threads N       (as many as there are)\n"
	"  -q, --quiet       no progress\n"
	"  -j, --json        the report as JSON\n";

struct search_line {
	const char *train, *output;
	double rate_hz;
	bool quiet, json;
	struct search_options how;
};

static int parse_number(double *out, const char *name, const char *text, double least,
			double most, struct why *why)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= least && v <= most))
		return why_set(why, VERB_USAGE, "--%s %s: a number from %g to %g", name, text, least,
			       most);
	*out = v;
	return 0;
}

static int parse_kinds(unsigned *out, const char *text, struct why *why)
{
	const char *at = text;

	*out = 0;
	while (*at) {
		size_t len = strcspn(at, ",");

		if (len == 8 && !strncmp(at, "forecast", len))
			*out |= 1u << RECURRENT_FORECAST;
		else if (len == 11 && !strncmp(at, "autoencoder", len))
			*out |= 1u << RECURRENT_AUTOENCODER;
		else
			return why_set(why, VERB_USAGE, "--nets %s: forecast, autoencoder or both",
				       text);
		at += len + (at[len] == ',');
	}
	return *out ? 0 : why_set(why, VERB_USAGE, "--nets: none is named");
}

static int parse_bytes(uint64_t *out, const char *name, const char *text, struct why *why)
{
	size_t bytes;
	int err = option_bytes(&bytes, name, text, why);

	if (!err)
		*out = bytes;
	return err;
}

enum {
	TRAIN = 256, MAX_US, MAX_BYTES, MAX_RAM, NETS, HIDDEN_MAX, LAGS, CANDIDATES, ETA, FIRST,
	EPOCHS, CONFIDENCE, RATE, SEED, THREADS
};

static const struct option options[] = {
	{ "train", 1, 0, TRAIN }, { "output", 1, 0, 'o' }, { "max-us", 1, 0, MAX_US },
	{ "max-bytes", 1, 0, MAX_BYTES }, { "max-ram", 1, 0, MAX_RAM }, { "nets", 1, 0, NETS },
	{ "hidden-max", 1, 0, HIDDEN_MAX }, { "lags", 1, 0, LAGS },
	{ "candidates", 1, 0, CANDIDATES }, { "eta", 1, 0, ETA }, { "first", 1, 0, FIRST },
	{ "epochs", 1, 0, EPOCHS }, { "confidence", 1, 0, CONFIDENCE }, { "rate", 1, 0, RATE },
	{ "seed", 1, 0, SEED }, { "threads", 1, 0, THREADS }, { "quiet", 0, 0, 'q' },
	{ "json", 0, 0, 'j' }, { 0 },
};

static int set_long(struct search_line *l, int option, struct why *why)
{
	struct search_options *o = &l->how;

	switch (option) {
	case TRAIN: l->train = optarg; return 0;
	case MAX_US: return parse_number(&o->max_us, "max-us", optarg, 0.01, 1e9, why);
	case MAX_BYTES: return parse_bytes(&o->max_bytes, "max-bytes", optarg, why);
	case MAX_RAM: return parse_bytes(&o->max_ram, "max-ram", optarg, why);
	case NETS: return parse_kinds(&o->kinds, optarg, why);
	case HIDDEN_MAX: return option_count(&o->hidden_max, "hidden-max", optarg, 8, 128, why);
	case LAGS: return option_count(&o->lags, "lags", optarg, 1, 64, why);
	case CANDIDATES: return option_count(&o->candidates, "candidates", optarg, 0, SEARCH_MAX, why);
	case ETA: return option_count(&o->eta, "eta", optarg, 2, 10, why);
	case FIRST: return option_count(&o->first, "first", optarg, 1, 1000, why);
	case EPOCHS: return option_count(&o->epochs, "epochs", optarg, 1, 10000, why);
	case CONFIDENCE: return parse_number(&o->confidence, "confidence", optarg, 0, 0.999999, why);
	case THREADS: return option_count(&o->learn.threads, "threads", optarg, 1, 256, why);
	case SEED: return option_seed(&o->seed, optarg, why);
	default: return option_hz(&l->rate_hz, optarg, why);
	}
}

static int parse(struct search_line *l, int argc, char **argv, struct why *why)
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
	if (optind < argc)
		return why_set(why, VERB_USAGE, "%s: not expected here", argv[optind]);
	if (!l->train || !l->output)
		return why_set(why, VERB_USAGE, "%s is missing", l->train ? "-o" : "--train");
	return 0;
}

/* As fit takes it: nobody ticks at 49.98 Hz. */
static double rate_of(const struct search_line *l, const struct table *t)
{
	double whole = round(t->rate_hz);

	if (l->rate_hz > 0)
		return l->rate_hz;
	if (!(t->rate_hz > 0))
		return 1;
	return whole >= 1 && fabs(t->rate_hz - whole) < 0.005 * whole ? whole : t->rate_hz;
}

static int run(const struct search_line *l, const struct table *t, struct why *why)
{
	struct search_report *report = calloc(1, sizeof(*report));
	struct search_options how = l->how;
	struct progress progress;
	struct draft d = { 0 };
	int err;

	if (!report)
		return why_set(why, -ENOMEM, "out of memory");
	progress_init(&progress, l->quiet);
	how.learn.progress = &progress;
	how.learn.stop = interrupt_catch();
	d.m.rate_hz = rate_of(l, t);
	draft_name(&d, l->output);
	draft_stamp(&d);
	err = search_model(&d, t, &how, report, why);
	progress_end(&progress);
	if (!err)
		err = model_save(&d.m, l->output, why);
	if (!err)
		err = report_search(&d.m, report, &how, l->output, report_file_size(l->output),
				    progress_elapsed(&progress), l->json);
	free(report);
	draft_close(&d);
	return err;
}

int verb_search(int argc, char **argv, struct why *why)
{
	struct search_line l = {
		.how = { .candidates = SEARCH_CANDIDATES, .eta = SEARCH_ETA, .first = SEARCH_FIRST,
			 .epochs = SEARCH_EPOCHS, .kinds = 1u << RECURRENT_FORECAST,
			 .confidence = FIT_CONFIDENCE, .seed = 1 },
	};
	struct table *t;
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = table_read(&t, l.train, why);
	if (err)
		return err;
	err = run(&l, t, why);
	table_free(t);
	return err;
}
