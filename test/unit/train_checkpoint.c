// SPDX-License-Identifier: MIT
/*
 * Gradient checkpointing: whatever the room for a window, the bits are the same; the
 * room is what was promised, as the allocator sees it; and what is computed again is counted.
 */
#include <malloc.h>

#include "models/train/learn.h"
#include "models/train/net.h"
#include "models/train/random.h"
#include "models/train/tape.h"
#include "test/test.h"

#define N 6
#define H 16
#define F 3
#define D 2
#define T 75	/* ten chunks, the last one short */
#define B 5
#define ROWS 5000

static const int32_t neighbour[N * D] = { 0, 1, 1, 0, 2, 3, 3, 2, 4, -1, 5, -1 };
static const float edge[N * D] = { 0.5f, -0.5f, 0.5f, -0.5f, 0.6f, 0.4f, 0.6f, 0.4f, 1, 0, 1, 0 };

static const struct net_shape forecast = { .kind = RECURRENT_FORECAST, .channels = N, .hidden = H,
	.layers = 2, .features = F, .degree = D, .neighbour = neighbour, .edge = edge };
static const struct net_shape autoencoder = { .kind = RECURRENT_AUTOENCODER, .channels = N,
	.hidden = H, .layers = 1, .window = T };

static float input[ROWS * N], target[ROWS * N], weight[ROWS * N];

static void fill(float *v, size_t n, struct random *r, float scale)
{
	for (size_t i = 0; i < n; i++)
		v[i] = scale * random_uniform(r);
}

static void read_rows(const void *ctx, unsigned at, unsigned steps, float *x, float *y, float *w)
{
	size_t from = (size_t)(at % T) * B * N, bytes = (size_t)steps * B * N * sizeof(float);

	if (x)
		memcpy(x, input + from, bytes);
	if (y) {
		memcpy(y, target + from, bytes);
		memcpy(w, weight + from, bytes);
	}
}

struct outcome {
	float *grad;
	float state[2 * 2 * B * H];
	struct tape_sum sum;
};

static void train(const struct net *n, unsigned segment, bool half, struct outcome *o)
{
	struct tape_shape shape = { .steps = T, .batch = B, .segment = segment, .half = half };
	struct tape_source source = { read_rows, NULL };
	float *once = malloc(n->count * sizeof(float));
	struct net grad;
	struct tape *t;

	*o = (struct outcome){ .grad = malloc(n->count * sizeof(float)) };
	CHECK(once && o->grad && !tape_open(&t, n, &shape));
	grad = net_over(n, o->grad);
	for (int time = 0; time < 2; time++) {	/* nothing may be left of the first */
		memcpy(once, o->grad, n->count * sizeof(float));
		o->sum = (struct tape_sum){ 0 };
		for (size_t k = 0; k < sizeof(o->state) / sizeof(float); k++)
			o->state[k] = 0.01f * (float)(k % 50);
		tape_train(t, n, &source, o->state, 1, &grad, &o->sum);
	}
	CHECK(!memcmp(once, o->grad, n->count * sizeof(float)));
	free(once);
	tape_close(t);
}

/* Steps computed again: all but the last segment's. */
static uint64_t again(unsigned segment, bool coder)
{
	unsigned chunks = (T + 7) / 8 * (coder ? 2 : 1), keep = (segment + 7) / 8, steps = 0;

	for (unsigned c = 0; c < (chunks - 1) / keep * keep; c++)
		steps += c % 10 == 9 ? T % 8 : 8;
	return (uint64_t)steps * B;
}

static void gradients(const struct net_shape *shape, bool half)
{
	bool coder = shape->kind == RECURRENT_AUTOENCODER;
	struct tape_shape size = { .steps = T, .batch = B, .half = half };
	struct outcome plain, o;
	struct net *n;
	size_t plain_bytes;

	CHECK(!net_open(&n, shape, 1));
	fill(n->param, n->count, &(struct random){ 2 }, 0.5f);
	train(n, 0, half, &plain);
	CHECK_EQ(plain.sum.again, 0);
	CHECK_EQ(plain.sum.steps, (uint64_t)T * B * (coder ? 2 : 1));
	plain_bytes = tape_bytes(shape, &size);
	for (unsigned segment = 1; segment <= 72; segment += 9) {
		train(n, segment, half, &o);
		CHECK(!memcmp(o.grad, plain.grad, n->count * sizeof(float)));
		CHECK(coder || !memcmp(o.state, plain.state, sizeof(o.state)));
		CHECK(o.sum.loss == plain.sum.loss);
		CHECK_EQ(o.sum.again, again(segment, coder));
		CHECK_EQ(o.sum.steps, plain.sum.steps + o.sum.again);
		size.segment = segment;
		CHECK(tape_bytes(shape, &size) < plain_bytes);
		free(o.grad);
	}
	free(plain.grad);
	net_close(n);
}

/* bf16 halves what is kept, not what is worked on. */
static void half_of_it(void)
{
	struct tape_shape size = { .steps = 512, .batch = 8 };
	size_t whole = tape_bytes(&forecast, &size), half;

	size.half = true;
	half = tape_bytes(&forecast, &size);
	printf("512 steps: %zu bytes in float32, %zu in bf16\n", whole, half);
	CHECK(half < 0.55 * (double)whole);
}

struct heap {
	size_t before, within;
};

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static int measure(void *ctx, const struct net *best)
{
	struct heap *h = ctx;

	h->within = in_use();
	return 0;
}

static struct learn_report run(struct net **n, size_t budget, unsigned threads, struct heap *h)
{
	struct lesson l = { .rows = ROWS, .fit_rows = ROWS * 4 / 5, .channels = N,
			    .input = input, .target = target, .weight = weight };
	struct learn_options o = { .epochs = 2, .steps = 256, .batch = 16, .threads = threads,
				   .memory_budget = budget, .on_best = measure, .ctx = h };
	struct learn_report r;

	CHECK(!net_open(n, &forecast, 1));
	h->before = in_use();
	CHECK(!learn(*n, &l, &o, &r));
	free(r.curve);
	return r;
}

static void budget(void)
{
	struct net *plain, *n;
	struct heap heap;
	struct learn_report p = run(&plain, 0, 1, &heap), r;

	CHECK(p.peak_bytes == p.peak_bytes_plain && !p.steps_again && p.segment_steps == 256);
	for (size_t part = 2; part <= 5; part++) {
		size_t most = p.peak_bytes_plain / part;

		r = run(&n, most, 1, &heap);
		printf("budget %zu: %zu of %zu bytes, segments of %u steps, %.0f %% again\n", most,
		       r.peak_bytes, r.peak_bytes_plain, r.segment_steps,
		       100 * (double)r.steps_again / (double)(r.steps_run - r.steps_again));
		CHECK(r.peak_bytes <= most && r.peak_bytes_plain == p.peak_bytes_plain);
		CHECK(r.steps_again > 0 && r.steps_again < r.steps_run / 2);
		CHECK(!memcmp(n->param, plain->param, n->count * sizeof(float)));
#ifndef SONDE_SANITIZED
		/* net's own parameters were there before; small things are not counted. */
		CHECK_NEAR((double)(heap.within - heap.before + n->count * sizeof(float)),
			   (double)r.peak_bytes, 2048);
#endif
		net_close(n);
	}
	/* There would be room for more than half of the steps, which saves nothing. */
	r = run(&n, p.peak_bytes_plain * 3 / 4, 1, &heap);
	CHECK(r.segment_steps == 128 && 3 * r.steps_again == r.steps_run);
	net_close(n);
	r = run(&n, p.peak_bytes_plain / 5, 1, &heap);
	net_close(n);
	/* Two threads' tapes do not fit, one's does; and what fits nowhere takes what it must. */
	r = run(&n, r.peak_bytes, 2, &heap);
	CHECK(r.threads == 1 && !memcmp(n->param, plain->param, n->count * sizeof(float)));
	net_close(n);
	r = run(&n, 1, 2, &heap);
	CHECK(r.threads == 1 && r.peak_bytes < p.peak_bytes / 4);
	net_close(n);
	net_close(plain);
}

int main(void)
{
	struct random r = { 3 };

	fill(input, ROWS * N, &r, 2);
	fill(target, ROWS * N, &r, 1);
	for (size_t k = 0; k < ROWS * N; k++) {
		target[k] += k >= N ? input[k - N] : 0;
		weight[k] = random_next(&r) % 8 ? 1 : 0;
	}
	gradients(&forecast, false);
	gradients(&forecast, true);
	gradients(&autoencoder, false);
	gradients(&autoencoder, true);
	half_of_it();
	budget();
	return 0;
}
