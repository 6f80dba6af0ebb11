// SPDX-License-Identifier: MIT
/*
 * What learning reads of a table: deviations, of the value or of the change; which channels
 * wander; gaps; the rounding of the runtime.
 */
#include "models/train/data.h"

#include <errno.h>

#include "kernels/why.h"
#include "models/table.h"
#include "models/train/random.h"
#include "test/test.h"

#define ROWS 2000
#define AT(i) value[(size_t)r * N + (i)]

enum {
	NOISE,		/* about a level */
	COUNTER,	/* up and up, with a stumble */
	SLOW,		/* a turn every 1000 rows */
	FAST,		/* a turn every 20 */
	STEPPED,	/* restless, on another level in the end */
	DRIFT_AT_LAST,	/* one quiet level, and slowly out of it over the last fifth */
	ZERO, SEVEN,
	N
};

static float value[ROWS * N];

static void make(void)
{
	struct random random = { 21 };

	for (unsigned r = 0; r < ROWS; r++) {
		double t = 2 * M_PI * r;

		AT(NOISE) = 40 + 2 * random_uniform(&random);
		AT(COUNTER) = 1e4f + 3 * (float)r + random_uniform(&random);
		AT(SLOW) = (float)sin(t / 1000) + 0.01f * random_uniform(&random);
		AT(FAST) = (float)sin(t / 20);
		AT(STEPPED) = random_uniform(&random) + (r >= 1600 ? 3 : 0);
		AT(DRIFT_AT_LAST) = (float)sin(t / 150) +
					(r < 1600 ? 0 : 0.0065f * (float)(r - 1600));
		AT(ZERO) = 0;
		AT(SEVEN) = -7;
	}
}

static struct series *open_rows(unsigned rows)
{
	struct table t = { .rows = rows, .channels = N, .rate_hz = 1, .value = value };
	struct series *s;

	CHECK(!series_open(&s, &t, NULL));
	return s;
}

static void wandering(void)
{
	static const float want[N] = { [COUNTER] = 1, [SLOW] = 1, [DRIFT_AT_LAST] = 1, [ZERO] = 1 };
	static const float dead[N] = { [ZERO] = 1, [SEVEN] = 1 };
	struct series *s = open_rows(ROWS);

	CHECK_EQ(s->fit_rows, 1600);
	for (unsigned i = 0; i < N; i++) {
		CHECK(s->wanders[i] == want[i]);
		CHECK(s->dead[i] == dead[i]);
	}
	CHECK_NEAR(s->mean[NOISE], 40, 0.1);
	CHECK_NEAR(1 / s->inv_std[NOISE], 2 / sqrt(3), 0.05);
	/* Of a counter: of its change. */
	CHECK_NEAR(s->mean[COUNTER], 3, 1e-2);
	CHECK_NEAR(1 / s->inv_std[COUNTER], sqrt(2.0 / 3), 0.05);
	CHECK_NEAR(s->mean[SEVEN], -7, 1e-6);
	CHECK_NEAR(1 / s->inv_std[SEVEN], 0.05 * 7, 1e-6);
	CHECK(s->mean[ZERO] == 0 && s->inv_std[ZERO] == 1);
	series_free(s);
}

static void rows_of(const struct series *s)
{
	for (unsigned r = 0; r < s->rows; r++)
		for (unsigned i = 0; i < N; i++) {
			size_t k = (size_t)r * N + i;
			double x = value[k], u;

			if (s->wanders[i] != 0)
				x = r ? x - value[k - N] : s->mean[i];
			u = (x - s->mean[i]) * s->inv_std[i];
			CHECK_NEAR(s->u[k], u, 2e-3 * (1 + fabs(u)));
			CHECK(s->valid[k] == 1);
			u = fmin(fmax(s->u[k], -10), 10);
			CHECK_NEAR(s->input[k], nearbyint(u * 12.7) / 12.7, 1e-5);
		}
}

static void gaps(void)
{
	struct series *s;

	value[100 * N + NOISE] = value[101 * N + NOISE] = NAN;
	value[100 * N + COUNTER] = value[101 * N + COUNTER] = INFINITY;
	value[NOISE] = value[COUNTER] = NAN;
	value[500 * N + NOISE] = 400;
	s = open_rows(ROWS);
	CHECK(s->wanders[COUNTER] == 1 && s->wanders[NOISE] == 0);
	CHECK(s->valid[100 * N + NOISE] == 0 && s->valid[102 * N + NOISE] == 1);
	CHECK(s->u[NOISE] == 0 && s->u[COUNTER] == 0);
	/* A value repeats; a change is none, and then all that has come together. */
	CHECK(s->u[100 * N + NOISE] == s->u[99 * N + NOISE]);
	CHECK(s->u[101 * N + NOISE] == s->u[99 * N + NOISE]);
	CHECK(s->u[100 * N + COUNTER] == 0 && s->u[101 * N + COUNTER] == 0);
	CHECK_NEAR(s->u[102 * N + COUNTER],
		   (value[102 * N + COUNTER] - value[99 * N + COUNTER] - s->mean[COUNTER]) *
		   s->inv_std[COUNTER], 1e-3);
	/* What is compared is not clipped, what is fed is. */
	CHECK(s->u[500 * N + NOISE] > 20);
	CHECK_NEAR(s->input[500 * N + NOISE], 10, 1e-5);
	series_free(s);
}

int main(void)
{
	struct table few = { .rows = 49, .channels = N, .value = value };
	struct series *s;
	struct why why;

	make();
	CHECK_EQ(series_fit_rows(1000), 800);
	CHECK_EQ(series_fit_rows(59), 49);
	wandering();
	s = open_rows(ROWS);
	rows_of(s);
	series_free(s);
	gaps();
	CHECK_EQ(series_open(&s, &few, &why), -EINVAL);
	CHECK(strstr(why.text, "49 rows"));
	series_free(NULL);
	return 0;
}
