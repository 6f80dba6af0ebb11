// SPDX-License-Identifier: MIT
/*
 * prune_net: see prune.h. Both layers of a net have as many units, so each gives up as many;
 * which ones is each layer's own matter.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/net.h"
#include "models/train/prune.h"

#define GATES 4u

/* Columns of a layer's gates before its own state. */
static unsigned inputs(const struct net *n, unsigned layer)
{
	return layer ? n->shape.hidden : n->shape.channels;
}

struct ranked {
	double norm;
	unsigned unit;
};

static int by_norm_descending(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->norm != y->norm)
		return x->norm < y->norm ? 1 : -1;
	return x->unit < y->unit ? -1 : 1;
}

static int ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static double norm_of(const struct net *n, unsigned layer, unsigned unit)
{
	unsigned h = n->shape.hidden, columns = inputs(n, layer) + h;
	double square = 0;

	for (unsigned g = 0; g < GATES; g++) {
		const float *row = n->gate_w[layer] + ((size_t)g * h + unit) * columns;

		for (unsigned c = 0; c < columns; c++)
			square += (double)row[c] * row[c];
	}
	return sqrt(square);
}

int prune_choose(unsigned *keep, const struct net *n, unsigned kept)
{
	unsigned h = n->shape.hidden;
	struct ranked *r = malloc(h * sizeof(*r));

	if (!r)
		return -ENOMEM;
	for (unsigned l = 0; l < 2 && n->gate_w[l]; l++) {
		for (unsigned u = 0; u < h; u++)
			r[u] = (struct ranked){ norm_of(n, l, u), u };
		qsort(r, h, sizeof(*r), by_norm_descending);
		for (unsigned k = 0; k < kept; k++)
			keep[l * kept + k] = r[k].unit;
		qsort(keep + l * kept, kept, sizeof(*keep), ascending);
	}
	free(r);
	return 0;
}

/* dst[rows][kept] <- these columns of src[rows][h]; either may have more beside, by stride. */
static void take_columns(float *dst, size_t dst_stride, const float *src, size_t src_stride,
			 size_t rows, const unsigned *keep, unsigned kept)
{
	for (size_t r = 0; r < rows; r++)
		for (unsigned k = 0; k < kept; k++)
			dst[r * dst_stride + k] = src[r * src_stride + keep[k]];
}

static void shrink_gates(struct net *out, const struct net *n, unsigned layer,
			 const unsigned *keep, unsigned kept)
{
	const unsigned *own = keep + layer * kept;
	unsigned h = n->shape.hidden, had = inputs(n, layer), has = inputs(out, layer);

	for (unsigned g = 0; g < GATES; g++)
		for (unsigned k = 0; k < kept; k++) {
			size_t from = (size_t)g * h + own[k], to = (size_t)g * kept + k;
			const float *src = n->gate_w[layer] + from * (had + h);
			float *dst = out->gate_w[layer] + to * (has + kept);

			if (layer)
				take_columns(dst, 0, src, 0, 1, keep, kept);
			else
				memcpy(dst, src, had * sizeof(*dst));
			take_columns(dst + has, 0, src + had, 0, 1, own, kept);
			out->gate_b[layer][to] = n->gate_b[layer][from];
		}
}

static void copy(float *dst, const float *src, size_t count)
{
	if (dst)
		memcpy(dst, src, count * sizeof(*dst));
}

int prune_shrink(struct net **out, const struct net *n, const unsigned *keep, unsigned kept)
{
	struct net_shape shape = n->shape;
	size_t N = shape.channels, H = shape.hidden, F = shape.features;
	const unsigned *top = n->gate_w[1] ? keep + kept : keep;
	struct net *o;
	int err;

	shape.hidden = kept;
	err = net_open(&o, &shape, 0);
	if (err)
		return err;
	for (unsigned l = 0; l < 2 && n->gate_w[l]; l++)
		shrink_gates(o, n, l, keep, kept);
	take_columns(o->head_w, kept, n->head_w, H, N, top, kept);
	copy(o->head_b, n->head_b, N);
	if (F)
		take_columns(o->node_w, kept, n->node_w, H, N * F, top, kept);
	copy(o->node_b, n->node_b, N * F);
	copy(o->own, n->own, N * F);
	copy(o->mix, n->mix, F * F);
	copy(o->mix_b, n->mix_b, F);
	copy(o->fuse, n->fuse, N * F);
	*out = o;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

int64_t prune_smallest(float *mask, const float *w, uint64_t count, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)count), done = 0;
	float *size = malloc((count + 1) * sizeof(*size)), limit;

	if (!size)
		return -ENOMEM;
	for (uint64_t k = 0; k < count; k++)
		size[k] = fabsf(w[k]);
	qsort(size, count, sizeof(*size), by_size);
	limit = wanted ? size[wanted - 1] : -1;
	/* Of equal sizes at the limit only as many as were asked for: the first ones. */
	for (uint64_t k = 0; k < count; k++)
		if (fabsf(w[k]) < limit) {
			mask[k] = 0;
			done++;
		}
	for (uint64_t k = 0; k < count && done < wanted; k++)
		if (fabsf(w[k]) == limit && mask[k] != 0) {
			mask[k] = 0;
			done++;
		}
	free(size);
	return (int64_t)done;
}
