/* SPDX-License-Identifier: MIT */
/*
 * sim_bus: a world in which devices fail on purpose, under the keeper and the real frame: a
 * clock that only the simulation moves, workers that take simulated time, and three
 * kinds of device behind the op table: one with transfer(), one that the ring reads,
 * one that streams. Each reading carries its values and a checksum, so that a device
 * knows no more than a real one would; what is true, and what went wrong, only the
 * simulation knows. Nothing of it is random but what the seed says.
 */
#ifndef SONDE_TEST_SIM_BUS_H
#define SONDE_TEST_SIM_BUS_H

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/dev/dev.h"
#include "agent/keeper.h"
#include "test/test.h"

#define MS 1000000ull
#define SIM_TICK_NS (20 * MS)
#define SIM_DEVICES_MAX 64
#define SIM_WORKERS_MAX 32
#define SIM_EVENTS_MAX 512
#define SIM_STUCK_NS (150 * MS)		/* the frame's check */

enum sim_fault {
	SIM_NONE, SIM_NAK, SIM_TIMEOUT, SIM_STUCK, SIM_SHORT, SIM_GARBAGE, SIM_RANGE, SIM_NAN,
	SIM_FROZEN, SIM_SPIKE, SIM_BUSY, SIM_UNPLUGGED, SIM_POWER, SIM_LOST, SIM_FAULTS,
};

enum sim_what { SIM_TICK, SIM_CLOSE, SIM_JOB, SIM_READ, SIM_SCAN, SIM_SCRIPT };

struct sim_dev;

struct sim_event {
	uint64_t t_ns, order;
	enum sim_what what;
	struct sim_dev *d;
	enum worker_job job;
	int res;
	uint64_t began_ns;
	unsigned serial, index;		/* of a read; of a script */
};

struct sim_worker {
	struct { struct sim_dev *d; enum worker_job job; } queue[SIM_DEVICES_MAX];
	unsigned jobs;
	bool busy;
};

struct sim;

struct sim_dev {
	struct dev dev;
	struct sim *sim;
	struct sensor_config config;
	struct channel_config channel[4];
	unsigned worker;
	uint64_t period_ns, deadline_ns;

	/* The world's side. */
	enum sim_fault fault;
	uint64_t until_ns;		/* of the fault */
	int held_res;			/* how an open that was held ends */
	uint64_t takes_ns;		/* each of its transfers; 0: something short */
	bool set_up;			/* it has its registers: lost with its power */
	bool plausible;			/* without them it answers with a good checksum */
	bool spiked;			/* the last reading */
	uint32_t frozen[4];

	/* The device's. */
	uint8_t in[20];
	unsigned got;
	bool open, attached, reading, cancelled;
	bool away;			/* in a worker's hands */
	unsigned awaited;		/* completions that the tick waits for */
	unsigned serial, pieces;
	uint64_t asked_ns;

	/* What the keeper should have counted. */
	uint64_t expected[FAULT_KINDS];
	bool absent;			/* and that it knows */
	int refused;
	struct { uint32_t bits; uint64_t t_ns, changed_ns; unsigned lapses; } last[4];
	uint64_t heard_ns;
	/* How often it was asked for what. */
	uint64_t opens, transfers, shuts;
};

struct sim {
	uint64_t now_ns, order;
	uint32_t seed;
	struct sim_event event[SIM_EVENTS_MAX];
	unsigned events;
	struct sim_worker worker[SIM_WORKERS_MAX];
	struct sim_dev *device[SIM_DEVICES_MAX];
	struct dev *dev[SIM_DEVICES_MAX];
	unsigned devices, channels;
	struct frame frame;
	struct keeper *keeper;
	struct pipeline_config pipeline;
	float value[FRAME_CHANNELS_MAX];
	uint8_t valid[FRAME_CHANNELS_MAX];
	uint64_t ticks, held, delivered, wrong;
	bool tick_open, in_tick, refuse_jobs;
	unsigned pending;
	uint64_t tick_ns, behind_ns;	/* its grid time; how much later it is handled */
	void (*settled)(struct sim *s, struct sim_dev *d);	/* something of d has ended */
};

static inline uint32_t sim_random(struct sim *s)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 17;
	s->seed ^= s->seed << 5;
	return s->seed;
}

static inline uint64_t sim_between(struct sim *s, uint64_t least, uint64_t most)
{
	return least + sim_random(s) % (most - least + 1);
}

/* ---- what is true: 20 to 40, at most one unit a second, never the same twice */

static inline float sim_truth(unsigned channel, uint64_t t_ns)
{
	double t = t_ns * 1e-9;

	return (float)(30 + 9 * sin(t * 0.1 + channel) +
		       1e-3 * ((t_ns / 1000 * 2654435761u + channel) % 1000) / 1000);
}

static inline bool sim_true(unsigned channel, float v, uint64_t t_ns)
{
	return fabs(v - sim_truth(channel, t_ns)) < 0.3;
}

/* ---- time */

static inline void sim_later(struct sim *s, struct sim_event e)
{
	unsigned i = s->events++;

	CHECK(s->events < SIM_EVENTS_MAX && e.t_ns >= s->now_ns);
	e.order = s->order++;
	for (; i; i = (i - 1) / 2) {
		struct sim_event *up = &s->event[(i - 1) / 2];

		if (up->t_ns < e.t_ns || (up->t_ns == e.t_ns && up->order < e.order))
			break;
		s->event[i] = *up;
	}
	s->event[i] = e;
}

static inline struct sim_event sim_next(struct sim *s)
{
	struct sim_event first = s->event[0], last = s->event[--s->events];
	unsigned i = 0, k;

	while ((k = 2 * i + 1) < s->events) {
		const struct sim_event *c = &s->event[k];

		if (k + 1 < s->events && (c[1].t_ns < c->t_ns ||
					  (c[1].t_ns == c->t_ns && c[1].order < c->order)))
			c++, k++;
		if (last.t_ns < c->t_ns || (last.t_ns == c->t_ns && last.order < c->order))
			break;
		s->event[i] = *c;
		i = k;
	}
	s->event[i] = last;
	return first;
}

/* ---- what a sensor answers */

static inline uint8_t sim_sum(const uint8_t *p, unsigned n)
{
	uint8_t crc = 0xff;

	while (n--) {
		crc ^= *p++;
		for (unsigned i = 0; i < 8; i++)
			crc = crc & 0x80 ? (uint8_t)(crc << 1) ^ 0x31 : (uint8_t)(crc << 1);
	}
	return crc;
}

static inline unsigned sim_size(const struct sim_dev *d)
{
	return 4 * d->dev.channels + 1;
}

/* A reading as of now; what a fault does to it. late: for a reading that nobody may believe. */
static inline int sim_measure(struct sim_dev *d, bool late)
{
	static const float odd[] = { 1000, -40, 60.001f };
	struct sim *s = d->sim;
	unsigned size = sim_size(d);
	bool lost = !d->set_up;

	d->spiked = d->fault == SIM_SPIKE && !late && !lost;

	for (unsigned i = 0; i < d->dev.channels; i++) {
		unsigned channel = d->dev.first_channel + i;
		float v = sim_truth(channel, s->now_ns);

		if (late)
			v += 6;
		else if (lost)
			v = 85;		/* what it says before it is told what to do */
		else if (d->fault == SIM_RANGE)
			v = odd[sim_random(s) % 3];
		else if (d->fault == SIM_NAN)
			v = sim_random(s) % 2 ? NAN : -INFINITY;
		else if (d->fault == SIM_SPIKE)
			v += i || v > 30 ? -8 : 8;
		memcpy(d->in + 4 * i, &v, 4);
		if (d->fault == SIM_FROZEN && !late && !lost)
			memcpy(d->in + 4 * i, &d->frozen[i], 4);
	}
	d->in[size - 1] = sim_sum(d->in, size - 1);
	if ((d->fault == SIM_GARBAGE || (lost && !d->plausible)) && !late)
		d->in[sim_random(s) % size] ^= (uint8_t)(1u << sim_random(s) % 8);
	if (d->fault == SIM_SHORT && !late)
		return (int)(sim_random(s) % size);
	if (d->spiked)
		d->fault = SIM_NONE;	/* of one reading only */
	return (int)size;
}

/* ---- what should be counted */

static inline void sim_lapse(struct sim_dev *d)
{
	for (unsigned i = 0; i < d->dev.channels; i++)
		d->last[i].lapses++;
}

static inline void sim_expect_error(struct sim_dev *d, int err)
{
	bool absent = err == -ENODEV || err == -ENOENT || err == -ENXIO;

	sim_lapse(d);
	if (!absent)
		d->expected[err == -ETIMEDOUT ? FAULT_TIMEOUT : err == -EBUSY ? FAULT_BUSY
									      : FAULT_BUS]++;
	else if (!d->absent)
		d->expected[FAULT_ABSENT]++;
	d->absent |= absent;
	for (unsigned i = 0; absent && i < d->dev.channels; i++)
		d->last[i].t_ns = 0;	/* what comes next may be another one */
}

/* The value is there: may it be believed? */
static inline enum channel_fault sim_judge(struct sim_dev *d, unsigned i, bool spike)
{
	uint64_t now = d->sim->now_ns;
	uint32_t bits;
	float v;

	memcpy(&v, d->in + 4 * i, 4);
	memcpy(&bits, d->in + 4 * i, 4);
	if (!isfinite(v) || v < 0 || v > 60) {
		d->last[i].lapses++;
		return isfinite(v) ? FAULT_RANGE : FAULT_NAN;
	}
	if (!d->last[i].t_ns || bits != d->last[i].bits)
		d->last[i].changed_ns = now;
	else if (d->last[i].lapses > 3)
		d->last[i].changed_ns += now - d->last[i].t_ns;
	d->last[i].bits = bits;
	d->last[i].t_ns = now;
	d->last[i].lapses = 0;
	if (spike)
		return FAULT_RATE;
	return d->plausible || now - d->last[i].changed_ns < SIM_STUCK_NS ? FAULT_NONE
									  : FAULT_STUCK;
}

static inline bool sim_expect_values(struct sim_dev *d)
{
	uint64_t good = d->expected[FAULT_NONE];

	for (unsigned i = 0; i < d->dev.channels; i++)
		d->expected[sim_judge(d, i, d->spiked)]++;
	return d->expected[FAULT_NONE] != good;
}

/* A reading has come back in time. Is any of it good? */
static inline bool sim_expect(struct sim_dev *d, int res)
{
	unsigned size = sim_size(d);

	if (res < 0) {
		sim_expect_error(d, res);
	} else if ((unsigned)res == size && sim_sum(d->in, size - 1) == d->in[size - 1]) {
		return sim_expect_values(d);
	} else {
		d->expected[(unsigned)res < size ? FAULT_SHORT : FAULT_CRC]++;
		sim_lapse(d);
	}
	return false;
}

/* One that came when its time was over, or never. */
static inline void sim_expect_timeout(struct sim_dev *d)
{
	d->expected[FAULT_TIMEOUT]++;
	sim_lapse(d);
}

#include "test/unit/sim_dev.h"
#include "test/unit/sim_run.h"

#endif
