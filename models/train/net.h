/* SPDX-License-Identifier: MIT */
/*
 * net: the LSTM and its head as they are trained: float32, batched, a forward
 * and a backward for each part. The forward pass is the runtime's (same gate
 * functions, same layout of the weights), only without its int8 rounding.
 *
 * N channels, H hidden units, T steps of a window, B streams side by side.
 */
#ifndef SONDE_TRAIN_NET_H
#define SONDE_TRAIN_NET_H

#include <stddef.h>
#include <stdint.h>

struct net {
	unsigned channels, hidden;
	size_t count;		/* of all parameters: one vector for the optimiser */
	float *param;		/* [count]; what follows points into it */
	float *gate_w;		/* [4H][N + H], columns [x | h], gates i f g o */
	float *gate_b;		/* [4H] */
	float *head_w;		/* [N][H] */
	float *head_b;		/* [N] */
};

/*
 * Gates uniform within 1 / sqrt(H), forget bias raised by one (Jozefowicz et
 * al. 2015), head zero: an untrained net forecasts nothing. -ENOMEM.
 */
int net_open(struct net **out, unsigned channels, unsigned hidden, uint64_t seed);
void net_close(struct net *n);

/* The same pointers over another vector of parameters, or of gradients. */
struct net net_over(const struct net *n, float *param);

/* What a forward pass leaves for the backward pass. */
struct tape {
	unsigned steps, batch;	/* T, B */
	float *h0, *c0;		/* [B][H] state before the window */
	float *gate;		/* [T][B][4H] activations i f g o; their gradients after backward */
	float *c, *tanh_c, *h;	/* [T][B][H] */
	float *out;		/* [T][B][N] */
	float *d_out;		/* [T][B][N] of the loss */
	float *d_h, *d_c;	/* [T][B][H], [B][H] */
};

int tape_open(struct tape **out, const struct net *n, unsigned steps, unsigned batch);
void tape_close(struct tape *t);
/* Forget the past (state zero), or go on from this window's last step. */
void tape_reset(struct tape *t, const struct net *n);
void tape_carry(struct tape *t, const struct net *n);

/* x[T][B][N] -> t->out. */
void net_forward(const struct net *n, struct tape *t, const float *x);

/*
 * Mean over the weights of weight * (out - target)^2, all [T][B][N]; leaves its
 * gradient in t->d_out. Returns the sum of squares; *mass is the sum of weights.
 */
double net_loss(const struct net *n, struct tape *t, const float *target,
		const float *weight, double *mass);

/* t->d_out -> grad (overwritten). State before the window counts as constant. */
void net_backward(const struct net *n, struct tape *t, const float *x,
		  struct net *grad);

#endif
