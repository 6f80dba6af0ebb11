/* SPDX-License-Identifier: MIT */
/*
 * model_fixture: small valid models of every shape, made of a fixed sequence of numbers. How two
 * are compared is in model_same.h, how their files are taken apart in model_bytes.h.
 */
#ifndef SONDE_TEST_MODEL_FIXTURE_H
#define SONDE_TEST_MODEL_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "models/model.h"
#include "test/test.h"
#include "test/unit/model_bytes.h"
#include "test/unit/model_same.h"

/* What a fixture has; zero of anything but n and lags: it does not. */
struct fixture_shape {
	unsigned n, lags;
	unsigned rank;		/* of the subspace over lags + 1 rows; with it left and code */
	bool spread;
	enum recurrent_kind kind;
	unsigned hidden, layers, window, features, degree;
	bool quick;
	unsigned online, rows;
	bool int8, dynamic;
};

struct fixture {
	struct model m;
	void *kept[128];
	unsigned n_kept;
	uint32_t seed;
};

static inline void *fixture_keep(struct fixture *f, size_t size)
{
	void *p = calloc(1, size ? size : 1);

	CHECK(p && f->n_kept < 128);
	f->kept[f->n_kept++] = p;
	return p;
}

static inline float fixture_random(struct fixture *f)
{
	f->seed = f->seed * 1664525u + 1013904223u;
	return (float)(f->seed >> 8) / (1 << 23) - 1;	/* [-1, 1) */
}

static inline float *fixture_floats(struct fixture *f, size_t n, float from, float to)
{
	float *v = fixture_keep(f, n * sizeof *v);

	for (size_t i = 0; i < n; i++)
		v[i] = from + (to - from) * (fixture_random(f) / 2 + 0.5f);
	return v;
}

static inline void fixture_operator(struct fixture *f, struct fc_spec *fc, unsigned out,
				    unsigned in, bool int8)
{
	*fc = (struct fc_spec){ .in = in, .out = out, .bias = fixture_floats(f, out, -1, 1) };
	if (int8) {
		int8_t *w = fixture_keep(f, (size_t)out * in);

		for (size_t i = 0; i < (size_t)out * in; i++)
			w[i] = (int8_t)(fixture_random(f) * 127);
		fc->weight = w;
		fc->scale = fixture_floats(f, out, 1e-4f, 1e-3f);
	} else {
		fc->weight_f32 = fixture_floats(f, (size_t)out * in, -0.2f, 0.2f);
	}
}

static inline void fixture_tail(struct fixture *f, struct tail *t)
{
	float at = 0;

	for (unsigned i = 0; i < TAIL_KNOTS; i++)
		t->knot[i] = at += (fixture_random(f) + 1) / 8;
	t->slope = 1.5f;
}

static inline void fixture_spread(struct fixture *f, struct spread_spec *s, unsigned series)
{
	s->start = fixture_floats(f, series, 0.5f, 1.5f);
	s->center = fixture_floats(f, series, -1, 1);
	s->inv_dev = fixture_floats(f, series, 0, 3);
}

static inline void fixture_subspace(struct fixture *f, const struct fixture_shape *shape)
{
	struct detector_spec *s = &f->m.spec;
	struct subspace_spec *p = &s->subspace;
	unsigned cells = (shape->lags + 1) * shape->n;

	p->lags = shape->lags + 1;
	p->rank = shape->rank;
	p->code_clip = 7.5f;
	fixture_operator(f, &p->encode, p->rank, cells, shape->int8);
	fixture_operator(f, &p->decode, cells, p->rank, shape->int8);
	p->inv_sigma = fixture_floats(f, cells, 0, 2);
	s->inv_usual = fixture_floats(f, shape->n, 0, 2);
	fixture_spread(f, &s->left, shape->n);
	fixture_spread(f, &s->code, shape->rank);
	s->view[VIEW_SUBSPACE].weight = s->view[VIEW_LEFT].weight = s->view[VIEW_CODE].weight = 1;
}

static inline void fixture_graph(struct fixture *f, const struct fixture_shape *shape)
{
	struct graph_spec *g = &f->m.spec.recurrent.graph;
	unsigned n = shape->n, k = shape->features, degree = shape->degree;
	int32_t *neighbour = fixture_keep(f, (size_t)n * degree * sizeof *neighbour);

	for (unsigned i = 0; i < n * degree; i++)
		neighbour[i] = i % 5 == 4 ? -1 : (int32_t)(i * 7 % n);
	*g = (struct graph_spec){ .nodes = n, .features = k, .degree = degree,
				  .neighbour = neighbour };
	g->edge = fixture_floats(f, (size_t)n * degree, -1, 1);
	fixture_operator(f, &g->node, n * k, shape->hidden, shape->int8);
	g->own = fixture_floats(f, (size_t)n * k, -1, 1);
	g->mix = fixture_floats(f, (size_t)k * k, -1, 1);
	g->mix_bias = fixture_floats(f, k, -1, 1);
	g->fuse = fixture_floats(f, (size_t)n * k, -1, 1);
}

static inline void fixture_net(struct fixture *f, const struct fixture_shape *shape)
{
	struct detector_spec *s = &f->m.spec;
	struct recurrent_spec *r = &s->recurrent;
	unsigned n = shape->n, h = shape->hidden;

	*r = (struct recurrent_spec){ .kind = shape->kind, .channels = n, .hidden = h,
				      .layers = shape->layers ? shape->layers : 1,
				      .window = shape->window };
	fixture_operator(f, &r->gates[0], 4 * h, n + h, shape->int8);
	if (r->layers == 2 || r->kind == RECURRENT_AUTOENCODER)
		fixture_operator(f, &r->gates[1], 4 * h, 2 * h, shape->int8);
	fixture_operator(f, &r->head, n, h, shape->int8);
	s->recurrent_inv_sigma = fixture_floats(f, n, 0.5f, 2);
	s->view[VIEW_RECURRENT].weight = 1;
	if (shape->features)
		fixture_graph(f, shape);
	if (shape->quick) {
		s->quick.hidden = h;
		s->quick.weight = fixture_floats(f, 2 * (h + QUICK_CHEAP), -1, 1);
		s->quick.bias = fixture_floats(f, 2, -1, 1);
		s->quick.margin = 2.9444389f;
	}
}

static inline void fixture_about(struct fixture *f, const struct fixture_shape *shape)
{
	struct model *m = &f->m;

	strcpy(m->name, "pump \"A\"");
	m->rate_hz = 49.98;
	m->channel = fixture_keep(f, shape->n * sizeof *m->channel);
	for (unsigned i = 0; i < shape->n; i++) {
		snprintf(m->channel[i].name, MODEL_NAME_MAX, "chan.%u", i);
		strcpy(m->channel[i].unit, i % 2 ? "°C" : "");
	}
	m->dynamic = shape->dynamic;
	m->point_limit = 2.125f;
	strcpy(m->created, "2026-02-03T04:05:06Z");
	memset(m->data_sha256, 'a', 64);
	m->rows = 3000;
	m->seed = UINT64_MAX;
	m->loss_linear = 0.5f;
	m->loss_net = 0.3f;
	m->test_rows = shape->rows;
	m->test_x = fixture_floats(f, (size_t)shape->rows * shape->n, -120, 120);
	m->test_score = fixture_keep(f, shape->rows * sizeof(float));
}

static inline void fixture_dynamic(struct detector_spec *s)
{
	struct fc_spec *all[] = { &s->linear, &s->subspace.encode, &s->subspace.decode,
				  &s->recurrent.gates[0], &s->recurrent.gates[1],
				  &s->recurrent.head, &s->recurrent.graph.node };

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
		all[i]->dynamic = all[i]->weight != NULL;
}

/* 2 of n channels wander. The scores of the self-test are zeros: fixture_score sets them. */
static inline void fixture_shaped(struct fixture *f, const struct fixture_shape *shape)
{
	struct detector_spec *s = &f->m.spec;
	unsigned n = shape->n;
	float *wanders, *level;

	*f = (struct fixture){ .seed = 7 };
	fixture_about(f, shape);
	*s = (struct detector_spec){ .channels = n, .lags = shape->lags, .z_clip = 10,
				     .online = shape->online, .spread_rate = 0.04f };
	for (unsigned v = 0; v < VIEWS; v++)
		s->view[v] = (struct view_spec){ .scale = 0.7f + 0.1f * (float)v,
						 .smooth = 0.9f / (float)(v + 1) };
	s->view[VIEW_LEVEL].weight = s->view[VIEW_FORECAST].weight = 1;
	s->mean = fixture_floats(f, n, -100, 100);
	s->inv_std = fixture_floats(f, n, 0.01f, 10);
	s->wanders = wanders = fixture_keep(f, n * sizeof *wanders);
	s->inv_sigma = fixture_floats(f, n, 0.5f, 2);
	s->level_weight = level = fixture_floats(f, n, 0.5f, 2);
	f->m.departure = fixture_floats(f, n, 2, 6);
	for (unsigned i = 0; i < n && i < 2 && !shape->online; i++) {
		wanders[i] = 1;
		level[i] = 0;
	}
	fixture_operator(f, &s->linear, n, shape->lags * n, shape->int8);
	if (shape->spread) {
		s->view[VIEW_SPREAD].weight = 1;
		fixture_spread(f, &s->spread, n);
		s->spread.online = shape->online;
	}
	if (shape->rank)
		fixture_subspace(f, shape);
	if (shape->kind != RECURRENT_NONE)
		fixture_net(f, shape);
	if (shape->dynamic)
		fixture_dynamic(s);
	fixture_tail(f, &f->m.tail);
}

/* A forecast net beside the linear parts; hidden 0: without. */
static inline void fixture_make(struct fixture *f, unsigned n, unsigned lags, unsigned hidden,
				unsigned rows, bool int8)
{
	struct fixture_shape shape = {
		.n = n, .lags = lags, .hidden = hidden, .rows = rows, .int8 = int8,
		.kind = hidden ? RECURRENT_FORECAST : RECURRENT_NONE,
	};

	fixture_shaped(f, &shape);
}

static inline void fixture_score(struct fixture *f)
{
	float *score = (float *)(uintptr_t)f->m.test_score;
	uint8_t valid[64];
	struct detector *d;

	CHECK(f->m.spec.channels <= sizeof valid);
	memset(valid, 1, sizeof valid);
	CHECK_EQ(detector_open(&d, &f->m.spec, FC_REF, NULL), 0);
	for (unsigned i = 0; i < f->m.test_rows; i++) {
		struct detector_result r;

		detector_step(d, f->m.test_x + i * f->m.spec.channels, valid, &r);
		score[i] = r.score;
	}
	detector_close(d);
}

static inline void fixture_free(struct fixture *f)
{
	while (f->n_kept)
		free(f->kept[--f->n_kept]);
}

#endif
