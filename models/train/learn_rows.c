// SPDX-License-Identifier: MIT
/*
 * learn_rows: see learn_rows.h. Rows are copied a chunk at a time, when they are needed, so that
 * a long window takes no memory of its own.
 */
#include "models/train/learn_rows.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "models/train/learn.h"
#include "models/train/net.h"

#define BATCH_MAX 32u
#define BATCH_ASKED_MAX 256u
/* A stream is at least so long: many updates an epoch are worth more than a wide batch. */
#define STREAM_MIN 192u
#define STREAM_WINDOWS 2u
#define SETTLE 64u		/* rows before the held-out ones that bring the state up */
/* An autoencoder's windows of an epoch, as far as the hop that this takes is sensible. */
#define WINDOWS_WANTED 512u
#define UPDATES_WANTED 6u

static unsigned clamp(unsigned v, unsigned least, unsigned most)
{
	return v < least ? least : v > most ? most : v;
}

static unsigned share(unsigned whole, unsigned part)
{
	return (whole + part - 1) / part;
}

static void streams(struct rows_plan *p, unsigned batch)
{
	p->batch = batch;
	p->length = share(p->to - p->from, p->batch);
	p->windows = share(p->length + p->early, p->steps);
}

static void windows(struct rows_plan *p, unsigned hop, unsigned batch)
{
	unsigned rows = p->to - p->from, count;

	p->hop = hop ? hop : 1;
	count = 1 + (rows > p->steps ? share(rows - p->steps, p->hop) : 0);
	p->batch = batch ? clamp(batch, 1, BATCH_ASKED_MAX) :
			   clamp(count / UPDATES_WANTED, 1, BATCH_MAX);
	p->windows = share(count, p->batch);
}

void rows_fit(struct rows_plan *p, const struct lesson *l, const struct net_shape *net,
	      unsigned steps, unsigned batch)
{
	unsigned stream_min = steps * STREAM_WINDOWS > STREAM_MIN ? steps * STREAM_WINDOWS :
								    STREAM_MIN;

	*p = (struct rows_plan){ .lesson = l, .steps = steps };
	p->coder = net->kind == RECURRENT_AUTOENCODER;
	/* Row fit_rows - 1 forecasts the first held-out one. */
	p->to = p->coder ? l->fit_rows : l->fit_rows - 1;
	if (p->coder)
		windows(p, clamp(p->to / WINDOWS_WANTED, (steps + 7) / 8, (steps + 1) / 2), batch);
	else if (batch)
		streams(p, clamp(batch, 1, clamp(p->to / steps, 1, BATCH_ASKED_MAX)));
	else
		streams(p, clamp(p->to / stream_min, 1, BATCH_MAX));
}

void rows_held(struct rows_plan *p, const struct lesson *l, const struct net_shape *net,
	       unsigned steps)
{
	*p = (struct rows_plan){ .lesson = l, .steps = steps };
	p->coder = net->kind == RECURRENT_AUTOENCODER;
	if (p->coder) {
		p->from = l->fit_rows;
		p->to = l->rows;
		windows(p, (steps + 1) / 2, 0);
	} else {
		/* The last row forecasts nothing. */
		p->from = l->fit_rows - 1;
		p->to = l->rows - 1;
		p->early = SETTLE;
		streams(p, clamp((p->to - p->from) / (4 * SETTLE), 1, BATCH_MAX));
	}
}

void rows_epoch(struct rows_plan *p, unsigned epoch)
{
	/* Steps of the golden ratio, in 2^-32, fall evenly (Weyl 1916). */
	uint64_t part = (uint32_t)(epoch * 0x9e3779b9u);

	if (p->coder)
		p->shift = (unsigned)(part * p->hop >> 32);
}

/* Row of stream b's step, which may not exist; *counts: where it does, it may be learnt from. */
static long row_of(const struct rows_view *v, unsigned b, unsigned step, bool *counts)
{
	const struct rows_plan *p = v->plan;
	long in_stream, row;

	if (p->coder) {
		unsigned k = (v->first + b) * p->windows + v->window;
		long start = (long)p->to - (long)p->steps - (long)k * p->hop - (long)p->shift;

		/* Decoded newest row first. */
		row = step < p->steps ? start + step : start + (long)(2 * p->steps - 1 - step);
		*counts = row >= (long)p->from;
		return row;
	}
	in_stream = (long)v->window * p->steps + step - (long)p->early;
	row = (long)p->from + (long)(v->first + b) * p->length + in_stream;
	*counts = in_stream >= 0 && in_stream < (long)p->length;
	return row;
}

static void target(const struct rows_plan *p, size_t at, float *y)
{
	const struct lesson *l = p->lesson;
	const float *from = (p->coder ? l->input : l->target) + at;
	float part = p->teacher_weight;

	memcpy(y, from, l->channels * sizeof(*y));
	for (unsigned i = 0; p->teacher && i < l->channels; i++)
		y[i] += part * (p->teacher[at + i] - y[i]);
}

void rows_read(const void *view, unsigned at, unsigned steps, float *x, float *y, float *w)
{
	const struct rows_view *v = view;
	const struct rows_plan *p = v->plan;
	unsigned n = p->lesson->channels;
	size_t bytes = n * sizeof(float), to = 0;

	for (unsigned s = at; s < at + steps; s++)
		for (unsigned b = 0; b < v->batch; b++, to += n) {
			bool counts;
			long row = row_of(v, b, s, &counts);
			bool exists = row >= 0 && row < (long)p->to;
			size_t from = (size_t)(exists ? row : 0) * n;

			if (x && exists)
				memcpy(x + to, p->lesson->input + from, bytes);
			else if (x)
				memset(x + to, 0, bytes);
			if (y && exists && counts) {
				memcpy(w + to, p->lesson->weight + from, bytes);
				target(p, from, y + to);
			} else if (y) {
				memset(w + to, 0, bytes);
				memset(y + to, 0, bytes);
			}
		}
}
