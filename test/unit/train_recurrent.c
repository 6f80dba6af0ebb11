// SPDX-License-Identifier: MIT
/*
 * What is trained is what runs: the trainer's forward pass gives what kernels/recurrent.h gives
 * of the same parameters in float, for each kind of net; and the way to a model and back.
 */
#include "kernels/recurrent.h"

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/net.h"
#include "models/train/random.h"
#include "models/train/tape.h"
#include "test/test.h"

#define N 5
#define H 12
#define F 4
#define D 3
#define ROWS 40
#define W 6

static const int32_t neighbour[N * D] = { 0, 1, 4, 1, 0, -1, 2, 3, -1, 3, 2, -1, 4, 0, -1 };
static const float edge[N * D] = { 0.4f, -0.3f, 0.2f, 0.7f, -0.3f, 0, 0.5f, 0.4f, 0, 0.5f, 0.4f,
				   0, 0.8f, 0.2f, 0 };

static float rows[ROWS][N];

static struct net *make(const struct net_shape *shape)
{
	struct random r = { 5 };
	struct net *n;

	CHECK(!net_open(&n, shape, 1));
	for (size_t k = 0; k < n->count; k++)
		n->param[k] = 0.6f * random_uniform(&r);
	for (int k = 0; k < ROWS * N; k++)
		rows[k / N][k % N] = 2 * random_uniform(&r);
	return n;
}

/* ctx: row of step 0. */
static void read_rows(const void *ctx, unsigned at, unsigned steps, float *x, float *y, float *w)
{
	const float (*from)[N] = ctx;

	if (x)
		memcpy(x, from[at], steps * sizeof(*from));
	if (y) {
		memset(y, 0, steps * sizeof(*from));
		memset(w, 0, steps * sizeof(*from));
	}
}

static void forecast(unsigned layers, unsigned features)
{
	struct net_shape shape = { .kind = RECURRENT_FORECAST, .channels = N, .hidden = H,
		.layers = layers, .features = features, .degree = features ? D : 0,
		.neighbour = neighbour, .edge = edge };
	struct tape_shape size = { .steps = 1, .batch = 1 };
	struct net *n = make(&shape);
	float state[2 * 2 * H] = { 0 };
	struct draft d = { 0 };
	struct recurrent_spec spec;
	struct recurrent *r;
	struct tape *t;
	struct why why;
	double largest = 0, worst = 0;

	CHECK(!net_spec(&spec, n, &d) && !tape_open(&t, n, &size));
	CHECK(!recurrent_open(&r, &spec, 12.7f, FC_REF, &why));
	for (int k = 0; k < ROWS; k++) {
		struct tape_source source = { read_rows, rows + k };
		struct tape_sum sum = { 0 };
		float out[N];

		recurrent_advance(r, rows[k]);
		recurrent_forecast(r, out);
		tape_forward(t, n, &source, state, &sum);
		for (int i = 0; i < N; i++) {
			largest = fmax(largest, fabsf(out[i]));
			worst = fmax(worst, fabsf(out[i] - tape_output(t)[i]));
		}
	}
	printf("%u layers, %u features: to %.2f, difference %.2g\n", layers, features, largest,
	       worst);
	CHECK(largest > 0.5 && worst < 2e-6);
	recurrent_close(r);
	tape_close(t);
	draft_close(&d);
	net_close(n);
}

static void autoencoder(void)
{
	struct net_shape shape = { .kind = RECURRENT_AUTOENCODER, .channels = N, .hidden = H,
				   .layers = 1, .window = W };
	struct tape_shape size = { .steps = W, .batch = 1 };
	struct net *n = make(&shape);
	struct draft d = { 0 };
	struct recurrent_spec spec;
	struct recurrent *r;
	struct tape *t;
	struct why why;
	double worst = 0, largest = 0;

	CHECK(!net_spec(&spec, n, &d) && !tape_open(&t, n, &size));
	CHECK(!recurrent_open(&r, &spec, 12.7f, FC_REF, &why));
	for (int k = 0; k < ROWS; k++) {
		const float *error;

		recurrent_advance(r, rows[k]);
		error = recurrent_window(r);
		if (k + 1 < W)
			continue;
		tape_forward(t, n, &(struct tape_source){ read_rows, rows + k + 1 - W }, NULL,
			     &(struct tape_sum){ 0 });
		for (int s = 0; s < W; s++)
			for (int i = 0; i < N; i++) {
				float want = error[s * N + i] + rows[k - s][i];

				largest = fmax(largest, fabsf(want));
				worst = fmax(worst, fabsf(want - tape_output(t)[s * N + i]));
			}
	}
	printf("autoencoder: to %.2f, difference %.2g\n", largest, worst);
	CHECK(largest > 0.5 && worst < 2e-6);
	recurrent_close(r);
	tape_close(t);
	draft_close(&d);
	net_close(n);
}

/* net -> model -> net loses nothing, and nothing else is a net. */
static void round_trip(struct net_shape shape)
{
	struct net *n = make(&shape), *again;
	struct draft d = { 0 };
	struct recurrent_spec spec;

	CHECK(!net_spec(&spec, n, &d));
	CHECK(!net_from_spec(&again, &spec));
	CHECK_EQ(again->count, n->count);
	CHECK(!memcmp(again->param, n->param, n->count * sizeof(float)));
	CHECK_EQ(again->shape.window, shape.window);
	for (unsigned k = 0; k < N * shape.degree; k++) {
		CHECK_EQ(again->shape.neighbour[k], neighbour[k]);
		CHECK(again->shape.edge[k] == edge[k]);
	}
	net_close(again);
	spec.head.weight_f32 = NULL;
	CHECK_EQ(net_from_spec(&again, &spec), -22);
	draft_close(&d);
	net_close(n);
}

int main(void)
{
	struct net_shape shape = { .kind = RECURRENT_FORECAST, .channels = N, .hidden = H,
		.layers = 2, .features = F, .degree = D, .neighbour = neighbour, .edge = edge };

	forecast(1, 0);
	forecast(2, 0);
	forecast(1, F);
	forecast(2, F);
	autoencoder();
	round_trip(shape);
	shape = (struct net_shape){ .kind = RECURRENT_AUTOENCODER, .channels = N, .hidden = H,
				    .layers = 1, .window = W };
	round_trip(shape);
	return 0;
}
