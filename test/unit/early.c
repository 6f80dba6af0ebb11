// SPDX-License-Identifier: MIT
/*
 * Ticks that end early: what is told of them is what the quick head saw, before the row; the
 * recurrent view's sizes fade; and a head that ends nearly all of them does not take from the
 * view the median that it is divided by.
 */
#include "kernels/quant.h"
#include "test/golden/made.h"
#include "test/unit/calibrate_fixture.h"

#define H 16

static void told(enum recurrent_kind kind)
{
	struct made_shape shape = { .channels = 5, .lags = 2, .net = kind, .hidden = H,
				    .window = kind == RECURRENT_AUTOENCODER ? 6 : 0,
				    .quick = 0.05f };
	struct detector_result r;
	struct recurrent *net;
	struct detector *d;
	struct made m;
	float x[5], before[H], size[5] = { 0 };
	unsigned early = 0, late = 0;
	uint8_t valid[5];

	made_open(&m, &shape);
	CHECK(!detector_open(&d, &m.spec, FC_REF, NULL));
	CHECK(!recurrent_open(&net, &m.spec.recurrent, QUANT_MAX / m.spec.z_clip, FC_REF, NULL));
	for (unsigned t = 0; t < 400; t++) {
		float keep = 1 - m.spec.view[VIEW_RECURRENT].smooth;

		made_row(&m, x, valid);
		memcpy(before, recurrent_state(net), sizeof(before));
		detector_step(d, x, valid, &r);
		CHECK(!memcmp(r.state, before, sizeof(before)));
		early += r.early;
		late += r.ready && !r.early;
		for (unsigned i = 0; i < 5; i++) {
			CHECK(!r.early || size[i] == 0 || r.size[VIEW_RECURRENT][i] == 0 ||
			      r.size[VIEW_RECURRENT][i] == keep * size[i]);
			size[i] = r.size[VIEW_RECURRENT][i];
		}
		recurrent_advance(net, r.u);
		if (kind == RECURRENT_AUTOENCODER && !r.early)
			recurrent_window(net);
	}
	printf("%u early, %u not\n", early, late);
	CHECK(early > 10 && late > 10);
	recurrent_close(net);
	detector_close(d);
	made_close(&m);
}

/* A net that adds nothing, so that the view has the forecast's numbers, and a head that is sure. */
static void add_net(struct constant *c, float sure)
{
	static const float weight[4 * (N + 1)] = { 0 }, none[2 * (1 + QUICK_CHEAP)] = { 0 };
	struct detector_spec *s = &c->d.m.spec;

	s->recurrent = (struct recurrent_spec){ .kind = RECURRENT_FORECAST, .channels = N,
						.hidden = 1, .layers = 1 };
	s->recurrent.gates[0] = (struct fc_spec){ .in = N + 1, .out = 4, .weight_f32 = weight,
						  .bias = zeros };
	s->recurrent.head = (struct fc_spec){ .in = 1, .out = N, .weight_f32 = zeros,
					      .bias = zeros };
	s->view[VIEW_RECURRENT].weight = 1;
	s->quick = (struct quick_spec){ .hidden = 1, .weight = none, .margin = 1,
					.bias = draft_copy(&c->d, (float[]){ sure, 0 },
							   2 * sizeof(float)) };
}

static void medians(void)
{
	static struct constant c;
	struct view_spec seldom, always;
	float knot[2];

	for (unsigned turn = 0; turn < 2; turn++) {
		constant_open(&c);
		add_net(&c, turn ? 2 : 0);
		CHECK(!calibrate(&c.d, &c.rec, FC_REF, NULL));
		*(turn ? &always : &seldom) = c.d.m.spec.view[VIEW_RECURRENT];
		knot[turn] = c.d.m.tail.knot[2];
		constant_close(&c);
	}
	CHECK(seldom.scale > 0 && always.scale == seldom.scale);
	/* Scores are of rows as they will be: without what was spared. */
	CHECK(knot[1] < 0.97f * knot[0]);
}

int main(void)
{
	told(RECURRENT_FORECAST);
	told(RECURRENT_AUTOENCODER);
	medians();
	return 0;
}
