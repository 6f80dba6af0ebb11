// SPDX-License-Identifier: MIT
/*
 * The graph layer by hand, bit for bit, and what depends on what: its own value, its neighbours,
 * each edge, and which node is which.
 */
#include <errno.h>

#include "kernels/graph_layer.h"
#include "kernels/why.h"
#include "test/test.h"
#include "test/unit/recurrent_fixture.h"

#define NODES 13
#define HIDDEN 24

struct board {
	struct fixture fixture;
	struct recurrent_spec net;
	int32_t neighbour[NODES * GRAPH_DEGREE_MAX];
	float edge[NODES * GRAPH_DEGREE_MAX];
	float h[HIDDEN], z[NODES];
};

static void board_open(struct board *b, unsigned features, unsigned degree)
{
	size_t n = (size_t)NODES * degree;

	*b = (struct board){ .fixture = { .random = features } };
	b->net = fixture_net(&b->fixture, RECURRENT_FORECAST, NODES, HIDDEN, 1, FORM_STATIC);
	fixture_graph(&b->fixture, &b->net, features, degree, FORM_STATIC);
	memcpy(b->neighbour, b->net.graph.neighbour, n * sizeof *b->neighbour);
	memcpy(b->edge, b->net.graph.edge, n * sizeof *b->edge);
	b->net.graph.neighbour = b->neighbour;
	b->net.graph.edge = b->edge;
	for (unsigned u = 0; u < HIDDEN; u++)
		b->h[u] = fixture_float(&b->fixture, 1);
	for (unsigned i = 0; i < NODES; i++)
		b->z[i] = fixture_float(&b->fixture, 3);
}

static void run(const struct board *b, float *out)
{
	struct graph_layer *g;

	CHECK_EQ(graph_layer_open(&g, &b->net.graph, HIDDEN, Z_INV_STEP, FC_REF, NULL), 0);
	memset(out, 0, NODES * sizeof *out);
	graph_layer_add(g, b->h, b->z, out);
	graph_layer_close(g);
}

/* The definition's loops, each product and sum rounded once. */
static void by_hand(const struct board *b, float *out)
{
	const struct graph_spec *g = &b->net.graph;
	unsigned n = g->features;
	float node[NODES][GRAPH_FEATURES_MAX], mixed[NODES][GRAPH_FEATURES_MAX];
	volatile float product, sum;
	const float *p;
	struct fc *fc;

	CHECK_EQ(fc_open(&fc, &g->node, FC_REF, NULL), 0);
	fc_put(fc, 0, b->h, HIDDEN, 127);
	p = fc_run(fc);
	for (unsigned i = 0; i < NODES; i++)
		for (unsigned f = 0; f < n; f++) {
			product = g->own[i * n + f] * b->z[i];
			sum = p[i * n + f] + product;
			node[i][f] = fmaxf(sum, 0);
		}
	for (unsigned i = 0; i < NODES; i++)
		for (unsigned f = 0; f < n; f++) {
			sum = 0;
			for (unsigned m = 0; m < n; m++) {
				product = node[i][m] * g->mix[f * n + m];
				sum += product;
			}
			mixed[i][f] = sum;
		}
	for (unsigned i = 0; i < NODES; i++) {
		float total = 0;

		for (unsigned f = 0; f < n; f++) {
			sum = g->mix_bias[f];
			for (unsigned j = 0; j < g->degree; j++) {
				int32_t from = g->neighbour[i * g->degree + j];

				if (from < 0)
					break;
				product = g->edge[i * g->degree + j] * mixed[from][f];
				sum += product;
			}
			product = g->fuse[i * n + f] * fmaxf(sum, 0);
			total += product;
		}
		out[i] = total;
	}
	fc_close(fc);
}

static void same_by_hand(unsigned features, unsigned degree)
{
	float want[NODES], got[NODES];
	struct board b;

	board_open(&b, features, degree);
	by_hand(&b, want);
	run(&b, got);
	CHECK(!memcmp(want, got, sizeof want));
	fixture_close(&b.fixture);
}

static unsigned changed(const float *a, const float *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < NODES; i++)
		n += a[i] != b[i];
	return n;
}

/* Without an edge its node says something else, and only that one does. */
static void edges(void)
{
	float before[NODES], after[NODES];
	unsigned heard = 0;
	struct board b;

	board_open(&b, 4, 4);
	run(&b, before);
	for (unsigned i = 0; i < NODES; i++) {
		int32_t *row = b.neighbour + i * 4, kept[4];

		memcpy(kept, row, sizeof kept);
		CHECK(row[1] >= 0);
		row[1] = -1;
		run(&b, after);
		CHECK(changed(before, after) == (before[i] != after[i]));
		heard += before[i] != after[i];
		/* What stands behind the end is not looked at. */
		row[2] = 1 << 30;
		run(&b, after);
		CHECK(changed(before, after) == (before[i] != after[i]));
		memcpy(row, kept, sizeof kept);
	}
	CHECK(heard > NODES / 2);
	run(&b, after);
	CHECK_EQ(changed(before, after), 0);
	fixture_close(&b.fixture);
}

/* Two nodes that change places do not take their outputs with them. */
static void permuted(void)
{
	float before[NODES], after[NODES], z;
	struct board b;

	board_open(&b, 4, 4);
	run(&b, before);
	z = b.z[2];
	b.z[2] = b.z[9];
	b.z[9] = z;
	run(&b, after);
	CHECK(changed(before, after) >= 2);
	CHECK(after[2] != before[9] || after[9] != before[2]);
	/* And what joins them matters as well: the same values over another graph. */
	for (unsigned j = 0; j < 4; j++) {
		int32_t from = b.neighbour[2 * 4 + j];

		b.neighbour[2 * 4 + j] = b.neighbour[9 * 4 + j];
		b.neighbour[9 * 4 + j] = from;
	}
	run(&b, before);
	CHECK(changed(before, after) >= 1);
	fixture_close(&b.fixture);
}

/* It adds to what is there, and remembers nothing. */
static void adds(void)
{
	float alone[NODES], out[NODES];
	struct graph_layer *g;
	struct board b;

	board_open(&b, 5, 3);
	run(&b, alone);
	CHECK_EQ(graph_layer_open(&g, &b.net.graph, HIDDEN, Z_INV_STEP, FC_XNN, NULL), 0);
	for (unsigned turn = 0; turn < 2; turn++) {
		memset(out, 0, sizeof out);
		graph_layer_add(g, b.h, b.z, out);
		graph_layer_add(g, b.h, b.z, out);
		for (unsigned i = 0; i < NODES; i++)
			CHECK_NEAR(out[i], 2 * alone[i], 1e-3 * (1 + fabsf(alone[i])));
	}
	graph_layer_close(g);
	graph_layer_close(NULL);
	fixture_close(&b.fixture);
}

static void refuse(const struct graph_spec *s)
{
	struct graph_layer *g = (struct graph_layer *)&g;
	struct why why = { "" };

	CHECK_EQ(graph_layer_open(&g, s, HIDDEN, Z_INV_STEP, FC_XNN, &why), -EINVAL);
	CHECK(!g && why.text[0]);
}

static void refused(void)
{
	struct graph_spec s[13];
	struct board b;

	board_open(&b, 4, 4);
	for (unsigned i = 0; i < 13; i++)
		s[i] = b.net.graph;
	s[0].nodes = 0;
	s[1].features = 0;
	s[2].features = GRAPH_FEATURES_MAX + 1;
	s[3].degree = GRAPH_DEGREE_MAX + 1;
	s[4].node.out--;
	s[5].node.in++;
	s[6].own = NULL;
	s[7].mix = NULL;
	s[8].mix_bias = NULL;
	s[9].fuse = NULL;
	s[10].edge = NULL;
	s[11].neighbour = NULL;
	s[12].node.bias = NULL;
	for (unsigned i = 0; i < 13; i++)
		refuse(&s[i]);
	b.neighbour[4 * 4] = NODES;
	refuse(&b.net.graph);
	b.neighbour[4 * 4] = -2;
	refuse(&b.net.graph);
	fixture_close(&b.fixture);
}

int main(void)
{
	for (unsigned features = 1; features <= GRAPH_FEATURES_MAX; features++)
		for (unsigned degree = 0; degree <= GRAPH_DEGREE_MAX; degree += 1 + degree)
			same_by_hand(features, degree);
	edges();
	permuted();
	adds();
	refused();
	return 0;
}
