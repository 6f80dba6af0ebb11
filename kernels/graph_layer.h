/* SPDX-License-Identifier: MIT */
/*
 * graph_layer: the graph over the sensors, of recurrent.h, as one step runs it. It is in float:
 * but for the projection of the state it is too small for a library to repay its call.
 */
#ifndef SONDE_GRAPH_LAYER_H
#define SONDE_GRAPH_LAYER_H

#include <stdint.h>

#include "kernels/recurrent.h"

struct graph_layer;

/*
 * Neighbours and small tensors are copied and laid out for vectors. z is held within
 * +-QUANT_MAX / z_inv_step, as an operator's inputs are. Errors: as fc_open.
 */
int graph_layer_open(struct graph_layer **out, const struct graph_spec *spec, unsigned hidden,
		     float z_inv_step, enum fc_kind kind, struct why *why);
void graph_layer_close(struct graph_layer *g);

/*
 * sum_f fuse[i][f] * near[i][f] is added to out[nodes]. h[hidden], z[nodes]. No state. Weights too
 * large for a float's sums leave an infinity or a NaN in out.
 */
void graph_layer_add(struct graph_layer *g, const float *h, const float *z, float *out);

/* Multiply-adds of one graph_layer_add. */
uint64_t graph_layer_cost(const struct graph_spec *spec);

#endif
