/* SPDX-License-Identifier: MIT */
/* tape_impl: what tape*.c share; for no one else. G: TAPE_CHUNK. */
#ifndef SONDE_TRAIN_TAPE_IMPL_H
#define SONDE_TRAIN_TAPE_IMPL_H

#include <stdbool.h>

#include "models/train/net.h"
#include "models/train/tape.h"

/* One layer over a chunk; row 0 of h and c is the state before it. */
struct tape_layer {
	float *gate;		/* [G][B][4H] activations; backward: gradients before them */
	float *h, *c;		/* [G + 1][B][H] */
};

/* What a chunk leaves; all of it in one piece of memory, a slot. */
struct tape_slot {
	struct tape_layer layer[2];
	float *node, *near;	/* [G][B][N * F] behind their relu */
	float *out;		/* [G][B][N]; then the gradient of the loss by it */
};

struct tape {
	struct net_shape net;
	unsigned steps, room, batch;	/* room: the largest batch */
	unsigned chunks, keep, segments;
	bool half;
	size_t slot_count;	/* floats */
	void *memory;
	float *kept;		/* [segments - 1][state] */
	void *slots;		/* [keep][slot_count] floats or bf16 */
	float *open;		/* half: the slot that is worked on, [slot_count] */
	float *state, *d_state;	/* [L][2][B][H]: where the forward, the backward pass stands */
	float *x, *y, *w;	/* [G][B][N] */
	float *d_h;		/* [2][G][B][H]: of the layer above, of the one below */
	float *tanh_c;		/* [G][B][H] */
	float *sum, *d_sum;	/* [G][B][N * F] of neighbours; d_sum serves two gradients */
	float *d_node;		/* [G][B][N * F] */
	float *code, *code_gate, *d_code_gate;	/* [B][H], [B][4H] twice: what feeds the decoder */
};

/* One chunk of a layer: its weights, and what goes in besides its own state. */
struct lstm_chunk {
	unsigned batch, steps, hidden;
	unsigned inputs;	/* width of the input columns of w */
	const float *w, *b;	/* [4H][inputs + H], [4H] */
	const float *x;		/* [steps][B][inputs], or NULL: */
	const float *fixed;	/* [B][4H] what input and bias give at every step */
	bool half;
};

/* state[2][B][H]: before the chunk in, behind it out. */
void tape_lstm_forward(const struct lstm_chunk *k, const struct tape_layer *v, float *state);

/*
 * d_h[steps][B][H] from above is used up; d_state[2][B][H] from behind the chunk in, from
 * before it out. d_x (may be NULL) is overwritten; d_fixed (with fixed) and the gradients are
 * added to. tanh_c[steps][B][H] is scratch.
 */
struct lstm_gradient {
	float *w, *b, *d_x, *d_fixed, *d_h, *d_state, *tanh_c;
};

void tape_lstm_backward(const struct lstm_chunk *k, const struct tape_layer *v,
			const struct lstm_gradient *g);

/* h[rows][H], t->x -> node, near; added to out[rows][N]. */
void tape_graph_forward(struct tape *t, const struct net *n, struct tape_slot *v, const float *h,
			size_t rows, bool half);
/* Adds to grad and to d_h[rows][H]. */
void tape_graph_backward(struct tape *t, const struct net *n, const struct tape_slot *v,
			 const float *h, size_t rows, float *d_h, struct net *grad);

#endif
