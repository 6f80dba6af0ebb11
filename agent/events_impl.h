/* SPDX-License-Identifier: MIT */
/* events_impl: the state behind events.h, shared by events.c, events_alarm.c and events_fault.c. */
#ifndef SONDE_EVENTS_IMPL_H
#define SONDE_EVENTS_IMPL_H

#include "agent/config.h"
#include "agent/events.h"
#include "agent/history.h"
#include "agent/queue.h"
#include "kernels/why.h"

#define SECOND 1000000000ull

struct fault {			/* a sensor with channels that do not deliver */
	struct store_event event;
	unsigned channels;	/* bad now */
	bool on;
	unsigned flaps, times;	/* it was told shortly before; it has failed within this event */
	uint64_t well_ns;	/* all channels are back since, but it is not believed; 0: no */
	uint64_t ended_ns;	/* of the last event */
};

struct events {
	const struct pipeline_config *config;
	struct store *store;
	const struct events_ops *ops;
	void *user;
	const char **name;		/* [channels] */
	unsigned channels;
	struct history *history;
	struct capture *capture;
	char *capture_path;
	struct events_counters counters;
	int64_t clock_ns;		/* CLOCK_REALTIME - CLOCK_MONOTONIC */
	uint64_t failed_ns;		/* when a failure was told last */

	struct store_event alarm;
	bool alarm_on, window_on;
	uint64_t window_next, window_to;	/* ticks still to be written */
	uint64_t window_until_ns;		/* after the alarm; 0 while it is on */

	struct store_event burst;
	bool burst_on;
	uint64_t burst_missed, burst_last_ns;

	struct fault *fault;			/* [sensors] */
	uint8_t state[FRAME_CHANNELS_MAX];
	bool seen_live[FRAME_CHANNELS_MAX];
	unsigned faults;
};

/* events.c: what every kind of event needs. */
uint64_t events_clock(int clock);
unsigned events_rows(const struct events *e, double seconds);
void events_failed(struct events *e, const char *what, const struct why *why);
void events_init(struct events *e, struct store_event *event, const char *kind, uint64_t t_ns);
void events_begin(struct events *e, struct store_event *event);
void events_end(struct events *e, struct store_event *event, uint64_t t_ns);

/* events_alarm.c */
void events_alarm(struct events *e, const struct record *r);
void events_clear(struct events *e, const struct record *r);
void events_window(struct events *e);	/* write what is due of it */
void events_alarm_abort(struct events *e, uint64_t t_ns);

/* events_fault.c */
void events_missed(struct events *e, const struct record *r);
void events_missed_check(struct events *e, uint64_t now_ns);	/* is the burst over? */
void events_state(struct events *e, const struct record *r);
void events_state_check(struct events *e, uint64_t now_ns);	/* is it steady again? */
void events_fault_abort(struct events *e, uint64_t t_ns);

#endif
