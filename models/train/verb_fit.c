// SPDX-License-Identifier: MIT
/*
 * verb_fit: the command line of `sonde model fit`. Ctrl-C ends the training, not
 * the program: what was learnt so far is measured and written as usual.
 */
#include <cblas.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/progress.h"
#include "models/train/report.h"
#include "models/train/verb.h"

const char fit_help[] =
	"  --train A.csv   normal operation: a header, a row a tick; also a capture\n"
	"  -o, --output M  where the float32 model goes\n"
	"  --hidden N      LSTM units (64); 0: only the linear forecast\n"
	"  --lags N        rows that the linear forecast reads (8)\n"
	"  --epochs N      at most (150); stops when the held-out rows gain no more\n"
	"  --seed N        the same seed and data give the same file (1)\n"
	"  --name NAME     of the model (the file's)\n"
	"  --rate HZ       ticks a second (from the time column, else 1)\n"
	"  --threads N     of the matrix products (1)\n"
	"  -q, --quiet     no progress\n"
	"  -j, --json      the report as JSON\n";

struct fit_line {
	const char *train, *output, *name;
	double rate_hz;
	unsigned threads;
	bool quiet, json;
	struct fit_options fit;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	interrupted = 1;
}

static int parse(struct fit_line *l, int argc, char **argv, struct why *why)
{
	enum { TRAIN = 256, HIDDEN, LAGS, EPOCHS, SEED, NAME, RATE, THREADS };
	static const struct option options[] = {
		{ "train", 1, 0, TRAIN }, { "output", 1, 0, 'o' }, { "hidden", 1, 0, HIDDEN },
		{ "lags", 1, 0, LAGS }, { "epochs", 1, 0, EPOCHS }, { "seed", 1, 0, SEED },
		{ "name", 1, 0, NAME }, { "rate", 1, 0, RATE }, { "threads", 1, 0, THREADS },
		{ "quiet", 0, 0, 'q' }, { "json", 0, 0, 'j' }, { 0 },
	};
	int o, err = 0;

	opterr = 0;
	while (!err && (o = getopt_long(argc, argv, "o:qj", options, NULL)) != -1)
		switch (o) {
		case TRAIN: l->train = optarg; break;
		case 'o': l->output = optarg; break;
		case NAME: l->name = optarg; break;
		case 'q': l->quiet = true; break;
		case 'j': l->json = true; break;
		case HIDDEN: err = option_count(&l->fit.hidden, "hidden", optarg, 0, 1024, why); break;
		case LAGS: err = option_count(&l->fit.lags, "lags", optarg, 1, 64, why); break;
		case EPOCHS: err = option_count(&l->fit.learn.epochs, "epochs", optarg, 0, 10000, why); break;
		case SEED: err = option_seed(&l->fit.seed, optarg, why); break;
		case RATE: err = option_hz(&l->rate_hz, optarg, why); break;
		case THREADS: err = option_count(&l->threads, "threads", optarg, 1, 256, why); break;
		default: return option_unknown(argc, argv, why);
		}
	if (err)
		return err;
	if (optind < argc)
		return why_set(why, VERB_USAGE, "%s: not expected here", argv[optind]);
	if (!l->train || !l->output)
		return why_set(why, VERB_USAGE, "%s is missing", l->train ? "-o" : "--train");
	if (l->name && strlen(l->name) >= MODEL_NAME_MAX)
		return why_set(why, VERB_USAGE, "--name %s: longer than %d characters", l->name,
			       MODEL_NAME_MAX - 1);
	return 0;
}

/* The rate of a recording is known to a few parts in a thousand; nobody ticks at 49.98 Hz. */
static double tidy_rate(double hz)
{
	double whole = round(hz);

	return whole >= 1 && fabs(hz - whole) < 0.005 * whole ? whole : hz;
}

static void catch_interrupt(void)
{
	struct sigaction act = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &act, NULL);
}

static int run(const struct fit_line *l, const struct table *t, struct why *why)
{
	struct fit_options fit = l->fit;
	struct fit_report report;
	struct progress progress;
	struct draft d = { 0 };
	double rate = l->rate_hz > 0 ? l->rate_hz : t->rate_hz > 0 ? tidy_rate(t->rate_hz) : 1;
	int err;

	progress_init(&progress, l->quiet);
	fit.learn.progress = &progress;
	fit.learn.stop = &interrupted;
	d.m.rate_hz = rate;
	draft_name(&d, l->output);
	if (l->name)
		strcpy(d.m.name, l->name);
	draft_stamp(&d);
	catch_interrupt();
	openblas_set_num_threads((int)l->threads);
	err = fit_table(&d, t, &fit, &report, why);
	progress_end(&progress);
	if (!err)
		err = model_save(&d.m, l->output, why);
	if (!err)
		err = report_fit(&d.m, &report, l->output, report_file_size(l->output),
				 progress_elapsed(&progress), l->json);
	free(report.learn.curve);
	draft_close(&d);
	return err;
}

int verb_fit(int argc, char **argv, struct why *why)
{
	struct fit_line l = {
		.threads = 1,
		.fit = { .hidden = 64, .lags = 8, .seed = 1, .learn.epochs = FIT_EPOCHS },
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
