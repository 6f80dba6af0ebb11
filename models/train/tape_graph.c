// SPDX-License-Identifier: MIT
/*
 * tape_graph: the graph layer of kernels/recurrent.h over the rows of a chunk. It knows no
 * time. Neighbours are summed before they are mixed, which is the same by linearity and makes the
 * mixing one product for all nodes of all rows; the sums are cheap, and are made again
 * backwards instead of being kept.
 */
#include <string.h>

#include "kernels/clones.h"
#include "models/train/bf16.h"
#include "models/train/product.h"
#include "models/train/tape_impl.h"

/* sum[rows][N][F] = edge over node[rows][N][F]. */
CLONES
static void neighbours(const struct net_shape *s, float *restrict sum, const float *restrict node,
		       size_t rows)
{
	size_t N = s->channels, F = s->features, D = s->degree;

	memset(sum, 0, rows * N * F * sizeof(*sum));
	for (size_t r = 0; r < rows; r++, node += N * F, sum += N * F)
		for (size_t i = 0; i < N; i++)
			for (size_t j = i * D; j < (i + 1) * D && s->neighbour[j] >= 0; j++) {
				const float *from = node + (size_t)s->neighbour[j] * F;
				float edge = s->edge[j];

				for (size_t f = 0; f < F; f++)
					sum[i * F + f] += edge * from[f];
			}
}

/* The way back: d_node[rows][N][F] = edge^T over d_sum[rows][N][F]. */
CLONES
static void neighbours_back(const struct net_shape *s, float *restrict d_node,
			    const float *restrict d_sum, size_t rows)
{
	size_t N = s->channels, F = s->features, D = s->degree;

	memset(d_node, 0, rows * N * F * sizeof(*d_node));
	for (size_t r = 0; r < rows; r++, d_node += N * F, d_sum += N * F)
		for (size_t i = 0; i < N; i++)
			for (size_t j = i * D; j < (i + 1) * D && s->neighbour[j] >= 0; j++) {
				float *to = d_node + (size_t)s->neighbour[j] * F;
				float edge = s->edge[j];

				for (size_t f = 0; f < F; f++)
					to[f] += edge * d_sum[i * F + f];
			}
}

CLONES
static void relu(float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = v[i] > 0 ? v[i] : 0;
}

/* node[rows][N][F] += own[N][F] * x[rows][N]. */
CLONES
static void add_own(float *restrict node, const float *restrict own, const float *restrict x,
		    size_t rows, size_t N, size_t F)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < N; i++, node += F)
			for (size_t f = 0; f < F; f++)
				node[f] += own[i * F + f] * x[r * N + i];
}

CLONES
static void add_fused(float *restrict out, const float *restrict fuse, const float *restrict near,
		      size_t rows, size_t N, size_t F)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < N; i++, near += F) {
			float sum = 0;

			for (size_t f = 0; f < F; f++)
				sum += fuse[i * F + f] * near[f];
			out[r * N + i] += sum;
		}
}

void tape_graph_forward(struct tape *t, const struct net *n, struct tape_slot *v, const float *h,
			size_t rows, bool half)
{
	const struct net_shape *s = &n->shape;
	size_t N = s->channels, F = s->features, H = s->hidden, cells = rows * N * F;

	product_fill(v->node, n->node_b, rows, N * F);
	product(v->node, h, n->node_w, rows, N * F, H, H, 1);
	add_own(v->node, n->own, t->x, rows, N, F);
	relu(v->node, cells);
	if (half)
		bf16_round(v->node, cells);
	neighbours(s, t->sum, v->node, rows);
	if (half)
		bf16_round(t->sum, cells);
	product_fill(v->near, n->mix_b, rows * N, F);
	product(v->near, t->sum, n->mix, rows * N, F, F, F, 1);
	relu(v->near, cells);
	if (half)
		bf16_round(v->near, cells);
	add_fused(v->out, n->fuse, v->near, rows, N, F);
}

/* d_near[rows][N][F] of d_out[rows][N], and what fuse gets. */
CLONES
static void fuse_back(float *restrict d_near, float *restrict d_fuse, const float *restrict d_out,
		      const float *restrict fuse, const float *restrict near, size_t rows,
		      size_t N, size_t F)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < N; i++, near += F, d_near += F) {
			float d = d_out[r * N + i];

			for (size_t f = 0; f < F; f++) {
				d_fuse[i * F + f] += d * near[f];
				d_near[f] = near[f] > 0 ? d * fuse[i * F + f] : 0;
			}
		}
}

/* Through the nodes' relu, and what own gets. */
CLONES
static void node_back(float *restrict d_node, float *restrict d_own, const float *restrict node,
		      const float *restrict x, size_t rows, size_t N, size_t F)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t i = 0; i < N; i++, node += F, d_node += F)
			for (size_t f = 0; f < F; f++) {
				d_node[f] = node[f] > 0 ? d_node[f] : 0;
				d_own[i * F + f] += d_node[f] * x[r * N + i];
			}
}

void tape_graph_backward(struct tape *t, const struct net *n, const struct tape_slot *v,
			 const float *h, size_t rows, float *d_h, struct net *grad)
{
	const struct net_shape *s = &n->shape;
	size_t N = s->channels, F = s->features, H = s->hidden, cells = rows * N * F;
	float *d_near = t->d_node;	/* free until d_sum is known */

	neighbours(s, t->sum, v->node, rows);
	fuse_back(d_near, grad->fuse, v->out, n->fuse, v->near, rows, N, F);
	if (t->half) {
		bf16_round(t->sum, cells);
		bf16_round(d_near, cells);
	}
	product_weights(grad->mix, d_near, t->sum, rows * N, F, F, F);
	product_sum(grad->mix_b, d_near, rows * N, F);
	product_back(t->d_sum, d_near, n->mix, rows * N, F, F, F, 0);
	neighbours_back(s, t->d_node, t->d_sum, rows);
	node_back(t->d_node, grad->own, v->node, t->x, rows, N, F);
	if (t->half)
		bf16_round(t->d_node, cells);
	product_weights(grad->node_w, t->d_node, h, rows, N * F, H, H);
	product_sum(grad->node_b, t->d_node, rows, N * F);
	product_back(d_h, t->d_node, n->node_w, rows, N * F, H, H, 1);
}
