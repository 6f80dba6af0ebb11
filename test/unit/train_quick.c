// SPDX-License-Identifier: MIT
/*
 * The quick head's weights against those that scipy's BFGS finds for the same loss, written
 * again there, with and without a teacher; and that the kernel's margin is what was fitted.
 */
#include "models/train/quick_fit.h"

#include <errno.h>

#include "kernels/quick.h"
#include "models/train/random.h"
#include "test/test.h"

#define ROWS 600
#define K 3

static float features[ROWS * K], teacher[ROWS];
static uint8_t label[ROWS];

static void fill(void)
{
	struct random r = { 11 };

	for (unsigned k = 0; k < ROWS; k++) {
		float *x = features + k * K;

		for (unsigned i = 0; i < K; i++)
			x[i] = random_uniform(&r);
		label[k] = x[0] + 0.5f * x[1] + 0.7f * random_uniform(&r) > 0.4f;
		teacher[k] = 1 - 3 * x[0] + x[2];
	}
}

static void check_fit(const struct quick_lesson *l, const double *known, struct quick_report *r)
{
	float weight[2 * K], bias[2];

	CHECK(!quick_fit(weight, bias, l, r));
	for (unsigned i = 0; i < K; i++) {
		CHECK_NEAR(weight[i] - weight[K + i], known[i], 1e-5);
		CHECK(weight[i] == -weight[K + i]);
	}
	CHECK_NEAR(bias[0] - bias[1], known[K], 1e-5);
	CHECK(r->iterations > 2 && r->iterations < 15);
}

static void known(void)
{
	static const double hard[] = { -4.21315209, -1.88107159, -0.13286994, 0.80535865 };
	static const double soft[] = { -3.10148746, -0.3231678, 0.75855876, 0.92083598 };
	static const double only[] = { -3, 0, 1, 1 };
	struct quick_lesson l = { .features = features, .label = label, .rows = ROWS, .inputs = K };
	struct quick_report r;

	check_fit(&l, hard, &r);
	CHECK_NEAR(r.loss, 0.3678919896505, 1e-9);
	CHECK_NEAR(r.missed, 0.16923076923, 1e-9);
	CHECK_NEAR(r.wary, 0.19753086420, 1e-9);
	l.margin = teacher;
	l.temperature = QUICK_TEMPERATURE;
	l.soft_weight = 0.7f;
	check_fit(&l, soft, &r);
	CHECK_NEAR(r.loss, 0.13812563268605, 1e-6);	/* 0.7f is not 0.7 */
	/* Of the teacher alone nothing but the teacher is learnt, to within the ridge. */
	l.soft_weight = 1;
	CHECK(!quick_fit((float[2 * K]){ 0 }, (float[2]){ 0 }, &l, &r));
	CHECK(r.loss < 1e-5);
	for (unsigned i = 0; i <= K; i++) {
		float w[2 * K], b[2];

		CHECK(!quick_fit(w, b, &l, NULL));
		CHECK_NEAR(i < K ? w[i] - w[K + i] : b[0] - b[1], only[i], 0.02);
	}
}

/* The state and the ratios in, the margin out: as kernels/quick.h has it. */
static void margin(void)
{
	enum { H = 2, D = H + QUICK_CHEAP };
	float x[40 * D], weight[2 * D], bias[2], ratio[QUICK_CHEAP];
	uint8_t is[40];
	struct random r = { 1 };
	struct quick_lesson l = { .features = x, .label = is, .rows = 40, .inputs = D };
	struct quick_spec q = { .hidden = H, .weight = weight, .bias = bias };

	q.margin = quick_fit_margin(QUICK_CONFIDENCE);
	CHECK_NEAR(q.margin, 2.9444389792, 1e-6);
	CHECK_NEAR(quick_fit_margin(0.5), 0, 1e-7);
	for (unsigned k = 0; k < 40; k++) {
		is[k] = k % 4 == 0;
		for (unsigned i = 0; i < D; i++)
			x[k * D + i] = i < H ? random_uniform(&r) :
					       0.5f + 0.5f * random_uniform(&r) + (is[k] ? 1 : 0);
	}
	/* The classes can be parted, and still the weights stay finite. */
	CHECK(!quick_fit(weight, bias, &l, NULL));
	for (unsigned k = 0; k < 40; k++) {
		for (unsigned i = 0; i < QUICK_CHEAP; i++)
			ratio[i] = x[k * D + H + i] / QUICK_RATIO_SCALE;
		CHECK(isfinite(quick_margin(&q, x + k * D, ratio)));
		CHECK(quick_confident(&q, x + k * D, ratio) == !is[k]);
	}
}

static void refused(void)
{
	float weight[2 * K], bias[2];
	struct quick_lesson l = { .features = features, .label = label, .rows = ROWS, .inputs = K };

	memset(label, 1, ROWS);
	CHECK_EQ(quick_fit(weight, bias, &l, NULL), -EINVAL);
	memset(label, 0, ROWS);
	CHECK_EQ(quick_fit(weight, bias, &l, NULL), -EINVAL);
	label[3] = 1;
	CHECK(!quick_fit(weight, bias, &l, NULL));
	features[7] = NAN;
	CHECK_EQ(quick_fit(weight, bias, &l, NULL), -EINVAL);
	features[7] = 0;
	l.rows = 0;
	CHECK_EQ(quick_fit(weight, bias, &l, NULL), -EINVAL);
	l.rows = ROWS;
	l.margin = teacher;
	CHECK_EQ(quick_fit(weight, bias, &l, NULL), -EINVAL);	/* temperature 0 */
}

int main(void)
{
	fill();
	known();
	margin();
	refused();
	return 0;
}
