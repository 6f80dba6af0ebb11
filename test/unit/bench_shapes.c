// SPDX-License-Identifier: MIT
/* What the benchmark's contestants are given: the draw, its int8, the ONNX files' bytes. */
#include <string.h>

#include "test/bench/onnx.h"
#include "test/bench/shapes.h"
#include "test/test.h"

/* By hand: 1664525 + 1013904223 = 1015568748; its upper 24 bits are 3967065. */
static void draw(void)
{
	uint32_t seed = 1;
	float lowest = 1, highest = -1;

	CHECK_NEAR(shape_noise(&seed), 3967065 / 8388608.0 - 1, 0);
	CHECK_EQ(seed, 1015568748);
	for (unsigned i = 0; i < 100000; i++) {
		float v = shape_noise(&seed);

		lowest = fminf(lowest, v);
		highest = fmaxf(highest, v);
	}
	CHECK(lowest >= -1 && lowest < -0.999f);
	CHECK(highest < 1 && highest > 0.999f);
}

static void layers(void)
{
	float weight[] = { 1, -2, 4, 0.5f, 0, 0 }, bias[] = { 1, -1 }, x[] = { 1, 2, 3 }, y[2];
	const float step[] = { 1, 2, 0.5f };
	struct layer l = { 3, 2, weight, bias };
	int8_t q[6];
	float scale[2];

	layer_run(&l, x, y);
	CHECK_NEAR(y[0], 10, 0);
	CHECK_NEAR(y[1], -0.5, 0);
	/* in steps: 1 -4 2 and 0.5 0 0 */
	layer_quantise(&l, step, q, scale);
	CHECK_NEAR(scale[0], 4 / 127.0, 1e-9);
	CHECK_NEAR(scale[1], 0.5 / 127.0, 1e-9);
	CHECK_EQ(q[0], 32);
	CHECK_EQ(q[1], -127);
	CHECK_EQ(q[2], 64);
	CHECK_EQ(q[3], 127);
	CHECK_EQ(q[4], 0);
}

/* Every layer from the widths of MLPerf Tiny's model; relu between, none at the end. */
static void dense(void)
{
	static float x[DENSE_INPUTS][DENSE_WIDEST], a[DENSE_WIDEST], b[DENSE_WIDEST];
	struct dense_shape d = dense_make();
	float y[DENSE_WIDEST], top = 0;
	unsigned below = 0, macs = 0;

	dense_inputs(x);
	dense_run(&d, x[3], y, NULL);
	memcpy(a, x[3], sizeof a);
	for (unsigned k = 0; k < DENSE_LAYERS; k++) {
		const struct layer *l = &d.layer[k];

		macs += l->in * l->out;
		for (unsigned o = 0; o < l->out; o++) {
			double sum = l->bias[o];

			for (unsigned i = 0; i < l->in; i++)
				sum += (double)l->weight[o * l->in + i] * a[i];
			b[o] = (float)(k + 1 < DENSE_LAYERS && sum < 0 ? 0 : sum);
		}
		memcpy(a, b, sizeof a);
		if (k == 4) {
			for (unsigned o = 0; o < l->out; o++)
				top = fmaxf(top, a[o]);
			CHECK(top > 0 && top <= d.top[5] * 1.0001f);
		}
	}
	CHECK_EQ(macs, 264192);
	for (unsigned o = 0; o < DENSE_WIDEST; o++) {
		CHECK_NEAR(y[o], a[o], 1e-4);
		below += y[o] < 0;
	}
	CHECK(below > 100);
	for (unsigned k = 0; k < DENSE_LAYERS; k++)
		layer_free(&d.layer[k]);
}

/* onnx.proto3's field numbers, the encoding by hand. */
static void onnx(void)
{
	static const unsigned char tensor[] = {
		5 << 3 | 2, 14,			/* graph.initializer */
		1 << 3, 2, 1 << 3, 1,		/* dims 2, 1 */
		2 << 3, 3,			/* data_type INT8 */
		8 << 3 | 2, 2, 'W', '1',	/* name */
		9 << 3 | 2, 2, 0xff, 7,		/* raw_data */
	};
	static const unsigned char node[] = {
		1 << 3 | 2, 38,			/* graph.node */
		1 << 3 | 2, 1, 'X',		/* input */
		1 << 3 | 2, 0,			/* input left out */
		2 << 3 | 2, 1, 'Y',		/* output */
		4 << 3 | 2, 2, 'O', 'p',	/* op_type */
		5 << 3 | 2, 9,			/* attribute */
		1 << 3 | 2, 1, 'n',		/* name */
		3 << 3, 0xac, 2,		/* i: 300 */
		0xa0, 1, 2,			/* type INT; 20 << 3 in two bytes */
		7 << 3 | 2, 13, 'c', 'o', 'm', '.', 'm', 'i', 'c', 'r', 'o', 's', 'o', 'f', 't',
	};
	struct buffer b = { 0 };

	onnx_tensor(&b, "W1", ONNX_S8, (const int8_t[]){ -1, 7 }, (struct onnx_shape){ { 2, 1 } });
	CHECK_EQ(b.n, sizeof tensor);
	CHECK(!memcmp(b.p, tensor, sizeof tensor));
	free(b.p);
	b = (struct buffer){ 0 };
	onnx_node(&b, "+Op", "X -", "Y", "n", 300);
	CHECK_EQ(b.n, sizeof node);
	CHECK(!memcmp(b.p, node, sizeof node));
	free(b.p);
}

int main(void)
{
	draw();
	layers();
	dense();
	onnx();
	return 0;
}
