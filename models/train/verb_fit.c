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
#include <unistd.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/history.h"
#include "models/train/progress.h"
#include "models/train/report.h"
#include "models/train/review.h"
#include "models/train/verb.h"

const char fit_help[] =
	"  --train A.csv   normal operation: a header, a row a tick; also a capture, or the\n"
	"                  daemon's events.db: what it stored of the time before alarms\n"
	"  --pipeline NAME of events.db, where it holds several\n"
	"  -o, --output M  where the float32 model goes\n"
	"  --net KIND      forecast (what the linear part leaves), autoencoder, or none;\n"
	"                  kept only where held-out rows gain (forecast)\n"
	"  --hidden N      LSTM units (64)       --layers N    1 or 2 (1)\n"
	"  --window N      rows that an autoencoder tells again (16)\n"
	"  --features N    of a node of the graph layer (4); 0: no graph\n"
	"  --degree N      strongest correlations that a node keeps (4)\n"
	"  --graph FILE    edges of your own: lines \"channel channel weight\"\n"
	"  --confidence P  at which the quick head ends a tick early (0.95); 0: never\n"
	"  --views LIST    of level,subspace,forecast,spread,left,code,recurrent\n"
	"  --lags N        rows that the linear parts read (5)\n"
	"  --epochs N      at most (150); stops when the held-out rows gain no more\n"
	"  --steps N       of back-propagation through time (32)\n"
	"  --memory-budget BYTES[K|M]  keep states every few steps only and compute again\n"
	"  --mixed         bf16 weights and activations, float32 masters, scaled loss\n"
	"  --seed N        the same seed and data give the same file (1)\n"
	"  --name NAME     of the model (the file's)\n"
	"  --rate HZ       ticks a second (from the time column, else 1)\n"
	"  --threads N     (as many as there are)\n"
	"  --svg FILE      the loss curve as a picture\n"
	"  --curve         the loss curve in characters, also where this is no terminal\n"
	"  --target T      whose time a row is predicted to cost, operator by operator:\n"
	"                  this (machine), pi3, pi4 or pi5\n"
	"  -q, --quiet     no progress\n"
	"  -j, --json      the report as JSON\n";

struct fit_line {
	const char *train, *pipeline, *output, *name, *graph, *svg, *target;
	double rate_hz;
	bool quiet, json, curve;
	struct fit_options fit;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	interrupted = 1;
}

static int parse_net(struct fit_options *o, const char *text, struct why *why)
{
	static const char *const kinds[] = { "none", "forecast", "autoencoder" };

	for (unsigned k = 0; k < 3; k++)
		if (!strcmp(text, kinds[k])) {
			o->net = (enum recurrent_kind)k;
			return 0;
		}
	return why_set(why, VERB_USAGE, "--net %s: forecast, autoencoder or none", text);
}

static int parse_confidence(double *out, const char *text, struct why *why)
{
	char *end;
	double p = strtod(text, &end);

	if (end == text || *end || !(p == 0 || (p >= 0.5 && p < 1)))
		return why_set(why, VERB_USAGE, "--confidence %s: 0, or 0.5 to below 1", text);
	*out = p;
	return 0;
}

static int parse_target(const char **out, const char *text, struct why *why)
{
	*out = text;
	if (!strcmp(text, "this") || cost_target(text))
		return 0;
	return why_set(why, VERB_USAGE, "--target %s: this, pi3, pi4 or pi5", text);
}

enum {
	TRAIN = 256, NET, HIDDEN, LAYERS, WINDOW, FEATURES, DEGREE, GRAPH, CONFIDENCE, VIEW_LIST,
	LAGS, EPOCHS, STEPS, MEMORY, MIXED, SEED, NAME, PIPELINE, RATE, THREADS, SVG,
	CURVE, TARGET
};

static const struct option options[] = {
	{ "train", 1, 0, TRAIN }, { "output", 1, 0, 'o' }, { "net", 1, 0, NET },
	{ "hidden", 1, 0, HIDDEN }, { "layers", 1, 0, LAYERS }, { "window", 1, 0, WINDOW },
	{ "features", 1, 0, FEATURES }, { "degree", 1, 0, DEGREE }, { "graph", 1, 0, GRAPH },
	{ "confidence", 1, 0, CONFIDENCE }, { "views", 1, 0, VIEW_LIST }, { "lags", 1, 0, LAGS },
	{ "epochs", 1, 0, EPOCHS }, { "steps", 1, 0, STEPS }, { "memory-budget", 1, 0, MEMORY },
	{ "mixed", 0, 0, MIXED }, { "seed", 1, 0, SEED }, { "name", 1, 0, NAME },
	{ "pipeline", 1, 0, PIPELINE }, { "rate", 1, 0, RATE },
	{ "threads", 1, 0, THREADS }, { "svg", 1, 0, SVG },
	{ "curve", 0, 0, CURVE }, { "target", 1, 0, TARGET },
	{ "quiet", 0, 0, 'q' }, { "json", 0, 0, 'j' }, { 0 },
};

static int set_long(struct fit_line *l, int option, struct why *why)
{
	struct fit_options *f = &l->fit;

	switch (option) {
	case TRAIN: l->train = optarg; return 0;
	case NAME: l->name = optarg; return 0;
	case PIPELINE: l->pipeline = optarg; return 0;
	case GRAPH: l->graph = optarg; return 0;
	case SVG: l->svg = optarg; return 0;
	case CURVE: l->curve = true; return 0;
	case TARGET: return parse_target(&l->target, optarg, why);
	case MIXED: f->learn.mixed = true; return 0;
	case NET: return parse_net(f, optarg, why);
	case CONFIDENCE: return parse_confidence(&f->confidence, optarg, why);
	case VIEW_LIST: return option_views(&f->views, optarg, why);
	case MEMORY: return option_bytes(&f->learn.memory_budget, "memory-budget", optarg, why);
	case HIDDEN: return option_count(&f->hidden, "hidden", optarg, 0, 1024, why);
	case LAYERS: return option_count(&f->layers, "layers", optarg, 1, 2, why);
	case WINDOW: return option_count(&f->window, "window", optarg, 2, RECURRENT_WINDOW_MAX, why);
	case FEATURES: return option_count(&f->features, "features", optarg, 0, GRAPH_FEATURES_MAX, why);
	case DEGREE: return option_count(&f->degree, "degree", optarg, 1, GRAPH_DEGREE_MAX - 1, why);
	case LAGS: return option_count(&f->lags, "lags", optarg, 1, 64, why);
	case EPOCHS: return option_count(&f->learn.epochs, "epochs", optarg, 0, 10000, why);
	case STEPS: return option_count(&f->learn.steps, "steps", optarg, 1, LEARN_STEPS_MAX, why);
	case THREADS: return option_count(&f->learn.threads, "threads", optarg, 1, 256, why);
	case SEED: return option_seed(&f->seed, optarg, why);
	default: return option_hz(&l->rate_hz, optarg, why);
	}
}

static int parse(struct fit_line *l, int argc, char **argv, struct why *why)
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
	if (l->name && strlen(l->name) >= MODEL_NAME_MAX)
		return why_set(why, VERB_USAGE, "--name %s: longer than %d characters", l->name,
			       MODEL_NAME_MAX - 1);
	if (!l->fit.hidden || !l->fit.learn.epochs)
		l->fit.net = RECURRENT_NONE;
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

/* The model is on disk: what is found out about it now can be interrupted. */
static int tell(const struct fit_line *l, const struct fit_options *fit,
		const struct fit_report *report, const struct model *m, const struct table *t,
		double seconds, struct why *why)
{
	struct review review;
	struct report_fit r = {
		.m = m, .options = fit, .fit = report, .review = &review, .path = l->output,
		.seconds = seconds, .curve = l->curve || isatty(STDOUT_FILENO),
		.operators = l->target != NULL,
	};
	int err = review_open(&review, m, t->value, t->rows, l->target ? l->target : "this", why);

	if (!err)
		err = report_fit(&r, l->json);
	review_close(&review);
	return err;
}

static int run(const struct fit_line *l, const struct table *t, struct why *why)
{
	struct fit_options fit = l->fit;
	struct fit_report report = { 0 };
	struct progress progress;
	struct graph graph = { 0 };
	struct draft d = { 0 };
	double rate = l->rate_hz > 0 ? l->rate_hz : t->rate_hz > 0 ? tidy_rate(t->rate_hz) : 1;
	int err = 0;

	progress_init(&progress, l->quiet);
	fit.learn.progress = &progress;
	fit.learn.stop = &interrupted;
	d.m.rate_hz = rate;
	draft_name(&d, l->output);
	if (l->name)
		strcpy(d.m.name, l->name);
	draft_stamp(&d);
	catch_interrupt();
	openblas_set_num_threads(fit.learn.threads ? (int)fit.learn.threads : openblas_get_num_procs());
	if (l->graph)
		err = graph_read(&graph, l->graph, t->name, t->channels, why);
	fit.graph = l->graph ? &graph : NULL;
	if (!err)
		err = fit_table(&d, t, &fit, &report, why);
	progress_end(&progress);
	if (!err)
		err = model_save(&d.m, l->output, why);
	if (!err && l->svg)
		err = report_fit_svg(&report, l->svg, why);
	if (!err)
		err = tell(l, &fit, &report, &d.m, t, progress_elapsed(&progress), why);
	free(report.learn.curve);
	graph_close(&graph);
	draft_close(&d);
	return err;
}

int verb_fit(int argc, char **argv, struct why *why)
{
	struct fit_line l = {
		.fit = { .net = RECURRENT_FORECAST, .hidden = FIT_HIDDEN, .features = FIT_FEATURES,
			 .confidence = FIT_CONFIDENCE, .seed = 1, .learn.epochs = FIT_EPOCHS },
	};
	struct table *t;
	int err = parse(&l, argc, argv, why);

	if (!err)
		err = history_read(&t, l.train, l.pipeline, why);
	if (err)
		return err;
	err = run(&l, t, why);
	table_free(t);
	return err;
}
