// SPDX-License-Identifier: MIT
/*
 * learn: see learn.h. Epochs, the early stop and what is reported; the work of an epoch is
 * learn_step's. The clock decides nothing but when on_best is told.
 */
#include "models/train/learn.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models/train/learn_impl.h"
#include "models/train/progress.h"

#define SCALE_FIRST 0x1p15f

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int check(const struct net *n, const struct lesson *l, const struct learn_options *o)
{
	const struct net_shape *s = &n->shape;
	bool coder = s->kind == RECURRENT_AUTOENCODER;

	if (s->channels != l->channels || l->fit_rows < 2 || l->rows <= l->fit_rows)
		return -EINVAL;
	if (s->kind == RECURRENT_NONE || !s->hidden || s->layers < 1 ||
	    s->layers > RECURRENT_LAYERS_MAX || o->steps > LEARN_STEPS_MAX)
		return -EINVAL;
	if (coder && (s->layers != 1 || s->features || !s->window || o->teacher))
		return -EINVAL;
	return 0;
}

static float rate_of(const struct learn_options *o, unsigned epoch)
{
	float rate = o->rate > 0 ? o->rate : LEARN_RATE;

	/* Half a cosine from the first rate to 0 (Loshchilov & Hutter 2017). */
	return rate * 0.5f * (1 + cosf((float)M_PI * (float)(epoch - 1) / (float)o->epochs));
}

/* The parameters are better than all before: keep them, and say so now and then. */
static int keep_best(struct trainer *t, double *told)
{
	struct net best = net_over(t->net, t->best);

	memcpy(t->best, t->net->param, t->net->count * sizeof(float));
	if (!t->o->on_best || now() - *told < LEARN_BEST_S)
		return 0;
	*told = now();
	return t->o->on_best(t->o->ctx, &best);
}

static int run(struct trainer *t, struct learn_report *r)
{
	const struct learn_options *o = t->o;
	unsigned patience = o->patience ? o->patience : LEARN_PATIENCE;
	double told = -LEARN_BEST_S;
	int err = 0;

	memcpy(t->best, t->net->param, t->net->count * sizeof(float));
	r->linear_loss = r->net_loss = learn_held(t);
	for (unsigned e = 1; !err && e <= o->epochs && e - r->best_epoch <= patience; e++) {
		struct tape_sum sum = { 0 };
		double loss, held;

		rows_epoch(&t->fit.plan, e);
		learn_epoch(t, rate_of(o, e), &sum, r);
		if (o->stop && *o->stop) {
			r->stopped = true;
			break;
		}
		loss = sum.mass > 0 ? sum.loss / sum.mass : 0;
		held = learn_held(t);
		r->train_curve[r->epochs] = loss;
		r->curve[r->epochs++] = held;
		if (held < r->net_loss) {
			r->net_loss = held;
			r->best_epoch = e;
			err = keep_best(t, &told);
		}
		if (o->progress)
			progress_epoch(o->progress, e, o->epochs, loss, held, r->net_loss);
	}
	memcpy(t->net->param, t->best, t->net->count * sizeof(float));
	return err;
}

static void apply_mask(struct net *n, const float *mask)
{
	for (size_t k = 0; mask && k < n->count; k++)
		if (mask[k] == 0)
			n->param[k] = 0;
}

int learn(struct net *net, const struct lesson *l, const struct learn_options *o,
	  struct learn_report *r)
{
	double began = now();
	int threads = openblas_get_num_threads();
	struct trainer t;
	int err = check(net, l, o);

	*r = (struct learn_report){ 0 };
	if (err)
		return err;
	r->curve = calloc(2 * (size_t)(o->epochs ? o->epochs : 1), sizeof(*r->curve));
	if (!r->curve)
		return -ENOMEM;
	r->train_curve = r->curve + o->epochs;
	/* The threads are ours: each product is one thread's. */
	openblas_set_num_threads(1);
	apply_mask(net, o->mask);
	err = trainer_open(&t, net, l, o);
	if (!err) {
		t.scale = o->mixed ? SCALE_FIRST : 1;
		learn_round(&t);
		err = run(&t, r);
		r->threads = t.workers;
		r->peak_bytes = t.bytes;
		r->peak_bytes_plain = t.bytes_plain;
		r->segment_steps = t.segment ? t.segment : t.fit.plan.steps;
		r->loss_scale = t.scale;
	}
	trainer_close(&t);
	openblas_set_num_threads(threads);
	r->seconds = now() - began;
	if (err) {
		free(r->curve);
		r->curve = r->train_curve = NULL;
	}
	return err;
}
