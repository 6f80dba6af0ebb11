// SPDX-License-Identifier: MIT
/* Records cross between two threads whole, in order, and what is dropped is counted. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "agent/queue.h"
#include "test/test.h"

#define RECORDS 300000
#define CHANNELS 7

static struct queue *queue;
static uint64_t refused;

static void *produce(void *arg)
{
	(void)arg;
	for (uint64_t i = 1; i <= RECORDS;) {
		struct record *r = queue_claim(queue);

		if (!r) {
			refused++;
			sched_yield();
			continue;
		}
		r->kind = RECORD_TICK;
		r->tick = i;
		for (unsigned c = 0; c < CHANNELS; c++) {
			r->data[c] = (float)(i % 1000 + c);
			r->data[CHANNELS + c] = (float)(i % 1000) - c;
		}
		memset(r->data + 2 * CHANNELS, (int)(i & 0x7f), CHANNELS);
		queue_push(queue);
		i++;
	}
	return NULL;
}

static void crossing(void)
{
	pthread_t t;
	uint64_t want = 1;

	CHECK_EQ(queue_open(&queue, 64, CHANNELS), 0);
	CHECK_EQ(pthread_create(&t, NULL, produce, NULL), 0);
	while (want <= RECORDS) {
		const struct record *r = queue_peek(queue);

		if (!r) {
			sched_yield();
			continue;
		}
		CHECK_EQ(r->tick, want);
		for (unsigned c = 0; c < CHANNELS; c++) {
			CHECK(r->data[c] == (float)(want % 1000 + c));
			CHECK(record_contribution(r, CHANNELS)[c] == (float)(want % 1000) - c);
			CHECK_EQ(record_valid(r, CHANNELS)[c], want & 0x7f);
		}
		queue_pop(queue);
		want++;
	}
	pthread_join(t, NULL);
	CHECK_EQ(queue_dropped(queue), refused);
	CHECK(!queue_peek(queue));
	queue_close(queue);
}

static void full(void)
{
	CHECK_EQ(queue_open(&queue, 4, 1), 0);
	for (int i = 0; i < 4; i++) {
		struct record *r = queue_claim(queue);

		CHECK(r != NULL);
		r->tick = i;
		queue_push(queue);
	}
	CHECK(queue_claim(queue) == NULL);
	CHECK(queue_claim(queue) == NULL);
	CHECK_EQ(queue_dropped(queue), 2);
	/* The oldest are kept: what is lost is what came too late. */
	CHECK_EQ(queue_peek(queue)->tick, 0);
	queue_pop(queue);
	CHECK(queue_claim(queue) != NULL);
	queue_close(queue);
	CHECK_EQ(queue_open(&queue, 4, 1), 0);
	for (int i = 0; i < 2; i++) {
		CHECK(queue_claim_but(queue, 2) != NULL);
		queue_push(queue);
	}
	CHECK(queue_claim_but(queue, 2) == NULL);
	CHECK(queue_claim(queue) != NULL);
	queue_close(queue);
	CHECK_EQ(queue_open(&queue, 3, 1), -EINVAL);
	CHECK_EQ(queue_open(&queue, 0, 1), -EINVAL);
}

int main(void)
{
	full();
	crossing();
	return 0;
}
