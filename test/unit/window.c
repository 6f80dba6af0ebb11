// SPDX-License-Identifier: MIT
/*
 * window: the features' names; each against its definition in long double, over random windows with
 * an offset that is large against the signal; a sample too large for any sum; gaps; and no
 * allocation after open. What a value costs is printed.
 */
#include <errno.h>
#include <malloc.h>
#include <time.h>

#include "test/unit/window_fixture.h"

static long double moment(const float *v, unsigned n, long double about, unsigned power)
{
	long double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += powl(v[i] - about, power);
	return sum / n;
}

static double by_definition(unsigned kind, const float *v, unsigned n)
{
	long double mean = moment(v, n, 0, 1), min = v[0], max = v[0];

	for (unsigned i = 0; i < n; i++) {
		min = fminl(min, v[i]);
		max = fmaxl(max, v[i]);
	}
	switch (kind) {
	case FEATURE_MEAN: return mean;
	case FEATURE_MIN: return min;
	case FEATURE_MAX: return max;
	case FEATURE_RMS: return sqrtl(moment(v, n, 0, 2));
	case FEATURE_PEAK_TO_PEAK: return max - min;
	}
	return moment(v, n, mean, 4) / powl(moment(v, n, mean, 2), 2) - 3;
}

/* Longer than the window, so that it has turned; all of a window, never part of one. */
static void test_moments(void)
{
	static const unsigned length[] = { 2, 3, 7, 256, 1000, 4096 };
	static const double offset[] = { 0, 1e5, -3e-3 };
	static float v[3 * 4096];

	for (unsigned kind = FEATURE_MEAN; kind <= FEATURE_KURTOSIS; kind++)
		for (unsigned l = 0; l < 6; l++)
			for (unsigned o = 0; o < 3; o++) {
				unsigned n = length[l], total = 2 * n + n / 3;
				struct window *w = make(kind, n, 0, 0);
				float got = -7;

				for (unsigned i = 0; i < total; i++) {
					double scale, want;

					v[i] = offset[o] + uniform() * uniform() - 0.3;
					window_put(w, v[i], (i + 1) * MS);
					CHECK_EQ(window_value(w, &got), i + 1 >= n);
					if (i + 1 < n) {
						CHECK_NEAR(got, -7, 0);
						continue;
					}
					if (i + 1 < total && i % (n / 2))
						continue;
					want = by_definition(kind, v + i + 1 - n, n);
					scale = fabs(want) > 1e-3 ? fabs(want) : 1e-3;
					CHECK_NEAR(got, want, scale * 1.2e-7);
					/* Asked again, it is the same. */
					CHECK(window_value(w, &got));
					CHECK_NEAR(got, want, scale * 1.2e-7);
				}
				window_close(w);
			}
}

static void test_constant(void)
{
	struct window *w = make(FEATURE_KURTOSIS, 100, 0, 0);
	float got = 1;

	for (unsigned i = 1; i <= 130; i++)
		window_put(w, 0.1f, i * MS);
	CHECK(window_value(w, &got));
	CHECK_NEAR(got, 0, 0);
	window_close(w);
}

/* What leaves the window leaves no trace, as large as it may have been. */
static void test_forgets(void)
{
	for (unsigned kind = FEATURE_MEAN; kind <= FEATURE_BAND; kind++) {
		struct window *w = make(kind, 64, 10, 200), *fresh = make(kind, 64, 10, 200);
		float got = -7, want = 0;

		for (unsigned i = 1; i <= 64; i++)
			window_put(w, i & 1 ? 3e38f : -3e38f, i * MS);
		/* Twice the largest float, or its square, is not delivered as infinity. */
		if (kind == FEATURE_PEAK_TO_PEAK || kind == FEATURE_BAND) {
			CHECK(!window_value(w, &got));
			CHECK_NEAR(got, -7, 0);
		} else {
			CHECK(window_value(w, &got));
		}
		for (unsigned i = 65; i <= 128; i++) {
			float v = uniform();

			window_put(w, v, i * MS);
			window_put(fresh, v, i * MS);
		}
		CHECK(window_value(w, &got) && window_value(fresh, &want));
		CHECK(!memcmp(&got, &want, sizeof got));
		window_close(w);
		window_close(fresh);
	}
}

static void test_gap(void)
{
	struct window *w = make(FEATURE_MEAN, 64, 0, 0);
	uint64_t t = 1000 * MS;
	float got = -7;

	for (unsigned i = 0; i < 64; i++)
		window_put(w, 1, t += MS);
	CHECK(window_value(w, &got));
	/* Fifteen intervals are late, sixteen are a gap. */
	window_put(w, 1, t += 15 * MS);
	CHECK(window_value(w, &got));
	for (unsigned i = 0; i < 70; i++)
		window_put(w, 1, t += MS);
	CHECK(window_value(w, &got));
	window_put(w, 2, t += 16 * MS);
	for (unsigned i = 1; i < 64; i++) {
		CHECK(!window_value(w, &got));
		window_put(w, 2, t += MS);
	}
	CHECK(window_value(w, &got));
	CHECK_NEAR(got, 2, 0);
	/* The other way round is one too. */
	window_put(w, 3, t -= 500 * MS);
	for (unsigned i = 1; i < 64; i++) {
		CHECK(!window_value(w, &got));
		window_put(w, 3, t += MS);
	}
	CHECK(window_value(w, &got));
	CHECK_NEAR(got, 3, 0);
	window_reset(w);
	CHECK(!window_value(w, &got));
	window_close(w);
}

/* A device that said one word, and went on when it was set up. */
static void test_gap_first(void)
{
	struct window *w = make(FEATURE_MEAN, 16, 0, 0);
	float got;

	window_put(w, 1000, 1);
	window_put(w, 1000, 1);
	for (unsigned i = 0; i < 15; i++)
		window_put(w, 1, 5000 * MS + i * MS);
	CHECK(!window_value(w, &got));
	window_put(w, 1, 5015 * MS);
	CHECK(window_value(w, &got));
	CHECK_NEAR(got, 1, 0);
	/* What has gone is not counted any more. */
	window_put(w, 1, 5030 * MS);
	CHECK(window_value(w, &got));
	window_close(w);
}

/* Unevenly, but nowhere a gap: the window is full when it has its samples, and stays so. */
static void test_uneven(void)
{
	static const unsigned at[] = { 1, 20, 21, 41 };
	struct window *four = make(FEATURE_MEAN, 4, 0, 0), *w = make(FEATURE_MEAN, 64, 0, 0);
	struct window *two = make(FEATURE_MEAN, 2, 0, 0);
	uint64_t t = MS;
	float got;

	for (unsigned i = 0; i < 4; i++)
		window_put(four, i, at[i] * MS);
	CHECK(window_value(four, &got));
	for (unsigned i = 0; i < 64; i++)
		window_put(w, 1, t += 2 * MS);
	window_put(w, 1, t += 20 * MS);
	for (unsigned i = 0; i < 80; i++) {
		window_put(w, 1, t += MS);
		CHECK(window_value(w, &got));
	}
	window_put(two, 1, 100);
	window_put(two, 2, 50);
	CHECK(!window_value(two, &got));
	window_put(two, 3, 50);
	CHECK(window_value(two, &got));
	CHECK_NEAR(got, 2.5, 0);
	window_close(four);
	window_close(w);
	window_close(two);
}

/* All at one time: there is no rate, but a mean. */
static void test_one_moment(void)
{
	struct window *band = make(FEATURE_BAND, 8, 1, 2), *mean_of = make(FEATURE_MEAN, 8, 0, 0);
	float got;

	for (unsigned i = 0; i < 20; i++) {
		window_put(band, i, 77);
		window_put(mean_of, i, 77);
	}
	CHECK(!window_value(band, &got));
	CHECK(window_value(mean_of, &got));
	CHECK_NEAR(got, 15.5, 0);
	window_close(band);
	window_close(mean_of);
}

static void test_refused(void)
{
	static const struct feature_config bad[] = {
		{ .kind = FEATURE_LAST, .samples = 8 }, { .kind = FEATURE_BAND + 1, .samples = 8 },
		{ .kind = FEATURE_MEAN, .samples = 0 }, { .kind = FEATURE_MEAN, .samples = 1 },
		{ .kind = FEATURE_MEAN, .samples = 4097 }, { .kind = FEATURE_MEAN, .samples = -1u },
		{ .kind = FEATURE_BAND, .samples = 100, .hi_hz = 1 },
		{ .kind = FEATURE_BAND, .samples = 4, .hi_hz = 1 },
		{ .kind = FEATURE_BAND, .samples = 64, .lo_hz = 2, .hi_hz = 2 },
		{ .kind = FEATURE_BAND, .samples = 64, .lo_hz = -1, .hi_hz = 2 },
		{ .kind = FEATURE_BAND, .samples = 64, .lo_hz = NAN, .hi_hz = 2 },
	};

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct window *w = (void *)1;
		struct why why = { "" };

		CHECK_EQ(window_open(&w, &bad[i], &why), -EINVAL);
		CHECK(!w && why.text[0]);
	}
	window_close(NULL);
}

/* malloc'd bytes stand still; all else would be seen as a page fault by the system test. */
static void test_no_allocation(void)
{
	struct window *w = make(FEATURE_BAND, 1024, 10, 25);
	size_t before = mallinfo2().uordblks, mapped = mallinfo2().hblkhd;
	float got;

	for (unsigned i = 1; i <= 5000; i++) {
		window_put(w, uniform(), i * MS);
		window_value(w, &got);
		CHECK_EQ(mallinfo2().uordblks, before);
		CHECK_EQ(mallinfo2().hblkhd, mapped);
	}
	window_close(w);
}

static void parses(const char *text, unsigned kind, double lo, double hi, const char *want)
{
	struct feature_config c = { .samples = 64 };
	struct why why = { "" };
	char name[32];

	CHECK_EQ(feature_parse(&c, text, name, sizeof name, &why), 0);
	CHECK_EQ(c.kind, kind);
	CHECK_NEAR(c.lo_hz, lo, 0);
	CHECK_NEAR(c.hi_hz, hi, 0);
	CHECK_EQ(c.samples, 64);
	CHECK_STR(name, want);
	c.samples = 0;
	CHECK_EQ(feature_parse(&c, text, name, strlen(want) + 1, &why), 0);
	CHECK_EQ(c.samples, WINDOW_SAMPLES_DEFAULT);
	c.kind = 99;
	CHECK_EQ(feature_parse(&c, text, name, strlen(want), &why), -EINVAL);
	CHECK_EQ(c.kind, 99);
}

static void test_parse(void)
{
	static const char *const bad[] = {
		"", "Mean", "rms ", "10-25", "10-25hz", "10-25 Hz", "25-10Hz", "10-10Hz", "-10Hz",
		"10Hz", "-1-10Hz", "0x1-0x2Hz", "inf-nanHz", "1-infHz", "nan-1Hz", "1-2kkHz",
		"1--2Hz", "+1-2Hz", "1-1e9Hz", "1-1000.1kHz", "1e-9-1e999Hz",
		"100000000-100000001Hz", ".5-2Hz", "10-25Hzx", "10+25Hz", "1000-1000.00001Hz",
	};

	parses("last", FEATURE_LAST, 0, 0, "last");
	parses("mean", FEATURE_MEAN, 0, 0, "mean");
	parses("min", FEATURE_MIN, 0, 0, "min");
	parses("max", FEATURE_MAX, 0, 0, "max");
	parses("rms", FEATURE_RMS, 0, 0, "rms");
	parses("p2p", FEATURE_PEAK_TO_PEAK, 0, 0, "p2p");
	parses("kurtosis", FEATURE_KURTOSIS, 0, 0, "kurtosis");
	parses("10-25Hz", FEATURE_BAND, 10, 25, "10-25Hz");
	parses("0-1000kHz", FEATURE_BAND, 0, 1e6, "0-1e+06Hz");
	parses("0.5-2kHz", FEATURE_BAND, 500, 2000, "500-2000Hz");
	parses("1e1-2.50e1Hz", FEATURE_BAND, 10, 25, "10-25Hz");
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct feature_config c = { .kind = 99 };
		struct why why = { "" };
		char name[32];

		if (feature_parse(&c, bad[i], name, sizeof name, &why) != -EINVAL)
			CHECK_STR(bad[i], "refused");
		CHECK(why.text[0] && c.kind == 99);
	}
}

/* What a tick pays; printed for people, nothing depends on it. */
static void print_cost(void)
{
	static const unsigned length[] = { 256, 1024 };

	for (unsigned l = 0; l < 2; l++)
		for (unsigned kind = FEATURE_MEAN; kind <= FEATURE_BAND; kind++) {
			struct window *w = make(kind, length[l], 10, 25);
			struct timespec a, b;
			double put_ns, value_ns;
			float got;

			clock_gettime(CLOCK_MONOTONIC, &a);
			for (unsigned i = 1; i <= 5000; i++)
				window_put(w, uniform(), i * MS);
			clock_gettime(CLOCK_MONOTONIC, &b);
			put_ns = ((b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec) / 5000;
			clock_gettime(CLOCK_MONOTONIC, &a);
			for (unsigned i = 1; i <= 2000; i++) {
				window_put(w, 1, (5000 + i) * MS);
				window_value(w, &got);
			}
			clock_gettime(CLOCK_MONOTONIC, &b);
			value_ns = ((b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec) / 2000;
			printf("feature %u of %4u samples: %.0f ns a sample, %.2f us a value\n",
			       kind, length[l], put_ns, (value_ns - put_ns) / 1e3);
			window_close(w);
		}
}

int main(void)
{
	test_parse();
	test_refused();
	test_moments();
	test_constant();
	test_forgets();
	test_gap();
	test_gap_first();
	test_uneven();
	test_one_moment();
	test_no_allocation();
	print_cost();
	return 0;
}
