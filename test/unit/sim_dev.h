/* SPDX-License-Identifier: MIT */
/* sim_dev: the kinds of sim_bus.h: one on a bus, one that the ring reads, one that streams. */
#ifndef SONDE_TEST_SIM_DEV_H
#define SONDE_TEST_SIM_DEV_H

static const struct dev_ops sim_bus_ops, sim_poll_ops, sim_stream_ops;

static inline struct sim_dev *sim_of(struct dev *dev)
{
	struct sim_dev *d = (struct sim_dev *)dev;

	/* In a worker's hands it is nobody's business. */
	CHECK(!d->away);
	return d;
}

static inline bool sim_held(const struct sim_dev *d)
{
	return d->fault == SIM_STUCK && d->sim->now_ns < d->until_ns;
}

/* ---- the device's side */

static inline int sim_attach(struct dev *dev, struct ring *r)
{
	struct sim_dev *d = sim_of(dev);

	CHECK(d->open && !d->attached);
	d->attached = true;
	d->heard_ns = d->sim->now_ns;
	d->serial++;
	if (dev->ops == &sim_stream_ops)
		sim_later(d->sim, (struct sim_event){
			.t_ns = d->sim->now_ns + 2 * MS, .what = SIM_SCAN, .d = d,
			.serial = d->serial,
		});
	return 0;
}

/* Half of the devices can be told to give up a read, the others hold it to the end. */
static inline int sim_detach(struct dev *dev, struct ring *r)
{
	struct sim_dev *d = sim_of(dev);

	if (d->reading && d->plausible && !d->cancelled) {
		d->cancelled = true;
		sim_later(d->sim, (struct sim_event){
			.t_ns = d->sim->now_ns + MS / 2, .what = SIM_READ, .d = d,
			.serial = ++d->serial, .res = -ECANCELED,
		});
	}
	if (d->reading)
		return -EBUSY;
	d->attached = false;
	return 0;
}

static inline void sim_ask(struct sim_dev *d)
{
	uint64_t now = d->sim->now_ns, end = now + sim_between(d->sim, MS / 3, 2 * MS);

	d->reading = true;
	d->cancelled = false;
	if (sim_held(d))
		end = d->until_ns;
	else if (d->fault == SIM_TIMEOUT)
		end = now + 30 * MS;
	sim_later(d->sim, (struct sim_event){
		.t_ns = end, .what = SIM_READ, .d = d, .serial = ++d->serial,
	});
}

static inline unsigned sim_ask_first(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	struct sim_dev *d = sim_of(dev);

	CHECK(d->attached && !d->reading);
	d->asked_ns = t_ns;
	d->awaited = d->sim->in_tick && !dev->slow_ns;
	d->pieces = d->dev.channels % 2;
	d->transfers++;
	sim_ask(d);
	return 1;
}

static inline unsigned sim_none(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	CHECK(sim_of(dev)->attached);
	return 0;
}

static inline unsigned sim_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
				    struct frame *f, uint64_t now_ns)
{
	struct sim_dev *d = sim_of(dev);
	const uint8_t *in = e->kind == RING_STREAM ? e->data : d->in;
	enum channel_fault fault = FAULT_NONE;
	unsigned size = sim_size(d);

	if ((e->kind == RING_STREAM) != (dev->ops == &sim_stream_ops))
		return 0;
	dev->error = 0;
	if (e->res >= 0 && d->pieces && e->kind == RING_READ) {
		d->pieces--;
		sim_ask(d);
		return 0;
	}
	if (e->kind == RING_STREAM && !e->more) {
		dev->error = e->res ? e->res : -EPIPE;
		dev->gone = true;
		return 0;
	}
	if (e->res < 0) {
		dev->error = e->res;
		/* As some kinds do, and others leave to the keeper. */
		if (dev->channels == 2 && e->res == -EREMOTEIO)
			fault = FAULT_BUS;
		else
			return 1;
	} else if ((unsigned)e->res < size) {
		fault = FAULT_SHORT;
	} else if (sim_sum(in, size - 1) != in[size - 1]) {
		fault = FAULT_CRC;
	}
	for (unsigned i = 0; i < dev->channels; i++) {
		float v;

		memcpy(&v, in + 4 * i, 4);
		if (fault)
			frame_fail(f, dev->first_channel + i, CHANNEL_FAULTY, fault);
		else
			frame_put(f, dev->first_channel + i, v, now_ns);
	}
	return 1;
}

/* Its presence tells what kind this is; what it does, the worker's simulation decides. */
static inline int sim_transfer(struct dev *dev)
{
	return -ENOSYS;
}

static const struct dev_ops sim_bus_ops = {
	.kind = "sim-bus", .attach = sim_attach, .detach = sim_detach, .complete = sim_complete,
	.transfer = sim_transfer,
};
static const struct dev_ops sim_poll_ops = {
	.kind = "sim-poll", .attach = sim_attach, .detach = sim_detach, .complete = sim_complete,
	.start = sim_ask_first,
};
static const struct dev_ops sim_stream_ops = {
	.kind = "sim-stream", .attach = sim_attach, .detach = sim_detach, .complete = sim_complete,
	.start = sim_none,
};

#endif
