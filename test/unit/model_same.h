/* SPDX-License-Identifier: MIT */
/* model_same: two models are equal in every bit of every number that they have. */
#ifndef SONDE_TEST_MODEL_SAME_H
#define SONDE_TEST_MODEL_SAME_H

#include <stdint.h>

#include "models/model.h"
#include "test/test.h"

static inline void same_operator(const struct fc_spec *a, const struct fc_spec *b)
{
	size_t n = (size_t)a->out * a->in;

	CHECK_EQ(a->in, b->in);
	CHECK_EQ(a->out, b->out);
	CHECK_EQ(!a->weight, !b->weight);
	CHECK_EQ(!a->weight_f32, !b->weight_f32);
	CHECK_EQ(a->dynamic, b->dynamic);
	if (a->weight) {
		CHECK(!memcmp(a->weight, b->weight, n));
		CHECK(!memcmp(a->scale, b->scale, a->out * sizeof(float)));
	}
	if (a->weight_f32)
		CHECK(!memcmp(a->weight_f32, b->weight_f32, n * sizeof(float)));
	if (a->out)
		CHECK(!memcmp(a->bias, b->bias, a->out * sizeof(float)));
}

#define SAME(field, count)                                                                   \
	do {                                                                                 \
		CHECK(!memcmp(a->field, b->field, (count) * sizeof(float)));                 \
		CHECK_EQ((uintptr_t)b->field % sizeof(float), 0);                            \
	} while (0)

static inline void same_spread(const struct spread_spec *a, const struct spread_spec *b,
			       unsigned series)
{
	SAME(start, series);
	SAME(center, series);
	SAME(inv_dev, series);
}

static inline void same_subspace(const struct detector_spec *a, const struct detector_spec *b)
{
	CHECK_EQ(b->subspace.lags, a->subspace.lags);
	CHECK_EQ(b->subspace.rank, a->subspace.rank);
	CHECK(b->subspace.code_clip == a->subspace.code_clip);
	same_operator(&a->subspace.encode, &b->subspace.encode);
	same_operator(&a->subspace.decode, &b->subspace.decode);
	SAME(subspace.inv_sigma, a->subspace.lags * a->channels);
	SAME(inv_usual, a->channels);
}

static inline void same_graph(const struct graph_spec *a, const struct graph_spec *b)
{
	size_t edges = (size_t)a->nodes * a->degree, cells = (size_t)a->nodes * a->features;

	CHECK_EQ(b->nodes, a->nodes);
	CHECK_EQ(b->features, a->features);
	CHECK_EQ(b->degree, a->degree);
	if (!a->features)
		return;
	CHECK(!memcmp(a->neighbour, b->neighbour, edges * sizeof *a->neighbour));
	same_operator(&a->node, &b->node);
	SAME(edge, edges);
	SAME(own, cells);
	SAME(mix, a->features * a->features);
	SAME(mix_bias, a->features);
	SAME(fuse, cells);
}

static inline void same_net(const struct detector_spec *a, const struct detector_spec *b)
{
	const struct recurrent_spec *r = &a->recurrent;

	CHECK_EQ(b->recurrent.kind, r->kind);
	CHECK_EQ(b->quick.hidden, a->quick.hidden);
	if (r->kind == RECURRENT_NONE)
		return;
	CHECK_EQ(b->recurrent.channels, r->channels);
	CHECK_EQ(b->recurrent.hidden, r->hidden);
	CHECK_EQ(b->recurrent.layers, r->layers);
	CHECK_EQ(b->recurrent.window, r->window);
	same_operator(&r->gates[0], &b->recurrent.gates[0]);
	same_operator(&r->gates[1], &b->recurrent.gates[1]);
	same_operator(&r->head, &b->recurrent.head);
	SAME(recurrent_inv_sigma, a->channels);
	same_graph(&r->graph, &b->recurrent.graph);
	if (a->quick.hidden) {
		SAME(quick.weight, 2 * (r->hidden + QUICK_CHEAP));
		SAME(quick.bias, 2);
		CHECK(a->quick.margin == b->quick.margin);
	}
}

static inline void same_detector(const struct detector_spec *a, const struct detector_spec *b)
{
	unsigned n = a->channels;

	CHECK_EQ(b->channels, n);
	CHECK_EQ(b->lags, a->lags);
	CHECK_EQ(b->online, a->online);
	CHECK_EQ(b->spread.online, a->spread.online);
	CHECK(b->z_clip == a->z_clip && b->spread_rate == a->spread_rate);
	CHECK(!memcmp(a->view, b->view, sizeof a->view));
	SAME(mean, n);
	SAME(inv_std, n);
	SAME(wanders, n);
	SAME(inv_sigma, n);
	SAME(level_weight, n);
	same_operator(&a->linear, &b->linear);
	if (a->view[VIEW_SPREAD].weight > 0)
		same_spread(&a->spread, &b->spread, n);
	if (a->view[VIEW_LEFT].weight > 0)
		same_spread(&a->left, &b->left, n);
	if (a->view[VIEW_CODE].weight > 0)
		same_spread(&a->code, &b->code, a->subspace.rank);
	if (a->view[VIEW_SUBSPACE].weight > 0)
		same_subspace(a, b);
	same_net(a, b);
}

static inline void same_model(const struct model *a, const struct model *b)
{
	unsigned n = a->spec.channels;

	CHECK_STR(b->name, a->name);
	CHECK(a->rate_hz == b->rate_hz);
	CHECK(a->point_limit == b->point_limit);
	CHECK_EQ(b->dynamic, a->dynamic);
	CHECK_EQ(b->test_rows, a->test_rows);
	same_detector(&a->spec, &b->spec);
	for (unsigned i = 0; i < n; i++) {
		CHECK_STR(b->channel[i].name, a->channel[i].name);
		CHECK_STR(b->channel[i].unit, a->channel[i].unit);
	}
	SAME(departure, n);
	if (a->test_rows) {
		SAME(test_x, (size_t)n * a->test_rows);
		SAME(test_score, a->test_rows);
	}
	CHECK(!memcmp(&a->tail, &b->tail, sizeof(struct tail)));
	CHECK_STR(b->created, a->created);
	CHECK_STR(b->data_sha256, a->data_sha256);
	CHECK(b->rows == a->rows && b->seed == a->seed);
	CHECK(b->loss_linear == a->loss_linear && b->loss_net == a->loss_net);
}

#endif
