// SPDX-License-Identifier: MIT
/*
 * queue: a single-producer single-consumer ring of equal records. head and tail
 * only ever grow; each is written by one side, so an acquire load of the other
 * side's and a release store of one's own are all the ordering there is. Each side
 * keeps a copy of the other's index and looks again only when that copy says full or empty.
 */
#include "agent/queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LINE 64

struct queue {
	/* producer's line */
	_Alignas(LINE) _Atomic uint64_t head;
	uint64_t tail_seen;
	_Atomic uint64_t dropped;
	/* consumer's line */
	_Alignas(LINE) _Atomic uint64_t tail;
	uint64_t head_seen;
	/* neither changes */
	_Alignas(LINE) uint64_t mask;
	size_t stride;
	uint8_t *memory;
};

int queue_open(struct queue **out, unsigned capacity, unsigned channels)
{
	size_t size = sizeof(struct record) + channels * (2 * sizeof(float) + 1);
	struct queue *q;

	*out = NULL;
	if (!capacity || (capacity & (capacity - 1)))
		return -EINVAL;
	q = aligned_alloc(LINE, sizeof *q);
	if (!q)
		return -ENOMEM;
	memset(q, 0, sizeof *q);
	q->mask = capacity - 1;
	q->stride = (size + LINE - 1) & ~(size_t)(LINE - 1);
	q->memory = aligned_alloc(LINE, q->stride * capacity);
	if (!q->memory) {
		free(q);
		return -ENOMEM;
	}
	memset(q->memory, 0, q->stride * capacity);
	*out = q;
	return 0;
}

void queue_close(struct queue *q)
{
	if (!q)
		return;
	free(q->memory);
	free(q);
}

static struct record *at(const struct queue *q, uint64_t index)
{
	return (struct record *)(q->memory + (index & q->mask) * q->stride);
}

struct record *queue_claim(struct queue *q)
{
	return queue_claim_but(q, 0);
}

struct record *queue_claim_but(struct queue *q, unsigned reserve)
{
	uint64_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	if (head - q->tail_seen + reserve > q->mask) {
		/* Acquire: the consumer's reads of the slot ended before it gave it back. */
		q->tail_seen = atomic_load_explicit(&q->tail, memory_order_acquire);
		if (head - q->tail_seen + reserve > q->mask) {
			atomic_fetch_add_explicit(&q->dropped, 1, memory_order_relaxed);
			return NULL;
		}
	}
	return at(q, head);
}

void queue_push(struct queue *q)
{
	uint64_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	/* Release: the record is whole before the consumer can see it. */
	atomic_store_explicit(&q->head, head + 1, memory_order_release);
}

const struct record *queue_peek(struct queue *q)
{
	uint64_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	if (tail == q->head_seen) {
		q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
		if (tail == q->head_seen)
			return NULL;
	}
	return at(q, tail);
}

void queue_pop(struct queue *q)
{
	uint64_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
}

uint64_t queue_dropped(const struct queue *q)
{
	return atomic_load_explicit(&q->dropped, memory_order_relaxed);
}
