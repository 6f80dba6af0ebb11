// SPDX-License-Identifier: MIT
/*
 * recurrent: the order of LSTM layers, head and graph, and the window of an autoencoder.
 *
 * A forecast net lives from row to row. An autoencoder keeps rows instead of a state, and reads its
 * whole window again at each call: a state that went on would know what happened before the
 * window, which is not what it learnt. Its decoder tells the newest row first (Malhotra et al.
 * 2016: in reverse, as what was read last is remembered best) and starts from zero.
 *
 * What lasts is bounded: rows at MOST, states by their gates (lstm.h).
 */
#include "kernels/recurrent.h"

#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/graph_layer.h"
#include "kernels/lstm.h"
#include "kernels/quant.h"
#include "kernels/why.h"

#define MOST 1e12f	/* far beyond any reading, far from overflowing a sum */
#define DIM_MAX 16384	/* channels, hidden: so that no product of shapes overflows */

enum { ENCODER, DECODER };	/* of layer[], in an autoencoder */

struct recurrent {
	struct recurrent_spec spec;
	struct lstm *layer[RECURRENT_LAYERS_MAX];
	struct fc *head;
	struct graph_layer *graph;	/* NULL: none */
	unsigned rows, newest;		/* rows kept: 1, or the window; index of the last one */
	float *row;			/* [rows][N], a ring */
	float *error;			/* [rows][N]; autoencoder */
};

static inline float bounded(float v)
{
	v = v == v ? v : 0.0f;
	v = v > MOST ? MOST : v;
	return v < -MOST ? -MOST : v;
}

static int check_shape(const struct recurrent_spec *s, float z_inv_step, struct why *why)
{
	bool forecast = s->kind == RECURRENT_FORECAST;

	if (!forecast && s->kind != RECURRENT_AUTOENCODER)
		return why_set(why, -EINVAL, "no recurrent kind %d", (int)s->kind);
	if (!s->channels || s->channels > DIM_MAX || !s->hidden || s->hidden > DIM_MAX)
		return why_set(why, -EINVAL, "%u channels with %u hidden units", s->channels,
			       s->hidden);
	if (!s->layers || s->layers > (forecast ? RECURRENT_LAYERS_MAX : 1))
		return why_set(why, -EINVAL, "%u layers", s->layers);
	if (!forecast && (!s->window || s->window > RECURRENT_WINDOW_MAX))
		return why_set(why, -EINVAL, "a window of %u rows", s->window);
	if (s->head.in != s->hidden || s->head.out != s->channels)
		return why_set(why, -EINVAL, "head: %u x %u for %u channels, %u hidden",
			       s->head.out, s->head.in, s->channels, s->hidden);
	if (s->graph.features && (!forecast || s->graph.nodes != s->channels))
		return why_set(why, -EINVAL, "graph: %u nodes for %u channels%s", s->graph.nodes,
			       s->channels, forecast ? "" : " of an autoencoder");
	if (!(z_inv_step >= FLT_MIN && z_inv_step <= FLT_MAX))
		return why_set(why, -EINVAL, "no step of 1 / %g", (double)z_inv_step);
	return 0;
}

static int alloc_rows(struct recurrent *r, struct why *why)
{
	bool window = r->spec.kind == RECURRENT_AUTOENCODER;
	size_t size;

	r->rows = window ? r->spec.window : 1;
	size = (size_t)r->rows * r->spec.channels;
	r->row = calloc(size, sizeof *r->row);
	if (window)
		r->error = calloc(size, sizeof *r->error);
	if (!r->row || (window && !r->error))
		return why_set(why, -ENOMEM, "out of memory");
	return 0;
}

static int open_parts(struct recurrent *r, float z_inv_step, enum fc_kind kind, struct why *why)
{
	const struct recurrent_spec *s = &r->spec;
	bool second = s->layers == 2 || s->kind == RECURRENT_AUTOENCODER;
	int err;

	err = lstm_open_step(&r->layer[0], s->channels, s->hidden, &s->gates[0], z_inv_step, kind,
			     why);
	if (err)
		return why_in(why, err, "gates");
	if (second)
		err = lstm_open_step(&r->layer[1], s->hidden, s->hidden, &s->gates[1], QUANT_MAX,
				     kind, why);
	if (err)
		return why_in(why, err, "%s", s->layers == 2 ? "second gates" : "decoder");
	err = fc_open(&r->head, &s->head, kind, why);
	if (err)
		return why_in(why, err, "head");
	if (s->graph.features)
		err = graph_layer_open(&r->graph, &s->graph, s->hidden, z_inv_step, kind, why);
	return err ? why_in(why, err, "graph") : 0;
}

int recurrent_open(struct recurrent **out, const struct recurrent_spec *spec, float z_inv_step,
		   enum fc_kind kind, struct why *why)
{
	struct recurrent *r;
	int err;

	*out = NULL;
	err = check_shape(spec, z_inv_step, why);
	if (err)
		return err;
	r = calloc(1, sizeof *r);
	if (!r)
		return why_set(why, -ENOMEM, "out of memory");
	r->spec = *spec;
	err = alloc_rows(r, why);
	if (!err)
		err = open_parts(r, z_inv_step, kind, why);
	if (err) {
		recurrent_close(r);
		return err;
	}
	recurrent_reset(r);
	*out = r;
	return 0;
}

void recurrent_close(struct recurrent *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < RECURRENT_LAYERS_MAX; i++)
		lstm_close(r->layer[i]);
	fc_close(r->head);
	graph_layer_close(r->graph);
	free(r->row);
	free(r->error);
	free(r);
}

void recurrent_reset(struct recurrent *r)
{
	for (unsigned i = 0; i < RECURRENT_LAYERS_MAX; i++)
		if (r->layer[i])
			lstm_reset(r->layer[i]);
	memset(r->row, 0, (size_t)r->rows * r->spec.channels * sizeof *r->row);
	r->newest = 0;
}

/* The row `age` rows before the newest. */
static const float *row_of_age(const struct recurrent *r, unsigned age)
{
	return r->row + (size_t)((r->newest + r->rows - age) % r->rows) * r->spec.channels;
}

void recurrent_advance(struct recurrent *r, const float *z)
{
	unsigned n = r->spec.channels;
	const float *h;
	float *row;

	r->newest = (r->newest + 1) % r->rows;
	row = r->row + (size_t)r->newest * n;
	for (unsigned i = 0; i < n; i++)
		row[i] = bounded(z[i]);
	if (r->spec.kind == RECURRENT_AUTOENCODER)
		return;
	h = lstm_step(r->layer[0], row);
	if (r->layer[1])
		lstm_step(r->layer[1], h);
}

static const struct lstm *top(const struct recurrent *r)
{
	return r->layer[r->spec.layers - 1];
}

const float *recurrent_state(const struct recurrent *r)
{
	return lstm_state(top(r));
}

static const float *tell(struct recurrent *r, const float *h)
{
	fc_put(r->head, 0, h, r->spec.hidden, QUANT_MAX);
	return fc_run(r->head);
}

void recurrent_forecast(struct recurrent *r, float *out)
{
	const float *h = lstm_state(top(r));
	unsigned n = r->spec.channels;

	memcpy(out, tell(r, h), n * sizeof *out);
	if (r->graph)
		graph_layer_add(r->graph, h, row_of_age(r, 0), out);
	for (unsigned i = 0; i < n; i++)
		out[i] = bounded(out[i]);
}

const float *recurrent_window(struct recurrent *r)
{
	unsigned n = r->spec.channels;
	const float *code;

	lstm_reset(r->layer[ENCODER]);
	lstm_reset(r->layer[DECODER]);
	for (unsigned age = r->rows; age--;)
		lstm_step(r->layer[ENCODER], row_of_age(r, age));
	code = lstm_state(r->layer[ENCODER]);
	for (unsigned age = 0; age < r->rows; age++) {
		const float *told = tell(r, lstm_step(r->layer[DECODER], code));
		const float *row = row_of_age(r, age);
		float *error = r->error + (size_t)age * n;

		for (unsigned i = 0; i < n; i++)
			error[i] = bounded(told[i] - row[i]);
	}
	return r->error;
}

static uint64_t fc_cost(const struct fc_spec *s)
{
	return (uint64_t)s->in * s->out;
}

uint64_t recurrent_cost(const struct recurrent_spec *s)
{
	uint64_t cost = fc_cost(&s->gates[0]) + fc_cost(&s->head);

	if (s->kind == RECURRENT_NONE)
		return 0;
	if (s->kind == RECURRENT_AUTOENCODER)
		return s->window * (cost + fc_cost(&s->gates[1]));
	if (s->layers == 2)
		cost += fc_cost(&s->gates[1]);
	return cost + (s->graph.features ? graph_layer_cost(&s->graph) : 0);
}
