// SPDX-License-Identifier: MIT
/*
 * Ten thousand faults on a simulated board: 12 buses of three sensors each, five files and five
 * streams under one keeper. On every bus (and every file and stream) one fault at a
 * time, one after the other; what must hold: no wrong value is ever delivered as
 * valid, each fault is counted once and as what it is, and what was at fault reads
 * again within three of its periods after the fault has ended; where nobody says that it
 * is back, after the back-off. sim_bus [SEED [FAULTS]] to repeat or to search.
 */
#include <time.h>

#include "test/unit/sim_bus.h"

#define BUSES 12
#define OTHERS 5
#define GROUPS (BUSES + 2 * OTHERS)
#define FAULTS 10000
#define PERIODS 3
#define BACK_OFF_MAX_NS (5000 * MS)

/* What shares a fate: the devices of a bus. */
struct group {
	struct sim_dev *d[3];
	unsigned devices;
	bool on;			/* the fault */
	struct sim_dev *victim;
	enum sim_fault fault;
	uint64_t began_ns, ended_ns, bound_ns;
	uint64_t back_ns[3];		/* when each read again; 0: not yet */
};

static struct sim sim;
static struct group group[GROUPS];
static unsigned begun, limit = FAULTS, kinds[SIM_FAULTS];
static double worst;			/* recovery, in periods; those with a back-off left out */

static const enum sim_fault of_a_bus[] = {
	SIM_NAK, SIM_TIMEOUT, SIM_STUCK, SIM_SHORT, SIM_GARBAGE, SIM_RANGE, SIM_NAN, SIM_FROZEN,
	SIM_SPIKE, SIM_BUSY, SIM_UNPLUGGED, SIM_POWER,
};
static const enum sim_fault of_a_stream[] = {
	SIM_STUCK, SIM_SHORT, SIM_GARBAGE, SIM_RANGE, SIM_NAN, SIM_FROZEN, SIM_SPIKE,
	SIM_UNPLUGGED, SIM_POWER, SIM_LOST,
};

static bool healthy(struct sim_dev *d, uint64_t since_ns)
{
	struct keeper_device told;

	keeper_device(sim.keeper, d->dev.token, &told);
	return told.state == CHANNEL_LIVE && told.fault == FAULT_NONE && told.good_ns > since_ns;
}

/* Something of d has ended: does it read again? */
static void settled(struct sim *s, struct sim_dev *d)
{
	for (unsigned g = 0; g < GROUPS; g++) {
		struct group *p = &group[g];

		for (unsigned i = 0; i < p->devices; i++)
			if (p->d[i] == d && !p->on && p->ended_ns && !p->back_ns[i] &&
			    healthy(d, p->ended_ns))
				p->back_ns[i] = s->now_ns;
	}
}

static uint64_t duration(struct sim_dev *d, enum sim_fault fault)
{
	switch (fault) {
	case SIM_STUCK:
		return sim_between(&sim, 120 * MS, 450 * MS);
	case SIM_FROZEN:
		return SIM_STUCK_NS + sim_between(&sim, 3 * d->period_ns, 8 * d->period_ns);
	case SIM_SPIKE:
		return d->period_ns + 5 * MS;
	case SIM_UNPLUGGED:
		return sim_between(&sim, 10 * MS, 2000 * MS);
	case SIM_LOST:
		return 1;
	default:
		return sim_between(&sim, 1, 8 * d->period_ns);
	}
}

static void again(unsigned g, uint64_t t_ns)
{
	sim_later(&sim, (struct sim_event){ .t_ns = t_ns, .what = SIM_SCRIPT, .index = g });
}

static void begin(struct group *p, unsigned g)
{
	struct sim_dev *d = p->d[sim_random(&sim) % p->devices];
	bool stream = d->dev.ops == &sim_stream_ops;
	uint64_t until_ns;

	p->fault = stream ? of_a_stream[sim_random(&sim) % (sizeof of_a_stream / sizeof(int))]
			  : of_a_bus[sim_random(&sim) % (sizeof of_a_bus / sizeof(int))];
	/* Each kind of sensor has the check that tells one of these. */
	if (p->fault == SIM_SPIKE || p->fault == SIM_FROZEN)
		p->fault = d->plausible ? SIM_SPIKE : SIM_FROZEN;
	p->victim = d;
	p->on = true;
	p->began_ns = sim.now_ns;
	kinds[p->fault]++;
	begun++;
	p->ended_ns = 0;
	until_ns = sim.now_ns + duration(d, p->fault);
	again(g, until_ns);
	sim_fail(d, p->fault, until_ns);
}

static void end(struct group *p, unsigned g)
{
	uint64_t out_ns = sim.now_ns - p->began_ns, slowest = 0;
	bool awaited = p->fault == SIM_UNPLUGGED || p->fault == SIM_BUSY;

	sim_mend(p->victim);
	p->on = false;
	p->ended_ns = sim.now_ns;
	p->bound_ns = 0;
	memset(p->back_ns, 0, sizeof p->back_ns);
	if (awaited && sim_random(&sim) % 2) {
		keeper_kick(sim.keeper);
	} else if (awaited) {
		/* Looked for twice as late each time: at most as long again as it was away. */
		p->bound_ns = out_ns + 200 * MS;
		if (p->bound_ns > BACK_OFF_MAX_NS)
			p->bound_ns = BACK_OFF_MAX_NS;
	}
	for (unsigned i = 0; i < p->devices; i++)
		if (p->d[i]->period_ns > slowest)
			slowest = p->d[i]->period_ns;
	/* What fails for more than a tenth of the time is asked less often, and rightly so. */
	if (p->fault == SIM_STUCK || p->fault == SIM_TIMEOUT)
		slowest += 3 * out_ns;
	again(g, sim.now_ns + p->bound_ns + PERIODS * slowest +
	      sim_between(&sim, 1, 5 * slowest));
}

static void check(const struct group *p)
{
	for (unsigned i = 0; i < p->devices && p->ended_ns; i++) {
		struct sim_dev *d = p->d[i];
		double periods = ((double)p->back_ns[i] - p->ended_ns) / d->period_ns;
		struct keeper_device told;

		keeper_device(sim.keeper, d->dev.token, &told);
		for (unsigned f = 1; f < FAULT_KINDS; f++)
			if (told.faults[f] != d->expected[f]) {
				fprintf(stderr, "%s: after fault %d of %s at %.3f ms: %llu faults "
					"\"%s\" counted, there were %llu\n", d->config.name,
					p->fault, p->victim->config.name, p->began_ns / 1e6,
					(unsigned long long)told.faults[f], channel_fault_name(f),
					(unsigned long long)d->expected[f]);
				exit(1);
			}
		if (!p->back_ns[i] ||
		    p->back_ns[i] > p->ended_ns + p->bound_ns + PERIODS * d->period_ns) {
			fprintf(stderr, "%s: after fault %d of %s, %.3f to %.3f ms: back after "
				"%.1f periods (%.3f ms)\n", d->config.name, p->fault,
				p->victim->config.name, p->began_ns / 1e6, p->ended_ns / 1e6,
				periods, p->back_ns[i] / 1e6);
			exit(1);
		}
		if (!p->bound_ns && periods > worst)
			worst = periods;
	}
}

static void build(void)
{
	static const unsigned every[] = { 1, 2, 5 }, channels[] = { 1, 2, 1 };

	for (unsigned g = 0; g < BUSES; g++)
		for (unsigned i = 0; i < 3; i++)
			group[g].d[group[g].devices++] =
				sim_add(&sim, &sim_bus_ops, g, every[(g + i) % 3], channels[i]);
	for (unsigned i = 0; i < 2 * OTHERS; i++) {
		struct group *p = &group[BUSES + i];
		bool stream = i >= OTHERS;

		p->devices = 1;
		p->d[0] = sim_add(&sim, stream ? &sim_stream_ops : &sim_poll_ops, BUSES,
				  stream ? 1 : every[i % 3], 1 + (i + stream) % 2);
		if (!stream)
			continue;
		p->d[0]->config.deadline_s = 0.2;
		p->d[0]->period_ns = 25 * MS;	/* the longest between two scans */
	}
	sim_start(&sim);
	sim.settled = settled;
}

static void report(double seconds)
{
	uint64_t counted[FAULT_KINDS] = { 0 }, all = 0, recovered = 0;

	for (unsigned i = 0; i < sim.devices; i++) {
		struct keeper_device told;

		keeper_device(sim.keeper, i, &told);
		recovered += told.recovered;
		for (unsigned f = 1; f < FAULT_KINDS; f++)
			counted[f] += told.faults[f];
	}
	printf("%u faults on %u devices in %.0f simulated seconds (%.1f s):", begun, sim.devices,
	       sim.now_ns / 1e9, seconds);
	for (unsigned f = 1; f < FAULT_KINDS; f++) {
		all += counted[f];
		if (counted[f])
			printf(" %s %llu", channel_fault_name(f), (unsigned long long)counted[f]);
	}
	printf("; %llu bad readings, all counted; %llu values delivered, %llu wrong; recovered "
	       "%llu times, at most %.2f periods after the end of the fault; %llu of %llu ticks held\n",
	       (unsigned long long)all, (unsigned long long)sim.delivered,
	       (unsigned long long)sim.wrong, (unsigned long long)recovered, worst,
	       (unsigned long long)sim.held, (unsigned long long)sim.ticks);
	for (unsigned f = 1; f < FAULT_KINDS; f++)
		CHECK(counted[f] || f == FAULT_FORMAT || limit < FAULTS);
	for (unsigned f = 1; f < SIM_FAULTS; f++)
		CHECK(kinds[f] || limit < FAULTS);
}

int main(int argc, char **argv)
{
	clock_t start = clock();
	unsigned running = GROUPS;

	sim_init(&sim, argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) | 1 : 20261);
	if (argc > 2)
		limit = (unsigned)strtoul(argv[2], NULL, 0);
	build();
	for (unsigned g = 0; g < GROUPS; g++)
		again(g, sim.now_ns + sim_between(&sim, 500 * MS, 1500 * MS));
	while (running) {
		struct sim_event e = sim_run(&sim, sim.now_ns + 60000 * MS);
		struct group *p = &group[e.index];

		CHECK_EQ(e.what, SIM_SCRIPT);
		if (p->on) {
			end(p, e.index);
			continue;
		}
		check(p);
		if (begun < limit)
			begin(p, e.index);
		else
			running--;
	}
	CHECK_EQ(sim.wrong, 0);
	/* A tick is held by a reading that does not come, not by those that are not asked for. */
	CHECK(sim.held <= kinds[SIM_STUCK] + kinds[SIM_TIMEOUT] * 9);
	report((double)(clock() - start) / CLOCKS_PER_SEC);
	sim_end(&sim);
	return 0;
}
