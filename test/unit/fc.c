// SPDX-License-Identifier: MIT
/*
 * The implementations of the int8 operator, static and dynamic, against one another and against
 * arithmetic done here, bit for bit; the float operator; the input tensor; what is refused.
 */
#include <float.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/fc.h"
#include "kernels/quant.h"
#include "kernels/why.h"
#include "test/test.h"

#define DIM_MAX 320

enum weights { RANDOM, LEAST, MOST, EXTREMES, WEIGHTS };

static int8_t weight[DIM_MAX * DIM_MAX];
static float weight_f32[DIM_MAX * DIM_MAX], scale[DIM_MAX], bias[DIM_MAX], x[DIM_MAX];

static unsigned draw(void)
{
	static uint32_t s = 2463534242u;

	s ^= s << 13;
	s ^= s >> 17;
	s ^= s << 5;
	return s;
}

static float draw_float(float swing)
{
	return swing * ((float)(draw() >> 8) / (float)(1 << 23) - 1);
}

static struct fc_spec made(unsigned in, unsigned out, enum weights kind, bool dynamic)
{
	for (unsigned i = 0; i < in * out; i++)
		weight[i] = (int8_t)(kind == RANDOM ? (int)(draw() % 256) - 128 :
				     kind == LEAST ? -128 : kind == MOST ? 127 :
				     draw() % 2 ? 127 : -128);
	for (unsigned o = 0; o < out; o++) {
		scale[o] = 1e-6f + 1e-3f * (1 + draw_float(1));
		bias[o] = draw_float(2);
	}
	return (struct fc_spec){
		.in = in, .out = out, .weight = weight, .scale = scale, .bias = bias,
		.dynamic = dynamic,
	};
}

/* Inputs of all sizes, or all at one end: at those the sums are largest. */
static void draw_x(unsigned in, unsigned round)
{
	for (unsigned i = 0; i < in; i++)
		x[i] = round == 0 ? 2 : round == 1 ? -2 : draw_float(1.2f);
}

/* XNNPACK rounds twice where there is no fused multiply-add; its users must test themselves. */
static bool library_is_exact(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("fma");
#else
	return true;
#endif
}

/* What a run of a dynamic operator makes of all its inputs: the largest is 127 steps. */
static float dynamic_step(unsigned in, float *inv_step)
{
	double most = 0;

	for (unsigned i = 0; i < in; i++)
		most = fmax(most, fabs((double)x[i]));
	if (most < 1e-30f) {
		*inv_step = 0;
		return 1;
	}
	*inv_step = 127 / (float)most;
	return (float)most / 127;
}

static void check_reference(const struct fc_spec *s, const float *y)
{
	float inv_step = 127, step = s->dynamic ? dynamic_step(s->in, &inv_step) : 1;

	for (unsigned o = 0; o < s->out; o++) {
		volatile float product;
		int64_t sum = 0;

		for (unsigned i = 0; i < s->in; i++) {
			int8_t q;

			quant_i8(&q, &x[i], 1, inv_step);
			sum += s->weight[o * s->in + i] * q;
		}
		product = (float)sum * step;
		CHECK(y[o] == fmaf(product, s->scale[o], s->bias[o]));
	}
}

static void check_shape(unsigned in, unsigned out, enum weights kind, bool dynamic)
{
	struct fc_spec spec = made(in, out, kind, dynamic);
	struct fc *fc[FC_KINDS];
	struct why why;

	for (int k = 0; k < FC_KINDS; k++)
		if (fc_open(&fc[k], &spec, k, &why)) {
			fprintf(stderr, "%u x %u, kind %d: %s\n", out, in, k, why.text);
			exit(1);
		}
	for (unsigned round = 0; round < 4; round++) {
		const float *want;

		draw_x(in, round);
		fc_put(fc[FC_REF], 0, x, in, 127);
		want = fc_run(fc[FC_REF]);
		check_reference(&spec, want);
		for (int k = 0; k < FC_REF; k++) {
			const float *y;

			fc_put(fc[k], 0, x, in, 127);
			y = fc_run(fc[k]);
			if (!library_is_exact() || !memcmp(y, want, out * sizeof *y))
				continue;
			fprintf(stderr, "%u x %u, weights %d, round %u: %s %s differs\n", out, in,
				kind, round, dynamic ? "dynamic" : "static", fc_name(fc[k]));
			exit(1);
		}
	}
	for (int k = 0; k < FC_KINDS; k++)
		fc_close(fc[k]);
}

static void shapes(bool dynamic)
{
	for (unsigned in = 1; in <= 18; in++)
		for (unsigned out = 1; out <= 18; out++)
			check_shape(in, out, (in + out) % WEIGHTS, dynamic);
	for (unsigned i = 0; i < 120; i++)
		check_shape(1 + draw() % DIM_MAX, 1 + draw() % DIM_MAX, i % WEIGHTS, dynamic);
	check_shape(72, 256, RANDOM, dynamic);
	check_shape(DIM_MAX, DIM_MAX, LEAST, dynamic);
	check_shape(DIM_MAX, 1, MOST, dynamic);
	check_shape(1, DIM_MAX, EXTREMES, dynamic);
}

/* Inputs of all magnitudes, one run after another: every run has its own step. */
static void magnitudes(void)
{
	static const float size[] = {
		1, 1e9f, 0, 1e-35f, 1e-29f, 1e-6f, 40, 1e12f, 0.5f, 1e-30f, 3,
	};
	struct fc_spec spec = made(67, 41, RANDOM, true);
	struct fc *fc[FC_KINDS];

	for (int k = 0; k < FC_KINDS; k++)
		CHECK_EQ(fc_open(&fc[k], &spec, k, NULL), 0);
	for (unsigned round = 0; round < sizeof size / sizeof *size; round++) {
		for (unsigned i = 0; i < 67; i++)
			x[i] = draw_float(size[round]);
		for (int k = 0; k < FC_KINDS; k++) {
			if (!library_is_exact() && k != FC_REF)
				continue;
			/* In two parts, at steps that do not matter. */
			fc_put(fc[k], 0, x, 30, 127);
			fc_put(fc[k], 30, x + 30, 37, 12.7f);
			check_reference(&spec, fc_run(fc[k]));
		}
	}
	for (int k = 0; k < FC_KINDS; k++)
		fc_close(fc[k]);
}

static void names(void)
{
	static const char *const want[] = { "xnnpack", "xnnpack-subgraph", "reference" };
	struct fc_spec spec = made(72, 256, RANDOM, false);
	struct fc *fc;

	for (int k = 0; k < FC_KINDS; k++) {
		CHECK_EQ(fc_open(&fc, &spec, k, NULL), 0);
		CHECK_STR(fc_name(fc), want[k]);
		fc_close(fc);
	}
	fc_close(NULL);
}

/* An operator that passes its inputs on, one output each, so that the tensor can be seen. */
static struct fc *open_identity(unsigned n, bool int8)
{
	static const float zero[8];
	struct fc_spec spec = { .in = n, .out = n, .bias = zero };
	struct fc *fc;

	CHECK(n <= 8);
	for (unsigned i = 0; i < n * n; i++)
		weight[i] = (int8_t)(weight_f32[i] = i % (n + 1) == 0);
	for (unsigned i = 0; i < n; i++)
		scale[i] = 1;
	if (int8) {
		spec.weight = weight;
		spec.scale = scale;
	} else {
		spec.weight_f32 = weight_f32;
	}
	CHECK_EQ(fc_open(&fc, &spec, FC_XNN, NULL), 0);
	return fc;
}

static void tensor(bool int8)
{
	struct fc *fc = open_identity(6, int8);
	const float v[] = { 1, -2, NAN, 1000, -1000 };
	const float *y;

	y = fc_run(fc);
	for (unsigned i = 0; i < 6; i++)
		CHECK(y[i] == 0);
	fc_put(fc, 1, v, 5, 1);
	y = fc_run(fc);
	CHECK(y[0] == 0 && y[1] == 1 && y[2] == -2 && y[3] == 0 && y[4] == 127 && y[5] == -127);
	fc_shift(fc, 2);
	fc_put(fc, 0, v, 2, 1);
	y = fc_run(fc);
	CHECK(y[0] == 1 && y[1] == -2 && y[2] == 0 && y[3] == 1 && y[4] == -2 && y[5] == 0);
	fc_shift(fc, 6);
	CHECK(fc_run(fc)[5] == 0);
	fc_clear(fc);
	y = fc_run(fc);
	for (unsigned i = 0; i < 6; i++)
		CHECK(y[i] == 0);
	/* A finer step: int8 in steps of 0.1, float clipped where int8 is. */
	fc_put(fc, 0, (float[]){ 3, 13 }, 2, 10);
	y = fc_run(fc);
	CHECK_NEAR(y[0], int8 ? 30 : 3, 1e-6);
	CHECK_NEAR(y[1], int8 ? 127 : 12.7, 1e-6);
	fc_close(fc);
}

/* A dynamic operator's tensor holds floats: nothing is clipped or rounded before the run. */
static void dynamic_tensor(enum fc_kind kind)
{
	enum { N = 16 };
	static float zero[N];
	struct fc_spec spec = {
		.in = N, .out = N, .weight = weight, .scale = scale, .bias = zero, .dynamic = true,
	};
	const float v[] = { 254, -2, NAN, 1 };
	const float *y;
	struct fc *fc;

	for (unsigned i = 0; i < N * N; i++)
		weight[i] = i % (N + 1) == 0;
	for (unsigned i = 0; i < N; i++)
		scale[i] = 1;
	CHECK_EQ(fc_open(&fc, &spec, kind, NULL), 0);
	CHECK(fc_run(fc)[3] == 0);
	fc_put(fc, 2, v, 4, 127);
	y = fc_run(fc);	/* in steps of 2; half a step goes to the even one */
	CHECK(y[1] == 0 && y[2] == 254 && y[3] == -2 && y[4] == 0 && y[5] == 0);
	fc_shift(fc, 12);
	fc_put(fc, 0, (float[]){ 0, 0 }, 2, 127);
	y = fc_run(fc);
	CHECK(y[14] == 254 && y[15] == -2 && y[2] == 254);
	/* With the large one gone, the step is a finer one: what was kept was the value. */
	fc_put(fc, 2, (float[]){ 0 }, 1, 127);
	fc_put(fc, 14, (float[]){ 0 }, 1, 127);
	y = fc_run(fc);
	CHECK_NEAR(y[15], -2, 1e-6);
	CHECK_NEAR(y[5], 1, 2. / 254);
	fc_put(fc, 0, (float[]){ INFINITY, -INFINITY, 5e11f }, 3, 127);
	y = fc_run(fc);
	CHECK_NEAR(y[0], 1e12, 1e6);
	CHECK_NEAR(y[1], -1e12, 1e6);
	CHECK_NEAR(y[2], 5e11, 5e9);
	/* Too small to have a step. */
	fc_clear(fc);
	fc_put(fc, 0, (float[]){ 9e-31f, -1e-40f }, 2, 127);
	y = fc_run(fc);
	for (unsigned i = 0; i < N; i++)
		CHECK(y[i] == 0);
	fc_close(fc);
}

/* Sums that overflow both ways: an infinity or 0, never a NaN. */
static void overflows(void)
{
	struct fc_spec spec = { .in = 2, .out = 3, .weight_f32 = weight_f32, .bias = bias };
	const float w[] = { FLT_MAX, -FLT_MAX, FLT_MAX, FLT_MAX, -FLT_MAX, -FLT_MAX };
	const float *y;
	struct fc *fc;

	memcpy(weight_f32, w, sizeof w);
	bias[0] = bias[1] = bias[2] = 1;
	CHECK_EQ(fc_open(&fc, &spec, FC_REF, NULL), 0);
	fc_put(fc, 0, (float[]){ 9, 9 }, 2, 12.7f);
	y = fc_run(fc);
	CHECK(y[0] == 0 && y[1] == INFINITY && y[2] == -INFINITY);
	fc_close(fc);
}

/* Sums in index order from the bias on, one rounding a product and one a sum. */
static void floats(void)
{
	for (unsigned i = 0; i < 60; i++) {
		unsigned in = 1 + draw() % 90, out = 1 + draw() % 90;
		struct fc_spec spec = {
			.in = in, .out = out, .weight_f32 = weight_f32, .bias = bias,
		};
		const float *y;
		struct fc *fc;

		for (unsigned k = 0; k < in * out; k++)
			weight_f32[k] = draw_float(1);
		for (unsigned o = 0; o < out; o++)
			bias[o] = draw_float(1);
		for (unsigned k = 0; k < in; k++)
			x[k] = draw_float(9);
		CHECK_EQ(fc_open(&fc, &spec, (enum fc_kind)(i % FC_KINDS), NULL), 0);
		CHECK_STR(fc_name(fc), "float");
		fc_put(fc, 0, x, in, 12.7f);
		y = fc_run(fc);
		for (unsigned o = 0; o < out; o++) {
			volatile float sum = bias[o], product;

			for (unsigned k = 0; k < in; k++) {
				product = weight_f32[o * in + k] * x[k];
				sum += product;
			}
			CHECK(y[o] == sum);
		}
		fc_close(fc);
	}
}

static void take(void *ctx, const float *in)
{
	memcpy(ctx, in, 3 * sizeof *in);
}

/* What a float operator reads, clipped, is told at each run. */
static void tapped(void)
{
	float seen[3] = { 0 };
	struct fc_spec spec = {
		.in = 3, .out = 2, .weight_f32 = weight_f32, .bias = bias, .tap = take,
		.tap_ctx = seen,
	};
	struct fc *fc;

	CHECK_EQ(fc_open(&fc, &spec, FC_XNN, NULL), 0);
	fc_put(fc, 0, (float[]){ 1, -200, NAN }, 3, 1);
	CHECK(seen[0] == 0);
	fc_run(fc);
	CHECK(seen[0] == 1 && seen[1] == -127 && seen[2] == 0);
	fc_put(fc, 2, (float[]){ 3 }, 1, 1);
	fc_run(fc);
	CHECK(seen[2] == 3);
	fc_close(fc);
}

static void refuse(struct fc_spec spec, int kind)
{
	struct fc *fc = (struct fc *)&spec;
	struct why why = { "" };

	CHECK_EQ(fc_open(&fc, &spec, (enum fc_kind)kind, &why), -EINVAL);
	CHECK(fc == NULL);
	CHECK(why.text[0]);
}

static void refused(void)
{
	const struct fc_spec good = made(4, 4, RANDOM, false);
	struct fc_spec wrong[] = { good, good, good, good, good, good, good, good };
	const float bad[] = { 0, -1, NAN, INFINITY, 1e-40f };

	wrong[0].in = 0;
	wrong[1].out = 0;
	wrong[2].in = 1u << 31;
	wrong[3].weight = NULL;
	wrong[4].weight_f32 = weight_f32;
	wrong[5].bias = NULL;
	wrong[6].scale = NULL;
	wrong[7].weight = NULL;
	wrong[7].weight_f32 = weight_f32;
	wrong[7].dynamic = true;
	for (unsigned i = 0; i < 8; i++)
		for (int k = 0; k < FC_KINDS; k++)
			refuse(wrong[i], k);
	refuse(good, FC_KINDS);
	refuse(good, -1);
	for (unsigned i = 0; i < 5; i++)
		for (int k = 0; k < FC_KINDS; k++) {
			scale[2] = bad[i];
			refuse(good, k);
		}
}

static void *open_one(void *arg)
{
	struct fc_spec *spec = arg;
	stack_t before, after;
	struct fc *fc;

	if (sigaltstack(NULL, &before))
		return arg;
	for (unsigned i = 0; i < 20; i++) {
		if (fc_open(&fc, spec, i % 2 ? FC_XNN : FC_SUBGRAPH, NULL))
			return arg;
		fc_run(fc);
		fc_close(fc);
	}
	if (sigaltstack(NULL, &after) || before.ss_sp != after.ss_sp ||
	    before.ss_size != after.ss_size || before.ss_flags != after.ss_flags)
		return arg;
	return NULL;
}

/* The first use of the library, from several threads at once; signal stacks stay as they were. */
static void threads(void)
{
	struct fc_spec spec = made(40, 40, RANDOM, false);
	pthread_t thread[4];
	void *failed;

	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, open_one, &spec), 0);
	CHECK(open_one(&spec) == NULL);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(thread[i], &failed), 0);
		CHECK(failed == NULL);
	}
}

int main(void)
{
	threads();
	names();
	tensor(true);
	tensor(false);
	for (int k = 0; k < FC_KINDS; k++)
		dynamic_tensor((enum fc_kind)k);
	floats();
	overflows();
	tapped();
	refused();
	magnitudes();
	shapes(false);
	shapes(true);
	return 0;
}
