// SPDX-License-Identifier: MIT
/*
 * deploy: see the header. A self-test needs rows that have left the detector's silence behind, and
 * no more: each costs the board a row of memory and the load a step.
 */
#include "models/train/deploy.h"

#include <errno.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/random.h"

#define TEST_ROWS 64u		/* that have a score */
#define SWING 2.0f		/* deviations, of made-up rows */

/* How many rows a self-test has to have for TEST_ROWS of them to have a score. */
static int rows_needed(unsigned *rows, const struct model *m, struct why *why)
{
	struct model untested = *m;
	struct detector *d;
	int err;

	untested.test_rows = 0;
	err = model_detector(&d, &untested, FC_REF, why);
	if (err)
		return err;
	*rows = detector_warmup(d) + m->spec.online + TEST_ROWS;
	detector_close(d);
	return 0;
}

/* Rows as the channels could deliver them, always the same ones. */
static float *make_rows(struct draft *d, const struct model *m, unsigned rows)
{
	const struct detector_spec *s = &m->spec;
	unsigned n = s->channels;
	float *x = draft_keep(d, (size_t)rows * n * sizeof *x);
	struct random random = { 1 };

	for (unsigned r = 0; x && r < rows; r++)
		for (unsigned i = 0; i < n; i++) {
			float v = s->mean[i] + SWING * random_uniform(&random) / s->inv_std[i];

			/* The mean of a channel that wanders is that of its steps. */
			if (s->wanders[i] != 0 && r)
				v += x[(size_t)(r - 1) * n + i];
			x[(size_t)r * n + i] = v;
		}
	return x;
}

static int give_test(struct deploy *c, struct why *why)
{
	struct model *m = &c->base.m;
	unsigned rows = 0;
	float *x;
	int err = rows_needed(&rows, m, why);

	if (err)
		return err;
	if (m->test_rows) {
		/* A score depends on the rows before it alone. */
		if (m->test_rows > rows)
			m->test_rows = rows;
		return 0;
	}
	x = make_rows(&c->base, m, rows);
	if (!x)
		return why_set(why, -ENOMEM, "out of memory");
	c->test_made = true;
	return calibrate_test(&c->base, x, rows, FC_REF, why);
}

int deploy_model(struct deploy *c, const struct model *m, const struct recording *rec,
		 struct why *why)
{
	const struct quantize_options o = { .dynamic = false };
	int err;

	*c = (struct deploy){ .base.m = *m };
	c->base.m.memory = NULL;
	c->base.m.memory_size = 0;
	err = give_test(c, why);
	if (err)
		return err;
	if (!strcmp(model_precision(m), "int8")) {
		c->out.m = c->base.m;
		return 0;
	}
	c->quantised = true;
	return quantize_model(&c->out, &c->base.m, rec, &o, &c->report, why);
}

void deploy_close(struct deploy *c)
{
	draft_close(&c->out);
	draft_close(&c->base);
}
