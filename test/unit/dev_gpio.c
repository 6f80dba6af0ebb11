// SPDX-License-Identifier: MIT
/* dev gpio: level, counter and trigger from raw events; lost ones; busy, unplugged, back. */
#include "test/unit/dev_gpio_fake.h"

#include "agent/dev/gpio_meter.h"
#include "test/unit/dev_fixture.h"

static struct channel_config channel = { .name = "door", .scale = 1, .part_channel = -1 };
static struct sensor_config sensor = {
	.name = "door", .kind = "gpio", .gpio = { .chip = "gpiochip2", .line = "5" },
	.channel = &channel, .channels = 1,
};

#define SLOT(g) (&(g)->frame.slot[2])

/* Events as gpiolib-cdev.c makes them; numbers go up by themselves. */
static uint32_t seqno;

static struct gpio_v2_line_event edge(bool rising, uint64_t t_ns)
{
	return (struct gpio_v2_line_event){
		.timestamp_ns = t_ns,
		.id = rising ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE,
		.offset = 5, .line_seqno = ++seqno, .seqno = seqno,
	};
}

static void send_edges(const struct gpio_v2_line_event *e, unsigned n)
{
	CHECK_EQ(send(fake.fd[1], e, n * sizeof *e, 0), n * sizeof *e);
}

static void take(struct rig *g, uint64_t edges)
{
	while (g->dev->edges < edges) {
		struct ring_event e = next_event(g->ring);

		CHECK_EQ(e.kind, RING_STREAM);
		CHECK_EQ(rig_complete(g, &e), 0);
		CHECK(!g->dev->gone);
	}
	CHECK_EQ(g->dev->edges, edges);
}

/* An edge, after so many that were lost. */
static void one_after(struct rig *g, uint32_t lost, bool rising)
{
	struct gpio_v2_line_event e;

	seqno += lost;
	e = edge(rising, g->t_ns);
	send_edges(&e, 1);
	take(g, g->dev->edges + lost + 1);
}

static void one(struct rig *g, bool rising)
{
	one_after(g, 0, rising);
}

static void tick(struct rig *g)
{
	CHECK_EQ(rig_start(g), 0);
	g->dev->ops->tick(g->dev, &g->frame, g->t_ns);
}

static void begin(uint8_t mode, uint8_t edges)
{
	fake_install();
	seqno = 0;
	sensor.gpio.mode = mode;
	sensor.gpio.edge = edges;
}

static void level(enum ring_kind kind)
{
	struct gpio_v2_line_event e[2];
	struct rig g;
	float value[FRAME_CHANNELS_MAX];
	uint8_t valid[FRAME_CHANNELS_MAX];

	begin(GPIO_LEVEL, GPIO_RISING);
	fake.level = true;
	rig_open(&g, kind, &sensor);
	/* Both edges, whatever was said: a level follows both. */
	CHECK_EQ(fake.use, GPIO_USE_BOTH);
	tick(&g);
	CHECK_NEAR(SLOT(&g)->value, 1, 0);
	CHECK_EQ(SLOT(&g)->state, CHANNEL_LIVE);

	/* A level that stays is not old: ten seconds without an edge. */
	for (unsigned i = 0; i < 500; i++) {
		tick(&g);
		frame_close(&g.frame, g.t_ns, value, valid);
		CHECK_EQ(valid[2], 1);
	}
	CHECK_EQ(SLOT(&g)->t_ns, g.t_ns);
	CHECK_EQ(g.dev->reads, 501);

	one(&g, false);
	CHECK_NEAR(SLOT(&g)->value, 0, 0);
	tick(&g);
	CHECK_NEAR(SLOT(&g)->value, 0, 0);

	/* Open and closed between two ticks: both were seen. */
	e[0] = edge(true, g.t_ns + 1);
	e[1] = edge(false, g.t_ns + 2);
	send_edges(e, 2);
	take(&g, 3);
	CHECK_EQ(SLOT(&g)->samples, 502 + 1 + 2);
	CHECK_NEAR(SLOT(&g)->value, 0, 0);
	CHECK_EQ(SLOT(&g)->errors, 0);

	/* The queue ran over: the newest event tells the level. */
	one_after(&g, 41, true);
	CHECK_NEAR(SLOT(&g)->value, 1, 0);
	CHECK_EQ(SLOT(&g)->state, CHANNEL_LIVE);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 1);
	CHECK_EQ(g.dev->edges, 3 + 41 + 1);

	/* Late ticks do not turn the time back. */
	g.t_ns += 5 * MS;
	one(&g, false);
	g.dev->ops->tick(g.dev, &g.frame, g.t_ns - 5 * MS);
	CHECK_EQ(SLOT(&g)->t_ns, g.t_ns);
	rig_close(&g);
}

static void counter(enum ring_kind kind)
{
	uint64_t samples;
	struct rig g;

	begin(GPIO_COUNTER, GPIO_FALLING);
	channel.window = 5;
	channel.scale = 60;	/* rpm */
	rig_open(&g, kind, &sensor);
	CHECK_EQ(fake.use, GPIO_USE_FALLING);
	for (unsigned i = 0; i < 5; i++) {
		tick(&g);
		CHECK_EQ(SLOT(&g)->state, CHANNEL_PROBING);
		one(&g, false);
		one(&g, false);
	}
	/* 10 edges in 5 ticks of 20 ms. */
	tick(&g);
	CHECK_EQ(SLOT(&g)->state, CHANNEL_LIVE);
	CHECK_NEAR(SLOT(&g)->value, 10 / 0.1 * 60, 1e-2);
	/* It slows down to nothing: each tick, two edges leave the window. */
	tick(&g);
	CHECK_NEAR(SLOT(&g)->value, 8 / 0.1 * 60, 1e-2);
	for (unsigned i = 0; i < 4; i++)
		tick(&g);
	CHECK_NEAR(SLOT(&g)->value, 0, 0);
	CHECK_EQ(SLOT(&g)->state, CHANNEL_LIVE);

	/* Lost ones count, and are told once; the channel stays live. */
	one_after(&g, 99, false);
	CHECK_EQ(SLOT(&g)->state, CHANNEL_LIVE);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 1);
	CHECK_EQ(g.dev->error, 0);
	tick(&g);
	CHECK_NEAR(SLOT(&g)->value, 100 / 0.1 * 60, 1e-2);
	CHECK_EQ(SLOT(&g)->fault, FAULT_NONE);

	/* Numbers that turn over are no gap, nor are those that jump back. */
	seqno = UINT32_MAX - 1;
	one(&g, false);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 1);
	one(&g, false);
	one(&g, false);
	one(&g, false);
	CHECK_EQ(seqno, 2);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 1);
	CHECK_EQ(g.dev->edges, 10 + 100 + 4);

	/* Opened anew: nobody knows what went by meanwhile. */
	CHECK_EQ(rig_reopen(&g), 0);
	seqno = 0;
	samples = SLOT(&g)->samples;
	for (unsigned i = 0; i < 5; i++)
		tick(&g);
	CHECK_EQ(SLOT(&g)->samples, samples);
	tick(&g);
	CHECK_EQ(SLOT(&g)->samples, samples + 1);
	CHECK_NEAR(SLOT(&g)->value, 0, 0);
	rig_close(&g);

	/* The first ones may be lost as well: a request counts from 1. */
	begin(GPIO_COUNTER, GPIO_BOTH);
	rig_open(&g, kind, &sensor);
	CHECK_EQ(fake.use, GPIO_USE_BOTH);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 0);
	one_after(&g, 16, true);
	CHECK_EQ(g.dev->edges, 17);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 1);
	/* It was still being looked at: a loss does not make a value of it. */
	CHECK(SLOT(&g)->state != CHANNEL_LIVE);
	rig_close(&g);
	channel.window = 0;
	channel.scale = 1;
}

/* Many at once, more than a buffer takes, and the ring's buffers are few. */
static void burst(enum ring_kind kind)
{
	struct gpio_v2_line_event e[2];
	struct rig g;

	begin(GPIO_COUNTER, GPIO_RISING);
	rig_open(&g, kind, &sensor);
	for (unsigned i = 0; i < 40; i++) {
		e[0] = edge(true, i);
		e[1] = edge(true, i);
		send_edges(e, 2);
	}
	take(&g, 80);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 0);
	CHECK_EQ(g.dev->errors, 0);
	CHECK_EQ(g.dev->bytes, 80 * sizeof *e);
	rig_close(&g);
}

static void trigger(enum ring_kind kind)
{
	struct gpio_v2_line_event e[2];
	struct rig g;

	begin(GPIO_TRIGGER, GPIO_RISING);
	rig_open(&g, kind, &sensor);
	CHECK_EQ(fake.use, GPIO_USE_RISING);
	CHECK_EQ(g.dev->edges, 0);
	e[0] = edge(true, g.t_ns - 900);
	e[1] = edge(true, g.t_ns - 500);
	send_edges(e, 2);
	take(&g, 2);
	CHECK_EQ(g.dev->edge_ns, g.t_ns - 500);
	/* An edge of the future would make a latency of centuries. */
	e[0] = edge(true, g.t_ns + 7);
	send_edges(e, 1);
	take(&g, 3);
	CHECK_EQ(g.dev->edge_ns, g.t_ns);
	/* Its value is edges a second, over the last second. */
	for (unsigned i = 0; i < 120; i++) {
		tick(&g);
		one(&g, true);
	}
	CHECK_EQ(SLOT(&g)->state, CHANNEL_LIVE);
	CHECK_NEAR(SLOT(&g)->value, 50, 1.5);
	rig_close(&g);

	/* A source of edges alone needs no channel. */
	begin(GPIO_TRIGGER, GPIO_RISING);
	sensor.channels = 0;
	rig_open(&g, kind, &sensor);
	one(&g, true);
	one_after(&g, 3, true);
	CHECK_EQ(g.dev->edges, 5);
	tick(&g);
	CHECK_EQ(SLOT(&g)->samples, 0);
	rig_close(&g);
	sensor.channels = 1;
}

static void unplugged(enum ring_kind kind)
{
	struct ring_event e;
	struct rig g;
	uint64_t reads;

	begin(GPIO_LEVEL, GPIO_BOTH);
	fake.refuse = -EBUSY;
	rig_create(&g, kind, &sensor);
	CHECK_EQ(g.dev->ops->open(g.dev), -EBUSY);
	CHECK(strstr(g.dev->why.text, "fake"));
	CHECK(!fake.held);
	CHECK(fake.requests > 1);
	/* An instance of ourselves that has just let go of it is waited for. */
	fake.refuse = 0;
	fake.busy = 2;
	CHECK_EQ(g.dev->ops->open(g.dev), 0);
	g.dev->ops->shut(g.dev);
	/* Taken, but it can not be read. */
	fake.broken = -EIO;
	CHECK_EQ(g.dev->ops->open(g.dev), -EIO);
	CHECK(!fake.held);
	CHECK(strstr(g.dev->why.text, "can not be read"));
	fake.broken = 0;
	CHECK_EQ(g.dev->ops->open(g.dev), 0);
	CHECK_EQ(g.dev->ops->attach(g.dev, g.ring), 0);
	tick(&g);
	one(&g, true);
	CHECK_NEAR(SLOT(&g)->value, 1, 0);

	/* The chip goes: the read ends, and no level is told any more. */
	shutdown(fake.fd[1], SHUT_RDWR);
	e = next_event(g.ring);
	while (e.more) {
		rig_complete(&g, &e);
		e = next_event(g.ring);
	}
	CHECK_EQ(rig_complete(&g, &e), 0);
	CHECK(g.dev->gone);
	CHECK(g.dev->error < 0);
	CHECK(g.dev->errors >= 1);
	reads = g.dev->reads;
	tick(&g);
	CHECK_EQ(g.dev->reads, reads);

	/* And is back, at another level, with numbers from 1. */
	fake.level = false;
	seqno = 0;
	CHECK_EQ(rig_reopen(&g), 0);
	CHECK(!g.dev->gone);
	CHECK_EQ(fake.releases, 3);
	tick(&g);
	CHECK_NEAR(SLOT(&g)->value, 0, 0);
	one(&g, true);
	CHECK_NEAR(SLOT(&g)->value, 1, 0);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 0);
	one(&g, false);
	one(&g, true);
	CHECK_EQ(rig_reopen(&g), 0);
	seqno = 0;
	one_after(&g, 5, true);
	CHECK_EQ(SLOT(&g)->faults[FAULT_LOST], 1);
	CHECK_EQ(g.dev->ops->detach(g.dev, g.ring), 0);
	CHECK_EQ(g.dev->ops->detach(g.dev, g.ring), 0);
	reads = g.dev->reads;
	tick(&g);
	CHECK_EQ(g.dev->reads, reads);
	rig_close(&g);
	CHECK(!fake.held);
}

static void nonsense(void)
{
	struct sensor_config s = sensor;
	struct why why;
	struct dev *d;

	*s.gpio.line = '\0';
	CHECK_EQ(dev_gpio.create(&d, &s, 0, &why), -EINVAL);
	CHECK(!d);
	s = sensor;
	s.gpio.mode = GPIO_TRIGGER + 1;
	CHECK_EQ(dev_gpio.create(&d, &s, 0, &why), -EINVAL);
	s = sensor;
	s.gpio.mode = GPIO_LEVEL;
	s.channels = 0;
	CHECK_EQ(dev_gpio.create(&d, &s, 0, &why), -EINVAL);
}

/* A constant 100 edges a second, looked at at any tick rate, gives 100 within one edge. */
static void meters(void)
{
	static const unsigned hz[] = { 1, 3, 50, 63, 64, 65, 100, 128, 192, 1000, 7919 };
	struct meter_mark marks[66];
	struct meter m;
	double rate;

	CHECK(meter_marks(0) <= 66);
	for (unsigned k = 0; k < sizeof hz / sizeof *hz; k++) {
		bool any = false;

		meter_init(&m, 0, marks);
		for (uint64_t i = 0; i < 4ull * hz[k]; i++) {
			uint64_t t = 5000000000u + i * 1000000000u / hz[k];

			if (!meter_look(&m, t / 10000000, t, &rate)) {
				CHECK(!any);
				continue;
			}
			any = true;
			CHECK_NEAR(rate, 100, 1.001);
			CHECK(t >= 6000000000u);
		}
		CHECK(any);
	}
	/* The same moment twice gives no rate, and spoils none. */
	meter_init(&m, 2, marks);
	CHECK(!meter_look(&m, 0, 1000, &rate));
	CHECK(!meter_look(&m, 5, 2000, &rate));
	CHECK(!meter_look(&m, 9, 2000, &rate));
	CHECK(meter_look(&m, 10, 3000, &rate));
	CHECK_NEAR(rate, 5e6, 1e-3);
	meter_reset(&m);
	CHECK(!meter_look(&m, 10, 4000, &rate));
	CHECK(!meter_look(&m, 20, 5000, &rate));
	CHECK(meter_look(&m, 30, 6000, &rate));
	CHECK_NEAR(rate, 1e7, 1e-3);
	/* A long hold-up: the marks of before it are all too old, the rate is the mean since. */
	meter_init(&m, 0, marks);
	for (uint64_t i = 0; i < 100; i++)
		meter_look(&m, i, 1000000000u + i * 20000000u, &rate);
	CHECK(meter_look(&m, 199, 12980000000u, &rate));
	CHECK_NEAR(rate, 10, 1e-6);
}

static void all(enum ring_kind kind)
{
	level(kind);
	counter(kind);
	burst(kind);
	trigger(kind);
	unplugged(kind);
}

int main(void)
{
	nonsense();
	meters();
	return on_both(all);
}
