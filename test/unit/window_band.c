// SPDX-License-Identifier: MIT
/*
 * window, the energy in a band: a line in it and beside it, single bins against the sum that a
 * Fourier transform is, all of them against the samples, and the rate as it is measured.
 */
#include <complex.h>

#include "test/unit/window_fixture.h"

/* Of the bins from..to, by the sum that a Fourier transform is. */
static double energy_by_definition(const float *v, unsigned n, unsigned from, unsigned to)
{
	long double mean = 0, squares = 0, sum = 0;

	for (unsigned i = 0; i < n; i++)
		mean += v[i] / (long double)n;
	for (unsigned i = 0; i < n; i++)
		squares += powl(0.5L - 0.5L * cosl(2 * M_PIl * i / n), 2);
	for (unsigned k = from; k <= to; k++) {
		long double complex x = 0;

		for (unsigned i = 0; i < n; i++)
			x += (v[i] - mean) * (0.5L - 0.5L * cosl(2 * M_PIl * i / n)) *
			     cexpl(-2 * M_PIl * I * (k * i % n) / n);
		sum += (k && k < n / 2 ? 2 : 1) * (creall(x) * creall(x) + cimagl(x) * cimagl(x));
	}
	return sum / (n * squares);
}

/* 1000 samples a second; amplitude 2 is an energy of 2. */
static double band_of_sine(double hz, double lo, double hi, double offset)
{
	struct window *w = make(FEATURE_BAND, 256, lo, hi);
	float got = -7;

	for (unsigned i = 1; i <= 300; i++)
		window_put(w, offset + 2 * sin(2 * M_PI * hz * i / 1000), i * MS);
	CHECK(window_value(w, &got));
	window_close(w);
	return got;
}

static void test_sine(void)
{
	/* On a bin, between two, and on a large offset. */
	CHECK_NEAR(band_of_sine(20 * 1000 / 256., 60, 100, 0), 2, 1e-5);
	CHECK_NEAR(band_of_sine(80, 60, 100, 0), 2, 0.02);
	CHECK_NEAR(band_of_sine(81.5, 60, 100, 0), 2, 0.02);
	CHECK_NEAR(band_of_sine(80, 60, 100, 1e4), 2, 0.02);
	/* Beside it: next to nothing. */
	CHECK(band_of_sine(80, 100, 200, 0) < 0.002);
	CHECK(band_of_sine(80, 20, 60, 0) < 0.002);
	CHECK(band_of_sine(80, 300, 500, 0) < 1e-7);
	/* A band narrower than a bin has its part of it, and halves make a whole. */
	CHECK_NEAR(band_of_sine(80, 79, 80, 0) + band_of_sine(80, 80, 82, 0),
		   band_of_sine(80, 79, 82, 0), 1e-6);
	CHECK(band_of_sine(80, 79, 80, 0) > 0.1);
}

/* The rate is twice, half ... as high: so is the frequency that the same samples are. */
static void test_rate(void)
{
	for (double rate = 0.5; rate < 30000; rate *= 1.7) {
		struct window *w = make(FEATURE_BAND, 512, 0.1 * rate, 0.15 * rate);
		float got;

		for (unsigned i = 1; i <= 600; i++)
			window_put(w, sin(2 * M_PI * 0.125 * i), 5 + (uint64_t)(i * 1e9 / rate));
		CHECK(window_value(w, &got));
		CHECK_NEAR(got, 0.5, 1e-4);
		window_close(w);
	}
}

static void feed(struct window *w, const float *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		window_put(w, v[i], (i + 1) * MS);
}

static double band_of(const float *v, unsigned n, double lo, double hi)
{
	struct window *w = make(FEATURE_BAND, n, lo, hi);
	float got;

	feed(w, v, n);
	CHECK(window_value(w, &got));
	window_close(w);
	return got;
}

/* Whole bins against the plain sum; all of them against the samples themselves (Parseval). */
static void test_energy(void)
{
	static const unsigned length[] = { 8, 64, 256 };
	float v[256];

	for (unsigned l = 0; l < 3; l++) {
		unsigned n = length[l];
		double bin = 1000.0 / n, mean = 0, weighted = 0, squares = 0, sum = 0;

		for (unsigned i = 0; i < n; i++)
			mean += v[i] = 5 + uniform() + (i & 1) * 0.4;
		mean /= n;
		for (unsigned i = 0; i < n; i++) {
			double h = 0.5 - 0.5 * cos(2 * M_PI * i / n);

			weighted += h * h * (v[i] - mean) * (v[i] - mean);
			squares += h * h;
		}
		CHECK_NEAR(band_of(v, n, 0, 500), weighted / squares, 1e-6);
		CHECK_NEAR(band_of(v, n, 0, 7000), weighted / squares, 1e-6);
		CHECK_NEAR(energy_by_definition(v, n, 0, n / 2), weighted / squares, 1e-6);
		CHECK_NEAR(band_of(v, n, 1.5 * bin, 3.5 * bin),
			   energy_by_definition(v, n, 2, 3), 1e-6);
		CHECK_NEAR(band_of(v, n, 0, bin / 2), energy_by_definition(v, n, 0, 0), 1e-7);
		CHECK_NEAR(band_of(v, n, 500 - bin / 2, 500),
			   energy_by_definition(v, n, n / 2, n / 2), 1e-7);
		/* Bands side by side. */
		for (double lo = 0; lo < 500; lo += 37)
			sum += band_of(v, n, lo, lo + 37);
		CHECK_NEAR(sum, weighted / squares, 1e-5);
	}
}

/* Noise has the variance that it has, on the average over many windows. */
static void test_variance(void)
{
	struct window *w = make(FEATURE_BAND, 256, 0, 500);
	double sum = 0;
	float got;

	for (unsigned i = 1; i <= 256 * 200; i++) {
		window_put(w, 100 + uniform(), i * MS);
		if (i % 256 == 0) {
			CHECK(window_value(w, &got));
			sum += got;
		}
	}
	CHECK_NEAR(sum / 200, 1 / 12.0, 0.002);
	window_close(w);
}

static void test_above(void)
{
	struct window *w = make(FEATURE_BAND, 64, 600, 700);
	float v[64], got = -7;

	for (unsigned i = 0; i < 64; i++)
		v[i] = uniform();
	feed(w, v, 64);
	CHECK(!window_value(w, &got));
	CHECK_NEAR(got, -7, 0);
	window_close(w);
}

/* Many samples with the time of their arrival: no gaps, and the rate is right. */
static void test_batches(void)
{
	for (unsigned batch = 1; batch <= 100; batch += 3) {
		struct window *w = make(FEATURE_BAND, 256, 240, 260);
		float got;

		for (unsigned i = 0; i < batch * (3 + 300 / batch); i++)
			window_put(w, sin(2 * M_PI * 0.25 * i), (i / batch + 1) * batch * MS);
		CHECK(window_value(w, &got));
		CHECK_NEAR(got, 0.5, 0.001);
		/* Far more than sixteen arrivals are missed. */
		window_put(w, 0, (303 / batch + 50) * batch * MS);
		CHECK(!window_value(w, &got));
		window_close(w);
	}
}

/* Read when there was time for it: a tenth early, a tenth late. */
static void test_jitter(void)
{
	struct window *w = make(FEATURE_BAND, 256, 110, 140);
	float got;

	for (unsigned i = 1; i <= 1000; i++) {
		window_put(w, sin(2 * M_PI * 0.125 * i), (i + 0.2 * uniform()) * MS);
		if (i < 256)
			continue;
		CHECK(window_value(w, &got));
		CHECK_NEAR(got, 0.5, 0.001);
	}
	window_close(w);
}

int main(void)
{
	test_sine();
	test_rate();
	test_energy();
	test_variance();
	test_above();
	test_batches();
	test_jitter();
	return 0;
}
