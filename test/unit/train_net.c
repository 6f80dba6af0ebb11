// SPDX-License-Identifier: MIT
/*
 * The LSTM's backward pass against central differences of a forward pass written
 * again here, one number at a time in double, with libm's functions. Every
 * parameter is checked, over a window that starts from a state that is not zero.
 */
#include "models/train/net.h"

#include "models/train/adam.h"
#include "models/train/random.h"
#include "test/test.h"

#define N 3
#define H 5
#define T 7
#define B 2
#define CELLS (T * B * N)
#define PARAMS (4 * H * (N + H) + 4 * H + N * H + N)

struct problem {
	float x[CELLS], target[CELLS], weight[CELLS];
	float h0[B * H], c0[B * H];
};

static double sigmoid(double v)
{
	return 1 / (1 + exp(-v));
}

/* Mean weighted square of the net with parameters p, as the header lays them out. */
static double slow_loss(const double *p, const struct problem *q)
{
	const double *gate_w = p, *gate_b = gate_w + 4 * H * (N + H);
	const double *head_w = gate_b + 4 * H, *head_b = head_w + N * H;
	double sum = 0, mass = 0;

	for (int b = 0; b < B; b++) {
		double h[H], c[H];

		for (int u = 0; u < H; u++) {
			h[u] = q->h0[b * H + u];
			c[u] = q->c0[b * H + u];
		}
		for (int t = 0; t < T; t++) {
			const float *x = q->x + (t * B + b) * N;
			double pre[4 * H];

			for (int o = 0; o < 4 * H; o++) {
				pre[o] = gate_b[o];
				for (int i = 0; i < N; i++)
					pre[o] += gate_w[o * (N + H) + i] * x[i];
				for (int u = 0; u < H; u++)
					pre[o] += gate_w[o * (N + H) + N + u] * h[u];
			}
			for (int u = 0; u < H; u++) {
				c[u] = sigmoid(pre[H + u]) * c[u] +
				       sigmoid(pre[u]) * tanh(pre[2 * H + u]);
				h[u] = sigmoid(pre[3 * H + u]) * tanh(c[u]);
			}
			for (int o = 0; o < N; o++) {
				int k = (t * B + b) * N + o;
				double y = head_b[o];

				for (int u = 0; u < H; u++)
					y += head_w[o * H + u] * h[u];
				sum += q->weight[k] * (y - q->target[k]) * (y - q->target[k]);
				mass += q->weight[k];
			}
		}
	}
	return sum / mass;
}

static void fill(float *v, int n, struct random *r, float scale)
{
	for (int i = 0; i < n; i++)
		v[i] = scale * random_uniform(r);
}

static void make(struct problem *q, struct net *n)
{
	struct random r = { 7 };

	fill(q->x, CELLS, &r, 2);
	fill(q->target, CELLS, &r, 1);
	fill(q->h0, B * H, &r, 0.5f);
	fill(q->c0, B * H, &r, 1);
	for (int i = 0; i < CELLS; i++)
		q->weight[i] = random_next(&r) % 4 ? 1 : 0;
	/* The head starts at zero, and then most gradients are zero too. */
	fill(n->param, (int)n->count, &r, 0.7f);
}

static double run(const struct net *n, struct tape *t, const struct problem *q)
{
	double mass, sum;

	memcpy(t->h0, q->h0, sizeof(q->h0));
	memcpy(t->c0, q->c0, sizeof(q->c0));
	net_forward(n, t, q->x);
	sum = net_loss(n, t, q->target, q->weight, &mass);
	return sum / mass;
}

static void check_group(const char *name, const double *p, const struct problem *q,
			const float *grad, int from, int count)
{
	double worst = 0, largest = 0;
	double probe[PARAMS];

	memcpy(probe, p, sizeof(probe));
	for (int k = from; k < from + count; k++) {
		const double eps = 1e-5;
		double slope;

		probe[k] = p[k] + eps;
		slope = slow_loss(probe, q);
		probe[k] = p[k] - eps;
		slope = (slope - slow_loss(probe, q)) / (2 * eps);
		probe[k] = p[k];
		worst = fmax(worst, fabs(slope - grad[k]));
		largest = fmax(largest, fabs(slope));
	}
	printf("%-8s largest %.3g, worst difference %.3g\n", name, largest, worst);
	CHECK(largest > 1e-3);
	CHECK(worst < 2e-5);
}

static void gradients(void)
{
	struct problem q;
	struct net *n, grad;
	struct tape *t;
	double p[PARAMS];
	float *g;
	int at = 0;

	CHECK(!net_open(&n, N, H, 1) && !tape_open(&t, n, T, B));
	CHECK_EQ(n->count, PARAMS);
	make(&q, n);
	g = malloc(n->count * sizeof(*g));
	CHECK(g);
	/* The gradient must be overwritten, not added to. */
	for (size_t k = 0; k < n->count; k++) {
		p[k] = n->param[k];
		g[k] = 100;
	}
	CHECK_NEAR(run(n, t, &q), slow_loss(p, &q), 1e-5);
	grad = net_over(n, g);
	net_backward(n, t, q.x, &grad);
	check_group("gate_w", p, &q, g, at, 4 * H * (N + H));
	at += 4 * H * (N + H);
	check_group("gate_b", p, &q, g, at, 4 * H);
	at += 4 * H;
	check_group("head_w", p, &q, g, at, N * H);
	at += N * H;
	check_group("head_b", p, &q, g, at, N);
	free(g);
	tape_close(t);
	net_close(n);
}

/* An untrained net forecasts nothing, and two windows with the state carried are one. */
static void state(void)
{
	struct problem q;
	struct net *n;
	struct tape *whole, *half;
	int cut = 4, rest = T - 4;

	CHECK(!net_open(&n, N, H, 3) && !tape_open(&whole, n, T, B));
	make(&q, n);
	run(n, whole, &q);
	CHECK(!tape_open(&half, n, (unsigned)cut, B));
	memcpy(half->h0, q.h0, sizeof(q.h0));
	memcpy(half->c0, q.c0, sizeof(q.c0));
	net_forward(n, half, q.x);
	tape_carry(half, n);
	for (int i = 0; i < B * H; i++) {
		CHECK(half->h0[i] == whole->h[(cut - 1) * B * H + i]);
		CHECK(half->c0[i] == whole->c[(cut - 1) * B * H + i]);
	}
	half->steps = (unsigned)rest;
	net_forward(n, half, q.x + cut * B * N);
	for (int i = 0; i < rest * B * N; i++)
		CHECK_NEAR(half->out[i], whole->out[cut * B * N + i], 1e-6);
	tape_close(half);
	tape_close(whole);
	net_close(n);

	CHECK(!net_open(&n, N, H, 3) && !tape_open(&whole, n, T, B));
	tape_reset(whole, n);
	net_forward(n, whole, q.x);
	for (int i = 0; i < CELLS; i++)
		CHECK(whole->out[i] == 0);
	tape_close(whole);
	net_close(n);
}

/* Adam goes to the bottom of a bowl; a wild gradient does not throw it out. */
static void descent(void)
{
	float p[2] = { 3, -2 }, g[2];
	struct adam a;

	CHECK(!adam_open(&a, 2, 0, 1));
	g[0] = 1e9f;
	g[1] = 0;
	adam_step(&a, p, g, 0.01f);
	CHECK_NEAR(g[0], 1, 1e-6);	/* clipped to norm 1 */
	CHECK_NEAR(p[0], 2.99, 1e-4);
	for (int k = 0; k < 2000; k++) {
		g[0] = p[0] - 1;
		g[1] = 10 * (p[1] + 1);
		adam_step(&a, p, g, 0.01f);
	}
	CHECK_NEAR(p[0], 1, 1e-2);
	CHECK_NEAR(p[1], -1, 1e-2);
	adam_close(&a);
}

int main(void)
{
	gradients();
	state();
	descent();
	return 0;
}
