// SPDX-License-Identifier: MIT
/*
 * quick_rows: see quick_rows.h. Student and teacher read the recording one after the other,
 * each as the detector that it is, and are matched row by row.
 */
#include "models/train/quick_rows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/draft.h"
#include "models/train/inject.h"
#include "models/train/run.h"

#define LENGTH 20u
#define APART 40u
#define SIZE 4.0f

/* Of the run that is on; whether a row is kept is known when the last of the two has read it. */
struct reader {
	struct quick_rows *q;
	const struct detector_spec *spec;
	uint8_t *ready;		/* [rows] of the teacher */
	float *margin;		/* [rows] of the teacher */
	const uint8_t *departed;
	bool taught;
};

static void views_of(float ratio[QUICK_CHEAP], const struct detector_spec *s,
		     const struct detector_result *r)
{
	for (unsigned k = 0; k < QUICK_CHEAP; k++)
		ratio[k] = r->view[k] * s->view[k].scale;
}

static void teacher_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct reader *f = ctx;
	float ratio[QUICK_CHEAP];

	f->ready[row] = r->ready;
	if (!r->ready)
		return;
	views_of(ratio, f->spec, r);
	f->margin[row] = quick_margin(&f->spec->quick, r->state, ratio);
}

static void student_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct reader *f = ctx;
	struct quick_rows *q = f->q;
	unsigned hidden = q->inputs - QUICK_CHEAP;
	float *v = q->value + (size_t)q->rows * q->inputs, ratio[QUICK_CHEAP];

	if (!r->ready || (f->taught && !f->ready[row]))
		return;
	memcpy(v, r->state, hidden * sizeof(*v));
	views_of(ratio, f->spec, r);
	for (unsigned k = 0; k < QUICK_CHEAP; k++)
		v[hidden + k] = fminf(ratio[k], QUICK_RATIO_MAX) * QUICK_RATIO_SCALE;
	if (f->taught)
		q->margin[q->rows] = f->margin[row];
	q->label[q->rows++] = f->departed[row];
}

static int read_rows(struct reader *f, const struct detector_spec *spec,
		     const struct detector_spec *teacher, const float *x, unsigned rows,
		     struct why *why)
{
	struct detector_spec s = *spec;
	int err = 0;

	if (teacher) {
		struct detector_spec t = *teacher;

		/* The margin is asked for on every row, so nothing may end early. */
		t.quick.hidden = 0;
		f->spec = teacher;
		err = run_rows(&t, FC_REF, x, rows, teacher_row, f, why);
	}
	s.quick.hidden = 0;
	f->spec = spec;
	return err ? err : run_rows(&s, FC_REF, x, rows, student_row, f, why);
}

static int alloc(struct quick_rows *q, struct reader *f, unsigned rows)
{
	q->value = malloc(2 * (size_t)rows * q->inputs * sizeof(*q->value));
	q->label = malloc(2 * (size_t)rows);
	if (f->taught) {
		q->margin = malloc(2 * (size_t)rows * sizeof(*q->margin));
		f->margin = malloc(rows * sizeof(*f->margin));
		f->ready = malloc(rows);
	}
	return q->value && q->label &&
	       (!f->taught || (q->margin && f->margin && f->ready)) ? 0 : -ENOMEM;
}

int quick_rows_open(struct quick_rows *q, const struct detector_spec *spec,
		    const struct detector_spec *teacher, const float *x, unsigned rows,
		    const float *std, uint64_t seed, struct why *why)
{
	size_t cells = (size_t)rows * spec->channels;
	float *changed = malloc(cells * sizeof(*changed));
	uint8_t *departed = calloc(rows, 1);
	struct inject_options o = { LENGTH, APART, SIZE, seed };
	struct reader f = { .q = q, .departed = departed, .taught = teacher != NULL };
	int err;

	*q = (struct quick_rows){ .inputs = spec->recurrent.hidden + QUICK_CHEAP };
	err = alloc(q, &f, rows);
	if (err || !changed || !departed)
		err = why_set(why, -ENOMEM, "out of memory");
	if (!err)
		err = read_rows(&f, spec, teacher, x, rows, why);
	if (!err) {
		memcpy(changed, x, cells * sizeof(*changed));
		inject(changed, departed, rows, spec->channels, spec->mean, std, &o);
		err = read_rows(&f, spec, teacher, changed, rows, why);
	}
	free(f.margin);
	free(f.ready);
	free(changed);
	free(departed);
	if (err)
		quick_rows_close(q);
	return err;
}

void quick_rows_close(struct quick_rows *q)
{
	free(q->value);
	free(q->label);
	free(q->margin);
	*q = (struct quick_rows){ 0 };
}

int quick_rows_fit(struct quick_spec *out, struct draft *d, const struct quick_rows *q,
		   float margin, float soft_weight, struct quick_report *report, struct why *why)
{
	struct quick_lesson lesson = { .features = q->value, .label = q->label, .rows = q->rows,
				       .inputs = q->inputs, .margin = q->margin,
				       .temperature = QUICK_TEMPERATURE,
				       .soft_weight = soft_weight };
	float *weight = draft_keep(d, 2 * (size_t)q->inputs * sizeof(*weight));
	float *bias = draft_keep(d, 2 * sizeof(*bias));
	int err = weight && bias ? quick_fit(weight, bias, &lesson, report) : -ENOMEM;

	*out = (struct quick_spec){ 0 };
	if (err == -EINVAL)
		return 0;
	if (err)
		return why_set(why, err, "the quick head could not be fitted");
	*out = (struct quick_spec){ .hidden = q->inputs - QUICK_CHEAP, .weight = weight,
				    .bias = bias, .margin = margin };
	return 0;
}
