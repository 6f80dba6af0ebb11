// SPDX-License-Identifier: MIT
/*
 * A subspace small enough to work out by hand: two channels, two rows, one component, the
 * mean of the window. What operators are fed is clipped, what is compared with them is not.
 */
#include "kernels/subspace.h"

#include <errno.h>

#include "kernels/why.h"
#include "test/test.h"

#define N 2
#define CELLS 4

static const float quarter[CELLS] = { .25f, .25f, .25f, .25f }, ones[CELLS] = { 1, 1, 1, 1 };
static const float zero[CELLS], inv_sigma[CELLS] = { 1, 2, 1, 0 };

static struct subspace_spec spec(void)
{
	return (struct subspace_spec){
		.lags = 2, .rank = 1, .inv_sigma = inv_sigma, .code_clip = 3,
		.encode = { .in = CELLS, .out = 1, .weight_f32 = quarter, .bias = zero },
		.decode = { .in = 1, .out = CELLS, .weight_f32 = ones, .bias = zero },
	};
}

static void step(struct subspace *s, float a, float b, float most, float want_a, float want_b,
		 float want_code)
{
	float u[N] = { a, b }, size[N];

	subspace_step(s, u, most, size);
	CHECK_NEAR(size[0], want_a, 1e-5);
	CHECK_NEAR(size[1], want_b, 1e-5);
	CHECK_NEAR(subspace_code(s)[0], want_code, 1e-6);
}

static void by_hand(void)
{
	struct subspace_spec p = spec();
	struct subspace *s;

	CHECK(!subspace_open(&s, &p, N, 127.0f / 8, FC_REF, NULL));
	/* (1, 3) and zeros: mean 1. Channel 0 leaves 0 and -1; 1 twice 2, and -1 uncounted. */
	step(s, 1, 3, 100, sqrtf(0.5f), sqrtf(16 / 2.0f), 1);
	/* Rows (2, -2), (1, 3): mean 1. */
	step(s, 2, -2, 100, sqrtf(0.5f), sqrtf(36 / 2.0f), 1);
	/* (20, 0), (2, -2): encode sees 8, so the mean is 2; the row is compared as 20. */
	step(s, 20, 0, 100, sqrtf((18 * 18 + 0) / 2.0f), sqrtf(16 / 2.0f), 2);
	/* The same distance, cut at 5. */
	step(s, 0, 0, 5, sqrtf((4 + 25) / 2.0f), 4 / sqrtf(2), 2);
	/* All at 8: the component is 8, and told as 3. */
	step(s, 8, 8, 100, sqrtf((25 + 9) / 2.0f), sqrtf(100 / 2.0f), 4);
	step(s, 8, 8, 100, 5, sqrtf(100 / 2.0f), 8);
	subspace_reset(s);
	step(s, 1, 3, 100, sqrtf(0.5f), sqrtf(16 / 2.0f), 1);
	/* Channel 1 was 4 in the row before as well. */
	subspace_hold(s, 1, 4);
	step(s, 3, 1, 100, sqrtf((0.75f * 0.75f + 1.25f * 1.25f) / 2), 2.5f / sqrtf(2), 2.25f);
	subspace_close(s);
}

static void refused(void)
{
	struct subspace_spec p = spec();
	struct subspace *s;
	struct why why;

	p.rank = 5;
	CHECK_EQ(subspace_open(&s, &p, N, 16, FC_REF, &why), -EINVAL);
	p = spec();
	CHECK_EQ(subspace_open(&s, &p, 3, 16, FC_REF, &why), -EINVAL);
	CHECK(!s && strstr(why.text, "do not fit 1 x 6"));
	p.code_clip = 0;
	CHECK_EQ(subspace_open(&s, &p, N, 16, FC_REF, &why), -EINVAL);
	p = spec();
	p.decode.bias = NULL;
	CHECK_EQ(subspace_open(&s, &p, N, 16, FC_REF, &why), -EINVAL);
	CHECK(!s && strstr(why.text, "subspace.decode"));
	subspace_close(NULL);
}

int main(void)
{
	by_hand();
	refused();
	return 0;
}
