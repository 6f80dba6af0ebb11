// SPDX-License-Identifier: MIT
/*
 * judge_time: see judge.h. A single step is some microseconds and a clock's call some tens of
 * nanoseconds, so each step is timed by itself, and the median says what it costs when nobody
 * disturbs it.
 */
#include "models/train/judge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "kernels/why.h"

#define TURNS 12u
#define STEPS 200u	/* of a turn that are measured */
#define SETTLE 20u	/* that are not: what the turn before has put out of the caches */

struct runner {
	struct detector *d;
	float *us;		/* [TURNS * STEPS] */
	unsigned count, row;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void turn(struct runner *r, const float *x, unsigned rows, unsigned n, uint8_t *valid)
{
	for (unsigned k = 0; k < SETTLE + STEPS; k++) {
		const float *row = x + (size_t)r->row * n;
		struct detector_result res;
		double began;

		for (unsigned i = 0; i < n; i++)
			valid[i] = isfinite(row[i]) != 0;
		began = now_us();
		detector_step(r->d, row, valid, &res);
		if (k >= SETTLE)
			r->us[r->count++] = (float)(now_us() - began);
		r->row = r->row + 1 < rows ? r->row + 1 : 0;
	}
}

/* Without the quick head: a step that runs all there is. */
static int open_full(struct detector **out, const struct model *m, struct why *why)
{
	struct detector_spec s = m->spec;
	enum fc_kind kind;
	int err = model_detector_best(out, m, &kind, why);

	if (err)
		return err;
	detector_close(*out);
	s.quick.hidden = 0;
	return detector_open(out, &s, kind, why);
}

int judge_time(double *us, const struct model *const *m, unsigned models, const float *x,
	       unsigned rows, struct why *why)
{
	struct runner *r = calloc(models, sizeof(*r));
	unsigned n = m[0]->spec.channels;
	uint8_t *valid = malloc(n);
	int err = r && valid && rows ? 0 : why_set(why, -ENOMEM, "out of memory");

	for (unsigned k = 0; !err && k < models; k++) {
		err = open_full(&r[k].d, m[k], why);
		r[k].us = malloc((size_t)TURNS * STEPS * sizeof(*r[k].us));
		if (!err && !r[k].us)
			err = why_set(why, -ENOMEM, "out of memory");
	}
	for (unsigned t = 0; !err && t < TURNS; t++)
		for (unsigned k = 0; k < models; k++)
			turn(&r[k], x, rows, n, valid);
	for (unsigned k = 0; r && k < models; k++) {
		if (!err) {
			qsort(r[k].us, r[k].count, sizeof(*r[k].us), ascending);
			us[k] = (double)r[k].us[r[k].count / 2];
		}
		detector_close(r[k].d);
		free(r[k].us);
	}
	free(r);
	free(valid);
	return err;
}
