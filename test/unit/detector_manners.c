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

static void quiet_open(struct quiet *q, unsigned channels, unsigned hidden, unsigned lags)
{
	made_open(&q->made, channels, hidden, lags, 1);
	CHECK_EQ(detector_open(&q->detector, &q->made.spec, FC_XNN, NULL), 0);
	memset(q->valid, 1, sizeof q->valid);
}

static void quiet_close(struct quiet *q)
{
	detector_close(q->detector);
	made_close(&q->made);
}

/* `rows` rows at the channels' means. */
static void quiet_rest(struct quiet *q, unsigned rows)
{
	memcpy(q->x, q->made.spec.mean, q->made.spec.channels * sizeof *q->x);
	for (unsigned i = 0; i < rows; i++)
		detector_step(q->detector, q->x, q->valid, &q->result);
}

static void warm_up(void)
{
	static const unsigned shapes[][4] = {
		{ 3, 0, 1, 2 }, { 3, 0, 6, 12 }, { 3, 8, 2, 32 }, { 3, 8, 9, 32 },
	};

	for (unsigned i = 0; i < 4; i++) {
		struct quiet q;
		unsigned want = shapes[i][3];

		quiet_open(&q, shapes[i][0], shapes[i][1], shapes[i][2]);
		CHECK_EQ(detector_warmup(q.detector), want);
		for (unsigned turn = 0; turn < 2; turn++) {
			quiet_rest(&q, want);
			CHECK(!q.result.ready && q.result.score == 0);
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
		CHECK(r[k].score == r[0].score && r[k].forecast == r[0].forecast &&
		      r[k].level == r[0].level);
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
		CHECK(q.result.score == 0 && q.result.forecast == 0 && q.result.level == 0);
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
 * A channel that wanders (skip 1) comes back from a short gap where it was forecast to
 * be, and from a long one somewhere else: the first is judged, the second is not.
 */
static void coming_back(void)
{
	for (unsigned gap = 1; gap <= 40; gap += 39) {
		struct quiet q;

		quiet_open(&q, 5, 0, 3);
		CHECK(q.made.spec.skip[1] == 1);
		quiet_rest(&q, 40);
		q.valid[1] = 0;
		quiet_rest(&q, gap);
		q.valid[1] = 1;
		q.x[1] += 50 / q.made.spec.inv_std[1];
		detector_step(q.detector, q.x, q.valid, &q.result);
		CHECK(q.result.ready);
		if (gap == 1) {
			CHECK(q.result.contribution[1] > 5);
		} else {
			CHECK(q.result.contribution[1] < 1);
			CHECK_NEAR(q.result.prediction[1], 50, 1e-3);
		}
		quiet_close(&q);
	}
}

/* The wildest finite readings leave no trace that rest does not heal. */
static void wild(void)
{
	static const float values[] = { 3e38f, -3e38f, 1e30f };
	struct quiet q;
	float before;

	quiet_open(&q, 5, 16, 3);
	quiet_rest(&q, 2000);
	before = q.result.score;
	for (unsigned i = 0; i < 60; i++) {
		for (unsigned c = 0; c < 5; c++)
			q.x[c] = values[(i + c) % 3];
		detector_step(q.detector, q.x, q.valid, &q.result);
		CHECK(isfinite(q.result.score) && q.result.score > 20);
		for (unsigned c = 0; c < 5; c++)
			CHECK(isfinite(q.result.contribution[c]) &&
			      isfinite(q.result.prediction[c]));
	}
	quiet_rest(&q, 2000);
	CHECK_NEAR(q.result.score, before, 0.01 * before + 0.01);

	/* One channel, one row: no more than the bound in each view. */
	before = q.result.forecast;
	q.x[3] = 3e38f;
	detector_step(q.detector, q.x, q.valid, &q.result);
	CHECK_NEAR(q.result.forecast, before + 0.4f * DETECTOR_PART_MAX, before + 1e-3);
	quiet_close(&q);
}

/* Without level weights there is no level view, whatever its tail says. */
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
	CHECK(r.level == 0 && q.result.level > 0);
	CHECK(r.forecast == q.result.forecast);
	CHECK(r.score == tail_nats(&q.made.spec.forecast_tail, r.forecast));
	CHECK(q.result.score > r.score);
	detector_close(d);
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
	return 0;
}
