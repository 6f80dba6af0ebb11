// SPDX-License-Identifier: MIT
/*
 * How residuals go together, against correlations that numpy found in the same rows (of each
 * pair, the rows that have both), and the order of the strongest pairs.
 */
#include <errno.h>

#include "kernels/detector.h"
#include "models/train/covariance.h"
#include "test/test.h"
#include "test/unit/model_fixture.h"

#define ROWS 600
#define N 5

/* A forecast that is always zero, in plain units: what is left is the row. */
static void make(struct fixture *f)
{
	static const float zero[2 * N * N], one[N] = { 1, 1, 1, 1, 1 };
	struct fixture_shape shape = { .n = N, .lags = 2, .rank = 3, .spread = true, .rows = 2 };

	fixture_shaped(f, &shape);
	f->m.spec.mean = f->m.spec.wanders = zero;
	f->m.spec.inv_std = one;
	f->m.spec.linear.weight_f32 = f->m.spec.linear.bias = zero;
}

static void fill(float x[ROWS][N])
{
	for (unsigned r = 0; r < ROWS; r++) {
		float base = (float)((r * 37 + 11) % 101);
		float noise = (float)((r * 61 + r * r * 7) % 89);
		float third = (float)((r * r * 3 + r * 17) % 97);

		x[r][0] = base;
		x[r][1] = base * 0.5f + noise * 0.25f;
		x[r][2] = r % 11 == 3 ? NAN : -base + third * 0.5f;
		x[r][3] = third;
		x[r][4] = 5;
	}
}

static void test_values(const struct fixture *f, float x[ROWS][N])
{
	static const double expected[N - 1][N - 1] = {
		{ 1, 0.9096979, -0.9133433, -0.0133613 },
		{ 0.9096979, 1, -0.8406239, -0.0232454 },
		{ -0.9133433, -0.8406239, 1, 0.4427267 },
		{ -0.0133613, -0.0232454, 0.4427267, 1 },
	};
	static const double deviation[N - 1] = { 29.144119, 16.025067, 32.937161, 28.195639 };
	struct covariance c;

	CHECK_EQ(covariance_open(&c, &f->m.spec, x[0], ROWS, NULL), 0);
	CHECK_EQ(c.channels, N);
	CHECK_EQ(c.rows, ROWS - 2);
	for (unsigned a = 0; a < N - 1; a++) {
		CHECK_NEAR(c.deviation[a], deviation[a], 1e-4 * deviation[a]);
		for (unsigned b = 0; b < N - 1; b++)
			CHECK_NEAR(c.correlation[a * N + b], expected[a][b], 1e-5);
		/* One that never moves goes with nobody. */
		CHECK_EQ(c.correlation[a * N + 4], 0);
		CHECK_EQ(c.correlation[4 * N + a], 0);
	}
	CHECK_EQ(c.deviation[4], 0);
	CHECK_EQ(c.correlation[4 * N + 4], 1);
	covariance_free(&c);
}

static void test_pairs(const struct fixture *f, float x[ROWS][N])
{
	struct covariance c;

	CHECK_EQ(covariance_open(&c, &f->m.spec, x[0], ROWS, NULL), 0);
	/* Six pairs of four that move; strongest first, whatever their sign. */
	CHECK_EQ(c.pairs, 6);
	CHECK(c.pair[0].a == 0 && c.pair[0].b == 2 && c.pair[0].correlation < 0);
	CHECK(c.pair[1].a == 0 && c.pair[1].b == 1 && c.pair[1].correlation > 0);
	for (unsigned k = 1; k < c.pairs; k++)
		CHECK(fabsf(c.pair[k].correlation) <= fabsf(c.pair[k - 1].correlation));
	for (unsigned k = 0; k < c.pairs; k++)
		CHECK_EQ(c.pair[k].correlation, c.correlation[c.pair[k].a * N + c.pair[k].b]);
	covariance_free(&c);
}

/* More pairs than are kept: the strongest of them are. */
static void test_many(void)
{
	enum { WIDE = 8, PAIRS = WIDE * (WIDE - 1) / 2 };
	struct fixture *f = malloc(sizeof(*f));
	struct fixture_shape shape = { .n = WIDE, .lags = 1, .rows = 2 };
	float *x = malloc(ROWS * WIDE * sizeof(*x)), all[PAIRS];
	struct covariance c;
	unsigned n = 0, stronger = 0;

	CHECK(f && x);
	fixture_shaped(f, &shape);
	for (unsigned k = 0; k < ROWS * WIDE; k++)
		x[k] = (float)((k * 2654435761u) >> 16 & 1023) * (k % WIDE % 3 == 0 ? 1 : 3) +
		       (float)(k / WIDE % 50) * 20;
	CHECK_EQ(covariance_open(&c, &f->m.spec, x, ROWS, NULL), 0);
	CHECK_EQ(c.pairs, COVARIANCE_PAIRS);
	for (unsigned a = 0; a < WIDE; a++)
		for (unsigned b = a + 1; b < WIDE; b++)
			all[n++] = fabsf(c.correlation[a * WIDE + b]);
	for (unsigned k = 0; k < PAIRS; k++)
		stronger += all[k] > fabsf(c.pair[COVARIANCE_PAIRS - 1].correlation);
	CHECK_EQ(stronger, COVARIANCE_PAIRS - 1);
	covariance_free(&c);
	free(x);
	fixture_free(f);
	free(f);
}

/* Nothing to measure: no row that is ready, a channel that is hardly ever there. */
static void test_little(const struct fixture *f, float x[ROWS][N])
{
	struct covariance c;

	CHECK_EQ(covariance_open(&c, &f->m.spec, x[0], 2, NULL), 0);
	CHECK_EQ(c.rows, 0);
	CHECK_EQ(c.pairs, 0);
	covariance_free(&c);
	for (unsigned r = 7; r < ROWS; r++)
		x[r][3] = NAN;
	CHECK_EQ(covariance_open(&c, &f->m.spec, x[0], ROWS, NULL), 0);
	CHECK_EQ(c.pairs, 3);
	for (unsigned a = 0; a < N; a++)
		CHECK_EQ(c.correlation[a * N + 3], a == 3);
	covariance_free(&c);
	/* Both are there often enough, but never together. */
	fill(x);
	for (unsigned r = 0; r < ROWS; r++)
		x[r][r % 2 ? 1 : 0] = NAN;
	CHECK_EQ(covariance_open(&c, &f->m.spec, x[0], ROWS, NULL), 0);
	CHECK_EQ(c.correlation[1], 0);
	CHECK(c.deviation[0] > 1 && c.deviation[1] > 1 && c.correlation[2] < 0);
	covariance_free(&c);
}

static void test_too_many(const struct fixture *f)
{
	struct detector_spec wide = f->m.spec;
	struct covariance c;

	wide.channels = COVARIANCE_CHANNELS_MAX + 1;
	CHECK_EQ(covariance_open(&c, &wide, NULL, 0, NULL), -EOPNOTSUPP);
	covariance_free(&c);
}

/*
 * With a net in the model: what the view itself takes for its residual, unsmoothed and not
 * whitened. A large bias gives all of them one sign, so that sizes tell deviations.
 */
static void test_net(void)
{
	static const float one[N] = { 1, 1, 1, 1, 1 }, zero[N], far[N] = { 40, 40, 40, 40, 40 };
	struct fixture_shape shape = { .n = N, .lags = 2, .kind = RECURRENT_FORECAST, .hidden = 6,
				       .features = 2, .degree = 2, .rows = 2 };
	double sum[N] = { 0 }, square[N] = { 0 };
	static float x[ROWS][N];
	struct fixture *f = malloc(sizeof(*f));
	struct covariance c;
	struct detector *d;
	uint8_t valid[N] = { 1, 1, 1, 1, 1 };
	unsigned rows = 0, known[N] = { 0 };

	CHECK(f);
	fixture_shaped(f, &shape);
	f->m.spec.recurrent.head.bias = far;
	f->m.spec.recurrent_inv_sigma = one;
	f->m.spec.wanders = zero;
	f->m.spec.view[VIEW_RECURRENT].smooth = 1;
	for (unsigned k = 0; k < ROWS * N; k++)
		x[k / N][k % N] = f->m.spec.mean[k % N] + (float)(k * 37 % 101 - 50.0) / 50 /
				  f->m.spec.inv_std[k % N];
	for (unsigned r = 10; r < ROWS; r += 7)
		x[r][3] = NAN;
	CHECK_EQ(covariance_open(&c, &f->m.spec, x[0], ROWS, NULL), 0);
	CHECK_EQ(detector_open(&d, &f->m.spec, FC_REF, NULL), 0);
	for (unsigned r = 0; r < ROWS; r++) {
		struct detector_result res;

		detector_step(d, x[r], valid, &res);
		if (r < 2)
			continue;
		rows++;
		for (unsigned i = 0; i < N; i++) {
			double e = res.size[VIEW_RECURRENT][i];

			if (isnan(x[r][i]))
				continue;
			known[i]++;
			CHECK(e > 1 && e < DETECTOR_PART_MAX * N - 1);
			sum[i] += e;
			square[i] += e * e;
		}
	}
	CHECK_EQ(c.rows, rows);
	for (unsigned i = 0; i < N; i++) {
		double mean = sum[i] / known[i];

		CHECK_NEAR(c.deviation[i], sqrt(square[i] / known[i] - mean * mean), 1e-3);
	}
	detector_close(d);
	covariance_free(&c);
	fixture_free(f);
	free(f);
}

int main(void)
{
	static float x[ROWS][N];
	struct fixture *f = malloc(sizeof(*f));

	CHECK(f);
	make(f);
	fill(x);
	test_values(f, x);
	test_pairs(f, x);
	test_little(f, x);
	test_many();
	test_too_many(f);
	test_net();
	fixture_free(f);
	free(f);
	return 0;
}
