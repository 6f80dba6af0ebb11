// SPDX-License-Identifier: MIT
/*
 * keeper: what is there and fails. What a deadline does, whom a stuck bus concerns, how
 * much of the time a failure may take, and when a sensor is set up anew.
 */
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

/* A bus that does not let go concerns who is on it, and for one tick only the others. */
static void stuck_bus(void)
{
	struct sim_dev *a, *b, *c, *f;
	uint64_t before_c, before_f, before;

	sim_init(&sim, 9);
	a = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	b = sim_add(&sim, &sim_bus_ops, 0, 2, 1);
	c = sim_add(&sim, &sim_bus_ops, 1, 1, 2);
	f = sim_add(&sim, &sim_poll_ops, 2, 2, 1);
	sim_start(&sim);
	sim_ticks(&sim, 51);
	CHECK_EQ(sim.held, 0);
	sim_fail(a, SIM_STUCK, sim.now_ns + 10000 * MS);
	before_c = c->transfers;
	before_f = f->transfers;
	before = sim.ticks;
	sim_ticks(&sim, 499);
	CHECK_EQ(sim.ticks - before, 499);
	CHECK(c->transfers - before_c >= 498 && c->transfers - before_c <= 500);
	CHECK(f->transfers - before_f >= 248 && f->transfers - before_f <= 250);
	CHECK(sim.held <= 2);
	CHECK_NEAR(told(c).rate_hz, 50, 0.5);
	CHECK_EQ(told(a).state, CHANNEL_FAULTY);
	CHECK_EQ(told(a).fault, FAULT_TIMEOUT);
	CHECK_EQ(told(a).error, -ETIMEDOUT);
	CHECK(strstr(told(a).why.text, "100 ms"));
	/* One fault, however long it lasts; the one behind it in the queue has one too. */
	CHECK_EQ(told(a).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(told(b).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(told(c).errors + told(f).errors, 0);
	CHECK(keeper_away(sim.keeper, 0) && keeper_away(sim.keeper, 1));
	CHECK(!keeper_away(sim.keeper, 2) && !keeper_away(sim.keeper, 3));
	sim_mend(a);
	sim_ticks(&sim, 5);
	/* It came, but nobody believes it; the one that had waited behind it is well. */
	CHECK_EQ(told(b).state, CHANNEL_LIVE);
	CHECK_EQ(sim.wrong, 0);
	/* Ten seconds of a failing transfer: the next may wait a while, but no longer than this. */
	sim_ticks(&sim, 50 * 100);
	CHECK_EQ(told(a).state, CHANNEL_LIVE);
	CHECK_EQ(told(a).path, DEV_PATH_BUS);
	check_counts();
	sim_end(&sim);
}

/* A deadline between two ticks: what comes after it does not count, but the tick is not held. */
static void own_deadline(void)
{
	struct sim_dev *d;

	sim_init(&sim, 11);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	d->config.deadline_s = 0.004;
	d->deadline_ns = 4 * MS;
	sim_start(&sim);
	sim_ticks(&sim, 11);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	sim_fail(d, SIM_STUCK, sim.now_ns + SIM_TICK_NS / 4 + 6 * MS);
	sim_ticks(&sim, 1);
	CHECK_EQ(told(d).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(sim.held, 0);
	CHECK_EQ(sim.wrong, 0);
	sim_mend(d);
	sim_ticks(&sim, 1);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	check_counts();
	sim_end(&sim);
}

/* A read that does not come back is given up at its deadline where the kernel can do that. */
static void hung_file(void)
{
	struct sim_dev *other, *d, *e;

	sim_init(&sim, 12);
	other = sim_add(&sim, &sim_poll_ops, 0, 1, 1);
	d = sim_add(&sim, &sim_poll_ops, 0, 1, 1);
	e = sim_add(&sim, &sim_poll_ops, 0, 1, 2);
	CHECK(d->plausible && !e->plausible);
	e->config.deadline_s = 0.004;
	e->deadline_ns = 4 * MS;
	sim_start(&sim);
	sim_ticks(&sim, 10);
	sim_fail(d, SIM_STUCK, sim.now_ns + 10000 * MS);
	sim_ticks(&sim, 5);
	CHECK_EQ(told(d).errors + d->shuts, 0);
	/* At the sixth tick; before the next one it is open again, and being read. */
	sim_ticks(&sim, 1);
	CHECK_EQ(told(d).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(d->shuts, 1);
	CHECK_EQ(d->opens, 2);
	CHECK(d->reading);
	sim_mend(d);
	sim_ticks(&sim, 10);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK(other->transfers >= 25);
	/* Too late between two ticks: opened anew as well, its counters have seen a wrong time. */
	sim_fail(e, SIM_STUCK, sim.now_ns + SIM_TICK_NS / 4 + 6 * MS);
	sim_ticks(&sim, 1);
	CHECK_EQ(told(e).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(e->shuts, 1);
	sim_mend(e);
	sim_ticks(&sim, 2);
	CHECK_EQ(told(e).state, CHANNEL_LIVE);
	check_counts();
	sim_end(&sim);
}

/* A sensor takes a tenth of the time for its failures at most, after a second that is free. */
static void a_tenth(void)
{
	struct sim_dev *d, *f, *h;
	uint64_t failing;

	sim_init(&sim, 13);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	h = sim_add(&sim, &sim_poll_ops, 1, 1, 1);
	f = sim_add(&sim, &sim_poll_ops, 1, 1, 1);
	sim_fail(d, SIM_TIMEOUT, 0);		/* 30 ms each */
	sim_fail(f, SIM_TIMEOUT, 0);
	sim_start(&sim);
	sim_fail(h, SIM_STUCK, sim.now_ns + 1000000 * MS);	/* given up after 100 */
	sim_ticks(&sim, 100 * 50);
	failing = (d->opens + d->transfers) * 30 * MS;
	CHECK(failing >= 9000 * MS && failing <= 11600 * MS);
	failing = f->transfers * 30 * MS;
	CHECK(failing >= 9000 * MS && failing <= 11600 * MS);
	failing = h->transfers * 100 * MS;
	CHECK(failing >= 9000 * MS && failing <= 11600 * MS);
	sim_mend(d);
	sim_mend(f);
	sim_ticks(&sim, 20);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(f).state, CHANNEL_LIVE);
	check_counts();
	sim_end(&sim);
}

/* Two bad readings and it is set up anew; in vain, it is left alone longer each time. */
static void set_up_anew(void)
{
	struct sim_dev *d, *f;

	sim_init(&sim, 15);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	f = sim_add(&sim, &sim_poll_ops, 1, 1, 1);
	sim_start(&sim);
	sim_ticks(&sim, 10);
	CHECK_EQ(d->opens + f->opens, 2);
	d->set_up = f->set_up = false;
	sim_ticks(&sim, 1);
	CHECK_EQ(told(d).state, CHANNEL_FAULTY);
	CHECK_EQ(d->opens + f->opens, 2);
	sim_ticks(&sim, 1);
	/* Of a bus its registers are written; a file is shut and opened. It is read at once. */
	CHECK_EQ(d->opens, 2);
	CHECK_EQ(d->shuts, 0);
	CHECK_EQ(f->opens, 2);
	CHECK_EQ(f->shuts, 1);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(f).state, CHANNEL_LIVE);
	CHECK_EQ(told(d).recovered, 1);
	sim_fail(d, SIM_RANGE, 0);
	sim_ticks(&sim, 240);			/* at 2, 4, 8, 16, 32, 64 more */
	CHECK(d->opens >= 2 + 6 && d->opens <= 2 + 7);
	CHECK_EQ(told(d).fault, FAULT_RANGE);
	sim_ticks(&sim, 3000);			/* and then once in five seconds */
	CHECK(d->opens >= 2 + 6 + 11 && d->opens <= 2 + 7 + 13);
	/* Without power meanwhile: first it is mute, then it talks nonsense, and twice suffices. */
	sim_fail(d, SIM_POWER, 0);
	sim_ticks(&sim, 20);
	sim_mend(d);
	sim_ticks(&sim, 3);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	check_counts();
	sim_end(&sim);
}

/* Every other reading is good: that is no reason. */
static void now_and_then(void)
{
	struct sim_dev *d;

	sim_init(&sim, 16);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 2);
	sim_start(&sim);
	sim_ticks(&sim, 5);
	for (unsigned i = 0; i < 20; i++) {
		sim_fail(d, SIM_GARBAGE, 0);
		sim_ticks(&sim, 1);
		sim_mend(d);
		sim_ticks(&sim, 1);
	}
	CHECK_EQ(d->opens, 1);
	CHECK_EQ(told(d).faults[FAULT_CRC], 20);
	CHECK_EQ(told(d).recovered, 20);
	check_counts();
	sim_end(&sim);
}

/* However long it hung, when it is well it is read within the longest pause. */
static void long_hang(void)
{
	struct sim_dev *d;

	sim_init(&sim, 41);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	sim_start(&sim);
	sim_ticks(&sim, 10);
	sim_fail(d, SIM_STUCK, sim.now_ns + 60000 * MS);
	sim_ticks(&sim, 60 * 50 + 2);
	sim_mend(d);
	CHECK_EQ(told(d).state, CHANNEL_FAULTY);
	sim_ticks(&sim, 5 * 50 + 2);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	check_counts();
	sim_end(&sim);
}

/* A good reading ends the debt: the next failure is one by itself. */
static void debt(void)
{
	struct sim_dev *d;

	sim_init(&sim, 43);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	d->held_res = -ENODEV;
	sim_start(&sim);
	sim_fail(d, SIM_STUCK, sim.now_ns + 10000 * MS);
	sim_ticks(&sim, 10 * 50 + 2);
	sim_mend(d);
	CHECK_EQ(d->transfers, 0);
	keeper_kick(sim.keeper);
	sim_ticks(&sim, 3);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	sim_fail(d, SIM_NAK, 0);
	sim_ticks(&sim, 1);
	sim_mend(d);
	sim_ticks(&sim, 4);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	CHECK_EQ(told(d).recovered, 1);
	sim_end(&sim);
}

/* What is wrong with a value is no matter of the bus: it is read as often as ever. */
static void wrong_value(void)
{
	struct sim_dev *d;
	uint64_t n;

	sim_init(&sim, 45);
	d = sim_add(&sim, &sim_bus_ops, 0, 2, 1);
	d->takes_ns = 35 * MS;
	sim_start(&sim);
	sim_ticks(&sim, 50);
	sim_fail(d, SIM_RANGE, 0);
	n = d->transfers;
	sim_ticks(&sim, 40 * 50);
	CHECK(d->transfers - n >= 950);
	check_counts();
	sim_end(&sim);
}

/* Mute and nonsense by turns are failures in a row as any others. */
static void by_turns(void)
{
	struct sim_dev *d;

	sim_init(&sim, 47);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	sim_start(&sim);
	sim_ticks(&sim, 10);
	CHECK_EQ(d->opens, 1);
	for (unsigned i = 0; i < 5; i++) {
		sim_fail(d, i % 2 ? SIM_NAK : SIM_GARBAGE, 0);
		sim_ticks(&sim, 1);
	}
	CHECK(d->opens > 1);
	check_counts();
	sim_end(&sim);
}

/* While the bus's worker sets up one device the others' time stands still, up to a limit. */
static void mate_opens(void)
{
	struct sim_dev *a, *b;

	sim_init(&sim, 49);
	a = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	b = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	sim_fail(b, SIM_UNPLUGGED, 0);
	sim_start(&sim);
	sim_ticks(&sim, 100);
	CHECK_EQ(told(a).state, CHANNEL_LIVE);
	for (unsigned i = 0; i < 2; i++) {
		sim_mend(b);
		sim_fail(b, SIM_STUCK, sim.now_ns + 300 * MS);
		keeper_kick(sim.keeper);
		sim_ticks(&sim, 10);
		CHECK(b->away && a->away);
		/* Between two ticks, after its end, as well. */
		sim_ticks(&sim, 20);
		sim_mend(b);
		CHECK_EQ(told(a).errors, 0);
		CHECK_EQ(told(a).state, CHANNEL_LIVE);
		CHECK_EQ(told(b).state, CHANNEL_LIVE);
		sim_fail(b, SIM_UNPLUGGED, 0);
		sim_ticks(&sim, 10);
	}
	sim_mend(b);
	sim_fail(b, SIM_STUCK, sim.now_ns + 5000 * MS);
	keeper_kick(sim.keeper);
	sim_ticks(&sim, 50 * 2 - 5);
	CHECK_EQ(told(a).errors, 0);
	sim_ticks(&sim, 20);
	CHECK_EQ(told(a).faults[FAULT_TIMEOUT], 1);
	CHECK_EQ(told(b).faults[FAULT_TIMEOUT], 1);
	sim_end(&sim);
}

/* A tick that is handled late takes nothing from the readings it asks for. */
static void late_ticks(void)
{
	struct sim_dev *d;
	uint64_t n;

	sim_init(&sim, 51);
	d = sim_add(&sim, &sim_bus_ops, 0, 1, 1);
	d->config.deadline_s = 0.004;
	d->deadline_ns = 4 * MS;
	sim.behind_ns = 15 * MS;
	sim_start(&sim);
	sim_ticks(&sim, 100);
	CHECK_EQ(told(d).errors, 0);
	CHECK_EQ(told(d).state, CHANNEL_LIVE);
	/* Nor does a clock that was read before the last event. */
	d->takes_ns = MS;
	sim_run(&sim, sim.tick_ns + sim.behind_ns + SIM_TICK_NS + 2 * MS);
	n = d->transfers;
	sim.in_tick = true;
	CHECK_EQ(keeper_tick(sim.keeper, NULL, sim.tick_ns, sim.now_ns - 10 * MS), 1);
	sim.in_tick = false;
	sim_run(&sim, sim.now_ns + 3 * MS);
	CHECK_EQ(d->transfers, n + 1);
	CHECK_EQ(told(d).errors, 0);
	sim_end(&sim);
}

int main(void)
{
	stuck_bus();
	own_deadline();
	hung_file();
	a_tenth();
	set_up_anew();
	now_and_then();
	long_hang();
	debt();
	wrong_value();
	by_turns();
	mate_opens();
	late_ticks();
	return 0;
}
