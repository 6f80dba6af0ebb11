// SPDX-License-Identifier: MIT
/*
 * Distillation: the student has the shape asked for and the teacher's linear parts; what is
 * written is the best of the kind that has the less loss on average; what a teacher says moves
 * the student; and models that can not teach are refused.
 */
#include "models/train/distill.h"

#include <errno.h>
#include <signal.h>

#include "models/train/inject.h"
#include "models/train/quick_rows.h"
#include "models/train/refit.h"
#include "models/train/teach.h"
#include "test/unit/compress_fixture.h"

static struct distill_options options(void)
{
	return (struct distill_options){ .hidden = 6, .seeds = 2, .seed = 5, .weight = 0.5,
					 .learn = { .epochs = 25, .threads = 1 } };
}

static const struct distill_run *best(const struct distill_report *r, unsigned kind)
{
	return &r->run[kind][r->best[kind]];
}

static void small_net(const struct model *teacher, const struct table *t)
{
	struct distill_options o = options();
	struct distill_report r, again;
	struct draft d = { 0 }, e = { 0 };
	const struct detector_spec *s = &d.m.spec;
	struct why why = { "" };
	double mean[DISTILL_KINDS] = { 0 };
	bool differ = false;
	int err = distill_model(&d, teacher, t->value, ROWS, &o, &r, &why);

	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK(!err);
	CHECK_EQ(r.seeds, 2);
	CHECK(r.folds && r.gained && !r.stopped);
	CHECK_EQ(s->recurrent.hidden, 6);
	CHECK_EQ(s->recurrent.graph.features, 0);
	CHECK_EQ(s->quick.hidden, 6);
	CHECK(s->linear.weight_f32 == teacher->spec.linear.weight_f32);
	for (unsigned kind = 0; kind < DISTILL_KINDS; kind++)
		for (unsigned k = 0; k < 2; k++) {
			const struct distill_run *run = &r.run[kind][k];

			CHECK_EQ(run->seed, 5 + k);
			mean[kind] += run->net_loss / 2;
			CHECK(run->net_loss >= best(&r, kind)->net_loss);
			CHECK(run->net_loss < r.linear_loss);
			CHECK(run->judge.bytes < r.teacher.bytes);
			/* What it is as a model agrees with what it was as a pupil. */
			CHECK(run->judge.loss < 1 && run->judge.loss > 0);
			differ |= r.run[0][k].net_loss != r.run[1][k].net_loss;
		}
	CHECK(differ);
	CHECK_NEAR(mean[0], r.mean_loss[0], 1e-12);
	CHECK_NEAR(mean[1], r.mean_loss[1], 1e-12);
	CHECK_EQ(r.kind, mean[0] < mean[1] ? DISTILL_STUDENT : DISTILL_ALONE);
	CHECK_EQ(d.m.seed, best(&r, r.kind)->seed);
	CHECK_NEAR(d.m.loss_net, best(&r, r.kind)->net_loss, 1e-6);
	CHECK(best(&r, 0)->judge.int8_us > 0 && best(&r, 1)->judge.us > 0 && r.teacher.us > 0);
	usable(&d);

	/* The same again; and with no weight a teacher is no teacher. */
	o.weight = 0;
	CHECK(!distill_model(&e, teacher, t->value, ROWS, &o, &again, &why));
	for (unsigned k = 0; k < 2; k++) {
		CHECK(again.run[DISTILL_STUDENT][k].net_loss == r.run[DISTILL_ALONE][k].net_loss);
		CHECK(again.run[DISTILL_ALONE][k].net_loss == r.run[DISTILL_ALONE][k].net_loss);
	}
	/* A teacher that was no help leaves the field to the one alone. */
	CHECK_EQ(again.kind, DISTILL_ALONE);
	draft_close(&d);
	draft_close(&e);
}

/* A student that hears its teacher alone comes to say what the teacher says. */
static void listens(const struct model *teacher, const struct table *t)
{
	struct distill_options o = options();
	struct distill_report r, untaught;
	struct draft d = { 0 };
	struct why why = { "" };

	o.seeds = 1;
	o.weight = 1;
	o.hidden = 12;
	o.layers = 2;
	o.features = 2;
	o.learn.epochs = 40;
	CHECK(!distill_model(&d, teacher, t->value, ROWS, &o, &r, &why));
	CHECK_EQ(d.m.spec.recurrent.layers, 2);
	draft_close(&d);

	/* Two nets that learnt nothing are the same: what differs is what their heads were told. */
	o.learn.epochs = 0;
	CHECK(!distill_model(&d, teacher, t->value, ROWS, &o, &untaught, &why));
	CHECK(untaught.run[0][0].net_loss == untaught.run[1][0].net_loss);
	CHECK(untaught.run[0][0].quick_missed != untaught.run[1][0].quick_missed ||
	      untaught.run[0][0].quick_wary != untaught.run[1][0].quick_wary);
	CHECK(!untaught.gained);
	/* Held-out truth was never told to it, and yet: */
	printf("taught alone %.4f, linear %.4f\n", r.mean_loss[DISTILL_STUDENT], r.linear_loss);
	CHECK(r.mean_loss[DISTILL_STUDENT] < 0.8 * r.linear_loss);
	draft_close(&d);
}

/* The quick head's rows: the teacher's margin is what its own head would say of the row. */
static void margins(const struct model *teacher, const struct table *t)
{
	struct quick_rows alone, taught;
	struct quick_spec head[2];
	struct draft d = { 0 };
	struct refit refit;
	struct why why = { "" };
	unsigned inputs = teacher->spec.recurrent.hidden + QUICK_CHEAP;
	double apart = 0;

	CHECK(!refit_open(&refit, &d, teacher, t->value, ROWS, &why));
	CHECK(!quick_rows_open(&alone, &teacher->spec, NULL, t->value, ROWS, refit.std, 3, &why));
	CHECK(!quick_rows_open(&taught, &teacher->spec, &teacher->spec, t->value, ROWS, refit.std, 3,
			       &why));
	CHECK(!alone.margin && taught.margin);
	CHECK_EQ(alone.rows, taught.rows);
	CHECK_EQ(alone.inputs, inputs);
	CHECK(!memcmp(alone.value, taught.value, (size_t)alone.rows * inputs * sizeof(float)));
	CHECK(!memcmp(alone.label, taught.label, alone.rows));
	for (unsigned k = 0; k < taught.rows; k++) {
		const struct quick_spec *q = &teacher->spec.quick;
		double want = q->bias[0] - q->bias[1];

		for (unsigned i = 0; i < inputs; i++)
			want += (double)taught.value[k * inputs + i] *
				(q->weight[i] - q->weight[inputs + i]);
		CHECK_NEAR(taught.margin[k], want, 1e-3 * (1 + fabs(want)));
	}
	/* Taught alone it becomes the teacher's head; labels alone make another one. */
	CHECK(!quick_rows_fit(&head[0], &d, &taught, 2, 1, NULL, &why));
	CHECK(!quick_rows_fit(&head[1], &d, &taught, 2, 0, NULL, &why));
	CHECK(head[0].margin == 2 && head[0].hidden == inputs - QUICK_CHEAP);
	for (unsigned i = 0; i < inputs; i++)
		apart += fabs(head[0].weight[i] - head[1].weight[i]);
	CHECK(apart > 1e-3);
	quick_rows_close(&alone);
	quick_rows_close(&taught);
	refit_close(&refit);
	draft_close(&d);
}

static void refused(const struct model *teacher, const struct table *t)
{
	static const volatile sig_atomic_t stop = 1;
	struct distill_options o = options();
	struct distill_report r;
	struct draft d = { 0 }, plain;
	struct why why = { "" };

	fit(&plain, t, RECURRENT_NONE, 0);
	CHECK_EQ(distill_model(&d, &plain.m, t->value, ROWS, &o, &r, &why), -EINVAL);
	CHECK(strstr(why.text, "no forecast net"));
	draft_close(&plain);
	fit(&plain, t, RECURRENT_AUTOENCODER, 8);
	CHECK_EQ(distill_model(&d, &plain.m, t->value, ROWS, &o, &r, &why), -EINVAL);
	draft_close(&plain);
	o.seeds = 0;
	CHECK_EQ(distill_model(&d, teacher, t->value, ROWS, &o, &r, &why), -EINVAL);
	draft_close(&d);

	/* Interrupted before anything was learnt: a model without a net, that works. */
	o = options();
	o.learn.stop = &stop;
	CHECK(!distill_model(&d, teacher, t->value, ROWS, &o, &r, &why));
	CHECK(r.stopped && !r.gained);
	CHECK(d.m.spec.recurrent.kind == RECURRENT_NONE);
	usable(&d);
	draft_close(&d);
}

int main(void)
{
	struct table *t = recording();
	struct draft teacher;

	fit(&teacher, t, RECURRENT_FORECAST, 24);
	CHECK_EQ(teacher.m.spec.quick.hidden, 24);
	small_net(&teacher.m, t);
	listens(&teacher.m, t);
	margins(&teacher.m, t);
	refused(&teacher.m, t);
	draft_close(&teacher);
	drop(t);
	return 0;
}
