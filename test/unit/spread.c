// SPDX-License-Identifier: MIT
/*
 * The running mean square against weighted sums over all rows so far; too quiet is as far off
 * as too restless; what does not count and what is refused.
 */
#include "kernels/spread.h"

#include <errno.h>
#include <stdint.h>

#include "kernels/why.h"
#include "test/test.h"

#define ROWS 400
#define S 3
#define RATE 0.0625f
#define MOST 4.0f

static const float start[S] = { 0.5f, 2, 0 }, center[S] = { -1, 0.25f, 3 };
static const float inv_dev[S] = { 2, 0, 0.5f };
static double x[ROWS][S];

static void make(void)
{
	uint32_t s = 9;

	for (unsigned t = 0; t < ROWS; t++)
		for (unsigned i = 0; i < S; i++) {
			s = s * 1664525u + 1013904223u;
			/* A level of its own, and now and then more than is let in. */
			x[t][i] = (double)i - 1 + (float)(int32_t)s * 0x1p-31f * (t % 50 ? 1 : 9);
		}
}

/* Of row t: each row's weight written out. */
static double square_at(unsigned t, unsigned i, int centred)
{
	double second = start[i] * pow(1 - RATE, t + 1), mean = 0;

	for (unsigned k = 0; k <= t; k++) {
		double v = fmin(fmax(x[k][i], -MOST), MOST), w = RATE * pow(1 - RATE, t - k);

		mean += w * v;
		second += w * v * v;
	}
	return second - (centred ? mean * mean : 0);
}

static void follows(int centred)
{
	struct spread_spec spec = { .series = S, .rate = RATE, .centred = centred, .start = start,
				    .center = center, .inv_dev = inv_dev };
	float first[S], size[S], v[S];
	struct spread *s;

	CHECK(!spread_open(&s, &spec, NULL));
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned t = 0; t < ROWS; t++) {
			for (unsigned i = 0; i < S; i++)
				v[i] = (float)x[t][i];
			spread_step(s, v, MOST, size);
			for (unsigned i = 0; i < S; i++) {
				double ln = log(square_at(t, i, centred) + 1e-3);

				CHECK_NEAR(spread_ln(s)[i], ln, 2e-5);
				CHECK_NEAR(size[i], fabs(ln - center[i]) * inv_dev[i], 1e-4);
			}
			if (!t && !turn)
				memcpy(first, size, sizeof(first));
			CHECK(t || !memcmp(first, size, sizeof(first)));
		}
		spread_reset(s);
	}
	spread_close(s);
}

/* A series as it was in training, one twice as restless, one that stands still. */
static void two_sided(void)
{
	static const float as[3] = { 1, 1, 1 }, usual[3] = { 0, 0, 0 };
	struct spread_spec spec = { .series = 3, .rate = RATE, .centred = 1, .start = as,
				    .center = usual, .inv_dev = as };
	struct spread *s;
	float size[3];

	CHECK(!spread_open(&s, &spec, NULL));
	for (unsigned t = 0; t < 300; t++) {
		float sign = t % 2 ? 1 : -1, v[3] = { 5 + sign, 5 + 2 * sign, 5 };

		spread_step(s, v, 100, size);
	}
	CHECK(size[0] < 0.1f);
	CHECK_NEAR(size[1], log(4), 0.1);
	CHECK_NEAR(size[2], -log(1e-3), 0.01);
	spread_close(s);
}

/*
 * Of a model from elsewhere: a series' own mean logarithm over the later half of its first rows,
 * then what it departs from that by; a series that begins anew is measured anew.
 */
static void online(void)
{
	struct spread_spec spec = { .series = S, .rate = RATE, .centred = 1, .start = start,
				    .center = center, .inv_dev = inv_dev, .online = 41 };
	double mean[S] = { 0 };
	float size[S], v[S];
	struct spread *s;

	CHECK(!spread_open(&s, &spec, NULL));
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned t = 0; t < 60; t++) {
			for (unsigned i = 0; i < S; i++)
				v[i] = (float)x[t][i];
			spread_step(s, v, MOST, size);
			for (unsigned i = 0; i < S; i++) {
				double ln = log(square_at(t, i, 1) + 1e-3);

				mean[i] += t >= 20 && t < 41 ? ln / 21 : 0;
				CHECK_NEAR(size[i], t < 41 ? 0 : fabs(ln - mean[i]) * inv_dev[i],
					   1e-4);
			}
		}
		spread_reset(s);
		memset(mean, 0, sizeof(mean));
	}
	for (unsigned t = 0; t < 60; t++) {
		for (unsigned i = 0; i < S; i++)
			v[i] = (float)x[t < 30 || i ? t : t - 30][i];
		if (t == 30)
			spread_begin(s, 0);
		spread_step(s, v, MOST, size);
		CHECK(size[0] == 0);
		CHECK(t < 41 || size[2] > 0);
		CHECK(t < 30 || fabs(spread_ln(s)[0] - log(square_at(t - 30, 0, 1) + 1e-3)) < 2e-5);
	}
	spread_close(s);
}

static void refused(void)
{
	static const float bad[] = { 0, -1, 1.5f, NAN };
	struct spread_spec spec = { .series = S, .rate = RATE, .start = start, .center = center,
				    .inv_dev = inv_dev };
	struct spread *s = (struct spread *)&spec;
	struct why why;

	for (unsigned i = 0; i < 4; i++) {
		spec.rate = bad[i];
		CHECK_EQ(spread_open(&s, &spec, &why), -EINVAL);
		CHECK(!s && strstr(why.text, "rate"));
	}
	spec.rate = 1;
	spec.inv_dev = NULL;
	CHECK_EQ(spread_open(&s, &spec, &why), -EINVAL);
	spec.inv_dev = inv_dev;
	spec.series = 0;
	CHECK_EQ(spread_open(&s, &spec, &why), -EINVAL);
	spread_close(NULL);
}

int main(void)
{
	make();
	follows(0);
	follows(1);
	two_sided();
	online();
	refused();
	return 0;
}
