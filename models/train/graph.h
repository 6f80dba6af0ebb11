/* SPDX-License-Identifier: MIT */
/*
 * graph: which sensors the graph layer joins, and how strongly. From training data: signed
 * correlations, of which each node keeps the strongest; or from a text file of the user's.
 *
 * Edges go both ways and once. Every node has a self loop. Normalised as D^-1/2 A D^-1/2
 * (Kipf & Welling 2017) with D_i = sum of |a_ij| over j, self loop 1 included, because edges are
 * signed (Kunegis et al. 2010): largest eigenvalue at most 1, whatever the signs.
 */
#ifndef SONDE_TRAIN_GRAPH_H
#define SONDE_TRAIN_GRAPH_H

#include <stddef.h>
#include <stdint.h>

struct why;

struct graph {
	unsigned nodes, degree;
	int32_t *neighbour;	/* [nodes][degree] itself first, then by strength; -1: no more */
	float *edge;		/* [nodes][degree] 0 where there is no neighbour */
};

/* Correlations below this, or three times what chance makes of so many rows, join nothing. */
#define GRAPH_CORRELATION_MIN 0.1

/*
 * z[rows][N], valid[rows][N] 0 or 1 (NULL: all). Each node brings its `strongest` partners
 * (at most GRAPH_DEGREE_MAX - 1), so it may end up with more; the strongest edges win where
 * a node is full. A constant channel has its self loop alone. -ENOMEM. Result: graph_close.
 */
int graph_build(struct graph *out, const float *z, const float *valid, unsigned rows,
		unsigned channels, unsigned strongest);

/*
 * Lines "a b 0.7": two channels and their weight, in any order; names with blanks in double
 * quotes, # begins a comment. Weights are finite and not 0. -EINVAL names file:line: an unknown
 * channel, a pair given twice, a node with more than GRAPH_DEGREE_MAX - 1 partners. Result:
 * graph_close.
 */
int graph_read(struct graph *out, const char *path, char (*name)[32], unsigned channels,
	       struct why *why);
int graph_parse(struct graph *out, const char *text, size_t len, const char *label,
		char (*name)[32], unsigned channels, struct why *why);

/* Accepts a zeroed one. */
void graph_close(struct graph *g);

#endif
