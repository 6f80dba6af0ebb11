// SPDX-License-Identifier: MIT
/* One layer: float against a double-precision one, int8 against its definition, bit for bit. */
#include <errno.h>

#include "kernels/gate.h"
#include "kernels/lstm.h"
#include "kernels/quant.h"
#include "kernels/why.h"
#include "test/test.h"
#include "test/unit/recurrent_fixture.h"

#define STEPS 300
#define UNITS_MAX 96

static struct fc_spec made(struct fixture *f, unsigned inputs, unsigned hidden, enum form form)
{
	*f = (struct fixture){ .random = hidden };
	return fixture_fc(f, 4 * hidden, inputs + hidden, 2 / sqrtf((float)hidden), form,
			  2.0f / 127);
}

static void draw_x(struct fixture *f, float *x, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		x[i] = fixture_float(f, 4);
	x[0] *= 4;	/* now and then beyond the clip */
}

/* x_clip 0: lstm_open, which has its own. */
static void float_layer(unsigned inputs, unsigned hidden, float x_clip)
{
	double c[UNITS_MAX] = { 0 }, h[UNITS_MAX] = { 0 }, wide[UNITS_MAX];
	float x[UNITS_MAX], x_inv_step = 127 / (x_clip > 0 ? x_clip : 10);
	struct fc_spec gates;
	struct fixture f;
	struct lstm *l;

	gates = made(&f, inputs, hidden, FORM_FLOAT);
	if (x_clip > 0)
		CHECK_EQ(lstm_open_step(&l, inputs, hidden, &gates, x_inv_step, FC_XNN, NULL), 0);
	else
		CHECK_EQ(lstm_open(&l, inputs, hidden, &gates, FC_XNN, NULL), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		const float *got;

		draw_x(&f, x, inputs);
		for (unsigned i = 0; i < inputs; i++)
			wide[i] = x[i];
		fixture_lstm(&gates, inputs, x_inv_step, wide, c, h);
		got = lstm_step(l, x);
		CHECK(got == lstm_state(l));
		for (unsigned u = 0; u < hidden; u++)
			CHECK_NEAR(got[u], h[u], 1e-4);
	}
	lstm_close(l);
	fixture_close(&f);
}

static void int8_layer(unsigned inputs, unsigned hidden, float x_inv_step, enum fc_kind kind)
{
	float c[UNITS_MAX] = { 0 }, h[UNITS_MAX] = { 0 }, pre[4 * UNITS_MAX], x[UNITS_MAX];
	int8_t q[2 * UNITS_MAX] = { 0 };
	struct fc_spec gates;
	struct fixture f;
	float moved = 0;
	struct lstm *l;

	gates = made(&f, inputs, hidden, FORM_STATIC);
	CHECK_EQ(lstm_open_step(&l, inputs, hidden, &gates, x_inv_step, kind, NULL), 0);
	for (unsigned step = 0; step < STEPS; step++) {
		const float *got;

		draw_x(&f, x, inputs);
		quant_i8(q, x, inputs, x_inv_step);
		quant_i8(q + inputs, h, hidden, 127);
		for (unsigned o = 0; o < gates.out; o++) {
			int sum = 0;

			for (unsigned i = 0; i < gates.in; i++)
				sum += gates.weight[o * gates.in + i] * q[i];
			pre[o] = fmaf((float)sum, gates.scale[o], gates.bias[o]);
		}
		gate_step(hidden, pre, c, h);
		got = lstm_step(l, x);
		CHECK(!memcmp(got, h, hidden * sizeof *h));
		moved += fabsf(h[hidden - 1]);
	}
	CHECK(moved / STEPS > 0.02f);	/* else the comparison said little */
	lstm_close(l);
	fixture_close(&f);
}

/* After a reset the past is gone. */
static void reset(enum form form)
{
	float first[20], x[3];
	struct fc_spec gates;
	struct fixture f;
	struct lstm *l;

	gates = made(&f, 3, 20, form);
	CHECK_EQ(lstm_open(&l, 3, 20, &gates, FC_REF, NULL), 0);
	for (unsigned turn = 0; turn < 2; turn++) {
		const float *h = NULL;

		f.random = 7;
		for (unsigned step = 0; step < 50; step++) {
			draw_x(&f, x, 3);
			h = lstm_step(l, x);
		}
		if (!turn)
			memcpy(first, h, sizeof first);
		else
			CHECK(!memcmp(first, h, sizeof first));
		lstm_reset(l);
		for (unsigned u = 0; u < 20; u++)
			CHECK(lstm_state(l)[u] == 0);
	}
	lstm_close(l);
	lstm_close(NULL);
	fixture_close(&f);
}

/* Sums that overflow and gates that never let go: the state stays a number. */
static void wild(void)
{
	float x[2] = { 10, -10 }, *w;
	struct fc_spec gates;
	struct fixture f;
	struct lstm *l;

	gates = made(&f, 2, 4, FORM_FLOAT);
	gates.weight_f32 = w = fixture_vector(&f, (size_t)gates.in * gates.out, 3e38f);
	CHECK_EQ(lstm_open(&l, 2, 4, &gates, FC_XNN, NULL), 0);
	for (unsigned step = 0; step < 2000; step++) {
		const float *h = lstm_step(l, x);

		for (unsigned u = 0; u < 4; u++)
			CHECK(fabsf(h[u]) <= 1);
		x[step % 2] = step % 3 ? -x[step % 2] : INFINITY;
	}
	lstm_close(l);
	fixture_close(&f);
}

static void refused(void)
{
	const float steps[] = { 0, -1, NAN, INFINITY };
	struct why why = { "" };
	struct fc_spec gates;
	struct fixture f;
	struct lstm *l;

	gates = made(&f, 3, 20, FORM_STATIC);
	CHECK_EQ(lstm_open(&l, 4, 20, &gates, FC_REF, &why), -EINVAL);
	CHECK(l == NULL && why.text[0]);
	CHECK_EQ(lstm_open(&l, 4, 19, &gates, FC_REF, &why), -EINVAL);
	CHECK_EQ(lstm_open(&l, 0, 23, &gates, FC_REF, &why), -EINVAL);
	CHECK_EQ(lstm_open(&l, 23, 0, &gates, FC_REF, &why), -EINVAL);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(lstm_open_step(&l, 3, 20, &gates, steps[i], FC_REF, &why), -EINVAL);
	gates.bias = NULL;
	CHECK_EQ(lstm_open(&l, 3, 20, &gates, FC_REF, &why), -EINVAL);
	CHECK(l == NULL);
	fixture_close(&f);
}

int main(void)
{
	static const unsigned shapes[][2] = {
		{ 1, 1 }, { 8, 64 }, { 3, 17 }, { 20, 40 }, { 5, 96 },
	};

	for (unsigned i = 0; i < 5; i++) {
		float_layer(shapes[i][0], shapes[i][1], 0);
		float_layer(shapes[i][0], shapes[i][1], 3);
		int8_layer(shapes[i][0], shapes[i][1], 12.7f, FC_REF);
		int8_layer(shapes[i][0], shapes[i][1], 127, FC_REF);
#ifdef __x86_64__
		if (!__builtin_cpu_supports("fma"))
			continue;
#endif
		int8_layer(shapes[i][0], shapes[i][1], 12.7f, FC_XNN);
		int8_layer(shapes[i][0], shapes[i][1], 31, FC_SUBGRAPH);
	}
	for (enum form form = 0; form < FORMS; form++)
		reset(form);
	wild();
	refused();
	return 0;
}
