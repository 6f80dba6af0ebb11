// SPDX-License-Identifier: MIT
/* bench: see bench.h. */
#include "models/train/bench.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/detector.h"
#include "kernels/why.h"
#include "models/model.h"
#include "models/train/cost.h"

struct load {
	const struct model *m;
	const float *x;
	uint8_t *valid;
	unsigned rows, steps;
	struct detector *detector[BENCH_BATCH_MAX];
	unsigned open;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void step(const struct load *l, unsigned detector, unsigned row)
{
	size_t at = (size_t)row * l->m->spec.channels;
	struct detector_result r;

	detector_step(l->detector[detector], l->x + at, l->valid + at, &r);
}

/* l->steps in all, each detector on another stretch of the recording. Microseconds. */
static double turn(const struct load *l, unsigned batch)
{
	unsigned at[BENCH_BATCH_MAX], steps = (l->steps + batch - 1) / batch;
	double begin;

	for (unsigned k = 0; k < batch; k++)
		at[k] = (unsigned)((uint64_t)k * l->rows / batch);
	begin = now_us();
	for (unsigned s = 0; s < steps; s++)
		for (unsigned k = 0; k < batch; k++) {
			step(l, k, at[k]);
			at[k] = at[k] + 1 < l->rows ? at[k] + 1 : 0;
		}
	return (now_us() - begin) / ((double)steps * batch);
}

static double median_turn(const struct load *l, unsigned batch)
{
	double took[BENCH_TURNS];

	for (unsigned k = 0; k < BENCH_TURNS; k++)
		took[k] = turn(l, batch);
	qsort(took, BENCH_TURNS, sizeof(took[0]), ascending);
	return took[BENCH_TURNS / 2];
}

static int single_steps(struct bench *b, const struct load *l, struct why *why)
{
	double *took = malloc(l->steps * sizeof(*took)), last;

	if (!took)
		return why_set(why, -ENOMEM, "out of memory");
	for (unsigned r = 0; r < l->steps; r++) {
		last = now_us();
		took[r] = now_us() - last;
	}
	qsort(took, l->steps, sizeof(*took), ascending);
	b->clock_us = took[l->steps / 2];
	for (unsigned r = 0; r < l->steps; r++) {
		last = now_us();
		step(l, 0, r % l->rows);
		took[r] = now_us() - last;
	}
	qsort(took, l->steps, sizeof(*took), ascending);
	b->p50_us = took[l->steps / 2];
	b->p99_us = took[(size_t)l->steps * 99 / 100];
	b->max_us = took[l->steps - 1];
	free(took);
	return 0;
}

/* A line of /proc/self/status, in bytes. */
static uint64_t status_bytes(const char *what)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long kb = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, what, strlen(what))) {
			sscanf(line + strlen(what), ": %llu", &kb);
			break;
		}
	if (f)
		fclose(f);
	return kb * 1024;
}

/* More detectors of the kind that the self-test chose; false: there is no memory for them. */
static bool open_more(struct load *l, enum fc_kind kind, unsigned batch)
{
	for (; l->open < batch; l->open++)
		if (detector_open(&l->detector[l->open], &l->m->spec, kind, NULL))
			return false;
	return true;
}

static void side_by_side(struct bench *b, struct load *l, unsigned batch_max)
{
	struct cost cost;
	struct cost_part sum;

	cost_of(&cost, &l->m->spec);
	sum = cost_sum(&cost);
	for (unsigned size = 1; size <= batch_max; size *= 2) {
		double us;

		if (!open_more(l, b->kind, size))
			return;
		us = median_turn(l, size);
		if (size == 1)
			b->step_us = us;
		b->batch[b->batches++] = (struct bench_batch){
			size, us > 0 ? 1e6 / us : 0, size * (sum.weight_bytes + sum.state_bytes)
		};
	}
}

int bench_model(struct bench *out, const struct model *m, const float *x, unsigned rows,
		unsigned steps, unsigned batch_max, struct why *why)
{
	struct load l = { .m = m, .x = x, .rows = rows, .steps = steps };
	size_t cells = (size_t)rows * m->spec.channels;
	int err;

	*out = (struct bench){ .steps = steps };
	if (!rows || !steps || !batch_max || batch_max > BENCH_BATCH_MAX)
		return why_set(why, -EINVAL, "%u steps of %u rows, %u side by side", steps, rows,
			       batch_max);
	l.valid = malloc(cells);
	if (!l.valid)
		return why_set(why, -ENOMEM, "out of memory");
	for (size_t k = 0; k < cells; k++)
		l.valid[k] = isfinite(x[k]) != 0;
	err = model_detector_best(&l.detector[0], m, &out->kind, why);
	if (!err) {
		l.open = 1;
		turn(&l, 1);
		out->rss_bytes = status_bytes("VmRSS");
		err = single_steps(out, &l, why);
	}
	if (!err) {
		side_by_side(out, &l, batch_max);
		out->rss_peak_bytes = status_bytes("VmHWM");
	}
	while (l.open)
		detector_close(l.detector[--l.open]);
	free(l.valid);
	return err;
}
