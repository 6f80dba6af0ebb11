// SPDX-License-Identifier: MIT
/*
 * Principal components of windows against numpy's (cov of the windows, eigh; signs as in
 * eigen.h): from all blocks, and without one; how many there are; what they leave.
 */
#include "models/train/subspace_fit.h"

#include <errno.h>

#include "kernels/why.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/gram.h"
#include "test/test.h"

#define ROWS 60
#define N 2
#define LAGS 2
#define CELLS 4

static float x[ROWS * N];

struct golden {
	float encode[2 * CELLS], bias[2], decode[2 * CELLS], mean[CELLS];
	double left[CELLS];	/* squares of rows 10 .. 49 */
};

static const struct golden whole = {
	{ -0.2955854f, -0.1473078f, 0.2971293f, 0.149808f,
	  0.3372526f, 0.1755383f, 0.3362028f, 0.1712153f },
	{ -0.0009251f, -0.3914025f },
	{ -1.3448015f, 1.1755057f, -0.6701946f, 0.6118449f,
	  1.3518257f, 1.1718464f, 0.6815695f, 0.5967769f },
	{ 0.2677802f, 0.6120016f, 0.2634698f, 0.6137527f },
	{ 0.340156, 1.311874, 0.328598, 1.285354 },
};

static const struct golden without_2 = {
	{ 0.33021f, 0.1675584f, -0.2846092f, -0.1422248f,
	  0.3153681f, 0.1633535f, 0.366767f, 0.1907096f },
	{ -0.0041233f, -0.374721f },
	{ 1.3854299f, 1.0617396f, 0.7030085f, 0.549957f,
	  -1.1941074f, 1.2347828f, -0.596719f, 0.642056f },
	{ 0.2173913f, 0.5655571f, 0.2703804f, 0.6009681f },
	{ 0.345667, 1.323543, 0.336608, 1.289774 },
};

static void make(void)
{
	unsigned s = 17;

	for (unsigned i = 0; i < ROWS * N; i++) {
		s = (s * 1103515245u + 12345u) & 0x7fffffff;
		x[i] = (float)((int)((s >> 16) % 201) - 100) / 32;
		if (i % N)
			x[i] = x[i] / 8 + x[i - 1] / 2 + 0.5f;
	}
}

static void near(const float *got, const float *want, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		CHECK_NEAR(got[i], want[i], 2e-6);
}

static void against(const struct golden *want, const struct gram *g, const struct series *s,
		    unsigned without)
{
	struct subspace_options o = { .share = 0.8, .code_clip = 10 };
	double left[CELLS] = { 0 };
	struct subspace_spec spec;
	struct draft d = { 0 };

	CHECK(!subspace_fit(&spec, &d, g, without, &o, NULL));
	CHECK_EQ(spec.lags, LAGS);
	CHECK_EQ(spec.rank, 2);
	CHECK(spec.code_clip == 10);
	CHECK_EQ(spec.encode.in, CELLS);
	CHECK_EQ(spec.encode.out, 2);
	near(spec.encode.weight_f32, want->encode, 2 * CELLS);
	near(spec.encode.bias, want->bias, 2);
	near(spec.decode.weight_f32, want->decode, 2 * CELLS);
	near(spec.decode.bias, want->mean, CELLS);
	CHECK(!subspace_left(left, &spec, s, 10, 50));
	for (unsigned i = 0; i < CELLS; i++)
		CHECK_NEAR(left[i], want->left[i], 2e-5);
	draft_close(&d);
}

static void ranks(const struct gram *g)
{
	static const struct {
		double share;
		unsigned rank, want;
	} all[] = { { 0.8, 0, 2 }, { 0.999, 0, 4 }, { 0.01, 0, 1 }, { 0.8, 3, 3 }, { 0, 9, 4 } };

	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct subspace_options o = { all[i].share, all[i].rank, 10 };
		struct subspace_spec spec;
		struct draft d = { 0 };

		CHECK(!subspace_fit(&spec, &d, g, g->blocks, &o, NULL));
		CHECK_EQ(spec.rank, all[i].want);
		draft_close(&d);
	}
}

int main(void)
{
	struct series s = { .rows = ROWS, .channels = N, .input = x };
	struct subspace_options o = { .share = 0.8, .code_clip = 10 };
	struct subspace_spec spec;
	struct draft d = { 0 };
	struct why why;
	struct gram g;

	make();
	CHECK(!gram_open(&g, &s, LAGS));
	against(&whole, &g, &s, g.blocks);
	against(&without_2, &g, &s, 2);
	ranks(&g);
	gram_close(&g);

	/* A channel that never moves is no component; none that moves, no subspace. */
	for (unsigned t = 0; t < ROWS; t++)
		x[t * N + 1] = 3;
	CHECK(!gram_open(&g, &s, LAGS));
	o.share = 1;
	CHECK(!subspace_fit(&spec, &d, &g, g.blocks, &o, NULL));
	CHECK_EQ(spec.rank, 2);
	gram_close(&g);
	memset(x, 0, sizeof(x));
	CHECK(!gram_open(&g, &s, LAGS));
	CHECK_EQ(subspace_fit(&spec, &d, &g, g.blocks, &o, &why), -EDOM);
	CHECK(strstr(why.text, "ever moves"));
	gram_close(&g);
	draft_close(&d);
	return 0;
}
