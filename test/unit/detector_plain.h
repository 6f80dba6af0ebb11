/* SPDX-License-Identifier: MIT */
/*
 * detector_plain: the detector's definition written out again, in double and without an eye to
 * speed, from what the headers say: running moments are plain second moments here, Welford's
 * first rows are kept and averaged, the lag lines are one history that is clipped when read.
 */
#ifndef SONDE_TEST_DETECTOR_PLAIN_H
#define SONDE_TEST_DETECTOR_PLAIN_H

#include <stdbool.h>

#include "kernels/detector.h"
#include "test/unit/recurrent_fixture.h"

#define N_MAX 40
#define H_MAX 70
#define BACK_MAX 16	/* rows of any lag line or window */
#define FIRST_MAX 64
#define RANK_MAX 80

struct plain_spread {
	double mean[RANK_MAX], second[RANK_MAX], sum[RANK_MAX];
	unsigned measured[RANK_MAX];
};

struct plain {
	const struct detector_spec *s;
	unsigned gap[N_MAX], measured[N_MAX], seen;
	double mean[N_MAX], inv_std[N_MAX], last[N_MAX], first[FIRST_MAX][N_MAX];
	double u[N_MAX], forecast[N_MAX], prediction[N_MAX];
	double back[BACK_MAX][N_MAX];		/* u, newest first */
	double ewma[VIEWS][N_MAX], size[VIEWS][N_MAX], code[RANK_MAX], code_size[RANK_MAX];
	double left[N_MAX];
	struct plain_spread spread, lefts, codes;
	double c[2][H_MAX], h[2][H_MAX], row[N_MAX], window[BACK_MAX][N_MAX];
	bool live[N_MAX];
	unsigned lives;
	/* of the last row */
	bool ready, early;
	double score, departure, view[VIEWS], ratio[VIEWS], contribution[N_MAX], margin;
};

static inline void plain_spread_open(struct plain_spread *p, const struct spread_spec *s,
				     unsigned series)
{
	for (unsigned i = 0; s->start && i < series; i++)
		p->second[i] = s->start[i];
}

static inline void plain_open(struct plain *p, const struct detector_spec *s)
{
	*p = (struct plain){ .s = s };
	for (unsigned i = 0; i < s->channels; i++) {
		p->gap[i] = s->lags + 1;
		p->mean[i] = s->mean[i];
		p->inv_std[i] = s->inv_std[i];
	}
	plain_spread_open(&p->spread, &s->spread, s->channels);
	plain_spread_open(&p->lefts, &s->left, s->channels);
	plain_spread_open(&p->codes, &s->code, s->subspace.rank);
}

static inline double clip(double v, double limit)
{
	return fixture_cut(v, limit);
}

/* An operator over v[in], all columns clipped at `most`. */
static inline double plain_dot(const struct fc_spec *fc, unsigned o, const double *v, double most)
{
	return fixture_row(fc, o, v, fc->in, 127 / most);
}

/* True while the channel is being measured. */
static inline bool plain_measures(struct plain *p, unsigned i, double x)
{
	unsigned n = p->s->online;
	double sum = 0, square = 0;

	if (p->measured[i] == n)
		return false;
	p->first[p->measured[i]++][i] = x;
	if (p->measured[i] < n)
		return true;
	for (unsigned k = 0; k < n; k++)
		sum += p->first[k][i] / n;
	for (unsigned k = 0; k < n; k++)
		square += (p->first[k][i] - sum) * (p->first[k][i] - sum) / n;
	p->mean[i] = sum;
	p->inv_std[i] = 1 / sqrt(square);
	if (p->s->spread.start) {
		p->spread.mean[i] = p->spread.sum[i] = 0;
		p->spread.second[i] = p->s->spread.start[i];
		p->spread.measured[i] = 0;
	}
	return true;
}

static inline unsigned plain_row(struct plain *p, const float *x, const uint8_t *valid)
{
	const struct detector_spec *s = p->s;
	unsigned begun = 0;

	p->lives = 0;
	for (unsigned i = 0; i < s->channels; i++) {
		bool ok = valid[i] && isfinite(x[i]), begins;
		double v;

		if (ok && s->online && plain_measures(p, i, x[i]))
			ok = false;
		begins = ok && p->gap[i] > s->lags;
		p->gap[i] = ok ? 0 : p->gap[i] + 1;
		p->live[i] = ok;
		p->lives += ok;
		p->prediction[i] = p->forecast[i];
		if (!ok) {
			p->u[i] = p->forecast[i];
			p->last[i] += p->mean[i] + p->u[i] / p->inv_std[i];
			continue;
		}
		v = s->wanders[i] == 0 ? (double)x[i] : begins ? p->mean[i] : x[i] - p->last[i];
		p->last[i] = x[i];
		p->u[i] = (v - p->mean[i]) * p->inv_std[i];
		for (unsigned k = 0; begins && k < BACK_MAX; k++)
			p->back[k][i] = p->u[i];
		if (begins)
			p->prediction[i] = p->u[i];
		begun += begins;
	}
	return begun;
}

static inline void plain_join(struct plain *p, enum detector_view view, double number,
			      const double *size)
{
	const struct view_spec *v = &p->s->view[view];
	double total = 0, part;

	p->view[view] = number;
	p->ratio[view] = fmin(number * v->scale, 1e9);
	if (!p->ready || !(number > 0))
		return;
	part = v->weight * p->ratio[view] * p->ratio[view];
	p->score += part;
	for (unsigned i = 0; i < p->s->channels; i++)
		total += size[i];
	for (unsigned i = 0; total > 0 && i < p->s->channels; i++)
		p->contribution[i] += part * size[i] / total;
}

/* v[N] is smoothed, taken where live, and brought to one number: root mean square, compressed. */
static inline void plain_fast(struct plain *p, enum detector_view view, const double *v)
{
	double most = DETECTOR_PART_MAX * p->s->channels, total = 0;

	for (unsigned i = 0; i < p->s->channels; i++) {
		double *ewma = &p->ewma[view][i], e;

		*ewma += p->s->view[view].smooth * (fmin(v[i], most) - *ewma);
		p->size[view][i] = p->live[i] ? *ewma : 0;
		e = p->size[view][i] > 5 ? 5 + 5 * log(p->size[view][i] / 5) : p->size[view][i];
		total += e * e;
	}
	plain_join(p, view, p->lives ? sqrt(total / p->lives) : 0, p->size[view]);
}

static inline void plain_level(struct plain *p)
{
	const struct detector_spec *s = p->s;
	double most = DETECTOR_PART_MAX * s->channels, mass = 0, total = 0;

	for (unsigned i = 0; i < s->channels; i++) {
		double *ewma = &p->ewma[VIEW_LEVEL][i];

		*ewma += s->view[VIEW_LEVEL].smooth * (clip(p->u[i], most) - *ewma);
		p->size[VIEW_LEVEL][i] = p->live[i] ? s->level_weight[i] * fabs(*ewma) : 0;
		mass += p->live[i] ? s->level_weight[i] : 0;
		total += p->size[VIEW_LEVEL][i];
	}
	plain_join(p, VIEW_LEVEL, mass > 0 ? total / mass : 0, p->size[VIEW_LEVEL]);
}

static inline void plain_subspace(struct plain *p)
{
	const struct subspace_spec *q = &p->s->subspace;
	unsigned n = p->s->channels;
	double window[BACK_MAX * N_MAX], most = DETECTOR_PART_MAX * n;

	for (unsigned k = 0; k < q->lags; k++)
		for (unsigned i = 0; i < n; i++)
			window[k * n + i] = k ? p->back[k - 1][i] : p->u[i];
	for (unsigned r = 0; r < q->rank; r++)
		p->code[r] = plain_dot(&q->encode, r, window, p->s->z_clip);
	for (unsigned i = 0; i < n; i++) {
		double sum = 0;

		for (unsigned k = 0; k < q->lags; k++) {
			unsigned cell = k * n + i;
			double told = plain_dot(&q->decode, cell, p->code, q->code_clip);
			double e = fmin(fabs(window[cell] - told) * q->inv_sigma[cell], most);

			sum += e * e / q->lags;
		}
		p->left[i] = sqrt(sum);
	}
	plain_fast(p, VIEW_SUBSPACE, p->left);
	for (unsigned i = 0; p->ready && i < n; i++)
		p->departure = fmax(p->departure, p->size[VIEW_SUBSPACE][i] * p->s->inv_usual[i]);
}

/* Sizes of S series: how far the logarithm of the (centred) second moment is from usual. */
static inline double plain_restless(struct plain_spread *p, const struct detector_spec *s,
				    const struct spread_spec *spec, unsigned series, bool centred,
				    const double *v, const bool *live, double *size)
{
	double total = 0;

	for (unsigned i = 0; i < series; i++) {
		double x = clip(v[i], s->z_clip), ln, center = spec->center[i];
		unsigned half = spec->online / 2;

		p->mean[i] += centred ? s->spread_rate * (x - p->mean[i]) : 0;
		p->second[i] += s->spread_rate * (x * x - p->second[i]);
		ln = log(p->second[i] - p->mean[i] * p->mean[i] + 1e-3);
		if (p->measured[i] >= half && p->measured[i] < spec->online)
			p->sum[i] += ln;
		if (spec->online)
			center = p->sum[i] / (spec->online - half);
		size[i] = p->measured[i] < spec->online ? 0 :
			  fabs(ln - center) * spec->inv_dev[i];
		p->measured[i] += p->measured[i] < spec->online;
		if (live && !live[i])
			size[i] = 0;
		total += size[i];
	}
	return total;
}

static inline void plain_slow(struct plain *p)
{
	const struct detector_spec *s = p->s;
	unsigned n = s->channels;
	double total;

	if (s->view[VIEW_SPREAD].weight > 0) {
		total = plain_restless(&p->spread, s, &s->spread, n, true, p->u, p->live,
				       p->size[VIEW_SPREAD]);
		plain_join(p, VIEW_SPREAD, p->lives ? total / p->lives : 0, p->size[VIEW_SPREAD]);
	}
	if (s->view[VIEW_LEFT].weight > 0) {
		total = plain_restless(&p->lefts, s, &s->left, n, false, p->left, p->live,
				       p->size[VIEW_LEFT]);
		plain_join(p, VIEW_LEFT, p->lives ? total / p->lives : 0, p->size[VIEW_LEFT]);
	}
	if (s->view[VIEW_CODE].weight > 0) {
		total = plain_restless(&p->codes, s, &s->code, s->subspace.rank, true, p->code,
				       NULL, p->code_size);
		plain_join(p, VIEW_CODE, p->lives ? total / s->subspace.rank : 0,
			   p->size[VIEW_SUBSPACE]);
	}
}

static inline double plain_relu(double v)
{
	return v > 0 ? v : 0;
}

/* What the graph adds for node i. */
static inline double plain_graph(const struct plain *p, const double *h, unsigned i)
{
	const struct graph_spec *g = &p->s->recurrent.graph;
	unsigned f = g->features;
	double out = 0;

	for (unsigned k = 0; k < f; k++) {
		double near = g->mix_bias[k];

		for (unsigned j = 0; j < g->degree; j++) {
			int other = g->neighbour[i * g->degree + j];

			for (unsigned m = 0; other >= 0 && m < f; m++) {
				unsigned at = (unsigned)other * f + m;
				double z = clip(p->row[other], p->s->z_clip);

				near += g->edge[i * g->degree + j] * g->mix[k * f + m] *
					plain_relu(plain_dot(&g->node, at, h, 1) + g->own[at] * z);
			}
		}
		out += g->fuse[i * f + k] * plain_relu(near);
	}
	return out;
}

static inline void plain_window(struct plain *p, double *left)
{
	const struct recurrent_spec *r = &p->s->recurrent;
	double most = DETECTOR_PART_MAX * r->channels;

	memset(p->c, 0, sizeof p->c);
	memset(p->h, 0, sizeof p->h);
	memset(left, 0, r->channels * sizeof *left);
	for (unsigned k = r->window; k--;)
		fixture_lstm(&r->gates[0], r->channels, 127 / (double)p->s->z_clip, p->window[k],
			     p->c[0], p->h[0]);
	for (unsigned k = 0; k < r->window; k++) {
		fixture_lstm(&r->gates[1], r->hidden, 127, p->h[0], p->c[1], p->h[1]);
		for (unsigned i = 0; i < r->channels; i++) {
			double e = plain_dot(&r->head, i, p->h[1], 1) - p->window[k][i];

			left[i] += fmin(fabs(e) * p->s->recurrent_inv_sigma[i], most) / r->window;
		}
	}
}

static inline void plain_advance(struct plain *p)
{
	const struct recurrent_spec *r = &p->s->recurrent;

	memcpy(p->row, p->u, sizeof p->row);
	memmove(p->window[1], p->window[0], (BACK_MAX - 1) * sizeof *p->window);
	memcpy(p->window[0], p->u, sizeof p->row);
	if (r->kind == RECURRENT_AUTOENCODER)
		return;
	fixture_lstm(&r->gates[0], r->channels, 127 / (double)p->s->z_clip, p->row, p->c[0],
		     p->h[0]);
	if (r->layers == 2)
		fixture_lstm(&r->gates[1], r->hidden, 127, p->h[0], p->c[1], p->h[1]);
}

/* early: what the detector under test decided, believed where the margin is too close to call. */
static inline void plain_net(struct plain *p, bool early)
{
	const struct detector_spec *s = p->s;
	const struct recurrent_spec *r = &s->recurrent;
	const double *h = p->h[r->kind == RECURRENT_FORECAST ? r->layers - 1 : 0];
	const struct quick_spec *q = &s->quick;
	double left[N_MAX];

	if (q->hidden) {
		unsigned n = q->hidden;
		const float *a = q->weight, *b = q->weight + n + QUICK_CHEAP;

		p->margin = (double)q->bias[0] - q->bias[1];
		for (unsigned k = 0; k < n; k++)
			p->margin += ((double)a[k] - b[k]) * h[k];
		for (unsigned k = 0; k < QUICK_CHEAP; k++)
			p->margin += ((double)a[n + k] - b[n + k]) * fmin(p->ratio[k], 16) / 8;
		p->early = p->ready && p->margin >= q->margin;
		if (fabs(p->margin - q->margin) < 1e-3)
			p->early = early;
	}
	if (r->kind == RECURRENT_AUTOENCODER)
		plain_advance(p);
	if (p->early) {
		for (unsigned i = 0; i < s->channels; i++)
			p->ewma[VIEW_RECURRENT][i] *= 1 - (double)s->view[VIEW_RECURRENT].smooth;
	} else {
		if (r->kind == RECURRENT_AUTOENCODER)
			plain_window(p, left);
		for (unsigned i = 0; r->kind == RECURRENT_FORECAST && i < s->channels; i++) {
			double told = p->prediction[i] + plain_dot(&r->head, i, h, 1) +
				      (r->graph.features ? plain_graph(p, h, i) : 0);

			left[i] = fabs(p->u[i] - told) * s->recurrent_inv_sigma[i];
		}
		plain_fast(p, VIEW_RECURRENT, left);
	}
	if (r->kind == RECURRENT_FORECAST)
		plain_advance(p);
}

static inline void plain_remember(struct plain *p)
{
	const struct detector_spec *s = p->s;
	unsigned n = s->channels;
	double v[BACK_MAX * N_MAX];

	memmove(p->back[1], p->back[0], (BACK_MAX - 1) * sizeof *p->back);
	memcpy(p->back[0], p->u, sizeof p->u);
	for (unsigned k = 0; k < s->lags; k++)
		memcpy(v + k * n, p->back[k], n * sizeof *v);
	for (unsigned i = 0; i < n; i++)
		p->forecast[i] = plain_dot(&s->linear, i, v, s->z_clip);
}

static inline void plain_step(struct plain *p, const float *x, const uint8_t *valid,
			      unsigned warmup, bool early)
{
	const struct detector_spec *s = p->s;
	unsigned begun = plain_row(p, x, valid);
	double residual[N_MAX];

	if (p->lives && begun == p->lives)
		p->seen = 0;
	p->ready = p->lives && p->seen >= warmup;
	p->score = p->departure = 0;
	p->early = false;
	memset(p->contribution, 0, sizeof p->contribution);
	memset(p->view, 0, sizeof p->view);
	memset(p->ratio, 0, sizeof p->ratio);
	if (s->view[VIEW_LEVEL].weight > 0)
		plain_level(p);
	if (s->view[VIEW_SUBSPACE].weight > 0)
		plain_subspace(p);
	for (unsigned i = 0; i < s->channels; i++)
		residual[i] = fabs(p->u[i] - p->prediction[i]) * s->inv_sigma[i];
	plain_fast(p, VIEW_FORECAST, residual);
	plain_slow(p);
	if (s->recurrent.kind != RECURRENT_NONE)
		plain_net(p, early);
	p->score = sqrt(p->score);
	for (unsigned i = 0; p->score > 0 && i < s->channels; i++)
		p->contribution[i] /= p->score;
	plain_remember(p);
	p->seen += p->lives > 0;
}

static inline void plain_follow(struct plain *p, double rate)
{
	for (unsigned i = 0; i < p->s->channels; i++) {
		double by = clip(p->u[i], 3), std = 1 / p->inv_std[i];

		if (!p->live[i] || p->s->wanders[i] != 0)
			continue;
		p->mean[i] += rate * by * std;
		if (p->s->online)
			p->inv_std[i] = 1 / (std * sqrt(1 - rate + rate * by * by));
	}
}

#endif
