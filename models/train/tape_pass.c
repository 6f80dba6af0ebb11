// SPDX-License-Identifier: MIT
/*
 * tape_pass: a window forwards and backwards, chunk by chunk. An autoencoder's window is its
 * encoder's chunks and then its decoder's, which all read the encoder's last state: their
 * gradients by it are gathered and handed to the encoder when the decoder is done.
 */
#include <string.h>

#include "models/train/bf16.h"
#include "models/train/product.h"
#include "models/train/tape_impl.h"

struct chunk {
	unsigned at, steps;	/* of the source */
	bool decodes, first;	/* first: of the decoder */
	bool speaks;		/* has an output */
};

static struct chunk chunk_of(const struct tape *t, unsigned c)
{
	bool coder = t->net.kind == RECURRENT_AUTOENCODER;
	unsigned half = coder ? t->chunks / 2 : t->chunks;
	unsigned within = c % half * TAPE_CHUNK, left = t->steps - within;

	return (struct chunk){
		.at = (c >= half ? t->steps : 0) + within,
		.steps = left < TAPE_CHUNK ? left : TAPE_CHUNK,
		.decodes = c >= half, .first = coder && c == half,
		.speaks = !coder || c >= half,
	};
}

static float *take(float **at, size_t count)
{
	float *p = *at;

	*at += count;
	return p;
}

/* base[slot_count] as a slot of the present batch. */
static struct tape_slot slot_at(const struct tape *t, float *base)
{
	size_t N = t->net.channels, H = t->net.hidden, F = t->net.features, B = t->batch;
	size_t rows = TAPE_CHUNK * B;
	unsigned layers = t->net.kind == RECURRENT_AUTOENCODER ? 1 : t->net.layers;
	struct tape_slot v = { 0 };

	for (unsigned l = 0; l < layers; l++) {
		v.layer[l].gate = take(&base, rows * 4 * H);
		v.layer[l].h = take(&base, (rows + B) * H);
		v.layer[l].c = take(&base, (rows + B) * H);
	}
	v.node = take(&base, rows * N * F);
	v.near = take(&base, rows * N * F);
	v.out = base;
	return v;
}

static struct tape_slot slot_open(const struct tape *t, unsigned slot)
{
	if (t->half)
		return slot_at(t, t->open);
	return slot_at(t, (float *)t->slots + slot * t->slot_count);
}

static void slot_keep(struct tape *t, unsigned slot)
{
	if (t->half)
		bf16_pack((uint16_t *)t->slots + slot * t->slot_count, t->open, t->slot_count);
}

static void slot_restore(struct tape *t, unsigned slot)
{
	if (t->half)
		bf16_unpack(t->open, (const uint16_t *)t->slots + slot * t->slot_count,
			    t->slot_count);
}

static struct lstm_chunk lstm_of(const struct tape *t, const struct net *n, const struct chunk *k,
				 const struct tape_slot *v, unsigned layer, bool half)
{
	struct lstm_chunk c = {
		.batch = t->batch, .steps = k->steps, .hidden = n->shape.hidden,
		.inputs = n->shape.hidden, .w = n->gate_w[1], .b = n->gate_b[1], .half = half,
	};

	if (k->decodes) {
		c.fixed = t->code_gate;
	} else if (layer) {
		c.x = v->layer[0].h + (size_t)t->batch * n->shape.hidden;
	} else {
		c.inputs = n->shape.channels;
		c.w = n->gate_w[0];
		c.b = n->gate_b[0];
		c.x = t->x;
	}
	return c;
}

/* The encoder's last state becomes what the decoder, which starts from zero, reads. */
static void begin_decoder(struct tape *t, const struct net *n)
{
	size_t H = n->shape.hidden, B = t->batch;

	memcpy(t->code, t->state, B * H * sizeof(float));
	memset(t->state, 0, 2 * B * H * sizeof(float));
	product_fill(t->code_gate, n->gate_b[1], B, 4 * H);
	product(t->code_gate, t->code, n->gate_w[1], B, 4 * H, H, 2 * H, 1);
}

static void end_decoder(struct tape *t, const struct net *n, struct net *grad)
{
	size_t H = n->shape.hidden, B = t->batch;

	if (t->half)
		bf16_round(t->d_code_gate, B * 4 * H);
	product_weights(grad->gate_w[1], t->d_code_gate, t->code, B, 4 * H, H, 2 * H);
	product_sum(grad->gate_b[1], t->d_code_gate, B, 4 * H);
	product_back(t->d_state, t->d_code_gate, n->gate_w[1], B, 4 * H, H, 2 * H, 0);
	memset(t->d_state + B * H, 0, B * H * sizeof(float));
}

static void read_x(struct tape *t, const struct tape_source *s, const struct chunk *k, bool half)
{
	if (k->decodes)
		return;
	s->read(s->ctx, k->at, k->steps, t->x, NULL, NULL);
	if (half)
		bf16_round(t->x, (size_t)k->steps * t->batch * t->net.channels);
}

/* From t->state to t->state; leaves v->out where the chunk has any. */
static void forward(struct tape *t, const struct net *n, const struct tape_source *source,
		    const struct chunk *k, struct tape_slot *v, bool half)
{
	size_t N = n->shape.channels, H = n->shape.hidden, rows = (size_t)k->steps * t->batch;
	unsigned layers = k->decodes ? 1 : n->shape.layers;
	const float *h;

	if (k->first)
		begin_decoder(t, n);
	read_x(t, source, k, half);
	for (unsigned l = 0; l < layers; l++) {
		struct lstm_chunk c = lstm_of(t, n, k, v, l, half);

		tape_lstm_forward(&c, &v->layer[l], t->state + l * 2 * t->batch * H);
	}
	if (!k->speaks)
		return;
	h = v->layer[layers - 1].h + t->batch * H;
	product_fill(v->out, n->head_b, rows, N);
	product(v->out, h, n->head_w, rows, N, H, H, 1);
	if (n->shape.features)
		tape_graph_forward(t, n, v, h, rows, half);
}

/* Adds the loss of a chunk's output to sum, where there is one. Leaves y and w in the tape. */
static void score(struct tape *t, const struct tape_source *source, const struct chunk *k,
		  const float *out, struct tape_sum *sum)
{
	size_t cells = (size_t)k->steps * t->batch * t->net.channels;

	source->read(source->ctx, k->at, k->steps, NULL, t->y, t->w);
	for (size_t i = 0; sum && i < cells; i++) {
		double e = (double)out[i] - (double)t->y[i];

		sum->loss += (double)t->w[i] * e * e;
		sum->mass += (double)t->w[i];
	}
}

/* Behind score: out becomes the gradient of scale * loss. */
static void score_back(struct tape *t, const struct chunk *k, float *out, float scale)
{
	size_t cells = (size_t)k->steps * t->batch * t->net.channels;

	for (size_t i = 0; i < cells; i++)
		out[i] = 2 * scale * t->w[i] * (out[i] - t->y[i]);
}

static void backward(struct tape *t, const struct net *n, const struct tape_source *source,
		     const struct chunk *k, const struct tape_slot *v, struct net *grad)
{
	size_t N = n->shape.channels, H = n->shape.hidden, rows = (size_t)k->steps * t->batch;
	unsigned layers = k->decodes ? 1 : n->shape.layers;
	const float *h = v->layer[layers - 1].h + t->batch * H;
	float *above = t->d_h, *below = t->d_h + TAPE_CHUNK * t->room * H;

	read_x(t, source, k, t->half);
	memset(above, 0, rows * H * sizeof(float));
	if (k->speaks) {
		product_weights(grad->head_w, v->out, h, rows, N, H, H);
		product_sum(grad->head_b, v->out, rows, N);
		product_back(above, v->out, n->head_w, rows, N, H, H, 0);
		if (n->shape.features)
			tape_graph_backward(t, n, v, h, rows, above, grad);
	}
	for (unsigned l = layers; l-- > 0;) {
		struct lstm_chunk c = lstm_of(t, n, k, v, l, t->half);
		unsigned m = k->decodes ? 1 : l;
		struct lstm_gradient g = {
			.w = grad->gate_w[m], .b = grad->gate_b[m], .d_x = l ? below : NULL,
			.d_fixed = t->d_code_gate, .d_h = above, .tanh_c = t->tanh_c,
			.d_state = t->d_state + l * 2 * t->batch * H,
		};

		tape_lstm_backward(&c, &v->layer[l], &g);
		above = below;
	}
	if (k->first)
		end_decoder(t, n, grad);
}

static void begin(struct tape *t, const float *state)
{
	size_t bytes = tape_state_count(&t->net, t->batch) * sizeof(float);

	if (t->net.kind == RECURRENT_AUTOENCODER)
		memset(t->state, 0, bytes);
	else
		memcpy(t->state, state, bytes);
}

static void end(const struct tape *t, float *state)
{
	if (t->net.kind != RECURRENT_AUTOENCODER)
		memcpy(state, t->state, tape_state_count(&t->net, t->batch) * sizeof(float));
}

void tape_forward(struct tape *t, const struct net *n, const struct tape_source *source,
		  float *state, struct tape_sum *sum)
{
	begin(t, state);
	for (unsigned c = 0; c < t->chunks; c++) {
		struct chunk k = chunk_of(t, c);
		struct tape_slot v = slot_open(t, 0);

		forward(t, n, source, &k, &v, false);
		if (k.speaks)
			score(t, source, &k, v.out, sum);
		sum->steps += (uint64_t)k.steps * t->batch;
	}
	end(t, state);
}

const float *tape_output(const struct tape *t)
{
	return slot_open(t, 0).out;
}

static void train_forward(struct tape *t, const struct net *n, const struct tape_source *source,
			  float scale, unsigned c, struct tape_sum *sum, bool again)
{
	struct chunk k = chunk_of(t, c);
	struct tape_slot v = slot_open(t, c % t->keep);
	uint64_t steps = (uint64_t)k.steps * t->batch;

	forward(t, n, source, &k, &v, t->half);
	if (k.speaks) {
		score(t, source, &k, v.out, again ? NULL : sum);
		score_back(t, &k, v.out, scale);
	}
	slot_keep(t, c % t->keep);
	sum->steps += steps;
	sum->again += again ? steps : 0;
}

static void train_backward(struct tape *t, const struct net *n, const struct tape_source *source,
			   unsigned c, struct net *grad)
{
	struct chunk k = chunk_of(t, c);
	struct tape_slot v;

	slot_restore(t, c % t->keep);
	v = slot_open(t, c % t->keep);
	backward(t, n, source, &k, &v, grad);
}

void tape_train(struct tape *t, const struct net *n, const struct tape_source *source,
		float *state, float scale, struct net *grad, struct tape_sum *sum)
{
	size_t count = tape_state_count(&t->net, t->batch), bytes = count * sizeof(float);

	begin(t, state);
	for (unsigned c = 0; c < t->chunks; c++) {
		unsigned segment = c / t->keep;

		if (c % t->keep == 0 && segment + 1 < t->segments)
			memcpy(t->kept + segment * count, t->state, bytes);
		train_forward(t, n, source, scale, c, sum, false);
	}
	end(t, state);
	memset(grad->param, 0, grad->count * sizeof(float));
	memset(t->d_state, 0, bytes);
	if (t->d_code_gate)
		memset(t->d_code_gate, 0, 4 * (size_t)t->batch * t->net.hidden * sizeof(float));
	for (unsigned s = t->segments; s-- > 0;) {
		unsigned from = s * t->keep;
		unsigned to = from + t->keep < t->chunks ? from + t->keep : t->chunks;

		if (s + 1 < t->segments) {
			memcpy(t->state, t->kept + s * count, bytes);
			for (unsigned c = from; c < to; c++)
				train_forward(t, n, source, scale, c, sum, true);
		}
		for (unsigned c = to; c-- > from;)
			train_backward(t, n, source, c, grad);
	}
}
