// SPDX-License-Identifier: MIT
/*
 * sonde: our contestant. Each shape (shapes.h) three times: int8 on XNNPACK as the daemon runs
 * it, the same in plain C, and the f32 loop that anybody would write first, with libm's expf
 * and tanhf; what that loop computes is the truth for all contestants.
 *
 * Values enter and leave every run in f32, quantising included.
 */
#include "kernels/lstm.h"
#include "kernels/quant.h"
#include "kernels/why.h"
#include "test/bench/contestant.h"
#include "test/bench/shapes.h"

static float rows[ROWS][CHANNELS];
static float inputs[DENSE_INPUTS][DENSE_WIDEST];

static void fail(const struct why *why)
{
	fprintf(stderr, "sonde: %s\n", why->text);
	exit(1);
}

/* Columns [0, at) are read in steps of `first`, the others of `then`. */
static struct fc_spec quantise(const struct layer *l, unsigned at, float first, float then)
{
	int8_t *weight = malloc((size_t)l->in * l->out);
	float *scale = shape_block(l->out), *step = shape_block(l->in);

	if (!weight)
		abort();
	for (unsigned i = 0; i < l->in; i++)
		step[i] = i < at ? first : then;
	layer_quantise(l, step, weight, scale);
	free(step);
	return (struct fc_spec){ .in = l->in, .out = l->out, .weight = weight, .scale = scale,
				 .bias = l->bias };
}

static struct fc *open_fc(const struct layer *l, float step, enum fc_kind kind)
{
	struct fc_spec spec = quantise(l, l->in, step, step);
	struct why why;
	struct fc *fc;

	if (fc_open(&fc, &spec, kind, &why))
		fail(&why);
	return fc;
}

/* x_step: of what the layer reads */
static struct lstm *open_lstm(const struct lstm_shape *s, float x_step, enum fc_kind kind)
{
	struct fc_spec spec = quantise(&s->gates, s->in, x_step, 1.0f / QUANT_MAX);
	struct why why;
	struct lstm *l;

	if (lstm_open_step(&l, s->in, s->hidden, &spec, 1 / x_step, kind, &why))
		fail(&why);
	return l;
}

/* ---- the step ---- */
static const float *run_step(void *self, unsigned i)
{
	return lstm_step(self, rows[i % ROWS]);
}

struct naive {
	struct lstm_shape shape;
	float c[HIDDEN_MAX], v[2 * HIDDEN_MAX];		/* v: [x | h] */
};

static const float *naive_step(struct naive *n, const float *x)
{
	unsigned hidden = n->shape.hidden;
	float pre[4 * HIDDEN_MAX], *h = n->v + n->shape.in;

	memcpy(n->v, x, n->shape.in * sizeof *x);
	layer_run(&n->shape.gates, n->v, pre);
	for (unsigned u = 0; u < hidden; u++) {
		float i = 1 / (1 + expf(-pre[u]));
		float f = 1 / (1 + expf(-pre[hidden + u]));
		float g = tanhf(pre[2 * hidden + u]);
		float o = 1 / (1 + expf(-pre[3 * hidden + u]));

		n->c[u] = f * n->c[u] + i * g;
		h[u] = o * tanhf(n->c[u]);
	}
	return h;
}

static const float *run_naive_step(void *self, unsigned i)
{
	return naive_step(self, rows[i % ROWS]);
}

/* ---- the window ---- */
struct window {
	struct lstm *encoder, *decoder;
	struct fc *head;
	float out[WINDOW][CHANNELS];
};

static struct window *open_window(const struct window_shape *s, enum fc_kind kind)
{
	struct window *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->encoder = open_lstm(&s->encoder, QUANT_Z_CLIP / QUANT_MAX, kind);
	w->decoder = open_lstm(&s->decoder, 1.0f / QUANT_MAX, kind);
	w->head = open_fc(&s->head, 1.0f / QUANT_MAX, kind);
	return w;
}

/* The same operators in the same order as recurrent_window. */
static const float *run_window(void *self, unsigned i)
{
	float (*row)[CHANNELS] = rows + i % (ROWS / WINDOW) * WINDOW;
	struct window *w = self;
	const float *code = NULL;

	lstm_reset(w->encoder);
	lstm_reset(w->decoder);
	for (unsigned t = 0; t < WINDOW; t++)
		code = lstm_step(w->encoder, row[t]);
	for (unsigned t = 0; t < WINDOW; t++) {
		fc_put(w->head, 0, lstm_step(w->decoder, code), WINDOW_HIDDEN, QUANT_MAX);
		memcpy(w->out[t], fc_run(w->head), sizeof w->out[t]);
	}
	return w->out[0];
}

struct naive_window {
	struct naive encoder, decoder;
	struct layer head;
	float out[WINDOW][CHANNELS];
};

static const float *run_naive_window(void *self, unsigned i)
{
	float (*row)[CHANNELS] = rows + i % (ROWS / WINDOW) * WINDOW;
	struct naive_window *w = self;
	const float *code = NULL;

	memset(w->encoder.v, 0, sizeof w->encoder.v);
	memset(w->encoder.c, 0, sizeof w->encoder.c);
	memset(w->decoder.v, 0, sizeof w->decoder.v);
	memset(w->decoder.c, 0, sizeof w->decoder.c);
	for (unsigned t = 0; t < WINDOW; t++)
		code = naive_step(&w->encoder, row[t]);
	for (unsigned t = 0; t < WINDOW; t++)
		layer_run(&w->head, naive_step(&w->decoder, code), w->out[t]);
	return w->out[0];
}

/* ---- the dense autoencoder ---- */
struct dense {
	struct fc *fc[DENSE_LAYERS];
	float inv_step[DENSE_LAYERS];
};

static struct dense *open_dense(const struct dense_shape *s, enum fc_kind kind)
{
	struct dense *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	for (unsigned k = 0; k < DENSE_LAYERS; k++) {
		float step = s->top[k] / QUANT_MAX;

		d->inv_step[k] = 1 / step;
		d->fc[k] = open_fc(&s->layer[k], step, kind);
	}
	return d;
}

/* Four at a time, as all widths are made of fours: at -O2 gcc would take them one by one. */
static void relu(float *to, const float *from, unsigned n)
{
	typedef float floats __attribute__((vector_size(16)));
	typedef int32_t masks __attribute__((vector_size(16)));
	const floats zero = { 0 };

	for (unsigned o = 0; o < n; o += 4) {
		floats v;

		memcpy(&v, from + o, sizeof v);
		v = (floats)((masks)v & (v > zero));
		memcpy(to + o, &v, sizeof v);
	}
}

static const float *run_dense(void *self, unsigned i)
{
	struct dense *d = self;
	const float *y = inputs[i % DENSE_INPUTS];
	float positive[DENSE_WIDEST];

	for (unsigned k = 0; k < DENSE_LAYERS; k++) {
		fc_put(d->fc[k], 0, y, dense_width[k], d->inv_step[k]);
		y = fc_run(d->fc[k]);
		if (k + 1 == DENSE_LAYERS)
			break;
		relu(positive, y, dense_width[k + 1]);
		y = positive;
	}
	return y;
}

static const float *run_naive_dense(void *self, unsigned i)
{
	static float y[DENSE_WIDEST];

	dense_run(self, inputs[i % DENSE_INPUTS], y, NULL);
	return y;
}

/* ---- what takes part ---- */
static const struct { const char *name; enum fc_kind kind; } made[] = {
	{ "int8", FC_XNN }, { "reference", FC_REF },
};
#define MADE (sizeof made / sizeof *made)

static void add_steps(struct contestant *t, unsigned hidden)
{
	const char *shape = lstm_name(hidden);
	struct lstm_shape s;
	struct naive *n;

	if (!contestant_wants(t, shape, NULL))
		return;
	s = lstm_make(CHANNELS, hidden, hidden);
	n = calloc(1, sizeof *n);
	if (!n)
		abort();
	n->shape = s;
	if (contestant_wants(t, shape, "naive"))
		contestant_add(t, shape, "naive", run_naive_step, n, STEPS_BEFORE, hidden);
	for (unsigned k = 0; k < MADE; k++)
		if (contestant_wants(t, shape, made[k].name))
			contestant_add(t, shape, made[k].name, run_step,
				       open_lstm(&s, QUANT_Z_CLIP / QUANT_MAX, made[k].kind),
				       STEPS_BEFORE, hidden);
}

static void add_windows(struct contestant *t)
{
	static struct naive_window n;
	struct window_shape s;

	if (!contestant_wants(t, "window", NULL))
		return;
	s = window_make();
	n = (struct naive_window){ { .shape = s.encoder }, { .shape = s.decoder }, s.head,
				   { { 0 } } };
	if (contestant_wants(t, "window", "naive"))
		contestant_add(t, "window", "naive", run_naive_window, &n, 0, WINDOW * CHANNELS);
	for (unsigned k = 0; k < MADE; k++)
		if (contestant_wants(t, "window", made[k].name))
			contestant_add(t, "window", made[k].name, run_window,
				       open_window(&s, made[k].kind), 0, WINDOW * CHANNELS);
}

static void add_denses(struct contestant *t)
{
	static struct dense_shape s;

	if (!contestant_wants(t, "dense", NULL))
		return;
	s = dense_make();
	dense_inputs(inputs);
	if (contestant_wants(t, "dense", "naive"))
		contestant_add(t, "dense", "naive", run_naive_dense, &s, 0, DENSE_WIDEST);
	for (unsigned k = 0; k < MADE; k++)
		if (contestant_wants(t, "dense", made[k].name))
			contestant_add(t, "dense", made[k].name, run_dense,
				       open_dense(&s, made[k].kind), 0, DENSE_WIDEST);
}

int main(int argc, char **argv)
{
	struct contestant t;

	contestant_open(&t, argc, argv);
	shape_rows(rows);
	for (unsigned i = 0; i < HIDDEN_SIZES; i++)
		add_steps(&t, hidden_sizes[i]);
	add_windows(&t);
	add_denses(&t);
	return contestant_serve(&t);
}
