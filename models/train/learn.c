// SPDX-License-Identifier: MIT
/*
 * learn: see learn.h. Back-propagation through time, truncated to windows: the
 * rows are cut into B streams that run side by side, each window starts from the
 * state that the one before it ended in (Williams & Peng 1990). Nothing depends on the clock.
 */
#include "models/train/learn.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/adam.h"
#include "models/train/net.h"
#include "models/train/progress.h"

#define STEPS 32u		/* of a window */
/* A stream is at least so long: many updates an epoch are worth more than a wide batch. */
#define STREAM_WINDOWS 6u
#define BATCH_MAX 32u
#define SETTLE 64u		/* rows before the held-out ones that bring the state up */
#define RATE 3e-3f
#define DECAY 1e-2f
#define CLIP 1.0f
#define PATIENCE 12u

/* Rows [from, to) as B streams of equal length, the last one padded by weight 0. */
struct streams {
	unsigned from, to, batch, length, windows;
	float *x, *y, *w;	/* [T][B][N] of the current window */
	struct tape *tape;
};

struct trainer {
	const struct lesson *lesson;
	struct net *net;
	struct streams fit, held;
	struct adam adam;
	float *grad, *best;	/* [count] */
};

static int streams_open(struct streams *s, const struct net *n, unsigned from, unsigned to,
			unsigned stream_min)
{
	unsigned rows = to - from, batch = rows / stream_min;
	size_t cells;

	s->from = from;
	s->to = to;
	s->batch = batch < 1 ? 1 : batch > BATCH_MAX ? BATCH_MAX : batch;
	s->length = (rows + s->batch - 1) / s->batch;
	s->windows = (s->length + STEPS - 1) / STEPS;
	cells = (size_t)STEPS * s->batch * n->channels;
	s->x = calloc(3 * cells, sizeof(float));
	if (!s->x)
		return -ENOMEM;
	s->y = s->x + cells;
	s->w = s->y + cells;
	return tape_open(&s->tape, n, STEPS, s->batch);
}

static void streams_close(struct streams *s)
{
	free(s->x);
	tape_close(s->tape);
}

/*
 * Window k: stream b stands at row from + b * length + k * T, less `early` rows
 * that are seen before a stream's own begin and do not count.
 */
static void streams_window(struct streams *s, const struct lesson *l, int k, unsigned early)
{
	unsigned n = l->channels;
	size_t bytes = n * sizeof(float);

	for (unsigned t = 0; t < STEPS; t++)
		for (unsigned b = 0; b < s->batch; b++) {
			size_t at = ((size_t)t * s->batch + b) * n;
			long in_stream = (long)k * STEPS + t - (long)early;
			long row = (long)s->from + (long)b * s->length + in_stream;
			bool exists = row >= 0 && row < (long)s->to;

			if (!exists || in_stream < 0 || in_stream >= (long)s->length)
				memset(s->w + at, 0, bytes);
			else
				memcpy(s->w + at, l->weight + (size_t)row * n, bytes);
			if (exists) {
				memcpy(s->x + at, l->input + (size_t)row * n, bytes);
				memcpy(s->y + at, l->target + (size_t)row * n, bytes);
			} else {
				memset(s->x + at, 0, bytes);
				memset(s->y + at, 0, bytes);
			}
		}
}

/* Mean square over the held-out rows. */
static double held_loss(struct trainer *t)
{
	unsigned windows = t->held.windows + SETTLE / STEPS;
	double sum = 0, mass = 0;

	tape_reset(t->held.tape, t->net);
	for (unsigned k = 0; k < windows; k++) {
		double m;

		streams_window(&t->held, t->lesson, (int)k, SETTLE);
		net_forward(t->net, t->held.tape, t->held.x);
		sum += net_loss(t->net, t->held.tape, t->held.y, t->held.w, &m);
		mass += m;
		tape_carry(t->held.tape, t->net);
	}
	return mass > 0 ? sum / mass : 0;
}

static bool asked_to_stop(const struct learn_options *o)
{
	return o->stop && *o->stop;
}

/* One pass over the fit rows; their mean loss. */
static double fit_epoch(struct trainer *t, float rate, const struct learn_options *o)
{
	struct net grad = net_over(t->net, t->grad);
	double sum = 0, mass = 0;

	tape_reset(t->fit.tape, t->net);
	for (unsigned k = 0; k < t->fit.windows && !asked_to_stop(o); k++) {
		double m;

		streams_window(&t->fit, t->lesson, (int)k, 0);
		net_forward(t->net, t->fit.tape, t->fit.x);
		sum += net_loss(t->net, t->fit.tape, t->fit.y, t->fit.w, &m);
		mass += m;
		tape_carry(t->fit.tape, t->net);
		if (m <= 0)
			continue;
		net_backward(t->net, t->fit.tape, t->fit.x, &grad);
		adam_step(&t->adam, t->net->param, t->grad, rate);
	}
	return mass > 0 ? sum / mass : 0;
}

static int trainer_open(struct trainer *t, struct net *net, const struct lesson *l)
{
	int err;

	*t = (struct trainer){ .lesson = l, .net = net };
	t->grad = calloc(net->count, sizeof(float));
	t->best = malloc(net->count * sizeof(float));
	err = t->grad && t->best ? 0 : -ENOMEM;
	if (!err)
		err = adam_open(&t->adam, net->count, DECAY, CLIP);
	if (!err)
		err = streams_open(&t->fit, net, 0, l->fit_rows - 1, STREAM_WINDOWS * STEPS);
	/* Row fit_rows - 1 forecasts the first held-out one; the last row forecasts nothing. */
	if (!err)
		err = streams_open(&t->held, net, l->fit_rows - 1, l->rows - 1, 4 * SETTLE);
	return err;
}

static void trainer_close(struct trainer *t)
{
	streams_close(&t->fit);
	streams_close(&t->held);
	adam_close(&t->adam);
	free(t->grad);
	free(t->best);
}

int learn(struct net *net, const struct lesson *l, const struct learn_options *o,
	  struct learn_report *r)
{
	struct trainer t;
	int err = trainer_open(&t, net, l);

	*r = (struct learn_report){ 0 };
	r->curve = calloc(o->epochs ? o->epochs : 1, sizeof(*r->curve));
	if (!err && !r->curve)
		err = -ENOMEM;
	if (err)
		goto out;
	memcpy(t.best, net->param, net->count * sizeof(float));
	r->linear_loss = r->net_loss = held_loss(&t);
	for (unsigned e = 1; e <= o->epochs && e - r->best_epoch <= PATIENCE; e++) {
		/* Half a cosine from RATE to 0 (Loshchilov & Hutter 2017). */
		float rate = RATE * 0.5f * (1 + cosf((float)M_PI * (float)(e - 1) / (float)o->epochs));
		double loss = fit_epoch(&t, rate, o), held;

		if (asked_to_stop(o)) {
			r->stopped = true;
			break;
		}
		held = held_loss(&t);
		r->curve[r->epochs++] = held;
		if (held < r->net_loss) {
			r->net_loss = held;
			r->best_epoch = e;
			memcpy(t.best, net->param, net->count * sizeof(float));
		}
		if (o->progress)
			progress_epoch(o->progress, e, o->epochs, loss, held, r->net_loss);
	}
	memcpy(net->param, t.best, net->count * sizeof(float));
out:
	trainer_close(&t);
	if (err) {
		free(r->curve);
		r->curve = NULL;
	}
	return err;
}
