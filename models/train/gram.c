// SPDX-License-Identifier: MIT
/* gram: see gram.h. Gathered over chunks of windows, in double. */
#include "models/train/gram.h"

#include <cblas.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/data.h"

#define CHUNK 256u
#define BYTES_MAX (256u << 20)

static void gather(double *x, const struct gram *g, const float *rows, unsigned from, unsigned to)
{
	for (unsigned t = from; t < to; t++)
		for (unsigned l = 0; l <= g->lags; l++) {
			const float *v = rows + (size_t)(t - l) * g->channels;

			for (unsigned i = 0; i < g->channels; i++)
				*x++ = v[i];
		}
}

static void add_block(struct gram *g, unsigned block, const float *rows, double *window)
{
	unsigned d = g->cells, first = g->from[block] < g->lags ? g->lags : g->from[block];
	double *sum = g->sum + (size_t)block * d, *product = g->product + (size_t)block * d * d;

	for (unsigned from = first; from < g->from[block + 1]; from += CHUNK) {
		unsigned end = g->from[block + 1], to = from + CHUNK < end ? from + CHUNK : end;

		gather(window, g, rows, from, to);
		for (unsigned t = 0; t < to - from; t++)
			cblas_daxpy((int)d, 1, window + (size_t)t * d, 1, sum, 1);
		cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)d, (int)(to - from), 1,
			    window, (int)d, 1, product, (int)d);
		g->count[block] += to - from;
	}
}

int gram_open(struct gram *g, const struct series *s, unsigned lags)
{
	size_t cells = (size_t)(lags + 1) * s->channels;
	double *window = malloc(CHUNK * cells * sizeof(*window));

	*g = (struct gram){ .channels = s->channels, .lags = lags, .cells = (unsigned)cells,
			    .blocks = GRAM_BLOCKS_MAX };
	while (g->blocks > 2 && g->blocks * cells * cells * sizeof(double) > BYTES_MAX)
		g->blocks--;
	g->sum = calloc(g->blocks * cells, sizeof(double));
	g->product = calloc(g->blocks * cells * cells, sizeof(double));
	if (!window || !g->sum || !g->product) {
		free(window);
		gram_close(g);
		return -ENOMEM;
	}
	for (unsigned k = 0; k <= g->blocks; k++)
		g->from[k] = (unsigned)((unsigned long long)s->rows * k / g->blocks);
	for (unsigned k = 0; k < g->blocks; k++)
		add_block(g, k, s->input, window);
	free(window);
	return 0;
}

void gram_close(struct gram *g)
{
	free(g->sum);
	free(g->product);
	memset(g, 0, sizeof(*g));
}

void gram_total(const struct gram *g, unsigned without, double *product, double *sum,
		double *count)
{
	size_t d = g->cells;

	memset(product, 0, d * d * sizeof(*product));
	memset(sum, 0, d * sizeof(*sum));
	*count = 0;
	for (unsigned k = 0; k < g->blocks; k++) {
		if (k == without)
			continue;
		for (size_t i = 0; i < d * d; i++)
			product[i] += g->product[k * d * d + i];
		for (size_t i = 0; i < d; i++)
			sum[i] += g->sum[k * d + i];
		*count += g->count[k];
	}
	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j < i; j++)
			product[j * d + i] = product[i * d + j];
}
