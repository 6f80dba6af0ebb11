// SPDX-License-Identifier: MIT
/*
 * events_fault: what went wrong with the watching, not with what is watched: missed
 * ticks, one event a burst, and sensors that stopped delivering, one event a sensor
 * until all its channels are back.
 */
#include <stdio.h>

#include "agent/events_impl.h"

#define MISSED_CALM_NS (10 * SECOND)	/* without a missed tick: the burst is over */

static void count_missed(struct events *e)
{
	snprintf(e->burst.detail, sizeof e->burst.detail, "%llu tick%s missed",
		 (unsigned long long)e->burst_missed, e->burst_missed == 1 ? "" : "s");
}

static void burst_end(struct events *e, uint64_t t_ns)
{
	if (!e->burst_on)
		return;
	e->burst_on = false;
	count_missed(e);
	events_end(e, &e->burst, t_ns);
}

void events_missed(struct events *e, const struct record *r)
{
	e->burst_last_ns = r->t_ns;
	if (e->burst_on) {
		e->burst_missed += r->missed;
		return;
	}
	e->burst_on = true;
	e->burst_missed = r->missed;
	events_init(e, &e->burst, "missed", r->t_ns);
	count_missed(e);
	events_begin(e, &e->burst);
}

void events_missed_check(struct events *e, uint64_t now_ns)
{
	if (e->burst_on && now_ns > e->burst_last_ns + MISSED_CALM_NS)
		burst_end(e, e->burst_last_ns);
}

static const char *state_name(unsigned state)
{
	static const char *const name[] = { "absent", "probing", "live", "stale", "faulty" };

	return state < sizeof name / sizeof *name ? name[state] : "unknown";
}

static unsigned sensor_of(const struct events *e, unsigned channel)
{
	unsigned s = 0;

	while (channel >= e->config->sensor[s].channels)
		channel -= e->config->sensor[s++].channels;
	return s;
}

/* A sensor that never delivered has not failed: it is not there yet. */
void events_state(struct events *e, const struct record *r)
{
	bool was_bad, bad = r->state != CHANNEL_LIVE;
	struct fault *f;
	unsigned s;

	if (r->channel >= e->channels)
		return;
	was_bad = e->seen_live[r->channel] && e->state[r->channel] != CHANNEL_LIVE;
	e->state[r->channel] = r->state;
	e->seen_live[r->channel] |= !bad;
	if (!e->seen_live[r->channel] || bad == was_bad)
		return;
	s = sensor_of(e, r->channel);
	f = &e->fault[s];
	f->channels += bad ? 1 : -1;
	if (bad && !f->on) {
		f->on = true;
		e->faults++;
		events_init(e, &f->event, "state", r->t_ns);
		snprintf(f->event.channels, sizeof f->event.channels,
			 "[{\"name\":\"%s\",\"share\":1}]", e->name[r->channel]);
		snprintf(f->event.detail, sizeof f->event.detail, "sensor %s is %s",
			 e->config->sensor[s].name, state_name(r->state));
		events_begin(e, &f->event);
	} else if (!f->channels && f->on) {
		f->on = false;
		e->faults--;
		events_end(e, &f->event, r->t_ns);
	}
}

void events_fault_abort(struct events *e, uint64_t t_ns)
{
	burst_end(e, t_ns);
	for (unsigned i = 0; e->fault && i < e->config->sensors; i++)
		if (e->fault[i].on)
			events_end(e, &e->fault[i].event, t_ns);
}
