/* SPDX-License-Identifier: MIT */
/*
 * model_fixture: small valid models made of a fixed sequence of numbers, and
 * their files taken apart without the code under test: what offset a tensor has
 * is read out of the header's text by strstr.
 */
#ifndef SONDE_TEST_MODEL_FIXTURE_H
#define SONDE_TEST_MODEL_FIXTURE_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "models/model.h"
#include "test/test.h"

struct fixture {
	struct model m;
	void *kept[64];
	unsigned n_kept;
	uint32_t seed;
};

static inline void *fixture_keep(struct fixture *f, size_t size)
{
	void *p = calloc(1, size ? size : 1);

	CHECK(p && f->n_kept < 64);
	f->kept[f->n_kept++] = p;
	return p;
}

static inline float fixture_random(struct fixture *f)
{
	f->seed = f->seed * 1664525u + 1013904223u;
	return (float)(f->seed >> 8) / (1 << 23) - 1;	/* [-1, 1) */
}

static inline float *fixture_floats(struct fixture *f, size_t n, float from, float to)
{
	float *v = fixture_keep(f, n * sizeof *v);

	for (size_t i = 0; i < n; i++)
		v[i] = from + (to - from) * (fixture_random(f) / 2 + 0.5f);
	return v;
}

static inline void fixture_operator(struct fixture *f, struct fc_spec *fc, unsigned out,
				    unsigned in, bool int8)
{
	*fc = (struct fc_spec){ .in = in, .out = out, .bias = fixture_floats(f, out, -1, 1) };
	if (int8) {
		int8_t *w = fixture_keep(f, (size_t)out * in);

		for (size_t i = 0; i < (size_t)out * in; i++)
			w[i] = (int8_t)(fixture_random(f) * 127);
		fc->weight = w;
		fc->scale = fixture_floats(f, out, 1e-4f, 1e-3f);
	} else {
		fc->weight_f32 = fixture_floats(f, (size_t)out * in, -0.2f, 0.2f);
	}
}

static inline void fixture_tail(struct fixture *f, struct tail *t)
{
	float at = 0;

	for (unsigned i = 0; i < TAIL_KNOTS; i++)
		t->knot[i] = at += (fixture_random(f) + 1) / 8;
	t->slope = 1.5f;
}

/* 2 of n channels wander. The scores of the self-test are zeros: fixture_score sets them. */
static inline void fixture_make(struct fixture *f, unsigned n, unsigned lags, unsigned hidden,
				unsigned rows, bool int8)
{
	struct detector_spec *s = &f->m.spec;
	struct model *m = &f->m;
	float *skip, *level;

	*f = (struct fixture){ .seed = 7 };
	strcpy(m->name, "pump \"A\"");
	m->rate_hz = 49.98;
	m->channel = fixture_keep(f, n * sizeof *m->channel);
	for (unsigned i = 0; i < n; i++) {
		snprintf(m->channel[i].name, MODEL_NAME_MAX, "chan.%u", i);
		strcpy(m->channel[i].unit, i % 2 ? "°C" : "");
	}
	*s = (struct detector_spec){ .channels = n, .lags = lags, .hidden = hidden };
	s->mean = fixture_floats(f, n, -100, 100);
	s->inv_std = fixture_floats(f, n, 0.01f, 10);
	s->skip = skip = fixture_keep(f, n * sizeof *skip);
	s->inv_sigma = fixture_floats(f, n, 0.5f, 2);
	s->level_weight = level = fixture_floats(f, n, 0.5f, 2);
	m->departure = fixture_floats(f, n, 2, 6);
	for (unsigned i = 0; i < n && i < 2; i++) {
		skip[i] = 1;
		level[i] = 0;
	}
	fixture_operator(f, &s->linear, n, lags * n, int8);
	if (hidden) {
		fixture_operator(f, &s->gates, 4 * hidden, n + hidden, int8);
		fixture_operator(f, &s->head, n, hidden, int8);
	}
	s->forecast_smooth = 0.4f;
	s->level_smooth = 0.1f;
	fixture_tail(f, &s->forecast_tail);
	fixture_tail(f, &s->level_tail);
	fixture_tail(f, &m->tail);
	strcpy(m->created, "2026-02-03T04:05:06Z");
	memset(m->data_sha256, 'a', 64);
	m->rows = 3000;
	m->seed = UINT64_MAX;
	m->loss_linear = 0.5f;
	m->loss_net = 0.3f;
	m->test_rows = rows;
	m->test_x = fixture_floats(f, (size_t)rows * n, -120, 120);
	m->test_score = fixture_keep(f, rows * sizeof(float));
}

static inline void fixture_score(struct fixture *f)
{
	float *score = (float *)(uintptr_t)f->m.test_score;
	uint8_t valid[64];
	struct detector *d;

	CHECK(f->m.spec.channels <= sizeof valid);
	memset(valid, 1, sizeof valid);
	CHECK_EQ(detector_open(&d, &f->m.spec, FC_REF, NULL), 0);
	for (unsigned i = 0; i < f->m.test_rows; i++) {
		struct detector_result r;

		detector_step(d, f->m.test_x + i * f->m.spec.channels, valid, &r);
		score[i] = r.score;
	}
	detector_close(d);
}

static inline void fixture_free(struct fixture *f)
{
	while (f->n_kept)
		free(f->kept[--f->n_kept]);
}

/* ---- equal in every bit? ---- */

static inline void same_operator(const struct fc_spec *a, const struct fc_spec *b)
{
	size_t n = (size_t)a->out * a->in;

	CHECK_EQ(a->in, b->in);
	CHECK_EQ(a->out, b->out);
	CHECK_EQ(!a->weight, !b->weight);
	CHECK_EQ(!a->weight_f32, !b->weight_f32);
	if (a->weight) {
		CHECK(!memcmp(a->weight, b->weight, n));
		CHECK(!memcmp(a->scale, b->scale, a->out * sizeof(float)));
	}
	if (a->weight_f32)
		CHECK(!memcmp(a->weight_f32, b->weight_f32, n * sizeof(float)));
	if (a->out)
		CHECK(!memcmp(a->bias, b->bias, a->out * sizeof(float)));
}

#define SAME(field, count)                                                                   \
	do {                                                                                 \
		CHECK(!memcmp(a->field, b->field, (count) * sizeof(float)));                 \
		CHECK_EQ((uintptr_t)b->field % sizeof(float), 0);                            \
	} while (0)

static inline void same_model(const struct model *a, const struct model *b)
{
	unsigned n = a->spec.channels;

	CHECK_STR(b->name, a->name);
	CHECK(a->rate_hz == b->rate_hz);
	CHECK_EQ(b->spec.channels, n);
	CHECK_EQ(b->spec.lags, a->spec.lags);
	CHECK_EQ(b->spec.hidden, a->spec.hidden);
	CHECK_EQ(b->test_rows, a->test_rows);
	for (unsigned i = 0; i < n; i++) {
		CHECK_STR(b->channel[i].name, a->channel[i].name);
		CHECK_STR(b->channel[i].unit, a->channel[i].unit);
	}
	SAME(spec.mean, n);
	SAME(spec.inv_std, n);
	SAME(spec.skip, n);
	SAME(spec.inv_sigma, n);
	SAME(spec.level_weight, n);
	SAME(departure, n);
	if (a->test_rows) {
		SAME(test_x, (size_t)n * a->test_rows);
		SAME(test_score, a->test_rows);
	}
	same_operator(&a->spec.linear, &b->spec.linear);
	same_operator(&a->spec.gates, &b->spec.gates);
	same_operator(&a->spec.head, &b->spec.head);
	CHECK(!memcmp(&a->spec.forecast_smooth, &b->spec.forecast_smooth, sizeof(float)));
	CHECK(!memcmp(&a->spec.level_smooth, &b->spec.level_smooth, sizeof(float)));
	CHECK(!memcmp(&a->spec.forecast_tail, &b->spec.forecast_tail, sizeof(struct tail)));
	CHECK(!memcmp(&a->spec.level_tail, &b->spec.level_tail, sizeof(struct tail)));
	CHECK(!memcmp(&a->tail, &b->tail, sizeof(struct tail)));
	CHECK_STR(b->created, a->created);
	CHECK_STR(b->data_sha256, a->data_sha256);
	CHECK(b->rows == a->rows && b->seed == a->seed);
	CHECK(b->loss_linear == a->loss_linear && b->loss_net == a->loss_net);
}

/* ---- files, by hand ---- */

/* A file in the test's own folder; two answers are good at a time. */
static char dir[] = "/tmp/sonde-model-XXXXXX";

static inline const char *in_dir(const char *name)
{
	static char path[2][128];
	static unsigned turn;

	turn ^= 1;
	snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
	return path[turn];
}

struct bytes {
	uint8_t *p;
	size_t len;
};

static inline struct bytes bytes_read(const char *path)
{
	struct bytes b = { malloc(64 << 20), 0 };
	FILE *f = fopen(path, "rb");

	CHECK(f && b.p);
	b.len = fread(b.p, 1, 64 << 20, f);
	CHECK(b.len < 64 << 20);
	fclose(f);
	b.p = realloc(b.p, b.len + 1);
	return b;
}

static inline void bytes_write(const char *path, const void *p, size_t len)
{
	FILE *f = fopen(path, "wb");

	CHECK(f && fwrite(p, 1, len, f) == len && fclose(f) == 0);
}

static inline uint64_t header_length(const struct bytes *b)
{
	uint64_t n = 0;

	CHECK(b->len >= 8);
	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)b->p[i] << 8 * i;
	CHECK(n <= b->len - 8);
	return n;
}

/* The header as a C string of its own. */
static inline char *header_copy(const struct bytes *b)
{
	return strndup((char *)b->p + 8, header_length(b));
}

/* A file of this header, padded to `align`, and the data section of b. */
static inline struct bytes with_header(const struct bytes *b, const char *header, size_t align)
{
	size_t len = strlen(header), padded = (8 + len + align - 1) / align * align - 8;
	size_t data = 8 + header_length(b);
	struct bytes r = { malloc(8 + padded + b->len - data), 8 + padded + b->len - data };

	CHECK(r.p);
	for (unsigned i = 0; i < 8; i++)
		r.p[i] = (uint8_t)(padded >> 8 * i);
	memset(r.p + 8, ' ', padded);
	memcpy(r.p + 8, header, len);
	memcpy(r.p + 8 + padded, b->p + data, b->len - data);
	return r;
}

/* The same with the first `from` in the header become `to`. */
static inline struct bytes edited(const struct bytes *b, const char *from, const char *to)
{
	char *header = header_copy(b), *at = strstr(header, from), *longer;
	struct bytes r;

	if (!at)
		fprintf(stderr, "no %s in %s\n", from, header);
	CHECK(at);
	longer = malloc(strlen(header) + strlen(to) + 1);
	CHECK(longer);
	sprintf(longer, "%.*s%s%s", (int)(at - header), header, to, at + strlen(from));
	r = with_header(b, longer, 64);
	free(longer);
	free(header);
	return r;
}

/* Where a tensor lies in the file. */
static inline size_t tensor_offset(const struct bytes *b, const char *name, size_t *size)
{
	char *header = header_copy(b), key[64], *at;
	uint64_t begin, end;

	snprintf(key, sizeof key, "\"%s\":{", name);
	at = strstr(header, key);
	CHECK(at);
	at = strstr(at, "\"data_offsets\":[");
	CHECK(at);
	CHECK_EQ(sscanf(at, "\"data_offsets\":[%" SCNu64 ",%" SCNu64 "]", &begin, &end), 2);
	CHECK(begin <= end && 8 + header_length(b) + end <= b->len);
	free(header);
	if (size)
		*size = end - begin;
	return 8 + header_length(b) + begin;
}

#endif
