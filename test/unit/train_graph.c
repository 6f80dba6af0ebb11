// SPDX-License-Identifier: MIT
/*
 * The graph over the sensors: correlations worked out again here, one pair at a time; what
 * every graph must be, whatever it is made from; and a user's text with its mistakes.
 */
#include "models/train/graph.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "kernels/recurrent.h"
#include "kernels/why.h"
#include "models/train/random.h"
#include "test/test.h"

#define ROWS 1500
#define N 9

static float z[ROWS * 40], valid[ROWS * 40];

/* 0: none. */
static float edge_of(const struct graph *g, unsigned i, unsigned j)
{
	for (unsigned k = 0; k < g->degree; k++)
		if (g->neighbour[i * g->degree + k] == (int32_t)j)
			return g->edge[i * g->degree + k];
	return 0;
}

/*
 * Itself first, the rest by strength before normalisation, nothing twice, padded with -1; each
 * edge both ways; D^-1/2 A D^-1/2: with A_ii = 1, row i of A is edge * sqrt(D_i D_j).
 */
static void check_graph(const struct graph *g)
{
	for (unsigned i = 0; i < g->nodes; i++) {
		double d_i = 1 / (double)edge_of(g, i, i), sum = 0, before = INFINITY;
		bool ended = false;

		CHECK_EQ(g->neighbour[i * g->degree], i);
		for (unsigned k = 0; k < g->degree; k++) {
			int32_t j = g->neighbour[i * g->degree + k];
			float e = g->edge[i * g->degree + k];
			double a;

			ended |= j < 0;
			CHECK(ended == (j < 0) && (j >= 0) == (e != 0));
			if (ended)
				continue;
			CHECK(j < (int32_t)g->nodes && edge_of(g, (unsigned)j, i) == e);
			for (unsigned m = 0; m < k; m++)
				CHECK(g->neighbour[i * g->degree + m] != j);
			a = e * sqrt(d_i / (double)edge_of(g, (unsigned)j, (unsigned)j));
			sum += fabs(a);
			CHECK(k < 2 || fabs(a) <= before * (1 + 1e-5));
			before = fabs(a);
		}
		CHECK_NEAR(sum / d_i, 1, 1e-5);
	}
}

/* Over rows where both are known, two passes. */
static double correlation(unsigned i, unsigned j, unsigned n)
{
	double x = 0, y = 0, xx = 0, yy = 0, xy = 0, count = 0;

	for (unsigned r = 0; r < ROWS; r++)
		if (valid[r * n + i] != 0 && valid[r * n + j] != 0) {
			x += z[r * n + i];
			y += z[r * n + j];
			count++;
		}
	x /= count;
	y /= count;
	for (unsigned r = 0; r < ROWS; r++)
		if (valid[r * n + i] != 0 && valid[r * n + j] != 0) {
			double a = z[r * n + i] - x, b = z[r * n + j] - y;

			xx += a * a;
			yy += b * b;
			xy += a * b;
		}
	return xy / sqrt(xx * yy);
}

/* 0, 1, 2 move together (2 against them), 3 and 4 do, 5 is alone, 6 constant, 7 zero, 8 unknown. */
static void fill(void)
{
	struct random r = { 4 };

	for (unsigned k = 0; k < ROWS; k++) {
		float a = random_uniform(&r), b = random_uniform(&r), *row = z + k * N;

		for (unsigned i = 0; i < N; i++)
			row[i] = random_uniform(&r);
		row[0] += 2 * a;
		row[1] += a;
		row[2] -= a;
		row[3] = 5 + b;
		row[4] += b;
		row[6] = 2.7182817f;
		row[7] = 0;
		for (unsigned i = 0; i < N; i++)
			valid[k * N + i] = i == 8 ? 0 : random_next(&r) % 8 ? 1 : 0;
		/* What is not valid must not matter. */
		for (unsigned i = 0; i < N; i++)
			row[i] = valid[k * N + i] != 0 ? row[i] : i == 8 ? NAN : 1000;
	}
}

static void built(void)
{
	static const struct { unsigned a, b; } joined[] = {
		{ 0, 1 }, { 0, 2 }, { 1, 2 }, { 3, 4 },
	};
	struct graph g;
	double d[N];
	unsigned edges = 0;

	fill();
	CHECK(!graph_build(&g, z, valid, ROWS, N, 3));
	check_graph(&g);
	for (unsigned i = 0; i < N; i++)
		d[i] = 1;
	for (unsigned k = 0; k < 4; k++) {
		double r = correlation(joined[k].a, joined[k].b, N);

		CHECK(fabs(r) > 0.2);
		d[joined[k].a] += fabs(r);
		d[joined[k].b] += fabs(r);
	}
	for (unsigned k = 0; k < 4; k++) {
		unsigned a = joined[k].a, b = joined[k].b;

		CHECK_NEAR(edge_of(&g, a, b), correlation(a, b, N) / sqrt(d[a] * d[b]), 1e-5);
	}
	CHECK(edge_of(&g, 0, 2) < 0 && edge_of(&g, 0, 1) > 0);
	for (unsigned i = 0; i < N; i++)
		for (unsigned k = 1; k < g.degree; k++)
			edges += g.neighbour[i * g.degree + k] >= 0;
	CHECK_EQ(edges, 8);
	CHECK_EQ(g.degree, 3);
	for (unsigned i = 5; i < N; i++)
		CHECK(edge_of(&g, i, i) == 1);
	graph_close(&g);
	CHECK(!g.neighbour && !g.nodes);

	/* Of 0, 1, 2 the pair 1, 2 is the weakest, and not the strongest of either. */
	CHECK(!graph_build(&g, z, valid, ROWS, N, 1));
	check_graph(&g);
	CHECK(edge_of(&g, 0, 1) != 0 && edge_of(&g, 0, 2) != 0 && edge_of(&g, 1, 2) == 0);
	graph_close(&g);
	/* The same with the strongest of the three last. */
	for (unsigned k = 0; k < ROWS * N; k += N) {
		float v = z[k], u = valid[k];

		z[k] = z[k + 2];
		valid[k] = valid[k + 2];
		z[k + 2] = v;
		valid[k + 2] = u;
	}
	CHECK(!graph_build(&g, z, valid, ROWS, N, 1));
	check_graph(&g);
	CHECK(edge_of(&g, 0, 2) != 0 && edge_of(&g, 1, 2) != 0 && edge_of(&g, 0, 1) == 0);
	graph_close(&g);
	CHECK(!graph_build(&g, z, valid, ROWS, N, 0));
	CHECK_EQ(g.degree, 1);
	graph_close(&g);
}

/* Everything follows one channel: its list is full, and still nothing points one way. */
static void crowded(void)
{
	struct random r = { 9 };
	struct graph g;
	unsigned most = 0;

	for (unsigned k = 0; k < ROWS; k++) {
		z[k * 40] = random_uniform(&r);
		for (unsigned i = 1; i < 40; i++)
			z[k * 40 + i] = z[k * 40] + 0.1f * (float)i * random_uniform(&r);
	}
	CHECK(!graph_build(&g, z, NULL, ROWS, 40, 31));
	check_graph(&g);
	CHECK_EQ(g.degree, GRAPH_DEGREE_MAX);
	graph_close(&g);
	CHECK(!graph_build(&g, z, NULL, ROWS, 40, 1));
	check_graph(&g);
	for (unsigned k = 0; k < g.degree; k++)
		most += g.neighbour[k] >= 0;
	/* 0 is the strongest partner of nearly all. */
	CHECK(most > 20 && most <= GRAPH_DEGREE_MAX);
	graph_close(&g);
}

static char names[4][32] = { "a", "b", "cool air", "exactly-31-characters-long-name" };

static void refused(const char *text, const char *reason)
{
	struct graph g;
	struct why why;

	CHECK_EQ(graph_parse(&g, text, strlen(text), "g.txt", names, 4, &why), -EINVAL);
	CHECK_STR(why.text, reason);
	CHECK(!g.neighbour);
}

static void parsed(void)
{
	static const char text[] = "# rooms\n\n  a b 0.5 # a wall\r\n\"cool air\"\ta -2\n"
				   "exactly-31-characters-long-name b 1e-3";
	struct graph g;
	struct why why;
	double root_a = sqrt(3.5), root_b = sqrt(1.501);

	CHECK(!graph_parse(&g, text, strlen(text), "g.txt", names, 4, &why));
	check_graph(&g);
	CHECK_EQ(g.degree, 3);
	CHECK_NEAR(edge_of(&g, 0, 1), 0.5 / root_a / root_b, 1e-6);
	CHECK_NEAR(edge_of(&g, 2, 0), -2 / root_a / sqrt(3), 1e-6);
	CHECK_NEAR(edge_of(&g, 3, 1), 0.001 / root_b / sqrt(1.001), 1e-6);
	CHECK_EQ(g.neighbour[1], 2);	/* the stronger one first */
	graph_close(&g);
	CHECK(!graph_parse(&g, "", 0, "g.txt", names, 4, &why));
	CHECK(g.degree == 1 && g.edge[3] == 1);
	graph_close(&g);
	refused("a b 1\nb c 1\n", "g.txt:2: c: there is no such channel");
	refused("a cool air 1\n", "g.txt:1: cool: there is no such channel");
	refused("a b\n", "g.txt:1: the weight is missing");
	refused("a\n", "g.txt:1: two channels and a weight are expected");
	refused("a b 0\n", "g.txt:1: 0: not a weight (a number other than 0)");
	refused("a b nan\n", "g.txt:1: nan: not a weight (a number other than 0)");
	refused("a b 1e99\n", "g.txt:1: 1e99: not a weight (a number other than 0)");
	refused("a b 1 2\n", "g.txt:1: 2: not expected behind the weight");
	refused("\n\na a 1\n", "g.txt:3: a: every channel is joined to itself already");
	refused("a b 1\n\nb a 2\n", "g.txt:3: a and b were joined on line 1");
	refused("\"a b 1\n", "g.txt:1: a quote is not closed");
	refused("\"a\"b 1\n", "g.txt:1: a blank is missing behind a quoted name");
	refused("a \033[2J 1\n", "g.txt:1: there is no such channel");
	refused("a bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 1\n",
		"g.txt:1: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...: there is no such channel");
}

/* One channel more than a node has room for. */
static void full(void)
{
	char many[40][32], text[1024] = "";
	struct graph g;
	struct why why;

	for (unsigned k = 0; k < 40; k++)
		snprintf(many[k], sizeof(many[k]), "c%u", k);
	for (unsigned k = 1; k < GRAPH_DEGREE_MAX; k++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "c%u c0 %u\n", k, k);
	CHECK(!graph_parse(&g, text, strlen(text), "g", many, 40, &why));
	check_graph(&g);
	CHECK_EQ(g.degree, GRAPH_DEGREE_MAX);
	graph_close(&g);
	strcat(text, "c35 c0 1\n");
	CHECK_EQ(graph_parse(&g, text, strlen(text), "g", many, 40, &why), -EINVAL);
	CHECK_STR(why.text, "g:32: c0: more than 31 channels are joined to it");
}

static void from_file(void)
{
	char path[] = "/tmp/sonde-graph-XXXXXX", reason[128];
	struct graph g;
	struct why why;
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, "a b 1\n", 6) == 6);
	CHECK(!graph_read(&g, path, names, 4, &why));
	CHECK(edge_of(&g, 1, 0) == 0.5f);
	graph_close(&g);
	CHECK(write(fd, "x", 1) == 1);
	CHECK_EQ(graph_read(&g, path, names, 4, &why), -EINVAL);
	snprintf(reason, sizeof(reason), "%s:2: x: there is no such channel", path);
	CHECK_STR(why.text, reason);
	close(fd);
	unlink(path);
	CHECK_EQ(graph_read(&g, path, names, 4, &why), -ENOENT);
	CHECK(strstr(why.text, path));
}

int main(void)
{
	built();
	crowded();
	parsed();
	full();
	from_file();
	return 0;
}
