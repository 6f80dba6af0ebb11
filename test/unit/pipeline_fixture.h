/* SPDX-License-Identifier: MIT */
/*
 * A pipeline of five channels and a model for it, in memory: int8, 4 lags, 8 hidden
 * units, weights from a small generator; the last value is most of the forecast. Used by
 * the tests of the step and of its cost.
 */
#ifndef SONDE_PIPELINE_FIXTURE_H
#define SONDE_PIPELINE_FIXTURE_H

#include <stdlib.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/pipeline.h"
#include "kernels/why.h"
#include "models/model.h"
#include "test/test.h"

#define FIXTURE_CHANNELS 5
#define FIXTURE_LAGS 4
#define FIXTURE_HIDDEN 8
#define FIXTURE_PERIOD_NS 20000000ull

static const char *const fixture_name[FIXTURE_CHANNELS] = { "a", "b", "c", "d", "e" };

static struct pipeline_config *fixture_config(double rate_hz)
{
	struct pipeline_config *c = calloc(1, sizeof *c);

	CHECK(c != NULL);
	*c = (struct pipeline_config){
		.name = "fixture", .rate_hz = rate_hz, .false_alarms_per_day = 1,
		.alarm_k = 3, .alarm_n = 5, .clear_s = 0.5, .stale_s = 1,
		.sensors = 1, .channels = FIXTURE_CHANNELS,
	};
	c->sensor = calloc(1, sizeof *c->sensor);
	CHECK(c->sensor != NULL);
	c->sensor->channels = FIXTURE_CHANNELS;
	c->sensor->channel = calloc(FIXTURE_CHANNELS, sizeof *c->sensor->channel);
	CHECK(c->sensor->channel != NULL);
	for (unsigned i = 0; i < FIXTURE_CHANNELS; i++)
		strcpy(c->sensor->channel[i].name, fixture_name[i]);
	return c;
}

static void fixture_free(struct pipeline_config *c)
{
	free(c->sensor->channel);
	free(c->sensor);
	free(c);
}

static uint32_t fixture_random(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

/* All that the model points at, in one allocation, which model_free knows how to give back. */
struct fixture_memory {
	struct model model;
	struct model_channel channel[FIXTURE_CHANNELS];
	float mean[FIXTURE_CHANNELS], one[FIXTURE_CHANNELS], zero[4 * FIXTURE_HIDDEN];
	float linear_scale[FIXTURE_CHANNELS], scale[4 * FIXTURE_HIDDEN], departure[FIXTURE_CHANNELS];
	int8_t linear[FIXTURE_CHANNELS * FIXTURE_LAGS * FIXTURE_CHANNELS];
	int8_t gates[4 * FIXTURE_HIDDEN * (FIXTURE_CHANNELS + FIXTURE_HIDDEN)];
	int8_t head[FIXTURE_CHANNELS * FIXTURE_HIDDEN];
};

/*
 * Saved and loaded again, so that the model is owned and checked as any other.
 */
static inline struct model *fixture_model(double rate_hz)
{
	struct fixture_memory *f = calloc(1, sizeof *f);
	char path[] = "/tmp/sonde-fixture-XXXXXX";
	struct model *loaded;
	struct why why = { "" };
	uint32_t seed = 7;
	int fd;

	CHECK(f != NULL);
	for (unsigned i = 0; i < FIXTURE_CHANNELS; i++) {
		/* Not the pipeline's order. */
		strcpy(f->channel[i].name, fixture_name[(i + 2) % FIXTURE_CHANNELS]);
		f->mean[i] = 10;
		f->one[i] = 1;
		f->departure[i] = 8;
		f->linear[i * FIXTURE_LAGS * FIXTURE_CHANNELS + i] = 100;
	}
	for (unsigned i = 0; i < FIXTURE_CHANNELS; i++)
		f->linear_scale[i] = 0.9f / 100 * 10 / 127;	/* 0.9 of the last z */
	for (unsigned i = 0; i < 4 * FIXTURE_HIDDEN; i++)
		f->scale[i] = 1e-4f;
	for (unsigned i = 0; i < sizeof f->gates; i++)
		f->gates[i] = (int8_t)(fixture_random(&seed) % 61) - 30;
	for (unsigned i = 0; i < sizeof f->head; i++)
		f->head[i] = (int8_t)(fixture_random(&seed) % 5) - 2;
	f->model = (struct model){
		.name = "fixture", .rate_hz = rate_hz, .channel = f->channel,
		.created = "2000-01-01T00:00:00Z", .departure = f->departure,
		.spec = {
			.channels = FIXTURE_CHANNELS, .lags = FIXTURE_LAGS, .z_clip = 10,
			.spread_rate = 1,
			.mean = f->mean, .inv_std = f->one, .wanders = f->zero,
			.linear = { .in = FIXTURE_LAGS * FIXTURE_CHANNELS, .out = FIXTURE_CHANNELS,
				    .weight = f->linear, .scale = f->linear_scale, .bias = f->zero },
			.recurrent = {
				.kind = RECURRENT_FORECAST, .channels = FIXTURE_CHANNELS,
				.hidden = FIXTURE_HIDDEN, .layers = 1,
				.gates[0] = { .in = FIXTURE_CHANNELS + FIXTURE_HIDDEN,
					      .out = 4 * FIXTURE_HIDDEN, .weight = f->gates,
					      .scale = f->scale, .bias = f->zero },
				.head = { .in = FIXTURE_HIDDEN, .out = FIXTURE_CHANNELS,
					  .weight = f->head, .scale = f->scale, .bias = f->zero },
			},
			.inv_sigma = f->one, .recurrent_inv_sigma = f->one, .level_weight = f->one,
			.view = {
				[VIEW_LEVEL] = { 1, 4, 0.2f }, [VIEW_SUBSPACE] = { 0, 0, 1 },
				[VIEW_FORECAST] = { 1, 4, 0.4f }, [VIEW_SPREAD] = { 0, 0, 1 },
				[VIEW_LEFT] = { 0, 0, 1 }, [VIEW_CODE] = { 0, 0, 1 },
				[VIEW_RECURRENT] = { 1, 4, 0.4f },
			},
		},
		.tail = { { 0, 1, 2, 3, 4, 5, 6, 7 }, 1 },
	};
	fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	if (model_save(&f->model, path, &why) || model_load(&loaded, path, &why)) {
		fprintf(stderr, "fixture: %s\n", why.text);
		exit(1);
	}
	unlink(path);
	free(f);
	return loaded;
}

/* Tick i's values: small waves about 10; channel `off` (-1: none) stands 30 higher. */
static void fixture_values(struct pipeline *p, unsigned i, int off, unsigned skip_mask)
{
	uint64_t t = i * FIXTURE_PERIOD_NS;

	for (unsigned c = 0; c < FIXTURE_CHANNELS; c++) {
		uint32_t s = i * 31 + c;
		float v = 10 + (float)(fixture_random(&s) % 1000) / 1000 - 0.5f;

		if ((int)c == off)
			v += 30;
		if (!(skip_mask >> c & 1))
			frame_put(&p->frame, c, v, t);
	}
}

static inline void fixture_tick(struct pipeline *p, unsigned i, int off, struct pipeline_result *r)
{
	fixture_values(p, i, off, 0);
	pipeline_step(p, i * FIXTURE_PERIOD_NS, r);
}

#endif
