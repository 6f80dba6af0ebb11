// SPDX-License-Identifier: MIT
/*
 * fuzz: any bytes as a user's graph of five channels. An accepted one is symmetric, has a self
 * loop first in every node's list, and no eigenvalue that a sum could run away with.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/graph.h"

#define NODES 5u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static float edge_of(const struct graph *g, unsigned i, unsigned j)
{
	for (unsigned k = 0; k < g->degree; k++)
		if (g->neighbour[i * g->degree + k] == (int32_t)j)
			return g->edge[i * g->degree + k];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[NODES][32] = { "a", "b", "cool air", "d", "e" };
	struct graph g;
	struct why why;

	if (graph_parse(&g, (const char *)data, size, "fuzz", name, NODES, &why)) {
		if (g.neighbour || strncmp(why.text, "fuzz:", 5))
			abort();
		return 0;
	}
	if (g.nodes != NODES || !g.degree || g.degree > NODES)
		abort();
	for (unsigned i = 0; i < NODES; i++)
		for (unsigned k = 0; k < g.degree; k++) {
			int32_t j = g.neighbour[i * g.degree + k];
			float e = g.edge[i * g.degree + k];

			if (j < -1 || j >= (int32_t)NODES || !(fabsf(e) <= 1) || (j < 0 && e != 0))
				abort();
			if (!k && j != (int32_t)i)
				abort();
			if (j >= 0 && edge_of(&g, (unsigned)j, i) != e)
				abort();
		}
	graph_close(&g);
	return 0;
}
