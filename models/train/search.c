// SPDX-License-Identifier: MIT
/* search: see search.h. */
#include "models/train/search.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/graft.h"
#include "models/train/graph.h"
#include "models/train/net.h"
#include "models/train/refit.h"
#include "models/train/search_draw.h"
#include "models/train/subspace_fit.h"
#include "models/train/teach.h"

#define RATE 3e-3f

struct work {
	const struct search_options *o;
	struct search_report *r;
	struct draft *d;			/* the base, then the winner */
	struct refit refit;
	struct draft folds;			/* what refit's operators are kept by */
	struct teach forecast, coder;
	struct graph graph[SEARCH_DEGREES];
	struct net **net;			/* [SEARCH_MAX * 4] */
	unsigned *alive, alive_count;		/* candidates that learn on */
};

unsigned search_keep(unsigned n, unsigned eta)
{
	unsigned keep = (n + eta - 1) / eta;

	return n > 1 && keep >= n ? n - 1 : keep;
}

static bool beats(const struct search_candidate *a, const struct search_candidate *b)
{
	bool no_worse = a->loss <= b->loss && a->us <= b->us && a->bytes <= b->bytes;

	return no_worse && (a->loss < b->loss || a->us < b->us || a->bytes < b->bytes);
}

void search_front(struct search_candidate *c, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		c[k].front = c[k].fits && !isnan(c[k].loss);
		for (unsigned j = 0; j < n && c[k].front; j++)
			if (c[j].fits && !isnan(c[j].loss) && beats(&c[j], &c[k]))
				c[k].front = false;
	}
}

/* Mean square of what the subspace leaves of held-out windows, by folds where there are any. */
static double subspace_loss(const struct work *w)
{
	const struct detector_spec *s = &w->d->m.spec;
	const struct series *rows = &w->refit.rows;
	unsigned cells = s->subspace.lags * s->channels, folds = w->refit.rec.folds;
	double *square = calloc(cells ? cells : 1, sizeof(*square)), sum = 0, count = 0;

	if (!square || !(s->view[VIEW_SUBSPACE].weight > 0)) {
		free(square);
		return NAN;
	}
	for (unsigned k = 0; k < (folds ? folds : 1); k++) {
		unsigned from = folds ? w->refit.fold[k].from : 0;
		unsigned to = folds ? w->refit.fold[k].to : rows->rows;
		struct subspace_spec sub = s->subspace;

		from = from > rows->fit_rows ? from : rows->fit_rows;
		if (from >= to)
			continue;
		if (folds) {
			sub.rank = w->refit.fold[k].encode.out;
			sub.encode = w->refit.fold[k].encode;
			sub.decode = w->refit.fold[k].decode;
		}
		if (subspace_left(square, &sub, rows, from, to))
			break;
		count += (double)(to - from) * cells;
	}
	for (unsigned c = 0; c < cells; c++)
		sum += square[c];
	free(square);
	return count > 0 ? sum / count : NAN;
}

/* Without a subspace an autoencoder stands beside a guess of nothing. */
static double nothing_loss(const struct series *s)
{
	double sum = 0;

	for (size_t k = (size_t)s->fit_rows * s->channels; k < (size_t)s->rows * s->channels; k++)
		sum += (double)s->input[k] * s->input[k];
	return sum / ((double)(s->rows - s->fit_rows) * s->channels);
}

static int base_fit(struct work *w, const struct table *t, struct why *why)
{
	struct fit_options fit = { .lags = w->o->lags, .net = RECURRENT_NONE, .seed = w->o->seed };
	struct fit_report report;
	int err = fit_table(w->d, t, &fit, &report, why);

	free(report.learn.curve);
	return err ? err : refit_open(&w->refit, &w->folds, &w->d->m, t->value, t->rows, why);
}

static int lessons(struct work *w, struct why *why)
{
	const struct detector_spec *s = &w->d->m.spec;
	const struct series *rows = &w->refit.rows;
	float *left = calloc((size_t)rows->rows * s->channels, sizeof(*left));
	int err = left ? refit_left(&w->refit, s, left, why) : -ENOMEM;

	if (!err)
		err = teach_open(&w->forecast, rows, left, s->lags);
	if (!err)
		err = teach_open(&w->coder, rows, NULL, s->lags);
	for (unsigned k = 0; !err && s->channels > 1 && k < SEARCH_DEGREES; k++)
		err = graph_build(&w->graph[k], rows->u, rows->valid, rows->fit_rows, s->channels,
				  search_degrees[k]);
	free(left);
	w->r->subspace_loss = subspace_loss(w);
	if (isnan(w->r->subspace_loss))
		w->r->subspace_loss = nothing_loss(rows);
	return err == -ENOMEM ? why_set(why, err, "out of memory") : err;
}

/* The candidates, each with its cost and, where that fits, an untrained net. */
static int draw_all(struct work *w, struct why *why)
{
	struct search_report *r = w->r;
	unsigned channels = w->d->m.spec.channels, found = 0;
	struct random random = { w->o->seed };
	int err;

	r->candidate[0] = (struct search_candidate){ .kind = RECURRENT_NONE, .loss = 1 };
	err = search_cost(&r->candidate[0], &w->d->m, NULL, &w->refit.rec, w->o, why);
	if (!err && !r->candidate[0].fits)
		return why_set(why, -EINVAL, "even without a net it takes %.2f us, %llu bytes, "
			       "%llu bytes of memory", r->candidate[0].us,
			       (unsigned long long)r->candidate[0].bytes,
			       (unsigned long long)r->candidate[0].ram);
	r->candidates = 1;
	while (!err && found < w->o->candidates && r->candidates < SEARCH_MAX * 4) {
		struct search_candidate *c = &r->candidate[r->candidates];
		struct net_shape shape;
		struct net *net;

		if ((w->o->learn.stop && *w->o->learn.stop) ||
		    !search_draw(c, r->candidate, r->candidates, w->o, channels, &random))
			break;
		shape = search_shape(c, channels, w->graph);
		if (net_open(&net, &shape, w->o->seed + r->candidates))
			return why_set(why, -ENOMEM, "out of memory");
		err = search_cost(c, &w->d->m, net, &w->refit.rec, w->o, why);
		if (!err && c->fits) {
			w->alive[found++] = r->candidates;
			w->net[r->candidates] = net;
		} else {
			net_close(net);
			r->over++;
		}
		r->candidates++;
	}
	w->alive_count = found;
	return err;
}

static int learn_on(struct work *w, unsigned k, unsigned epochs, struct why *why)
{
	struct search_candidate *c = &w->r->candidate[k];
	bool forecast = c->kind == RECURRENT_FORECAST;
	struct learn_options how = w->o->learn;
	struct learn_report r;
	int err;

	how.epochs = epochs;
	how.steps = forecast ? c->steps : 0;
	how.rate = how.rate > 0 ? how.rate : RATE;
	err = learn(w->net[k], forecast ? &w->forecast.lesson : &w->coder.lesson, &how, &r);
	if (err)
		return why_set(why, err, err == -ENOMEM ? "out of memory" : "learning failed");
	c->epochs += r.epochs;
	c->rungs++;
	/* Before its first epoch a forecast net says nothing: that is the linear part's loss. */
	if (forecast && c->rungs == 1)
		w->r->linear_loss = r.linear_loss;
	c->loss = r.net_loss / (forecast ? w->r->linear_loss : w->r->subspace_loss);
	w->r->stopped |= r.stopped;
	free(r.curve);
	return 0;
}

static void sort_alive(struct work *w)
{
	const struct search_candidate *c = w->r->candidate;

	for (unsigned i = 1; i < w->alive_count; i++)
		for (unsigned j = i; j && c[w->alive[j]].loss < c[w->alive[j - 1]].loss; j--) {
			unsigned hold = w->alive[j];

			w->alive[j] = w->alive[j - 1];
			w->alive[j - 1] = hold;
		}
}

static int halve(struct work *w, struct why *why)
{
	const struct search_options *o = w->o;
	unsigned epochs = o->first;
	int err = 0;

	while (!err && w->alive_count && !w->r->stopped) {
		unsigned n = w->alive_count;
		/* Whoever is left alone learns to its end. */
		unsigned run = n == 1 || epochs > o->epochs ? o->epochs : epochs;

		for (unsigned k = 0; !err && k < n && !w->r->stopped; k++)
			err = learn_on(w, w->alive[k], run, why);
		w->r->rungs++;
		if (n == 1)
			break;
		/* Cut off, those that had no turn have no loss to be sorted by. */
		if (!w->r->stopped)
			sort_alive(w);
		w->alive_count = search_keep(n, o->eta);
		epochs = epochs < o->epochs ? epochs * o->eta : epochs;
	}
	return err;
}

/* The least loss of all that fit; a net only where it gains. */
static void choose(struct search_report *r)
{
	r->winner = 0;
	for (unsigned k = 1; k < r->candidates; k++) {
		const struct search_candidate *c = &r->candidate[k];

		if (c->fits && c->loss < 1 - FIT_GAIN_MIN && c->loss < r->candidate[r->winner].loss)
			r->winner = k;
	}
	search_front(r->candidate, r->candidates);
}

static int build(struct work *w, struct why *why)
{
	const struct search_candidate *c = &w->r->candidate[w->r->winner];
	struct net *net = w->net[w->r->winner];
	struct graft g = { .net = net, .seed = w->o->seed };
	bool forecast = c->kind != RECURRENT_AUTOENCODER;
	double linear = forecast ? w->r->linear_loss : w->r->subspace_loss;
	struct quick_report quick;
	struct model *m = &w->d->m;

	m->loss_linear = m->loss_net = (float)linear;
	if (!net)
		return 0;
	if (forecast)
		teach_fold(net, w->forecast.scale);
	m->loss_net = (float)(c->loss * linear);
	if (w->o->confidence > 0)
		g.margin = quick_fit_margin(w->o->confidence);
	return graft_net(w->d, &g, &w->refit, &quick, why);
}

static void close_all(struct work *w)
{
	for (unsigned k = 0; w->net && k < w->r->candidates; k++)
		net_close(w->net[k]);
	for (unsigned k = 0; k < SEARCH_DEGREES; k++)
		graph_close(&w->graph[k]);
	free(w->net);
	free(w->alive);
	teach_close(&w->forecast);
	teach_close(&w->coder);
	refit_close(&w->refit);
	draft_close(&w->folds);
}

int search_model(struct draft *d, const struct table *t, const struct search_options *o,
		 struct search_report *r, struct why *why)
{
	struct work w = { .o = o, .r = r, .d = d };
	int err = 0;

	*r = (struct search_report){ 0 };
	if (o->candidates > SEARCH_MAX || o->eta < 2 || !o->first || !o->epochs ||
	    !(o->kinds >> RECURRENT_FORECAST & 3))
		return why_set(why, -EINVAL, "%u candidates, eta %u, %u to %u epochs", o->candidates,
			       o->eta, o->first, o->epochs);
	w.net = calloc(SEARCH_MAX * 4, sizeof(struct net *));
	w.alive = calloc(SEARCH_MAX * 4, sizeof(*w.alive));
	if (!w.net || !w.alive)
		err = why_set(why, -ENOMEM, "out of memory");
	if (!err)
		err = base_fit(&w, t, why);
	if (!err)
		err = lessons(&w, why);
	if (!err)
		err = draw_all(&w, why);
	if (!err)
		err = halve(&w, why);
	if (!err) {
		choose(r);
		err = build(&w, why);
	}
	close_all(&w);
	return err;
}
