/* SPDX-License-Identifier: MIT */
/*
 * events: what main makes of a pipeline's records. Ticks go into a history of
 * the last seconds and into a capture, if one is on; alarms, missed ticks and
 * sensors that fail become events, stored with the window around them. One of
 * these a pipeline; belongs to main.
 */
#ifndef SONDE_EVENTS_H
#define SONDE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/store.h"

struct events;
struct pipeline_config;
struct queue;
struct why;

struct events_ops {
	/* An event began or ended; one whose end is set when it begins is over. */
	void (*event)(void *user, bool begin, const struct store_event *e);
	/* A model was taken up; old (may be NULL) is to be freed. */
	void (*model)(void *user, void *old);
	/* The pipeline's thread has ended by itself. */
	void (*dead)(void *user, int error);
	/* Something of the store or a capture failed. */
	void (*problem)(void *user, const char *text);
};

/* store NULL: events are told but not kept. p and store must outlive the result. */
int events_open(struct events **out, const struct pipeline_config *p, struct store *store,
		const struct events_ops *ops, void *user, struct why *why);

/* What is still on ends here; a capture is closed. */
void events_close(struct events *e);

/* All records that the queue holds. Call at least as often as half the queue fills. */
void events_drain(struct events *e, struct queue *q);

/* An event that is no record: at once over. */
void events_note(struct events *e, const char *kind, const char *detail);

/* One capture a pipeline at a time: -EBUSY, -ENOENT. */
int events_capture_start(struct events *e, const char *path, struct why *why);
int events_capture_stop(struct events *e, char *path, unsigned size, uint64_t *rows,
			struct why *why);
const char *events_capture_path(const struct events *e);	/* NULL: none */

struct events_counters {
	uint64_t events, captures;	/* begun since events_open */
	uint64_t ticks;			/* seen */
};
void events_counters(const struct events *e, struct events_counters *out);

#endif
