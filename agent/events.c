// SPDX-License-Identifier: MIT
/*
 * events: takes a pipeline's records one by one and hands each to what it concerns:
 * the history and the capture, alarms (events_alarm.c), faults (events_fault.c).
 */
#include "agent/events.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/capture.h"
#include "agent/events_impl.h"

#define HISTORY_SLACK 256	/* rows beyond `before`: what one drain may bring */
#define FAILED_CALM_NS (60 * SECOND)	/* a full disk is told once a minute */

uint64_t events_clock(int clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

unsigned events_rows(const struct events *e, double seconds)
{
	return ceil(seconds * e->config->rate_hz);
}

void events_failed(struct events *e, const char *what, const struct why *why)
{
	uint64_t now = events_clock(CLOCK_MONOTONIC);
	char text[400];

	if (e->failed_ns && now < e->failed_ns + FAILED_CALM_NS)
		return;
	e->failed_ns = now;
	snprintf(text, sizeof text, "%s: %s: %s", e->config->name, what, why->text);
	e->ops->problem(e->user, text);
}

void events_init(struct events *e, struct store_event *event, const char *kind,
		       uint64_t t_ns)
{
	memset(event, 0, sizeof *event);
	memcpy(event->pipeline, e->config->name, sizeof event->pipeline);
	snprintf(event->kind, sizeof event->kind, "%s", kind);
	strcpy(event->channels, "[]");
	event->start_realtime_ns = e->clock_ns + (int64_t)t_ns;
	event->trusted = true;
}

void events_begin(struct events *e, struct store_event *event)
{
	struct why why;

	e->counters.events++;
	if (e->store && store_begin(e->store, event, &why))
		events_failed(e, "an event could not be stored", &why);
	e->ops->event(e->user, true, event);
}

void events_end(struct events *e, struct store_event *event, uint64_t t_ns)
{
	struct why why;

	event->end_realtime_ns = e->clock_ns + (int64_t)t_ns;
	if (event->end_realtime_ns <= event->start_realtime_ns)
		event->end_realtime_ns = event->start_realtime_ns + 1;
	if (e->store && event->id && store_end(e->store, event, &why))
		events_failed(e, "the end of an event could not be stored", &why);
	e->ops->event(e->user, false, event);
}

static void tick(struct events *e, const struct record *r)
{
	/* Before a row that is still to be written is overwritten. */
	if (e->window_on && r->tick >= e->window_next + history_capacity(e->history))
		events_window(e);
	history_add(e->history, r);
	e->counters.ticks++;
	if (e->alarm_on && r->score > e->alarm.peak)
		e->alarm.peak = r->score;
	if (e->capture && capture_row(e->capture, r)) {
		struct why why;

		capture_close(e->capture, NULL, &why);
		e->capture = NULL;
		free(e->capture_path);
		e->capture_path = NULL;
		events_failed(e, "the recording has ended", &why);
	}
}

static void take(struct events *e, const struct record *r)
{
	switch (r->kind) {
	case RECORD_TICK:
		tick(e, r);
		break;
	case RECORD_ALARM:
		events_alarm(e, r);
		break;
	case RECORD_CLEAR:
		events_clear(e, r);
		break;
	case RECORD_MODEL:
		e->ops->model(e->user, r->old_model);
		break;
	case RECORD_LOST:
		events_missed(e, r);
		break;
	case RECORD_STATE:
		events_state(e, r);
		break;
	case RECORD_DEAD:
		e->ops->dead(e->user, r->error);
		break;
	}
}

void events_drain(struct events *e, struct queue *q)
{
	const struct record *r;
	uint64_t now = events_clock(CLOCK_MONOTONIC);

	e->clock_ns = (int64_t)(events_clock(CLOCK_REALTIME) - now);
	while ((r = queue_peek(q))) {
		take(e, r);
		queue_pop(q);
	}
	events_window(e);
	events_missed_check(e, now);
	events_state_check(e, now);
}

void events_note(struct events *e, const char *kind, const char *detail)
{
	uint64_t now = events_clock(CLOCK_MONOTONIC);
	struct store_event event;

	e->clock_ns = (int64_t)(events_clock(CLOCK_REALTIME) - now);
	events_init(e, &event, kind, now);
	event.end_realtime_ns = event.start_realtime_ns;
	snprintf(event.detail, sizeof event.detail, "%s", detail);
	events_begin(e, &event);
}

void events_counters(const struct events *e, struct events_counters *out)
{
	*out = e->counters;
}

int events_capture_start(struct events *e, const char *path, struct why *why)
{
	int err;

	if (e->capture)
		return why_set(why, -EBUSY, "%s is being recorded to %s already",
			       e->config->name, e->capture_path);
	e->capture_path = strdup(path);
	if (!e->capture_path)
		return why_set(why, -ENOMEM, "no memory for a recording");
	err = capture_open(&e->capture, path, e->name, e->channels, e->config->rate_hz, why);
	if (err) {
		free(e->capture_path);
		e->capture_path = NULL;
		return err;
	}
	e->counters.captures++;
	return 0;
}

int events_capture_stop(struct events *e, char *path, unsigned size, uint64_t *rows,
			struct why *why)
{
	int err;

	*rows = 0;
	if (!e->capture)
		return why_set(why, -ENOENT, "%s is not being recorded", e->config->name);
	snprintf(path, size, "%s", e->capture_path);
	err = capture_close(e->capture, rows, why);
	e->capture = NULL;
	free(e->capture_path);
	e->capture_path = NULL;
	return err;
}

const char *events_capture_path(const struct events *e)
{
	return e->capture_path;
}

int events_open(struct events **out, const struct pipeline_config *p, struct store *store,
		const struct events_ops *ops, void *user, struct why *why)
{
	struct events *e = calloc(1, sizeof *e);
	int err;

	*out = NULL;
	if (!e)
		return why_set(why, -ENOMEM, "no memory for the events of %s", p->name);
	e->config = p;
	e->store = store;
	e->ops = ops;
	e->user = user;
	e->channels = p->channels;
	e->name = calloc(p->channels + 1, sizeof *e->name);
	e->fault = calloc(p->sensors + 1, sizeof *e->fault);
	err = history_open(&e->history, events_rows(e, p->pre_s + 1) + HISTORY_SLACK, p->channels);
	if (err || !e->name || !e->fault) {
		events_close(e);
		return why_set(why, -ENOMEM, "no memory for the history of %s", p->name);
	}
	for (unsigned i = 0; i < p->channels; i++)
		e->name[i] = config_channel(p, i)->name;
	*out = e;
	return 0;
}

void events_close(struct events *e)
{
	uint64_t now = events_clock(CLOCK_MONOTONIC);

	if (!e)
		return;
	events_alarm_abort(e, now);
	events_fault_abort(e, now);
	if (e->capture) {
		struct why why;

		if (capture_close(e->capture, NULL, &why))
			events_failed(e, "the recording", &why);
	}
	free(e->capture_path);
	free(e->fault);
	free(e->name);
	history_close(e->history);
	free(e);
}
