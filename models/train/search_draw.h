/* SPDX-License-Identifier: MIT */
/* search_draw: candidates from the grid, and what they cost on this machine. */
#ifndef SONDE_TRAIN_SEARCH_DRAW_H
#define SONDE_TRAIN_SEARCH_DRAW_H

#include "models/train/net.h"
#include "models/train/random.h"
#include "models/train/search.h"

struct graph;
struct model;
struct recording;

/* Graphs of each degree of the grid, made once. */
#define SEARCH_DEGREES 3u
extern const unsigned search_degrees[SEARCH_DEGREES];

/* One that is not among c[n] yet; false: none was found. */
bool search_draw(struct search_candidate *out, const struct search_candidate *c, unsigned n,
		 const struct search_options *o, unsigned channels, struct random *random);

/* graph[SEARCH_DEGREES] must outlive the shape. */
struct net_shape search_shape(const struct search_candidate *c, unsigned channels,
			      const struct graph *graph);

/*
 * us, bytes and ram of base with this net (NULL: none) in int8, and whether that fits. As
 * quantize_model and judge_time.
 */
int search_cost(struct search_candidate *c, const struct model *base, const struct net *net,
		const struct recording *rec, const struct search_options *o, struct why *why);

#endif
