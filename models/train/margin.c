// SPDX-License-Identifier: MIT
/*
 * margin: see margin.h. A view at a time over the whole recording: the detector runs once
 * and leaves u and the whitened surprise of each channel, from which the views are made.
 */
#include "models/train/margin.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"
#include "models/train/run.h"
#include "models/train/season.h"

#define SETTLE 30u		/* rows before the views mean something */
#define SMOOTH 0.2		/* of signed surprises */
#define TAIL_SHARE 0.9		/* of normal rows; beyond it nats are an exponential tail's */
#define TAIL_NATS 2.3
#define EXCESS_MIN 0.05		/* of the tail's beginning: the least mean excess */
#define FLOOR 0.3		/* nats: below it, a factor says nothing */
#define FALL_ROWS 20000.0	/* in which a limit falls to 1/e */
#define LEARN 0.3		/* of an excess, at once */

struct work {
	const struct detector_spec *spec;
	unsigned rows, normal, n;
	float *u, *surprise;		/* [N][rows] */
	float *view, *sorted;		/* [rows], [normal] */
	float *margin;
};

static void take_row(void *ctx, unsigned row, const struct detector_result *r)
{
	struct work *w = ctx;

	for (unsigned i = 0; i < w->n; i++) {
		float left = (r->u[i] - r->prediction[i]) * w->spec->inv_sigma[i];
		size_t at = (size_t)i * w->rows + row;

		w->u[at] = r->u[i];
		w->surprise[at] = r->ready ? left : 0;
	}
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* How rare a view's value is by the normal rows. */
struct rarity {
	const float *sorted;
	unsigned n;
	double begin, excess;	/* excess 0: the view never stirs */
};

static void rarity_learn(struct rarity *t, struct work *w)
{
	double at, sum = 0;
	unsigned beyond = 0, low;

	t->sorted = w->sorted;
	t->n = w->normal - SETTLE;
	memcpy(w->sorted, w->view + SETTLE, t->n * sizeof *w->sorted);
	qsort(w->sorted, t->n, sizeof *w->sorted, ascending);
	at = TAIL_SHARE * (t->n - 1);
	low = (unsigned)at;
	t->begin = w->sorted[low] + (at - low) * (w->sorted[low + 1] - w->sorted[low]);
	for (unsigned i = t->n; i-- && w->sorted[i] > t->begin; beyond++)
		sum += w->sorted[i] - t->begin;
	t->excess = fmax(fmax(beyond ? sum / beyond : 0, EXCESS_MIN * t->begin), 0.01);
	if (!(w->sorted[t->n - 1] > 0))
		t->excess = 0;
}

static double rarity_nats(const struct rarity *t, float v)
{
	unsigned low = 0, high = t->n;

	if (!(t->excess > 0))
		return 0;
	if (v > t->begin)
		return TAIL_NATS + (v - t->begin) / t->excess;
	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (t->sorted[middle] < v)
			low = middle + 1;
		else
			high = middle;
	}
	return fmin(-log(fmax(1 - low / (double)t->n, 1 - TAIL_SHARE)), TAIL_NATS);
}

/* The view's own limit, over all rows; what goes beyond it is a margin. */
static void limit_view(struct work *w)
{
	struct rarity t;
	double limit = log(FLOOR);

	rarity_learn(&t, w);
	for (unsigned r = 0; r < w->rows; r++) {
		double over = log(rarity_nats(&t, w->view[r]) + FLOOR) - limit;

		if (!(over > 0)) {
			limit -= 1 / FALL_ROWS;
		} else if (r < w->normal) {
			limit += over;
		} else {
			w->margin[r] = fmaxf(w->margin[r], (float)over);
			limit += LEARN * over;
		}
	}
}

static void side_views(struct work *w, const float *u)
{
	for (int side = 1; side >= -1; side -= 2) {
		for (unsigned r = 0; r < w->rows; r++)
			w->view[r] = fmaxf((float)side * u[r], 0);
		limit_view(w);
	}
}

static void surprise_views(struct work *w, const float *surprise)
{
	double smooth = 0;

	for (unsigned r = 0; r < w->rows; r++)
		w->view[r] = fabsf(surprise[r]);
	limit_view(w);
	for (unsigned r = 0; r < w->rows; r++) {
		smooth += SMOOTH * (surprise[r] - smooth);
		w->view[r] = (float)fabs(smooth);
	}
	limit_view(w);
}

static int season_view(struct work *w, const float *u)
{
	struct season s;
	double smooth = 0;
	int err = season_fit(&s, u, w->normal);

	if (err || !s.period)
		return err;
	for (unsigned r = 0; r < w->rows; r++) {
		smooth += SMOOTH * (season_left(&s, u, r) - smooth);
		w->view[r] = (float)fabs(smooth);
	}
	limit_view(w);
	return 0;
}

/* Of what comes within MARGIN_HOLD rows, only a larger margin than before is told. */
static void hold_off(float *margin, float *told, unsigned rows)
{
	for (unsigned r = 0; r < rows; r++) {
		unsigned from = r > MARGIN_HOLD ? r - MARGIN_HOLD : 0;

		told[r] = margin[r];
		for (unsigned k = from; k < r && told[r] > 0; k++)
			if (margin[k] >= margin[r])
				told[r] = 0;
	}
	memcpy(margin, told, rows * sizeof *margin);
}

static int each_channel(struct work *w)
{
	int err = 0;

	memset(w->margin, 0, w->rows * sizeof *w->margin);
	for (unsigned i = 0; !err && i < w->n; i++) {
		side_views(w, w->u + (size_t)i * w->rows);
		surprise_views(w, w->surprise + (size_t)i * w->rows);
		err = season_view(w, w->u + (size_t)i * w->rows);
	}
	if (!err)
		hold_off(w->margin, w->view, w->rows);
	return err;
}

int margin_scores(const struct detector_spec *spec, enum fc_kind kind, const float *x,
		  unsigned rows, unsigned normal, float *margin, struct why *why)
{
	struct work w = {
		.spec = spec, .rows = rows, .normal = normal, .n = spec->channels, .margin = margin,
	};
	size_t all = (size_t)rows * w.n;
	int err;

	if (normal < MARGIN_NORMAL_MIN || normal > rows)
		return why_set(why, -EINVAL, "%u normal rows of %u: at least %u are needed", normal,
			       rows, MARGIN_NORMAL_MIN);
	w.u = malloc(all * sizeof *w.u);
	w.surprise = malloc(all * sizeof *w.surprise);
	w.view = malloc(rows * sizeof *w.view);
	w.sorted = malloc(normal * sizeof *w.sorted);
	if (!w.u || !w.surprise || !w.view || !w.sorted)
		err = why_set(why, -ENOMEM, "out of memory");
	else
		err = run_rows(spec, kind, x, rows, take_row, &w, why);
	if (!err && (err = each_channel(&w)))
		err = why_set(why, err, "out of memory");
	free(w.u);
	free(w.surprise);
	free(w.view);
	free(w.sorted);
	return err;
}
