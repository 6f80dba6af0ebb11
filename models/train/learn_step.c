// SPDX-License-Identifier: MIT
/*
 * learn_step: one update after the other. Back-propagation through time, truncated to windows
 * (Williams & Peng 1990); the shards' gradients are added in their order, block by block of
 * the parameters, so that no thread's haste shows in the sum.
 *
 * With mixed precision (Micikevicius et al. 2018) products see bf16, the masters stay float32, and
 * the loss is scaled by what overflow allows.
 */
#include <math.h>
#include <string.h>

#include "kernels/clones.h"
#include "models/train/bf16.h"
#include "models/train/learn_impl.h"

#define SCALE_GOOD 200u		/* updates after which a larger scale is tried */
#define SCALE_MAX 0x1p60f

static struct tape_source source_of(const struct trainer *t, const struct part *p,
				    const struct shard *s, struct rows_view *view)
{
	*view = (struct rows_view){ &p->plan, t->window, s->first, s->batch };
	return (struct tape_source){ rows_read, view };
}

static void train_shard(void *ctx, unsigned task, unsigned worker)
{
	struct trainer *t = ctx;
	struct shard *s = &t->fit.shard[task];
	struct net grad = net_over(t->net, s->grad);
	struct rows_view view;
	struct tape_source source = source_of(t, &t->fit, s, &view);

	s->sum = (struct tape_sum){ 0 };
	tape_batch(t->tape[worker], s->batch);
	tape_train(t->tape[worker], t->o->mixed ? &t->rounded : t->net, &source, s->state,
		   t->scale, &grad, &s->sum);
}

static void held_shard(void *ctx, unsigned task, unsigned worker)
{
	struct trainer *t = ctx;
	struct shard *s = &t->held.shard[task];
	struct rows_view view;
	struct tape_source source = source_of(t, &t->held, s, &view);

	tape_batch(t->tape[worker], s->batch);
	tape_forward(t->tape[worker], t->net, &source, s->state, &s->sum);
}

static size_t block_at(const struct trainer *t, unsigned block, size_t *count)
{
	size_t from = (size_t)block * LEARN_BLOCK, left = t->net->count - from;

	*count = left < LEARN_BLOCK ? left : LEARN_BLOCK;
	return from;
}

CLONES
static void add(float *restrict sum, const float *restrict v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += v[i];
}

CLONES
static void scale(float *v, float by, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] *= by;
}

/* The first shard's gradient becomes that of all. */
static void reduce_block(void *ctx, unsigned task, unsigned worker)
{
	struct trainer *t = ctx;
	size_t count, from = block_at(t, task, &count);
	float *g = t->grad + from;

	for (unsigned k = 1; k < t->fit.shards; k++)
		add(g, t->fit.shard[k].grad + from, count);
	scale(g, t->grad_scale, count);
	for (size_t i = 0; t->o->mask && i < count; i++)
		g[i] = t->o->mask[from + i] != 0 ? g[i] : 0;
	t->square[task] = adam_square(g, count);
}

static void adam_block(void *ctx, unsigned task, unsigned worker)
{
	struct trainer *t = ctx;
	size_t count, from = block_at(t, task, &count);

	adam_range(&t->adam, &t->update, t->net->param, t->grad, from, count);
}

static void copy(float *dst, const float *src, size_t n)
{
	if (dst)
		memcpy(dst, src, n * sizeof(*dst));
}

void learn_round(struct trainer *t)
{
	const struct net *n = t->net, *r = &t->rounded;
	size_t N = n->shape.channels, H = n->shape.hidden, F = n->shape.features;

	if (!t->o->mixed)
		return;
	memcpy(r->param, n->param, n->count * sizeof(float));
	bf16_round(r->param, n->count);
	/* Biases are no factors of a product. */
	copy(r->gate_b[0], n->gate_b[0], 4 * H);
	copy(r->gate_b[1], n->gate_b[1], 4 * H);
	copy(r->head_b, n->head_b, N);
	copy(r->node_b, n->node_b, N * F);
	copy(r->mix_b, n->mix_b, F);
}

/* Micikevicius et al. 2018, section 3.2: dynamic. */
static void rescale(struct trainer *t, bool finite)
{
	if (!t->o->mixed)
		return;
	t->good = finite ? t->good + 1 : 0;
	if (!finite)
		t->scale *= 0.5f;
	else if (t->good % SCALE_GOOD == 0 && t->scale < SCALE_MAX)
		t->scale *= 2;
}

/* The shards' gradients -> parameters. */
static void update(struct trainer *t, double mass, float rate, struct learn_report *r)
{
	unsigned blocks = (unsigned)((t->net->count + LEARN_BLOCK - 1) / LEARN_BLOCK);
	double square = 0;

	t->grad_scale = (float)(1 / (mass * (double)t->scale));
	pool_run(t->pool, reduce_block, t, blocks);
	for (unsigned k = 0; k < blocks; k++)
		square += t->square[k];
	rescale(t, isfinite(square));
	r->updates++;
	if (!isfinite(square)) {
		r->skipped++;
		return;
	}
	t->update = adam_begin(&t->adam, square, rate);
	pool_run(t->pool, adam_block, t, blocks);
	learn_round(t);
}

void learn_epoch(struct trainer *t, float rate, struct tape_sum *sum, struct learn_report *r)
{
	const volatile sig_atomic_t *stop = t->o->stop;

	memset(t->fit.states, 0, t->fit.state_count * sizeof(float));
	for (t->window = 0; t->window < t->fit.plan.windows && !(stop && *stop); t->window++) {
		double mass = 0;

		pool_run(t->pool, train_shard, t, t->fit.shards);
		for (unsigned k = 0; k < t->fit.shards; k++) {
			const struct tape_sum *s = &t->fit.shard[k].sum;

			mass += s->mass;
			sum->loss += s->loss;
			sum->mass += s->mass;
			r->steps_run += s->steps;
			r->steps_again += s->again;
		}
		if (mass > 0)
			update(t, mass, rate, r);
	}
}

double learn_held(struct trainer *t)
{
	struct tape_sum sum = { 0 };

	memset(t->held.states, 0, t->held.state_count * sizeof(float));
	for (unsigned k = 0; k < t->held.shards; k++)
		t->held.shard[k].sum = sum;
	for (t->window = 0; t->window < t->held.plan.windows; t->window++)
		pool_run(t->pool, held_shard, t, t->held.shards);
	for (unsigned k = 0; k < t->held.shards; k++) {
		sum.loss += t->held.shard[k].sum.loss;
		sum.mass += t->held.shard[k].sum.mass;
	}
	return sum.mass > 0 ? sum.loss / sum.mass : 0;
}
