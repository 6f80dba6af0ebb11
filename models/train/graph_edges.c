// SPDX-License-Identifier: MIT
/*
 * graph_edges: from a list of edges to the arrays that kernels/recurrent.h reads. A node lists
 * itself first, then its partners by strength.
 */
#include "models/train/graph_edges.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Behind those of node i that are as strong; the list stays sorted. */
static void insert(struct graph *g, unsigned i, unsigned *used, unsigned partner, float weight)
{
	int32_t *neighbour = g->neighbour + (size_t)i * g->degree;
	float *edge = g->edge + (size_t)i * g->degree;
	unsigned k = used[i]++;

	for (; k > 1 && fabsf(edge[k - 1]) < fabsf(weight); k--) {
		edge[k] = edge[k - 1];
		neighbour[k] = neighbour[k - 1];
	}
	edge[k] = weight;
	neighbour[k] = (int32_t)partner;
}

/* D^-1/2 A D^-1/2, in double: weights of a user may be of any size. */
static void normalise(struct graph *g, double *root)
{
	for (unsigned i = 0; i < g->nodes; i++) {
		root[i] = 0;
		for (unsigned k = 0; k < g->degree; k++)
			root[i] += fabs((double)g->edge[(size_t)i * g->degree + k]);
		root[i] = sqrt(root[i]);
	}
	for (unsigned i = 0; i < g->nodes; i++)
		for (unsigned k = 0; k < g->degree; k++) {
			size_t at = (size_t)i * g->degree + k;

			if (g->neighbour[at] >= 0)
				g->edge[at] = (float)((double)g->edge[at] / root[i] /
						      root[g->neighbour[at]]);
		}
}

int graph_edges(struct graph *out, const struct graph_edge *edge, size_t count, unsigned nodes)
{
	struct graph g = { .nodes = nodes, .degree = 1 };
	unsigned *used = calloc((size_t)nodes + 1, sizeof(*used));
	double *root = calloc((size_t)nodes + 1, sizeof(*root));
	size_t cells;

	for (size_t k = 0; used && k < count; k++) {
		unsigned a = ++used[edge[k].a] + 1, b = ++used[edge[k].b] + 1;

		g.degree = a > g.degree ? a : g.degree;
		g.degree = b > g.degree ? b : g.degree;
	}
	cells = (size_t)nodes * g.degree;
	g.neighbour = malloc((cells + 1) * sizeof(*g.neighbour));
	g.edge = calloc(cells + 1, sizeof(*g.edge));
	if (!used || !root || !g.neighbour || !g.edge) {
		free(used);
		free(root);
		graph_close(&g);
		return -ENOMEM;
	}
	for (size_t k = 0; k < cells; k++)
		g.neighbour[k] = -1;
	for (unsigned i = 0; i < nodes; i++) {
		used[i] = 0;
		insert(&g, i, used, i, 1);
	}
	for (size_t k = 0; k < count; k++) {
		insert(&g, edge[k].a, used, edge[k].b, edge[k].weight);
		insert(&g, edge[k].b, used, edge[k].a, edge[k].weight);
	}
	normalise(&g, root);
	free(used);
	free(root);
	*out = g;
	return 0;
}

void graph_close(struct graph *g)
{
	free(g->neighbour);
	free(g->edge);
	*g = (struct graph){ 0 };
}
