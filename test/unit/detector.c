// SPDX-License-Identifier: MIT
/*
 * The detector against its definition written out again (detector_plain.h), every view of it;
 * the same bits from every implementation of its operators; what it refuses, and that a reset
 * forgets. Its manners are in detector_manners.c.
 */
#include <errno.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "test/golden/made.h"
#include "test/test.h"
#include "test/unit/detector_plain.h"

#define CHECK_CLOSE(a, b) CHECK_NEAR(a, b, 1e-4 * (1 + fabs((double)(b))))

static void same_numbers(const struct detector_result *r, const struct plain *p)
{
	const struct detector_spec *s = p->s;
	double sum = 0;

	CHECK_EQ(r->ready, p->ready);
	CHECK_EQ(r->early, p->early);
	for (unsigned v = 0; v < VIEWS; v++)
		CHECK_CLOSE(r->view[v], p->view[v]);
	CHECK_CLOSE(r->score, p->score);
	CHECK_CLOSE(r->departure, p->departure);
	for (unsigned i = 0; i < s->channels; i++) {
		CHECK_CLOSE(r->u[i], p->u[i]);
		CHECK_CLOSE(r->prediction[i], p->prediction[i]);
		CHECK_CLOSE(r->contribution[i], p->contribution[i]);
		for (unsigned v = 0; v < VIEWS; v++)
			if (v != VIEW_CODE && (v != VIEW_RECURRENT || !r->early))
				CHECK_CLOSE(r->size[v][i], p->size[v][i]);
		sum += r->contribution[i];
	}
	CHECK_NEAR(sum, r->score, 1e-5 * (1 + r->score));
	CHECK_EQ(!r->code, !(s->view[VIEW_SUBSPACE].weight > 0));
	for (unsigned k = 0; r->code && k < s->subspace.rank; k++) {
		CHECK_CLOSE(r->code[k], p->code[k]);
		if (s->view[VIEW_CODE].weight > 0)
			CHECK_CLOSE(r->size[VIEW_CODE][k], p->code_size[k]);
	}
}

static void against_definition(const struct made_shape *shape)
{
	static struct plain p;
	unsigned ready = 0, unbelieved = 0, early = 0, warmup;
	double largest[VIEWS] = { 0 };
	uint8_t valid[N_MAX];
	struct detector *d;
	float x[N_MAX];
	struct made m;

	made_open(&m, shape);
	CHECK_EQ(detector_open(&d, &m.spec, FC_XNN, NULL), 0);
	warmup = detector_warmup(d);
	plain_open(&p, &m.spec);
	for (unsigned row = 0; row < 3000; row++) {
		struct detector_result r;

		made_row(&m, x, valid);
		detector_step(d, x, valid, &r);
		plain_step(&p, x, valid, warmup, r.early);
		same_numbers(&r, &p);
		for (unsigned i = 0; i < shape->channels; i++)
			unbelieved += !valid[i];
		for (unsigned v = 0; v < VIEWS; v++)
			largest[v] = fmax(largest[v], r.view[v]);
		ready += r.ready;
		early += r.early;
		if (row % 50 == 49) {
			detector_follow(d, 0.125f);
			plain_follow(&p, 0.125);
		}
	}
	CHECK(ready >= 2600);
	CHECK(unbelieved > 4);
	/* Both ways of ending a tick were taken, and every view there had something to say. */
	CHECK(shape->quick != 0 ? early > 50 && early < ready - 50 : !early);
	for (unsigned v = 0; v < VIEWS; v++)
		CHECK(m.spec.view[v].weight > 0 ? largest[v] > 0.1 :
		      v == VIEW_FORECAST || largest[v] == 0);
	detector_close(d);
	made_close(&m);
}

/* int8, static and dynamic: every implementation gives the plain C one's bits. */
static void same_bits(const struct made_shape *shape, bool dynamic)
{
	struct made_shape int8 = *shape;
	struct detector *d[FC_KINDS];
	uint8_t valid[N_MAX];
	float x[N_MAX];
	struct made m;

	int8.int8 = true;
	int8.dynamic = dynamic;
	made_open(&m, &int8);
	for (unsigned k = 0; k < FC_KINDS; k++)
		CHECK_EQ(detector_open(&d[k], &m.spec, (enum fc_kind)k, NULL), 0);
	for (unsigned row = 0; row < 300; row++) {
		struct detector_result r[FC_KINDS];

		made_row(&m, x, valid);
		for (unsigned k = 0; k < FC_KINDS; k++)
			detector_step(d[k], x, valid, &r[k]);
		for (unsigned k = 0; k < FC_KINDS; k++) {
			const struct detector_result *a = &r[k], *b = &r[FC_REF];
			size_t bytes = shape->channels * sizeof(float);

			CHECK(!memcmp(&a->score, &b->score, sizeof a->score));
			CHECK(!memcmp(&a->departure, &b->departure, sizeof a->departure));
			CHECK(!memcmp(a->view, b->view, sizeof a->view));
			CHECK(!memcmp(a->contribution, b->contribution, bytes));
			CHECK(!memcmp(a->prediction, b->prediction, bytes));
		}
	}
	for (unsigned k = 0; k < FC_KINDS; k++)
		detector_close(d[k]);
	made_close(&m);
}

static const struct made_shape everything = {
	.channels = 8, .lags = 5, .level = true, .rank = 11, .slow = true,
	.net = RECURRENT_FORECAST, .hidden = 40, .layers = 2, .features = 3, .quick = -2,
};

static const struct made_shape shapes[] = {
	{ .channels = 5, .lags = 9 },
	{ .channels = 1, .lags = 3, .level = true, .slow = true },
	{ .channels = 7, .lags = 1, .rank = 5 },
	{ .channels = 38, .lags = 2, .rank = 20, .slow = true },
	{ .channels = 1, .lags = 3, .rank = 2, .slow = true, .net = RECURRENT_FORECAST,
	  .hidden = 16 },
	{ .channels = 13, .lags = 2, .net = RECURRENT_FORECAST, .hidden = 20, .features = 4 },
	{ .channels = 6, .lags = 4, .rank = 6, .net = RECURRENT_AUTOENCODER, .hidden = 12,
	  .window = 7, .quick = -0.27f },
	{ .channels = 4, .lags = 3, .level = true, .rank = 5, .slow = true, .online = 40 },
};
#define SHAPES (sizeof shapes / sizeof *shapes)

/* The same rows after a reset: the same bits, whatever was followed or measured before. */
static void reset_forgets(const struct made_shape *shape)
{
	struct made m;
	struct detector *d;
	struct detector_result r;
	float x[N_MAX], score[300];
	uint8_t valid[N_MAX];
	uint64_t start;

	made_open(&m, shape);
	start = m.random;
	CHECK_EQ(detector_open(&d, &m.spec, FC_XNN, NULL), 0);
	for (unsigned turn = 0; turn < 2; turn++) {
		m.random = start;
		memset(m.walk, 0, shape->channels * sizeof *m.walk);
		memset(m.outage, 0, shape->channels * sizeof *m.outage);
		for (unsigned i = 0; i < 300; i++) {
			made_row(&m, x, valid);
			detector_step(d, x, valid, &r);
			detector_follow(d, 0.01f);
			if (!turn)
				score[i] = r.score;
			else
				CHECK(!memcmp(&score[i], &r.score, sizeof r.score));
		}
		CHECK(score[299] > 0);
		detector_reset(d);
	}
	detector_close(d);
	made_close(&m);
}

static void refuse(const struct detector_spec *s, const char *reason)
{
	struct detector *d = (struct detector *)(uintptr_t)s;
	struct why why = { "" };

	CHECK_EQ(detector_open(&d, s, FC_XNN, &why), -EINVAL);
	CHECK(d == NULL);
	if (!strstr(why.text, reason)) {
		fprintf(stderr, "\"%s\" does not say %s\n", why.text, reason);
		exit(1);
	}
}

#define REFUSES(change, reason)                    \
	do {                                       \
		struct detector_spec s = m.spec;   \
		change;                            \
		refuse(&s, reason);                \
	} while (0)

static void refused(void)
{
	struct made_shape shape = everything;
	struct made m;

	shape.int8 = true;
	made_open(&m, &shape);
	REFUSES(s.channels = 0, "channels");
	REFUSES(s.lags = 1u << 30, "lags");
	REFUSES(s.linear.in--, "linear");
	REFUSES(s.linear.bias = NULL, "linear");
	REFUSES(s.inv_sigma = NULL, "missing");
	REFUSES(s.wanders = NULL, "missing");
	REFUSES(s.z_clip = 0, "missing");
	REFUSES(s.online = 20, "online: channel 1 wanders");
	REFUSES(s.inv_usual = NULL, "usually leaves");
	REFUSES(s.view[VIEW_SPREAD].smooth = 0, "view spread: smooth 0");
	REFUSES(s.view[VIEW_LEVEL].smooth = 1.5f, "view level: smooth 1.5");
	REFUSES(s.view[VIEW_SUBSPACE].weight = 0, "without the subspace");
	REFUSES(memset(s.view, 0, sizeof s.view), "no view");
	REFUSES(s.spread_rate = 0, "view spread: spread: 8 series at rate 0");
	REFUSES(s.left.center = NULL, "view left: spread: a vector is missing");
	REFUSES((s.view[VIEW_CODE].weight = 0, s.subspace.rank++),
		"subspace: operators do not fit 12 x 48");
	REFUSES((s.view[VIEW_CODE].weight = 0, s.subspace.rank = 49), "subspace: rank 49");
	REFUSES(s.subspace.code_clip = 0, "subspace: a number is missing");
	REFUSES(s.subspace.encode.scale = NULL, "subspace.encode");
	REFUSES(s.subspace.decode.weight = NULL, "subspace.decode");
	REFUSES(s.recurrent.kind = RECURRENT_NONE, "without a net");
	REFUSES(s.recurrent.channels = 7, "a net of 7 channels in a model of 8");
	REFUSES(s.recurrent_inv_sigma = NULL, "a net without its deviations");
	REFUSES(s.recurrent.gates[0].scale = NULL, "gates");
	REFUSES(s.recurrent.gates[1].out = 31, "second gates");
	REFUSES(s.recurrent.head.in = 7, "head");
	REFUSES(s.recurrent.graph.nodes = 7, "graph: 7 nodes");
	REFUSES(s.quick.hidden = 39, "a quick head of 39");
	detector_close(NULL);
	made_close(&m);
}

int main(void)
{
	against_definition(&everything);
	same_bits(&everything, false);
	same_bits(&everything, true);
	for (unsigned i = 0; i < SHAPES; i++) {
		against_definition(&shapes[i]);
		same_bits(&shapes[i], i % 2);
		reset_forgets(&shapes[i]);
	}
	refused();
	return 0;
}
