// SPDX-License-Identifier: MIT
/*
 * onednn: oneDNN's int8 (and f32) LSTM primitive and inner products on the shapes (shapes.h).
 *
 * Weights are reordered once into the layout that the primitive asks for; memories and
 * arguments are made once, so that a run is dnnl_primitive_execute and nothing of ours but
 * the rounding of its f32 inputs, by our own vectorised rule. Its LSTM has one quantisation for
 * rows and state alike: SPREAD over 127 steps of an u8. One window is one execution an LSTM, not
 * one a row. It is kept from AMX, which for one row costs it half as much again.
 */
#include "test/bench/contestant.h"

#if __has_include(<oneapi/dnnl/dnnl.h>)
#include "kernels/quant.h"
#include "test/bench/onednn_op.h"
#include "test/bench/shapes.h"

#define ZERO 128.0f
#define SCALE (127.0f / SPREAD)

static float rows[ROWS][CHANNELS];
static float inputs[DENSE_INPUTS][DENSE_WIDEST];

/* ---- one LSTM over `steps` rows ---- */
struct lstm_op {
	struct op op[2];	/* the state is fed back by turning */
	unsigned turn, in, hidden, steps;
	bool int8;
	void *x;		/* [steps][in]: u8 or f32 */
	void *h[2];		/* [hidden]: u8 or f32 */
	float *c[2], *out;	/* [hidden], [steps][hidden] */
};

static void lstm_reset_state(struct lstm_op *l)
{
	memset(l->h[l->turn], l->int8 ? (int)ZERO : 0, l->hidden * (l->int8 ? 1 : sizeof(float)));
	memset(l->c[l->turn], 0, l->hidden * sizeof(float));
}

/* A scale for each gate's each unit, over its row of both matrices: mask of gate and unit. */
static void lstm_scales(dnnl_primitive_attr_t attr, const struct lstm_shape *s)
{
	float *scale = shape_block(4 * s->hidden);

	for (unsigned o = 0; o < 4 * s->hidden; o++) {
		float top = 0;

		for (unsigned i = 0; i < s->gates.in; i++)
			top = fmaxf(top, fabsf(s->gates.weight[o * s->gates.in + i]));
		scale[o] = 127 / top;
	}
	check(dnnl_primitive_attr_set_rnn_weights_qparams(attr, 4 * s->hidden, 1 << 3 | 1 << 4,
							  scale), "weights' scales");
	check(dnnl_primitive_attr_set_rnn_data_qparams(attr, SCALE, ZERO), "scale");
	free(scale);
}

/* [layers 1][directions 1][in][gate][unit] of columns [at, at + in) */
static float *lstm_weights(const struct lstm_shape *s, unsigned at, unsigned in)
{
	float *w = shape_block(4 * s->hidden * in);

	for (unsigned i = 0; i < in; i++)
		for (unsigned o = 0; o < 4 * s->hidden; o++)
			w[i * 4 * s->hidden + o] = s->gates.weight[o * s->gates.in + at + i];
	return w;
}

static struct lstm_op *lstm_open(const struct lstm_shape *s, unsigned steps, bool int8)
{
	dnnl_dim_t h = s->hidden, in = s->in, t = steps;
	dnnl_data_type_t type = int8 ? dnnl_u8 : dnnl_f32;
	dnnl_memory_desc_t src = desc(type, dnnl_tnc, 3, (dnnl_dims_t){ t, 1, in });
	dnnl_memory_desc_t state = desc(type, dnnl_ldnc, 4, (dnnl_dims_t){ 1, 1, 1, h });
	dnnl_memory_desc_t cell = desc(dnnl_f32, dnnl_ldnc, 4, (dnnl_dims_t){ 1, 1, 1, h });
	dnnl_memory_desc_t dst = desc(dnnl_f32, dnnl_tnc, 3, (dnnl_dims_t){ t, 1, h });
	dnnl_memory_desc_t bias = desc(dnnl_f32, dnnl_ldgo, 4, (dnnl_dims_t){ 1, 1, 4, h });
	dnnl_data_type_t weights = int8 ? dnnl_s8 : dnnl_f32;
	dnnl_memory_desc_t any[2], plain[2];
	dnnl_memory_t fixed[4], m;
	struct lstm_op *l = calloc(1, sizeof *l);
	dnnl_primitive_attr_t attr;
	dnnl_primitive_desc_t pd;

	if (!l)
		abort();
	*l = (struct lstm_op){ .in = s->in, .hidden = s->hidden, .steps = steps, .int8 = int8 };
	check(dnnl_primitive_attr_create(&attr), "attributes");
	if (int8)
		lstm_scales(attr, s);
	for (unsigned k = 0; k < 2; k++) {
		const dnnl_dims_t dim = { 1, 1, k ? h : in, 4, h };

		any[k] = desc(weights, dnnl_format_tag_any, 5, dim);
		plain[k] = desc(dnnl_f32, dnnl_ldigo, 5, dim);
	}
	check(dnnl_lstm_forward_primitive_desc_create(
		      &pd, engine, dnnl_forward_inference, dnnl_unidirectional_left2right, src,
		      state, cell, any[0], any[1], NULL, NULL, bias, dst, state, cell, 0, attr),
	      "LSTM");
	for (unsigned k = 0; k < 2; k++) {
		float *w = lstm_weights(s, k ? s->in : 0, k ? s->hidden : s->in);

		fixed[k] = reordered(plain[k], w, dnnl_primitive_desc_query_md(
					     pd, dnnl_query_weights_md, (int)k), attr);
		free(w);
	}
	fixed[2] = memory(bias, s->gates.bias);
	fixed[3] = memory(src, NULL);
	l->x = bytes_of(fixed[3]);
	m = memory(dst, NULL);
	l->out = bytes_of(m);
	for (unsigned k = 0; k < 2; k++) {
		struct op *op = &l->op[k];

		check(dnnl_primitive_create(&op->primitive, pd), "LSTM");
		op_arg(op, DNNL_ARG_WEIGHTS_LAYER, fixed[0]);
		op_arg(op, DNNL_ARG_WEIGHTS_ITER, fixed[1]);
		op_arg(op, DNNL_ARG_BIAS, fixed[2]);
		op_arg(op, DNNL_ARG_SRC_LAYER, fixed[3]);
		op_arg(op, DNNL_ARG_DST_LAYER, m);
	}
	for (unsigned k = 0; k < 2; k++) {
		dnnl_memory_t hm = memory(state, NULL), cm = memory(cell, NULL);

		l->h[k] = bytes_of(hm);
		l->c[k] = bytes_of(cm);
		op_arg(&l->op[k], DNNL_ARG_SRC_ITER, hm);
		op_arg(&l->op[k], DNNL_ARG_SRC_ITER_C, cm);
		op_arg(&l->op[!k], DNNL_ARG_DST_ITER, hm);
		op_arg(&l->op[!k], DNNL_ARG_DST_ITER_C, cm);
	}
	lstm_reset_state(l);
	dnnl_primitive_desc_destroy(pd);
	dnnl_primitive_attr_destroy(attr);
	return l;
}

static const float *lstm_run(struct lstm_op *l)
{
	op_run(&l->op[l->turn]);
	l->turn = !l->turn;
	return l->out;
}

static void lstm_put(struct lstm_op *l, const float *x, unsigned n)
{
	uint8_t *u = l->x;

	if (!l->int8) {
		memcpy(l->x, x, n * sizeof *x);
		return;
	}
	quant_i8(l->x, x, n, SCALE);
	for (unsigned i = 0; i < n; i++)
		u[i] ^= 0x80;		/* ZERO more, as an u8 */
}

static const float *run_step(void *self, unsigned i)
{
	lstm_put(self, rows[i % ROWS], CHANNELS);
	return lstm_run(self);
}

/* ---- inner products ---- */
struct product {
	struct op op;
	void *x, *y;
};

static dnnl_memory_t floats(const float *v, unsigned n)
{
	dnnl_memory_t m = memory(desc(dnnl_f32, dnnl_a, 1, (dnnl_dims_t){ n }), NULL);

	memcpy(bytes_of(m), v, n * sizeof *v);
	return m;
}

/*
 * y[n][out] = x[n][in] W + b. In int8 an x is in steps of `step` and y in steps of `next`, or
 * f32 where next is 0; relu makes y u8. x is the memory of another's y, or NULL: s8 of its own.
 */
static struct product product_open(const struct layer *l, unsigned n, dnnl_memory_t x, bool relu,
				   bool int8, float step, float next)
{
	dnnl_data_type_t in = !int8 ? dnnl_f32 : x ? dnnl_u8 : dnnl_s8;
	dnnl_data_type_t out = int8 && next > 0 ? dnnl_u8 : dnnl_f32;
	dnnl_memory_desc_t src = desc(in, dnnl_ab, 2, (dnnl_dims_t){ n, l->in });
	dnnl_memory_desc_t dst = desc(out, dnnl_ab, 2, (dnnl_dims_t){ n, l->out });
	dnnl_dims_t dim = { l->out, l->in };
	dnnl_memory_desc_t any = desc(int8 ? dnnl_s8 : dnnl_f32, dnnl_format_tag_any, 2, dim);
	dnnl_memory_desc_t plain = desc(int8 ? dnnl_s8 : dnnl_f32, dnnl_ab, 2, dim);
	dnnl_memory_desc_t bias = desc(dnnl_f32, dnnl_a, 1, (dnnl_dims_t){ l->out });
	float *scale = shape_block(l->out), *one = shape_block(l->in);
	int8_t *q = calloc(l->in, l->out);
	dnnl_primitive_attr_t attr;
	struct product p = { 0 };
	dnnl_primitive_desc_t pd;
	dnnl_post_ops_t after;
	dnnl_memory_t y;

	if (!q)
		abort();
	for (unsigned i = 0; i < l->in; i++)
		one[i] = 1;
	layer_quantise(l, one, q, scale);
	check(dnnl_primitive_attr_create(&attr), "attributes");
	if (int8) {
		check(dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_SRC, 0), "scale");
		check(dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_WEIGHTS, 1), "scale");
		op_arg(&p.op, DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, floats(&step, 1));
		op_arg(&p.op, DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, floats(scale, l->out));
	}
	if (int8 && next > 0) {
		check(dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_DST, 0), "scale");
		op_arg(&p.op, DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, floats(&next, 1));
	}
	if (relu) {
		check(dnnl_post_ops_create(&after), "relu");
		check(dnnl_post_ops_append_eltwise(after, dnnl_eltwise_relu, 0, 0), "relu");
		check(dnnl_primitive_attr_set_post_ops(attr, after), "relu");
		dnnl_post_ops_destroy(after);
	}
	check(dnnl_inner_product_forward_primitive_desc_create(
		      &pd, engine, dnnl_forward_inference, src, any, bias, dst, attr), "product");
	check(dnnl_primitive_create(&p.op.primitive, pd), "product");
	if (!x)
		x = memory(src, NULL);
	y = memory(dst, NULL);
	op_arg(&p.op, DNNL_ARG_SRC, x);
	op_arg(&p.op, DNNL_ARG_WEIGHTS,
	       reordered(plain, int8 ? (void *)q : l->weight,
			 dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), NULL));
	op_arg(&p.op, DNNL_ARG_BIAS, floats(l->bias, l->out));
	op_arg(&p.op, DNNL_ARG_DST, y);
	p.x = bytes_of(x);
	p.y = bytes_of(y);
	dnnl_primitive_desc_destroy(pd);
	dnnl_primitive_attr_destroy(attr);
	free(q);
	free(scale);
	free(one);
	return p;
}

/* ---- the window ---- */
struct window {
	struct lstm_op *encoder, *decoder;
	struct product head;
	bool int8;
};

static struct window *window_open(const struct window_shape *s, bool int8)
{
	struct window *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->int8 = int8;
	w->encoder = lstm_open(&s->encoder, WINDOW, int8);
	w->decoder = lstm_open(&s->decoder, WINDOW, int8);
	w->head = product_open(&s->head, WINDOW, NULL, false, int8, 1.0f / 127, 0);
	return w;
}

static const float *run_window(void *self, unsigned i)
{
	struct window *w = self;
	const float *out;

	lstm_reset_state(w->encoder);
	lstm_put(w->encoder, rows[i % (ROWS / WINDOW) * WINDOW], WINDOW * CHANNELS);
	out = lstm_run(w->encoder) + (WINDOW - 1) * WINDOW_HIDDEN;
	lstm_reset_state(w->decoder);
	for (unsigned t = 0; t < WINDOW; t++) {
		size_t size = w->int8 ? 1 : sizeof(float);
		char *x = w->decoder->x;

		if (t)
			memcpy(x + t * WINDOW_HIDDEN * size, x, WINDOW_HIDDEN * size);
		else
			lstm_put(w->decoder, out, WINDOW_HIDDEN);
	}
	out = lstm_run(w->decoder);
	if (w->int8)
		quant_i8(w->head.x, out, WINDOW * WINDOW_HIDDEN, 127);
	else
		memcpy(w->head.x, out, WINDOW * WINDOW_HIDDEN * sizeof *out);
	op_run(&w->head.op);
	return w->head.y;
}

/* ---- the dense autoencoder ---- */
struct dense {
	struct product layer[DENSE_LAYERS];
	float inv_step;
	bool int8;
};

static struct dense *dense_open(const struct dense_shape *s, bool int8)
{
	struct dense *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	d->int8 = int8;
	d->inv_step = 127 / s->top[0];
	for (unsigned k = 0; k < DENSE_LAYERS; k++) {
		bool last = k + 1 == DENSE_LAYERS;
		struct op *before = k ? &d->layer[k - 1].op : NULL;

		d->layer[k] = product_open(&s->layer[k], 1,
					   k ? before->arg[before->args - 1].memory : NULL, !last,
					   int8, s->top[k] / (k ? 255 : 127),
					   last ? 0 : s->top[k + 1] / 255);
	}
	return d;
}

static const float *run_dense(void *self, unsigned i)
{
	struct dense *d = self;

	if (d->int8)
		quant_i8(d->layer[0].x, inputs[i % DENSE_INPUTS], DENSE_WIDEST, d->inv_step);
	else
		memcpy(d->layer[0].x, inputs[i % DENSE_INPUTS], sizeof inputs[0]);
	for (unsigned k = 0; k < DENSE_LAYERS; k++)
		op_run(&d->layer[k].op);
	return d->layer[DENSE_LAYERS - 1].y;
}

int main(int argc, char **argv)
{
	static const char *const variant[] = { "f32", "int8" };
	const dnnl_version_t *v = dnnl_version();
	struct contestant t;

	contestant_open(&t, argc, argv);
	snprintf(t.version, sizeof t.version, "%d.%d.%d", v->major, v->minor, v->patch);
	shape_rows(rows);
	dense_inputs(inputs);
	check(dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx512_core_fp16), "instruction set");
	check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
	check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < HIDDEN_SIZES; i++) {
			unsigned hidden = hidden_sizes[i];
			struct lstm_shape s;

			if (!contestant_wants(&t, lstm_name(hidden), variant[k]))
				continue;
			s = lstm_make(CHANNELS, hidden, hidden);
			contestant_add(&t, lstm_name(hidden), variant[k], run_step,
				       lstm_open(&s, 1, k), STEPS_BEFORE, hidden);
		}
		if (contestant_wants(&t, "window", variant[k])) {
			struct window_shape s = window_make();

			contestant_add(&t, "window", variant[k], run_window, window_open(&s, k), 0,
				       WINDOW * CHANNELS);
		}
		if (contestant_wants(&t, "dense", variant[k])) {
			struct dense_shape s = dense_make();

			contestant_add(&t, "dense", variant[k], run_dense, dense_open(&s, k), 0,
				       DENSE_WIDEST);
		}
	}
	return contestant_serve(&t);
}

#else

int main(void)
{
	return contestant_skip("built without oneapi/dnnl/dnnl.h");
}

#endif
