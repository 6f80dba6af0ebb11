// SPDX-License-Identifier: MIT
/*
 * The model for any channels: made of a seed alone, made into one of the channels at hand, and
 * what it then says of them.
 */
#include <errno.h>

#include "kernels/why.h"
#include "models/expand.h"
#include "models/model.h"
#include "models/train/draft.h"
#include "models/train/general.h"
#include "models/train/made.h"
#include "models/train/quantize.h"
#include "test/test.h"

#define ROWS 2000
#define N_MAX 16

static const char *const names[N_MAX] = { "a", "b", "c", "d", "e", "f", "g", "h",
					  "i", "j", "k", "l", "m", "n", "o", "p" };

/* The int8 model of a seed: d and q must outlive what points into them. */
struct general_made {
	struct draft d, q;
	struct general_report report;
};

static void open_made(struct general_made *g, uint64_t seed)
{
	const struct quantize_options how = { .dynamic = false };
	struct quantize_report r;
	struct why why;

	memset(g, 0, sizeof *g);
	strcpy(g->d.m.name, "general");
	CHECK_EQ(general_make(&g->d, seed, &g->report, &why), 0);
	CHECK_EQ(quantize_model(&g->q, &g->d.m, NULL, &how, &r, &why), 0);
}

static void close_made(struct general_made *g)
{
	draft_close(&g->q);
	draft_close(&g->d);
}

/* A copy that model_expand may take apart. */
static struct model *copy_of(const struct model *m)
{
	struct model *c = malloc(sizeof *c);

	CHECK(c);
	*c = *m;
	c->memory = c->expanded = NULL;
	c->memory_size = 0;
	c->channel = calloc(1, sizeof *c->channel);
	CHECK(c->channel);
	c->channel[0] = m->channel[0];
	return c;
}

static void series(void)
{
	static float x[512], again[512];
	double mean[MADE_KINDS], square;

	for (unsigned k = 0; k < MADE_KINDS; k++) {
		made_series(x, 512, (enum made_kind)k, 7, 3);
		made_series(again, 512, (enum made_kind)k, 7, 3);
		CHECK(!memcmp(x, again, sizeof x));
		made_series(again, 512, (enum made_kind)k, 7, 4);
		CHECK(memcmp(x, again, sizeof x));
		mean[k] = square = 0;
		for (unsigned i = 0; i < 512; i++) {
			CHECK(isfinite(x[i]));
			mean[k] += x[i] / 512;
		}
		for (unsigned i = 0; i < 512; i++)
			square += (x[i] - mean[k]) * (x[i] - mean[k]);
		CHECK(square > 0 || k == MADE_CONSTANT);
		for (unsigned j = 0; j < k; j++)
			CHECK(mean[j] != mean[k]);
	}
}

static void same_bits(const struct general_made *a)
{
	struct general_made b;

	open_made(&b, 1);
	CHECK(!memcmp(a->q.m.spec.linear.weight, b.q.m.spec.linear.weight, GENERAL_LAGS));
	CHECK(!memcmp(a->q.m.test_score, b.q.m.test_score, a->q.m.test_rows * sizeof(float)));
	CHECK(!memcmp(&a->q.m.tail, &b.q.m.tail, sizeof a->q.m.tail));
	CHECK_STR(a->q.m.data_sha256, b.q.m.data_sha256);
	CHECK_STR(a->q.m.created, "");
	close_made(&b);
	open_made(&b, 2);
	CHECK(strcmp(a->q.m.data_sha256, b.q.m.data_sha256));
	CHECK(memcmp(&a->q.m.tail, &b.q.m.tail, sizeof a->q.m.tail));
	close_made(&b);
	/* It has learnt how channels go on, or it would not beat both of these. */
	CHECK(a->report.loss < 0.9 * a->report.loss_last && a->report.loss < 0.5 * a->report.loss_mean);
}

static void scores(struct detector *d, const float *x, unsigned rows, unsigned n, float *score)
{
	uint8_t valid[N_MAX];
	struct detector_result r;

	memset(valid, 1, sizeof valid);
	for (unsigned i = 0; i < rows; i++) {
		detector_step(d, x + (size_t)i * n, valid, &r);
		score[i] = r.ready ? r.score : -1;
	}
}

static struct detector *detector_of(const struct model *m)
{
	struct detector *d;
	enum fc_kind kind;
	struct why why;

	CHECK_EQ(model_detector_best(&d, m, &kind, &why), 0);
	return d;
}

/* The same rows in every channel say what they say in one; and one channel is the model itself. */
static void alike(const struct model *general)
{
	static float one[ROWS], many[ROWS * N_MAX], score[ROWS], wide[ROWS];
	struct detector *d = detector_of(general);

	made_series(one, ROWS, MADE_RESONANCE, 11, 0);
	scores(d, one, ROWS, 1, score);
	detector_close(d);
	for (unsigned n = 1; n <= N_MAX; n *= 4) {
		struct model *m = copy_of(general);

		CHECK_EQ(model_expand(m, names, n, 25, 0, NULL), 0);
		CHECK_EQ(m->spec.channels, n);
		CHECK_EQ(m->rate_hz, 25);
		CHECK_STR(m->channel[n - 1].name, names[n - 1]);
		for (unsigned i = 0; i < ROWS * n; i++)
			many[i] = one[i / n];
		d = detector_of(m);
		scores(d, many, ROWS, n, wide);
		for (unsigned i = 0; i < ROWS; i++)
			CHECK_NEAR(wide[i], score[i], n == 1 ? 0 : 1e-4 * (1 + score[i]));
		detector_close(d);
		model_free(m);
	}
	CHECK_EQ(score[GENERAL_ONLINE - 1], -1);
	CHECK(score[2 * GENERAL_ONLINE] > 0);
}

/* No channel sees another: what one does changes no other's part. */
static void apart(const struct model *general)
{
	static float x[ROWS * 3], score[ROWS];
	struct model *m = copy_of(general);
	struct detector_result r, calm;
	float size[VIEWS], forecast[2];
	uint8_t valid[3] = { 1, 1, 1 };
	struct detector *d;

	CHECK_EQ(model_expand(m, names, 3, 1, 0, NULL), 0);
	for (unsigned c = 0; c < 3; c++) {
		made_series(score, ROWS, MADE_NOISE, 5, c);
		for (unsigned i = 0; i < ROWS; i++)
			x[3 * i + c] = score[i];
	}
	d = detector_of(m);
	scores(d, x, ROWS - 1, 3, score);
	detector_step(d, x + 3 * (ROWS - 1), valid, &calm);
	for (unsigned v = 0; v < VIEWS; v++)
		size[v] = calm.size[v][0];
	detector_reset(d);
	for (unsigned i = ROWS - 60; i < ROWS; i++)
		x[3 * i + 1] += 1e4f;
	scores(d, x, ROWS - 1, 3, score);
	detector_step(d, x + 3 * (ROWS - 1), valid, &r);
	CHECK_EQ(r.size[VIEW_LEVEL][0], size[VIEW_LEVEL]);
	CHECK(r.size[VIEW_FORECAST][0] == size[VIEW_FORECAST]);
	CHECK(r.size[VIEW_SPREAD][0] == size[VIEW_SPREAD]);
	CHECK(r.contribution[1] > 0.9f * r.score && r.score > m->point_limit);
	CHECK(r.contribution[1] > m->departure[1] && r.contribution[0] < m->departure[0]);
	forecast[0] = r.prediction[0];
	forecast[1] = r.prediction[2];
	CHECK(forecast[0] != forecast[1]);
	detector_close(d);
	model_free(m);
}

/* Measured for as long as was asked; the self-test is still the model's own. */
static void longer(const struct model *general)
{
	static float x[ROWS], score[ROWS];
	struct model *m = copy_of(general);
	struct detector *d;

	CHECK_EQ(model_expand(m, names, 1, 50, 1000, NULL), 0);
	CHECK_EQ(m->spec.online, 1000);
	CHECK_EQ(m->spec.spread.online, 1000);
	for (int kind = 0; kind < FC_KINDS; kind++) {
		CHECK_EQ(model_detector(&d, m, (enum fc_kind)kind, NULL), 0);
		made_series(x, ROWS, MADE_SINE, 3, 0);
		scores(d, x, ROWS, 1, score);
		CHECK_EQ(score[999], -1);
		CHECK(score[1001 + GENERAL_LAGS] >= 0);
		detector_close(d);
	}
	((float *)(uintptr_t)m->test_score)[m->test_rows - 1] += 1;
	CHECK_EQ(model_detector(&d, m, FC_REF, NULL), -EBADMSG);
	model_free(m);
}

static float mean_of(const struct tail *t)
{
	static const double below[TAIL_KNOTS] = { 0, 0.29289321881345254, 0.5, 0.64644660940672627,
		0.75, 0.82322330470336313, 0.875, 0.91161165235168156 };
	double mean = (1 - below[7]) * (t->knot[7] + 1 / t->slope);

	for (unsigned k = 0; k < 7; k++)
		mean += (below[k + 1] - below[k]) * 0.5 * (t->knot[k] + t->knot[k + 1]);
	return (float)mean;
}

/* Sixteen channels: half as wide about the mean as one. */
static void narrow(const struct model *general)
{
	struct model *m = copy_of(general);
	double mean = mean_of(&general->tail);

	CHECK_EQ(model_expand(m, names, 16, 1, 0, NULL), 0);
	for (unsigned k = 0; k < TAIL_KNOTS; k++)
		CHECK_NEAR(m->tail.knot[k], mean + (general->tail.knot[k] - mean) / 2, 1e-4);
	CHECK_NEAR(m->tail.slope, general->tail.slope * 2, 1e-5);
	CHECK_NEAR(m->point_limit, mean + (general->point_limit - mean) / 2, 1e-4);
	CHECK_NEAR(m->departure[7], general->departure[0] / 16, 1e-5);
	model_free(m);
}

static void refused(const struct model *general)
{
	static const char *many[EXPAND_CHANNELS_MAX + 1];
	struct model *m = copy_of(general), was;
	float *score = malloc(m->test_rows * sizeof *score);
	struct why why;

	for (unsigned i = 0; i <= EXPAND_CHANNELS_MAX; i++)
		many[i] = "x";
	was = *m;
	CHECK_EQ(model_expand(m, many, EXPAND_CHANNELS_MAX + 1, 1, 0, &why), -EINVAL);
	CHECK(strstr(why.text, "257 channels") && strstr(why.text, "1 to 256"));
	CHECK_EQ(model_expand(m, many, 0, 1, 0, &why), -EINVAL);
	m->spec.spread.online++;
	CHECK_EQ(model_expand(m, names, 2, 1, 0, &why), -EINVAL);
	m->spec.spread.online--;
	m->spec.view[VIEW_SUBSPACE].weight = 1;
	CHECK_EQ(model_expand(m, names, 2, 1, 0, &why), -EINVAL);
	m->spec.view[VIEW_SUBSPACE].weight = 0;
	memcpy(score, m->test_score, m->test_rows * sizeof *score);
	score[m->test_rows - 1] *= 1.5f;
	m->test_score = score;
	CHECK_EQ(model_expand(m, names, 2, 1, 0, &why), -EBADMSG);
	m->test_score = was.test_score;
	CHECK(!memcmp(m, &was, sizeof was));
	/* A model of a channel by another name is nobody's template. */
	strcpy(m->channel[0].name, "x");
	CHECK(!model_is_general(m));
	CHECK_EQ(model_expand(m, names, 4, 7, 0, &why), 0);
	CHECK(!memcmp(m, &was, sizeof was));
	free(score);
	model_free(m);
}

static double mean_score(const float *score, unsigned from, unsigned to)
{
	double sum = 0;

	for (unsigned i = from; i < to; i++)
		sum += score[i] / (to - from);
	return sum;
}

/* A series as restless as ever, wherever training's center is: the window's settling does not count. */
static void centered(void)
{
	const float one[2] = { 1, 1 }, far[2] = { 5, -5 };
	struct spread_spec spec = { .series = 2, .rate = 0.2f, .centred = true, .start = one,
				    .center = far, .inv_dev = one, .online = 100 };
	float size[2], v[2];
	struct spread *s;

	CHECK_EQ(spread_open(&s, &spec, NULL), 0);
	for (unsigned i = 0; i < 300; i++) {
		v[0] = i & 1 ? 0.3f : -0.3f;
		v[1] = i < 150 ? v[0] : 2 * v[0];
		/* The second begins later, and so is known later. */
		if (i == 40)
			spread_begin(s, 1);
		spread_step(s, v, 10, size);
		CHECK(i >= 100 || size[0] == 0);
		CHECK(i >= 140 || size[1] == 0);
		CHECK(i < 100 || size[0] < 1e-3);
		CHECK(i < 140 || i >= 150 || size[1] < 1e-3);
	}
	CHECK_NEAR(size[1], 2 * log(2), 0.02);
	spread_reset(s);
	spread_step(s, v, 10, size);
	CHECK_EQ(size[0], 0);
	spread_close(s);
}

/*
 * Too quiet and too restless, both against what the channel itself was like: the general center of
 * the spread would call a slow channel quiet for ever.
 */
static void restless(const struct model *general)
{
	static float x[ROWS], score[ROWS];
	struct detector_spec s = general->spec;
	struct detector *d;

	s.view[VIEW_LEVEL].weight = s.view[VIEW_FORECAST].weight = 0;
	CHECK_EQ(detector_open(&d, &s, FC_REF, NULL), 0);
	for (int kind = 0; kind < 2; kind++) {
		double usual;

		detector_reset(d);
		made_series(x, ROWS, MADE_NOISE, 21, 0);
		for (unsigned i = 1500; i < ROWS; i++)
			x[i] = x[1499] + (x[i] - x[1499]) * (kind ? 5.0f : 0.1f);
		scores(d, x, ROWS, 1, score);
		for (unsigned i = GENERAL_ONLINE; i < 2 * GENERAL_ONLINE - 1; i++)
			CHECK(score[i] <= 0);
		usual = mean_score(score, 2 * GENERAL_ONLINE, 1500);
		CHECK(usual > 0);
		CHECK(mean_score(score, 1600, ROWS) > 4 * usual);
	}
	detector_close(d);
}

/* A machine that rested while it was measured: with its owner's leave the deviation follows. */
static void follows(const struct model *general)
{
	static float x[ROWS];
	struct detector_result r;
	struct detector *d;
	uint8_t valid = 1;
	double first = 0, last = 0;

	made_series(x, ROWS, MADE_CHANGES, 9, 0);
	for (unsigned i = 0; i < GENERAL_ONLINE; i++)
		x[i] = x[GENERAL_ONLINE] + (x[i] - x[GENERAL_ONLINE]) * 0.02f;
	CHECK_EQ(detector_open(&d, &general->spec, FC_REF, NULL), 0);
	for (unsigned i = 0; i < ROWS; i++) {
		detector_step(d, &x[i], &valid, &r);
		if (i >= GENERAL_ONLINE + 1)
			detector_follow(d, 0.02f);
		if (i >= GENERAL_ONLINE + 1 && i < GENERAL_ONLINE + 101)
			first += fabsf(r.u[0]) / 100;
		if (i >= ROWS - 100)
			last += fabsf(r.u[0]) / 100;
	}
	CHECK(first > 5);
	CHECK(last < 1.5 && last > 0.3);
	detector_close(d);
}

/* A departure of each sort stands out from what the channel did before. */
static void tells(const struct model *general)
{
	static const enum made_kind kinds[] = { MADE_NOISE, MADE_RESONANCE, MADE_SINE, MADE_COARSE };
	static float x[ROWS * 4], column[ROWS], score[ROWS];
	struct model *m = copy_of(general);
	struct detector *d;

	CHECK_EQ(model_expand(m, names, 4, 1, 0, NULL), 0);
	for (unsigned c = 0; c < 4; c++) {
		float low, high;

		made_series(column, ROWS, kinds[c], 31, c);
		low = high = column[0];
		for (unsigned i = 0; i < 1500; i++) {
			low = fminf(low, column[i]);
			high = fmaxf(high, column[i]);
		}
		for (unsigned i = 0; i < ROWS; i++)
			x[4 * i + c] = column[i] + (c == 2 && i >= 1800 ? high - low : 0);
	}
	d = detector_of(m);
	scores(d, x, ROWS, 4, score);
	CHECK(mean_score(score, 1820, ROWS) > 2 * mean_score(score, 300, 1800));
	detector_close(d);
	model_free(m);
}

int main(void)
{
	struct general_made g;

	series();
	open_made(&g, 1);
	same_bits(&g);
	alike(&g.q.m);
	alike(&g.d.m);
	apart(&g.q.m);
	longer(&g.q.m);
	narrow(&g.q.m);
	refused(&g.q.m);
	centered();
	restless(&g.q.m);
	follows(&g.q.m);
	tells(&g.q.m);
	close_made(&g);
	return 0;
}
