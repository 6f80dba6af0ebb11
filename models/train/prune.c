// SPDX-License-Identifier: MIT
/*
 * prune: see prune.h. The order matters: linear parts first, as the net learns what they leave;
 * then the net; then what is usual; the quick head last, as it reads all of them.
 */
#include "models/train/prune.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/net.h"
#include "models/train/quick_rows.h"
#include "models/train/refit.h"
#include "models/train/teach.h"

#define VECTOR 8u		/* floats that gates are computed in at a time, and rows of int8 tiles */
#define RATE 1e-3f		/* of the tuning: a third of what a new net begins with */

struct work {
	struct draft *d;
	struct refit refit;
	const struct prune_options *o;
	struct prune_report *r;
	unsigned parts;
};

struct prune_options prune_defaults(void)
{
	return (struct prune_options){ .units = PRUNE_UNITS, .weights = PRUNE_WEIGHTS, .seed = 1,
				       .learn.epochs = PRUNE_EPOCHS };
}

static unsigned kept_of(unsigned count, double share)
{
	unsigned gone = (unsigned)(share * count + 1e-9);

	return count - (gone < count ? gone : count - 1);
}

/*
 * Whole vectors where that takes no more than a third more than asked for: a tail costs about
 * what a vector does, so that 45 units may take longer than 48.
 */
static unsigned kept_units(unsigned count, double share)
{
	unsigned kept = kept_of(count, share), whole = kept / VECTOR * VECTOR;

	return whole && count - whole <= share * count * 4 / 3 ? whole : kept;
}

static float *ones(size_t count)
{
	float *v = malloc((count + 1) * sizeof(*v));

	for (size_t k = 0; v && k < count; k++)
		v[k] = 1;
	return v;
}

/* The smallest weights of an operator become zero. */
static int sparse_fc(struct fc_spec *f, struct work *w, bool count)
{
	size_t n = (size_t)f->in * f->out;
	float *kept = draft_copy(w->d, f->weight_f32, n * sizeof(*kept)), *mask = ones(n);
	int64_t zeros = kept && mask ? prune_smallest(mask, kept, n, w->o->weights) : -ENOMEM;

	for (size_t k = 0; zeros >= 0 && k < n; k++)
		kept[k] *= mask[k];
	free(mask);
	if (zeros < 0)
		return -ENOMEM;
	f->weight_f32 = kept;
	if (count) {
		w->r->weights += n;
		w->r->zeroed += (uint64_t)zeros;
	}
	return 0;
}

/* How much of the variance a component holds: the norm of its column of decode. */
static double variance_of(const struct subspace_spec *p, unsigned component)
{
	double square = 0;

	for (unsigned c = 0; c < p->decode.out; c++) {
		double v = p->decode.weight_f32[(size_t)c * p->rank + component];

		square += v * v;
	}
	return square;
}

/* gone[rank]: the least of them; of equals the later one. */
static void least_components(bool *gone, const struct subspace_spec *p, unsigned kept)
{
	for (unsigned drop = p->rank; drop > kept; drop--) {
		double size = INFINITY;
		unsigned least = 0;

		for (unsigned k = 0; k < p->rank; k++) {
			double is = gone[k] ? INFINITY : variance_of(p, k);

			if (is <= size && !gone[k]) {
				least = k;
				size = is;
			}
		}
		gone[least] = true;
	}
}

static int cut_subspace(struct work *w, unsigned kept)
{
	struct subspace_spec *p = &w->d->m.spec.subspace;
	unsigned cells = p->encode.in, rank = p->rank, at = 0;
	float *e = draft_keep(w->d, (size_t)kept * cells * sizeof(*e));
	float *b = draft_keep(w->d, kept * sizeof(*b));
	float *g = draft_keep(w->d, (size_t)kept * cells * sizeof(*g));
	bool *gone = calloc(rank, sizeof(*gone));

	if (!e || !b || !g || !gone) {
		free(gone);
		return -ENOMEM;
	}
	least_components(gone, p, kept);
	for (unsigned k = 0; k < rank; k++) {
		if (gone[k])
			continue;
		memcpy(e + (size_t)at * cells, p->encode.weight_f32 + (size_t)k * cells,
		       cells * sizeof(*e));
		b[at] = p->encode.bias[k];
		for (unsigned c = 0; c < cells; c++)
			g[(size_t)c * kept + at] = p->decode.weight_f32[(size_t)c * rank + k];
		at++;
	}
	free(gone);
	p->rank = p->encode.out = p->decode.in = kept;
	p->encode.weight_f32 = e;
	p->encode.bias = b;
	p->decode.weight_f32 = g;
	return 0;
}

/* The linear parts of the model and of its folds. */
static int prune_linear(struct work *w)
{
	struct detector_spec *s = &w->d->m.spec;
	bool subspace = s->view[VIEW_SUBSPACE].weight > 0;
	int err = 0;

	w->r->rank = w->r->rank_kept = subspace ? s->subspace.rank : 0;
	if (w->parts & PRUNE_LINEAR)
		err = sparse_fc(&s->linear, w, true);
	if (!err && subspace && !w->r->net) {
		w->r->rank_kept = kept_of(s->subspace.rank, w->o->units);
		err = cut_subspace(w, w->r->rank_kept);
	}
	if (!err)
		err = refit_like(&w->refit, w->d, s);
	if (!err && subspace && w->parts & PRUNE_SUBSPACE) {
		err = sparse_fc(&s->subspace.encode, w, true);
		if (!err)
			err = sparse_fc(&s->subspace.decode, w, true);
		for (unsigned k = 0; !err && k < w->refit.rec.folds; k++) {
			err = sparse_fc(&w->refit.fold[k].encode, w, false);
			if (!err)
				err = sparse_fc(&w->refit.fold[k].decode, w, false);
		}
	}
	if (!err && subspace)
		err = refit_subspace(&w->refit, w->d);
	return err;
}

/* The mask of the dense parts, as the net is, into the options of its tuning. */
static int mask_dense(float *mask, const struct net *n, struct work *w)
{
	struct net over = net_over(n, mask);
	size_t count[2] = { (size_t)n->shape.channels * n->shape.hidden };
	float *const part[2] = { over.head_w, over.node_w }, *const from[2] = { n->head_w, n->node_w };

	count[1] = count[0] * n->shape.features;
	for (unsigned k = 0; k < 2; k++) {
		int64_t zeros = part[k] ? prune_smallest(part[k], from[k], count[k],
							 w->o->weights) : 0;

		if (zeros < 0)
			return -ENOMEM;
		w->r->weights += count[k];
		w->r->zeroed += (uint64_t)zeros;
	}
	return 0;
}

static int tune(struct net *n, const struct teach *t, struct work *w)
{
	struct learn_options learn_how = w->o->learn;
	float *mask = ones(n->count);
	int err = mask ? 0 : -ENOMEM;

	if (!err && w->parts & PRUNE_DENSE)
		err = mask_dense(mask, n, w);
	learn_how.mask = mask;
	learn_how.rate = learn_how.rate > 0 ? learn_how.rate : RATE;
	if (!err)
		err = learn(n, &t->lesson, &learn_how, &w->r->learn);
	free(mask);
	return err;
}

/* n: the model's net, in its own scale; its successor in the same. */
static int shrink(struct net **out, const struct net *n, struct work *w)
{
	unsigned *keep = malloc(2 * n->shape.hidden * sizeof(*keep));
	int err;

	w->r->units = n->shape.hidden;
	w->r->units_kept = kept_units(n->shape.hidden, w->o->units);
	err = keep ? prune_choose(keep, n, w->r->units_kept) : -ENOMEM;
	if (!err)
		err = prune_shrink(out, n, keep, w->r->units_kept);
	free(keep);
	return err;
}

static int prune_recurrent(struct work *w, struct why *why)
{
	struct detector_spec *s = &w->d->m.spec;
	bool forecast = s->recurrent.kind == RECURRENT_FORECAST;
	float *left = calloc((size_t)w->refit.rows.rows * s->channels, sizeof(*left));
	struct teach teach = { 0 };
	struct net *was = NULL, *n = NULL;
	int err = left ? 0 : -ENOMEM;

	if (!err && forecast)
		err = refit_left(&w->refit, s, left, why);
	if (!err)
		err = teach_open(&teach, &w->refit.rows, forecast ? left : NULL, s->lags);
	if (!err)
		err = net_from_spec(&was, &s->recurrent);
	if (!err)
		err = shrink(&n, was, w);
	if (!err) {
		teach_unfold(n, teach.scale);
		err = tune(n, &teach, w);
	}
	if (!err) {
		teach_fold(n, teach.scale);
		w->d->m.loss_net = (float)w->r->learn.net_loss;
		err = net_spec(&s->recurrent, n, w->d);
	}
	net_close(was);
	net_close(n);
	teach_close(&teach);
	free(left);
	return err;
}

/*
 * The two rows of the head only count by their difference, so inputs leave, not weights: they are
 * fed as zeros, and the ridge then gives them none.
 */
static int sparse_quick(struct quick_rows *q, const struct quick_spec *is, struct work *w)
{
	float *mask = ones(q->inputs);
	int64_t zeros = mask ? prune_smallest(mask, is->weight, q->inputs, w->o->weights) : -ENOMEM;

	for (size_t k = 0; zeros >= 0 && k < (size_t)q->rows * q->inputs; k++)
		q->value[k] *= mask[k % q->inputs];
	free(mask);
	if (zeros < 0)
		return -ENOMEM;
	w->r->weights += 2 * q->inputs;
	w->r->zeroed += 2 * (uint64_t)zeros;
	return 0;
}

static int prune_quick(struct work *w, float margin, struct why *why)
{
	struct detector_spec *s = &w->d->m.spec;
	const struct recording *rec = &w->refit.rec;
	struct quick_rows q;
	int err = quick_rows_open(&q, s, NULL, rec->x, series_fit_rows(rec->rows), w->refit.std,
				  w->o->seed, why);

	if (err)
		return err;
	err = quick_rows_fit(&s->quick, w->d, &q, margin, 0, NULL, why);
	if (!err && s->quick.hidden && w->parts & PRUNE_DENSE) {
		err = sparse_quick(&q, &s->quick, w);
		if (!err)
			err = quick_rows_fit(&s->quick, w->d, &q, margin, 0, NULL, why);
	}
	quick_rows_close(&q);
	return err ? err : calibrate(w->d, rec, FC_REF, why);
}

static int check(const struct prune_options *o, struct why *why)
{
	if (!(o->units >= 0 && o->units <= 0.95) || !(o->weights >= 0 && o->weights <= 0.95))
		return why_set(why, -EINVAL, "a share of %g units and %g weights to prune: 0 to "
			       "0.95", o->units, o->weights);
	return 0;
}

int prune_model(struct draft *d, const struct model *m, const float *x, unsigned rows,
		const struct prune_options *o, struct prune_report *r, struct why *why)
{
	struct work w = { .d = d, .o = o, .r = r };
	int err = check(o, why);

	*r = (struct prune_report){ .net = m->spec.view[VIEW_RECURRENT].weight > 0 };
	w.parts = r->parts = o->parts ? o->parts : r->net ? PRUNE_DENSE : PRUNE_LINEAR;
	d->m = *m;
	d->m.memory = NULL;
	d->m.memory_size = 0;
	if (err)
		return err;
	err = refit_open(&w.refit, d, m, x, rows, why);
	if (err)
		return err;
	r->folds = w.refit.rec.folds != 0;
	d->m.spec.quick = (struct quick_spec){ 0 };
	err = prune_linear(&w);
	if (!err && r->net)
		err = prune_recurrent(&w, why);
	if (err)
		why_set(why, err, "%s", err == -ENOMEM ? "out of memory" :
			"the pruned model could not be tuned");
	else
		err = calibrate(d, &w.refit.rec, FC_REF, why);
	if (!err && m->spec.quick.hidden)
		err = prune_quick(&w, m->spec.quick.margin, why);
	refit_close(&w.refit);
	return err;
}
