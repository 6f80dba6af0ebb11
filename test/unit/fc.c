// SPDX-License-Identifier: MIT
/*
 * The implementations of the int8 operator against one another and against arithmetic done
 * here, bit for bit; the float operator; the input tensor; what is refused.
 */
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

static struct fc_spec made(unsigned in, unsigned out, enum weights kind)
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

static void check_reference(const struct fc_spec *s, const float *y)
{
	for (unsigned o = 0; o < s->out; o++) {
		int64_t sum = 0;

		for (unsigned i = 0; i < s->in; i++) {
			int8_t q;

			quant_i8(&q, &x[i], 1, 127);
			sum += s->weight[o * s->in + i] * q;
		}
		CHECK(y[o] == fmaf((float)sum, s->scale[o], s->bias[o]));
	}
}

static void check_shape(unsigned in, unsigned out, enum weights kind)
{
	struct fc_spec spec = made(in, out, kind);
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
			fprintf(stderr, "%u x %u, weights %d, round %u: %s differs\n", out, in,
				kind, round, fc_name(fc[k]));
			exit(1);
		}
	}
	for (int k = 0; k < FC_KINDS; k++)
		fc_close(fc[k]);
}

static void shapes(void)
{
	for (unsigned in = 1; in <= 18; in++)
		for (unsigned out = 1; out <= 18; out++)
			check_shape(in, out, (in + out) % WEIGHTS);
	for (unsigned i = 0; i < 120; i++)
		check_shape(1 + draw() % DIM_MAX, 1 + draw() % DIM_MAX, i % WEIGHTS);
	check_shape(72, 256, RANDOM);
	check_shape(DIM_MAX, DIM_MAX, LEAST);
	check_shape(DIM_MAX, 1, MOST);
	check_shape(1, DIM_MAX, EXTREMES);
}

static void names(void)
{
	static const char *const want[] = { "xnnpack", "xnnpack-subgraph", "reference" };
	struct fc_spec spec = made(72, 256, RANDOM);
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
	const struct fc_spec good = made(4, 4, RANDOM);
	struct fc_spec wrong[] = { good, good, good, good, good, good, good };
	const float bad[] = { 0, -1, NAN, INFINITY, 1e-40f };

	wrong[0].in = 0;
	wrong[1].out = 0;
	wrong[2].in = 1u << 31;
	wrong[3].weight = NULL;
	wrong[4].weight_f32 = weight_f32;
	wrong[5].bias = NULL;
	wrong[6].scale = NULL;
	for (unsigned i = 0; i < 7; i++)
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
	struct fc_spec spec = made(40, 40, RANDOM);
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
	floats();
	refused();
	shapes();
	return 0;
}
