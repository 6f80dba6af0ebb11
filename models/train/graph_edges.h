/* SPDX-License-Identifier: MIT */
/* graph_edges: what graph*.c share: a list of edges, and the graph it makes. */
#ifndef SONDE_TRAIN_GRAPH_EDGES_H
#define SONDE_TRAIN_GRAPH_EDGES_H

#include <stdbool.h>

#include "kernels/recurrent.h"
#include "models/train/graph.h"

#define GRAPH_PARTNERS_MAX (GRAPH_DEGREE_MAX - 1)

struct graph_edge {
	unsigned a, b;		/* a != b; no pair twice, in either order */
	float weight;		/* finite, not 0 */
};

/* Adds the other direction and self loops, and normalises; no node has too many. -ENOMEM. */
int graph_edges(struct graph *out, const struct graph_edge *edge, size_t count, unsigned nodes);

#endif
