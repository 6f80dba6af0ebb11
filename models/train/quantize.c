// SPDX-License-Identifier: MIT
/*
 * quantize: see quantize.h. A row's scale is shared by inputs of very different
 * steps (x and h in one matrix), so the scale is not simply the largest weight's: it is
 * searched for the least error of the row's output, each column weighed by how
 * much it moves (as in the clipping searches of post-training quantisation,
 * e.g. Banner et al. 2019).
 */
#include "models/train/quantize.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/quant.h"
#include "kernels/why.h"
#include "models/train/activity.h"
#include "models/train/draft.h"

#define SHRINK_STEPS 40		/* of 2 %: the least scale tried is a fifth of the largest */

struct layer {
	const char *name;
	const struct fc_spec *f;	/* float */
	struct fc_spec *q;		/* int8 */
	float *step;			/* [in] */
	const float *in;		/* [rows][in] */
};

/* Output error of a row when its folded weights w[n] are rounded at 1 / inv_scale. */
static double row_error(const float *w, const double *variance, unsigned n, float scale)
{
	double error = 0;

	for (unsigned i = 0; i < n; i++) {
		float q = fminf(fmaxf(rintf(w[i] / scale), -QUANT_MAX), QUANT_MAX);
		double e = (double)w[i] - (double)(q * scale);

		error += variance[i] * e * e;
	}
	return error;
}

static float best_scale(const float *w, const double *variance, unsigned n)
{
	float largest = 0, best;
	double least;

	for (unsigned i = 0; i < n; i++)
		largest = fmaxf(largest, fabsf(w[i]));
	if (!(largest > 0))
		return 1;
	best = largest / QUANT_MAX;
	least = row_error(w, variance, n, best);
	for (int k = 1; k < SHRINK_STEPS; k++) {
		float scale = largest / QUANT_MAX * (1 - 0.02f * (float)k);
		double error = row_error(w, variance, n, scale);

		if (error < least) {
			least = error;
			best = scale;
		}
	}
	return best;
}

int quantize_layer(struct draft *d, struct fc_spec *out, const struct fc_spec *f,
		   const float *step, const double *variance)
{
	int8_t *weight = draft_keep(d, (size_t)f->out * f->in);
	float *scale = draft_keep(d, f->out * sizeof(*scale));
	float *bias = draft_copy(d, f->bias, f->out * sizeof(*bias));
	float *w = malloc(f->in * sizeof(*w));
	double *v = malloc(f->in * sizeof(*v));
	int err = weight && scale && bias && w && v ? 0 : -ENOMEM;

	for (unsigned i = 0; !err && i < f->in; i++)
		v[i] = variance[i] / ((double)step[i] * step[i]);
	for (unsigned o = 0; !err && o < f->out; o++) {
		for (unsigned i = 0; i < f->in; i++)
			w[i] = f->weight_f32[(size_t)o * f->in + i] * step[i];
		scale[o] = best_scale(w, v, f->in);
		for (unsigned i = 0; i < f->in; i++)
			weight[(size_t)o * f->in + i] = (int8_t)fminf(
				fmaxf(rintf(w[i] / scale[o]), -QUANT_MAX), QUANT_MAX);
	}
	*out = (struct fc_spec){
		.in = f->in, .out = f->out, .weight = weight, .scale = scale, .bias = bias
	};
	free(w);
	free(v);
	return err;
}

/* Mean square of each column of in[rows][n]; never quite zero. */
static void column_power(double *power, const float *in, unsigned rows, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		power[i] = 1e-6;
	for (unsigned r = 0; r < rows; r++)
		for (unsigned i = 0; i < n; i++)
			power[i] += (double)in[(size_t)r * n + i] * in[(size_t)r * n + i] / rows;
}

static double decibel(double signal, double noise)
{
	return noise > 0 ? 10 * log10(fmax(signal, 1e-30) / noise) : 200;
}

/* Feed one row to an operator: neighbouring columns of one step go in together. */
static const float *feed(struct fc *fc, const float *in, const float *step, unsigned n)
{
	for (unsigned at = 0, to; at < n; at = to) {
		for (to = at; to < n && step[to] == step[at]; to++)
			;
		fc_put(fc, at, in + at, to - at, 1 / step[at]);
	}
	return fc_run(fc);
}

/* Signal to noise of each output of l: the noise is its int8 form's difference. */
static int layer_snr(const struct layer *l, unsigned rows, double *all_db, double *worst_db,
		     struct why *why)
{
	unsigned out = l->f->out;
	double *sum = calloc(3 * (size_t)out, sizeof(*sum)), *square = sum + out, *noise = square + out;
	double signal_all = 0, noise_all = 0;
	struct fc *f = NULL, *q = NULL;
	int err = sum ? fc_open(&f, l->f, FC_REF, why) : -ENOMEM;

	if (!err)
		err = fc_open(&q, l->q, FC_REF, why);
	for (unsigned r = 0; !err && r < rows; r++) {
		const float *in = l->in + (size_t)r * l->f->in;
		const float *a = feed(f, in, l->step, l->f->in);
		const float *b = feed(q, in, l->step, l->f->in);

		for (unsigned o = 0; o < out; o++) {
			sum[o] += a[o];
			square[o] += (double)a[o] * a[o];
			noise[o] += ((double)a[o] - b[o]) * ((double)a[o] - b[o]);
		}
	}
	*worst_db = 200;
	for (unsigned o = 0; !err && o < out; o++) {
		double signal = square[o] - sum[o] * sum[o] / rows;

		signal_all += signal;
		noise_all += noise[o];
		/* An output that never moves (a constant channel's) has nothing to lose. */
		if (signal > 1e-9 * rows)
			*worst_db = fmin(*worst_db, decibel(signal, noise[o]));
	}
	*all_db = decibel(signal_all, noise_all);
	fc_close(f);
	fc_close(q);
	free(sum);
	return err;
}

static int one_layer(struct draft *d, struct layer *l, unsigned rows, struct quantize_report *r,
		     struct why *why)
{
	double *power = malloc(l->f->in * sizeof(*power));
	int err = power ? 0 : -ENOMEM;
	unsigned k = r->layers++;

	if (!err) {
		column_power(power, l->in, rows, l->f->in);
		err = quantize_layer(d, l->q, l->f, l->step, power);
	}
	if (!err)
		err = layer_snr(l, rows, &r->layer[k].snr_db, &r->layer[k].worst_db, why);
	r->layer[k].name = l->name;
	r->layer[k].in = l->f->in;
	r->layer[k].out = l->f->out;
	free(power);
	return err;
}

/* step[n]: the first x columns hold inputs, the others state. */
static float *steps(struct draft *d, unsigned n, unsigned x)
{
	float *step = draft_keep(d, n * sizeof(*step));

	for (unsigned i = 0; step && i < n; i++)
		step[i] = i < x ? QUANT_Z_CLIP / QUANT_MAX : 1.0f / QUANT_MAX;
	return step;
}

static int all_layers(struct draft *d, const struct model *m, const struct activity *a,
		      struct quantize_report *r, struct why *why)
{
	const struct detector_spec *f = &m->spec;
	struct detector_spec *q = &d->m.spec;
	unsigned n = f->channels, h = f->hidden;
	struct layer layer[QUANTIZE_LAYERS] = {
		{ "linear", &f->linear, &q->linear, steps(d, f->lags * n, f->lags * n), a->linear },
		{ "gates", &f->gates, &q->gates, steps(d, n + h, n), a->gates },
		{ "head", &f->head, &q->head, steps(d, h, 0), a->head },
	};
	int err = 0;

	for (unsigned k = 0; !err && k < (h ? QUANTIZE_LAYERS : 1); k++)
		err = layer[k].step ? one_layer(d, &layer[k], a->rows, r, why) : -ENOMEM;
	return err == -ENOMEM ? why_set(why, err, "out of memory") : err;
}

/* a and b agree? Rows on which both were silent (not ready) say nothing. */
static void compare(struct quantize_report *r, const float *a, const float *b, unsigned rows)
{
	double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, difference = 0, n = 0;

	for (unsigned k = 0; k < rows; k++) {
		double x = a[k], y = b[k], e = fabs(x - y);

		if (x == 0 && y == 0)
			continue;
		n++;
		sa += x, sb += y, saa += x * x, sbb += y * y, sab += x * y;
		difference += e;
		r->max_difference = fmax(r->max_difference, e);
	}
	r->rows = (unsigned)n;
	if (n < 1)
		return;
	saa -= sa * sa / n;
	sbb -= sb * sb / n;
	sab -= sa * sb / n;
	r->correlation = saa > 0 && sbb > 0 ? sab / sqrt(saa * sbb) : 1;
	r->mean_difference = difference / n;
}

static int agreement(const struct draft *d, const struct model *m, const float *x, unsigned rows,
		     struct quantize_report *r, struct why *why)
{
	float *a = malloc(2 * (size_t)rows * sizeof(*a)), *b = a + rows;
	int err = a ? 0 : why_set(why, -ENOMEM, "out of memory");

	if (!err)
		err = calibrate_scores(&m->spec, FC_REF, x, rows, a, why);
	if (!err)
		err = calibrate_scores(&d->m.spec, FC_REF, x, rows, b, why);
	if (!err)
		compare(r, a, b, rows);
	free(a);
	return err;
}

int quantize_model(struct draft *d, const struct model *m, const struct recording *rec,
		   struct quantize_report *r, struct why *why)
{
	const float *x = rec ? rec->x : m->test_x;
	unsigned rows = rec ? rec->rows : m->test_rows;
	struct activity a;
	int err;

	*r = (struct quantize_report){ 0 };
	if (m->spec.linear.weight)
		return why_set(why, -EINVAL, "model %s is int8 already", m->name);
	err = activity_open(&a, m, x, rows, why);
	if (err)
		return err;
	d->m = *m;
	d->m.memory = NULL;
	d->m.memory_size = 0;
	err = all_layers(d, m, &a, r, why);
	activity_free(&a);
	if (!err)
		err = rec ? calibrate(d, rec, FC_REF, why)
			  : calibrate_test(d, m->test_x, m->test_rows, FC_REF, why);
	return err ? err : agreement(d, m, x, rows, r, why);
}
