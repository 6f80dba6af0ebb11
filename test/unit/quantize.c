// SPDX-License-Identifier: MIT
/*
 * int8 of a float model: rows and steps of one layer worked out here, clipping points from a
 * recording, dynamic against static, and that the report says what was lost.
 */
#include "models/train/quantize.h"

#include <errno.h>

#include "kernels/why.h"
#include "test/unit/calibrate_fixture.h"

/* Of the scales that may be tried, the one of the least error in what the columns are worth. */
static double best_scale(const float *w, const float *step, const double *variance, unsigned n)
{
	double largest = 0, least = INFINITY, best = 0;

	for (unsigned i = 0; i < n; i++)
		largest = fmax(largest, fabs((double)w[i] * step[i]));
	for (unsigned k = 0; k < 40; k++) {
		double scale = largest / 127 * (1 - 0.02 * k), error = 0;

		for (unsigned i = 0; i < n; i++) {
			double q = fmin(fmax(nearbyint(w[i] * step[i] / scale), -127), 127);

			error += variance[i] * pow(w[i] - q * scale / step[i], 2);
		}
		best = error < least ? scale : best;
		least = fmin(error, least);
	}
	return best;
}

static void searched(void)
{
	float w[16], step[16], bias[1] = { 0 };
	struct random r = { 6 };
	double variance[16];

	for (unsigned turn = 0; turn < 50; turn++) {
		struct fc_spec f = { .in = 16, .out = 1, .weight_f32 = w, .bias = bias }, q;
		struct draft d = { 0 };

		for (unsigned i = 0; i < 16; i++) {
			w[i] = powf(random_uniform(&r), 3);
			step[i] = i < 8 ? 10 / 127.0f : 1 / 127.0f;
			variance[i] = pow(random_uniform(&r), 4) * (i < 8 ? 1 : 0.1);
		}
		CHECK(!quantize_layer(&d, &q, &f, step, variance));
		CHECK_NEAR(q.scale[0] / best_scale(w, step, variance, 16), 1, 1e-5);
		draft_close(&d);
	}
}

static void one_layer(void)
{
	/* Two rows and a dead one; the columns' steps differ. */
	static const float w[3 * 3] = { 1, -0.5f, 0.25f, 0, 0, 0, 0.05f, 2, -0.3f };
	static const float bias[3] = { 1, 2, 3 }, step[3] = { 0.1f, 0.1f, 0.02f };
	static const double flat[3] = { 1, 1, 1 }, first[3] = { 1, 1e-9, 1e-9 };
	struct fc_spec f = { .in = 3, .out = 3, .weight_f32 = w, .bias = bias }, q;
	struct draft d = { 0 };

	CHECK(!quantize_layer(&d, &q, &f, step, flat));
	CHECK(q.in == 3 && q.out == 3 && !q.weight_f32 && !q.dynamic);
	for (unsigned o = 0; o < 3; o++)
		CHECK(q.bias[o] == bias[o]);
	for (unsigned o = 0; o < 3; o += 2)
		for (unsigned i = 0; i < 3; i++) {
			double real = (double)q.weight[o * 3 + i] * q.scale[o] / step[i];

			/* Within half a step of the largest, in the column's own. */
			CHECK_NEAR(real, w[o * 3 + i], q.scale[o] / step[i] * 0.5 + 1e-6);
		}
	CHECK(q.scale[1] == 1);
	for (unsigned i = 0; i < 3; i++)
		CHECK(q.weight[3 + i] == 0);
	/* 1 · 0.1 is the largest, and what the scale is made for within its search. */
	CHECK(q.scale[0] <= 0.1f / 127 * 1.0001f && q.scale[0] >= 0.1f / 127 * 0.2f);

	/* A column that never moves may be cut: row 2 is then about its first weight. */
	CHECK(!quantize_layer(&d, &q, &f, step, first));
	CHECK(q.scale[2] < 0.99f * 2 * 0.1f / 127);
	CHECK_EQ(q.weight[2 * 3 + 1], 127);
	draft_close(&d);
}

/* The fixture with operators that do something: the forecast from last u, components of it. */
static void made(struct constant *c)
{
	static const float linear[4] = { 0.5f, -0.25f, 0.125f, 0.75f }, encode[2] = { 0.6f, 0.3f };
	static const float decode[2] = { 0.8f, 0.4f };
	struct detector_spec *s = &c->d.m.spec;

	constant_open(c);
	s->linear.weight_f32 = linear;
	s->linear.bias = draft_copy(&c->d, (float[]){ 3, -2 }, 2 * sizeof(float));
	s->subspace.encode.weight_f32 = encode;
	s->subspace.decode.weight_f32 = decode;
	c->rec.fold = NULL;
	c->rec.folds = 0;
	/* Two rows that a percentile leaves out. */
	c->x[100 * N] = 10 + 25;
	c->x[200 * N + 1] = -50;
	CHECK(!calibrate(&c->d, &c->rec, FC_REF, NULL));
}

static void quantized(struct draft *q, const struct constant *c, enum quantize_range range,
		      double percentile, bool dynamic, struct quantize_report *r)
{
	struct quantize_options o = { .dynamic = dynamic, .range = range,
				      .percentile = percentile };

	*q = (struct draft){ 0 };
	CHECK(!quantize_model(q, &c->d.m, &c->rec, &o, r, NULL));
	CHECK_EQ(r->layers, 3);
	CHECK_STR(r->layer[0].name, "linear");
	CHECK_STR(r->layer[1].name, "subspace.encode");
	CHECK_STR(r->layer[2].name, "subspace.decode");
	for (unsigned k = 0; k < 3; k++) {
		CHECK(r->layer[k].worst_db <= r->layer[k].snr_db + 1e-9);
		CHECK_EQ(r->layer[k].bytes, r->layer[k].in * r->layer[k].out);
	}
	CHECK(r->z_clip == q->m.spec.z_clip && r->code_clip == q->m.spec.subspace.code_clip);
	CHECK_EQ(q->m.dynamic, dynamic);
	CHECK(q->m.spec.linear.dynamic == dynamic && q->m.spec.subspace.decode.dynamic == dynamic);
	CHECK_STR(model_precision(&q->m), "int8");
	/* What is usual comes from the float model; the self-test is the int8 one's own. */
	CHECK(q->m.spec.inv_sigma == c->d.m.spec.inv_sigma && q->m.departure == c->d.m.departure);
	CHECK(q->m.point_limit == c->d.m.point_limit);
}

static double quantile_u(const struct constant *c, double q)
{
	static double v[2 * ROWS];

	/* What went in: one row late, so without the last. */
	for (unsigned k = 0; k < 2 * ROWS; k++)
		v[k] = fabs(constant_u(c, k / 2, k % 2));
	for (unsigned a = 0; a < 2 * ROWS; a++)
		for (unsigned b = a; b && v[b] < v[b - 1]; b--) {
			double hold = v[b];

			v[b] = v[b - 1];
			v[b - 1] = hold;
		}
	return v[(unsigned)(q * (2 * ROWS - 1) + 0.5)];
}

/* Of the component, over all rows. */
static double largest_code(const struct constant *c)
{
	double largest = 0;

	for (unsigned r = 0; r < ROWS; r++)
		largest = fmax(largest, fabs(0.6 * constant_u(c, r, 0) +
					     0.3 * constant_u(c, r, 1)));
	return largest;
}

static void ranges(void)
{
	static struct constant c;
	struct quantize_report r;
	struct detector *det;
	struct draft q;

	made(&c);
	quantized(&q, &c, QUANTIZE_FIXED, 0, false, &r);
	CHECK(r.z_clip == 10 && r.code_clip == 10);
	/* Scales have the step folded in: 0.75 · 10 / 127 is row 1's largest. */
	CHECK(q.m.spec.linear.scale[1] <= 0.75f * 10 / 127 / 127 * 1.0001f);
	CHECK(!model_detector(&det, &q.m, FC_REF, NULL));
	detector_close(det);
	CHECK(r.rows > ROWS - 5 && r.agreement > 0.98 && r.correlation > 0.99);
	draft_close(&q);

	/* Float operators are clipped at z_clip before they tell what they were fed. */
	c.d.m.spec.z_clip = 90;
	c.d.m.spec.subspace.code_clip = 90;
	quantized(&q, &c, QUANTIZE_MINMAX, 0, false, &r);
	CHECK_NEAR(r.z_clip, 50, 1e-3);
	CHECK_NEAR(r.code_clip, largest_code(&c), 1e-3);
	draft_close(&q);
	quantized(&q, &c, QUANTIZE_PERCENTILE, 99, false, &r);
	CHECK_NEAR(r.z_clip, fmax(quantile_u(&c, 0.99), 2), 0.02);
	CHECK(r.code_clip == 2);		/* no less than that */
	draft_close(&q);
	constant_close(&c);
}

static void dynamic(void)
{
	static struct constant c;
	struct quantize_report r;
	struct draft q;

	made(&c);
	quantized(&q, &c, QUANTIZE_MINMAX, 0, true, &r);
	CHECK(r.z_clip == 10 && r.code_clip == 10);	/* not looked at, not changed */
	/* Nothing folded in. */
	CHECK_NEAR(q.m.spec.linear.scale[1], 0.75 / 127, 0.75 / 127 * 0.8);
	CHECK(q.m.spec.linear.scale[1] > 3 * 0.75f * 10 / 127 / 127);
	printf("dynamic: correlation %.4f, linear %.1f dB\n", r.correlation, r.layer[0].snr_db);
	/* It does not clip at z_clip, which two rows of these tell from the float model. */
	CHECK(r.correlation > 0.8 && r.layer[0].snr_db > 40);
	CHECK(r.agreement > 0.98);
	draft_close(&q);
	constant_close(&c);
}

struct told {
	float prediction[ROWS * N];
};

static void tell(void *ctx, unsigned row, const struct detector_result *r)
{
	struct told *t = ctx;

	memcpy(t->prediction + row * N, r->prediction, N * sizeof(float));
}

/* The forecasts of both, compared here, lose what the report says. */
static void losses(void)
{
	static struct constant c;
	static struct told a, b;
	struct quantize_report r;
	struct draft q;
	double signal = 0, noise = 0, worst = INFINITY;

	made(&c);
	quantized(&q, &c, QUANTIZE_FIXED, 0, false, &r);
	CHECK(!run_rows(&c.d.m.spec, FC_REF, c.x, ROWS, tell, &a, NULL));
	CHECK(!run_rows(&q.m.spec, FC_REF, c.x, ROWS, tell, &b, NULL));
	for (unsigned i = 0; i < N; i++) {
		double sum = 0, square = 0, error = 0;

		for (unsigned k = 1; k < ROWS; k++) {
			double v = a.prediction[k * N + i];

			sum += v / (ROWS - 1);
			square += v * v;
			error += pow(v - b.prediction[k * N + i], 2);
		}
		square -= sum * sum * (ROWS - 1);
		signal += square;
		noise += error;
		worst = fmin(worst, 10 * log10(square / error));
	}
	printf("linear: %.1f dB, worst %.1f\n", r.layer[0].snr_db, r.layer[0].worst_db);
	CHECK_NEAR(r.layer[0].snr_db, 10 * log10(signal / noise), 0.3);
	CHECK_NEAR(r.layer[0].worst_db, worst, 0.3);
	draft_close(&q);
	constant_close(&c);
}

static void refused(void)
{
	static struct constant c;
	struct quantize_options o = { .range = QUANTIZE_FIXED };
	struct quantize_report r;
	struct draft q = { 0 }, again = { 0 };
	struct why why;

	made(&c);
	/* Without a recording: what the self-test's rows say. */
	CHECK(!quantize_model(&q, &c.d.m, NULL, &o, &r, NULL));
	CHECK(r.rows > 0 && r.rows <= c.d.m.test_rows);
	CHECK_EQ(quantize_model(&again, &q.m, NULL, &o, &r, &why), -EINVAL);
	CHECK(strstr(why.text, "int8 already"));
	draft_close(&again);
	draft_close(&q);
	constant_close(&c);
}

int main(void)
{
	one_layer();
	searched();
	ranges();
	dynamic();
	losses();
	refused();
	return 0;
}
