// SPDX-License-Identifier: MIT
/*
 * keeper: its rules one by one, on the simulated board (sim_bus.h): here, when what is not
 * there is looked for. Failures are in keeper_fail.c, readings in keeper_read.c, and
 * what all of it does together under ten thousand faults in sim_bus.c.
 */
#include "agent/keeper_impl.h"
#include "test/unit/sim_bus.h"

static struct sim sim;

static struct keeper_device told(const struct sim_dev *d)
{
	struct keeper_device k;

	keeper_device(sim.keeper, d->dev.token, &k);
	return k;
}

static void check_counts(void)
{
	for (unsigned i = 0; i < sim.devices; i++)
		for (unsigned f = 1; f < FAULT_KINDS; f++)
			CHECK_EQ(told(sim.device[i]).faults[f], sim.device[i]->expected[f]);
	CHECK_EQ(sim.wrong, 0);
}

/* Looked for at 0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3 s and then every 5; it is one fault. */
static void back_off(void)
{
	struct sim_dev *d;

	sim_init(&sim, 1);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 2);
	sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	sim_fail(d, SIM_UNPLUGGED, 0);
	sim_start(&sim);
	CHECK_EQ(told(d).state, CHANNEL_ABSENT);
	sim_ticks(&sim, 4);
	CHECK_EQ(d->opens, 1);
	CHECK_EQ(told(d).state, CHANNEL_ABSENT);
	CHECK_EQ(told(d).fault, FAULT_ABSENT);
	CHECK(told(d).error == -ENODEV || told(d).error == -ENXIO || told(d).error == -ENOENT);
	CHECK(strstr(told(d).why.text, "absent"));
	CHECK_EQ(sim.frame.slot[0].state, CHANNEL_ABSENT);
	CHECK_EQ(sim.frame.slot[0].fault, FAULT_ABSENT);
	sim_ticks(&sim, 5);
	CHECK_EQ(d->opens, 2);
	sim_ticks(&sim, 100);	/* 2.2 s */
	CHECK_EQ(d->opens, 5);
	sim_ticks(&sim, 300);	/* 8.2 s */
	CHECK_EQ(d->opens, 7);
	sim_ticks(&sim, 1500);
	CHECK_EQ(d->opens, 13);
	CHECK_EQ(told(d).faults[FAULT_ABSENT], 1);
	CHECK_EQ(told(d).errors, 1);
	CHECK_EQ(sim.held, 0);

	/* Somebody says that something was plugged in: at the next tick, and 0.1 s after it. */
	keeper_kick(sim.keeper);
	sim_ticks(&sim, 2);
	CHECK_EQ(d->opens, 14);
	sim_ticks(&sim, 6);
	CHECK_EQ(d->opens, 15);
	sim_mend(d);
	keeper_kick(sim.keeper);
	sim_ticks(&sim, 2);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(d).fault, FAULT_NONE);
	CHECK_EQ(told(d).opened, 1);
	CHECK_EQ(told(d).recovered, 0);		/* it never was well */
	CHECK_EQ(sim.frame.slot[1].state, CHANNEL_LIVE);

	/* Out and in again without a word: looked for at once, and the back-off is a new one. */
	sim_fail(d, SIM_UNPLUGGED, 0);
	sim_ticks(&sim, 3);
	CHECK_EQ(told(d).state, CHANNEL_ABSENT);
	CHECK_EQ(told(d).faults[FAULT_ABSENT], 2);
	CHECK_EQ(sim.frame.slot[1].state, CHANNEL_ABSENT);
	CHECK_EQ(d->opens, 17);
	sim_mend(d);
	sim_ticks(&sim, 6);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(d).recovered, 1);
	check_counts();
	sim_end(&sim);
}

/* The news comes while it is being looked for in vain: it is looked for again at once. */
static void kicked_while_opening(void)
{
	struct sim_dev *d;

	sim_init(&sim, 3);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	d->held_res = -ENODEV;
	sim_start(&sim);
	sim_fail(d, SIM_STUCK, sim.now_ns + 50 * MS);
	sim_ticks(&sim, 2);
	CHECK(d->away);
	keeper_kick(sim.keeper);
	sim_ticks(&sim, 2);
	CHECK_EQ(d->opens, 2);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(d).faults[FAULT_ABSENT], 1);
	sim_end(&sim);
}

/* An open that does not come back is a fault after two seconds, and only one when it fails. */
static void hung_open(void)
{
	struct sim_dev *d;

	sim_init(&sim, 4);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	d->held_res = -ETIMEDOUT;
	sim_start(&sim);
	sim_fail(d, SIM_STUCK, sim.now_ns + 3000 * MS);
	sim_ticks(&sim, 90);
	CHECK_EQ(told(d).state, CHANNEL_PROBING);
	CHECK_EQ(told(d).errors, 0);
	sim_ticks(&sim, 20);
	CHECK_EQ(told(d).state, CHANNEL_FAULTY);
	CHECK_EQ(told(d).fault, FAULT_TIMEOUT);
	sim_ticks(&sim, 60);
	CHECK_EQ(d->opens, 1);
	CHECK_EQ(told(d).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(told(d).errors, 1);
	/* Three seconds: two too many, and ten times as long a pause. */
	sim_ticks(&sim, 50 * 22);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	sim_end(&sim);
}

/* Somebody else has it: one fault, tried with the same patience. */
static void busy(void)
{
	struct sim_dev *d, *e;

	sim_init(&sim, 5);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	e = sim_add(&sim, &sim_bus_ops, 1, 1, 1);
	sim_fail(d, SIM_BUSY, 0);
	sim_fail(e, SIM_NAK, 0);
	sim_start(&sim);
	sim_ticks(&sim, 100);
	CHECK_EQ(d->opens, 5);
	CHECK_EQ(told(d).faults[FAULT_BUSY], 1);
	CHECK_EQ(told(d).state, CHANNEL_FAULTY);
	CHECK_EQ(told(d).fault, FAULT_BUSY);
	/* What is there and fails is asked at its rhythm, and each answer is a fault. */
	CHECK(e->opens >= 98 && e->opens <= 100);
	CHECK_EQ(told(e).faults[FAULT_BUS], e->opens);
	CHECK_EQ(told(e).state, CHANNEL_FAULTY);
	sim_mend(e);
	sim_ticks(&sim, 2);
	CHECK_EQ(told(e).state, CHANNEL_LIVE);
	check_counts();
	sim_end(&sim);
}

/* A worker with its hands full: what it refuses is asked again. */
static void refused_jobs(void)
{
	struct sim_dev *d, *f;

	sim_init(&sim, 17);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	f = sim_add(&sim, &sim_poll_ops, 1, 1, 1);
	sim.refuse_jobs = true;
	sim_start(&sim);
	sim_ticks(&sim, 5);
	CHECK_EQ(d->opens, 0);
	CHECK_EQ(sim.held, 0);
	sim.refuse_jobs = false;
	sim_ticks(&sim, 5);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	sim.refuse_jobs = true;
	f->set_up = false;
	sim_ticks(&sim, 10);
	CHECK_EQ(f->opens, 1);
	sim.refuse_jobs = false;
	sim_ticks(&sim, 3);
	CHECK_EQ(f->opens, 2);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(f).state, CHANNEL_LIVE);
	check_counts();
	sim_end(&sim);
}

/* Open, but the ring has no room for it: shut again, and tried again with patience. */
static int no_room(struct dev *dev, struct ring *r)
{
	return -ENFILE;
}

/* Of a bus that can not do what it takes, likewise. */
static int not_able(struct dev *dev, struct ring *r)
{
	return -EOPNOTSUPP;
}

static void not_attached(void)
{
	struct dev_ops ops = sim_poll_ops;
	struct sim_dev *d;

	sim_init(&sim, 19);
	d = sim_add(&sim, &ops, 0, 1, 1);
	ops.attach = no_room;
	sim_start(&sim);
	sim_ticks(&sim, 100);
	CHECK_EQ(d->opens, 5);
	CHECK_EQ(d->shuts, 5);
	CHECK(!d->open);
	CHECK_EQ(told(d).state, CHANNEL_FAULTY);
	CHECK_EQ(told(d).error, -ENFILE);
	CHECK_EQ(told(d).errors, 1);
	ops.attach = sim_attach;
	keeper_kick(sim.keeper);
	sim_ticks(&sim, 2);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	sim_end(&sim);

	ops = sim_bus_ops;
	sim_init(&sim, 19);
	d = sim_add(&sim, &ops, 0, 1, 1);
	ops.attach = not_able;
	sim_start(&sim);
	sim_ticks(&sim, 100);
	CHECK_EQ(d->opens, 5);
	CHECK_EQ(told(d).errors, 1);
	CHECK_EQ(told(d).error, -EOPNOTSUPP);
	sim_end(&sim);
}

/* The number of an error is not its meaning: one class each. */
static void classes(void)
{
	CHECK_EQ(keeper_fault_of(-ETIMEDOUT), FAULT_TIMEOUT);
	CHECK_EQ(keeper_fault_of(-EBUSY), FAULT_BUSY);
	CHECK_EQ(keeper_fault_of(-ENOENT), FAULT_ABSENT);
	CHECK_EQ(keeper_fault_of(-ENODEV), FAULT_ABSENT);
	CHECK_EQ(keeper_fault_of(-ENXIO), FAULT_ABSENT);
	CHECK_EQ(keeper_fault_of(-EREMOTEIO), FAULT_BUS);
	CHECK_EQ(keeper_fault_of(-EIO), FAULT_BUS);
	CHECK_EQ(keeper_fault_of(-EAGAIN), FAULT_BUS);
}

int main(void)
{
	back_off();
	kicked_while_opening();
	hung_open();
	busy();
	refused_jobs();
	not_attached();
	classes();
	return 0;
}
