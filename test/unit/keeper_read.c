// SPDX-License-Identifier: MIT
/*
 * keeper: readings that are more than one completion, come from an edge, from time alone, from a
 * stream, too slowly for any tick, or that are bad in part. On the simulated board.
 */
#include "test/unit/sim_bus.h"

static struct sim sim;

static struct keeper_device told(const struct sim_dev *d)
{
	struct keeper_device k;

	keeper_device(sim.keeper, d->dev.token, &k);
	return k;
}

/* Each is read at its rhythm; slow files of one rhythm take turns after the first time. */
static void rhythm(void)
{
	struct sim_dev *d[10];
	uint64_t seen[10];
	unsigned most = 0;

	sim_init(&sim, 7);
	for (unsigned i = 0; i < 10; i++)
		d[i] = sim_add(&sim, &sim_poll_ops, 0, 10, 1);
	sim_start(&sim);
	sim_ticks(&sim, 10 + 10);
	for (unsigned i = 0; i < 10; i++)
		seen[i] = d[i]->transfers;
	for (unsigned t = 0; t < 100; t++) {
		unsigned now = 0;

		sim_ticks(&sim, 1);
		for (unsigned i = 0; i < 10; i++) {
			now += (unsigned)(d[i]->transfers - seen[i]);
			seen[i] = d[i]->transfers;
		}
		if (now > most)
			most = now;
	}
	CHECK_EQ(most, 1);
	for (unsigned i = 0; i < 10; i++) {
		CHECK(d[i]->transfers >= 11 && d[i]->transfers <= 13);
		CHECK_EQ(told(d[i]).path, DEV_PATH_WORKER);
	}
	sim_ticks(&sim, 500);
	CHECK_NEAR(told(d[3]).rate_hz, 5, 0.2);
	CHECK_EQ(sim.held, 0);
	sim_end(&sim);
}

/* n edges, the last of them this long ago; none is a reading. */
static void edges(struct sim_dev *pin, unsigned n, uint64_t ago_ns)
{
	static const uint8_t nothing[4];

	pin->dev.edges += n;
	pin->dev.edge_ns = sim.now_ns - ago_ns;
	sim_tell(&sim, pin, &(struct ring_event){
		.kind = RING_STREAM, .token = pin->dev.token, .more = true, .res = 1,
		.data = nothing,
	}, 0);
}

/* A pin whose edges start a sensor on a bus, and another one that the tick reads. */
static void triggered(void)
{
	struct keeper_jobs jobs = { .submit = sim_submit, .user = &sim };
	struct sim_dev *pin, *d, *other;
	uint64_t n, edge;
	struct why why;

	sim_init(&sim, 21);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	other = sim_add(&sim, &sim_bus_ops, 1, 1, 1);
	pin = sim_add(&sim, &sim_stream_ops, 2, 1, 0);
	snprintf(d->config.trigger, sizeof d->config.trigger, "%s", pin->config.name);
	sim_start(&sim);
	sim_ticks(&sim, 10);
	/* Once after it was opened: the line may be high already, and give no edge. */
	CHECK_EQ(d->transfers, 1);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK(other->transfers >= 9);
	CHECK_EQ(keeper_take_edge(sim.keeper), 0);
	CHECK_EQ(told(d).edge_to_value_ns, 0);

	/* At once, not at the next tick; the tick does not wait for it. */
	sim_run(&sim, sim.now_ns + 7 * MS);
	n = sim.ticks;
	edge = sim.now_ns - MS / 10;
	edges(pin, 1, MS / 10);
	CHECK(d->away);
	sim_run(&sim, sim.now_ns + 3 * MS);
	CHECK_EQ(d->transfers, 2);
	CHECK_EQ(sim.ticks, n);
	CHECK(told(d).edge_to_value_ns >= MS / 10 + MS / 5);
	CHECK(told(d).edge_to_value_ns <= 3 * MS);
	CHECK_EQ(keeper_take_edge(sim.keeper), edge);
	CHECK_EQ(keeper_take_edge(sim.keeper), 0);

	/* One that comes during a reading starts another; two of them, and one is lost. */
	edges(pin, 1, 0);
	edges(pin, 1, 0);
	sim_run(&sim, sim.now_ns + 5 * MS);
	CHECK_EQ(d->transfers, 4);
	CHECK_EQ(told(d).faults[FAULT_LOST], 0);
	edges(pin, 1, 0);
	edges(pin, 2, 0);
	edges(pin, 1, 0);
	sim_ticks(&sim, 3);
	CHECK_EQ(d->transfers, 6);
	CHECK_EQ(told(d).faults[FAULT_LOST], 2);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(pin).state, CHANNEL_LIVE);

	/* A reading that fails leaves the line high: it is repeated until it is good. */
	sim_fail(d, SIM_GARBAGE, 0);
	edges(pin, 1, 0);
	sim_ticks(&sim, 4);
	CHECK(d->transfers > 8);
	/* One that comes while a tick waits for such a reading: the tick has its own, no more. */
	for (unsigned i = 0; i < 10; i++) {
		sim_run(&sim, sim.tick_ns + SIM_TICK_NS);
		CHECK(d->away);
		edges(pin, 1, 0);
	}
	sim_mend(d);
	sim_ticks(&sim, 2);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	n = d->transfers;
	sim_ticks(&sim, 20);
	CHECK_EQ(d->transfers, n);
	/* And one that is not there loses no edges. */
	sim_fail(d, SIM_UNPLUGGED, 0);
	edges(pin, 1, 0);
	sim_ticks(&sim, 3);
	CHECK_EQ(told(d).state, CHANNEL_ABSENT);
	edges(pin, 5, 0);
	CHECK_EQ(told(d).faults[FAULT_LOST], 2);
	CHECK_EQ(sim.wrong, 0);
	CHECK_EQ(sim.held, 0);
	sim_end(&sim);

	sim_init(&sim, 21);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	snprintf(d->config.trigger, sizeof d->config.trigger, "nobody");
	sim.pipeline.rate_hz = 50;
	CHECK_EQ(keeper_open(&sim.keeper, sim.dev, 1, &sim.pipeline, &jobs, &sim.frame, &why),
		 -EINVAL);
	CHECK(!sim.keeper && strstr(why.text, "nobody"));
	sim_end(&sim);
}

/* It takes half a second by its nature, as its open may find: no tick waits, and it is not late. */
static void slow(bool measured)
{
	struct sim_dev *d, *other;

	sim_init(&sim, 23);
	d = sim_add(&sim, &sim_poll_ops, 0, 50, 2);
	other = sim_add(&sim, &sim_poll_ops, 0, 1, 1);
	d->dev.slow_ns = measured ? 0 : 1500 * MS;
	d->deadline_ns = 3000 * MS;
	sim_start(&sim);
	d->dev.slow_ns = 1500 * MS;
	for (unsigned i = 0; i < 20; i++) {
		sim_fail(d, SIM_STUCK, sim.now_ns + 2500 * MS);
		/* Nor is its value old when the next one comes. */
		for (unsigned t = 0; t < 150; t++) {
			sim_ticks(&sim, 1);
			CHECK(told(d).state != CHANNEL_STALE);
		}
	}
	CHECK_EQ(told(d).errors, 0);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK(told(d).reads >= 20);
	CHECK(other->transfers > 2990);
	CHECK_EQ(sim.held, 0);
	CHECK_EQ(sim.wrong, 0);
	sim_end(&sim);
}

/* A level that time makes, and edges that stay away. */
static unsigned beats;
static bool lost;

static void beat(struct dev *dev, struct frame *f, uint64_t t_ns)
{
	CHECK(sim_of(dev)->attached);
	beats++;
	/* The sensor is well, something of it went by unread. */
	if (lost)
		frame_fail(f, dev->first_channel, f->slot[dev->first_channel].state, FAULT_LOST);
	lost = false;
	for (unsigned i = 0; i < dev->channels; i++)
		frame_put(f, dev->first_channel + i, sim_truth(dev->first_channel + i, t_ns), t_ns);
}

static void by_time_alone(void)
{
	struct dev_ops ops = {
		.kind = "beat", .attach = sim_attach, .detach = sim_detach, .tick = beat,
		.complete = sim_complete,
	};
	struct sim_dev *d;

	sim_init(&sim, 25);
	d = sim_add(&sim, &ops, 0, 1, 2);
	sim_start(&sim);
	sim_ticks(&sim, 101);
	CHECK_EQ(beats, 100);
	CHECK_EQ(told(d).reads, 100);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	lost = true;
	sim_ticks(&sim, 1);
	CHECK_EQ(told(d).faults[FAULT_LOST], 1);
	CHECK_EQ(told(d).errors, 0);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(sim.wrong, 0);
	sim_end(&sim);
}

/* One channel of two is bad: the other is delivered, and the sensor is at fault. */
static void half_bad(void)
{
	struct sim_dev *d;
	uint64_t delivered;

	sim_init(&sim, 27);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 2);
	sim_start(&sim);
	sim.frame.slot[1].check.max = 1;
	snprintf(d->channel[1].name, sizeof d->channel[1].name, "d0.second");
	sim_ticks(&sim, 50);
	delivered = sim.delivered;
	sim_ticks(&sim, 100);
	CHECK(sim.delivered - delivered >= 95 && sim.delivered - delivered <= 100);
	CHECK_EQ(told(d).state, CHANNEL_FAULTY);
	CHECK_EQ(told(d).fault, FAULT_RANGE);
	CHECK_STR(told(d).why.text, "d0.second: range");
	CHECK_EQ(told(d).faults[FAULT_RANGE], told(d).errors);
	CHECK(told(d).reads >= told(d).errors);
	/* Set up anew for it once, in vain: the other one is not disturbed for some minutes. */
	CHECK_EQ(d->opens, 2);
	sim_ticks(&sim, 50 * 590);
	CHECK_EQ(d->opens, 2);
	sim_ticks(&sim, 50 * 20);
	CHECK_EQ(d->opens, 3);
	/* All of it is bad: that is another matter. */
	sim_fail(d, SIM_RANGE, 0);
	sim_ticks(&sim, 3);
	CHECK_EQ(d->opens, 4);
	sim_mend(d);
	sim_ticks(&sim, 3);
	sim.frame.slot[1].check.max = 60;
	sim_ticks(&sim, 2);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(d).recovered, 0);		/* it was never well before */
	/* By fits and starts: no more often either. */
	for (unsigned i = 0; i < 100; i++) {
		sim.frame.slot[1].check.max = i % 4 ? 1 : 60;
		sim_ticks(&sim, 1);
	}
	CHECK_EQ(d->opens, 4);
	sim_end(&sim);
}

/* Nothing comes: told after its deadline, and opened anew, for the kernel may not have said all. */
static void quiet_stream(void)
{
	struct sim_dev *d, *e;

	sim_init(&sim, 29);
	d = sim_add(&sim, &sim_stream_ops, 0, 1, 1);
	e = sim_add(&sim, &sim_stream_ops, 0, 1, 1);
	d->config.deadline_s = 0.2;
	sim_start(&sim);
	sim_fail(e, SIM_STUCK, sim.now_ns + 200 * MS);
	sim_ticks(&sim, 3);
	CHECK_EQ(sim.frame.slot[1].state, CHANNEL_PROBING);
	CHECK_EQ(told(e).state, CHANNEL_PROBING);
	sim_ticks(&sim, 107);
	CHECK_EQ(told(d).path, DEV_PATH_POLL);
	CHECK_NEAR(told(d).rate_hz, 50, 5);
	sim_fail(d, SIM_STUCK, UINT64_MAX);
	sim_fail(e, SIM_STUCK, UINT64_MAX);
	sim_ticks(&sim, 11);
	CHECK_EQ(told(d).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(told(d).state, CHANNEL_FAULTY);
	CHECK_EQ(d->shuts, 0);
	sim_ticks(&sim, 11);
	CHECK_EQ(told(d).faults[FAULT_TIMEOUT], 2);
	CHECK_EQ(d->shuts, 1);
	CHECK_EQ(told(d).opened, 2);
	/* Of the other one nobody has said how often it comes. It only grows old. */
	sim_ticks(&sim, 100);
	CHECK_EQ(e->shuts, 0);
	CHECK_EQ(told(e).errors, 0);
	CHECK_EQ(told(e).state, CHANNEL_STALE);
	CHECK(told(e).rate_hz < 1);
	sim_mend(d);
	sim_mend(e);
	sim_ticks(&sim, 3);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(e).state, CHANNEL_LIVE);
	sim_end(&sim);
}

/* A file of its own that answers is no scan. It was polled before it was opened anew. */
static void quiet_but_for_looks(void)
{
	struct sim_dev *d;

	sim_init(&sim, 39);
	d = sim_add(&sim, &sim_poll_ops, 0, 1, 1);
	d->config.deadline_s = 0.2;
	sim_start(&sim);
	sim_ticks(&sim, 10);
	CHECK_EQ(told(d).path, DEV_PATH_WORKER);
	sim_fail(d, SIM_UNPLUGGED, 0);
	sim_ticks(&sim, 10);
	CHECK_EQ(told(d).state, CHANNEL_ABSENT);
	d->dev.ops = &sim_stream_ops;
	sim_mend(d);
	keeper_kick(sim.keeper);
	sim_ticks(&sim, 10);
	CHECK_EQ(told(d).path, DEV_PATH_POLL);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	sim_fail(d, SIM_STUCK, UINT64_MAX);
	for (unsigned i = 0; i < 15; i++) {
		sim_tell(&sim, d, &(struct ring_event){
			.kind = RING_READ, .token = DEV_TOKEN(&d->dev, 1), .res = 2,
		}, 0);
		sim_ticks(&sim, 1);
	}
	CHECK_EQ(told(d).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(told(d).state, CHANNEL_FAULTY);
	sim_end(&sim);
}

/* What belongs to nothing is not counted, and harms nobody. */
static void strays(void)
{
	static const enum ring_event_kind kind[] = { RING_READ, RING_STREAM, RING_POST };
	static const uint8_t nothing[16];
	struct sim_dev *d;

	sim_init(&sim, 31);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	sim_start(&sim);
	for (unsigned phase = 0; phase < 3; phase++) {
		for (unsigned i = 0; i < 3; i++) {
			struct ring_event e = {
				.kind = kind[i], .token = 1 + phase, .res = 3, .data = nothing,
				.more = true,
			};

			CHECK_EQ(keeper_complete(sim.keeper, NULL, &e, sim.now_ns), 0);
			e.token = 0xffff;
			CHECK_EQ(keeper_complete(sim.keeper, NULL, &e, sim.now_ns), 0);
			e.token = 5u << 16;
			if (kind[i] == RING_POST && !d->away)
				CHECK_EQ(keeper_complete(sim.keeper, NULL, &e, sim.now_ns), 0);
		}
		sim_ticks(&sim, 5);
	}
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(d).errors, 0);
	sim_end(&sim);
}

/* Two files, one reading: its parts come one by one, and it is counted once. */
static unsigned ask_two(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	struct sim_dev *d = sim_of(dev);

	d->transfers++;
	d->awaited = d->sim->in_tick ? 2 : 0;
	return 2;
}

static unsigned take_one(struct dev *dev, struct ring *r, const struct ring_event *e,
			 struct frame *f, uint64_t now_ns)
{
	unsigned channel = dev->first_channel + DEV_TOKEN_OWN(e->token);

	if (e->res == -EIO)
		frame_fail(f, channel, CHANNEL_FAULTY, FAULT_BUS);
	else if (!e->res)
		frame_fail(f, channel, CHANNEL_FAULTY, FAULT_SHORT);
	else if (e->res > 0)
		frame_put(f, channel, sim_truth(channel, now_ns), now_ns);
	return 1;
}

static void part_comes(struct sim_dev *d, unsigned part, int res)
{
	bool awaited = d->awaited;

	d->awaited -= awaited;
	sim_tell(&sim, d, &(struct ring_event){
		.kind = RING_READ, .token = DEV_TOKEN(&d->dev, part), .res = res,
	}, awaited);
}

static void two_files(void)
{
	struct dev_ops ops = {
		.kind = "two", .attach = sim_attach, .detach = sim_detach, .start = ask_two,
		.complete = take_one,
	};
	struct sim_dev *d;

	sim_init(&sim, 33);
	d = sim_add(&sim, &ops, 0, 1, 2);
	sim_start(&sim);
	sim_run(&sim, sim.now_ns + 10 * MS);	/* a tick, and it is open and being read */
	part_comes(d, 0, 5);
	CHECK_EQ(told(d).reads, 0);
	part_comes(d, 1, 5);
	CHECK_EQ(told(d).reads, 1);
	/* Both fail, one fails; by the kind or by the keeper. */
	sim_run(&sim, sim.now_ns + SIM_TICK_NS);
	part_comes(d, 0, -EIO);
	part_comes(d, 1, -EIO);
	CHECK_EQ(told(d).faults[FAULT_BUS], 1);
	CHECK_EQ(told(d).errors, 1);
	CHECK_EQ(sim.frame.slot[1].faults[FAULT_BUS], 1);
	sim_run(&sim, sim.now_ns + SIM_TICK_NS);
	part_comes(d, 1, 5);
	part_comes(d, 0, 5);
	sim_run(&sim, sim.now_ns + SIM_TICK_NS);
	part_comes(d, 1, 5);
	part_comes(d, 0, -EREMOTEIO);
	CHECK_EQ(told(d).faults[FAULT_BUS], 2);
	CHECK_EQ(sim.frame.slot[0].faults[FAULT_BUS] + sim.frame.slot[1].faults[FAULT_BUS], 4);
	CHECK_EQ(told(d).fault, FAULT_BUS);
	sim_run(&sim, sim.now_ns + SIM_TICK_NS);
	part_comes(d, 1, 5);
	part_comes(d, 0, 5);
	CHECK_EQ(told(d).recovered, 2);
	/* One brings too little and the other never comes: a fault each. */
	sim_run(&sim, sim.now_ns + SIM_TICK_NS);
	part_comes(d, 1, 0);
	sim_run(&sim, sim.now_ns + 6 * SIM_TICK_NS);
	CHECK_EQ(told(d).faults[FAULT_SHORT], 1);
	CHECK_EQ(told(d).faults[FAULT_TIMEOUT], 1);
	sim_end(&sim);
}

/* A reading of several files, one asked for when the one before has come. */
static unsigned chain_left;

static unsigned chain_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	struct sim_dev *d = sim_of(dev);

	d->reading = true;
	d->awaited = sim.in_tick;
	return 1;
}

static unsigned chain_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
			       struct frame *f, uint64_t now_ns)
{
	struct sim_dev *d = sim_of(dev);

	d->reading = DEV_TOKEN_OWN(e->token) == 0 && e->res >= 0;
	if (e->res > 0)
		frame_put(f, DEV_TOKEN_OWN(e->token), sim_truth(DEV_TOKEN_OWN(e->token), now_ns),
			  now_ns);
	return !d->reading;
}

static void chain_tick(struct dev *dev, struct frame *f, uint64_t t_ns)
{
}

static int chain_detach(struct dev *dev, struct ring *r)
{
	struct sim_dev *d = sim_of(dev);

	chain_left++;
	if (d->reading)
		return -EBUSY;
	d->attached = false;
	return 0;
}

/* Late, and between two ticks: what it went on with is given up. */
static void late_chain(void)
{
	struct dev_ops ops = {
		.kind = "chain", .attach = sim_attach, .detach = chain_detach,
		.start = chain_start, .complete = chain_complete,
	};
	struct sim_dev *d;

	sim_init(&sim, 35);
	d = sim_add(&sim, &ops, 0, 1, 2);
	d->config.deadline_s = 0.022;
	sim_start(&sim);
	sim_run(&sim, sim.now_ns + 10 * MS);	/* a tick, and it is open and being read */
	CHECK(d->reading);
	sim_run(&sim, sim.now_ns + SIM_TICK_NS);
	CHECK_EQ(chain_left, 0);
	part_comes(d, 0, 5);
	CHECK_EQ(told(d).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(chain_left, 1);
	part_comes(d, 1, -ECANCELED);
	CHECK(!d->attached);
	CHECK_EQ(told(d).errors, 1);
	sim_end(&sim);
}

/* However many ticks it takes, it is one reading. */
static void long_chain(void)
{
	struct dev_ops ops = {
		.kind = "chain", .attach = sim_attach, .detach = chain_detach, .tick = chain_tick,
		.start = chain_start, .complete = chain_complete,
	};
	struct sim_dev *d;

	sim_init(&sim, 37);
	d = sim_add(&sim, &ops, 0, 100, 2);
	sim_start(&sim);
	sim_run(&sim, sim.now_ns + 10 * MS);
	CHECK(d->reading);
	for (unsigned i = 0; i < 2; i++) {
		sim_run(&sim, sim.now_ns + 3 * SIM_TICK_NS);
		CHECK_EQ(told(d).reads, 0);
		part_comes(d, i, 5);
	}
	CHECK_EQ(told(d).reads, 1);
	sim_run(&sim, sim.now_ns + 3 * SIM_TICK_NS);
	CHECK_EQ(told(d).reads, 1);
	sim_end(&sim);
}

int main(void)
{
	rhythm();
	triggered();
	slow(false);
	slow(true);
	by_time_alone();
	half_bad();
	quiet_stream();
	quiet_but_for_looks();
	strays();
	two_files();
	late_chain();
	long_chain();
	return 0;
}
