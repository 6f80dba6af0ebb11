// SPDX-License-Identifier: MIT
/*
 * nab: see nab.h. Whatever the threshold, a row's worth is the same, so that all
 * thresholds are tried in one pass over the rows by descending score: outside of
 * windows the worths add up, of a window the best one so far counts.
 */
#include "models/train/nab.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#define PROBATION_SHARE 0.15
#define PROBATION_ROWS 5000	/* of a longer stream no more is taken the share of */
#define OUTSIDE (-1)

static const struct {
	double hit, outside, missed;
} profiles[NAB_PROFILES] = {
	[NAB_STANDARD] = { 1, .11, 1 },
	[NAB_LOW_FP] = { 1, .22, 1 },
	[NAB_LOW_FN] = { 1, .11, 2 },
};

struct row {
	float score;
	int window;		/* of the corpus, or OUTSIDE */
	double worth;		/* before the profile's weights */
	unsigned place;		/* in the corpus: equal scores keep their order */
};

struct corpus {
	struct row *row;
	unsigned rows, windows;
	unsigned seen;		/* windows that have a row behind the probation */
	double *best;		/* [windows] */
};

unsigned nab_probation(unsigned rows)
{
	return (unsigned)fmin(floor(PROBATION_SHARE * rows), PROBATION_SHARE * PROBATION_ROWS);
}

/* Scaled sigmoid: 1 far left of x = 0, 0 there, -1 beyond 3. */
static double worth_at(double x)
{
	return x > 3 ? -1 : 2 / (1 + exp(5 * x)) - 1;
}

static double worth_within(const struct nab_window *w, unsigned r)
{
	double length = (double)w->last - w->first + 1;

	return worth_at(-((double)w->last - r + 1) / length) / worth_at(-1);
}

/* Behind a window the cost grows with the distance, in the window's lengths. */
static double worth_behind(const struct nab_window *w, unsigned r)
{
	double length = (double)w->last - w->first;

	return length > 0 ? worth_at(((double)r - w->last) / length) : -1;
}

static void add_stream(struct corpus *c, const struct nab_stream *s)
{
	unsigned from = nab_probation(s->rows), next = 0;

	for (unsigned r = 0; r < s->rows; r++) {
		struct row row = { .score = s->score[r], .window = OUTSIDE, .worth = -1 };

		while (next < s->windows && s->window[next].last < r)
			next++;
		if (next < s->windows && s->window[next].first <= r) {
			row.window = (int)(c->windows + next);
			row.worth = worth_within(&s->window[next], r);
		} else if (next) {
			row.worth = worth_behind(&s->window[next - 1], r);
		}
		if (r < from)
			continue;
		row.place = c->rows;
		c->row[c->rows++] = row;
	}
	for (unsigned i = 0; i < s->windows; i++)
		c->seen += s->window[i].last >= from;
	c->windows += s->windows;
}

static int by_score_descending(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->place > y->place) - (x->place < y->place);
}

static void sweep(struct nab_result *out, struct corpus *c, enum nab_profile p)
{
	double none = -profiles[p].missed * c->seen, perfect = profiles[p].hit * c->windows;
	double total = none, best = none;

	out->threshold[p] = INFINITY;
	for (unsigned i = 0; i < c->windows; i++)
		c->best[i] = -profiles[p].missed;
	for (unsigned i = 0; i < c->rows; i++) {
		const struct row *r = &c->row[i];
		double hit = profiles[p].hit * r->worth;

		if (r->window == OUTSIDE) {
			total += profiles[p].outside * r->worth;
		} else if (hit > c->best[r->window]) {
			total += hit - c->best[r->window];
			c->best[r->window] = hit;
		}
		if (total > best && (i + 1 == c->rows || c->row[i + 1].score != r->score)) {
			best = total;
			out->threshold[p] = r->score;
		}
	}
	out->score[p] = perfect > none ? 100 * (best - none) / (perfect - none) : NAN;
}

static int check(const struct nab_stream *s)
{
	for (unsigned i = 0; i < s->windows; i++)
		if (s->window[i].first > s->window[i].last || s->window[i].last >= s->rows ||
		    (i && s->window[i].first <= s->window[i - 1].last))
			return -EINVAL;
	return 0;
}

int nab_score(struct nab_result *out, const struct nab_stream *stream, unsigned streams)
{
	struct corpus c = { 0 };
	size_t rows = 0, windows = 0;

	for (unsigned i = 0; i < streams; i++) {
		if (check(&stream[i]))
			return -EINVAL;
		rows += stream[i].rows;
		windows += stream[i].windows;
	}
	c.row = malloc((rows + 1) * sizeof(*c.row));
	c.best = malloc((windows + 1) * sizeof(*c.best));
	if (!c.row || !c.best) {
		free(c.row);
		free(c.best);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < streams; i++)
		add_stream(&c, &stream[i]);
	qsort(c.row, c.rows, sizeof(*c.row), by_score_descending);
	out->windows = c.windows;
	for (int p = 0; p < NAB_PROFILES; p++)
		sweep(out, &c, (enum nab_profile)p);
	free(c.row);
	free(c.best);
	return 0;
}
