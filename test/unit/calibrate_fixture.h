/* SPDX-License-Identifier: MIT */
/*
 * calibrate_fixture: a float model of two channels whose every number can be followed by hand: its
 * linear forecast is a constant (the bias), its subspace tells constants as well, so that what is
 * left is u less a constant. Folds differ from it in those constants alone.
 */
#ifndef SONDE_TEST_CALIBRATE_FIXTURE_H
#define SONDE_TEST_CALIBRATE_FIXTURE_H

#include "models/train/calibrate.h"
#include "models/train/draft.h"
#include "models/train/random.h"
#include "models/train/run.h"
#include "test/test.h"

#define ROWS 400
#define N 2
#define FOLDS 2

struct constant {
	struct draft d;
	struct fold fold[FOLDS];
	struct recording rec;
	float x[ROWS * N];
};

static const float zeros[8], ones[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };

/* y = bias: two outputs of two inputs. */
static inline struct fc_spec constant_fc(struct draft *d, float a, float b)
{
	float bias[N] = { a, b };

	return (struct fc_spec){ .in = N, .out = N, .weight_f32 = zeros,
				 .bias = draft_copy(d, bias, sizeof(bias)) };
}

/* The component is the sum of u; it is not used to tell. */
static inline struct fc_spec constant_encode(void)
{
	return (struct fc_spec){ .in = N, .out = 1, .weight_f32 = ones, .bias = zeros };
}

static inline struct fc_spec constant_decode(struct draft *d, float a, float b)
{
	struct fc_spec fc = constant_fc(d, a, b);

	fc.in = 1;
	return fc;
}

/* Uniform noise of two sizes. */
static inline void constant_open(struct constant *c)
{
	struct detector_spec *s = &c->d.m.spec;
	struct random r = { 4 };

	*c = (struct constant){ 0 };
	c->d.m.rate_hz = 1;
	strcpy(c->d.m.name, "constant");
	for (unsigned k = 0; k < ROWS; k++) {
		c->x[k * N] = 10 + random_uniform(&r);
		c->x[k * N + 1] = 3 * random_uniform(&r);
	}
	*s = (struct detector_spec){ .channels = N, .lags = 1, .z_clip = 10,
				     .spread_rate = 0.1f };
	s->mean = draft_copy(&c->d, (float[]){ 10, 0 }, 2 * sizeof(float));
	s->inv_std = draft_copy(&c->d, (float[]){ 2, 1 }, 2 * sizeof(float));
	s->wanders = zeros;
	s->inv_usual = ones;
	s->level_weight = ones;
	s->linear = constant_fc(&c->d, 0, 0);
	s->subspace = (struct subspace_spec){ .lags = 1, .rank = 1, .inv_sigma = ones,
					      .code_clip = 10 };
	s->subspace.encode = constant_encode();
	s->subspace.decode = constant_decode(&c->d, 0, 0);
	for (unsigned v = 0; v < VIEWS; v++)
		s->view[v] = (struct view_spec){ .weight = v != VIEW_RECURRENT, .smooth = 1 };
	for (unsigned k = 0; k < FOLDS; k++)
		c->fold[k] = (struct fold){ .from = k * ROWS / FOLDS, .to = (k + 1) * ROWS / FOLDS,
					    .linear = s->linear, .encode = s->subspace.encode,
					    .decode = s->subspace.decode };
	c->rec = (struct recording){ c->x, ROWS, c->fold, FOLDS };
}

static inline double constant_u(const struct constant *c, unsigned row, unsigned i)
{
	return (c->x[row * N + i] - (i ? 0 : 10)) * (i ? 1 : 2);
}

static inline void constant_close(struct constant *c)
{
	draft_close(&c->d);
}

#endif
