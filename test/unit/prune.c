// SPDX-License-Identifier: MIT
/*
 * Pruning: the units that go are those with the smallest gate rows, what is left computes what
 * the large net did where the others were silent, zeros stay zero through the tuning, the net
 * is physically smaller, and what comes out is a model that works.
 */
#include "models/train/prune.h"

#include <errno.h>
#include "models/train/net.h"
#include "models/train/refit.h"
#include "models/train/run.h"
#include "test/unit/compress_fixture.h"

#define H 12

static int64_t smallest(const float *w, uint64_t n, double share, const char *want)
{
	float mask[8];
	int64_t zeros;

	for (uint64_t k = 0; k < n; k++)
		mask[k] = 1;
	zeros = prune_smallest(mask, w, n, share);
	for (uint64_t k = 0; k < n; k++)
		CHECK_EQ(mask[k] != 0, want[k] == '1');
	return zeros;
}

static void smallest_weights(void)
{
	static const float w[8] = { 3, -1, 0.5f, -0.25f, 2, 0, -4, 1 };
	static const float equal[4] = { 1, -1, 1, -1 };

	CHECK_EQ(smallest(w, 8, 0, "11111111"), 0);
	CHECK_EQ(smallest(w, 8, 0.25, "11101011"), 2);
	CHECK_EQ(smallest(w, 8, 0.5, "10001011"), 4);
	CHECK_EQ(smallest(equal, 4, 0.5, "0011"), 2);
}

/* Units whose gates are all zero have state zero and move nobody: without them nothing changes. */
static void silent_units(enum recurrent_kind kind, unsigned layers)
{
	static const int32_t neighbour[N] = { 0, 1 };
	static const float edge[N] = { 1, 1 };
	bool graph = kind == RECURRENT_FORECAST;
	struct net_shape shape = {
		.kind = kind, .channels = N, .hidden = 6, .layers = layers,
		.window = graph ? 0 : 5, .features = graph ? 3 : 0, .degree = graph,
		.neighbour = neighbour, .edge = edge,
	};
	static const unsigned silent[2][2] = { { 1, 4 }, { 0, 5 } };
	static const unsigned want[2][4] = { { 0, 2, 3, 5 }, { 1, 2, 3, 4 } };
	struct recurrent_spec a, b;
	struct recurrent *ra, *rb;
	struct draft d = { 0 };
	struct net *n, *small;
	unsigned keep[2 * 4];
	struct why why;
	double largest = 0;

	CHECK(!net_open(&n, &shape, 3));
	for (size_t k = 0; k < n->count; k++)
		n->param[k] = 0.7f * random_uniform(&chance);
	for (unsigned l = 0; l < 2 && n->gate_w[l]; l++)
		for (unsigned s = 0; s < 2; s++)
			for (unsigned g = 0; g < 4; g++) {
				unsigned columns = (l ? 6 : N) + 6, row = g * 6 + silent[l][s];

				memset(n->gate_w[l] + row * columns, 0, columns * sizeof(float));
				n->gate_b[l][row] = 0;
			}
	CHECK(!prune_choose(keep, n, 4));
	for (unsigned l = 0; l < 2 && n->gate_w[l]; l++)
		for (unsigned k = 0; k < 4; k++)
			CHECK_EQ(keep[l * 4 + k], want[l][k]);
	CHECK(!prune_shrink(&small, n, keep, 4));
	CHECK_EQ(small->shape.hidden, 4);
	CHECK(small->count < n->count);
	CHECK(!net_spec(&a, n, &d) && !net_spec(&b, small, &d));
	CHECK(!recurrent_open(&ra, &a, 12.7f, FC_REF, &why));
	CHECK(!recurrent_open(&rb, &b, 12.7f, FC_REF, &why));
	for (unsigned k = 0; k < 30; k++) {
		float z[N], out[2][N];

		for (unsigned i = 0; i < N; i++)
			z[i] = 2 * random_uniform(&chance);
		recurrent_advance(ra, z);
		recurrent_advance(rb, z);
		if (graph) {
			recurrent_forecast(ra, out[0]);
			recurrent_forecast(rb, out[1]);
		} else {
			memcpy(out[0], recurrent_window(ra), sizeof(out[0]));
			memcpy(out[1], recurrent_window(rb), sizeof(out[1]));
		}
		for (unsigned i = 0; i < N; i++) {
			largest = fmax(largest, fabsf(out[0][i]));
			CHECK_NEAR(out[0][i], out[1][i], 1e-5);
		}
	}
	CHECK(largest > 0.1);
	recurrent_close(ra);
	recurrent_close(rb);
	net_close(n);
	net_close(small);
	draft_close(&d);
}

static unsigned zeros(const struct fc_spec *f)
{
	unsigned n = 0;

	for (unsigned k = 0; k < f->in * f->out; k++)
		n += f->weight_f32[k] == 0;
	return n;
}

/*
 * What the net leaves as the model runs it is what its training said, but for what training
 * cuts off; and a second look at the recording finds nothing to be calibrated otherwise.
 */
static void as_learnt(const struct draft *p, const struct table *t, double net_loss)
{
	struct draft again = { .m = p->m };
	const struct detector_spec *s = &again.m.spec, *was = &p->m.spec;
	struct refit refit;
	struct why why;
	double loss;

	CHECK(!refit_open(&refit, &again, &p->m, t->value, ROWS, &why));
	CHECK_EQ(refit.rec.folds, 5);
	for (unsigned f = 0; f < 5; f++)
		for (unsigned k = 0; k < s->linear.in * s->linear.out; k++)
			CHECK(s->linear.weight_f32[k] != 0 || refit.fold[f].linear.weight_f32[k] == 0);
	CHECK(!judge_loss(&loss, &p->m, s->inv_sigma, &refit.rec, &why));
	printf("loss %.4f, learnt %.4f\n", loss, net_loss);
	CHECK(net_loss < 0 || fabs(loss / net_loss - 1) < 0.02);
	CHECK(!refit_subspace(&refit, &again));
	CHECK(!calibrate(&again, &refit.rec, FC_REF, &why));
	for (unsigned i = 0; i < N; i++)
		CHECK_NEAR(s->inv_sigma[i], was->inv_sigma[i], 1e-6 * was->inv_sigma[i]);
	for (unsigned c = 0; c < s->subspace.encode.in; c++)
		CHECK_NEAR(s->subspace.inv_sigma[c], was->subspace.inv_sigma[c],
			   1e-6 * was->subspace.inv_sigma[c]);
	refit_close(&refit);
	draft_close(&again);
}

static void with_net(const struct table *t)
{
	struct prune_options o = prune_defaults();
	struct draft d, p = { 0 }, again = { 0 };
	struct prune_report r;
	struct judge before, after;
	struct why why = { "" };
	const struct detector_spec *s = &p.m.spec;
	unsigned none = 0;

	fit(&d, t, RECURRENT_FORECAST, H);
	CHECK_EQ(d.m.spec.recurrent.hidden, H);
	CHECK(d.m.spec.quick.hidden == H);
	o.learn.threads = 1;
	CHECK(!prune_model(&p, &d.m, t->value, ROWS, &o, &r, &why));
	CHECK(r.net && r.folds);
	CHECK_EQ(r.units, H);
	CHECK_EQ(r.units_kept, 8);		/* 30 % of 12: 3 go, and one more for a whole vector */
	CHECK_EQ(s->recurrent.hidden, 8);
	CHECK_EQ(s->recurrent.gates[0].out, 32);
	CHECK_EQ(s->recurrent.gates[0].in, N + 8);
	CHECK_EQ(s->recurrent.head.in, 8);
	CHECK_EQ(s->recurrent.graph.node.in, 8);
	CHECK_EQ(s->quick.hidden, 8);
	/* A fifth of head 2 * 8, of the projection 2 * 2 * 8, of the quick head's 14 inputs. */
	CHECK_EQ(zeros(&s->recurrent.head), 3);
	CHECK_EQ(zeros(&s->recurrent.graph.node), 6);
	CHECK_EQ(r.zeroed, 3 + 6 + 2 * 2);
	CHECK_EQ(r.weights, 16 + 32 + 28);
	for (unsigned k = 0; k < 14; k++)
		none += s->quick.weight[k] == 0;
	CHECK_EQ(none, 2);
	CHECK_EQ(s->subspace.rank, d.m.spec.subspace.rank);
	CHECK(zeros(&s->linear) == zeros(&d.m.spec.linear));
	CHECK(r.learn.epochs > 0 && r.learn.net_loss <= r.learn.linear_loss);
	free(r.learn.curve);
	as_learnt(&p, t, r.learn.net_loss);
	judge_size(&before, &d.m);
	judge_size(&after, &p.m);
	CHECK(after.bytes < before.bytes && after.int8_bytes < before.int8_bytes);
	/* The quick head listens to no view that the model has not: two zeros from the start. */
	CHECK_EQ(before.zeros, 2);
	CHECK_EQ(after.zeros, r.zeroed);
	usable(&p);

	/* Nothing asked for, nothing done but to calibrate: the same scores. */
	o.units = o.weights = 0;
	o.learn.epochs = 0;
	CHECK(!prune_model(&again, &d.m, t->value, ROWS, &o, &r, &why));
	free(r.learn.curve);
	CHECK_EQ(r.zeroed, 0);
	CHECK_EQ(again.m.spec.recurrent.hidden, H);
	{
		static float a[ROWS], b[ROWS];

		CHECK(!run_scores(&d.m.spec, FC_REF, t->value, ROWS, a, &why));
		CHECK(!run_scores(&again.m.spec, FC_REF, t->value, ROWS, b, &why));
		for (unsigned k = 0; k < ROWS; k++)
			CHECK_NEAR(a[k], b[k], 1e-3 * (1 + fabsf(a[k])));
		CHECK_NEAR(again.m.point_limit, d.m.point_limit, 1e-3 * d.m.point_limit);
	}
	draft_close(&d);
	draft_close(&p);
	draft_close(&again);
}

static void autoencoder(const struct table *t)
{
	struct prune_options o = prune_defaults();
	struct draft d, p = { 0 };
	struct prune_report r;
	struct why why = { "" };

	fit(&d, t, RECURRENT_AUTOENCODER, H);
	CHECK(d.m.spec.recurrent.kind == RECURRENT_AUTOENCODER);
	o.units = 0.5;		/* 6 stay: less than a vector is left alone */
	o.learn.epochs = 3;
	CHECK(!prune_model(&p, &d.m, t->value, ROWS, &o, &r, &why));
	free(r.learn.curve);
	CHECK_EQ(p.m.spec.recurrent.hidden, H / 2);
	CHECK_EQ(p.m.spec.recurrent.gates[1].in, H);
	usable(&p);
	draft_close(&d);
	draft_close(&p);
}

static void without_net(const struct table *t)
{
	struct prune_options o = prune_defaults();
	struct table other = *t;
	struct draft d, p = { 0 }, q = { 0 };
	struct prune_report r;
	struct why why = { "" };
	unsigned rank, cells;

	fit(&d, t, RECURRENT_NONE, H);
	rank = d.m.spec.subspace.rank;
	cells = d.m.spec.linear.in * d.m.spec.linear.out;
	CHECK(rank >= 3);
	o.units = 0.4;
	CHECK(!prune_model(&p, &d.m, t->value, ROWS, &o, &r, &why));
	CHECK(!r.net && r.folds);
	CHECK_EQ(r.rank, rank);
	CHECK_EQ(p.m.spec.subspace.rank, rank - rank * 2 / 5);
	CHECK_EQ(r.rank_kept, p.m.spec.subspace.rank);
	CHECK_EQ(zeros(&p.m.spec.linear), cells / 5);
	/* Components come by variance, so those that stay are the first ones, unchanged. */
	CHECK(!memcmp(p.m.spec.subspace.encode.weight_f32, d.m.spec.subspace.encode.weight_f32,
		      p.m.spec.subspace.rank * d.m.spec.subspace.encode.in * sizeof(float)));
	usable(&p);
	as_learnt(&p, t, -1);
	CHECK(p.m.spec.subspace.inv_sigma[0] < d.m.spec.subspace.inv_sigma[0]);

	/* Pruned again, and on rows that it was never fitted on. */
	o.units = 0;
	o.weights = 0.5;
	o.parts = PRUNE_LINEAR | PRUNE_SUBSPACE;
	for (unsigned k = 0; k < ROWS; k++)
		other.value[k * N + 1] = cosf(0.7f * (float)k) + 0.2f * random_uniform(&chance);
	CHECK(!prune_model(&q, &p.m, other.value, ROWS, &o, &r, &why));
	CHECK(!r.folds);
	CHECK_EQ(zeros(&q.m.spec.linear), cells / 2);
	CHECK_EQ(zeros(&q.m.spec.subspace.decode), q.m.spec.subspace.rank *
		 q.m.spec.subspace.decode.out / 2);
	usable(&q);
	draft_close(&d);
	draft_close(&p);
	draft_close(&q);
}

static void refused(const struct table *t)
{
	struct prune_options o = prune_defaults();
	struct draft d, p = { 0 };
	struct prune_report r;
	struct why why = { "" };

	fit(&d, t, RECURRENT_NONE, H);
	o.units = 1;
	CHECK_EQ(prune_model(&p, &d.m, t->value, ROWS, &o, &r, &why), -EINVAL);
	draft_close(&p);
	o = prune_defaults();
	CHECK_EQ(prune_model(&p, &d.m, t->value, 20, &o, &r, &why), -EINVAL);
	draft_close(&p);
	d.m.spec.linear.weight_f32 = NULL;
	CHECK_EQ(prune_model(&p, &d.m, t->value, ROWS, &o, &r, &why), -EINVAL);
	CHECK(strstr(why.text, "int8"));
	draft_close(&p);
	draft_close(&d);
}

int main(void)
{
	struct table *t = recording();

	smallest_weights();
	silent_units(RECURRENT_FORECAST, 1);
	silent_units(RECURRENT_FORECAST, 2);
	silent_units(RECURRENT_AUTOENCODER, 1);
	with_net(t);
	autoencoder(t);
	refused(t);
	without_net(t);
	drop(t);
	return 0;
}
