// SPDX-License-Identifier: MIT
/*
 * keeper: reading. A device is asked at its rhythm, or at an edge of the sensor that
 * triggers it, and has one reading under way at most: while that has not come back the
 * next one is not asked for, and no later tick waits for it. A reading that has passed
 * its deadline is decoded into a frame that nobody looks at, since a device has
 * its own books to keep; of a transfer, which has none, nothing is decoded.
 */
#include "agent/keeper.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/config.h"
#include "agent/keeper_impl.h"
#include "agent/part.h"

#define SECOND 1000000000ull
#define WATCH_MIN_NS SECOND	/* a buffer may be late by what its watermark holds */

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t waits_ns(const struct part_step *step, unsigned n)
{
	uint64_t us = 0;

	for (unsigned i = 0; i < n; i++)
		us += step[i].wait_us;
	return us * 1000;
}

void keeper_set_times(struct keeper *k, struct keeper_entry *s)
{
	const struct sensor_config *c = s->d->config;
	const struct part *p = c->part;
	uint64_t own = c->deadline_s * 1e9;

	s->every = larger(c->every, 1);
	s->period_ns = s->every * k->tick_ns;
	s->deadline_ns = own;
	if (!own) {
		s->deadline_ns = larger(larger(2 * s->period_ns, 2 * s->d->slow_ns),
					KEEPER_DEADLINE_NS);
		if (p)
			s->deadline_ns = larger(s->deadline_ns, waits_ns(p->read, p->reads) +
						KEEPER_DEADLINE_NS);
	}
	/* A tick is closed half a period after it opened: what takes longer is not waited for. */
	s->slow = s->d->slow_ns || (p && waits_ns(p->read, p->reads) >= k->tick_ns / 2);
	s->open_ns = larger(KEEPER_OPEN_NS, s->deadline_ns) + (p ? waits_ns(p->init, p->inits) : 0);
	/* What comes by itself is missed only when somebody said how often it comes. */
	if (own)
		s->watch_ns = own;
	else if (c->rate_hz > 0)
		s->watch_ns = larger(larger(4e9 / c->rate_hz, 4 * k->tick_ns), WATCH_MIN_NS);
	/* Its values are as old as it takes when they come. */
	for (unsigned i = 0; s->d->slow_ns && i < s->d->channels; i++) {
		struct channel_slot *slot = &k->frame->slot[s->d->first_channel + i];

		slot->every_ns = larger(slot->every_ns, s->period_ns + 2 * s->d->slow_ns);
	}
}

/* Who calls reads the clock first; what was read before the last event is no step back. */
static void set_now(struct keeper *k, uint64_t now_ns)
{
	k->now_ns = larger(k->now_ns, now_ns);
}

static int find_trigger(const struct keeper *k, unsigned device, struct why *why)
{
	const struct sensor_config *c = k->entry[device].d->config;

	for (unsigned i = 0; i < k->n; i++)
		if (i != device && !strcmp(k->entry[i].d->config->name, c->trigger))
			return (int)i;
	return why_set(why, -EINVAL, "sensor %s: trigger = %s: there is no such sensor in its "
		       "pipeline", c->name, c->trigger);
}

int keeper_open(struct keeper **out, struct dev **dev, unsigned n, const struct pipeline_config *p,
		const struct keeper_jobs *jobs, struct frame *f, struct why *why)
{
	struct keeper *k = dev_alloc(sizeof *k);
	struct keeper_cursor *cursor;
	unsigned channels = 0;

	*out = NULL;
	if (!k)
		return why_set(why, -ENOMEM, "no memory for the keeper");
	for (unsigned i = 0; i < n; i++)
		channels += dev[i]->channels;
	k->n = n;
	k->channels = channels;
	k->jobs = *jobs;
	k->frame = f;
	k->tick_ns = 1e9 / p->rate_hz;
	frame_init(&k->waste, f->n, f->stale_ns);
	k->entry = dev_alloc((n + 1) * sizeof *k->entry);
	k->cursor = cursor = dev_alloc((channels + 1) * sizeof *k->cursor);
	if (!k->entry || !k->cursor) {
		keeper_close(k);
		return why_set(why, -ENOMEM, "no memory for the keeper");
	}
	for (unsigned i = 0; i < n; i++) {
		struct keeper_entry *s = &k->entry[i];

		s->d = dev[i];
		s->d->token = i;
		s->cursor = cursor;
		cursor += s->d->channels;
		while (strcmp(k->entry[s->bus].d->bus, s->d->bus))
			s->bus++;
		s->trigger = -1;
		s->reopen_at = KEEPER_REOPEN_AFTER;
		s->pause_ns = KEEPER_RETRY_MIN_NS;
		keeper_set_times(k, s);
	}
	for (unsigned i = 0; i < n; i++) {
		if (!*dev[i]->config->trigger)
			continue;
		k->entry[i].trigger = find_trigger(k, i, why);
		if (k->entry[i].trigger < 0) {
			keeper_close(k);
			return -EINVAL;
		}
	}
	*out = k;
	return 0;
}

void keeper_close(struct keeper *k)
{
	if (!k)
		return;
	dev_free(k->entry, (k->n + 1) * sizeof *k->entry);
	dev_free(k->cursor, (k->channels + 1) * sizeof *k->cursor);
	dev_free(k, sizeof *k);
}

bool keeper_read(struct keeper *k, struct keeper_entry *s, struct ring *r, uint64_t edge_ns)
{
	const struct dev_ops *ops = s->d->ops;
	unsigned n = 0;

	k->settled += s->owed;
	s->owed = 0;
	if (ops->transfer) {
		if (k->jobs.submit(k->jobs.user, s->d, WORKER_TRANSFER))
			return false;
		n = 1;
	} else if (ops->start) {
		n = ops->start(s->d, r, k->now_ns);
	}
	/* After the first reading, slow files of one rhythm take turns. */
	s->countdown = s->begun || s->d->config->part ? s->every - 1 : s->d->token % s->every;
	s->begun = true;
	if (!n)
		return false;
	s->told.path = ops->transfer ? DEV_PATH_BUS : DEV_PATH_WORKER;
	s->flying = n;
	s->late = false;
	s->error = 0;
	s->asked_ns = k->now_ns;
	s->until_ns = k->now_ns + s->deadline_ns;
	s->edge_ns = edge_ns;
	return true;
}

static void timed_out(struct keeper *k, struct keeper_entry *s, uint64_t limit_ns)
{
	keeper_count_fault(k, s, CHANNEL_FAULTY, FAULT_TIMEOUT, -ETIMEDOUT);
	why_set(&s->told.why, 0, "timeout: nothing came within %llu ms",
		(unsigned long long)(limit_ns / 1000000));
}

/* What should have come by now? */
static void overdue(struct keeper *k, struct keeper_entry *s, struct ring *r)
{
	if (s->phase != KEEPER_UP)
		return;
	if (s->flying && !s->late && k->now_ns >= s->until_ns &&
	    !keeper_life_waits(k, s)) {
		s->late = true;
		timed_out(k, s, s->deadline_ns);
		/* The kernel is asked to give up; a worker can not be. */
		if (!s->d->ops->transfer)
			keeper_life_leave(k, s, r);
	} else if (s->watch_ns && s->told.path == DEV_PATH_POLL && s->trigger < 0 &&
		   k->now_ns >= s->heard_ns + s->watch_ns) {
		s->heard_ns = k->now_ns;
		timed_out(k, s, s->watch_ns);
		keeper_life_renew(k, s, r);
	}
}

/* An edge has come for this one. Of those that come during a reading the last starts another. */
static void edge(struct keeper *k, struct keeper_entry *s, struct ring *r, uint64_t edges,
		 uint64_t edge_ns)
{
	if (s->phase != KEEPER_UP)
		return;
	s->told.faults[FAULT_LOST] += edges - 1;
	if (k->now_ns < s->resume_ns) {
		s->wanted = true;
	} else if (s->flying) {
		s->told.faults[FAULT_LOST] += s->next_edge_ns != 0;
		s->next_edge_ns = edge_ns;
	} else {
		keeper_read(k, s, r, edge_ns);
	}
}

static void fire(struct keeper *k, struct keeper_entry *s, struct ring *r)
{
	uint64_t edges;

	if (s->phase != KEEPER_UP)
		return;
	edges = s->d->edges - s->edges;
	s->edges = s->d->edges;
	for (unsigned i = 0; edges && i < k->n; i++)
		if (k->entry[i].trigger >= 0 && &k->entry[k->entry[i].trigger] == s)
			edge(k, &k->entry[i], r, edges, s->d->edge_ns);
}

/* A reading, or what came by itself, has been decoded: what was it worth? */
static void judge(struct keeper *k, struct keeper_entry *s, struct ring *r, int err,
		  uint64_t since_ns)
{
	uint64_t reads = s->told.reads;
	bool gone = s->d->gone;

	if (gone && keeper_fault_of(err) != FAULT_ABSENT)
		err = -ENODEV;
	/* A wrong value has cost the bus no more than a right one. */
	if (keeper_count(k, s, err) && err)
		keeper_life_spend(k, s, since_ns);
	if (s->edge_ns && s->told.reads != reads) {
		s->told.edge_to_value_ns = k->now_ns > s->edge_ns ? k->now_ns - s->edge_ns : 0;
		k->edge_ns = larger(k->edge_ns, s->edge_ns);
		s->edge_ns = 0;
	}
	if (gone || (err && keeper_fault_of(err) == FAULT_ABSENT))
		keeper_life_absent(k, s, r);
	else
		keeper_life_renew(k, s, r);
}

/* All completions of a reading are here. */
static void ended(struct keeper *k, struct keeper_entry *s, struct ring *r, uint64_t since_ns)
{
	uint64_t next = s->next_edge_ns;
	bool late = s->late;

	s->late = false;
	s->next_edge_ns = 0;
	if (late)
		keeper_life_spend(k, s, since_ns);
	if (s->phase == KEEPER_LEAVING || (late && !s->d->ops->transfer))
		keeper_life_leave(k, s, r);
	else if (!late)
		judge(k, s, r, s->error, since_ns);
	else
		keeper_life_renew(k, s, r);
	if (next && s->phase == KEEPER_UP && !s->flying)
		edge(k, s, r, 1, next);
}

/* What came by itself, or was read by the device for its own ends. */
static void take_unasked(struct keeper *k, struct keeper_entry *s, struct ring *r,
			 const struct ring_event *e)
{
	bool leaving = s->phase == KEEPER_LEAVING;

	s->d->ops->complete(s->d, r, e, leaving ? &k->waste : k->frame, k->now_ns);
	if (leaving) {
		keeper_life_leave(k, s, r);
		return;
	}
	/* A look at a file of its own tells that the file is well. */
	if (e->kind == RING_STREAM && e->res > 0)
		s->heard_ns = k->now_ns;
	if (e->kind == RING_STREAM && s->d->error == -ENOBUFS) {
		s->told.faults[FAULT_LOST]++;
		s->told.errors++;
	}
	judge(k, s, r, 0, 0);
}

static void take_reading(struct keeper *k, struct keeper_entry *s, struct ring *r,
			 const struct ring_event *e)
{
	bool post = e->kind == RING_POST, wasted;
	unsigned n = 1;

	if (!s->late && k->now_ns > s->until_ns) {
		s->late = true;
		timed_out(k, s, s->deadline_ns);
	}
	wasted = s->late || s->phase == KEEPER_LEAVING;
	if (!post || !wasted)
		n = s->d->ops->complete(s->d, r, e, wasted ? &k->waste : k->frame, k->now_ns);
	if (e->res < 0 && !s->error)
		s->error = e->res;
	s->flying = post || n > s->flying ? 0 : s->flying - n;
	if (!s->flying)
		ended(k, s, r, post ? e->t_ns : s->asked_ns);
	else if (s->late && s->phase == KEEPER_UP)
		/* More was asked for: no tick has seen that it is late, none will look again. */
		keeper_life_leave(k, s, r);
}

static void take(struct keeper *k, struct keeper_entry *s, struct ring *r,
		 const struct ring_event *e)
{
	if ((e->kind == RING_POST) != (s->d->ops->transfer != NULL))
		return;
	if (e->kind != RING_STREAM && s->flying)
		take_reading(k, s, r, e);
	else if (e->kind != RING_POST)
		take_unasked(k, s, r, e);
	fire(k, s, r);
}

unsigned keeper_complete(struct keeper *k, struct ring *r, const struct ring_event *e,
			 uint64_t now_ns)
{
	unsigned i = e->token & 0xffff;
	struct keeper_entry *s;

	if (i >= k->n)
		return 0;
	s = &k->entry[i];
	set_now(k, now_ns);
	k->settled = 0;
	if (s->phase == KEEPER_OPENING || s->phase == KEEPER_SHUTTING) {
		/* Anything else was on its way when the file was taken out of the ring. */
		if (e->kind == RING_POST)
			keeper_life_post(k, s, r, e);
	} else if (s->phase != KEEPER_DOWN) {
		take(k, s, r, e);
	}
	if (s->owed > s->flying) {
		k->settled += s->owed - s->flying;
		s->owed = s->flying;
	}
	return k->settled;
}

/* A device's turn in a tick; how many completions the tick is to wait for. */
static unsigned turn(struct keeper *k, struct keeper_entry *s, struct ring *r)
{
	keeper_count_rate(s, k->now_ns);
	if (s->phase == KEEPER_UP && s->d->ops->tick && !keeper_away(k, s->d->token)) {
		s->d->ops->tick(s->d, k->frame, k->t_ns);
		/* What is here of a reading that goes on over ticks is no reading yet. */
		if (!s->flying)
			judge(k, s, r, 0, 0);
		fire(k, s, r);
	}
	if (s->trigger >= 0 && !s->wanted)
		return 0;
	if (s->countdown) {
		s->countdown--;
		return 0;
	}
	if (s->phase != KEEPER_UP || s->flying || k->now_ns < s->resume_ns)
		return 0;
	if (keeper_read(k, s, r, 0) && !s->slow)
		s->owed = s->flying;
	return s->owed;
}

unsigned keeper_tick(struct keeper *k, struct ring *r, uint64_t t_ns, uint64_t now_ns)
{
	/* Only that something has come matters, not what was written before it. */
	bool kicked = atomic_exchange_explicit(&k->kicked, false, memory_order_relaxed);
	unsigned pending = 0;

	k->t_ns = t_ns;
	set_now(k, now_ns);
	for (unsigned i = 0; i < k->n; i++) {
		struct keeper_entry *s = &k->entry[i];

		s->owed = 0;
		if (kicked)
			keeper_life_kick(s);
		keeper_life_tick(k, s, r);
		overdue(k, s, r);
	}
	for (unsigned i = 0; i < k->n; i++)
		pending += turn(k, &k->entry[i], r);
	return pending;
}

void keeper_kick(struct keeper *k)
{
	atomic_store_explicit(&k->kicked, true, memory_order_relaxed);
}

bool keeper_away(const struct keeper *k, unsigned device)
{
	const struct keeper_entry *s = &k->entry[device];

	return s->phase == KEEPER_OPENING || s->phase == KEEPER_SHUTTING ||
	       (s->flying && s->d->ops->transfer);
}

uint64_t keeper_take_edge(struct keeper *k)
{
	uint64_t edge_ns = k->edge_ns;

	k->edge_ns = 0;
	return edge_ns;
}
