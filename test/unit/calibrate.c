// SPDX-License-Identifier: MIT
/*
 * What calibration measures, on a model that can be followed by hand: that each row is judged by
 * the fold made without it, whitening, what is usual of the slow views, medians, the point
 * limit, and a self-test that the model passes.
 */
#include "models/train/calibrate.h"

#include <errno.h>

#include "kernels/why.h"
#include "test/unit/calibrate_fixture.h"

static double sorted[ROWS];

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(unsigned n, double q)
{
	qsort(sorted, n, sizeof(*sorted), ascending);
	return sorted[(unsigned)(q * (n - 1) + 0.5)];
}

struct seen {
	unsigned calls, row[ROWS];
	float prediction[ROWS], departure[ROWS], code[ROWS], view[VIEWS][ROWS], score[ROWS];
};

static void see(void *ctx, unsigned row, const struct detector_result *r)
{
	struct seen *s = ctx;

	s->row[s->calls++] = row;
	s->prediction[row] = r->prediction[1];
	s->departure[row] = r->departure;
	s->code[row] = r->view[VIEW_CODE];
	s->score[row] = r->score;
	for (unsigned v = 0; v < VIEWS; v++)
		s->view[v][row] = r->view[v];
}

/* Each row once, in order, warm, by the operators of its fold. */
static void by_folds(void)
{
	static struct seen s;
	static struct constant c;

	constant_open(&c);
	CHECK(!calibrate(&c.d, &c.rec, FC_REF, NULL));
	for (unsigned k = 0; k < FOLDS; k++)
		c.fold[k].linear = constant_fc(&c.d, 0, 5 + (float)k);
	CHECK(!run_folds(&c.d.m.spec, FC_REF, &c.rec, see, &s, NULL));
	CHECK_EQ(s.calls, ROWS);
	for (unsigned r = 0; r < ROWS; r++) {
		CHECK_EQ(s.row[r], r);
		CHECK(!r || s.prediction[r] == (r < ROWS / 2 ? 5 : 6));
		CHECK(r < 2 || s.score[r] > 0);
		CHECK(s.code[r] == 0);
	}
	/* The code view's turn: with the model's own operators. */
	s.calls = 0;
	CHECK(!run_codes(&c.d.m.spec, FC_REF, &c.rec, see, &s, NULL));
	CHECK_EQ(s.calls, ROWS);
	for (unsigned r = 3; r < ROWS; r++)
		CHECK(s.code[r] > 0 && s.prediction[r] == 0 && s.view[VIEW_SPREAD][r] == 0);
	constant_close(&c);
}

/* Of channel i over the rows that count (all but the first), less a constant per fold. */
static double root_mean_square(const struct constant *c, unsigned i, const double less[FOLDS])
{
	double sum = 0;

	for (unsigned r = 1; r < ROWS; r++)
		sum += pow(constant_u(c, r, i) - less[r >= ROWS / 2], 2);
	return sqrt(sum / (ROWS - 1));
}

static void whitening(void)
{
	static const double less[N][FOLDS] = { { 0, 0 }, { 1, -2 } };
	static struct constant c;

	constant_open(&c);
	for (unsigned k = 0; k < FOLDS; k++)
		c.fold[k].linear = constant_fc(&c.d, 0, (float)less[1][k]);
	CHECK(!calibrate_usual(&c.d, &c.rec, FC_REF, NULL));
	/* One row of each fold's run is not ready: the first fold's first. */
	for (unsigned i = 0; i < N; i++)
		CHECK_NEAR(1 / c.d.m.spec.inv_sigma[i], root_mean_square(&c, i, less[i]), 0.01);
	constant_close(&c);
}

/* ln of the running variance of channel i's u, as spread.h has it. */
static void ln_of(double *ln, const struct constant *c, unsigned i, double start)
{
	double mean = 0, second = start, a = c->d.m.spec.spread_rate;

	for (unsigned r = 0; r < ROWS; r++) {
		double u = constant_u(c, r, i);

		mean += a * (u - mean);
		second += a * (u * u - second);
		ln[r] = log(second - mean * mean + 1e-3);
	}
}

/* Mean and deviation over rows 20 .. (a window on) without those of a fold. */
static void usual_of(const double *ln, unsigned without, double *center, double *deviation)
{
	double sum = 0, square = 0, n = 0;

	for (unsigned r = 20; r < ROWS; r++) {
		if (r / (ROWS / FOLDS) == without)
			continue;
		sum += ln[r];
		square += ln[r] * ln[r];
		n++;
	}
	*center = sum / n;
	*deviation = sqrt(square / n - *center * *center);
}

/* By what was usual outside of the row's fold; the first rows of a fold's run are its own. */
static void judged(const struct constant *c)
{
	static struct seen seen;
	static double ln[N][ROWS];

	CHECK(!run_folds(&c->d.m.spec, FC_REF, &c->rec, see, &seen, NULL));
	for (unsigned i = 0; i < N; i++)
		ln_of(ln[i], c, i, c->d.m.spec.spread.start[i]);
	for (unsigned r = 0; r < ROWS; r++) {
		const struct fold *f = &c->fold[r / (ROWS / FOLDS)];
		double sum = 0;

		for (unsigned i = 0; i < N; i++)
			sum += fabs(ln[i][r] - f->center[VIEW_SPREAD][i]) *
			       f->inv_dev[VIEW_SPREAD][i] / N;
		CHECK_NEAR(seen.view[VIEW_SPREAD][r], sum, 2e-3);
	}
}

static void usual(void)
{
	static struct constant c;
	static double ln[ROWS];
	/* A variance of so few rows can not be known better. */
	double least = sqrt(2 / (2 / 0.1 - 2));

	constant_open(&c);
	/* The second half of channel 1 is quieter. */
	for (unsigned r = ROWS / 2; r < ROWS; r++)
		c.x[r * N + 1] /= 8;
	CHECK(!calibrate_usual(&c.d, &c.rec, FC_REF, NULL));
	for (unsigned i = 0; i < N; i++) {
		const struct spread_spec *s = &c.d.m.spec.spread;
		double sum = 0, square = 0, center, deviation;

		for (unsigned r = 0; r < ROWS; r++) {
			sum += constant_u(&c, r, i) / ROWS;
			square += constant_u(&c, r, i) * constant_u(&c, r, i) / ROWS;
		}
		CHECK_NEAR(s->start[i], square - sum * sum, 1e-4);
		ln_of(ln, &c, i, square - sum * sum);
		usual_of(ln, FOLDS, &center, &deviation);
		CHECK_NEAR(s->center[i], center, 1e-3);
		CHECK_NEAR(1 / s->inv_dev[i], fmax(deviation, least), 1e-3);
		for (unsigned k = 0; k < FOLDS; k++) {
			usual_of(ln, k, &center, &deviation);
			CHECK_NEAR(c.fold[k].center[VIEW_SPREAD][i], center, 1e-3);
			CHECK_NEAR(1 / c.fold[k].inv_dev[VIEW_SPREAD][i], fmax(deviation, least),
				   1e-3);
		}
	}
	CHECK(c.fold[0].center[VIEW_SPREAD][1] < c.fold[1].center[VIEW_SPREAD][1] - 2);
	judged(&c);
	CHECK(c.d.m.spec.code.center && c.d.m.spec.left.center);
	constant_close(&c);
}

/* With the forecast and the subspace alone. */
static void limits(void)
{
	static struct constant c;
	static struct seen seen;
	const struct detector_spec *s = &c.d.m.spec;
	struct detector *det;
	double usual[N];

	constant_open(&c);
	for (unsigned v = 0; v < VIEWS; v++)
		c.d.m.spec.view[v].weight = v == VIEW_SUBSPACE || v == VIEW_FORECAST;
	CHECK(!calibrate(&c.d, &c.rec, FC_REF, NULL));
	CHECK(!run_folds(s, FC_REF, &c.rec, see, &seen, NULL));
	for (unsigned v = VIEW_SUBSPACE; v <= VIEW_FORECAST; v++) {
		for (unsigned r = 1; r < ROWS; r++)
			sorted[r - 1] = seen.view[v][r];
		CHECK_NEAR(1 / s->view[v].scale, quantile(ROWS - 1, 0.5), 1e-6);
	}
	for (unsigned i = 0; i < N; i++) {
		for (unsigned r = 1; r < ROWS; r++)
			sorted[r - 1] = fabs(constant_u(&c, r, i));
		usual[i] = quantile(ROWS - 1, 0.95);
		CHECK_NEAR(1 / s->inv_usual[i], usual[i], 1e-3);
	}
	for (unsigned r = 1; r < ROWS; r++) {
		sorted[r - 1] = fmax(fabs(constant_u(&c, r, 0)) / usual[0],
				     fabs(constant_u(&c, r, 1)) / usual[1]);
		CHECK_NEAR(seen.departure[r], sorted[r - 1], 1e-3);
	}
	CHECK_NEAR(c.d.m.point_limit, 1.9 * quantile(ROWS - 1, 0.95), 5e-3);
	/* Knot 2 is the score that half of the rows exceed. */
	for (unsigned r = 1; r < ROWS; r++)
		sorted[r - 1] = seen.score[r];
	CHECK_NEAR(c.d.m.tail.knot[2], quantile(ROWS - 1, 0.5), 5e-3);
	/* In medians: two views at theirs are the root of two. */
	CHECK(c.d.m.tail.knot[2] > 1.2f && c.d.m.tail.knot[2] < 1.7f);
	CHECK(c.d.m.departure[0] >= 0.5f && c.d.m.departure[0] < 5);
	CHECK(c.d.m.test_rows >= 64 && c.d.m.test_score[c.d.m.test_rows - 1] > 0);
	CHECK(!model_detector(&det, &c.d.m, FC_REF, NULL));
	detector_close(det);
	constant_close(&c);
}

/* Folds that do worse than the model: their medians count. And too few rows. */
static void promises_little(void)
{
	static struct constant c;
	float scale;
	struct why why;

	constant_open(&c);
	CHECK(!calibrate(&c.d, &c.rec, FC_REF, NULL));
	scale = c.d.m.spec.view[VIEW_SUBSPACE].scale;
	for (unsigned k = 0; k < FOLDS; k++)
		c.fold[k].decode = constant_decode(&c.d, 6, 6);
	CHECK(!calibrate(&c.d, &c.rec, FC_REF, NULL));
	CHECK(c.d.m.spec.view[VIEW_SUBSPACE].scale < 0.5f * scale);
	c.rec = (struct recording){ c.x, 30, NULL, 0 };
	CHECK_EQ(calibrate(&c.d, &c.rec, FC_REF, &why), -EINVAL);
	CHECK(strstr(why.text, "too few"));
	constant_close(&c);
}

int main(void)
{
	by_folds();
	whitening();
	usual();
	limits();
	promises_little();
	return 0;
}
