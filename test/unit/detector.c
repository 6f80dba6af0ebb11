// SPDX-License-Identifier: MIT
/*
 * The detector against its definition written out again, in double and without an eye to
 * speed; what it refuses, and that a reset forgets. Its manners are in detector_manners.c.
 */
#include <errno.h>
#include <stdbool.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "test/golden/made.h"
#include "test/test.h"

#define N_MAX 40
#define H_MAX 70
#define L_MAX 9

/* ---- the definition ---- */
struct plain {
	const struct detector_spec *s;
	double lag[L_MAX][N_MAX], forecast[N_MAX], residual[N_MAX], level[N_MAX];
	double c[H_MAX], h[H_MAX];
	unsigned gap[N_MAX], seen;
	/* of the last row */
	bool ready;
	double score, view[2], prediction[N_MAX], contribution[N_MAX];
};

static void plain_open(struct plain *p, const struct detector_spec *s)
{
	*p = (struct plain){ .s = s };
	for (unsigned i = 0; i < s->channels; i++)
		p->gap[i] = s->lags + 1;
}

static double clip(double v, double limit)
{
	return fmin(fmax(v, -limit), limit);
}

static double dot(const struct fc_spec *fc, unsigned o, const double *v)
{
	double sum = fc->bias[o];

	for (unsigned i = 0; i < fc->in; i++)
		sum += fc->weight_f32[o * fc->in + i] * v[i];
	return sum;
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static void plain_lstm(struct plain *p, const double *z)
{
	const struct detector_spec *s = p->s;
	double v[N_MAX + H_MAX];
	unsigned n = s->hidden;

	for (unsigned i = 0; i < s->channels; i++)
		v[i] = clip(z[i], 10);
	memcpy(v + s->channels, p->h, n * sizeof *v);
	for (unsigned u = 0; u < n; u++) {
		p->c[u] = sigmoid(dot(&s->gates, n + u, v)) * p->c[u] +
			  sigmoid(dot(&s->gates, u, v)) * tanh(dot(&s->gates, 2 * n + u, v));
		p->h[u] = sigmoid(dot(&s->gates, 3 * n + u, v)) * tanh(p->c[u]);
	}
}

static double plain_view(struct plain *p, const double *signed_mean, const float *weight,
			 const bool *ok, const struct tail *tail, unsigned view)
{
	double total = 0, count = 0, nats;

	for (unsigned i = 0; i < p->s->channels; i++) {
		double w = weight ? weight[i] : 1;

		total += ok[i] ? w * fabs(signed_mean[i]) : 0;
		count += ok[i] ? w : 0;
	}
	p->view[view] = count > 0 ? total / count : 0;
	if (!p->ready || !(total > 0))
		return 0;
	nats = tail_nats(tail, (float)p->view[view]);
	for (unsigned i = 0; i < p->s->channels; i++)
		if (ok[i])
			p->contribution[i] += nats * (weight ? weight[i] : 1) *
					      fabs(signed_mean[i]) / total;
	return nats;
}

static void plain_forecast(struct plain *p, const double *z)
{
	const struct detector_spec *s = p->s;
	unsigned n = s->channels;
	double v[L_MAX * N_MAX];

	memmove(p->lag[1], p->lag[0], (s->lags - 1) * sizeof *p->lag);
	for (unsigned i = 0; i < n; i++)
		p->lag[0][i] = clip(z[i], 10);
	for (unsigned k = 0; k < s->lags; k++)
		memcpy(v + k * n, p->lag[k], n * sizeof *v);
	if (s->hidden)
		plain_lstm(p, z);
	for (unsigned i = 0; i < n; i++)
		p->forecast[i] = s->skip[i] * z[i] + dot(&s->linear, i, v) +
				 (s->hidden ? dot(&s->head, i, p->h) : 0);
}

static void plain_step(struct plain *p, const float *x, const uint8_t *valid)
{
	const struct detector_spec *s = p->s;
	unsigned n = s->channels, live = 0, begun = 0;
	double z[N_MAX], most = DETECTOR_PART_MAX * n;
	bool ok[N_MAX];

	for (unsigned i = 0; i < n; i++) {
		ok[i] = valid[i] && isfinite(x[i]);
		z[i] = ok[i] ? ((double)x[i] - s->mean[i]) * s->inv_std[i] : p->forecast[i];
		p->prediction[i] = p->forecast[i];
		p->contribution[i] = 0;
		live += ok[i];
		if (ok[i] && p->gap[i] > s->lags) {
			begun++;
			p->prediction[i] = z[i];
			for (unsigned k = 0; k < s->lags; k++)
				p->lag[k][i] = clip(z[i], 10);
		}
		p->gap[i] = ok[i] ? 0 : p->gap[i] + 1;
		p->residual[i] += s->forecast_smooth *
				  (clip((z[i] - p->prediction[i]) * s->inv_sigma[i], most) -
				   p->residual[i]);
		p->level[i] += s->level_smooth * (clip(z[i], most) - p->level[i]);
	}
	if (live && begun == live)
		p->seen = 0;
	p->ready = live && p->seen >= (s->hidden ? fmax(32, 2 * s->lags) : 2 * s->lags);
	p->score = plain_view(p, p->residual, NULL, ok, &s->forecast_tail, 0);
	p->score += plain_view(p, p->level, s->level_weight, ok, &s->level_tail, 1);
	plain_forecast(p, z);
	p->seen += live > 0;
}

#define CHECK_CLOSE(a, b) CHECK_NEAR(a, b, 2e-5 * (1 + fabs((double)(b))))

static void against_definition(unsigned channels, unsigned hidden, unsigned lags)
{
	static struct plain p;
	unsigned ready = 0, unbelieved = 0;
	uint8_t valid[N_MAX];
	struct detector *d;
	float x[N_MAX];
	struct made m;

	made_open(&m, channels, hidden, lags, 0);
	CHECK_EQ(detector_open(&d, &m.spec, FC_XNN, NULL), 0);
	plain_open(&p, &m.spec);
	for (unsigned row = 0; row < 4000; row++) {
		struct detector_result r;
		double sum = 0;

		made_row(&m, x, valid);
		detector_step(d, x, valid, &r);
		plain_step(&p, x, valid);
		CHECK_EQ(r.ready, p.ready);
		CHECK_CLOSE(r.forecast, p.view[0]);
		CHECK_CLOSE(r.level, p.view[1]);
		CHECK_CLOSE(r.score, p.score);
		for (unsigned i = 0; i < channels; i++) {
			CHECK_CLOSE(r.prediction[i], p.prediction[i]);
			CHECK_CLOSE(r.contribution[i], p.contribution[i]);
			sum += r.contribution[i];
			unbelieved += !valid[i];
		}
		CHECK_NEAR(sum, r.score, 1e-5 * (1 + r.score));
		ready += r.ready;
	}
	CHECK(ready >= 3700);
	CHECK(unbelieved > 4);
	detector_close(d);
	made_close(&m);
}

/* The same rows after a reset: the same bits. */
static void reset_forgets(void)
{
	struct made m;
	struct detector *d;
	struct detector_result r;
	float x[N_MAX], score[300];
	uint8_t valid[N_MAX];
	uint64_t start;

	made_open(&m, 6, 24, 4, 1);
	start = m.random;
	CHECK_EQ(detector_open(&d, &m.spec, FC_XNN, NULL), 0);
	for (unsigned turn = 0; turn < 2; turn++) {
		m.random = start;
		memset(m.walk, 0, 6 * sizeof *m.walk);
		memset(m.outage, 0, 6 * sizeof *m.outage);
		for (unsigned i = 0; i < 300; i++) {
			made_row(&m, x, valid);
			detector_step(d, x, valid, &r);
			if (!turn)
				score[i] = r.score;
			else
				CHECK(!memcmp(&score[i], &r.score, sizeof r.score));
		}
		detector_reset(d);
	}
	detector_close(d);
	made_close(&m);
}

static void refuse(const struct detector_spec *s, const char *operator)
{
	struct detector *d = (struct detector *)s;
	struct why why = { "" };

	CHECK_EQ(detector_open(&d, s, FC_XNN, &why), -EINVAL);
	CHECK(d == NULL);
	if (!strstr(why.text, operator)) {
		fprintf(stderr, "\"%s\" does not name %s\n", why.text, operator);
		exit(1);
	}
}

static void refused(void)
{
	struct made m;
	struct detector_spec s[9];

	made_open(&m, 4, 8, 3, 1);
	for (unsigned i = 0; i < 9; i++)
		s[i] = m.spec;
	s[0].linear.in--;
	refuse(&s[0], "linear");
	s[1].linear.bias = NULL;
	refuse(&s[1], "linear");
	s[2].gates.scale = NULL;
	refuse(&s[2], "gates");
	s[3].gates.out = 31;
	refuse(&s[3], "gates");
	s[4].head.in = 7;
	refuse(&s[4], "head");
	s[5].head.weight = NULL;
	refuse(&s[5], "head");
	s[6].channels = 0;
	refuse(&s[6], "channels");
	s[7].lags = 1u << 30;
	refuse(&s[7], "lags");
	s[8].inv_sigma = NULL;
	refuse(&s[8], "missing");
	detector_close(NULL);
	made_close(&m);
}

int main(void)
{
	against_definition(8, 64, 5);
	against_definition(1, 16, 3);
	against_definition(38, 20, 2);
	against_definition(5, 0, 9);
	against_definition(7, 13, 1);
	reset_forgets();
	refused();
	return 0;
}
