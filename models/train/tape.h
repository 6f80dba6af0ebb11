/* SPDX-License-Identifier: MIT */
/*
 * tape: one window of one shard of streams through a net, forwards and backwards, with
 * what the forward pass has to leave for the backward one.
 *
 * A window is cut into chunks of TAPE_CHUNK steps, and every matrix product is of one chunk: the
 * order of all sums is that of the chunks, whatever else is done. So a tape that has room for a
 * few chunks only (it keeps the state before each segment of so many, and computes a segment
 * again when the backward pass comes to it: Chen et al. 2016) gives the bits of one that has room
 * for all.
 *
 * N channels, H hidden, L layers, T steps, B streams, F features of a node.
 */
#ifndef SONDE_TRAIN_TAPE_H
#define SONDE_TRAIN_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net;
struct net_shape;

#define TAPE_CHUNK 8u

/*
 * Where rows come from: steps [at, at + steps) of the window, each [steps][B][N]. x or y and w
 * are NULL where they are not asked for. Step s >= window of an autoencoder is step s - window of
 * its decoder.
 */
struct tape_source {
	void (*read)(const void *ctx, unsigned at, unsigned steps, float *x, float *y, float *w);
	const void *ctx;
};

struct tape_sum {
	double loss, mass;	/* sums of weight * square of error, and of weight */
	uint64_t steps, again;	/* forward steps, times B; recomputed among them */
};

struct tape;

/*
 * steps: T (forecast) or the autoencoder's window, of which encoder and decoder run so many each.
 * segment: steps kept at once, rounded up to chunks; 0: all. half: kept as bf16. -ENOMEM.
 */
struct tape_shape {
	unsigned steps, batch, segment;
	bool half;
};

int tape_open(struct tape **out, const struct net *n, const struct tape_shape *shape);
void tape_close(struct tape *t);
/* Bytes that tape_open allocates. */
size_t tape_bytes(const struct net_shape *n, const struct tape_shape *shape);
/* Chunks of a window; segments are whole numbers of them. */
unsigned tape_chunks(const struct net_shape *n, unsigned steps);

/* Floats of the state that streams carry from window to window: [L][2][B][H], h then c. */
size_t tape_state_count(const struct net_shape *n, unsigned batch);

/* For the next runs: so many streams, at most those of tape_open. */
void tape_batch(struct tape *t, unsigned batch);

/*
 * Forward alone, float32 whatever the tape is. state: before the window in, behind it out (not
 * used by an autoencoder, may be NULL). sum is added to.
 */
void tape_forward(struct tape *t, const struct net *n, const struct tape_source *source,
		  float *state, struct tape_sum *sum);

/*
 * Forward and backward. grad is overwritten by the gradient of scale * (sum of weight * square of
 * error). The state before the window counts as constant. A half tape rounds every factor of a
 * product to bf16, n's weights excepted, which are the caller's.
 */
void tape_train(struct tape *t, const struct net *n, const struct tape_source *source,
		float *state, float scale, struct net *grad, struct tape_sum *sum);

/* Behind tape_forward: the last chunk's output [steps][B][N], until the next run. */
const float *tape_output(const struct tape *t);

#endif
