// SPDX-License-Identifier: MIT
/*
 * frame: a channel is believed when its last read went well and its value is young
 * enough. What is not believed keeps its last value, so that a model sees a number
 * and a flag, never a hole.
 */
#include "agent/frame.h"

#include <math.h>
#include <string.h>

void frame_init(struct frame *f, unsigned n, uint64_t stale_ns)
{
	memset(f, 0, sizeof *f);
	f->n = n < FRAME_CHANNELS_MAX ? n : FRAME_CHANNELS_MAX;
	f->stale_ns = stale_ns;
}

void frame_put(struct frame *f, unsigned channel, float value, uint64_t t_ns)
{
	struct channel_slot *s = &f->slot[channel];

	if (!isfinite(value)) {
		s->errors++;
		return;
	}
	s->value = value;
	s->t_ns = t_ns;
	s->samples++;
	s->state = CHANNEL_LIVE;
}

void frame_probe(struct frame *f, unsigned channel)
{
	if (!f->slot[channel].t_ns)
		f->slot[channel].state = CHANNEL_PROBING;
}

void frame_fail(struct frame *f, unsigned channel, enum channel_state state)
{
	f->slot[channel].errors++;
	f->slot[channel].state = state;
}

void frame_close(struct frame *f, uint64_t t_ns, float *value, uint8_t *valid)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct channel_slot *s = &f->slot[i];

		/* A read that came back after the grid time is newer than the tick. */
		if (s->state == CHANNEL_LIVE && t_ns > s->t_ns &&
		    t_ns - s->t_ns > f->stale_ns + s->every_ns)
			s->state = CHANNEL_STALE;
		value[i] = s->value;
		valid[i] = s->state == CHANNEL_LIVE;
	}
}
