// SPDX-License-Identifier: MIT
/*
 * The recurrent view with weights and rows as wild as floats can be: what comes out and what
 * stays is a number, and a reset makes it as good as new. And the nets that it refuses.
 */
#include <errno.h>
#include <float.h>

#include "kernels/recurrent.h"
#include "kernels/why.h"
#include "test/test.h"
#include "test/unit/recurrent_fixture.h"

#define CHANNELS 6
#define HIDDEN 20

/* Finite numbers of all sizes, the largest among them. */
static void make_wild(struct fixture *f, const float *v, size_t n)
{
	float *w = (float *)v;	/* the fixture's own block */

	for (size_t i = 0; w && i < n; i++) {
		float luck = fixture_float(f, 1);

		w[i] = luck > 0.5f ? FLT_MAX : luck < -0.5f ? -FLT_MAX : 1e30f * luck;
	}
}

static void make_wild_fc(struct fixture *f, const struct fc_spec *s)
{
	make_wild(f, s->weight_f32, (size_t)s->in * s->out);
	make_wild(f, s->bias, s->out);
	for (unsigned o = 0; s->scale && o < s->out; o++)
		((float *)s->scale)[o] = o % 3 ? FLT_MAX : FLT_MIN;
}

static float wild_value(struct fixture *f)
{
	static const float v[] = {
		0, 1, -1e30f, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, NAN, 1e-40f, 20,
	};

	return v[(unsigned)(5 * (1 + fixture_float(f, 1)))];
}

static struct recurrent_spec net(struct fixture *f, enum recurrent_kind kind, enum form form)
{
	struct recurrent_spec s = fixture_net(f, kind, CHANNELS, HIDDEN,
					      kind == RECURRENT_FORECAST ? 2 : 1, form);

	if (kind == RECURRENT_FORECAST)
		fixture_graph(f, &s, 4, 3, form);
	else
		s.window = 7;
	return s;
}

static void all_finite(const float *v, size_t n, float most)
{
	for (size_t i = 0; i < n; i++)
		CHECK(fabsf(v[i]) <= most);
}

static void steps(struct recurrent *r, const struct recurrent_spec *s, struct fixture *f,
		  unsigned count)
{
	float z[CHANNELS], out[CHANNELS];

	for (unsigned step = 0; step < count; step++) {
		for (unsigned i = 0; i < CHANNELS; i++)
			z[i] = wild_value(f);
		recurrent_advance(r, z);
		if (s->kind == RECURRENT_FORECAST) {
			recurrent_forecast(r, out);
			all_finite(out, CHANNELS, 1e12f);
		} else {
			all_finite(recurrent_window(r), (size_t)s->window * CHANNELS, 1e12f);
		}
		all_finite(recurrent_state(r), HIDDEN, 1);
	}
}

static void wild(enum recurrent_kind kind, enum form form, int fc)
{
	struct fixture f = { .random = 5 };
	struct recurrent_spec s = net(&f, kind, form);
	struct recurrent *r;

	make_wild_fc(&f, &s.gates[0]);
	make_wild_fc(&f, &s.gates[1]);
	make_wild_fc(&f, &s.head);
	if (s.graph.features) {
		make_wild_fc(&f, &s.graph.node);
		make_wild(&f, s.graph.edge, CHANNELS * 3);
		make_wild(&f, s.graph.own, CHANNELS * 4);
		make_wild(&f, s.graph.mix, 16);
		make_wild(&f, s.graph.mix_bias, 4);
		make_wild(&f, s.graph.fuse, CHANNELS * 4);
	}
	CHECK_EQ(recurrent_open(&r, &s, Z_INV_STEP, (enum fc_kind)fc, NULL), 0);
	steps(r, &s, &f, 300);
	recurrent_close(r);
	fixture_close(&f);
}

/* A tame net after wild rows is, once reset, one that never saw them. */
static void forgets(enum recurrent_kind kind, enum form form)
{
	struct fixture f = { .random = 6 };
	struct recurrent_spec s = net(&f, kind, form);
	struct recurrent *r[2];
	float out[2][CHANNELS];

	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(recurrent_open(&r[i], &s, Z_INV_STEP, FC_XNN, NULL), 0);
	steps(r[0], &s, &f, 30);
	recurrent_reset(r[0]);
	for (unsigned i = 0; i < 2; i++) {
		recurrent_advance(r[i], (float[CHANNELS]){ 1, -1, 2, 0.5f });
		if (kind == RECURRENT_FORECAST)
			recurrent_forecast(r[i], out[i]);
		else
			memcpy(out[i], recurrent_window(r[i]), sizeof out[i]);
	}
	CHECK(!memcmp(out[0], out[1], sizeof out[0]));
	for (unsigned i = 0; i < 2; i++)
		recurrent_close(r[i]);
	fixture_close(&f);
}

static void refuse(const struct recurrent_spec *s, float z_inv_step, const char *named)
{
	struct recurrent *r = (struct recurrent *)&r;
	struct why why = { "" };

	CHECK_EQ(recurrent_open(&r, s, z_inv_step, FC_XNN, &why), -EINVAL);
	CHECK(!r);
	if (strstr(why.text, named))
		return;
	fprintf(stderr, "\"%s\" does not name \"%s\"\n", why.text, named);
	exit(1);
}

static void refused_forecasts(void)
{
	struct fixture f = { .random = 7 };
	struct recurrent_spec good = net(&f, RECURRENT_FORECAST, FORM_STATIC), s[14];
	const char *const named[14] = {
		"kind", "kind", "channels", "hidden", "layers", "layers", "head", "graph", "gates",
		"second gates", "head", "graph: node", "hidden", "gates",
	};

	for (unsigned i = 0; i < 14; i++)
		s[i] = good;
	s[0].kind = RECURRENT_NONE;
	s[1].kind = (enum recurrent_kind)3;
	s[2].channels = 0;
	s[3].hidden = 0;
	s[4].layers = 0;
	s[5].layers = 3;
	s[6].head.in++;
	s[7].graph.nodes--;	/* as good a graph, but not of these channels */
	s[7].graph.node.out -= s[7].graph.features;
	s[7].graph.neighbour = (const int32_t[CHANNELS * 3]){ 0 };
	s[8].gates[0].out -= 4;
	s[9].gates[1].in--;
	s[10].head.scale = NULL;
	s[11].graph.node.bias = NULL;
	s[12].hidden = (1u << 30) + HIDDEN;
	s[13].gates[0].weight = NULL;
	for (unsigned i = 0; i < 14; i++)
		refuse(&s[i], Z_INV_STEP, named[i]);
	for (unsigned i = 0; i < 4; i++)
		refuse(&good, (const float[]){ 0, -1, NAN, INFINITY }[i], "step");
	fixture_close(&f);
}

static void refused_autoencoders(void)
{
	struct fixture f = { .random = 8 };
	struct recurrent_spec good = net(&f, RECURRENT_AUTOENCODER, FORM_DYNAMIC), s[5];
	const char *const named[5] = { "layers", "window", "window", "graph", "decoder" };

	for (unsigned i = 0; i < 5; i++)
		s[i] = good;
	s[0].layers = 2;
	s[1].window = 0;
	s[2].window = RECURRENT_WINDOW_MAX + 1;
	fixture_graph(&f, &s[3], 4, 3, FORM_DYNAMIC);
	s[4].gates[1] = good.gates[0];
	for (unsigned i = 0; i < 5; i++)
		refuse(&s[i], Z_INV_STEP, named[i]);
	fixture_close(&f);
}

int main(void)
{
	for (enum form form = 0; form < FORMS; form++) {
		for (int fc = 0; fc < FC_KINDS; fc++) {
			wild(RECURRENT_FORECAST, form, fc);
			wild(RECURRENT_AUTOENCODER, form, fc);
		}
		forgets(RECURRENT_FORECAST, form);
		forgets(RECURRENT_AUTOENCODER, form);
	}
	refused_forecasts();
	refused_autoencoders();
	return 0;
}
