// SPDX-License-Identifier: MIT
/*
 * The backward pass against central differences of a forward pass written again here, one
 * number at a time in double, with libm's functions: every parameter of each kind of net, over
 * windows of more than one chunk, from a state that is not zero.
 */
#include "models/train/net.h"

#include "models/train/random.h"
#include "models/train/tape.h"
#include "test/test.h"

#define N 4
#define H 5
#define T 19	/* two chunks and a part of one */
#define B 2
#define F 3
#define D 3
#define CELLS (T * B * N)
#define PARAMS_MAX 1000

static const int32_t neighbour[N * D] = { 0, 1, 3, 1, 0, -1, 2, -1, -1, 3, 0, -1 };
static const float edge[N * D] = { 0.5f, -0.3f, 0.2f, 0.7f, -0.3f, 9, 1, 9, 9, 0.8f, 0.2f, 9 };

/* For the autoencoder x is read by the encoder and target, turned round, is what counts. */
struct problem {
	float x[CELLS], target[CELLS], weight[CELLS];
	float state[2 * 2 * B * H];
};

/* The same parameters in double; pointers into p where net has them into param. */
struct slow {
	const struct net *net;
	const double *p;
};

static const double *at(const struct slow *s, const float *part)
{
	return s->p + (part - s->net->param);
}

static double sigmoid(double v)
{
	return 1 / (1 + exp(-v));
}

static double relu(double v)
{
	return v > 0 ? v : 0;
}

static void slow_lstm(const struct slow *s, int l, const double *x, int in, double *h, double *c)
{
	const double *w = at(s, s->net->gate_w[l]), *b = at(s, s->net->gate_b[l]);
	double pre[4 * H];

	for (int o = 0; o < 4 * H; o++, w += in + H) {
		pre[o] = b[o];
		for (int i = 0; i < in; i++)
			pre[o] += w[i] * x[i];
		for (int u = 0; u < H; u++)
			pre[o] += w[in + u] * h[u];
	}
	for (int u = 0; u < H; u++) {
		c[u] = sigmoid(pre[H + u]) * c[u] + sigmoid(pre[u]) * tanh(pre[2 * H + u]);
		h[u] = sigmoid(pre[3 * H + u]) * tanh(c[u]);
	}
}

/* What the graph adds to out[i], as kernels/recurrent.h has it. */
static double slow_graph(const struct slow *s, const double *h, const double *z, int i)
{
	const double *P = at(s, s->net->node_w), *b = at(s, s->net->node_b);
	const double *own = at(s, s->net->own), *mix = at(s, s->net->mix);
	double out = 0;

	for (int f = 0; f < F; f++) {
		double near = at(s, s->net->mix_b)[f];

		for (int j = 0; j < D && neighbour[i * D + j] >= 0; j++)
			for (int m = 0; m < F; m++) {
				int k = neighbour[i * D + j] * F + m;
				double node = b[k] + own[k] * z[k / F];

				for (int u = 0; u < H; u++)
					node += P[k * H + u] * h[u];
				near += edge[i * D + j] * relu(node) * mix[f * F + m];
			}
		out += at(s, s->net->fuse)[i * F + f] * relu(near);
	}
	return out;
}

/* out[N] of state h and row z. */
static void slow_head(const struct slow *s, const double *h, const double *z, double *out)
{
	for (int o = 0; o < N; o++) {
		out[o] = at(s, s->net->head_b)[o];
		for (int u = 0; u < H; u++)
			out[o] += at(s, s->net->head_w)[o * H + u] * h[u];
		if (s->net->shape.features)
			out[o] += slow_graph(s, h, z, o);
	}
}

static double error(const struct problem *q, int t, int b, const double *out)
{
	double sum = 0;

	for (int o = 0; o < N; o++) {
		int k = (t * B + b) * N + o;

		sum += q->weight[k] * (out[o] - q->target[k]) * (out[o] - q->target[k]);
	}
	return sum;
}

static double slow_forecast(const struct slow *s, const struct problem *q, int b)
{
	double h[2][H], c[2][H], sum = 0;
	int layers = (int)s->net->shape.layers;

	for (int l = 0; l < layers; l++)
		for (int u = 0; u < H; u++) {
			h[l][u] = q->state[((l * 2) * B + b) * H + u];
			c[l][u] = q->state[((l * 2 + 1) * B + b) * H + u];
		}
	for (int t = 0; t < T; t++) {
		double z[N], out[N];

		for (int i = 0; i < N; i++)
			z[i] = q->x[(t * B + b) * N + i];
		slow_lstm(s, 0, z, N, h[0], c[0]);
		if (layers > 1)
			slow_lstm(s, 1, h[0], H, h[1], c[1]);
		slow_head(s, h[layers - 1], z, out);
		sum += error(q, t, b, out);
	}
	return sum;
}

static double slow_autoencoder(const struct slow *s, const struct problem *q, int b)
{
	double code[H] = { 0 }, c[H] = { 0 }, h[H] = { 0 }, out[N], sum = 0;

	for (int t = 0; t < T; t++) {
		double z[N];

		for (int i = 0; i < N; i++)
			z[i] = q->x[(t * B + b) * N + i];
		slow_lstm(s, 0, z, N, code, c);
	}
	memset(c, 0, sizeof(c));
	for (int t = 0; t < T; t++) {
		slow_lstm(s, 1, code, H, h, c);
		slow_head(s, h, NULL, out);
		sum += error(q, t, b, out);
	}
	return sum;
}

static double slow_loss(const struct slow *s, const struct problem *q)
{
	double sum = 0, mass = 0;

	for (int b = 0; b < B; b++)
		sum += s->net->shape.kind == RECURRENT_AUTOENCODER ? slow_autoencoder(s, q, b) :
								     slow_forecast(s, q, b);
	for (int k = 0; k < CELLS; k++)
		mass += q->weight[k];
	return sum / mass;
}

static void fill(float *v, size_t n, struct random *r, float scale)
{
	for (size_t i = 0; i < n; i++)
		v[i] = scale * random_uniform(r);
}

static void make(struct problem *q, struct net *n)
{
	struct random r = { 7 };

	fill(q->x, CELLS, &r, 2);
	fill(q->target, CELLS, &r, 1);
	fill(q->state, sizeof(q->state) / sizeof(float), &r, 0.6f);
	for (int i = 0; i < CELLS; i++)
		q->weight[i] = random_next(&r) % 4 ? 1 : 0;
	/* Of an untrained net most gradients are zero. */
	fill(n->param, n->count, &r, 0.7f);
}

static void read_problem(const void *ctx, unsigned from, unsigned steps, float *x, float *y,
			 float *w)
{
	const struct problem *q = ctx;
	size_t start = (size_t)(from % T) * B * N, bytes = (size_t)steps * B * N * sizeof(float);

	if (x)
		memcpy(x, q->x + start, bytes);
	if (y) {
		memcpy(y, q->target + start, bytes);
		memcpy(w, q->weight + start, bytes);
	}
}

static void check_group(const char *name, const struct net *n, const struct problem *q,
			const float *grad, const float *part, size_t count)
{
	double worst = 0, largest = 0, probe[PARAMS_MAX];
	struct slow s = { n, probe };
	size_t from = (size_t)(part - n->param);

	if (!part)
		return;
	for (size_t k = 0; k < n->count; k++)
		probe[k] = n->param[k];
	for (size_t k = from; k < from + count; k++) {
		const double eps = 1e-5;
		double slope;

		probe[k] = n->param[k] + eps;
		slope = slow_loss(&s, q);
		probe[k] = n->param[k] - eps;
		slope = (slope - slow_loss(&s, q)) / (2 * eps);
		probe[k] = n->param[k];
		worst = fmax(worst, fabs(slope - grad[k]));
		largest = fmax(largest, fabs(slope));
	}
	printf("  %-10s %3zu, largest %.3g, worst difference %.3g\n", name, count, largest, worst);
	CHECK(largest > 1e-3);
	CHECK(worst < 1e-6);
}

static void check_groups(const struct net *n, const struct problem *q, const float *g)
{
	int in[2] = { N, H };

	for (int l = 0; l < 2; l++) {
		check_group(l ? "gate 1" : "gate 0", n, q, g, n->gate_w[l],
			    (size_t)(4 * H * (in[l] + H)));
		check_group("its bias", n, q, g, n->gate_b[l], 4 * H);
	}
	check_group("head", n, q, g, n->head_w, N * H);
	check_group("its bias", n, q, g, n->head_b, N);
	check_group("node", n, q, g, n->node_w, N * F * H);
	check_group("its bias", n, q, g, n->node_b, N * F);
	check_group("own", n, q, g, n->own, N * F);
	check_group("mix", n, q, g, n->mix, F * F);
	check_group("its bias", n, q, g, n->mix_b, F);
	check_group("fuse", n, q, g, n->fuse, N * F);
}

static void gradients(const char *what, const struct net_shape *shape)
{
	struct problem q;
	struct tape_source source = { read_problem, &q };
	struct tape_shape size = { .steps = T, .batch = B };
	struct tape_sum sum = { 0 };
	struct net *n, grad;
	struct tape *t;
	float *g, state[2 * 2 * B * H];
	double p[PARAMS_MAX], mass = 0;

	printf("%s\n", what);
	CHECK(!net_open(&n, shape, 1) && !tape_open(&t, n, &size) && n->count <= PARAMS_MAX);
	make(&q, n);
	g = malloc(n->count * sizeof(*g));
	CHECK(g);
	for (size_t k = 0; k < n->count; k++) {
		p[k] = n->param[k];
		g[k] = 100;	/* to be overwritten, not added to */
	}
	for (int k = 0; k < CELLS; k++)
		mass += q.weight[k];
	grad = net_over(n, g);
	memcpy(state, q.state, sizeof(state));
	tape_train(t, n, &source, state, (float)(1 / mass), &grad, &sum);
	CHECK_NEAR(sum.mass, mass, 1e-9);
	CHECK_NEAR(sum.loss / sum.mass, slow_loss(&(struct slow){ n, p }, &q), 1e-5);
	check_groups(n, &q, g);
	sum = (struct tape_sum){ 0 };
	memcpy(state, q.state, sizeof(state));
	tape_forward(t, n, &source, state, &sum);
	CHECK_NEAR(sum.loss / sum.mass, slow_loss(&(struct slow){ n, p }, &q), 1e-5);
	free(g);
	tape_close(t);
	net_close(n);
}

/* A window in two halves, the state carried, is the window; untrained, it forecasts nothing. */
static void state(void)
{
	static const struct net_shape shape = { .kind = RECURRENT_FORECAST, .channels = N,
		.hidden = H, .layers = 2, .features = F, .degree = D, .neighbour = neighbour,
		.edge = edge };
	struct problem q;
	struct tape_source source = { read_problem, &q };
	struct tape_shape whole = { .steps = 16, .batch = B }, half = { .steps = 8, .batch = B };
	struct tape_sum sum = { 0 };
	struct tape *t, *u;
	struct net *n;
	float a[4 * B * H], b[4 * B * H];

	CHECK(!net_open(&n, &shape, 3));
	CHECK(!tape_open(&t, n, &whole) && !tape_open(&u, n, &half));
	CHECK_EQ(tape_state_count(&n->shape, B), 4 * B * H);
	make(&q, n);
	memcpy(a, q.state, sizeof(a));
	memcpy(b, q.state, sizeof(b));
	tape_forward(t, n, &source, a, &sum);
	tape_forward(u, n, &source, b, &sum);
	CHECK(memcmp(a, b, sizeof(a)));
	memmove(q.x, q.x + 8 * B * N, sizeof(q.x) / 2);
	tape_forward(u, n, &source, b, &sum);
	CHECK(!memcmp(a, b, sizeof(a)));
	CHECK(!memcmp(tape_output(t), tape_output(u), 8 * B * N * sizeof(float)));
	net_close(n);

	CHECK(!net_open(&n, &shape, 3));
	memcpy(b, q.state, sizeof(b));
	tape_forward(u, n, &source, b, &sum);
	for (int i = 0; i < 8 * B * N; i++)
		CHECK(tape_output(u)[i] == 0);
	net_close(n);
	tape_close(t);
	tape_close(u);
}

/* The gates within their bound, the forget bias raised; a head only where it has to speak. */
static void untrained(enum recurrent_kind kind)
{
	struct net_shape shape = { .kind = kind, .channels = N, .hidden = H, .layers = 1,
				   .window = T };
	struct net *n;
	float head = 0, most = 0;

	CHECK(!net_open(&n, &shape, 1));
	for (int k = 0; k < 4 * H * (N + H); k++)
		most = fmaxf(most, fabsf(n->gate_w[0][k]));
	CHECK(most > 0.9 / sqrt(H) && most <= 1 / sqrt(H));
	for (int k = 0; k < 4 * H; k++)
		CHECK(n->gate_b[0][k] == (k / H == 1 ? 1 : 0));
	for (int k = 0; k < N * H; k++)
		head = fmaxf(head, fabsf(n->head_w[k]));
	CHECK(kind == RECURRENT_AUTOENCODER ? head > 0 : head == 0);
	net_close(n);
}

int main(void)
{
	struct net_shape shape = { .kind = RECURRENT_FORECAST, .channels = N, .hidden = H,
				   .layers = 1 };

	gradients("one layer", &shape);
	shape.layers = 2;
	gradients("two layers", &shape);
	shape.features = F;
	shape.degree = D;
	shape.neighbour = neighbour;
	shape.edge = edge;
	gradients("two layers and a graph", &shape);
	shape = (struct net_shape){ .kind = RECURRENT_AUTOENCODER, .channels = N, .hidden = H,
				    .layers = 1, .window = T };
	gradients("autoencoder", &shape);
	state();
	untrained(RECURRENT_FORECAST);
	untrained(RECURRENT_AUTOENCODER);
	return 0;
}
