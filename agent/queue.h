/* SPDX-License-Identifier: MIT */
/*
 * queue: pipeline -> main, the first of the three crossings. Single producer,
 * single consumer, bounded, no lock: a full queue counts a drop and goes on.
 * Records have one size, fixed at open by the number of channels.
 */
#ifndef SONDE_QUEUE_H
#define SONDE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

enum record_kind {
	RECORD_TICK,	/* one a tick: main keeps the history and captures from them */
	RECORD_ALARM,	/* the tick at which an alarm began; departed[] is set */
	RECORD_CLEAR,	/* ... ended */
	RECORD_MODEL,	/* a model was taken up; old_model comes back to be freed */
	RECORD_LOST,	/* ticks were missed: count in missed */
	RECORD_STATE,	/* a channel changed state: channel, state, fault */
	RECORD_DEAD,	/* the pipeline thread has ended: error */
};

#define RECORD_DEPARTED_MAX 8

struct record {
	enum record_kind kind;
	uint64_t tick, t_ns;		/* CLOCK_MONOTONIC, the grid time */
	uint64_t late_ns;		/* from the grid time to the verdict */
	float score, limit, peak;
	bool scored, alarm;
	uint64_t since_tick;		/* RECORD_ALARM/CLEAR: the run's first tick */
	unsigned departed;
	uint8_t departed_channel[RECORD_DEPARTED_MAX];
	uint64_t missed;
	unsigned channel, state, fault;	/* enum channel_state, channel_fault */
	int error;
	void *old_model;
	/* value[n], contribution[n], then valid[n] as bytes. */
	float data[];
};

struct queue;

/* capacity: a power of two. All memory is allocated and touched here. */
int queue_open(struct queue **out, unsigned capacity, unsigned channels);
void queue_close(struct queue *q);

/* Producer: a free record to fill, or NULL (counted as dropped); then push it. */
struct record *queue_claim(struct queue *q);
/* ... but not one of the last `reserve` free ones: what is seldom must not be lost to what is not. */
struct record *queue_claim_but(struct queue *q, unsigned reserve);
void queue_push(struct queue *q);

/* Consumer: the oldest record, or NULL; then give it back. */
const struct record *queue_peek(struct queue *q);
void queue_pop(struct queue *q);

uint64_t queue_dropped(const struct queue *q);

static inline const float *record_contribution(const struct record *r, unsigned n)
{
	return r->data + n;
}
static inline const uint8_t *record_valid(const struct record *r, unsigned n)
{
	return (const uint8_t *)(r->data + 2 * n);
}

#endif
