// SPDX-License-Identifier: MIT
/*
 * profile: see profile.h. A part that runs alone finds its weights in the nearest cache, which
 * it may not within a step: the difference shows up in what no part accounts for.
 */
#include "models/train/profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/detector.h"
#include "kernels/gate.h"
#include "kernels/graph_layer.h"
#include "kernels/quant.h"
#include "kernels/why.h"
#include "models/model.h"

#define SEEN_MAX 1024u		/* rows kept of what goes into the parts; they come round again */
#define MEANT 20.0f		/* deviations at which sizes are cut */

struct rig {
	const struct detector_spec *spec;
	const float *x;			/* [rows][N] */
	unsigned rows;
	uint8_t *valid;			/* [rows][N] */
	struct detector *detector;
	struct fc *linear, *encode, *decode, *gates[2], *head;
	struct subspace *subspace;
	struct spread *spread, *left, *code;
	struct graph_layer *graph;
	unsigned seen;
	float *u, *codes, *state;	/* [seen][N], [seen][rank], [seen][H] */
	const float *pre;		/* [4H] what the gates made of the last of them */
	float *cell, *hidden, *size;	/* [H], [H], [N or rank] */
	float z_inv_step, sink;
};

static void run_linear(struct rig *r, unsigned k)
{
	unsigned n = r->spec->channels;

	fc_shift(r->linear, n);
	fc_put(r->linear, 0, r->u + (size_t)k * n, n, r->z_inv_step);
	fc_run(r->linear);
}

static void run_encode(struct rig *r, unsigned k)
{
	unsigned n = r->spec->channels;

	fc_shift(r->encode, n);
	fc_put(r->encode, 0, r->u + (size_t)k * n, n, r->z_inv_step);
	fc_run(r->encode);
}

static void run_decode(struct rig *r, unsigned k)
{
	unsigned rank = r->spec->subspace.rank;

	fc_put(r->decode, 0, r->codes + (size_t)k * rank, rank,
	       QUANT_MAX / r->spec->subspace.code_clip);
	fc_run(r->decode);
}

/* With its two operators, which are taken off afterwards. */
static void run_subspace(struct rig *r, unsigned k)
{
	unsigned n = r->spec->channels;

	subspace_step(r->subspace, r->u + (size_t)k * n, MEANT * (float)n, r->size);
}

static void run_spread(struct rig *r, unsigned k)
{
	spread_step(r->spread, r->u + (size_t)k * r->spec->channels, r->spec->z_clip, r->size);
}

static void run_left(struct rig *r, unsigned k)
{
	spread_step(r->left, r->u + (size_t)k * r->spec->channels, r->spec->z_clip, r->size);
}

static void run_code(struct rig *r, unsigned k)
{
	spread_step(r->code, r->codes + (size_t)k * r->spec->subspace.rank, r->spec->z_clip,
		    r->size);
}

/* A layer's inputs, then the state that the cells return to it. */
static void run_gates(struct rig *r, unsigned k)
{
	unsigned n = r->spec->channels, h = r->spec->recurrent.hidden;

	fc_put(r->gates[0], 0, r->u + (size_t)k * n, n, r->z_inv_step);
	fc_run(r->gates[0]);
	fc_put(r->gates[0], n, r->state + (size_t)k * h, h, QUANT_MAX);
}

static void run_gates2(struct rig *r, unsigned k)
{
	unsigned h = r->spec->recurrent.hidden;
	const float *state = r->state + (size_t)k * h;

	fc_put(r->gates[1], 0, state, h, QUANT_MAX);
	fc_run(r->gates[1]);
	fc_put(r->gates[1], h, state, h, QUANT_MAX);
}

static void run_cell(struct rig *r, unsigned k)
{
	gate_step(r->spec->recurrent.hidden, r->pre, r->cell, r->hidden);
}

static void run_head(struct rig *r, unsigned k)
{
	unsigned h = r->spec->recurrent.hidden;

	fc_put(r->head, 0, r->state + (size_t)k * h, h, QUANT_MAX);
	fc_run(r->head);
}

static void run_graph(struct rig *r, unsigned k)
{
	memset(r->size, 0, r->spec->channels * sizeof(*r->size));
	graph_layer_add(r->graph, r->state + (size_t)k * r->spec->recurrent.hidden,
			r->u + (size_t)k * r->spec->channels, r->size);
}

static void run_quick(struct rig *r, unsigned k)
{
	static const float usual[QUICK_CHEAP] = { 1, 1, 1, 1, 1, 1 };

	r->sink += quick_margin(&r->spec->quick,
				   r->state + (size_t)k * r->spec->recurrent.hidden, usual);
}

static const struct part {
	enum cost_op op;
	void (*run)(struct rig *r, unsigned k);
} parts[] = {
	{ COST_LINEAR, run_linear }, { COST_ENCODE, run_encode }, { COST_DECODE, run_decode },
	{ COST_REMAINDER, run_subspace }, { COST_SPREAD, run_spread }, { COST_LEFT, run_left },
	{ COST_CODE, run_code }, { COST_GATES, run_gates }, { COST_GATES2, run_gates2 },
	{ COST_CELL, run_cell }, { COST_HEAD, run_head }, { COST_GRAPH, run_graph },
	{ COST_QUICK, run_quick },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int open_slow(struct spread **out, const struct rig *r, enum detector_view view,
		     const struct spread_spec *spec, unsigned series, struct why *why)
{
	struct spread_spec full = *spec;

	if (!(r->spec->view[view].weight > 0))
		return 0;
	full.series = series;
	full.rate = r->spec->spread_rate;
	full.centred = view != VIEW_LEFT;
	return spread_open(out, &full, why);
}

static int open_linear(struct rig *r, enum fc_kind kind, struct why *why)
{
	const struct detector_spec *s = r->spec;
	int err = fc_open(&r->linear, &s->linear, kind, why);

	if (!err && s->view[VIEW_SUBSPACE].weight > 0) {
		err = fc_open(&r->encode, &s->subspace.encode, kind, why);
		if (!err)
			err = fc_open(&r->decode, &s->subspace.decode, kind, why);
		if (!err)
			err = subspace_open(&r->subspace, &s->subspace, s->channels,
					    r->z_inv_step, kind, why);
	}
	if (!err)
		err = open_slow(&r->spread, r, VIEW_SPREAD, &s->spread, s->channels, why);
	if (!err)
		err = open_slow(&r->left, r, VIEW_LEFT, &s->left, s->channels, why);
	if (!err)
		err = open_slow(&r->code, r, VIEW_CODE, &s->code, s->subspace.rank, why);
	return err;
}

static int open_net(struct rig *r, enum fc_kind kind, struct why *why)
{
	const struct recurrent_spec *s = &r->spec->recurrent;
	bool second = s->kind == RECURRENT_AUTOENCODER || s->layers == 2;
	int err;

	if (s->kind == RECURRENT_NONE)
		return 0;
	err = fc_open(&r->gates[0], &s->gates[0], kind, why);
	if (!err && second)
		err = fc_open(&r->gates[1], &s->gates[1], kind, why);
	if (!err)
		err = fc_open(&r->head, &s->head, kind, why);
	if (!err && s->graph.features)
		err = graph_layer_open(&r->graph, &s->graph, s->hidden, r->z_inv_step, kind, why);
	if (!err)
		r->pre = fc_run(r->gates[0]);
	return err;
}

static int alloc_rows(struct rig *r, struct why *why)
{
	const struct detector_spec *s = r->spec;
	size_t n = s->channels, h = s->recurrent.hidden, rank = s->subspace.rank, rows = r->rows;
	size_t seen = SEEN_MAX;

	r->valid = malloc(rows * n);
	r->u = calloc(seen * (n + rank + h) + 2 * h + n + rank, sizeof(float));
	if (!r->valid || !r->u)
		return why_set(why, -ENOMEM, "out of memory");
	r->codes = r->u + seen * n;
	r->state = r->codes + seen * rank;
	r->cell = r->state + seen * h;
	r->hidden = r->cell + h;
	r->size = r->hidden + h;
	for (size_t k = 0; k < rows * n; k++)
		r->valid[k] = isfinite(r->x[k]) != 0;
	return 0;
}

static void rig_close(struct rig *r)
{
	detector_close(r->detector);
	fc_close(r->linear);
	fc_close(r->encode);
	fc_close(r->decode);
	fc_close(r->gates[0]);
	fc_close(r->gates[1]);
	fc_close(r->head);
	subspace_close(r->subspace);
	spread_close(r->spread);
	spread_close(r->left);
	spread_close(r->code);
	graph_layer_close(r->graph);
	free(r->u);
	free(r->valid);
}

static void keep(float *to, unsigned k, const float *from, unsigned n)
{
	if (from)
		memcpy(to + (size_t)k * n, from, n * sizeof(*to));
}

/* A first pass, not timed: what goes into the parts, and how many ticks end early. */
static void look(struct rig *r, struct profile *p)
{
	const struct detector_spec *s = r->spec;

	for (unsigned k = 0; k < p->steps; k++) {
		size_t at = (size_t)(k % r->rows) * s->channels;
		struct detector_result res;

		detector_step(r->detector, r->x + at, r->valid + at, &res);
		p->early += res.early;
		if (k >= SEEN_MAX)
			continue;
		keep(r->u, k, res.u, s->channels);
		keep(r->codes, k, res.code, s->subspace.rank);
		keep(r->state, k, res.state, s->recurrent.hidden);
		r->seen = k + 1;
	}
}

static double time_steps(struct rig *r, unsigned steps)
{
	unsigned n = r->spec->channels;
	struct detector_result res;
	double begin;

	detector_reset(r->detector);
	begin = now_ns();
	for (unsigned k = 0, row = 0; k < steps; k++, row = row + 1 < r->rows ? row + 1 : 0) {
		size_t at = (size_t)row * n;

		detector_step(r->detector, r->x + at, r->valid + at, &res);
	}
	return now_ns() - begin;
}

static double time_part(struct rig *r, const struct part *part, unsigned steps)
{
	double begin = now_ns();

	for (unsigned step = 0, k = 0; step < steps; step++, k = k + 1 < r->seen ? k + 1 : 0)
		part->run(r, k);
	return now_ns() - begin;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), ascending);
	return v[n / 2];
}

static bool skipped_early(const struct detector_spec *s, enum cost_op op)
{
	bool net = op == COST_GATES || op == COST_GATES2 || op == COST_CELL;

	return op == COST_HEAD || op == COST_GRAPH ||
	       (net && s->recurrent.kind == RECURRENT_AUTOENCODER);
}

/* From the time of as many runs as there are steps to that of the runs that there were. */
static void conclude(struct profile *p, const struct detector_spec *s)
{
	double rest = p->step_ns;

	p->part[COST_REMAINDER].ns = fmax(p->part[COST_REMAINDER].ns - p->part[COST_ENCODE].ns -
					  p->part[COST_DECODE].ns, 0);
	for (unsigned op = 0; op < COST_REST; op++) {
		unsigned steps = p->steps - (skipped_early(s, (enum cost_op)op) ? p->early : 0);
		double runs = p->cost.part[op].runs;

		p->part[op].calls = (uint64_t)(steps * runs);
		p->part[op].ns *= (double)p->part[op].calls / p->steps;
		rest -= p->part[op].ns;
	}
	p->part[COST_REST].calls = p->steps;
	p->part[COST_REST].ns = fmax(rest, 0);
}

/* Parts and the whole take turns, so that a noisy moment hits all of them. */
static int measure(struct rig *r, struct profile *p, struct why *why)
{
	double *took = calloc((PARTS + 1) * (size_t)p->turns, sizeof(*took));

	if (!took)
		return why_set(why, -ENOMEM, "out of memory");
	for (unsigned turn = 0; turn < p->turns; turn++) {
		for (unsigned k = 0; k < PARTS; k++)
			if (p->cost.part[parts[k].op].runs > 0)
				took[k * p->turns + turn] = time_part(r, &parts[k], p->steps);
		took[PARTS * p->turns + turn] = time_steps(r, p->steps);
	}
	for (unsigned k = 0; k < PARTS; k++)
		p->part[parts[k].op].ns = median(took + k * p->turns, p->turns);
	p->step_ns = median(took + PARTS * p->turns, p->turns);
	free(took);
	return 0;
}

int profile_model(struct profile *out, const struct model *m, const float *x, unsigned rows,
		  unsigned steps, unsigned turns, struct why *why)
{
	struct rig r = { .spec = &m->spec, .x = x, .rows = rows,
			 .z_inv_step = QUANT_MAX / m->spec.z_clip };
	int err;

	*out = (struct profile){ .steps = steps, .turns = turns };
	if (!rows || !steps || !turns)
		return why_set(why, -EINVAL, "no rows to run");
	cost_of(&out->cost, &m->spec);
	err = alloc_rows(&r, why);
	if (!err)
		err = model_detector_best(&r.detector, m, &out->kind, why);
	if (!err)
		err = open_linear(&r, out->kind, why);
	if (!err)
		err = open_net(&r, out->kind, why);
	if (!err) {
		look(&r, out);
		err = measure(&r, out, why);
	}
	if (!err)
		conclude(out, &m->spec);
	rig_close(&r);
	return err;
}
