// SPDX-License-Identifier: MIT
/*
 * Mixed precision: bf16's rounding against values worked out by hand, losses that stay
 * within a few percent of float32's, and a loss scale that gives way to overflow and returns.
 */
#include <stdint.h>

#include "models/train/bf16.h"
#include "models/train/learn.h"
#include "models/train/net.h"
#include "models/train/random.h"
#include "models/train/tape.h"
#include "test/test.h"

#define N 3
#define H 16
#define ROWS 4000

static float input[ROWS * N], target[ROWS * N], weight[ROWS * N];

static uint16_t pack(float v)
{
	uint16_t b;

	bf16_pack(&b, &v, 1);
	return b;
}

static void rounding(void)
{
	static const struct { float in; uint16_t out; } known[] = {
		{ 0, 0 }, { -0.0f, 0x8000 }, { 1, 0x3f80 }, { -2, 0xc000 },
		{ 0x1.01p0f, 0x3f80 },		/* half of a step: to even, down */
		{ 0x1.03p0f, 0x3f82 },		/* half again: to even, up */
		{ 0x1.0102p0f, 0x3f81 }, { 0x1.00fep0f, 0x3f80 },
		{ 0x1.ffp0f, 0x4000 },		/* carries into the exponent */
		{ 0x1.fffffep127f, 0x7f80 },	/* and into infinity */
		{ -INFINITY, 0xff80 }, { 0x1p-149f, 0x0000 }, { 0x1p-133f, 0x0001 },
	};
	float v[37], w[37], nan;
	uint32_t bits = 0x7f800001;	/* a signalling NaN all of whose mark would be cut off */
	uint16_t b[37];

	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
		CHECK_EQ(pack(known[k].in), known[k].out);
	memcpy(&nan, &bits, sizeof(nan));
	CHECK((pack(nan) & 0x7fff) > 0x7f80);
	for (int k = 0; k < 37; k++)
		v[k] = ldexpf(1 + 0.013f * (float)k, k - 18);
	bf16_pack(b, v, 37);
	bf16_unpack(w, b, 37);
	bf16_round(v, 37);
	for (int k = 0; k < 37; k++) {
		CHECK(v[k] == w[k]);
		CHECK_NEAR(v[k] / ldexpf(1 + 0.013f * (float)k, k - 18), 1, 1.0 / 256);
	}
}

static bool is_bf16(float v)
{
	float w = v;

	bf16_round(&w, 1);
	return v == w;
}

static void read_row(const void *ctx, unsigned at, unsigned steps, float *x, float *y, float *w)
{
	for (unsigned i = 0; i < N; i++) {
		if (x)
			x[i] = 0.1f + (float)i / 3;
		if (y) {
			y[i] = 0.3f;
			w[i] = 1;
		}
	}
}

/*
 * One step of one stream: its gradients are single products, so their factors show. The bias's
 * is the gates' gradient itself, the weights' are that times the input.
 */
static void factors(void)
{
	struct net_shape shape = { .kind = RECURRENT_FORECAST, .channels = N, .hidden = H,
				   .layers = 1 };
	struct tape_shape size = { .steps = 1, .batch = 1, .half = true };
	float state[2 * H] = { 0 }, *g, x[N];
	struct tape_sum sum = { 0 };
	struct net *n, grad;
	struct tape *t;
	bool fine = false;

	CHECK(!net_open(&n, &shape, 1) && !tape_open(&t, n, &size));
	for (size_t k = 0; k < n->count; k++)
		n->param[k] = 0.5f * sinf((float)k);
	g = malloc(n->count * sizeof(*g));
	CHECK(g);
	grad = net_over(n, g);
	tape_train(t, n, &(struct tape_source){ read_row, NULL }, state, 1, &grad, &sum);
	read_row(NULL, 0, 1, x, NULL, NULL);
	bf16_round(x, N);
	for (unsigned u = 0; u < H; u++) {
		CHECK(is_bf16(state[u]));
		fine |= !is_bf16(state[H + u]);	/* the cells are not */
	}
	CHECK(fine);
	for (unsigned o = 0; o < 4 * H; o++) {
		CHECK(is_bf16(grad.gate_b[0][o]));
		for (unsigned i = 0; i < N; i++)
			CHECK(grad.gate_w[0][o * (N + H) + i] == grad.gate_b[0][o] * x[i]);
	}
	for (unsigned i = 0; i < N; i++) {
		CHECK(is_bf16(grad.head_b[i]));
		for (unsigned u = 0; u < H; u++)
			CHECK(grad.head_w[i * H + u] == grad.head_b[i] * state[u]);
	}
	free(g);
	tape_close(t);
	net_close(n);
}

static struct learn_report teach(bool mixed, enum recurrent_kind kind, unsigned epochs,
				 struct net **n)
{
	struct net_shape shape = { .kind = kind, .channels = N, .hidden = H, .layers = 1,
				   .window = 16 };
	struct lesson l = { .rows = ROWS, .fit_rows = ROWS * 4 / 5, .channels = N,
			    .input = input, .target = target, .weight = weight };
	struct learn_options o = { .epochs = epochs, .mixed = mixed, .patience = epochs };
	struct learn_report r;

	CHECK(!net_open(n, &shape, 1));
	CHECK(!learn(*n, &l, &o, &r));
	free(r.curve);
	return r;
}

static void as_good(enum recurrent_kind kind)
{
	struct net *a, *b;
	struct learn_report f = teach(false, kind, 30, &a), m = teach(true, kind, 30, &b);
	bool fine = false;

	printf("float32 %.5f -> %.5f, mixed %.5f, scale %g\n", f.linear_loss, f.net_loss,
	       m.net_loss, (double)m.loss_scale);
	CHECK(f.net_loss < 0.5 * f.linear_loss);
	CHECK_NEAR(m.net_loss / f.net_loss, 1, 0.05);
	CHECK(m.linear_loss == f.linear_loss);	/* held-out rows are judged in float32 */
	CHECK(memcmp(a->param, b->param, a->count * sizeof(float)));
	CHECK(f.loss_scale == 1 && !m.skipped);
	/* Doubled once every 200 good updates. */
	CHECK(m.loss_scale == ldexpf(1, 15 + (int)(m.updates / 200)));
	CHECK(m.updates >= 200);
	/* The masters are float32: they hold what bf16 can not. */
	for (size_t k = 0; k < b->count; k++) {
		float v = b->param[k];

		bf16_round(&v, 1);
		fine |= v != b->param[k];
	}
	CHECK(fine);
	net_close(a);
	net_close(b);
}

/* Weights so large that 2^15 times the gradient of their sum is not a float32. */
static void overflow(void)
{
	struct learn_report m, f;
	struct net *n, *g;

	for (size_t k = 0; k < ROWS * N; k++)
		weight[k] = 1e33f;
	f = teach(false, RECURRENT_FORECAST, 10, &g);
	m = teach(true, RECURRENT_FORECAST, 10, &n);
	printf("overflow: %u of %u updates skipped, scale %g, loss %.5f, float32's %.5f\n",
	       m.skipped, m.updates, (double)m.loss_scale, m.net_loss, f.net_loss);
	CHECK(!f.skipped);
	CHECK(m.skipped > 2 && m.skipped < m.updates / 2);
	CHECK(m.loss_scale == ldexpf(1, 15 - (int)m.skipped));
	CHECK_NEAR(m.net_loss / f.net_loss, 1, 0.3);	/* some updates behind */
	for (size_t k = 0; k < n->count; k++)
		CHECK(isfinite(n->param[k]));
	net_close(n);
	net_close(g);
}

int main(void)
{
	struct random r = { 8 };

	rounding();
	factors();
	for (size_t k = 0; k < ROWS * N; k++) {
		size_t t = k / N, i = k % N;

		input[k] = sinf(0.2f * (float)(t * (i + 1))) + 0.1f * random_uniform(&r);
		target[k] = sinf(0.2f * (float)((t + 3) * (i + 1)));
		weight[k] = 1;
	}
	as_good(RECURRENT_FORECAST);
	as_good(RECURRENT_AUTOENCODER);
	overflow();
	return 0;
}
