// SPDX-License-Identifier: MIT
/*
 * gpio_meter: marks of (time, count). A window of ticks keeps one mark for each; a window of
 * a second keeps one every 64th of it, whatever the tick rate, so that the memory is
 * bounded and the window is at most so much too long.
 */
#include "agent/dev/gpio_meter.h"

#define SECOND_NS 1000000000u
#define PARTS 64u

unsigned meter_marks(unsigned ticks)
{
	/* A second: both ends, and the one that is about to become too old. */
	return ticks ? ticks : PARTS + 2;
}

void meter_init(struct meter *m, unsigned ticks, struct meter_mark *mark)
{
	*m = (struct meter){ .mark = mark, .size = meter_marks(ticks), .ticks = ticks };
}

void meter_reset(struct meter *m)
{
	m->used = 0;
}

static struct meter_mark *at(const struct meter *m, unsigned i)
{
	return &m->mark[(m->first + i) % m->size];
}

static void forget_first(struct meter *m)
{
	m->first = (m->first + 1) % m->size;
	m->used--;
}

static bool put_mark(struct meter *m, uint64_t count, uint64_t t_ns)
{
	if (m->used && t_ns <= at(m, m->used - 1)->t_ns)
		return false;
	if (!m->ticks && m->used && t_ns - at(m, m->used - 1)->t_ns < SECOND_NS / PARTS)
		return true;
	if (m->used == m->size)
		forget_first(m);
	m->used++;
	*at(m, m->used - 1) = (struct meter_mark){ t_ns, count };
	return true;
}

bool meter_look(struct meter *m, uint64_t count, uint64_t t_ns, double *per_second)
{
	struct meter_mark from;
	bool whole;

	if (!m->ticks)
		while (m->used > 1 && t_ns >= at(m, 1)->t_ns + SECOND_NS)
			forget_first(m);
	whole = m->ticks ? m->used == m->size : m->used && t_ns >= at(m, 0)->t_ns + SECOND_NS;
	if (whole)
		from = *at(m, 0);
	if (!put_mark(m, count, t_ns) || !whole)
		return false;
	*per_second = (double)(count - from.count) * 1e9 / (double)(t_ns - from.t_ns);
	return true;
}
