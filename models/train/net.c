// SPDX-License-Identifier: MIT
/*
 * net: see net.h. Whatever has no time dependence (input products, weight
 * gradients, the head) is one matrix product a window; only h's way through
 * time goes step by step.
 */
#include "models/train/net.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/gate.h"
#include "models/train/random.h"

struct net net_over(const struct net *n, float *param)
{
	struct net o = *n;
	size_t N = n->channels, H = n->hidden;

	o.param = param;
	o.gate_w = param;
	o.gate_b = o.gate_w + 4 * H * (N + H);
	o.head_w = o.gate_b + 4 * H;
	o.head_b = o.head_w + N * H;
	o.count = (size_t)(o.head_b - param) + N;
	return o;
}

int net_open(struct net **out, unsigned channels, unsigned hidden, uint64_t seed)
{
	size_t N = channels, H = hidden;
	struct net *n = calloc(1, sizeof(*n));
	struct random r = { seed };
	float bound = 1 / sqrtf((float)hidden);
	float *param = calloc(4 * H * (N + H) + 4 * H + N * H + N, sizeof(*param));

	if (!n || !param) {
		free(n);
		free(param);
		return -ENOMEM;
	}
	n->channels = channels;
	n->hidden = hidden;
	*n = net_over(n, param);
	for (size_t i = 0; i < 4 * H * (N + H); i++)
		n->gate_w[i] = bound * random_uniform(&r);
	for (size_t i = 0; i < H; i++)
		n->gate_b[H + i] = 1;
	*out = n;
	return 0;
}

void net_close(struct net *n)
{
	if (!n)
		return;
	free(n->param);
	free(n);
}

int tape_open(struct tape **out, const struct net *n, unsigned steps, unsigned batch)
{
	size_t N = n->channels, H = n->hidden, B = batch, TB = (size_t)steps * batch;
	struct tape *t = calloc(1, sizeof(*t));
	float *p;

	if (!t)
		return -ENOMEM;
	p = t->h0 = calloc(3 * B * H + 8 * TB * H + 2 * TB * N, sizeof(*p));
	if (!p) {
		free(t);
		return -ENOMEM;
	}
	t->steps = steps;
	t->batch = batch;
	p += B * H;
	t->c0 = p, p += B * H;
	t->d_c = p, p += B * H;
	t->gate = p, p += TB * 4 * H;
	t->c = p, p += TB * H;
	t->tanh_c = p, p += TB * H;
	t->h = p, p += TB * H;
	t->d_h = p, p += TB * H;
	t->out = p, p += TB * N;
	t->d_out = p;
	*out = t;
	return 0;
}

void tape_close(struct tape *t)
{
	if (!t)
		return;
	free(t->h0);
	free(t);
}

void tape_reset(struct tape *t, const struct net *n)
{
	memset(t->h0, 0, (size_t)t->batch * n->hidden * sizeof(float));
	memset(t->c0, 0, (size_t)t->batch * n->hidden * sizeof(float));
}

void tape_carry(struct tape *t, const struct net *n)
{
	size_t state = (size_t)t->batch * n->hidden, last = (t->steps - 1) * state;

	memcpy(t->h0, t->h + last, state * sizeof(float));
	memcpy(t->c0, t->c + last, state * sizeof(float));
}

/* y[rows][out] (+)= x[rows][in] w[out][in]^T; the strides are those of x's and w's rows. */
static void product(float *y, const float *x, const float *w, unsigned rows,
		    unsigned out, unsigned in, unsigned w_stride, float keep)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)out, (int)in, 1, x,
		    (int)in, w, (int)w_stride, keep, y, (int)out);
}

/* gate[B][4H]: pre-activations in, activations out; c, tanh_c, h: [B][H]. */
static void gates_forward(unsigned batch, unsigned H, float *gate, const float *c_before,
			  float *c, float *tanh_c, float *h)
{
	for (unsigned b = 0; b < batch; b++) {
		float *i = gate + (size_t)b * 4 * H, *f = i + H, *g = f + H, *o = g + H;
		size_t row = (size_t)b * H;

		for (unsigned u = 0; u < H; u++) {
			i[u] = gate_sigmoid(i[u]);
			f[u] = gate_sigmoid(f[u]);
			g[u] = gate_tanh(g[u]);
			o[u] = gate_sigmoid(o[u]);
			c[row + u] = f[u] * c_before[row + u] + i[u] * g[u];
			tanh_c[row + u] = gate_tanh(c[row + u]);
			h[row + u] = o[u] * tanh_c[row + u];
		}
	}
}

/*
 * gate[B][4H]: activations in, gradients of the pre-activations out. d_h[B][H]
 * arrives from above and from the next step; d_c[B][H] is carried to the step before.
 */
static void gates_backward(unsigned batch, unsigned H, float *gate, const float *c_before,
			   const float *tanh_c, const float *d_h, float *d_c)
{
	for (unsigned b = 0; b < batch; b++) {
		float *i = gate + (size_t)b * 4 * H, *f = i + H, *g = f + H, *o = g + H;
		size_t row = (size_t)b * H;

		for (unsigned u = 0; u < H; u++) {
			float iu = i[u], fu = f[u], gu = g[u], ou = o[u];
			float tc = tanh_c[row + u], dh = d_h[row + u];
			float dc = d_c[row + u] + dh * ou * (1 - tc * tc);

			i[u] = dc * gu * iu * (1 - iu);
			f[u] = dc * c_before[row + u] * fu * (1 - fu);
			g[u] = dc * iu * (1 - gu * gu);
			o[u] = dh * tc * ou * (1 - ou);
			d_c[row + u] = dc * fu;
		}
	}
}

void net_forward(const struct net *n, struct tape *t, const float *x)
{
	unsigned N = n->channels, H = n->hidden, B = t->batch, rows = t->steps * B;
	size_t state = (size_t)B * H;
	const float *h = t->h0, *c = t->c0;

	for (unsigned r = 0; r < rows; r++)
		memcpy(t->gate + (size_t)r * 4 * H, n->gate_b, 4 * H * sizeof(float));
	product(t->gate, x, n->gate_w, rows, 4 * H, N, N + H, 1);
	for (unsigned s = 0; s < t->steps; s++) {
		float *gate = t->gate + s * 4 * state;

		product(gate, h, n->gate_w + N, B, 4 * H, H, N + H, 1);
		gates_forward(B, H, gate, c, t->c + s * state, t->tanh_c + s * state,
			      t->h + s * state);
		h = t->h + s * state;
		c = t->c + s * state;
	}
	for (unsigned r = 0; r < rows; r++)
		memcpy(t->out + (size_t)r * N, n->head_b, N * sizeof(float));
	product(t->out, t->h, n->head_w, rows, N, H, H, 1);
}

double net_loss(const struct net *n, struct tape *t, const float *target,
		const float *weight, double *mass)
{
	size_t count = (size_t)t->steps * t->batch * n->channels;
	double sum = 0, total = 0;
	float scale;

	for (size_t i = 0; i < count; i++) {
		float e = t->out[i] - target[i];

		t->d_out[i] = 2 * weight[i] * e;
		sum += (double)(weight[i] * e * e);
		total += weight[i];
	}
	scale = total > 0 ? (float)(1 / total) : 0;
	for (size_t i = 0; i < count; i++)
		t->d_out[i] *= scale;
	*mass = total;
	return sum;
}

/* dw[out][in] (+)= dy[rows][out]^T x[rows][in]. */
static void outer(float *dw, const float *dy, const float *x, unsigned rows, unsigned out,
		  unsigned in, unsigned dw_stride, float keep)
{
	cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)out, (int)in, (int)rows, 1, dy,
		    (int)out, x, (int)in, keep, dw, (int)dw_stride);
}

static void sum_rows(float *sum, const float *v, unsigned rows, unsigned n)
{
	memset(sum, 0, n * sizeof(*sum));
	for (unsigned r = 0; r < rows; r++)
		for (unsigned i = 0; i < n; i++)
			sum[i] += v[(size_t)r * n + i];
}

void net_backward(const struct net *n, struct tape *t, const float *x, struct net *grad)
{
	unsigned N = n->channels, H = n->hidden, B = t->batch, rows = t->steps * B;
	size_t state = (size_t)B * H;

	outer(grad->head_w, t->d_out, t->h, rows, N, H, H, 0);
	sum_rows(grad->head_b, t->d_out, rows, N);
	/* d_h[T B][H] = d_out[T B][N] head_w[N][H] */
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)H, (int)N, 1,
		    t->d_out, (int)N, n->head_w, (int)H, 0, t->d_h, (int)H);
	memset(t->d_c, 0, state * sizeof(float));
	for (unsigned s = t->steps; s-- > 0;) {
		float *gate = t->gate + s * 4 * state;

		gates_backward(B, H, gate, s ? t->c + (s - 1) * state : t->c0,
			       t->tanh_c + s * state, t->d_h + s * state, t->d_c);
		if (s)	/* d_h[B][H] of the step before += gate[B][4H] gate_w[4H][N..] */
			cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)B, (int)H,
				    (int)(4 * H), 1, gate, (int)(4 * H), n->gate_w + N,
				    (int)(N + H), 1, t->d_h + (s - 1) * state, (int)H);
	}
	outer(grad->gate_w, t->gate, x, rows, 4 * H, N, N + H, 0);
	outer(grad->gate_w + N, t->gate, t->h0, B, 4 * H, H, N + H, 0);
	if (t->steps > 1)
		outer(grad->gate_w + N, t->gate + 4 * state, t->h, rows - B, 4 * H, H, N + H, 1);
	sum_rows(grad->gate_b, t->gate, rows, 4 * H);
}
