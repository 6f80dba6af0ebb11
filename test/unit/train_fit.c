// SPDX-License-Identifier: MIT
/*
 * Fitting as a whole, on data made here: what a model must be good for (forecast
 * better than the last value, name the channel that departs, float and int8), what it
 * must not do (keep an LSTM that adds nothing, alarm for ever after one odd tick),
 * and that the same seed gives the same file.
 */
#include "models/train/fit.h"

#include <errno.h>
#include <unistd.h>

#include "kernels/why.h"
#include "models/model.h"
#include "models/table.h"
#include "models/train/calibrate.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/quantize.h"
#include "models/train/random.h"
#include "models/train/run.h"
#include "test/test.h"

#define N 5
#define ROWS 3000
#define HZ 20.0

static char folder[] = "/tmp/sonde-train-fit-XXXXXX";
static struct random chance = { 5 };

static struct table *table(unsigned rows, unsigned channels)
{
	struct table *t = calloc(1, sizeof(*t));

	CHECK(t);
	t->rows = rows;
	t->channels = channels;
	t->rate_hz = HZ;
	t->name = calloc(channels, sizeof(*t->name));
	t->value = calloc((size_t)rows * channels, sizeof(*t->value));
	CHECK(t->name && t->value);
	for (unsigned i = 0; i < channels; i++)
		snprintf(t->name[i], sizeof(t->name[i]), "c%u", i);
	memset(t->sha256, 'a', 64);
	return t;
}

static void drop(struct table *t)
{
	free(t->name);
	free(t->value);
	free(t);
}

/* Row k of a machine: two turning parts, a counter that stumbles, noise, and a part that never moves. */
static void machine_row(float *x, unsigned k)
{
	static float walk;
	double s = k / HZ;

	if (!k)
		walk = 0;
	walk += 0.05f * random_uniform(&chance);
	x[0] = (float)(40 + 3 * sin(2 * M_PI * 1.3 * s)) + 0.3f * random_uniform(&chance);
	x[1] = (float)(1000 * sin(2 * M_PI * 0.7 * s + 1) * sin(2 * M_PI * 1.3 * s)) +
	       60 * random_uniform(&chance);
	x[2] = 7 + walk + 0.002f * (float)k;
	x[3] = 0.001f * random_uniform(&chance);
	x[4] = 0;
}

static struct table *machine(unsigned rows)
{
	struct table *t = table(rows, N);

	for (unsigned k = 0; k < rows; k++)
		machine_row(t->value + (size_t)k * N, k);
	return t;
}

static struct fit_options options(unsigned hidden)
{
	return (struct fit_options){ .net = hidden ? RECURRENT_FORECAST : RECURRENT_NONE,
				     .hidden = hidden, .lags = 8, .seed = 1, .learn.epochs = 30 };
}

static void fit(struct draft *d, const struct table *t, const struct fit_options *o,
		struct fit_report *r)
{
	struct why why = { "" };
	int err;

	*d = (struct draft){ 0 };
	d->m.rate_hz = t->rate_hz;
	strcpy(d->m.name, "test");
	draft_stamp(d);
	err = fit_table(d, t, o, r, &why);
	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK(!err);
	CHECK(r->net_loss <= r->linear_loss);
	CHECK(d->m.loss_net <= d->m.loss_linear);
	/* The state that was kept is the best of all, epoch 0 among them. */
	for (unsigned e = 0; e < r->learn.epochs; e++) {
		CHECK(r->learn.net_loss <= r->learn.curve[e]);
		CHECK(e + 1 != r->learn.best_epoch || r->learn.net_loss == r->learn.curve[e]);
	}
	free(r->learn.curve);
	r->learn.curve = NULL;
}

static float day_limit(const struct model *m)
{
	return tail_score(&m->tail, logf((float)(m->rate_hz * 86400)));
}

/*
 * Of channel i on the last rows: mean square of the linear forecast's error over that of the
 * last value. The whitened error itself is about one.
 */
static double against_persistence(const struct model *m, const struct table *t, unsigned i)
{
	const struct detector_spec *s = &m->spec;
	bool wanders = s->wanders[i] != 0;
	uint8_t valid[N];
	double ours = 0, last = 0, before = 0, white;
	struct detector *d;
	struct why why;

	memset(valid, 1, sizeof(valid));
	CHECK(!detector_open(&d, s, FC_REF, &why));
	for (unsigned k = 0; k < t->rows; k++) {
		struct detector_result res;
		double u;

		detector_step(d, t->value + (size_t)k * N, valid, &res);
		u = res.u[i];
		if (k >= series_fit_rows(t->rows)) {
			ours += (u - res.prediction[i]) * (u - res.prediction[i]);
			/* No change of what wanders, is in u what its mean change is not. */
			last += pow(u - (wanders ? -s->mean[i] * s->inv_std[i] : before), 2);
		}
		before = u;
	}
	detector_close(d);
	white = sqrt(ours / (t->rows - series_fit_rows(t->rows))) * s->inv_sigma[i];
	CHECK(white > 0.8 && white < 1.1);
	return ours / last;
}

/*
 * The limit holds on rows that were never seen; then a channel jumps by some
 * deviations: the score passes the limit, and the largest contribution is its.
 */
static void departs(const struct model *m, enum fc_kind kind, unsigned channel, float by)
{
	const struct detector_spec *s = &m->spec;
	unsigned quiet = 600, over = 0, named = 0;
	uint8_t valid[N];
	struct detector *d;
	struct why why;

	memset(valid, 1, sizeof(valid));
	CHECK(!detector_open(&d, s, kind, &why));
	for (unsigned k = 0; k < quiet + 20; k++) {
		struct detector_result res;
		float x[N];

		machine_row(x, k);
		if (k >= quiet)
			x[channel] += by / s->inv_std[channel];
		detector_step(d, x, valid, &res);
		if (k < quiet) {
			CHECK(res.score < day_limit(m));
			continue;
		}
		over += res.score > day_limit(m);
		for (unsigned i = 0; i < N; i++)
			if (i != channel && res.contribution[i] >= res.contribution[channel])
				goto next;
		named += res.contribution[channel] >= m->departure[channel];
next:;
	}
	printf("channel %u: over the limit %u, named %u of 20\n", channel, over, named);
	CHECK(over >= 5);
	CHECK(named >= 3);
	detector_close(d);
}

/* A channel that was dead in training wakes for one tick: seen, and forgotten soon. */
static void one_odd_tick(const struct model *m)
{
	uint8_t valid[N];
	struct detector *d;
	struct why why;
	unsigned over = 0;

	memset(valid, 1, sizeof(valid));
	CHECK(!detector_open(&d, &m->spec, FC_REF, &why));
	for (unsigned k = 0; k < 400; k++) {
		struct detector_result res;
		float x[N];

		machine_row(x, k);
		if (k == 200)
			x[4] = 1e7f;
		detector_step(d, x, valid, &res);
		CHECK(isfinite(res.score));
		over += res.score > day_limit(m);
		if (k == 200)
			CHECK(res.contribution[4] > res.contribution[0]);
		if (k >= 220)
			CHECK(res.score < day_limit(m));
	}
	printf("one odd tick: over the limit for %u\n", over);
	CHECK(over > 0 && over <= m->spec.subspace.lags);	/* which remembers it so long */
	detector_close(d);
}

static void useful(void)
{
	struct fit_options o = options(16);
	struct quantize_report qr;
	struct fit_report r;
	struct draft d, q = { 0 };
	struct table *t = machine(ROWS);
	struct recording rec = { .x = t->value, .rows = t->rows };
	struct quantize_options qo = { .range = QUANTIZE_FIXED };
	struct why why = { "" };

	fit(&d, t, &o, &r);
	CHECK_EQ(r.channels, N);
	CHECK_EQ(r.lags, 8);
	CHECK_EQ(r.wandering, 2);	/* the counter, and what never moved */
	CHECK(d.m.spec.wanders[2] == 1 && d.m.spec.level_weight[2] == 0);
	CHECK(d.m.spec.wanders[4] == 1);
	CHECK(d.m.spec.wanders[0] == 0 && d.m.spec.level_weight[0] > 0);
	CHECK(against_persistence(&d.m, t, 0) < 0.5);
	CHECK(against_persistence(&d.m, t, 1) < 0.7);
	CHECK(against_persistence(&d.m, t, 2) < 1.1);
	departs(&d.m, FC_REF, 0, 4);
	departs(&d.m, FC_REF, 3, 8);
	one_odd_tick(&d.m);

	CHECK(!quantize_model(&q, &d.m, &rec, &qo, &qr, &why));
	CHECK_EQ(qr.layers, 1 + (r.rank ? 2 : 0) + (r.hidden ? 2 : 0));
	for (unsigned k = 0; k < qr.layers; k++) {
		printf("%s: %.1f dB, worst %.1f\n", qr.layer[k].name, qr.layer[k].snr_db,
		       qr.layer[k].worst_db);
		CHECK(qr.layer[k].snr_db > 25);
	}
	printf("correlation %.5f, mean difference %.4f\n", qr.correlation, qr.mean_difference);
	CHECK(qr.rows > ROWS / 2);
	CHECK(qr.correlation > 0.93 && qr.agreement > 0.99);
	departs(&q.m, FC_XNN, 0, 4);
	departs(&q.m, FC_REF, 3, 8);
	one_odd_tick(&q.m);
	CHECK_EQ(quantize_model(&d, &q.m, NULL, &qo, &qr, &why), -EINVAL);
	draft_close(&q);
	draft_close(&d);
	drop(t);
}

/* Hiccups in the minutes that were learnt from do not put the limit out of reach. */
static void hiccup(void)
{
	static float score[ROWS];
	struct fit_options o = options(0);
	struct fit_report r;
	struct draft d;
	struct table *t = machine(ROWS);
	struct why why = { "" };
	float largest = 0, usual;

	for (unsigned k = 100; k < ROWS; k++) {
		if (k % 500 >= 40)
			continue;
		t->value[k * N] += 16;
		t->value[k * N + 1] += 4000;
		t->value[k * N + 3] += 0.005f;
	}
	fit(&d, t, &o, &r);
	CHECK(!run_scores(&d.m.spec, FC_REF, t->value, ROWS, score, &why));
	for (unsigned k = 0; k < ROWS; k++)
		largest = fmaxf(largest, score[k]);
	usual = d.m.tail.knot[TAIL_KNOTS - 1];
	printf("hiccup: usual %.1f, largest %.1f, limit %.1f\n", usual, largest, day_limit(&d.m));
	CHECK(day_limit(&d.m) > largest && day_limit(&d.m) < 2.5f * largest);
	draft_close(&d);
	drop(t);
}

/* What no linear forecast can: each value is a parabola of the last. */
static void earns_its_place(void)
{
	struct fit_options o = options(16);
	struct fit_report r;
	struct draft d;
	struct table *t = table(ROWS, 1);
	float v = 0.3f;

	for (unsigned k = 0; k < ROWS; k++)
		t->value[k] = v = 1 - 1.8f * v * v + 1e-3f * random_uniform(&chance);
	fit(&d, t, &o, &r);
	printf("parabola: %.4f -> %.4f, epoch %u\n", r.linear_loss, r.net_loss, r.learn.best_epoch);
	CHECK_EQ(r.hidden, 16);
	CHECK_EQ(d.m.spec.recurrent.hidden, 16);
	CHECK(d.m.spec.view[VIEW_RECURRENT].weight > 0);
	CHECK(r.net_loss < 0.3 * r.linear_loss);
	draft_close(&d);

	/* The same numbers in an order that says nothing: nothing to learn, nothing kept. */
	for (unsigned k = ROWS - 1; k > 0; k--) {
		unsigned other = (unsigned)(random_next(&chance) % (k + 1));
		float hold = t->value[k];

		t->value[k] = t->value[other];
		t->value[other] = hold;
	}
	fit(&d, t, &o, &r);
	CHECK_EQ(d.m.spec.recurrent.kind, RECURRENT_NONE);
	CHECK(r.net_loss == r.linear_loss);
	draft_close(&d);
	drop(t);
}

static size_t slurp(char **bytes, const char *path)
{
	FILE *f = fopen(path, "rb");
	long n;

	CHECK(f && !fseek(f, 0, SEEK_END));
	n = ftell(f);
	rewind(f);
	*bytes = malloc((size_t)n);
	CHECK(*bytes && fread(*bytes, 1, (size_t)n, f) == (size_t)n);
	fclose(f);
	return (size_t)n;
}

static void save(char *path, size_t size, const struct draft *d, const char *name)
{
	struct why why = { "" };
	int err;

	snprintf(path, size, "%s/%s", folder, name);
	err = model_save(&d->m, path, &why);
	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK(!err);
}

/* Same data and seed: same bytes; another seed: others. What is written can be used. */
static void same_again(void)
{
	struct fit_options o = options(8);
	struct quantize_options qo = { .range = QUANTIZE_FIXED };
	struct quantize_report qr;
	char path[3][64], qpath[64], *bytes[3];
	size_t size[3];
	struct table *t = table(600, 2);
	struct why why = { "" };

	for (unsigned k = 0; k < 600; k++) {
		t->value[2 * k] = sinf(0.3f * (float)k) * sinf(0.3f * (float)k) * sinf(0.11f * (float)k);
		t->value[2 * k + 1] = cosf(0.3f * (float)k) > 0.5f;
	}
	for (int i = 0; i < 3; i++) {
		static const char *const name[] = { "a", "b", "c" };
		struct fit_report r;
		struct model *m;
		struct detector *det;
		struct draft d;

		o.seed = i == 2 ? 2 : 1;
		fit(&d, t, &o, &r);
		CHECK_EQ(r.hidden, 8);
		save(path[i], sizeof(path[i]), &d, name[i]);
		CHECK(!model_load(&m, path[i], &why));
		CHECK(m->test_rows >= 64 && m->test_score[m->test_rows - 1] > 0);
		CHECK(!model_detector(&det, m, FC_REF, &why));
		detector_close(det);
		if (!i) {
			struct draft q = { 0 };
			struct model *mq;

			/* Without the recording: from the self-test rows in the file. */
			CHECK(!quantize_model(&q, m, NULL, &qo, &qr, &why));
			CHECK(qr.rows > 0 && qr.correlation > 0.9);
			save(qpath, sizeof(qpath), &q, "q");
			CHECK(!model_load(&mq, qpath, &why));
			CHECK_STR(model_precision(mq), "int8");
			CHECK(!model_detector_best(&det, mq, NULL, &why));
			detector_close(det);
			model_free(mq);
			draft_close(&q);
			unlink(qpath);
		}
		model_free(m);
		draft_close(&d);
		size[i] = slurp(&bytes[i], path[i]);
		unlink(path[i]);
	}
	CHECK_EQ(size[0], size[1]);
	CHECK(!memcmp(bytes[0], bytes[1], size[0]));
	CHECK(size[0] != size[2] || memcmp(bytes[0], bytes[2], size[0]));
	for (int i = 0; i < 3; i++)
		free(bytes[i]);
	drop(t);
}

/* Gaps, a constant that is not zero, few rows, many channels, an impatient user. */
static void awkward(void)
{
	static const volatile sig_atomic_t stop = 1;
	struct fit_options o = options(8);
	struct fit_report r;
	struct draft d;
	struct table *t = machine(ROWS);
	struct why why = { "" };
	char path[64];

	for (unsigned k = 0; k < ROWS; k++) {
		t->value[k * N + 3] = 2.4e9f;
		if (random_next(&chance) % 10 == 0)
			t->value[k * N + k % N] = NAN;
	}
	t->value[0] = t->value[3] = NAN;
	fit(&d, t, &o, &r);
	CHECK(isfinite(d.m.loss_linear) && isfinite(d.m.tail.slope));
	CHECK_NEAR(d.m.spec.mean[3], 2.4e9, 1e3);
	CHECK(1 / d.m.spec.inv_std[3] > 1e6f && 1 / d.m.spec.inv_std[3] < 2.4e9f);
	save(path, sizeof(path), &d, "gaps");	/* refuses numbers that are none */
	unlink(path);
	draft_close(&d);

	o.learn.stop = &stop;
	fit(&d, t, &o, &r);
	CHECK(r.learn.stopped);
	CHECK_EQ(d.m.spec.recurrent.kind, RECURRENT_NONE);
	draft_close(&d);
	o.learn.stop = NULL;

	t->rows = 200;
	t->channels = 1;
	fit(&d, t, &o, &r);
	draft_close(&d);

	t->rows = 200;
	t->channels = 60;
	free(t->name);
	t->name = calloc(60, sizeof(*t->name));
	fit(&d, t, &o, &r);
	CHECK_EQ(r.lags, 2);	/* 60 % of 200 rows hold 120 weights */
	draft_close(&d);

	t->rows = 20;
	memset(&d, 0, sizeof(d));
	CHECK_EQ(fit_table(&d, t, &o, &r, &why), -EINVAL);
	CHECK(strstr(why.text, "20 rows"));
	draft_close(&d);
	drop(t);
}

int main(void)
{
	setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
	CHECK(mkdtemp(folder));
	useful();
	hiccup();
	earns_its_place();
	same_again();
	awkward();
	CHECK(!rmdir(folder));
	return 0;
}
