// SPDX-License-Identifier: MIT
/*
 * events_fault: what went wrong with the watching, not with what is watched: missed
 * ticks, one event a burst, and sensors that stopped delivering, one event a sensor
 * until all its channels are back. A sensor that fails again and again is told a few times
 * and then as one long event, which ends when it has been steady for a while: a loose
 * contact must not fill the store.
 */
#include <stdio.h>
#include <string.h>

#include "agent/events_impl.h"

#define MISSED_CALM_NS (10 * SECOND)	/* without a missed tick: the burst is over */
#define STATE_CALM_NS (10 * SECOND)	/* of a sensor that has flapped */
#define FLAPS_MAX 3

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

static void state_begin(struct events *e, struct fault *f, const struct record *r)
{
	const char *name = e->name[r->channel];
	bool why = r->fault != FAULT_NONE && r->state != CHANNEL_ABSENT;

	f->on = true;
	f->times = 1;
	f->flaps = f->ended_ns && r->t_ns < f->ended_ns + STATE_CALM_NS ? f->flaps + 1 : 0;
	e->faults++;
	events_init(e, &f->event, "state", r->t_ns);
	snprintf(f->event.channels, sizeof f->event.channels, "[{\"name\":\"%s\",\"share\":1}]",
		 name);
	snprintf(f->event.detail, sizeof f->event.detail, "%s %s%s%s", name, state_name(r->state),
		 why ? ": " : "", why ? channel_fault_name(r->fault) : "");
	events_begin(e, &f->event);
}

static void state_end(struct events *e, struct fault *f, uint64_t t_ns)
{
	size_t used = strlen(f->event.detail);

	f->on = false;
	f->well_ns = 0;
	f->ended_ns = t_ns;
	e->faults--;
	if (f->times > 1)
		snprintf(f->event.detail + used, sizeof f->event.detail - used,
			 "; %u times; live", f->times);
	else
		snprintf(f->event.detail + used, sizeof f->event.detail - used, "; live");
	events_end(e, &f->event, t_ns);
}

/* A sensor that never delivered has not failed: it is not there yet. */
void events_state(struct events *e, const struct record *r)
{
	bool was_bad, bad = r->state != CHANNEL_LIVE;
	struct fault *f;

	if (r->channel >= e->channels)
		return;
	was_bad = e->seen_live[r->channel] && e->state[r->channel] != CHANNEL_LIVE;
	e->state[r->channel] = r->state;
	e->seen_live[r->channel] |= !bad;
	if (!e->seen_live[r->channel] || bad == was_bad)
		return;
	f = &e->fault[sensor_of(e, r->channel)];
	f->channels += bad ? 1 : -1;
	if (bad && !f->on) {
		state_begin(e, f, r);
	} else if (bad) {
		f->times += f->well_ns != 0;
		f->well_ns = 0;
	} else if (!f->channels && f->on) {
		if (f->flaps < FLAPS_MAX)
			state_end(e, f, r->t_ns);
		else
			f->well_ns = r->t_ns;
	}
}

void events_state_check(struct events *e, uint64_t now_ns)
{
	for (unsigned i = 0; i < e->config->sensors; i++) {
		struct fault *f = &e->fault[i];

		if (f->on && f->well_ns && now_ns > f->well_ns + STATE_CALM_NS)
			state_end(e, f, f->well_ns);
	}
}

void events_fault_abort(struct events *e, uint64_t t_ns)
{
	burst_end(e, t_ns);
	for (unsigned i = 0; e->fault && i < e->config->sensors; i++)
		if (e->fault[i].on)
			events_end(e, &e->fault[i].event, t_ns);
}
