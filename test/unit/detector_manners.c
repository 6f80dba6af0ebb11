// SPDX-License-Identifier: MIT
/*
 * What a detector owes its rows: no score before it knows, none from what can not be
 * believed, a fair return for channels that were away, and no scar from wild readings.
 */
#include "kernels/detector.h"
#include "kernels/why.h"
#include "test/golden/made.h"
#include "test/test.h"

#define CHANNELS_MAX 8

/* A detector in a quiet place. */
struct quiet {
	struct made made;
	struct detector *detector;
	struct detector_result result;
	float x[CHANNELS_MAX];
	uint8_t valid[CHANNELS_MAX];
};

static void quiet_shaped(struct quiet *q, const struct made_shape *shape)
{
	made_open(&q->made, shape);
	CHECK_EQ(detector_open(&q->detector, &q->made.spec, FC_XNN, NULL), 0);
	memset(q->valid, 1, sizeof q->valid);
	memcpy(q->x, q->made.spec.mean, q->made.spec.channels * sizeof *q->x);
}

/* Every view, with a net that may be left out (hidden 0). */
static void quiet_open(struct quiet *q, unsigned channels, unsigned hidden, unsigned lags)
{
	struct made_shape shape = {
		.channels = channels, .lags = lags, .level = true, .rank = 4, .slow = true,
		.net = hidden ? RECURRENT_FORECAST : RECURRENT_NONE, .hidden = hidden,
		.int8 = true,
	};

	quiet_shaped(q, &shape);
}

static void quiet_close(struct quiet *q)
{
	detector_close(q->detector);
	made_close(&q->made);
}

/* `rows` rows in which u is 0: at the means, or moving on by them. */
static void quiet_rest(struct quiet *q, unsigned rows)
{
	const struct detector_spec *s = &q->made.spec;

	for (unsigned i = 0; i < rows; i++) {
		for (unsigned c = 0; c < s->channels; c++)
			q->x[c] = s->wanders[c] == 0 ? s->mean[c] : q->x[c] + s->mean[c];
		detector_step(q->detector, q->x, q->valid, &q->result);
	}
}

static void warm_up(void)
{
	static const struct {
		struct made_shape shape;
		unsigned rows;
	} all[] = {
		{ { .channels = 3, .lags = 1 }, 1 },
		{ { .channels = 3, .lags = 6, .level = true, .slow = true }, 6 },
		{ { .channels = 3, .lags = 6, .rank = 2 }, 7 },
		{ { .channels = 3, .lags = 2, .net = RECURRENT_FORECAST, .hidden = 8 }, 32 },
		{ { .channels = 3, .lags = 40, .net = RECURRENT_FORECAST, .hidden = 8 }, 40 },
		{ { .channels = 3, .lags = 2, .net = RECURRENT_AUTOENCODER, .hidden = 8,
		    .window = 12 }, 12 },
	};

	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		unsigned want = all[i].rows;
		struct quiet q;

		quiet_shaped(&q, &all[i].shape);
		CHECK_EQ(detector_warmup(q.detector), want);
		for (unsigned turn = 0; turn < 2; turn++) {
			quiet_rest(&q, want);
			CHECK(!q.result.ready && q.result.score == 0 && q.result.departure == 0);
			quiet_rest(&q, 1);
			CHECK(q.result.ready);
			detector_reset(q.detector);
		}
		/* Rows in which nothing was seen teach nothing: before, and in between. */
		memset(q.valid, 0, sizeof q.valid);
		quiet_rest(&q, 3 * want);
		memset(q.valid, 1, sizeof q.valid);
		quiet_rest(&q, want - 1);
		memset(q.valid, 0, sizeof q.valid);
		quiet_rest(&q, 1);
		memset(q.valid, 1, sizeof q.valid);
		quiet_rest(&q, 1);
		CHECK(!q.result.ready);
		quiet_rest(&q, 1);
		CHECK(q.result.ready);
		quiet_close(&q);
	}
}

/* NaN, infinity and invalid are one and the same; the value beside `invalid` is not looked at. */
static void unbelievable(void)
{
	static const float values[] = { NAN, INFINITY, -INFINITY, 1e38f };
	struct detector_result r[4];
	float contribution[4][5];

	for (unsigned k = 0; k < 4; k++) {
		struct quiet q;

		quiet_open(&q, 5, 16, 3);
		quiet_rest(&q, 40);
		q.x[2] = values[k];
		q.valid[2] = k < 3;
		q.x[4] += 20 / q.made.spec.inv_std[4];
		detector_step(q.detector, q.x, q.valid, &q.result);
		detector_step(q.detector, q.x, q.valid, &q.result);
		r[k] = q.result;
		memcpy(contribution[k], q.result.contribution, sizeof contribution[k]);
		CHECK(contribution[k][2] == 0);
		CHECK(contribution[k][4] > 0.5f * r[k].score && r[k].score > 1);
		CHECK(r[k].score == r[0].score && r[k].departure == r[0].departure);
		CHECK(!memcmp(r[k].view, r[0].view, sizeof r[k].view));
		CHECK(!memcmp(contribution[k], contribution[0], sizeof contribution[0]));
		quiet_close(&q);
	}
}

static void nothing_valid(void)
{
	struct quiet q;

	quiet_open(&q, 5, 16, 3);
	quiet_rest(&q, 40);
	memset(q.valid, 0, sizeof q.valid);
	for (unsigned i = 0; i < 500; i++) {
		detector_step(q.detector, q.x, q.valid, &q.result);
		CHECK(q.result.score == 0 && q.result.departure == 0);
		for (unsigned v = 0; v < VIEWS; v++)
			CHECK(q.result.view[v] == 0);
		for (unsigned c = 0; c < 5; c++)
			CHECK(q.result.contribution[c] == 0 && isfinite(q.result.prediction[c]));
	}
	/* Back again: as at the start. */
	memset(q.valid, 1, sizeof q.valid);
	quiet_rest(&q, 1);
	CHECK(!q.result.ready);
	quiet_close(&q);
}

/*
 * A channel that wanders comes back from a short gap: it is judged by where it was forecast to
 * be. From a long one it may be anywhere.
 */
static void coming_back(void)
{
	for (unsigned turn = 0; turn < 3; turn++) {
		unsigned gap = turn < 2 ? 1 : 40;
		float jump = turn ? 50 : 0;
		struct quiet q;

		quiet_open(&q, 5, 0, 3);
		CHECK(q.made.spec.wanders[1] == 1);
		quiet_rest(&q, 40);
		q.valid[1] = 0;
		quiet_rest(&q, gap);
		q.valid[1] = 1;
		q.x[1] += jump / q.made.spec.inv_std[1];
		quiet_rest(&q, 1);
		CHECK(q.result.ready);
		for (unsigned v = VIEW_SUBSPACE; v <= VIEW_FORECAST; v++)
			CHECK(turn == 1 ? q.result.size[v][1] > 5 : q.result.size[v][1] < 1);
		CHECK_NEAR(q.result.u[1], turn == 1 ? 50 : 0, turn == 2 ? 1e-3 : 2);
		CHECK(turn != 1 || q.result.contribution[1] > q.result.contribution[0]);
		quiet_close(&q);
	}
}

/* The wildest finite readings leave no trace that rest does not heal. */
static void wild(void)
{
	static const float values[] = { 3e38f, -3e38f, 1e30f };
	struct quiet q;
	float before, most, x[5];

	quiet_open(&q, 5, 16, 3);
	quiet_rest(&q, 2000);
	before = q.result.score;
	memcpy(x, q.x, sizeof x);
	for (unsigned i = 0; i < 60; i++) {
		for (unsigned c = 0; c < 5; c++)
			q.x[c] = values[(i + c) % 3];
		detector_step(q.detector, q.x, q.valid, &q.result);
		CHECK(isfinite(q.result.score) && q.result.score > 20);
		for (unsigned c = 0; c < 5; c++)
			CHECK(isfinite(q.result.contribution[c]) &&
			      isfinite(q.result.prediction[c]));
	}
	memcpy(q.x, x, sizeof x);
	quiet_rest(&q, 2000);
	CHECK_NEAR(q.result.score, before, 0.01 * before + 0.01);

	/* One channel, one row: no more of it than the bound, and of that the logarithm. */
	q.x[3] = 3e38f;
	detector_step(q.detector, q.x, q.valid, &q.result);
	most = q.made.spec.view[VIEW_FORECAST].smooth * DETECTOR_PART_MAX * 5;
	CHECK_NEAR(q.result.size[VIEW_FORECAST][3], most, 1);
	CHECK_NEAR(q.result.view[VIEW_FORECAST], 5 * (1 + logf(most / 5)) / sqrtf(5), 1);
	quiet_close(&q);
}

/* Without level weights there is no level view, whatever its weight says. */
static void no_level(void)
{
	static const float none[5];
	struct detector_result r;
	struct detector *d;
	struct quiet q;

	quiet_open(&q, 5, 16, 3);
	quiet_rest(&q, 40);
	q.made.spec.level_weight = none;
	CHECK_EQ(detector_open(&d, &q.made.spec, FC_REF, NULL), 0);
	for (unsigned i = 0; i < 40; i++)
		detector_step(d, q.x, q.valid, &r);
	q.x[0] += 100;
	detector_step(d, q.x, q.valid, &r);
	detector_step(q.detector, q.x, q.valid, &q.result);
	CHECK(r.view[VIEW_LEVEL] == 0 && q.result.view[VIEW_LEVEL] > 0);
	detector_close(d);
	quiet_close(&q);
}

/* The baseline goes after what returns to a level, no faster than a few deviations, until reset. */
static void following(void)
{
	static const float shift[] = { 1, 2, -0.5f, 100 }, want[] = { 0.5f, 2, -0.25f, 98.5f };
	struct quiet q;

	quiet_open(&q, 5, 0, 3);
	CHECK(q.made.spec.wanders[1] == 1);
	quiet_rest(&q, 40);
	q.valid[4] = 0;
	for (unsigned turn = 0; turn < 2; turn++) {
		const struct detector_spec *s = &q.made.spec;
		float x[5];

		quiet_rest(&q, 1);
		memcpy(x, q.x, sizeof x);
		for (unsigned c = 0; c < 4; c++)
			x[c] += (s->wanders[c] == 0 ? 0 : s->mean[c]) + shift[c] / s->inv_std[c];
		detector_step(q.detector, x, q.valid, &q.result);
		for (unsigned c = 0; c < 4; c++)
			CHECK_NEAR(q.result.u[c], shift[c], 1e-3);
		detector_follow(q.detector, 0.5f);
		x[1] += s->mean[1] + shift[1] / s->inv_std[1];
		detector_step(q.detector, x, q.valid, &q.result);
		for (unsigned c = 0; c < 4; c++)
			CHECK_NEAR(q.result.u[c], want[c], 1e-3);
		/* One that can not be believed was not followed. */
		q.valid[4] = 1;
		x[4] = s->mean[4] + (s->wanders[4] == 0 ? 0 : q.x[4]);
		detector_step(q.detector, x, q.valid, &q.result);
		CHECK(s->wanders[4] != 0 || fabsf(q.result.u[4]) < 1e-3f);
		q.valid[4] = 0;
		detector_reset(q.detector);
		q.x[1] = x[1];
		quiet_rest(&q, 40);
	}
	quiet_close(&q);
}

/* A model from elsewhere: silent until each channel is measured, then as if trained here. */
static void online(void)
{
	struct made_shape shape = { .channels = 4, .lags = 2, .level = true, .slow = true,
				    .online = 20 };
	struct quiet q;
	float x[4];

	quiet_shaped(&q, &shape);
	for (unsigned row = 0; row < 60; row++) {
		q.valid[3] = row >= 30;
		x[0] = 1e5f + (row % 2 ? 3 : -3);
		x[1] = 0;
		x[2] = -50;
		x[3] = 7 + (row % 4 < 2 ? 0.5f : -0.5f);
		detector_step(q.detector, x, q.valid, &q.result);
		/* The row after the last one measured is the first that is looked at. */
		CHECK_EQ(q.result.ready, row >= 22);
		CHECK(row >= 22 || q.result.score == 0);
		CHECK(row >= 50 || q.result.contribution[3] == 0);
	}
	CHECK_NEAR(q.result.u[0], 1, 1e-3);
	CHECK_NEAR(q.result.u[1], 0, 1e-6);
	CHECK_NEAR(q.result.u[2], 0, 1e-6);
	CHECK_NEAR(fabs(q.result.u[3]), 1, 1e-3);
	/* What stood still is measured by its size: one hundredth, or a thousandth of 1 for a 0. */
	x[1] = 0.005f;
	x[2] = -51;
	detector_step(q.detector, x, q.valid, &q.result);
	CHECK_NEAR(q.result.u[1], 5, 1e-3);
	CHECK_NEAR(q.result.u[2], -2, 1e-2);
	detector_reset(q.detector);
	detector_step(q.detector, x, q.valid, &q.result);
	CHECK(!q.result.ready);
	quiet_close(&q);
}

/* A row that departs and ends is out of `departure` soon, out of the slow views late. */
static void departure(void)
{
	struct quiet q;
	float quiet, at, spread;

	quiet_open(&q, 5, 0, 3);
	quiet_rest(&q, 500);
	quiet = q.result.departure;
	spread = q.result.view[VIEW_SPREAD];
	q.x[0] += 40 / q.made.spec.inv_std[0];
	detector_step(q.detector, q.x, q.valid, &q.result);
	at = q.result.departure;
	CHECK(at > 5 * quiet + 1);
	CHECK_NEAR(at, q.result.size[VIEW_SUBSPACE][0] * q.made.spec.inv_usual[0], 1e-6 * at);
	quiet_rest(&q, 20);
	CHECK(q.result.departure < quiet + 0.1f * at);
	CHECK(fabsf(q.result.view[VIEW_SPREAD] - spread) > 0.1f);
	quiet_close(&q);
}

int main(void)
{
	warm_up();
	unbelievable();
	nothing_valid();
	coming_back();
	wild();
	no_level();
	following();
	online();
	departure();
	return 0;
}
