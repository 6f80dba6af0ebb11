// SPDX-License-Identifier: MIT
/*
 * Search: the rungs, the Pareto front and the grid by hand; then as a whole: the budget is
 * kept, more epochs go to what is better, the winner is the best that fits, no net wins where
 * nothing can be learnt.
 */
#include "models/train/search.h"

#include <errno.h>
#include <signal.h>

#include "models/train/judge.h"
#include "models/train/refit.h"
#include "models/train/search_draw.h"
#include "test/unit/compress_fixture.h"

static void rungs(void)
{
	static const unsigned want[] = { 18, 6, 2, 1 };
	unsigned n = 18;

	for (unsigned k = 0; k < 4; k++) {
		CHECK_EQ(n, want[k]);
		n = search_keep(n, 3);
	}
	CHECK_EQ(search_keep(1, 3), 1);
	CHECK_EQ(search_keep(2, 2), 1);
	CHECK_EQ(search_keep(7, 3), 3);
	CHECK_EQ(search_keep(3, 10), 1);
}

static struct search_candidate point(double loss, double us, uint64_t bytes, bool fits)
{
	return (struct search_candidate){ .loss = loss, .us = us, .bytes = bytes, .fits = fits };
}

static void front(void)
{
	struct search_candidate c[] = {
		point(1, 1, 100, true),		/* cheapest */
		point(0.5, 3, 300, true),	/* best */
		point(0.6, 3, 300, true),	/* worse than the best at its price */
		point(0.7, 2, 400, true),	/* faster than the best */
		point(0.7, 2, 400, true),	/* the same once more: neither beats the other */
		point(0.4, 1, 50, false),	/* would be first, and does not fit */
		point(NAN, 1, 50, true),	/* learnt nothing */
		point(0.8, 2.5, 200, true),	/* smaller than what is better */
	};
	static const bool want[] = { true, true, false, true, true, false, false, true };

	search_front(c, 8);
	for (unsigned k = 0; k < 8; k++)
		CHECK_EQ(c[k].front, want[k]);
}

static void draws(void)
{
	struct search_options o = { .kinds = 1u << RECURRENT_FORECAST | 1u << RECURRENT_AUTOENCODER };
	static struct search_candidate c[600];
	struct random a = { 1 }, b = { 1 };
	unsigned n = 0, coders = 0, graphs = 0;

	while (n < 600 && search_draw(&c[n], c, n, &o, 12, &a)) {
		struct search_candidate same = { 0 };

		CHECK(search_draw(&same, c, n, &o, 12, &b));
		CHECK(!memcmp(&same, &c[n], sizeof(same)));
		coders += c[n].kind == RECURRENT_AUTOENCODER;
		graphs += c[n].features > 0;
		CHECK(c[n].hidden >= 8 && c[n].layers >= 1 && c[n].steps >= 8);
		CHECK(c[n].kind == RECURRENT_FORECAST || (c[n].layers == 1 && !c[n].features));
		n++;
	}
	/* The grid is 8 * 3 autoencoders, 8 * 2 * 3 * (1 + 3 * 3) nets: nearly all are found. */
	printf("%u drawn, %u autoencoders, %u graphs\n", n, coders, graphs);
	CHECK(n <= 504 && coders <= 24 && n > 250 && coders == 24 && graphs > 100);
	o.kinds = 1u << RECURRENT_FORECAST;
	o.hidden_max = 16;
	for (n = 0; n < 600 && search_draw(&c[n], c, n, &o, 1, &a); n++)
		CHECK(c[n].kind == RECURRENT_FORECAST && c[n].hidden <= 16 && !c[n].features);
	CHECK_EQ(n, 2 * 2 * 3);
}

static struct search_options options(void)
{
	return (struct search_options){ .candidates = 5, .eta = 2, .first = 2, .epochs = 40,
					.kinds = 1u << RECURRENT_FORECAST, .confidence = 0.95,
					.hidden_max = 32, .seed = 5, .learn.threads = 1 };
}

static int search(struct draft *d, const struct table *t, const struct search_options *o,
		  struct search_report *r, struct why *why)
{
	*d = (struct draft){ 0 };
	d->m.rate_hz = 1;
	strcpy(d->m.name, "test");
	draft_stamp(d);
	return search_model(d, t, o, r, why);
}

/* What the winner leaves as it runs is what its training said. */
static void as_learnt(const struct draft *d, const struct table *t)
{
	struct draft folds = { 0 };
	struct refit refit;
	struct why why;
	double loss;

	CHECK(!refit_open(&refit, &folds, &d->m, t->value, ROWS, &why));
	CHECK(!judge_loss(&loss, &d->m, d->m.spec.inv_sigma, &refit.rec, &why));
	printf("loss %.4f, learnt %.4f\n", loss, (double)d->m.loss_net);
	CHECK(fabs(loss / d->m.loss_net - 1) < 0.02);
	refit_close(&refit);
	draft_close(&folds);
}

static void finds(const struct table *t)
{
	static struct search_report r, again;
	struct search_options o = options();
	const struct search_candidate *c = r.candidate, *w;
	struct why why = { "" };
	struct draft d;
	unsigned last = 0, fits = 0;
	int err = search(&d, t, &o, &r, &why);

	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK(!err);
	CHECK_EQ(r.candidates, 6);
	CHECK_EQ(r.over, 0);
	CHECK(c[0].kind == RECURRENT_NONE && c[0].loss == 1 && c[0].front);
	for (unsigned k = 1; k < 6; k++) {
		CHECK(c[k].us > 0 && c[k].ram >= c[k].bytes && c[k].bytes > c[0].bytes);
		CHECK(c[k].loss > 0 && c[k].loss <= 1);
		CHECK(c[k].loss >= c[r.winner].loss);
		last += c[k].rungs == r.rungs;
		fits += c[k].epochs;
	}
	w = &c[r.winner];
	printf("winner: hidden %u, loss %.4f after %u epochs, %u rungs\n", w->hidden, w->loss,
	       w->epochs, r.rungs);
	/* 5, 3, 2 and 1: the last one learns to its end. */
	CHECK_EQ(r.rungs, 4);
	CHECK_EQ(last, 1);
	CHECK(fits <= 5 * 2 + 3 * 4 + 2 * 8 + 40);
	CHECK(w->front && w->loss < 0.9);
	CHECK_EQ(d.m.spec.recurrent.hidden, w->hidden);
	CHECK_EQ(d.m.spec.recurrent.layers, w->layers);
	CHECK_EQ(d.m.spec.quick.hidden, w->hidden);
	CHECK_NEAR(d.m.loss_net / d.m.loss_linear, w->loss, 1e-5);
	CHECK_EQ(w->rungs, r.rungs);
	as_learnt(&d, t);
	usable(&d);
	draft_close(&d);

	/* Nothing but what it costs depends on the day. */
	CHECK(!search(&d, t, &o, &again, &why));
	for (unsigned k = 0; k < 6; k++) {
		CHECK(again.candidate[k].loss == c[k].loss);
		CHECK_EQ(again.candidate[k].bytes, c[k].bytes);
	}
	draft_close(&d);

	/* Only what fits learns, and wins. */
	o.max_bytes = 3000;
	CHECK(!search(&d, t, &o, &again, &why));
	CHECK(again.over > 0);
	for (unsigned k = 0; k < again.candidates; k++) {
		CHECK_EQ(again.candidate[k].fits, again.candidate[k].bytes <= 3000);
		CHECK(again.candidate[k].fits || (!again.candidate[k].epochs &&
						  isnan(again.candidate[k].loss) &&
						  !again.candidate[k].front));
	}
	CHECK(again.candidate[again.winner].fits);
	draft_close(&d);
}

static void autoencoders(const struct table *t)
{
	static struct search_report r;
	struct search_options o = options();
	struct why why = { "" };
	struct draft d;

	o.kinds = 1u << RECURRENT_AUTOENCODER;
	o.candidates = 2;
	o.hidden_max = 16;
	o.epochs = 4;
	CHECK(!search(&d, t, &o, &r, &why));
	CHECK(r.subspace_loss > 0);
	CHECK(r.candidate[1].kind == RECURRENT_AUTOENCODER && r.candidate[1].loss > 0);
	if (r.winner)
		CHECK(d.m.spec.recurrent.kind == RECURRENT_AUTOENCODER);
	usable(&d);
	draft_close(&d);
}

/* Noise: no net gains, so none is taken. No room: not even the linear parts have it. */
static void nothing_to_find(struct table *t)
{
	static const volatile sig_atomic_t stop = 1;
	static struct search_report r;
	struct search_options o = options();
	struct why why = { "" };
	struct draft d;

	o.max_us = 0.001;
	CHECK_EQ(search(&d, t, &o, &r, &why), -EINVAL);
	CHECK(strstr(why.text, "even without a net"));
	draft_close(&d);
	o = options();
	o.learn.stop = &stop;
	CHECK(!search(&d, t, &o, &r, &why));
	CHECK_EQ(r.winner, 0);
	usable(&d);
	draft_close(&d);
	o = options();
	o.eta = 1;
	CHECK_EQ(search(&d, t, &o, &r, &why), -EINVAL);
	draft_close(&d);
	o = options();
	o.candidates = 2;
	for (unsigned k = 0; k < ROWS * N; k++)
		t->value[k] = random_uniform(&chance);
	CHECK(!search(&d, t, &o, &r, &why));
	CHECK_EQ(r.winner, 0);
	CHECK(d.m.spec.recurrent.kind == RECURRENT_NONE && !(d.m.spec.view[VIEW_RECURRENT].weight > 0));
	usable(&d);
	draft_close(&d);
}

int main(void)
{
	struct table *t = recording();

	rungs();
	front();
	draws();
	finds(t);
	autoencoders(t);
	nothing_to_find(t);
	drop(t);
	return 0;
}
