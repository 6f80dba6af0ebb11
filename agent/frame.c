// SPDX-License-Identifier: MIT
/*
 * frame: a channel is believed when its last reading went well, could be true, and is young
 * enough. What is not believed keeps its last value, so that a model sees a number
 * and a flag, never a hole.
 *
 * A change that is too fast is judged against the reading before, believed or not: when the
 * next one agrees with this one, this one's level is true. When it agrees with the one before
 * the doubtful one, that level is. So a step masks one reading, and a spike itself. What can not be
 * true at all (out of range, not a number) is nothing to compare with, and leaves no trace.
 */
#include "agent/frame.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "agent/window.h"

#define LAPSES_FEW 3	/* failures in a row; behind more the rate of change is anybody's guess */
#define LAPSES_MANY UINT8_MAX

const char *channel_fault_name(enum channel_fault f)
{
	static const char *const name[FAULT_KINDS] = {
		[FAULT_NONE] = "none", [FAULT_BUS] = "bus", [FAULT_TIMEOUT] = "timeout",
		[FAULT_SHORT] = "short", [FAULT_CRC] = "crc", [FAULT_FORMAT] = "format",
		[FAULT_RANGE] = "range", [FAULT_RATE] = "rate", [FAULT_STUCK] = "stuck",
		[FAULT_NAN] = "nan", [FAULT_LOST] = "lost", [FAULT_ABSENT] = "absent",
		[FAULT_BUSY] = "busy",
	};

	return (unsigned)f < FAULT_KINDS ? name[f] : "unknown";
}

void frame_init(struct frame *f, unsigned n, uint64_t stale_ns)
{
	memset(f, 0, sizeof *f);
	f->n = n < FRAME_CHANNELS_MAX ? n : FRAME_CHANNELS_MAX;
	f->stale_ns = stale_ns;
	for (unsigned i = 0; i < FRAME_CHANNELS_MAX; i++) {
		f->slot[i].check.min = -INFINITY;
		f->slot[i].check.max = INFINITY;
	}
}

/* All zero is what a caller has who said nothing. Bounds that make no sense let nothing through. */
static bool in_range(const struct channel_check *c, float v)
{
	return (v >= c->min && v <= c->max) || (c->min == 0 && c->max == 0);
}

static uint64_t since(uint64_t t_ns, uint64_t then_ns)
{
	return t_ns > then_ns ? t_ns - then_ns : 0;
}

/*
 * Several readings may have the time of one arrival: all of them are compared with the last
 * one of the arrival before. The time without readings is no time in which a value was stuck.
 */
static void remember(struct channel_slot *s, float v, uint64_t t_ns)
{
	bool gap = s->lapses > LAPSES_FEW;

	if (!s->seen_ns || memcmp(&s->seen, &v, sizeof v))
		s->changed_ns = t_ns;
	else if (gap)
		s->changed_ns += since(t_ns, s->seen_ns);
	if (gap) {
		s->before_ns = 0;
	} else if (t_ns > s->seen_ns) {
		/* Of two doubtful ones in a row, the first is nothing to hold on to. */
		s->anchor = s->before;
		s->anchor_ns = s->doubts == 1 ? s->before_ns : 0;
		s->before = s->seen;
		s->before_ns = s->seen_ns;
	}
	s->seen = v;
	s->seen_ns = t_ns;
	s->lapses = 0;
}

static bool too_fast(const struct channel_slot *s, float then, uint64_t then_ns)
{
	double change = fabs((double)s->seen - then);

	return change > (double)s->check.rate * 1e-9 * since(s->seen_ns, then_ns);
}

static bool doubtful(const struct channel_slot *s)
{
	return s->check.rate > 0 && s->before_ns && too_fast(s, s->before, s->before_ns) &&
	       (!s->anchor_ns || too_fast(s, s->anchor, s->anchor_ns));
}

static bool stuck(const struct channel_slot *s)
{
	return s->check.stuck_ns && since(s->seen_ns, s->changed_ns) >= s->check.stuck_ns;
}

static enum channel_fault judge(struct channel_slot *s, float v, uint64_t t_ns)
{
	if (!isfinite(v))
		return FAULT_NAN;
	if (!in_range(&s->check, v))
		return FAULT_RANGE;
	remember(s, v, t_ns);
	if (doubtful(s)) {
		s->doubts = s->doubts ? 2 : 1;
		return FAULT_RATE;
	}
	s->doubts = 0;
	return stuck(s) ? FAULT_STUCK : FAULT_NONE;
}

static void fail(struct channel_slot *s, enum channel_state state, enum channel_fault fault)
{
	s->errors++;
	s->state = state;
	s->fault = fault;
	if ((unsigned)fault < FAULT_KINDS)
		s->faults[fault]++;
}

static void lapse(struct channel_slot *s)
{
	if (s->lapses < LAPSES_MANY)
		s->lapses++;
}

void frame_put(struct frame *f, unsigned channel, float value, uint64_t t_ns)
{
	struct channel_slot *s = &f->slot[channel];
	enum channel_fault fault = judge(s, value, t_ns);

	if (fault != FAULT_NONE) {
		if (fault == FAULT_NAN || fault == FAULT_RANGE)
			lapse(s);
		fail(s, CHANNEL_FAULTY, fault);
		return;
	}
	s->t_ns = t_ns;
	s->samples++;
	s->fault = FAULT_NONE;
	if (s->window) {
		/* Whether it is full is looked at once a tick, not once a sample. */
		window_put(s->window, value, t_ns);
		if (s->state != CHANNEL_LIVE)
			s->state = CHANNEL_PROBING;
		return;
	}
	s->value = value;
	s->state = CHANNEL_LIVE;
}

void frame_probe(struct frame *f, unsigned channel)
{
	struct channel_slot *s = &f->slot[channel];

	if (s->state != CHANNEL_LIVE)
		s->state = CHANNEL_PROBING;
}

void frame_fail(struct frame *f, unsigned channel, enum channel_state state,
		enum channel_fault fault)
{
	struct channel_slot *s = &f->slot[channel];

	lapse(s);
	fail(s, state, fault);
	if (state != CHANNEL_ABSENT)
		return;
	/* What is plugged in next may be another one, in another place. */
	s->seen_ns = 0;
	if (s->window)
		window_reset(s->window);
}

/* A read that came back after the grid time is newer than the tick, but not much. */
static bool too_old(const struct frame *f, const struct channel_slot *s, uint64_t t_ns)
{
	uint64_t apart = t_ns > s->t_ns ? t_ns - s->t_ns : s->t_ns - t_ns;

	return apart > f->stale_ns && apart - f->stale_ns > s->every_ns;
}

/* One whose window fills up is probing too, but without a fault that has not been made good. */
static void close_slot(const struct frame *f, struct channel_slot *s, uint64_t t_ns)
{
	bool fills = s->state == CHANNEL_PROBING && s->t_ns && s->fault == FAULT_NONE;
	bool counts = s->state == CHANNEL_LIVE || fills;

	if (counts && too_old(f, s, t_ns)) {
		s->state = CHANNEL_STALE;
		s->lapses = LAPSES_MANY;
	} else if (counts && s->window) {
		s->state = window_value(s->window, &s->value) ? CHANNEL_LIVE : CHANNEL_PROBING;
	}
}

void frame_close(struct frame *f, uint64_t t_ns, float *value, uint8_t *valid)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct channel_slot *s = &f->slot[i];

		close_slot(f, s, t_ns);
		value[i] = s->value;
		valid[i] = s->state == CHANNEL_LIVE;
	}
}
