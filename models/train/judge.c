// SPDX-License-Identifier: MIT
/* judge: see judge.h. */
#include "models/train/judge.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/model_impl.h"
#include "models/train/calibrate.h"
#include "models/train/data.h"
#include "models/train/draft.h"
#include "models/train/inject.h"
#include "models/train/metric.h"
#include "models/train/quantize.h"
#include "models/train/run.h"

/* Of a departure that is made up: shorter and weaker ones than the quick head learns from. */
#define LENGTH 30u
#define APART 60u
#define SIZE 2.0f

static uint64_t tensors(const struct model *m, bool int8)
{
	struct model copy = *m;
	struct model_field field[MODEL_FIELDS_MAX];
	unsigned fields = model_fields(&copy, int8, field);
	uint64_t bytes = 0;

	for (unsigned k = 0; k < fields; k++)
		bytes += field[k].shape[0] * (field[k].dims == 2 ? field[k].shape[1] : 1) *
			 (field[k].i8 ? 1 : 4);
	return bytes;
}

static void count_zeros(struct judge *j, const float *w, size_t count)
{
	j->weights += count;
	for (size_t k = 0; w && k < count; k++)
		j->zeros += w[k] == 0;
}

void judge_size(struct judge *j, const struct model *m)
{
	struct model copy = *m;
	struct model_field field[MODEL_FIELDS_MAX];
	unsigned fields = model_fields(&copy, false, field);
	const struct quick_spec *q = &m->spec.quick;

	*j = (struct judge){ .us = NAN, .int8_us = NAN, .loss = NAN, .made_up = NAN,
			     .labelled = NAN };
	j->bytes = tensors(m, false);
	j->int8_bytes = tensors(m, true);
	for (unsigned k = 0; k < fields; k++)
		if (field[k].fc)
			count_zeros(j, field[k].fc->weight_f32,
				    (size_t)field[k].fc->in * field[k].fc->out);
	if (q->hidden)
		count_zeros(j, q->weight, 2 * ((size_t)q->hidden + QUICK_CHEAP));
}

int judge_int8(struct judge *j, struct draft *d, const struct model *m,
	       const struct recording *rec, struct why *why)
{
	struct quantize_options how = { .range = QUANTIZE_FIXED };
	struct recording plain = { .x = rec->x, .rows = rec->rows };
	struct quantize_report report;
	struct detector *det;
	struct mallinfo2 before, after;
	int err = quantize_model(d, m, &plain, &how, &report, why);

	if (err)
		return err;
	before = mallinfo2();
	err = model_detector_best(&det, &d->m, NULL, why);
	if (err)
		return err;
	after = mallinfo2();
	j->ram = j->int8_bytes + after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
	detector_close(det);
	return 0;
}

/* Squares of what a view leaves of each channel on held-out rows. */
struct squares {
	enum detector_view view;
	unsigned channels, from;
	double sum, count;
};

static void squares_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct squares *s = ctx;

	if (!r->ready || row < s->from)
		return;
	for (unsigned i = 0; i < s->channels; i++)
		s->sum += (double)r->size[s->view][i] * r->size[s->view][i];
	s->count += s->channels;
}

int judge_loss(double *loss, const struct model *m, const float *inv_sigma,
	       const struct recording *rec, struct why *why)
{
	struct detector_spec s = m->spec;
	bool net = s.recurrent.kind != RECURRENT_NONE && s.view[VIEW_RECURRENT].weight > 0;
	struct squares q = { .view = net ? VIEW_RECURRENT : VIEW_FORECAST,
			     .channels = s.channels, .from = series_fit_rows(rec->rows) };
	int err;

	for (unsigned v = 0; v < VIEWS; v++)
		s.view[v].weight = v == q.view;
	s.view[q.view].smooth = 1;
	s.inv_sigma = s.recurrent_inv_sigma = inv_sigma;
	s.quick.hidden = 0;
	if (!net)
		s.recurrent.kind = RECURRENT_NONE;
	err = run_folds(&s, FC_REF, rec, squares_row, &q, why);
	*loss = q.count > 0 ? q.sum / q.count : NAN;
	return err;
}

int judge_trial_open(struct judge_trial *t, const struct model *m, const float *x, unsigned rows,
		     const float *std, uint64_t seed)
{
	size_t bytes = (size_t)rows * m->spec.channels * sizeof(float);
	struct inject_options o = { LENGTH, APART, SIZE, seed ^ 0x6a75646765 };

	*t = (struct judge_trial){ .x = malloc(bytes), .label = malloc(rows), .rows = rows };
	if (!t->x || !t->label) {
		judge_trial_close(t);
		return -ENOMEM;
	}
	memcpy(t->x, x, bytes);
	t->departures = inject(t->x, t->label, rows, m->spec.channels, m->spec.mean, std, &o);
	return 0;
}

void judge_trial_close(struct judge_trial *t)
{
	free(t->x);
	free(t->label);
	*t = (struct judge_trial){ 0 };
}

int judge_ranks(double *roc_auc, const struct model *m, const float *x, const uint8_t *label,
		unsigned rows, float *score, struct why *why)
{
	float *own = score ? score : malloc(((size_t)rows + 1) * sizeof(*own));
	struct metric_ranks ranks = { .roc_auc = NAN };
	int err = own ? run_scores(&m->spec, FC_REF, x, rows, own, why) :
			why_set(why, -ENOMEM, "out of memory");

	if (!err && metric_ranks(&ranks, label, own, rows))
		err = why_set(why, -ENOMEM, "out of memory");
	*roc_auc = ranks.roc_auc;
	if (own != score)
		free(own);
	return err;
}

double judge_agreement(const float *a, const float *b, unsigned rows)
{
	double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0, n = 0;

	for (unsigned k = 0; k < rows; k++) {
		if (a[k] == 0 && b[k] == 0)
			continue;
		n++;
		sa += a[k];
		sb += b[k];
		saa += (double)a[k] * a[k];
		sbb += (double)b[k] * b[k];
		sab += (double)a[k] * b[k];
	}
	if (n < 2)
		return NAN;
	saa -= sa * sa / n;
	sbb -= sb * sb / n;
	sab -= sa * sb / n;
	return saa > 0 && sbb > 0 ? sab / sqrt(saa * sbb) : NAN;
}
