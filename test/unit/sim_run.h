/* SPDX-License-Identifier: MIT */
/* sim_run: the workers of sim_bus.h, its pipeline's thread, and what makes its time pass. */
#ifndef SONDE_TEST_SIM_RUN_H
#define SONDE_TEST_SIM_RUN_H

/* ---- workers */

/* How a job that begins now will end. */
static inline int sim_outcome(struct sim_dev *d, enum worker_job job, uint64_t *end)
{
	static const int absent[] = { -ENODEV, -ENXIO, -ENOENT };
	struct sim *s = d->sim;

	*end = s->now_ns + sim_between(s, MS / 5, 2 * MS);
	if (job == WORKER_TRANSFER && d->takes_ns)
		*end = s->now_ns + d->takes_ns;
	if (job == WORKER_SHUT)
		return 0;
	if (d->fault == SIM_UNPLUGGED)
		return absent[sim_random(s) % 3];
	if (d->fault == SIM_BUSY)
		return -EBUSY;
	if (d->dev.ops != &sim_bus_ops)
		return 0;
	if (sim_held(d)) {
		*end = d->until_ns;
		return job == WORKER_OPEN ? d->held_res : 0;
	}
	if (d->fault == SIM_TIMEOUT) {
		*end = s->now_ns + 30 * MS;
		return -ETIMEDOUT;
	}
	return d->fault == SIM_NAK || d->fault == SIM_POWER ? -EREMOTEIO : 0;
}

static inline void sim_work(struct sim *s, unsigned worker)
{
	struct sim_worker *w = &s->worker[worker];
	struct sim_event e = { .what = SIM_JOB, .began_ns = s->now_ns };

	if (w->busy || !w->jobs)
		return;
	w->busy = true;
	e.d = w->queue[0].d;
	e.job = w->queue[0].job;
	memmove(w->queue, w->queue + 1, --w->jobs * sizeof *w->queue);
	e.res = sim_outcome(e.d, e.job, &e.t_ns);
	sim_later(s, e);
}

static inline int sim_submit(void *user, struct dev *dev, enum worker_job job)
{
	struct sim *s = user;
	struct sim_dev *d = sim_of(dev);
	struct sim_worker *w = &s->worker[d->worker];

	CHECK(job != WORKER_TRANSFER || (d->open && d->attached));
	CHECK(job == WORKER_TRANSFER || !d->attached);
	if (s->refuse_jobs)
		return -EBUSY;
	d->away = true;
	if (job == WORKER_TRANSFER) {
		d->asked_ns = s->now_ns;
		d->awaited = s->in_tick && !dev->slow_ns;
	}
	CHECK(w->jobs < SIM_DEVICES_MAX);
	w->queue[w->jobs].d = d;
	w->queue[w->jobs++].job = job;
	sim_work(s, d->worker);
	return 0;
}

/* ---- the pipeline's thread */

static inline void sim_close_tick(struct sim *s)
{
	s->tick_open = false;
	frame_close(&s->frame, s->tick_ns, s->value, s->valid);
	for (unsigned i = 0; i < s->channels; i++) {
		if (!s->valid[i])
			continue;
		s->delivered++;
		if (sim_true(i, s->value[i], s->frame.slot[i].t_ns))
			continue;
		fprintf(stderr, "at %.3f ms channel %u is %g, not %g\n", s->now_ns / 1e6, i,
			s->value[i], sim_truth(i, s->now_ns));
		s->wrong++;
	}
}

static inline unsigned sim_take_awaited(struct sim_dev *d)
{
	unsigned n = d->awaited;

	d->awaited = 0;
	return n;
}

/* After a bad reading no channel is believed. */
static inline void sim_check_masked(const struct sim_dev *d, bool bad)
{
	for (unsigned i = 0; bad && i < d->dev.channels; i++)
		CHECK(d->sim->frame.slot[d->dev.first_channel + i].state != CHANNEL_LIVE);
}

/* awaited: by the tick that is open. */
static inline void sim_tell(struct sim *s, struct sim_dev *d, const struct ring_event *e,
			    unsigned awaited)
{
	unsigned settled = keeper_complete(s->keeper, NULL, e, s->now_ns);

	CHECK_EQ(settled, awaited);
	if (s->tick_open && settled) {
		s->pending -= settled;
		if (!s->pending)
			sim_close_tick(s);
	}
	if (s->settled)
		s->settled(s, d);
}

static inline void sim_tick(struct sim *s)
{
	unsigned awaited = 0;

	if (s->tick_open)
		sim_close_tick(s);
	s->ticks++;
	s->tick_open = true;
	s->tick_ns = s->now_ns - s->behind_ns;
	for (unsigned i = 0; i < s->devices; i++) {
		struct sim_dev *d = s->device[i];

		if (d->dev.ops != &sim_stream_ops || !d->attached || d->config.deadline_s <= 0 ||
		    s->now_ns < d->heard_ns + (uint64_t)(d->config.deadline_s * 1e9))
			continue;
		sim_expect_timeout(d);
		d->heard_ns = s->now_ns;
	}
	sim_later(s, (struct sim_event){ .t_ns = s->now_ns + SIM_TICK_NS, .what = SIM_TICK });
	for (unsigned i = 0; i < s->devices; i++)
		s->device[i]->awaited = 0;
	s->in_tick = true;
	s->pending = keeper_tick(s->keeper, NULL, s->tick_ns, s->now_ns);
	s->in_tick = false;
	for (unsigned i = 0; i < s->devices; i++)
		awaited += s->device[i]->awaited;
	CHECK_EQ(s->pending, awaited);
	if (!s->pending)
		sim_close_tick(s);
	else
		sim_later(s, (struct sim_event){
			.t_ns = s->now_ns + SIM_TICK_NS / 2, .what = SIM_CLOSE,
		});
}

/* What was asked for behind an opening in the worker's queue has its time from the end of that. */
static inline void sim_give_time(struct sim *s, struct sim_worker *w, uint64_t since_ns)
{
	for (unsigned i = 0; i < w->jobs; i++) {
		struct sim_dev *d = w->queue[i].d;

		if (w->queue[i].job == WORKER_TRANSFER)
			d->asked_ns += s->now_ns - (d->asked_ns > since_ns ? d->asked_ns : since_ns);
	}
}

static inline void sim_job_ended(struct sim *s, struct sim_event *e)
{
	struct sim_dev *d = e->d;
	bool late = s->now_ns > d->asked_ns + d->deadline_ns, bad = e->job != WORKER_SHUT;

	d->away = false;
	s->worker[d->worker].busy = false;
	if (e->job == WORKER_SHUT) {
		d->open = false;
		d->shuts++;
	} else if (e->job == WORKER_OPEN) {
		d->opens++;
		sim_give_time(s, &s->worker[d->worker], e->began_ns);
		d->open = !e->res;
		d->set_up |= d->open;
		if (e->res && !(e->res == -EBUSY && d->refused == -EBUSY))
			sim_expect_error(d, e->res);
		else if (!e->res)
			d->absent = false;
		bad = e->res != 0;
		d->refused = e->res;
	} else {
		d->transfers++;
		if (!e->res)
			e->res = sim_measure(d, late);
		if (late)
			sim_expect_timeout(d);
		else
			bad = !sim_expect(d, e->res);
	}
	sim_tell(s, d, &(struct ring_event){
		.kind = RING_POST, .token = d->dev.token, .res = e->res, .t_ns = e->began_ns,
	}, e->job == WORKER_TRANSFER ? sim_take_awaited(d) : 0);
	sim_check_masked(d, bad);
	sim_work(s, d->worker);
}

static inline void sim_read_ended(struct sim *s, struct sim_event *e)
{
	struct sim_dev *d = e->d;
	bool late = s->now_ns > d->asked_ns + d->deadline_ns, bad = false;
	unsigned awaited;

	if (e->serial != d->serial)
		return;		/* it was given up meanwhile */
	d->reading = false;
	if (!e->res && d->fault == SIM_UNPLUGGED)
		e->res = -ENODEV;
	else if (!e->res && d->fault == SIM_BUSY)
		e->res = -EBUSY;
	else if (!e->res && d->fault == SIM_TIMEOUT)
		e->res = -ETIMEDOUT;
	else if (!e->res && (d->fault == SIM_NAK || d->fault == SIM_POWER))
		e->res = -EREMOTEIO;
	else if (!e->res)
		e->res = d->pieces ? 1 : sim_measure(d, late);
	awaited = d->pieces && e->res >= 0 ? 0 : sim_take_awaited(d);
	if (e->res < 0 || !d->pieces) {
		bad = late;
		if (late)
			sim_expect_timeout(d);
		else
			bad = !sim_expect(d, e->res);
	}
	sim_tell(s, d, &(struct ring_event){
		.kind = RING_READ, .token = d->dev.token, .res = e->res,
	}, awaited);
	sim_check_masked(d, bad);
}

static inline void sim_scan(struct sim *s, struct sim_event *e)
{
	struct sim_dev *d = e->d;
	struct ring_event re = {
		.kind = RING_STREAM, .token = d->dev.token, .more = true, .data = d->in,
	};

	if (e->serial != d->serial || !d->attached)
		return;
	if (d->fault == SIM_UNPLUGGED) {
		re.more = false;
		re.res = sim_random(s) % 2 ? 0 : -EIO;
		sim_expect_error(d, -ENODEV);
		sim_tell(s, d, &re, 0);
		return;
	}
	e->t_ns = s->now_ns + sim_between(s, 15 * MS, 25 * MS);
	sim_later(s, *e);
	if (sim_held(d))
		return;
	re.res = sim_measure(d, false);
	sim_expect(d, re.res);
	/* Nothing at all is an end. */
	re.res += !re.res;
	d->heard_ns = s->now_ns;
	sim_tell(s, d, &re, 0);
}

/* A stream's bytes went by unread; it goes on. */
static inline void sim_tell_lost(struct sim_dev *d)
{
	d->expected[FAULT_LOST]++;
	sim_tell(d->sim, d, &(struct ring_event){
		.kind = RING_STREAM, .token = d->dev.token, .more = true, .res = -ENOBUFS,
	}, 0);
}

/* ---- from outside */

static inline struct sim_dev *sim_add(struct sim *s, const struct dev_ops *ops, unsigned worker,
				      unsigned every, unsigned channels)
{
	struct sim_dev *d = calloc(1, sizeof *d);
	unsigned n = s->devices++;

	CHECK(d && n < SIM_DEVICES_MAX && s->channels + channels <= FRAME_CHANNELS_MAX);
	d->sim = s;
	d->worker = worker;
	d->plausible = n % 2;
	d->config.channel = d->channel;
	d->config.channels = channels;
	d->config.every = every;
	snprintf(d->config.name, sizeof d->config.name, "d%u", n);
	d->dev = (struct dev){
		.ops = ops, .config = &d->config, .first_channel = s->channels,
		.channels = channels,
	};
	snprintf(d->dev.bus, sizeof d->dev.bus, "sim-%u", worker);
	d->period_ns = every * SIM_TICK_NS;
	d->deadline_ns = 2 * d->period_ns > 100 * MS ? 2 * d->period_ns : 100 * MS;
	s->device[n] = d;
	s->dev[n] = &d->dev;
	s->channels += channels;
	return d;
}

static inline void sim_start(struct sim *s)
{
	struct keeper_jobs jobs = { .submit = sim_submit, .user = s };
	struct why why = { "" };

	s->pipeline.rate_hz = 1e9 / SIM_TICK_NS;
	frame_init(&s->frame, s->channels, 1000 * MS);
	for (unsigned i = 0; i < s->devices; i++)
		for (unsigned c = 0; c < s->device[i]->dev.channels; c++) {
			struct channel_slot *slot = &s->frame.slot[s->dev[i]->first_channel + c];

			slot->check = (struct channel_check){
				.min = 0, .max = 60,
				.rate = s->device[i]->plausible ? 20 : 0,
				.stuck_ns = s->device[i]->plausible ? 0 : SIM_STUCK_NS,
			};
			slot->every_ns = s->device[i]->period_ns;
		}
	CHECK_EQ(keeper_open(&s->keeper, s->dev, s->devices, &s->pipeline, &jobs, &s->frame, &why),
		 0);
	sim_later(s, (struct sim_event){ .t_ns = s->now_ns + SIM_TICK_NS / 4, .what = SIM_TICK });
}

static inline void sim_init(struct sim *s, uint32_t seed)
{
	memset(s, 0, sizeof *s);
	s->seed = seed;
	s->now_ns = 1000 * MS;
}

/* The next event that is the script's, or one at until_ns. */
static inline struct sim_event sim_run(struct sim *s, uint64_t until_ns)
{
	for (;;) {
		struct sim_event e = { .t_ns = until_ns };

		if (!s->events || s->event[0].t_ns > until_ns) {
			s->now_ns = until_ns;
			return e;
		}
		e = sim_next(s);
		s->now_ns = e.t_ns;
		switch (e.what) {
		case SIM_TICK:
			sim_tick(s);
			break;
		case SIM_CLOSE:
			s->held += s->tick_open;
			if (s->tick_open)
				sim_close_tick(s);
			break;
		case SIM_JOB:
			sim_job_ended(s, &e);
			break;
		case SIM_READ:
			sim_read_ended(s, &e);
			break;
		case SIM_SCAN:
			sim_scan(s, &e);
			break;
		case SIM_SCRIPT:
			return e;
		}
	}
}

/* So many ticks, and what they have asked for. */
static inline void sim_ticks(struct sim *s, unsigned n)
{
	sim_run(s, s->now_ns + n * SIM_TICK_NS);
}

static inline void sim_end(struct sim *s)
{
	keeper_close(s->keeper);
	for (unsigned i = 0; i < s->devices; i++)
		free(s->device[i]);
}

/* What has been without power has forgotten what it was told. */
static inline void sim_mend(struct sim_dev *d)
{
	if (d->fault == SIM_POWER)
		d->set_up = false;
	d->fault = SIM_NONE;
}

/* From now on, until it is mended. A worker or a read that is held comes back at until_ns. */
static inline void sim_fail(struct sim_dev *d, enum sim_fault fault, uint64_t until_ns)
{
	struct sim *s = d->sim;

	d->fault = fault;
	d->until_ns = until_ns;
	for (unsigned i = 0; i < d->dev.channels; i++)
		d->frozen[i] = d->last[i].bits;
	if (fault == SIM_UNPLUGGED || fault == SIM_POWER)
		d->set_up = false;
	if (fault == SIM_POWER && d->dev.ops == &sim_stream_ops)
		d->fault = SIM_NONE;
	if (d->dev.ops != &sim_stream_ops || !d->attached)
		return;
	if (fault == SIM_UNPLUGGED)
		sim_later(s, (struct sim_event){
			.t_ns = s->now_ns, .what = SIM_SCAN, .d = d, .serial = ++d->serial,
		});
	else if (fault == SIM_LOST)
		sim_tell_lost(d);
}

#endif
