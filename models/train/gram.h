/* SPDX-License-Identifier: MIT */
/*
 * gram: the sums of products of a recording's lagged rows, block by block: all that the linear
 * forecast and the subspace are made of. Kept per block so that both can be had without a
 * block and then be judged on it (cross-fitting): what is measured of a model on rows that
 * it was made from promises too much, and rows held out for good are rows not learnt from.
 */
#ifndef SONDE_TRAIN_GRAM_H
#define SONDE_TRAIN_GRAM_H

struct series;

#define GRAM_BLOCKS_MAX 5u

/* A window is rows t, t-1 .. t-L, newest first: D = (L + 1) N cells; it belongs to t's block. */
struct gram {
	unsigned channels, lags, cells, blocks;
	unsigned from[GRAM_BLOCKS_MAX + 1];	/* first row of each block; rows in the last */
	double count[GRAM_BLOCKS_MAX];
	double *sum;			/* [blocks][D] */
	double *product;		/* [blocks][D][D], lower triangle */
};

/* Of s->input. Blocks: 5, fewer where memory would pass a quarter of a gigabyte. -ENOMEM. */
int gram_open(struct gram *g, const struct series *s, unsigned lags);
void gram_close(struct gram *g);

/* All blocks but `without` (g->blocks: none is left out): product[D][D] both triangles, sum[D]. */
void gram_total(const struct gram *g, unsigned without, double *product, double *sum,
		double *count);

#endif
