// SPDX-License-Identifier: MIT
/*
 * runner_tick: one turn of a pipeline's thread. A tick opens at its grid time,
 * asks the devices for what they must fetch, and closes when all of it has arrived,
 * or half a period later with what there is. Closing runs the step, then
 * publishes. Nothing here allocates, locks, logs, or calls the kernel but through
 * the ring; the clock is read in the vDSO.
 */
#include <string.h>
#include <time.h>

#include "agent/config.h"
#include "agent/limit_memory.h"
#include "agent/runner_impl.h"
#include "agent/shadow.h"
#include "agent/stats.h"

#define EVENTS_MAX 64
#define MISSED_COUNTED 1000	/* of one hold-up, with a lateness each */
#define STATE_CALM_NS 200000000u	/* between two records of a channel's state */
#define RESERVE 16		/* records that ticks leave for alarms and the like */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A record with the tick's data in it; NULL when the queue is full (it has counted that). */
static struct record *claim(struct runner *r, enum record_kind kind,
			    const struct pipeline_result *res, uint64_t late_ns)
{
	const struct pipeline *p = &r->pipeline;
	unsigned n = p->frame.n;
	struct record *rec = queue_claim_but(r->queue, kind == RECORD_TICK ? RESERVE : 0);

	if (!rec)
		return NULL;
	memset(rec, 0, sizeof *rec);
	rec->kind = kind;
	rec->tick = res->tick;
	rec->t_ns = res->t_ns;
	rec->late_ns = late_ns;
	rec->score = res->score;
	rec->limit = res->limit;
	rec->scored = res->scored;
	rec->alarm = res->alarm;
	rec->peak = p->verdict.peak;
	rec->since_tick = p->verdict.run_tick;
	memcpy(rec->data, p->value, n * sizeof *p->value);
	memcpy(rec->data + n, p->contribution, n * sizeof *p->contribution);
	memcpy(rec->data + 2 * n, p->valid, n);
	return rec;
}

static void push(struct runner *r, const struct record *rec)
{
	if (rec->kind != RECORD_TICK)
		r->notify = true;
	queue_push(r->queue);
}

static void report_change(struct runner *r, const struct pipeline_result *res, uint64_t late_ns)
{
	unsigned channel[RECORD_DEPARTED_MAX];
	struct record *rec = claim(r, res->change == VERDICT_ALARM ? RECORD_ALARM : RECORD_CLEAR,
				   res, late_ns);

	if (!rec)
		return;
	rec->departed = pipeline_departed(&r->pipeline, channel, RECORD_DEPARTED_MAX);
	for (unsigned i = 0; i < rec->departed; i++)
		rec->departed_channel[i] = channel[i];
	push(r, rec);
}

static void report_states(struct runner *r, const struct pipeline_result *res)
{
	const struct frame *f = &r->pipeline.frame;

	for (unsigned i = 0; i < f->n; i++) {
		struct record *rec;

		/* One that flaps is told now and then, and in the end how it is. */
		if (f->slot[i].state == r->state[i] ||
		    (r->told_ns[i] && res->t_ns < r->told_ns[i] + STATE_CALM_NS))
			continue;
		rec = claim(r, RECORD_STATE, res, 0);
		if (!rec)
			return;	/* the next tick tries again */
		rec->channel = i;
		rec->state = r->state[i] = f->slot[i].state;
		rec->fault = f->slot[i].fault;
		r->told_ns[i] = res->t_ns;
		push(r, rec);
	}
}

static void report_missed(struct runner *r, const struct pipeline_result *res, uint64_t late_ns)
{
	struct record *rec;

	if (!r->missed)
		return;
	rec = claim(r, RECORD_LOST, res, late_ns);
	if (!rec)
		return;
	rec->missed = r->missed;
	r->missed = 0;
	push(r, rec);
}

/* What main writes into a sensor's entry (queued, path_seen) stays. */
static void write_sensors(struct runner *r, struct sonde_tick *t, uint64_t now)
{
	for (unsigned i = 0; i < t->sensors; i++) {
		struct sonde_sensor *s = &t->sensor[i];
		struct keeper_device d;
		bool opened;

		keeper_device(r->keeper, i, &d);
		s->state = d.state;
		s->fault = d.fault;
		s->rate_hz = d.rate_hz;
		s->path_expected = d.path;
		s->reads = d.reads;
		opened = s->opened != d.opened;
		s->opened = d.opened;
		s->recovered = d.recovered;
		s->age_ns = d.good_ns && now > d.good_ns ? now - d.good_ns : 0;
		s->edge_to_value_ns = d.edge_to_value_ns;
		for (unsigned f = 0; f < SONDE_FAULT_KINDS; f++)
			s->faults[f] = d.faults[f];
		/* Of an open that succeeded it is a remark; without one the last failure's stay. */
		if (s->errors == d.errors && !(opened && *d.why.text))
			continue;
		s->errors = d.errors;
		s->error = d.error;
		memcpy(s->why, d.why.text, sizeof s->why - 1);
	}
}

static void write_stats(struct runner *r, const struct pipeline_result *res, bool late,
			uint64_t step_ns, uint64_t now)
{
	uint64_t edge_ns = keeper_take_edge(r->keeper);
	const struct pipeline *p = &r->pipeline;
	struct sonde_tick *t = &r->stats->tick;
	struct ring_counters c;

	ring_counters(r->ring, &c);
	stats_write_begin(&t->seq);
	t->ticks++;
	t->late += late;
	t->t_ns = res->t_ns;
	t->dropped = queue_dropped(r->queue);
	t->submits = c.submits;
	t->no_buffers = c.no_buffers;
	t->rearmed = c.rearmed;
	t->cq_overflow = c.cq_overflow;
	t->model_generation = p->model ? p->model->generation : 0;
	t->score = res->score;
	t->limit = res->limit;
	t->peak = p->verdict.peak;
	t->scored += res->scored;
	t->over_limit += res->scored && res->score > res->limit;
	t->alarm = res->alarm;
	if (res->change == VERDICT_ALARM) {
		t->alarms++;
		t->alarm_since_ns = res->t_ns;
	} else if (!res->alarm) {
		t->alarm_since_ns = 0;
	}
	stats_hist_add(&t->step, step_ns);
	stats_hist_add(&t->latency, now - res->t_ns);
	if (edge_ns)
		stats_hist_add(&t->edge, now > edge_ns ? now - edge_ns : 0);
	for (unsigned i = 0; i < p->frame.n; i++) {
		const struct channel_slot *s = &p->frame.slot[i];
		struct sonde_channel *ch = &t->channel[i];

		ch->state = s->state;
		ch->value = s->value;
		ch->contribution = p->contribution[i];
		ch->age_ns = s->t_ns ? now - s->t_ns : 0;
		ch->samples = s->samples;
		ch->errors = s->errors;
		ch->fault = s->fault;
	}
	write_sensors(r, t, now);
	limit_publish(&p->verdict.limit, p->verdict.config.limit, p->model ? p->model->key : 0,
		      &t->limits);
	stats_write_end(&t->seq);
}

/* Last of all: nothing that the live verdict is for waits for it. */
static void judge_shadow(struct runner *r, const struct pipeline_result *res, bool late)
{
	struct pipeline_model *pm = r->pipeline.model;
	struct shadow *s = pm ? pm->shadow : NULL;
	struct sonde_tick *t = &r->stats->tick;

	if (!s && !t->shadow.on)
		return;
	if (s)
		shadow_step(s, &r->pipeline, res, late);
	stats_write_begin(&t->seq);
	shadow_publish(s, &t->shadow);
	stats_write_end(&t->seq);
}

/* late: the deadline came before the last read. */
static void tick_close(struct runner *r, bool late)
{
	struct pipeline_result res;
	struct record *rec;
	uint64_t begin = now_ns(), end;

	r->open = false;
	pipeline_step(&r->pipeline, r->t_ns, &res);
	end = now_ns();
	write_stats(r, &res, late, end - begin, end);
	report_missed(r, &res, end - r->t_ns);
	report_states(r, &res);
	rec = claim(r, RECORD_TICK, &res, end - r->t_ns);
	if (rec)
		push(r, rec);
	if (res.change != VERDICT_SAME)
		report_change(r, &res, end - r->t_ns);
	if (r->notify) {
		r->notify = false;
		ring_notify(r->ring, r->eventfd);
	}
	judge_shadow(r, &res, late || end > r->t_ns + r->period_ns / 2);
}

/*
 * A model that main put up is taken between two ticks. The record that takes the old
 * one home is claimed first: were the queue full, the swap waits.
 */
static void take_model(struct runner *r)
{
	const struct pipeline_result at = { .tick = r->pipeline.tick, .t_ns = r->t_ns };
	struct pipeline_model *pm;
	struct record *rec;

	if (!atomic_load_explicit(&r->next, memory_order_relaxed))
		return;
	rec = claim(r, RECORD_MODEL, &at, 0);
	if (!rec)
		return;
	pm = atomic_exchange_explicit(&r->next, NULL, memory_order_acq_rel);
	if (!pm)
		return;	/* withdrawn meanwhile; the claimed slot was not pushed */
	r->orphan |= r->pipeline.verdict.alarm && !pipeline_continues(&r->pipeline, pm);
	rec->old_model = pipeline_swap(&r->pipeline, pm);
	push(r, rec);
}

/* An alarm belonged to the model before this one and ended with it. */
static void report_orphan(struct runner *r)
{
	const struct pipeline_result at = { .tick = r->pipeline.tick, .t_ns = r->t_ns };
	struct record *rec;

	if (!r->orphan)
		return;
	rec = claim(r, RECORD_CLEAR, &at, 0);
	if (!rec)
		return;		/* the next tick tries again */
	r->orphan = false;
	push(r, rec);
}

static void tick_open(struct runner *r, const struct ring_event *e)
{
	struct sonde_tick *t = &r->stats->tick;
	uint64_t now = now_ns(), due = e->t_ns - (uint64_t)e->res * r->period_ns;

	if (r->open)	/* this thread was held for so long that the deadline passed unseen */
		tick_close(r, true);
	r->open = true;
	r->t_ns = e->t_ns;
	r->missed += e->res;
	stats_write_begin(&t->seq);
	t->missed += e->res;
	/* A missed tick is as late as this one comes after it; so none is left out of the figures. */
	for (int i = 0; i <= e->res && i < MISSED_COUNTED; i++, due += r->period_ns)
		stats_hist_add(&t->lateness, now > due ? now - due : 0);
	stats_write_end(&t->seq);
	take_model(r);
	report_orphan(r);
	r->pending = keeper_tick(r->keeper, r->ring, e->t_ns, now);
	if (!r->pending)
		tick_close(r, false);
	else
		ring_deadline(r->ring, e->t_ns + r->period_ns / 2);
}

static void completed(struct runner *r, const struct ring_event *e)
{
	unsigned settled = keeper_complete(r->keeper, r->ring, e, now_ns());

	if (!r->open)
		return;		/* it came after its tick's deadline */
	r->pending = settled < r->pending ? r->pending - settled : 0;
	if (settled && !r->pending) {
		ring_deadline(r->ring, 0);
		tick_close(r, false);
	}
}

int runner_loop(struct runner *r)
{
	struct ring_event events[EVENTS_MAX];

	r->running = true;
	ring_tick(r->ring, now_ns() + r->period_ns, r->period_ns);
	for (;;) {
		int n = ring_wait(r->ring, events, EVENTS_MAX);

		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			switch (events[i].kind) {
			case RING_TICK:
				tick_open(r, &events[i]);
				break;
			case RING_DEADLINE:
				/* One of an earlier tick may come behind this one's opening. */
				if (r->open && events[i].t_ns > r->t_ns)
					tick_close(r, true);
				break;
			case RING_READ:
			case RING_STREAM:
			case RING_POST:
				completed(r, &events[i]);
				break;
			case RING_STOP:
				return 0;
			}
		}
	}
}

void runner_report_death(struct runner *r, int err)
{
	const struct pipeline_result at = { .tick = r->pipeline.tick };
	struct record *rec = claim(r, RECORD_DEAD, &at, 0);

	if (!rec)
		return;
	rec->error = err;
	push(r, rec);
}
