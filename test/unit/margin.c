// SPDX-License-Identifier: MIT
/*
 * Margins against the definition written out plainly, with periods, without, and of two
 * channels; that they are causal; and the seasonal forecast by itself. The detector here is
 * the simplest there is: u = x and a forecast of 0.
 */
#include <errno.h>
#include <stdlib.h>

#include "kernels/why.h"
#include "models/train/margin.h"
#include "models/train/season.h"
#include "test/test.h"

#define ROWS 3000
#define NORMAL 500
#define TWO_PI 6.28318530717958647692

static double random_part(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return (double)(*s >> 33) / 2147483648.0 - 0.5;
}

static const float zero[4], one[2] = { 1, 1 }, sigma[2] = { 2, .5f };

static struct detector_spec simple(unsigned n)
{
	struct detector_spec s = {
		.channels = n, .lags = 1, .mean = zero, .inv_std = one, .wanders = zero,
		.z_clip = 10, .level_weight = one, .spread_rate = 1, .inv_sigma = sigma,
		.linear = { .in = n, .out = n, .weight_f32 = zero, .bias = zero },
	};

	for (unsigned v = 0; v < VIEWS; v++)
		s.view[v] = (struct view_spec){ v == VIEW_LEVEL || v == VIEW_FORECAST, 1, 1 };
	return s;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One view's part of the margins, from models/train/margin.h's words. */
static void plain_view(const double *v, double *margin)
{
	double t[NORMAL], nats, q, excess = 0, limit = -HUGE_VAL, beyond = 0;
	unsigned n = NORMAL - 30;

	memcpy(t, v + 30, n * sizeof *t);
	qsort(t, n, sizeof *t, by_size);
	q = t[(unsigned)(.9 * (n - 1))];
	q += (.9 * (n - 1) - floor(.9 * (n - 1))) * (t[(unsigned)(.9 * (n - 1)) + 1] - q);
	for (unsigned i = 0; i < n; i++)
		if (t[i] > q) {
			excess += t[i] - q;
			beyond++;
		}
	excess = beyond > 0 ? excess / beyond : 0;
	excess = fmax(excess, fmax(.05 * q, .01));
	for (unsigned r = 0; r < ROWS; r++) {
		unsigned under = 0;
		double m;

		while (under < n && t[under] < v[r])
			under++;
		nats = v[r] > q ? 2.3 + (v[r] - q) / excess :
		       fmin(2.3, -log(fmax(1 - under / (double)n, .1)));
		m = log((t[n - 1] > 0 ? nats : 0) + .3) - limit;
		if (r >= NORMAL && m > 0) {
			margin[r] = fmax(margin[r], m);
			limit += .3 * m;
		} else {
			limit = r < NORMAL && m > 0 ? limit + fmin(m, 1e300) : limit - 1 / 20000.0;
			if (isinf(limit))
				limit = log((t[n - 1] > 0 ? nats : 0) + .3);
		}
	}
}

static void plain(const float *x, unsigned n, const struct season *season, double *told)
{
	static double margin[ROWS], v[ROWS];

	memset(margin, 0, sizeof margin);
	for (unsigned i = 0; i < n; i++) {
		double smooth = 0, seasonal = 0;
		float u[ROWS];

		for (unsigned r = 0; r < ROWS; r++)
			u[r] = x[r * n + i];
		for (unsigned view = 0; view < 5; view++) {
			if (view == 4 && !season[i].period)
				continue;
			for (unsigned r = 0; r < ROWS; r++) {
				double s = r > 1 ? (double)u[r] * sigma[i] : 0;
				double left = view == 4 ? season_left(&season[i], u, r) : 0;

				smooth += .2 * (view == 3) * (s - smooth);
				seasonal += .2 * (left - seasonal);
				v[r] = view == 0 ? fmax(u[r], 0) : view == 1 ? fmax(-u[r], 0) :
				       view == 2 ? fabs(s) : fabs(view == 3 ? smooth : seasonal);
			}
			plain_view(v, margin);
		}
	}
	for (unsigned r = 0; r < ROWS; r++) {
		told[r] = margin[r];
		for (unsigned k = 1; k <= 50 && k <= r; k++)
			if (margin[r - k] >= margin[r])
				told[r] = 0;
	}
}

static void make(float *x, unsigned n, unsigned period, uint64_t seed)
{
	for (unsigned r = 0; r < ROWS; r++)
		for (unsigned i = 0; i < n; i++)
			x[r * n + i] = (float)(random_part(&seed) +
				(period ? 2 * sin(TWO_PI * r / period) : 0) +
				(r > 1500 && r < 1510 ? 3 : 0) - (r == 2000 ? 9 : 0) +
				(r > 2500 ? 1 : 0));
}

static void as_defined(unsigned n, unsigned period)
{
	static float x[2 * ROWS], got[ROWS], again[ROWS];
	static double want[ROWS];
	struct detector_spec spec = simple(n);
	struct season season[2];
	unsigned told = 0;

	make(x, n, period, 11 + period);
	for (unsigned i = 0; i < n; i++) {
		float u[NORMAL];

		for (unsigned r = 0; r < NORMAL; r++)
			u[r] = x[r * n + i];
		CHECK_EQ(season_fit(&season[i], u, NORMAL), 0);
		CHECK(period ? season[i].period >= period && season[i].period % period == 0 :
			       season[i].period == 0);
	}
	CHECK_EQ(margin_scores(&spec, FC_REF, x, ROWS, NORMAL, got, NULL), 0);
	plain(x, n, season, want);
	for (unsigned r = 0; r < ROWS; r++) {
		CHECK_NEAR(got[r], want[r], 1e-4);
		told += got[r] > 0;
	}
	for (unsigned r = 0; r < NORMAL; r++)
		CHECK(got[r] == 0);
	CHECK(told > 3);
	CHECK(got[1501] > .3f && got[2000] > .3f);
	/* What comes later changes nothing. */
	for (unsigned i = 2200 * n; i < ROWS * n; i++)
		x[i] = 100;
	CHECK_EQ(margin_scores(&spec, FC_REF, x, ROWS, NORMAL, again, NULL), 0);
	CHECK(!memcmp(got, again, 2200 * sizeof *got));
	CHECK(memcmp(got, again, sizeof got));
}

/* A wave is forecast from a period ago; where its phase slips, that fails; noise has no period. */
static void seasons(void)
{
	float u[1000];
	struct season s;
	uint64_t seed = 5;
	double inside = 0, slipped = 0;

	for (unsigned r = 0; r < 1000; r++)
		u[r] = (float)(fmod(r + (r >= 700 ? 17 : 0), 60) < 12 ? 3 : 0) +
		       (float)random_part(&seed) * .2f;
	CHECK_EQ(season_fit(&s, u, 600), 0);
	CHECK(s.period && s.period % 60 == 0);	/* a multiple of it is as good */
	for (unsigned r = 500; r < 700; r++)
		inside += fabs(season_left(&s, u, r)) / 200;
	for (unsigned r = 700; r < 760; r++)
		slipped += fabs(season_left(&s, u, r)) / 60;
	CHECK(inside < 1.2 && slipped > 2 * inside);
	CHECK(season_left(&s, u, s.period + 1) == 0);
	CHECK(season_left(&s, u, s.period + 2) != 0);

	for (unsigned r = 0; r < 1000; r++)
		u[r] = (float)random_part(&seed);
	CHECK_EQ(season_fit(&s, u, 1000), 0);
	CHECK_EQ(s.period, 0);
	CHECK(season_left(&s, u, 900) == 0);
	for (unsigned r = 0; r < 1000; r++)
		u[r] = 4;
	CHECK_EQ(season_fit(&s, u, 1000), 0);
	CHECK_EQ(s.period, 0);
	CHECK_EQ(season_fit(&s, u, 0), 0);
}

static void odd_input(void)
{
	static float x[ROWS], got[ROWS];
	struct detector_spec spec = simple(1);
	struct why why = { "" };

	CHECK_EQ(margin_scores(&spec, FC_REF, x, ROWS, MARGIN_NORMAL_MIN - 1, got, &why), -EINVAL);
	CHECK(strstr(why.text, "59 normal rows") != NULL);
	CHECK_EQ(margin_scores(&spec, FC_REF, x, 100, 101, got, &why), -EINVAL);
	/* Nothing moves, ever; then something does; then nothing is known. */
	CHECK_EQ(margin_scores(&spec, FC_REF, x, ROWS, NORMAL, got, &why), 0);
	for (unsigned r = 0; r < ROWS; r++)
		CHECK(got[r] < 1e-3f);	/* as much as a limit falls between */
	make(x, 1, 0, 3);
	for (unsigned r = 1000; r < ROWS; r++)
		x[r] = NAN;
	CHECK_EQ(margin_scores(&spec, FC_REF, x, ROWS, NORMAL, got, &why), 0);
	for (unsigned r = 0; r < ROWS; r++)
		CHECK(isfinite(got[r]) && got[r] >= 0 && (r < 1000 || got[r] == 0));
}

int main(void)
{
	as_defined(1, 0);
	as_defined(1, 40);
	as_defined(2, 40);
	seasons();
	odd_input();
	return 0;
}
