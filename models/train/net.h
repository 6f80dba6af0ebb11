/* SPDX-License-Identifier: MIT */
/*
 * net: the recurrent view as it is trained: float32, batched, a forward and a backward for
 * each part. The forward pass is the runtime's (kernels/recurrent.h: same gates, same layout
 * of the weights), only without its int8 rounding.
 *
 * N channels, H hidden units, T steps of a window, B streams side by side.
 */
#ifndef SONDE_TRAIN_NET_H
#define SONDE_TRAIN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/recurrent.h"

struct draft;

struct net_shape {
	enum recurrent_kind kind;
	unsigned channels, hidden, layers;
	unsigned window;			/* autoencoder */
	unsigned features, degree;		/* graph; features 0: none */
	const int32_t *neighbour;		/* [N][degree], copied */
	const float *edge;			/* [N][degree], copied, not learnt */
};

struct net {
	struct net_shape shape;
	size_t count;		/* of all parameters: one vector for the optimiser */
	float *param;		/* [count]; what follows points into it */
	float *gate_w[2];	/* [4H][N + H], [4H][2H]; columns [x | h], gates i f g o */
	float *gate_b[2];	/* [4H] */
	float *head_w;		/* [N][H] */
	float *head_b;		/* [N] */
	float *node_w;		/* [N * F][H] */
	float *node_b;		/* [N * F] */
	float *own;		/* [N][F] */
	float *mix, *mix_b;	/* [F][F], [F] */
	float *fuse;		/* [N][F] */
};

/*
 * Gates uniform within 1 / sqrt(H), forget bias raised by one (Jozefowicz et al. 2015); head
 * and fuse zero in a forecast net: untrained it forecasts nothing. -ENOMEM.
 */
int net_open(struct net **out, const struct net_shape *shape, uint64_t seed);
void net_close(struct net *n);

/* The same pointers over another vector of parameters, or of gradients. */
struct net net_over(const struct net *n, float *param);

/* The float operators of the runtime, copied into the draft. -ENOMEM. */
int net_spec(struct recurrent_spec *out, const struct net *n, struct draft *d);
/* The reverse: parameters from a float model's. -EINVAL when it is not float. */
int net_from_spec(struct net **out, const struct recurrent_spec *spec);

#endif
