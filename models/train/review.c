// SPDX-License-Identifier: MIT
/* review: see review.h. */
#include "models/train/review.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/judge.h"
#include "models/train/run.h"

static int set_target(struct review *r, const char *name, struct why *why)
{
	const struct cost_target *t = cost_target(name);

	if (!strcmp(name, "this"))
		return cost_measure(&r->target, why);
	if (!t)
		return why_set(why, -EINVAL, "%s is no target that is known", name);
	r->target = *t;
	return 0;
}

struct sides {
	float limit;
	uint8_t *departed;	/* [rows] */
	unsigned same;
	bool second;
};

static void side_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct sides *s = ctx;
	bool departed = r->departure > s->limit;

	if (s->second)
		s->same += s->departed[row] == departed;
	s->departed[row] = departed;
}

int review_same_side(double *share, const struct model *a, const struct model *b, const float *x,
		     unsigned rows, struct why *why)
{
	struct sides s = { .limit = a->point_limit, .departed = malloc(rows) };
	int err = s.departed ? run_rows(&a->spec, FC_REF, x, rows, side_row, &s, why) :
			       why_set(why, -ENOMEM, "out of memory");

	s.limit = b->point_limit;
	s.second = true;
	if (!err)
		err = run_rows(&b->spec, FC_REF, x, rows, side_row, &s, why);
	*share = rows ? (double)s.same / rows : 1;
	free(s.departed);
	return err;
}

int review_open(struct review *r, const struct model *m, const float *x, unsigned rows,
		const char *target, struct why *why)
{
	static const struct quantize_options how = { .range = QUANTIZE_FIXED };
	const struct model *int8 = &r->int8.m;
	unsigned last = rows < REVIEW_ROWS_MAX ? rows : REVIEW_ROWS_MAX;
	struct recording rec = { .x = x + (size_t)(rows - last) * m->spec.channels, .rows = last };
	struct judge size;
	int err;

	*r = (struct review){ .measured_us = NAN };
	err = set_target(r, target, why);
	if (!err)
		err = covariance_open(&r->left, &m->spec, rec.x, last, why);
	if (err == -EOPNOTSUPP)
		err = 0;
	if (!err)
		err = quantize_model(&r->int8, m, &rec, &how, &r->agree, why);
	if (!err)
		err = review_same_side(&r->same_side, m, int8, rec.x, last, why);
	if (err)
		return err;
	cost_of(&r->cost, &int8->spec);
	judge_size(&size, m);
	r->int8_bytes = size.int8_bytes;
	return r->target.measured ? judge_time(&r->measured_us, &int8, 1, rec.x, last, why) : 0;
}

void review_close(struct review *r)
{
	covariance_free(&r->left);
	draft_close(&r->int8);
}
