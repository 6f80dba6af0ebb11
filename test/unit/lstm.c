// SPDX-License-Identifier: MIT
/* One layer: float against a double-precision one, int8 against its definition, bit for bit. */
#include <errno.h>

#include "kernels/gate.h"
#include "kernels/lstm.h"
#include "kernels/quant.h"
#include "kernels/why.h"
#include "test/golden/made.h"
#include "test/test.h"

#define STEPS 300
#define UNITS_MAX 96

static void draw_x(float *x, unsigned n, uint64_t *s)
{
	for (unsigned i = 0; i < n; i++)
		x[i] = 4 * made_float(s);
}

/* i, f, g, o of unit u in double, from any vector [x | h] */
static double pre_activation(const struct fc_spec *g, unsigned o, const double *v)
{
	double sum = g->bias[o];

	for (unsigned i = 0; i < g->in; i++)
		sum += g->weight_f32[o * g->in + i] * v[i];
	return sum;
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static void float_layer(unsigned inputs, unsigned hidden)
{
	double v[2 * UNITS_MAX] = { 0 }, c[UNITS_MAX] = { 0 }, next[UNITS_MAX];
	const struct fc_spec *g;
	float x[UNITS_MAX];
	uint64_t s = hidden;
	struct lstm *l;
	struct made m;

	made_open(&m, inputs, hidden, 1, 0);
	g = &m.spec.gates;
	CHECK_EQ(lstm_open(&l, inputs, hidden, g, FC_XNN, NULL), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		const float *h;

		draw_x(x, inputs, &s);
		x[0] *= 4;	/* now and then beyond the clip */
		for (unsigned i = 0; i < inputs; i++)
			v[i] = fmin(fmax((double)x[i], -10), 10);
		for (unsigned u = 0; u < hidden; u++) {
			c[u] = sigmoid(pre_activation(g, hidden + u, v)) * c[u] +
			       sigmoid(pre_activation(g, u, v)) *
			       tanh(pre_activation(g, 2 * hidden + u, v));
			next[u] = sigmoid(pre_activation(g, 3 * hidden + u, v)) * tanh(c[u]);
		}
		memcpy(v + inputs, next, hidden * sizeof *next);
		h = lstm_step(l, x);
		for (unsigned u = 0; u < hidden; u++)
			CHECK_NEAR(h[u], next[u], 1e-4);
	}
	lstm_close(l);
	made_close(&m);
}

static void int8_layer(unsigned inputs, unsigned hidden, enum fc_kind kind)
{
	float c[UNITS_MAX] = { 0 }, h[UNITS_MAX] = { 0 }, pre[4 * UNITS_MAX], x[UNITS_MAX];
	int8_t q[2 * UNITS_MAX] = { 0 };
	const struct fc_spec *g;
	uint64_t s = hidden;
	float moved = 0;
	struct lstm *l;
	struct made m;

	made_open(&m, inputs, hidden, 1, 1);
	g = &m.spec.gates;
	CHECK_EQ(lstm_open(&l, inputs, hidden, g, kind, NULL), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		const float *got;

		draw_x(x, inputs, &s);
		quant_i8(q, x, inputs, 12.7f);
		quant_i8(q + inputs, h, hidden, 127);
		for (unsigned o = 0; o < g->out; o++) {
			int sum = 0;

			for (unsigned i = 0; i < g->in; i++)
				sum += g->weight[o * g->in + i] * q[i];
			pre[o] = fmaf((float)sum, g->scale[o], g->bias[o]);
		}
		gate_step(hidden, pre, c, h);
		got = lstm_step(l, x);
		CHECK(!memcmp(got, h, hidden * sizeof *h));
		moved += fabsf(h[hidden - 1]);
	}
	CHECK(moved / STEPS > 0.02f);	/* else the comparison said little */
	lstm_close(l);
	made_close(&m);
}

/* After a reset the past is gone. */
static void reset(void)
{
	float first[20], x[3];
	struct lstm *l;
	struct made m;
	uint64_t s;

	made_open(&m, 3, 20, 1, 1);
	CHECK_EQ(lstm_open(&l, 3, 20, &m.spec.gates, FC_REF, NULL), 0);
	for (unsigned turn = 0; turn < 2; turn++) {
		const float *h = NULL;

		s = 7;
		for (unsigned step = 0; step < 50; step++) {
			draw_x(x, 3, &s);
			h = lstm_step(l, x);
		}
		if (!turn)
			memcpy(first, h, sizeof first);
		else
			CHECK(!memcmp(first, h, sizeof first));
		lstm_reset(l);
	}
	lstm_close(l);
	lstm_close(NULL);
	made_close(&m);
}

static void refused(void)
{
	struct why why = { "" };
	struct fc_spec gates;
	struct lstm *l;
	struct made m;

	made_open(&m, 3, 20, 1, 1);
	gates = m.spec.gates;
	CHECK_EQ(lstm_open(&l, 4, 20, &gates, FC_REF, &why), -EINVAL);
	CHECK(l == NULL && why.text[0]);
	CHECK_EQ(lstm_open(&l, 4, 19, &gates, FC_REF, &why), -EINVAL);
	CHECK_EQ(lstm_open(&l, 0, 23, &gates, FC_REF, &why), -EINVAL);
	CHECK_EQ(lstm_open(&l, 23, 0, &gates, FC_REF, &why), -EINVAL);
	gates.bias = NULL;
	CHECK_EQ(lstm_open(&l, 3, 20, &gates, FC_REF, &why), -EINVAL);
	CHECK(l == NULL);
	made_close(&m);
}

int main(void)
{
	static const unsigned shapes[][2] = {
		{ 1, 1 }, { 8, 64 }, { 3, 17 }, { 20, 40 }, { 5, 96 },
	};

	for (unsigned i = 0; i < 5; i++) {
		float_layer(shapes[i][0], shapes[i][1]);
		int8_layer(shapes[i][0], shapes[i][1], FC_REF);
#ifdef __x86_64__
		if (!__builtin_cpu_supports("fma"))
			continue;
#endif
		int8_layer(shapes[i][0], shapes[i][1], FC_XNN);
		int8_layer(shapes[i][0], shapes[i][1], FC_SUBGRAPH);
	}
	reset();
	refused();
	return 0;
}
