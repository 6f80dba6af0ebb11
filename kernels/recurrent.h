/* SPDX-License-Identifier: MIT */
/*
 * recurrent: what an LSTM, a graph over the sensors and a head make of the rows so far.
 *
 * Two kinds. A *forecast* net says what the linear forecast of the next row leaves; an
 * *autoencoder* reads a window of rows and has to tell it again from its last state. The graph
 * belongs to the forecast: a node is a channel, its features depend on the state and on the
 * node's own value, so that two channels can not be exchanged without changing what comes out.
 *
 *	node[i][f] = relu(P h + own[i][f] * z[i])			P: node, an fc
 *	near[i][f] = relu(sum_j edge[i][j] * sum_m node[neighbour[i][j]][m] * mix[f][m] + mix_bias[f])
 *	out[i]     = head[i] . h + sum_f fuse[i][f] * near[i][f]
 *
 * Source of the graph layer: Kipf and Welling 2017 (normalised adjacency with self loops), here
 * with signed edges.
 */
#ifndef SONDE_RECURRENT_H
#define SONDE_RECURRENT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/fc.h"

enum recurrent_kind { RECURRENT_NONE, RECURRENT_FORECAST, RECURRENT_AUTOENCODER };

#define RECURRENT_LAYERS_MAX 2
#define RECURRENT_WINDOW_MAX 256
#define GRAPH_FEATURES_MAX 16
#define GRAPH_DEGREE_MAX 32

/* Borrowed, as all of a model. features 0: no graph. */
struct graph_spec {
	unsigned nodes, features, degree;
	const int32_t *neighbour;	/* [nodes][degree], each below nodes; -1: no more */
	const float *edge;		/* [nodes][degree] */
	struct fc_spec node;		/* nodes * features <- hidden, row i * features + f */
	const float *own;		/* [nodes][features] */
	const float *mix;		/* [features][features], row: what comes out */
	const float *mix_bias;		/* [features] */
	const float *fuse;		/* [nodes][features] */
};

struct recurrent_spec {
	enum recurrent_kind kind;
	unsigned channels, hidden;
	unsigned layers;		/* forecast: 1 or 2; autoencoder: 1 */
	unsigned window;		/* autoencoder: rows it has to tell again */
	/*
	 * Forecast: the layers, 4H <- N + H and 4H <- H + H. Autoencoder: [0] the encoder, 4H <- N + H,
	 * [1] the decoder, 4H <- H + H, from zero, whose input at every step is the encoder's last
	 * h and whose step k tells the row k rows before the newest.
	 */
	struct fc_spec gates[2];
	struct fc_spec head;		/* N <- H of the top layer, or of the decoder */
	struct graph_spec graph;
};

struct recurrent;

/*
 * Errors as fc_open, with the operator named. z_inv_step: what fc_put gets for values in z;
 * the graph holds a node's own z within the same +-QUANT_MAX / z_inv_step, even where operators
 * are dynamic.
 */
int recurrent_open(struct recurrent **out, const struct recurrent_spec *spec, float z_inv_step,
		   enum fc_kind kind, struct why *why);
void recurrent_close(struct recurrent *r);
void recurrent_reset(struct recurrent *r);

/*
 * One more row, z[N] in deviations: the LSTM's step (forecast) or the window's (autoencoder).
 * Held within +-1e12, a NaN is 0. Nothing that lasts or comes out of here becomes a NaN or an
 * infinity, whatever finite weights the model has.
 */
void recurrent_advance(struct recurrent *r, const float *z);

/* State of the top layer (autoencoder: of the encoder, after the last recurrent_window), [H]. */
const float *recurrent_state(const struct recurrent *r);

/*
 * Forecast: what is to be added to the linear forecast of the next row, out[N]: the dense and
 * the graph part, of the state and of the last row advanced over. Changes nothing that lasts.
 */
void recurrent_forecast(struct recurrent *r, float *out);

/*
 * Autoencoder: runs encoder and decoder over the last `window` rows (zeros before the first) and
 * leaves reconstruction - row, newest row first, in error[window][N] (borrowed until the next
 * call).
 */
const float *recurrent_window(struct recurrent *r);

/*
 * Multiply-adds of one row, for reports: an advance and a forecast, or a window. The forecast
 * of an int8 model reads a byte of weights for each; the windows read theirs again and again.
 */
uint64_t recurrent_cost(const struct recurrent_spec *spec);

#endif
