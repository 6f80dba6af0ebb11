/* SPDX-License-Identifier: MIT */
/*
 * keeper: keeps a pipeline's devices alive: absent -> probing -> live -> stale ->
 * faulty, and back by itself. It decides when a device is opened, read, given up and tried
 * again; it has no clock and calls nothing that blocks, so that a simulated bus
 * with simulated time can drive it. It belongs to the pipeline's thread.
 *
 * The rules (numbers in keeper_impl.h): what is not there is looked for after 0.1 s, then
 * twice as late each time, up to RETRY_MAX, and at once when udev reports something
 * new (keeper_kick). What is there and fails is asked again at its own rhythm, but no more
 * than a tenth of the time goes into failing transfers, and no pause is longer than RETRY_MAX;
 * after REOPEN_AFTER failures in a row it is set up anew, since a sensor that lost power has
 * lost its registers; in vain, twice as many readings go by each time, and minutes where some
 * channel is well. A transfer that passes its deadline is a failure at that moment, whatever
 * comes of it later is thrown away, and the bus has its worker to itself; the time in which
 * that worker opens another device of the bus is not counted.
 */
#ifndef SONDE_KEEPER_H
#define SONDE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/frame.h"
#include "agent/worker.h"
#include "kernels/why.h"

struct dev;
struct keeper;
struct pipeline_config;
struct ring;
struct ring_event;

/* How jobs leave: worker_submit in the daemon, a simulation in the tests. */
struct keeper_jobs {
	int (*submit)(void *user, struct dev *d, enum worker_job job);
	void *user;
};

/* What the world may know of a device; also on the stats page. */
struct keeper_device {
	enum channel_state state;
	enum channel_fault fault;	/* of now; FAULT_NONE when live */
	uint64_t reads, errors, opened, recovered;	/* recovered: times it came back */
	uint64_t faults[FAULT_KINDS];	/* counted by kind, its channels' included */
	uint64_t good_ns;		/* CLOCK_MONOTONIC of the last good reading; 0: never */
	uint64_t edge_to_value_ns;	/* of a triggered one: the last */
	float rate_hz;			/* good readings a second, lately */
	uint8_t path;			/* enum dev_path, as it was asked for last */
	int error;			/* -errno of the last failure */
	struct why why;			/* in words */
};

/* Main. dev[n] stays the caller's; their config tells every, deadline and trigger. */
int keeper_open(struct keeper **out, struct dev **dev, unsigned n, const struct pipeline_config *p,
		const struct keeper_jobs *jobs, struct frame *f, struct why *why);
void keeper_close(struct keeper *k);

/*
 * Tick: due opens and retries, deadlines, then the reads. t_ns: its grid time; now_ns: when it
 * is handled, from which deadlines and pauses run. Returns completions to wait for.
 */
unsigned keeper_tick(struct keeper *k, struct ring *r, uint64_t t_ns, uint64_t now_ns);

/* A RING_READ, RING_STREAM or RING_POST. Returns how many of the tick's it settled. */
unsigned keeper_complete(struct keeper *k, struct ring *r, const struct ring_event *e,
			 uint64_t now_ns);

/* Any thread: something was plugged in; absent devices are due at the next tick. */
void keeper_kick(struct keeper *k);

/* Is a job of this device in a worker's hands? Then it must outlive that worker. */
bool keeper_away(const struct keeper *k, unsigned device);

void keeper_device(const struct keeper *k, unsigned device, struct keeper_device *out);

/* The kernel's time of the newest edge whose value no verdict has had yet; 0: none. Clears it. */
uint64_t keeper_take_edge(struct keeper *k);

#endif
