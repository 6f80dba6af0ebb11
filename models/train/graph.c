// SPDX-License-Identifier: MIT
/*
 * graph: see graph.h. Correlations over the rows where both channels are known: with z zeroed where
 * it is not, sums over such rows are products of matrices (of values, of squares, of masks), taken
 * in float a chunk of rows at a time and added up in double.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/graph_edges.h"
#include "models/train/product.h"

#define CHUNK 256u
#define CHANCE 3.0	/* deviations of a correlation of nothing, 1 / sqrt(rows) */

/* [N][N] each: of row i times row j. */
struct moments {
	double *xy, *x, *xx, *n;	/* x, xx: of i where j is known too */
};

static int moments_open(struct moments *m, size_t cells)
{
	m->xy = calloc(4 * cells, sizeof(double));
	if (!m->xy)
		return -ENOMEM;
	m->x = m->xy + cells;
	m->xx = m->x + cells;
	m->n = m->xx + cells;
	return 0;
}

/* sum[N][N] += a[rows][N]^T b[rows][N]; part[N][N] is scratch. */
static void gather(double *sum, float *part, const float *a, const float *b, size_t rows, size_t n)
{
	memset(part, 0, n * n * sizeof(*part));
	product_weights(part, a, b, rows, n, n, n);
	for (size_t k = 0; k < n * n; k++)
		sum[k] += (double)part[k];
}

static int moments_of(struct moments *m, const float *z, const float *valid, size_t rows, size_t n)
{
	float *value = malloc((3 * CHUNK + n) * n * sizeof(*value));
	float *square = value + CHUNK * n, *mask = square + CHUNK * n, *part = mask + CHUNK * n;

	if (!value)
		return -ENOMEM;
	for (size_t r = 0; r < rows; r += CHUNK) {
		size_t count = rows - r < CHUNK ? rows - r : CHUNK;

		for (size_t k = 0; k < count * n; k++) {
			float v = z[r * n + k];
			bool known = (!valid || valid[r * n + k] != 0) && isfinite(v);

			mask[k] = known ? 1 : 0;
			value[k] = known ? v : 0;
			square[k] = value[k] * value[k];
		}
		gather(m->xy, part, value, value, count, n);
		gather(m->x, part, value, mask, count, n);
		gather(m->xx, part, square, mask, count, n);
		gather(m->n, part, mask, mask, count, n);
	}
	free(value);
	return 0;
}

/* 0 where a channel does not move, or no row is known of both: NaN is not above anything. */
static double correlation(const struct moments *m, size_t i, size_t j, size_t n)
{
	size_t a = i * n + j, b = j * n + i;
	double count = m->n[a], least, r;
	double x = m->xx[a] - m->x[a] * m->x[a] / count, y = m->xx[b] - m->x[b] * m->x[b] / count;

	/* What rounding leaves of a constant's variance is no variance. */
	if (!(x > 1e-6 * m->xx[a]) || !(y > 1e-6 * m->xx[b]))
		return 0;
	r = (m->xy[a] - m->x[a] * m->x[b] / count) / sqrt(x * y);
	least = fmax(GRAPH_CORRELATION_MIN, CHANCE / sqrt(count));
	return fabs(r) < least ? 0 : fmax(-1, fmin(1, r));
}

static int strongest_first(const void *a, const void *b)
{
	const struct graph_edge *p = a, *q = b;
	float u = fabsf(p->weight), v = fabsf(q->weight);

	if (u != v)
		return u < v ? 1 : -1;
	if (p->a != q->a)
		return p->a < q->a ? -1 : 1;
	return p->b < q->b ? -1 : 1;
}

/* Every pair that is joined at all, strongest first. */
static size_t pairs(struct graph_edge *pair, const struct moments *m, unsigned n)
{
	size_t count = 0;

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = i + 1; j < n; j++) {
			float r = (float)correlation(m, i, j, n);

			if (r != 0)
				pair[count++] = (struct graph_edge){ i, j, r };
		}
	qsort(pair, count, sizeof(*pair), strongest_first);
	return count;
}

/*
 * In place: those that either end counts among its strongest, as long as both have room.
 * The list is in order of strength, so the first k of a node are its k strongest.
 */
static size_t choose(struct graph_edge *pair, size_t count, unsigned strongest, unsigned *seen,
		     unsigned *joined)
{
	size_t kept = 0;

	for (size_t k = 0; k < count; k++) {
		struct graph_edge e = pair[k];
		bool wanted = seen[e.a] < strongest || seen[e.b] < strongest;

		seen[e.a]++;
		seen[e.b]++;
		if (!wanted || joined[e.a] >= GRAPH_PARTNERS_MAX ||
		    joined[e.b] >= GRAPH_PARTNERS_MAX)
			continue;
		joined[e.a]++;
		joined[e.b]++;
		pair[kept++] = e;
	}
	return kept;
}

int graph_build(struct graph *out, const float *z, const float *valid, unsigned rows,
		unsigned channels, unsigned strongest)
{
	size_t cells = (size_t)channels * channels, count;
	struct graph_edge *pair = malloc((cells + 1) * sizeof(*pair));
	unsigned *seen = calloc(2 * (size_t)channels + 1, sizeof(*seen));
	struct moments m = { 0 };
	int err = pair && seen ? moments_open(&m, cells) : -ENOMEM;

	*out = (struct graph){ 0 };
	if (!err)
		err = moments_of(&m, z, valid, rows, channels);
	if (!err) {
		count = pairs(pair, &m, channels);
		count = choose(pair, count, strongest, seen, seen + channels);
		err = graph_edges(out, pair, count, channels);
	}
	free(m.xy);
	free(pair);
	free(seen);
	return err;
}
