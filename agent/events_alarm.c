// SPDX-License-Identifier: MIT
/*
 * events_alarm: an alarm and the window around it, written in steps: the rows before
 * it when it begins, the rest as it comes, until `after` past its end. Of a long alarm
 * the first minute and the end are kept: one of a day would otherwise fill the
 * store with sameness.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/events_impl.h"

#define WINDOW_ALARM_S 60	/* rows written while an alarm lasts */

void events_window(struct events *e)
{
	const struct record *const *rows;
	struct why why;
	unsigned n;

	if (!e->window_on)
		return;
	n = history_find(e->history, e->window_next, e->window_to, &rows);
	if (!n)
		return;
	e->window_next = rows[n - 1]->tick + 1;
	if (e->store && e->alarm.id &&
	    store_window(e->store, e->alarm.id, rows, n, e->channels, e->name, &why))
		events_failed(e, "rows of a window could not be stored", &why);
	if (e->window_until_ns && rows[n - 1]->t_ns >= e->window_until_ns)
		e->window_on = false;
}

/* The ticks before `tick` that are worth keeping. */
static uint64_t before(const struct events *e, uint64_t tick)
{
	unsigned rows = events_rows(e, e->config->pre_s);

	return tick > rows ? tick - rows : 0;
}

/* [{"name":..,"share":..},..]: what each channel that departed has of the whole score. */
static void name_departed(const struct events *e, struct store_event *event,
			  const struct record *r)
{
	const float *nats = record_contribution(r, e->channels);
	size_t size = sizeof event->channels, at = 1;
	float sum = 0;

	for (unsigned i = 0; i < e->channels; i++)
		sum += nats[i] > 0 ? nats[i] : 0;
	strcpy(event->channels, "[");
	for (unsigned i = 0; i < r->departed && i < RECORD_DEPARTED_MAX; i++) {
		unsigned c = r->departed_channel[i];
		int n;

		if (c >= e->channels)
			continue;
		n = snprintf(event->channels + at, size - at, "%s{\"name\":\"%s\",\"share\":%.3f}",
			     at > 1 ? "," : "", e->name[c], sum > 0 ? fmaxf(nats[c], 0) / sum : 0);
		if (n < 0 || at + n + 2 > size)
			break;
		at += n;
	}
	strcpy(event->channels + at, "]");
}

void events_alarm(struct events *e, const struct record *r)
{
	uint64_t since = r->since_tick && r->since_tick <= r->tick ? r->since_tick : r->tick;
	const struct record *const *rows;
	uint64_t since_ns = r->t_ns;
	bool gap;

	if (e->alarm_on)
		return;
	events_window(e);
	if (history_find(e->history, since, since, &rows))
		since_ns = rows[0]->t_ns;
	events_init(e, &e->alarm, "alarm", since_ns);
	e->alarm.score = r->score;
	e->alarm.limit = r->limit;
	e->alarm.peak = fmaxf(r->peak, r->score);
	/* The net's memory of a gap fades in about a second. */
	gap = e->burst_on && e->burst_last_ns + SECOND > since_ns;
	e->alarm.trusted = !gap && !e->faults;
	if (gap)
		snprintf(e->alarm.detail, sizeof e->alarm.detail, "doubtful: ticks were missed");
	else if (e->faults)
		snprintf(e->alarm.detail, sizeof e->alarm.detail, "doubtful: a sensor is at fault");
	name_departed(e, &e->alarm, r);
	e->alarm_on = true;
	events_begin(e, &e->alarm);
	e->window_on = true;
	e->window_next = before(e, since);
	e->window_to = r->tick + events_rows(e, WINDOW_ALARM_S);
	e->window_until_ns = 0;
	events_window(e);
}

void events_clear(struct events *e, const struct record *r)
{
	uint64_t first = before(e, r->tick);

	if (!e->alarm_on)
		return;
	e->alarm_on = false;
	e->alarm.peak = fmax(e->alarm.peak, r->peak);
	events_end(e, &e->alarm, r->t_ns);
	events_window(e);
	if (e->window_next < first)
		e->window_next = first;
	e->window_to = UINT64_MAX;
	e->window_until_ns = r->t_ns + (uint64_t)(e->config->post_s * SECOND);
}

void events_alarm_abort(struct events *e, uint64_t t_ns)
{
	events_window(e);
	if (!e->alarm_on)
		return;
	e->alarm_on = false;
	strncat(e->alarm.detail, *e->alarm.detail ? "; the agent stopped meanwhile"
						  : "the agent stopped meanwhile",
		sizeof e->alarm.detail - strlen(e->alarm.detail) - 1);
	events_end(e, &e->alarm, t_ns);
}
