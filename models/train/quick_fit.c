// SPDX-License-Identifier: MIT
/*
 * quick_fit: see quick_fit.h. Newton's method on v, bias of the margin m = v . x + bias, in
 * double, with a ridge that keeps it finite where the classes can be parted. A step that does
 * not lower the loss is halved until it does. Half of v goes to each logit, with opposite signs.
 */
#include "models/train/quick_fit.h"

#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/positive.h"

#define RIDGE 1e-4		/* of the mean loss, on weights, not on the bias */
#define ITERATIONS 50u
#define HALVINGS 30u
#define CHUNK 256u

/* D = K + 1: the bias is the weight of a last feature that is 1. */
struct newton {
	const struct quick_lesson *l;
	unsigned d;
	double share[2];	/* weight of a row of each class; all rows: 1 */
	double *v, *next, *step;	/* [D] */
	double *slope, *curve;	/* [D], [D][D] lower triangle */
	double *x, *wx;		/* [CHUNK][D] twice: rows, rows times their curvature */
};

/* ln(1 + e^x). */
static double softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double sigmoid(double x)
{
	return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/* Of one row, by its margin. */
struct bend {
	double loss, slope, curve;
};

static struct bend bend(const struct quick_lesson *l, unsigned r, double m)
{
	double hard = l->label[r] ? 0 : 1, p = sigmoid(m), a, T, q, u, entropy;
	struct bend b = { softplus(m) - hard * m, p - hard, p * (1 - p) };

	if (!l->margin)
		return b;
	/* T^2 KL(q | u): the teacher's part does not move, but counts in the loss. */
	a = (double)l->soft_weight;
	T = (double)l->temperature;
	q = sigmoid((double)l->margin[r] / T);
	u = sigmoid(m / T);
	entropy = softplus((double)l->margin[r] / T) - q * (double)l->margin[r] / T;
	b.loss = (1 - a) * b.loss + a * T * T * (softplus(m / T) - q * m / T - entropy);
	b.slope = (1 - a) * b.slope + a * T * (u - q);
	b.curve = (1 - a) * b.curve + a * u * (1 - u);
	return b;
}

static double margin_of(const struct newton *n, const double *v, unsigned r)
{
	const float *x = n->l->features + (size_t)r * n->l->inputs;
	double m = v[n->l->inputs];

	for (unsigned i = 0; i < n->l->inputs; i++)
		m += v[i] * (double)x[i];
	return m;
}

static double ridge(const struct newton *n, const double *v)
{
	return 0.5 * RIDGE * cblas_ddot((int)n->l->inputs, v, 1, v, 1);
}

static double loss(const struct newton *n, const double *v)
{
	double sum = 0;

	for (unsigned r = 0; r < n->l->rows; r++)
		sum += n->share[n->l->label[r] != 0] * bend(n->l, r, margin_of(n, v, r)).loss;
	return sum;
}

/* Slope and curvature at v. */
static void look(struct newton *n)
{
	unsigned d = n->d, rows = n->l->rows;

	memset(n->slope, 0, d * sizeof(double));
	memset(n->curve, 0, (size_t)d * d * sizeof(double));
	for (unsigned from = 0; from < rows; from += CHUNK) {
		unsigned count = rows - from < CHUNK ? rows - from : CHUNK;

		for (unsigned k = 0; k < count; k++) {
			unsigned r = from + k;
			double share = n->share[n->l->label[r] != 0], *x = n->x + (size_t)k * d;
			const float *features = n->l->features + (size_t)r * n->l->inputs;
			struct bend b = bend(n->l, r, margin_of(n, n->v, r));

			for (unsigned i = 0; i < d; i++) {
				x[i] = i + 1 < d ? (double)features[i] : 1;
				n->wx[(size_t)k * d + i] = share * b.curve * x[i];
				n->slope[i] += share * b.slope * x[i];
			}
		}
		cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)d, (int)d, (int)count, 1,
			    n->wx, (int)d, n->x, (int)d, 1, n->curve, (int)d);
	}
	for (unsigned i = 0; i + 1 < d; i++) {
		n->slope[i] += RIDGE * n->v[i];
		n->curve[(size_t)i * d + i] += RIDGE;
	}
	/* The bias may be without any curvature when all rows are far from the limit. */
	n->curve[(size_t)d * d - 1] += 1e-9;
}

/* step = curve^-1 slope. -EDOM. */
static int solve(struct newton *n)
{
	memcpy(n->step, n->slope, n->d * sizeof(double));
	return positive_solve(n->curve, n->d, n->step, 1);
}

/* From v downhill; returns how many steps it took. */
static unsigned descend(struct newton *n)
{
	double here = loss(n, n->v) + ridge(n, n->v);
	unsigned k;

	for (k = 0; k < ITERATIONS; k++) {
		double size = 1, there = here, before = here;

		look(n);
		if (solve(n))
			break;
		for (unsigned halved = 0; halved < HALVINGS; halved++, size *= 0.5) {
			for (unsigned i = 0; i < n->d; i++)
				n->next[i] = n->v[i] - size * n->step[i];
			there = loss(n, n->next) + ridge(n, n->next);
			if (there < here)
				break;
		}
		if (!(there < here))
			break;
		memcpy(n->v, n->next, n->d * sizeof(double));
		here = there;
		if (before - here < 1e-10 * before)
			break;
	}
	return k;
}

static int check(struct newton *n, const struct quick_lesson *l)
{
	size_t not_normal = 0;

	for (unsigned r = 0; r < l->rows; r++) {
		not_normal += l->label[r] != 0;
		if (l->margin && !isfinite(l->margin[r]))
			return -EINVAL;
	}
	for (size_t k = 0; k < (size_t)l->rows * l->inputs; k++)
		if (!isfinite(l->features[k]))
			return -EINVAL;
	if (!not_normal || not_normal == l->rows || !l->inputs)
		return -EINVAL;
	if (l->margin && !(l->temperature > 0 && l->soft_weight >= 0 && l->soft_weight <= 1))
		return -EINVAL;
	n->share[0] = 0.5 / (double)(l->rows - not_normal);
	n->share[1] = 0.5 / (double)not_normal;
	return 0;
}

static void tell(const struct newton *n, unsigned iterations, struct quick_report *r)
{
	*r = (struct quick_report){ .iterations = iterations, .loss = loss(n, n->v) };
	for (unsigned k = 0; k < n->l->rows; k++) {
		bool normal = margin_of(n, n->v, k) >= 0;

		if (n->l->label[k])
			r->missed += normal ? 2 * n->share[1] : 0;
		else
			r->wary += normal ? 0 : 2 * n->share[0];
	}
}

int quick_fit(float *weight, float *bias, const struct quick_lesson *l,
	      struct quick_report *report)
{
	unsigned d = l->inputs + 1, iterations;
	struct newton n = { .l = l, .d = d };
	int err = check(&n, l);

	if (err)
		return err;
	n.v = calloc(((size_t)4 + d + 2 * CHUNK) * d, sizeof(double));
	if (!n.v)
		return -ENOMEM;
	n.next = n.v + d;
	n.step = n.next + d;
	n.slope = n.step + d;
	n.curve = n.slope + d;
	n.x = n.curve + (size_t)d * d;
	n.wx = n.x + (size_t)CHUNK * d;
	iterations = descend(&n);
	for (unsigned i = 0; i < l->inputs; i++) {
		weight[i] = (float)(0.5 * n.v[i]);
		weight[l->inputs + i] = -weight[i];
	}
	bias[0] = (float)(0.5 * n.v[l->inputs]);
	bias[1] = -bias[0];
	if (report)
		tell(&n, iterations, report);
	free(n.v);
	return 0;
}

float quick_fit_margin(double confidence)
{
	return (float)log(confidence / (1 - confidence));
}
