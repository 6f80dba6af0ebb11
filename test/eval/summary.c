// SPDX-License-Identifier: MIT
/* summary: see summary.h. A recording that failed in any way is missing from all methods alike. */
#include "test/eval/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/table.h"

#define CHANGE_WINDOW_S 60

const struct set sets[SETS] = {
	{ "skab", "water pump, 8 channels, 34 recordings", 1 },
	{ "smd", "servers, 38 channels, 3 machines", 1 / 60. },
	{ "asd", "application server, 19 channels, 6 services", 1 / 300. },
	{ "tep", "chemical plant (simulated), 52 channels, 10 faults", 1 / 180. },
	{ "fan_accel", "fan with a weight, 3 axes, 17 speeds", 50 },
	{ "nab", "58 single streams; one threshold for all, the best (oracle)", 1 / 300. },
};

static bool counts(const struct job *j, unsigned method)
{
	return j->result->done && !j->result->failed && j->result->has[method];
}

/* Where the decision changes is where a change point is said to be. */
static int add_change(struct metric_change *c, const struct job *j, const float *score,
		      float limit)
{
	unsigned n = j->rows->rows;
	uint8_t *alarm = malloc(n);
	int err;

	if (!alarm)
		return -ENOMEM;
	for (unsigned r = 0; r < n; r++)
		alarm[r] = (score[r] > limit) != (r && score[r - 1] > limit);
	err = metric_change_add(c, j->time, j->point, alarm, n, CHANGE_WINDOW_S);
	free(alarm);
	return err;
}

static int sum_up(struct summary *s, unsigned method, const struct job *job, unsigned jobs)
{
	struct eval e = { .window = METRIC_WINDOW, .rate_hz = s->set->rate_hz };
	struct metric_change change = { 0 };
	int err = 0;

	for (unsigned k = 0; !err && k < jobs; k++) {
		const struct job *j = &job[k];
		unsigned n = j->rows->rows, from = s->has_nab ? nab_probation(n) : 0;
		const float *score = j->score + (size_t)method * n;
		const float *decide = j->decide + (size_t)method * n;
		float limit = j->result->limit[method];

		if (!counts(j, method))
			continue;
		s->files[method]++;
		err = eval_add(&e, j->label + from, score + from, decide + from, n - from, limit);
		if (!err && j->time)
			err = add_change(&change, j, decide, limit);
	}
	s->figures[method] = eval_figures(&e);
	for (unsigned p = 0; p < METRIC_PROFILES; p++)
		s->change[method][p] = metric_change_score(&change, (enum metric_profile)p);
	eval_close(&e);
	return err;
}

static int sum_up_nab(struct summary *s, unsigned method, const struct job *job, unsigned jobs)
{
	struct nab_stream *stream = calloc(jobs, sizeof(*stream));
	unsigned n = 0;
	int err;

	if (!stream)
		return -ENOMEM;
	for (unsigned k = 0; k < jobs; k++)
		if (counts(&job[k], method))
			stream[n++] = (struct nab_stream){
				.rows = job[k].rows->rows, .windows = job[k].windows,
				.score = job[k].score + (size_t)method * job[k].rows->rows,
				.window = job[k].window,
			};
	err = nab_score(&s->nab[method], stream, n);
	free(stream);
	return err;
}

int summary_make(struct summary *s, const struct set *set, const struct job *job, unsigned jobs,
		 struct why *why)
{
	int err = 0;

	*s = (struct summary){ .set = set, .jobs = jobs, .has_nab = !strcmp(set->name, "nab") };
	for (unsigned k = 0; k < jobs; k++) {
		s->failed += !job[k].result->done || job[k].result->failed;
		s->rows += job[k].rows->rows;
		s->has_change |= job[k].time != NULL;
	}
	for (unsigned m = 0; !err && m < METHODS; m++) {
		err = sum_up(s, m, job, jobs);
		if (!err && s->has_nab)
			err = sum_up_nab(s, m, job, jobs);
	}
	return err ? why_set(why, err, "%s: %s", set->name, strerror(-err)) : 0;
}
