// SPDX-License-Identifier: MIT
/* distill: see distill.h. */
#include "models/train/distill.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/recurrent.h"
#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/fit.h"
#include "models/train/graft.h"
#include "models/train/net.h"
#include "models/train/refit.h"
#include "models/train/teach.h"

#define HIDDEN_PART 4u		/* of the teacher's, that a student gets by itself */

struct work {
	const struct model *m;
	const struct distill_options *o;
	struct distill_report *r;
	struct refit refit;
	struct teach teach;
	struct judge_trial trial;
	struct net_shape shape;
	float *told;			/* [rows][N] the teacher's answers, as targets */
	struct draft best[DISTILL_KINDS];
};

/* What the teacher's net says of each row, from those before it, in u. */
static int ask_teacher(struct work *w, float *left, struct why *why)
{
	const struct detector_spec *s = &w->m->spec;
	unsigned n = s->channels, rows = w->refit.rec.rows;
	struct recurrent *net;
	int err = recurrent_open(&net, &s->recurrent, QUANT_MAX / s->z_clip, FC_REF, why);

	if (err)
		return err;
	for (unsigned r = 0; r + 1 < rows; r++) {
		recurrent_advance(net, w->refit.rows.u + (size_t)r * n);
		recurrent_forecast(net, left + (size_t)(r + 1) * n);
	}
	recurrent_close(net);
	teach_target(&w->teach, w->told, left, s->lags);
	return 0;
}

static int prepare(struct work *w, struct why *why)
{
	const struct detector_spec *s = &w->m->spec;
	unsigned rows = w->refit.rec.rows;
	size_t cells = (size_t)rows * s->channels;
	float *left = calloc(cells, sizeof(*left));
	int err = 0;

	w->told = calloc(cells, sizeof(*w->told));
	if (!left || !w->told || judge_trial_open(&w->trial, w->m, w->refit.rec.x, rows,
						  w->refit.std, w->o->seed))
		err = why_set(why, -ENOMEM, "out of memory");
	if (!err)
		err = refit_left(&w->refit, s, left, why);
	if (!err && teach_open(&w->teach, &w->refit.rows, left, s->lags))
		err = why_set(why, -ENOMEM, "out of memory");
	if (!err)
		err = ask_teacher(w, left, why);
	free(left);
	w->r->rows = rows;
	w->r->departures = w->trial.departures;
	w->r->folds = w->refit.rec.folds != 0;
	return err;
}

/* Loss and ranks; what they cost is measured of the best alone. */
static int judge(struct judge *j, const struct model *m, const struct work *w, struct why *why)
{
	int err;

	judge_size(j, m);
	err = judge_loss(&j->loss, m, w->m->spec.inv_sigma, &w->refit.rec, why);
	return err ? err : judge_ranks(&j->made_up, m, w->trial.x, w->trial.label, w->trial.rows,
				       NULL, why);
}

static int make_model(struct draft *d, struct net *net, unsigned kind, struct distill_run *run,
		      const struct work *w, struct why *why)
{
	struct graft g = { .net = net, .seed = run->seed };
	struct quick_report quick;
	int err;

	d->m = *w->m;
	d->m.memory = NULL;
	d->m.memory_size = 0;
	d->m.seed = run->seed;
	d->m.loss_net = (float)run->net_loss;
	d->m.loss_linear = (float)w->r->linear_loss;
	if (w->m->spec.quick.hidden) {
		g.margin = w->m->spec.quick.margin;
		g.teacher = kind == DISTILL_STUDENT ? &w->m->spec : NULL;
		g.soft_weight = (float)w->o->weight;
	}
	err = graft_net(d, &g, &w->refit, &quick, why);
	run->quick_missed = d->m.spec.quick.hidden ? quick.missed : NAN;
	run->quick_wary = d->m.spec.quick.hidden ? quick.wary : NAN;
	return err;
}

static int one_run(struct work *w, unsigned kind, unsigned k, struct why *why)
{
	struct distill_run *run = &w->r->run[kind][k];
	struct learn_options how = w->o->learn;
	struct learn_report learnt = { 0 };
	struct draft d = { 0 };
	struct net *net = NULL;
	int err;

	run->seed = w->o->seed + k;
	if (kind == DISTILL_STUDENT) {
		how.teacher = w->told;
		how.teacher_weight = (float)w->o->weight;
	}
	err = net_open(&net, &w->shape, run->seed);
	if (!err)
		err = learn(net, &w->teach.lesson, &how, &learnt);
	if (err)
		why_set(why, err, err == -ENOMEM ? "out of memory" : "learning failed");
	free(learnt.curve);
	run->epochs = learnt.epochs;
	run->best_epoch = learnt.best_epoch;
	run->net_loss = learnt.net_loss;
	w->r->linear_loss = learnt.linear_loss;
	w->r->stopped |= learnt.stopped;
	if (!err) {
		teach_fold(net, w->teach.scale);
		err = make_model(&d, net, kind, run, w, why);
	}
	net_close(net);
	if (!err)
		err = judge(&run->judge, &d.m, w, why);
	if (!err && (!k || (!w->r->stopped &&
			     run->net_loss < w->r->run[kind][w->r->best[kind]].net_loss))) {
		draft_close(&w->best[kind]);
		w->best[kind] = d;
		w->r->best[kind] = k;
	} else {
		draft_close(&d);
	}
	return err;
}

/* Pairs of the same seed; one that was cut off only counts where there is no other. */
static int all_runs(struct work *w, struct why *why)
{
	struct distill_report *r = w->r;
	int err = 0;

	for (unsigned k = 0; !err && k < w->o->seeds && !r->stopped; k++) {
		for (unsigned kind = 0; !err && kind < DISTILL_KINDS; kind++)
			err = one_run(w, kind, k, why);
		r->seeds += !err && (!r->stopped || !k);
	}
	for (unsigned kind = 0; !err && kind < DISTILL_KINDS; kind++)
		for (unsigned k = 0; k < r->seeds; k++)
			r->mean_loss[kind] += r->run[kind][k].net_loss / r->seeds;
	return err;
}

/* Teacher and the best of each kind: what they take. */
static int costs(struct work *w, struct why *why)
{
	struct distill_report *r = w->r;
	const struct model *m[3] = { w->m, &w->best[0].m, &w->best[1].m }, *all[6];
	struct judge *j[3] = { &r->teacher };
	struct draft int8[3] = { 0 };
	double us[6];
	int err = judge(&r->teacher, w->m, w, why);

	for (unsigned kind = 0; kind < DISTILL_KINDS; kind++)
		j[1 + kind] = &r->run[kind][r->best[kind]].judge;
	for (unsigned k = 0; !err && k < 3; k++) {
		err = judge_int8(j[k], &int8[k], m[k], &w->refit.rec, why);
		all[k] = m[k];
		all[3 + k] = &int8[k].m;
	}
	if (!err)
		err = judge_time(us, all, 6, w->refit.rec.x, w->refit.rec.rows, why);
	for (unsigned k = 0; !err && k < 3; k++) {
		j[k]->us = us[k];
		j[k]->int8_us = us[3 + k];
	}
	for (unsigned k = 0; k < 3; k++)
		draft_close(&int8[k]);
	return err;
}

/* The better kind's best into d; where no small net gains anything, the model without one. */
static int choose(struct draft *d, struct work *w, struct why *why)
{
	struct distill_report *r = w->r;
	const struct distill_run *run;

	r->kind = r->mean_loss[DISTILL_STUDENT] < r->mean_loss[DISTILL_ALONE] ? DISTILL_STUDENT :
									       DISTILL_ALONE;
	run = &r->run[r->kind][r->best[r->kind]];
	r->gained = run->net_loss < r->linear_loss * (1 - FIT_GAIN_MIN);
	*d = w->best[r->kind];
	w->best[r->kind] = (struct draft){ 0 };
	if (!r->gained) {
		struct quick_report quick;

		d->m.loss_net = d->m.loss_linear;
		return graft_net(d, &(struct graft){ 0 }, &w->refit, &quick, why);
	}
	return 0;
}

static int set_shape(struct work *w, struct why *why)
{
	const struct recurrent_spec *t = &w->m->spec.recurrent;
	const struct distill_options *o = w->o;
	struct net_shape *s = &w->shape;

	if (!(w->m->spec.view[VIEW_RECURRENT].weight > 0) || t->kind != RECURRENT_FORECAST)
		return why_set(why, -EINVAL, "model %s has no forecast net: nothing to teach from",
			       w->m->name);
	if (!o->seeds || o->seeds > DISTILL_SEEDS_MAX || !(o->weight >= 0 && o->weight <= 1))
		return why_set(why, -EINVAL, "%u seeds, teacher's weight %g", o->seeds, o->weight);
	*s = (struct net_shape){
		.kind = RECURRENT_FORECAST, .channels = w->m->spec.channels,
		.hidden = o->hidden ? o->hidden : t->hidden / HIDDEN_PART ? t->hidden / HIDDEN_PART : 1,
		.layers = o->layers ? o->layers : 1, .features = o->features,
	};
	if (s->features && !t->graph.features)
		return why_set(why, -EINVAL, "model %s has no graph that a student could share",
			       w->m->name);
	if (s->features) {
		s->degree = t->graph.degree;
		s->neighbour = t->graph.neighbour;
		s->edge = t->graph.edge;
	}
	w->r->hidden = s->hidden;
	w->r->layers = s->layers;
	w->r->features = s->features;
	return 0;
}

int distill_model(struct draft *d, const struct model *m, const float *x, unsigned rows,
		  const struct distill_options *o, struct distill_report *r, struct why *why)
{
	struct work w = { .m = m, .o = o, .r = r };
	struct draft folds = { 0 };
	int err;

	*r = (struct distill_report){ 0 };
	err = set_shape(&w, why);
	if (!err)
		err = refit_open(&w.refit, &folds, m, x, rows, why);
	if (!err)
		err = prepare(&w, why);
	if (!err)
		err = all_runs(&w, why);
	if (!err)
		err = costs(&w, why);
	if (!err)
		err = choose(d, &w, why);
	teach_close(&w.teach);
	judge_trial_close(&w.trial);
	free(w.told);
	for (unsigned kind = 0; kind < DISTILL_KINDS; kind++)
		draft_close(&w.best[kind]);
	refit_close(&w.refit);
	draft_close(&folds);
	return err;
}
