// SPDX-License-Identifier: MIT
/*
 * The recurrent view against one computed here in double, in all forms and shapes; its kinds of
 * operators against each other, and its bits against those of every other machine.
 */
#include "kernels/recurrent.h"
#include "kernels/why.h"
#include "test/test.h"
#include "test/unit/recurrent_fixture.h"

#define STEPS 160
#define CHANNELS_MAX 24
#define HIDDEN_MAX 64

struct truth {
	const struct recurrent_spec *spec;
	double c[2][HIDDEN_MAX], h[2][HIDDEN_MAX], z[CHANNELS_MAX];
	double row[RECURRENT_WINDOW_MAX][CHANNELS_MAX];	/* newest first */
	double window[RECURRENT_WINDOW_MAX][CHANNELS_MAX];
};

static void truth_advance(struct truth *t, const float *z)
{
	const struct recurrent_spec *s = t->spec;

	for (unsigned i = 0; i < s->channels; i++)
		t->z[i] = z[i] == z[i] ? z[i] : 0;
	memmove(t->row + 1, t->row, sizeof t->row - sizeof t->row[0]);
	memcpy(t->row[0], t->z, sizeof t->z);
	if (s->kind == RECURRENT_AUTOENCODER)
		return;
	fixture_lstm(&s->gates[0], s->channels, Z_INV_STEP, t->z, t->c[0], t->h[0]);
	if (s->layers == 2)
		fixture_lstm(&s->gates[1], s->hidden, 127, t->h[0], t->c[1], t->h[1]);
}

static double truth_node(const struct truth *t, unsigned i, unsigned f)
{
	const struct graph_spec *g = &t->spec->graph;
	unsigned k = i * g->features + f;
	double v = fixture_row(&g->node, k, t->h[t->spec->layers - 1], 0, 127) +
		   g->own[k] * fixture_cut(t->z[i], Z_CLIP);

	return v > 0 ? v : 0;
}

static double truth_graph(const struct truth *t, unsigned i)
{
	const struct graph_spec *g = &t->spec->graph;
	double out = 0;

	for (unsigned f = 0; f < g->features; f++) {
		double near = g->mix_bias[f];

		for (unsigned j = 0; j < g->degree; j++) {
			int32_t from = g->neighbour[i * g->degree + j];

			if (from < 0)
				break;
			for (unsigned m = 0; m < g->features; m++)
				near += g->edge[i * g->degree + j] *
					truth_node(t, (unsigned)from, m) *
					g->mix[f * g->features + m];
		}
		out += g->fuse[i * g->features + f] * (near > 0 ? near : 0);
	}
	return out;
}

static double truth_forecast(const struct truth *t, unsigned i)
{
	double out = fixture_row(&t->spec->head, i, t->h[t->spec->layers - 1], 0, 127);

	return t->spec->graph.features ? out + truth_graph(t, i) : out;
}

static void truth_window(struct truth *t)
{
	const struct recurrent_spec *s = t->spec;

	memset(t->c, 0, sizeof t->c);
	memset(t->h, 0, sizeof t->h);
	for (unsigned age = s->window; age--;)
		fixture_lstm(&s->gates[0], s->channels, Z_INV_STEP, t->row[age], t->c[0], t->h[0]);
	for (unsigned age = 0; age < s->window; age++) {
		fixture_lstm(&s->gates[1], s->hidden, 127, t->h[0], t->c[1], t->h[1]);
		for (unsigned i = 0; i < s->channels; i++)
			t->window[age][i] = fixture_row(&s->head, i, t->h[1], 0, 127) -
					    t->row[age][i];
	}
}

/* XNNPACK rounds twice where there is no fused multiply-add; its users must test themselves. */
static bool library_is_exact(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("fma");
#else
	return true;
#endif
}

static void draw_row(struct fixture *f, float *z, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		z[i] = fixture_float(f, 3);
	if (fixture_float(f, 1) > 0.8f)
		z[0] *= 10;	/* beyond the clip */
	if (fixture_float(f, 1) > 0.9f)
		z[n - 1] = NAN;
}

static uint64_t hash_of(uint64_t hash, const float *v, size_t n)
{
	uint32_t bits;

	for (size_t i = 0; i < n; i++) {
		memcpy(&bits, &v[i], sizeof bits);
		hash = (hash ^ bits) * 1099511628211u;	/* FNV-1a */
	}
	return hash;
}

static void open_all(struct recurrent **r, const struct recurrent_spec *s)
{
	struct why why;

	for (int k = 0; k < FC_KINDS; k++)
		if (recurrent_open(&r[k], s, Z_INV_STEP, (enum fc_kind)k, &why)) {
			fprintf(stderr, "kind %d: %s\n", k, why.text);
			exit(1);
		}
}

static void close_all(struct recurrent **r)
{
	for (int k = 0; k < FC_KINDS; k++)
		recurrent_close(r[k]);
}

/*
 * An int8 state is a matter of rounding: where double falls on the other side of a half, h is
 * one step off for a while. Float is held to float's own rounding.
 */
static void check_near(const float *got, const double *want, unsigned n, enum form form,
		       const char *what)
{
	for (unsigned i = 0; i < n; i++) {
		double room = (form == FORM_FLOAT ? 3e-5 : 0.06) * (1 + fabs(want[i]));

		if (fabs(got[i] - want[i]) <= room)
			continue;
		fprintf(stderr, "%s[%u], form %d: %.9g, not %.9g\n", what, i, (int)form,
			(double)got[i], want[i]);
		exit(1);
	}
}

static void forecast(unsigned channels, unsigned hidden, unsigned layers, unsigned features,
		     unsigned degree, enum form form)
{
	struct fixture f = { .random = channels + 100 * features };
	struct recurrent_spec s = fixture_net(&f, RECURRENT_FORECAST, channels, hidden, layers,
					      form);
	struct truth *t = calloc(1, sizeof *t);
	struct recurrent *r[FC_KINDS];
	float z[CHANNELS_MAX], out[FC_KINDS][CHANNELS_MAX], moved = 0;
	double want[CHANNELS_MAX];

	CHECK(t);
	if (features)
		fixture_graph(&f, &s, features, degree, form);
	t->spec = &s;
	open_all(r, &s);
	for (unsigned step = 0; step < STEPS; step++) {
		draw_row(&f, z, channels);
		truth_advance(t, z);
		for (unsigned i = 0; i < channels; i++)
			want[i] = truth_forecast(t, i);
		for (int k = 0; k < FC_KINDS; k++) {
			recurrent_advance(r[k], z);
			recurrent_forecast(r[k], out[k]);
		}
		check_near(recurrent_state(r[FC_REF]), t->h[layers - 1], hidden, form, "state");
		check_near(out[FC_REF], want, channels, form, "forecast");
		for (int k = 0; k < FC_REF && library_is_exact(); k++) {
			CHECK(!memcmp(out[k], out[FC_REF], channels * sizeof *z));
			CHECK(!memcmp(recurrent_state(r[k]), recurrent_state(r[FC_REF]),
				      hidden * sizeof *z));
		}
		/* To ask again changes nothing. */
		recurrent_forecast(r[FC_XNN], z);
		CHECK(!memcmp(z, out[FC_XNN], channels * sizeof *z));
		moved += fabsf(out[FC_REF][0]);
	}
	CHECK(moved / STEPS > 0.01f);	/* else the comparison said little */
	close_all(r);
	fixture_close(&f);
	free(t);
}

static void autoencoder(unsigned channels, unsigned hidden, unsigned window, enum form form)
{
	struct fixture f = { .random = channels + 100 * window };
	struct recurrent_spec s = fixture_net(&f, RECURRENT_AUTOENCODER, channels, hidden, 1,
					      form);
	size_t n = (size_t)channels * window;
	struct truth *t = calloc(1, sizeof *t);
	struct recurrent *r[FC_KINDS];
	float z[CHANNELS_MAX];

	CHECK(t);
	t->spec = &s;
	s.window = window;
	open_all(r, &s);
	for (unsigned step = 0; step < 20; step++) {
		const float *error[FC_KINDS];

		for (unsigned rows = 0; rows < 1 + step % 4; rows++) {
			draw_row(&f, z, channels);
			truth_advance(t, z);
			for (int k = 0; k < FC_KINDS; k++)
				recurrent_advance(r[k], z);
		}
		truth_window(t);
		for (int k = 0; k < FC_KINDS; k++)
			error[k] = recurrent_window(r[k]);
		check_near(recurrent_state(r[FC_REF]), t->h[0], hidden, form, "encoder");
		for (unsigned age = 0; age < window; age++)
			check_near(error[FC_REF] + age * channels, t->window[age], channels, form,
				   "error");
		for (int k = 0; k < FC_REF && library_is_exact(); k++)
			CHECK(!memcmp(error[k], error[FC_REF], n * sizeof *z));
	}
	close_all(r);
	fixture_close(&f);
	free(t);
}

static uint64_t play(struct recurrent *r, const struct recurrent_spec *s, uint64_t seed)
{
	struct fixture f = { .random = seed };
	uint64_t hash = 14695981039346656037u;
	float z[CHANNELS_MAX], out[CHANNELS_MAX];

	for (unsigned step = 0; step < STEPS; step++) {
		draw_row(&f, z, s->channels);
		recurrent_advance(r, z);
		if (s->kind == RECURRENT_FORECAST) {
			recurrent_forecast(r, out);
			hash = hash_of(hash, out, s->channels);
		} else if (step % 8 == 0) {
			hash = hash_of(hash, recurrent_window(r), (size_t)s->window * s->channels);
		}
		hash = hash_of(hash, recurrent_state(r), s->hidden);
	}
	return hash;
}

/* After a reset the same rows give the same bits, and those are the bits of every machine. */
static void bits(enum recurrent_kind kind, enum form form, uint64_t want)
{
	struct fixture f = { .random = 11 };
	struct recurrent_spec s = fixture_net(&f, kind, 9, 40, kind == RECURRENT_FORECAST ? 2 : 1,
					      form);
	struct recurrent *r[FC_KINDS];

	if (kind == RECURRENT_FORECAST)
		fixture_graph(&f, &s, 4, 4, form);
	else
		s.window = 12;
	open_all(r, &s);
	for (int k = 0; k < FC_KINDS; k++) {
		uint64_t first = play(r[k], &s, 1), other = play(r[k], &s, 1);

		CHECK(first != other);	/* the past had a say */
		recurrent_reset(r[k]);
		for (unsigned u = 0; u < s.hidden; u++)
			CHECK(recurrent_state(r[k])[u] == 0);
		CHECK(play(r[k], &s, 1) == first);
		if (first != want && (k == FC_REF || library_is_exact())) {
			fprintf(stderr, "kind %d, form %d, fc %d: the bits are %#llx, not %#llx\n",
				(int)kind, (int)form, k, (unsigned long long)first,
				(unsigned long long)want);
			exit(1);
		}
	}
	close_all(r);
	fixture_close(&f);
}

/* Values are clipped at 127 / z_inv_step; what a window is compared with is not. */
static void clip(void)
{
	struct fixture f = { .random = 3 };
	struct recurrent_spec s = fixture_net(&f, RECURRENT_AUTOENCODER, 2, 8, 1, FORM_FLOAT);
	struct recurrent *r[2];
	float near[2], far[2], error[2][2];

	s.window = 1;
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(recurrent_open(&r[i], &s, 127 / 5.0f, FC_XNN, NULL), 0);
	recurrent_advance(r[0], (float[]){ 5, -5 });
	recurrent_advance(r[1], (float[]){ 50, -INFINITY });
	for (unsigned i = 0; i < 2; i++)
		memcpy(error[i], recurrent_window(r[i]), sizeof error[i]);
	CHECK_NEAR(error[0][0] - 45, error[1][0], 1e-4);
	CHECK_NEAR(error[1][1], 1e12, 1e6);
	for (unsigned i = 0; i < 2; i++)
		recurrent_close(r[i]);

	s = fixture_net(&f, RECURRENT_FORECAST, 2, 8, 1, FORM_FLOAT);
	fixture_graph(&f, &s, 3, 1, FORM_FLOAT);
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQ(recurrent_open(&r[i], &s, 127 / 5.0f, FC_XNN, NULL), 0);
	recurrent_advance(r[0], (float[]){ 5, 0 });
	recurrent_advance(r[1], (float[]){ 1e30f, NAN });
	recurrent_forecast(r[0], near);
	recurrent_forecast(r[1], far);
	CHECK(!memcmp(near, far, sizeof near));
	recurrent_advance(r[0], (float[]){ 4.5f, 0 });
	recurrent_advance(r[1], (float[]){ 5, 0 });
	recurrent_forecast(r[0], near);
	recurrent_forecast(r[1], far);
	CHECK(memcmp(near, far, sizeof near));
	for (unsigned i = 0; i < 2; i++)
		recurrent_close(r[i]);
	fixture_close(&f);
}

static void cost(void)
{
	struct fixture f = { .random = 3 };
	struct recurrent_spec s = fixture_net(&f, RECURRENT_FORECAST, 5, 16, 2, FORM_STATIC);

	CHECK_EQ(recurrent_cost(&s), 64 * 21 + 64 * 32 + 5 * 16);
	fixture_graph(&f, &s, 4, 1, FORM_STATIC);
	/* projection, own, mix, one edge a node, fuse */
	CHECK_EQ(recurrent_cost(&s), 64 * 21 + 64 * 32 + 5 * 16 +
		 (20 * 16 + 20 + 5 * 16 + 20 + 20));
	s = fixture_net(&f, RECURRENT_AUTOENCODER, 5, 16, 1, FORM_STATIC);
	s.window = 10;
	CHECK_EQ(recurrent_cost(&s), 10 * (64 * 21 + 64 * 32 + 5 * 16));
	s.kind = RECURRENT_NONE;
	CHECK_EQ(recurrent_cost(&s), 0);
	fixture_close(&f);
}

int main(void)
{
	for (enum form form = 0; form < FORMS; form++) {
		forecast(8, 64, 1, 0, 0, form);
		forecast(3, 17, 2, 0, 0, form);
		forecast(20, 32, 1, 4, 4, form);
		forecast(24, 16, 2, 7, 6, form);
		forecast(5, 20, 1, 16, 32, form);
		forecast(1, 1, 1, 1, 1, form);
		forecast(2, 16, 1, 1, 0, form);
		autoencoder(4, 24, 16, form);
		autoencoder(1, 16, 1, form);
		autoencoder(20, 32, 5, form);
	}
	bits(RECURRENT_FORECAST, FORM_FLOAT, 0x360f8a3358467506);
	bits(RECURRENT_FORECAST, FORM_STATIC, 0x73530865f387fb4c);
	bits(RECURRENT_FORECAST, FORM_DYNAMIC, 0x8c898c7801c6f4a7);
	bits(RECURRENT_AUTOENCODER, FORM_FLOAT, 0xed0194220e60f8ad);
	bits(RECURRENT_AUTOENCODER, FORM_STATIC, 0x8d93d5bbf46c206e);
	bits(RECURRENT_AUTOENCODER, FORM_DYNAMIC, 0xdc96647f23590d2d);
	clip();
	cost();
	recurrent_close(NULL);
	return 0;
}
