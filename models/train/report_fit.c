// SPDX-License-Identifier: MIT
/*
 * report_fit: what became of a recording, for people who never trained anything: each line says
 * in words what was found, with the number behind it.
 */
#include <math.h>
#include <stdio.h>

#include "models/model.h"
#include "models/train/fit.h"
#include "models/train/report.h"
#include "models/train/review.h"
#include "models/train/select.h"

#define PAIRS_SHOWN 5u
#define PAIR_WEAK 0.3f		/* below it nothing is worth a line */
#define LABEL "%-15s "

static void rows_text(const struct report_fit *r)
{
	const struct fit_report *f = r->fit;

	printf(LABEL "%u at %g Hz, the last %u held out\n", "rows", f->rows, r->m->rate_hz,
	       f->held_rows);
	printf(LABEL "%u, of which %u wander (their changes are learnt, not their values) and %u "
	       "never moved\n", "channels", f->channels, f->wandering, f->dead);
}

/*
 * A view carries over when rows that it was made without look to it about as those that it
 * was made from.
 */
static void views_text(const struct report_fit *r)
{
	bool asked = r->options->views != 0;

	printf(LABEL "%snew rows look to each so many times as odd as known ones\n", "views",
	       asked ? "as asked for; " : "");
	if (!asked)
		printf(LABEL "beyond %.1f times a view is left out (but the forecast fills gaps)\n",
		       "", SELECT_CARRY_MAX);
	for (unsigned v = 0; v < VIEWS; v++) {
		const char *name = detector_view_name((enum detector_view)v);
		bool kept = r->m->spec.view[v].weight > 0;

		if (!isnan(r->fit->carry[v]))
			printf(LABEL "%-10s %5.2f  %s\n", "", name, r->fit->carry[v],
			       kept ? "kept" : "left out");
		else if (kept)
			printf(LABEL "%-10s %5s  kept\n", "", name, "-");
	}
}

static void net_text(const struct report_fit *r)
{
	const struct fit_report *f = r->fit;
	const struct learn_report *l = &f->learn;
	const struct recurrent_spec *net = &r->m->spec.recurrent;
	double before = l->linear_loss, gain = before > 0 ? 100 * (1 - l->net_loss / before) : 0;

	printf(LABEL "%u lags", "linear", f->lags);
	if (f->linear_loss > 0)
		printf(", held-out loss %.4f", f->linear_loss);
	putchar('\n');
	if (f->rank)
		printf(LABEL "%u components of %u values\n", "subspace", f->rank,
		       f->lags * f->channels);
	if (!f->tried_net)
		printf(LABEL "not tried\n", "LSTM");
	else if (!f->hidden)
		printf(LABEL "left out: in %u epochs it did not lower the held-out loss by %.1f %% "
		       "(%.4f to %.4f)\n", "LSTM", l->epochs, 100 * FIT_GAIN_MIN, before,
		       l->net_loss);
	else
		printf(LABEL "%s: %u hidden%s, held-out loss %.4f (%.1f %% less, epoch %u of %u)\n",
		       "LSTM", net->kind == RECURRENT_NONE ? "learnt, its view left out" : "kept",
		       f->hidden, net->kind == RECURRENT_AUTOENCODER ? ", an autoencoder" : "",
		       l->net_loss, gain, l->best_epoch, l->epochs);
	if (r->m->spec.quick.hidden)
		printf(LABEL "%.1f %% of the rows were so plainly normal that graph and dense part "
		       "were skipped\n", "early exit", 100 * f->early);
	if (l->stopped)
		printf(LABEL "the best state until then was kept\n", "interrupted");
}

static void training_text(const struct report_fit *r)
{
	const struct learn_report *l = &r->fit->learn;
	char asked[REPORT_BYTES], with[REPORT_BYTES], without[REPORT_BYTES];

	if (!r->fit->tried_net)
		return;
	if (r->options->learn.memory_budget)
		printf(LABEL "of %s asked for: peak %s with states kept for %u steps at once,\n"
		       LABEL "%s without; %llu of %llu steps computed again for it\n", "memory",
		       report_bytes(asked, (double)r->options->learn.memory_budget),
		       report_bytes(with, (double)l->peak_bytes), l->segment_steps, "",
		       report_bytes(without, (double)l->peak_bytes_plain),
		       (unsigned long long)l->steps_again, (unsigned long long)l->steps_run);
	if (r->options->learn.mixed)
		printf(LABEL "bf16; %u of %u updates were not finite and skipped, loss scale %g\n",
		       "mixed precision", l->skipped, l->updates + l->skipped,
		       (double)l->loss_scale);
	if (r->curve)
		report_curve(stdout, l, report_unicode());
}

static void residual_text(const struct report_fit *r)
{
	const struct covariance *c = &r->review->left;
	unsigned strong = 0;

	while (strong < c->pairs && strong < PAIRS_SHOWN &&
	       fabsf(c->pair[strong].correlation) >= PAIR_WEAK)
		strong++;
	if (!c->rows)
		printf(LABEL "not compared: too many channels or too few rows\n", "residuals");
	else if (!strong)
		printf(LABEL "what the forecast misses of one channel tells little of any other "
		       "(at most %.2f)\n", "residuals",
		       c->pairs ? (double)fabsf(c->pair[0].correlation) : 0);
	else
		printf(LABEL "these channels miss the forecast together (correlation)\n",
		       "residuals");
	for (unsigned k = 0; k < strong; k++)
		printf(LABEL "%+.2f  %s, %s\n", "", (double)c->pair[k].correlation,
		       r->m->channel[c->pair[k].a].name, r->m->channel[c->pair[k].b].name);
}

static void int8_text(const struct report_fit *r)
{
	const struct quantize_report *q = &r->review->agree;
	double same = r->review->same_side;

	printf(LABEL "%s: %.2f %% of the rows on the same side of the limit,\n" LABEL
	       "scores' correlation %.5f over %u rows, mean difference %.4f medians\n", "as int8",
	       same >= 0.99 ? "says the same" : "says something else now and then", 100 * same, "",
	       q->correlation, q->rows, q->mean_difference);
}

static void cost_text(const struct report_fit *r)
{
	const struct review *v = r->review;
	struct cost_part all = cost_sum(&v->cost);
	double us = cost_ns(&all, &v->target) / 1e3;
	char ram[REPORT_BYTES];

	printf(LABEL "as int8 on %s %s %.3g us a row: %.3g %% of one core at %g Hz, %s of memory\n",
	       "cost", v->target.title, v->target.measured ? "about" : "roughly (an estimate)", us,
	       us * 1e-4 * r->m->rate_hz, r->m->rate_hz,
	       report_bytes(ram, (double)cost_ram(&v->cost, v->int8_bytes)));
	printf(LABEL "%.0f multiply-adds a row", "", cost_mul_adds(&all));
	if (!isnan(v->measured_us))
		printf("; %.3g us were measured just now", v->measured_us);
	putchar('\n');
	if (r->operators)
		report_cost(&v->cost, &v->target);
}

int report_fit(const struct report_fit *r, bool json)
{
	char size[REPORT_BYTES];

	if (json)
		return report_fit_json(r);
	printf(LABEL "%s (%s, %s)\n", "model", r->path, model_precision(r->m),
	       report_bytes(size, (double)report_file_size(r->path)));
	rows_text(r);
	views_text(r);
	net_text(r);
	training_text(r);
	residual_text(r);
	int8_text(r);
	cost_text(r);
	printf(LABEL "score %.2f for one false alarm a day; a row stands out where a channel\n"
	       LABEL "is %.2f times as far off as it usually gets\n", "limit",
	       report_day_limit(r->m), "", (double)r->m->point_limit);
	printf(LABEL "%.1f s\n", "time", r->seconds);
	return 0;
}
