// SPDX-License-Identifier: MIT
/*
 * The histograms of the stats page: edges without a gap, and quantiles against those of
 * the sorted values, at most one bucket away and never below.
 */
#include <math.h>

#include "agent/stats.h"
#include "test/test.h"

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void test_hist(void)
{
	static const double q[] = { 0, 0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1 };
	enum { N = 20000 };
	static uint64_t v[N];
	struct sonde_hist h = { 0 };
	uint64_t sum = 0, seed = 1;

	CHECK_EQ(stats_bucket(0), 0);
	CHECK_EQ(stats_bucket(255), 0);
	CHECK_EQ(stats_bucket(256), 1);
	CHECK_EQ(stats_bucket(UINT64_MAX), SONDE_HIST_BUCKETS - 1);
	CHECK_EQ(stats_bucket_floor(0), 0);
	CHECK_EQ(stats_bucket_floor(1), 256);
	CHECK_EQ(stats_bucket_floor(2), 320);
	CHECK_EQ(stats_bucket_floor(5), 512);
	CHECK_EQ(stats_bucket_floor(SONDE_HIST_BUCKETS - 1), (1ULL << 39) / 2 * 3);
	for (unsigned b = 0; b < SONDE_HIST_BUCKETS; b++) {
		CHECK_EQ(stats_bucket(stats_bucket_floor(b)), b);
		if (b)
			CHECK_EQ(stats_bucket(stats_bucket_floor(b) - 1), b - 1);
	}
	CHECK_EQ(stats_hist_quantile(&h, 0.5), 0);
	CHECK_EQ(stats_hist_quantile(&h, 1), 0);
	for (unsigned i = 0; i < N; i++) {
		/* Log-uniform over 60 ns .. 64 s: Knuth's MMIX generator. */
		seed = seed * 6364136223846793005 + 1442695040888963407;
		v[i] = exp2(6 + 30 * ((seed >> 11) * 0x1p-53));
		stats_hist_add(&h, v[i]);
		sum += v[i];
	}
	qsort(v, N, sizeof(*v), by_value);
	CHECK_EQ(h.count, N);
	CHECK_EQ(h.sum_ns, sum);
	CHECK_EQ(h.max_ns, v[N - 1]);
	for (unsigned i = 0; i < sizeof(q) / sizeof(*q); i++) {
		uint64_t truth = v[q[i] > 0 ? (int)ceil(q[i] * N) - 1 : 0];
		uint64_t got = stats_hist_quantile(&h, q[i]);

		CHECK(got >= truth);
		CHECK(stats_bucket(got - 1) == stats_bucket(truth) || got == h.max_ns);
	}
	CHECK_EQ(stats_hist_quantile(&h, 1), v[N - 1]);
	CHECK_EQ(stats_hist_quantile(&h, NAN), 256);
	/* The last bucket has no upper edge but the maximum; nor has any one above it. */
	h = (struct sonde_hist){ 0 };
	stats_hist_add(&h, 1ULL << 45);
	CHECK_EQ(stats_hist_quantile(&h, 0.5), 1ULL << 45);
	stats_hist_add(&h, 300);
	CHECK_EQ(stats_hist_quantile(&h, 0.5), 320);
	h = (struct sonde_hist){ 0 };
	stats_hist_add(&h, 1000);
	CHECK_EQ(stats_hist_quantile(&h, 0.5), 1000);
}

int main(void)
{
	test_hist();
	return 0;
}
