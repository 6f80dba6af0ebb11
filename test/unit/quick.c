// SPDX-License-Identifier: MIT
/* The quick head against softmax itself in double; how ratios are cut; when it has no say. */
#include "kernels/quick.h"
#include "test/test.h"
#include "test/unit/recurrent_fixture.h"

#define HIDDEN_MAX 140
#define ROWS 400

static double logit(const struct quick_spec *q, unsigned row, const float *h, const float *ratio)
{
	const float *w = q->weight + row * (q->hidden + QUICK_CHEAP);
	double sum = q->bias[row];

	for (unsigned i = 0; i < q->hidden; i++)
		sum += (double)w[i] * h[i];
	for (unsigned i = 0; i < QUICK_CHEAP; i++)
		sum += w[q->hidden + i] * fmin(fmax((double)ratio[i], 0), 16) / 8;
	return sum;
}

/* How many of ROWS were confident. */
static unsigned softmax(unsigned hidden)
{
	struct fixture f = { .random = hidden };
	float ratio[QUICK_CHEAP], h[HIDDEN_MAX];
	unsigned confident = 0;
	struct quick_spec q = {
		.hidden = hidden, .bias = fixture_vector(&f, 2, 1),
		.weight = fixture_vector(&f, 2 * (hidden + QUICK_CHEAP), 1),
		.margin = (float)log(0.95 / 0.05),
	};

	for (unsigned row = 0; row < ROWS; row++) {
		double normal, other, share;

		for (unsigned i = 0; i < hidden; i++)
			h[i] = fixture_float(&f, 1);
		for (unsigned i = 0; i < QUICK_CHEAP; i++)
			ratio[i] = 10 + fixture_float(&f, 14);
		normal = logit(&q, 0, h, ratio);
		other = logit(&q, 1, h, ratio);
		CHECK_NEAR(quick_margin(&q, h, ratio), normal - other, 2e-5);
		share = exp(normal) / (exp(normal) + exp(other));
		if (fabs(share - 0.95) > 1e-5)
			CHECK_EQ(quick_confident(&q, h, ratio), share > 0.95);
		confident += quick_confident(&q, h, ratio);
	}
	fixture_close(&f);
	return confident;
}

static void ends(void)
{
	float weight[2 * (1 + QUICK_CHEAP)] = { [1] = -1, [1 + QUICK_CHEAP + 1] = 1 };
	const float bias[2] = { 3, 1 }, h[1] = { 0 }, high = -2;
	struct quick_spec q = { .hidden = 1, .weight = weight, .bias = bias, .margin = 2 };
	float ratio[QUICK_CHEAP] = { 0 };

	CHECK(quick_margin(&q, h, ratio) == 2 && quick_confident(&q, h, ratio));
	ratio[0] = -5;
	CHECK(quick_margin(&q, h, ratio) == 2);
	ratio[0] = 8;
	CHECK(quick_margin(&q, h, ratio) == 0 && !quick_confident(&q, h, ratio));
	for (unsigned i = 0; i < 3; i++) {
		ratio[0] = (const float[]){ 16, INFINITY, NAN }[i];
		CHECK(quick_margin(&q, h, ratio) == high);
	}
	/* A difference that is no number is no confidence. */
	ratio[0] = 0;
	weight[0] = 3e38f;
	weight[1 + QUICK_CHEAP] = -3e38f;
	q.margin = -1000;
	CHECK(!quick_confident(&q, (float[]){ 0 }, ratio));
	q.hidden = 0;
	CHECK(!quick_confident(&q, h, ratio));
}

/* The same bits on every machine. */
static void bits(void)
{
	struct fixture f = { .random = 9 };
	struct quick_spec q = {
		.hidden = 50, .bias = fixture_vector(&f, 2, 1),
		.weight = fixture_vector(&f, 2 * (50 + QUICK_CHEAP), 1),
	};
	float sum = 0;

	for (unsigned i = 0; i < 1000; i++) {
		float h[50], ratio[QUICK_CHEAP];

		for (unsigned k = 0; k < 50; k++)
			h[k] = fixture_float(&f, 1);
		for (unsigned k = 0; k < QUICK_CHEAP; k++)
			ratio[k] = 10 + fixture_float(&f, 14);
		sum = 0.75f * sum + quick_margin(&q, h, ratio);
	}
	CHECK_EQ(sum * 0x1p24f, 496680864);	/* exact: all of its bits */
	fixture_close(&f);
}

int main(void)
{
	unsigned confident = 0, rows = 0;

	for (unsigned hidden = 1; hidden <= HIDDEN_MAX; hidden += hidden < 36 ? 1 : 13) {
		confident += softmax(hidden);
		rows += ROWS;
	}
	CHECK(confident > rows / 20 && confident < rows - rows / 20);
	ends();
	bits();
	return 0;
}
