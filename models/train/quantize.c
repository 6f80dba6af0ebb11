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
#include "models/train/order.h"
#include "models/train/run.h"

#define CLIP_MIN 2.0f		/* deviations: within that a model could not see a departure come */
#define CLIP_MAX 100.0f
#define SHRINK_STEPS 40		/* of 2 %: the least scale tried is a fifth of the largest */

struct layer {
	const struct fc_spec *f;	/* float */
	struct fc_spec *q;		/* int8 */
	float *step;			/* [in] of its int8 input; dynamic: all 1 */
	const float *in;		/* [rows][in] */
	unsigned rows;
	bool dynamic;
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
	/* Smaller, and a part of it may not be a normal number any more; it is nothing to u. */
	if (!(largest > 1e-30f))
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
static int layer_snr(const struct layer *l, double *all_db, double *worst_db, struct why *why)
{
	unsigned out = l->f->out, rows = l->rows;
	double *sum = calloc(3 * (size_t)out, sizeof(*sum));
	double *square = sum + out, *noise = square + out;
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

static int one_layer(struct draft *d, struct layer *l, struct quantize_report *r, struct why *why)
{
	double *power = malloc(l->f->in * sizeof(*power));
	int err = power ? 0 : -ENOMEM;
	unsigned k = r->layers++;

	if (!err) {
		column_power(power, l->in, l->rows, l->f->in);
		err = quantize_layer(d, l->q, l->f, l->step, power);
	}
	l->q->dynamic = l->dynamic;
	if (!err)
		err = layer_snr(l, &r->layer[k].snr_db, &r->layer[k].worst_db, why);
	r->layer[k].in = l->f->in;
	r->layer[k].out = l->f->out;
	r->layer[k].bytes = l->f->in * l->f->out;
	free(power);
	return err;
}

/* "gates.weight" without ".weight", kept by the draft. */
static const char *layer_name(struct draft *d, const char *tensor)
{
	size_t len = strlen(tensor) - strlen(".weight");
	char *name = draft_keep(d, len + 1);

	return name ? memcpy(name, tensor, len) : "";
}

static float *steps(struct draft *d, const struct model_field *f, const struct detector_spec *s,
		    bool dynamic)
{
	unsigned n = f->fc->in;
	float *step = draft_keep(d, n * sizeof(*step));
	float rest = (f->code ? s->subspace.code_clip : 1) / QUANT_MAX;

	for (unsigned i = 0; step && i < n; i++)
		step[i] = dynamic ? 1 : i < f->u_columns ? s->z_clip / QUANT_MAX : rest;
	return step;
}

static int all_layers(struct draft *d, const struct activity *a, bool dynamic,
		      struct quantize_report *r, struct why *why)
{
	struct model_field field[MODEL_FIELDS_MAX];
	unsigned fields = model_fields(&d->m, false, field), k = 0;
	int err = 0;

	for (unsigned i = 0; !err && i < fields; i++) {
		const struct activity_layer *from = &a->layer[k];
		struct fc_spec f;
		struct layer layer;

		if (!field[i].fc)
			continue;
		k++;
		f = *field[i].fc;
		layer = (struct layer){ .f = &f, .q = field[i].fc, .in = from->in,
					.rows = from->rows, .dynamic = dynamic,
					.step = steps(d, &field[i], &d->m.spec, dynamic) };
		r->layer[r->layers].name = layer_name(d, field[i].name);
		err = layer.step ? one_layer(d, &layer, r, why) : -ENOMEM;
	}
	return err == -ENOMEM ? why_set(why, err, "out of memory") : err;
}

/* The size that so many per cent of v[n] stay within, in the range of clipping points. */
static int clip_within(float *clip, const float *v, size_t n, double percentile)
{
	float *size = malloc(n * sizeof(*size));

	if (!size)
		return -ENOMEM;
	for (size_t k = 0; k < n; k++)
		size[k] = fabsf(v[k]);
	*clip = fminf(fmaxf(order_quantile(size, n, percentile / 100), CLIP_MIN), CLIP_MAX);
	free(size);
	return 0;
}

/*
 * Clipping points from what the operators read last of the recording. u of all layers is the
 * same, so the linear forecast's input speaks for it; the components have a layer of their own.
 */
static int set_range(struct detector_spec *s, const struct activity *a,
		     const struct quantize_options *o)
{
	double percentile = o->range == QUANTIZE_MINMAX ? 100 : o->percentile;
	int err = 0;

	if (o->range == QUANTIZE_FIXED || o->dynamic)
		return 0;
	for (unsigned k = 0; !err && k < a->layers; k++) {
		const struct activity_layer *l = &a->layer[k];
		size_t cells = (size_t)l->rows * l->field.fc->in;

		if (l->field.code)
			err = clip_within(&s->subspace.code_clip, l->in, cells, percentile);
		else if (k == 0)
			err = clip_within(&s->z_clip, l->in, cells, percentile);
	}
	return err;
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

/* Rows that both would call departed, or both would not. */
static double same_side(const float *a, float limit_a, const float *b, float limit_b, unsigned rows)
{
	unsigned same = 0;

	for (unsigned k = 0; k < rows; k++)
		same += (a[k] > limit_a) == (b[k] > limit_b);
	return rows ? (double)same / rows : 1;
}

/* [rows] of a run. */
struct said {
	float *score, *departure;
};

static void said_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct said *s = ctx;

	s->score[row] = r->score;
	s->departure[row] = r->departure;
}

static int agreement(const struct draft *d, const struct model *m, const float *x, unsigned rows,
		     struct quantize_report *r, struct why *why)
{
	float *memory = malloc(4 * (size_t)rows * sizeof(*memory));
	struct said a = { memory, memory + rows };
	struct said b = { memory + 2 * (size_t)rows, memory + 3 * (size_t)rows };
	int err = memory ? 0 : why_set(why, -ENOMEM, "out of memory");

	if (!err)
		err = run_rows(&m->spec, FC_REF, x, rows, said_row, &a, why);
	if (!err)
		err = run_rows(&d->m.spec, FC_REF, x, rows, said_row, &b, why);
	if (!err) {
		compare(r, a.score, b.score, rows);
		r->agreement = same_side(a.departure, m->point_limit, b.departure,
					 d->m.point_limit, rows);
	}
	free(memory);
	return err;
}

int quantize_model(struct draft *d, const struct model *m, const struct recording *rec,
		   const struct quantize_options *o, struct quantize_report *r, struct why *why)
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
	d->m.dynamic = o->dynamic;
	err = set_range(&d->m.spec, &a, o);
	err = err ? why_set(why, err, "out of memory") : all_layers(d, &a, o->dynamic, r, why);
	r->z_clip = d->m.spec.z_clip;
	r->code_clip = d->m.spec.subspace.code_clip;
	activity_free(&a);
	if (!err)
		err = calibrate_test(d, m->test_x, m->test_rows, FC_REF, why);
	return err ? err : agreement(d, m, x, rows, r, why);
}
