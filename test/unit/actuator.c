// SPDX-License-Identifier: MIT
/* actuator: the minimum, a chip that is absent, busy, lost and back; a clock of our own. */
#include "agent/actuator.h"

#include "test/unit/dev_gpio_fake.h"

#define S 1000000000ull

static const struct output_config relay = {
	.name = "relay", .gpio = { .line = "RELAY" }, .minimum_s = 5,
};

static struct actuator *open_relay(void)
{
	struct why why = { "" };
	struct actuator *a;

	CHECK_EQ(actuator_open(&a, &relay, &why), 0);
	return a;
}

static struct actuator_state state_of(const struct actuator *a)
{
	struct actuator_state s;

	actuator_state(a, &s);
	return s;
}

static void minimum(void)
{
	struct actuator *a;

	fake_install();
	fake.level = true;
	a = open_relay();
	CHECK_EQ(fake.use, GPIO_USE_OUTPUT_OFF);
	CHECK(!fake.level);
	CHECK(state_of(a).present && !state_of(a).on);
	CHECK_EQ(state_of(a).on_ns, 0);

	/* A short alarm: on for five seconds. */
	CHECK_EQ(actuator_alarm(a, true, 100 * S), 0);
	CHECK(fake.level);
	CHECK(actuator_tick(a, 100 * S) > 105 * S);
	CHECK_EQ(actuator_alarm(a, false, 101 * S), 0);
	CHECK(fake.level);
	CHECK_EQ(actuator_tick(a, 101 * S), 105 * S);
	CHECK_EQ(actuator_tick(a, 105 * S - 1), 105 * S);
	CHECK(fake.level);
	CHECK(actuator_tick(a, 105 * S) > 105 * S);
	CHECK(!fake.level);
	CHECK_EQ(state_of(a).switched, 1);
	CHECK_EQ(state_of(a).on_ns, 100 * S);

	/* Again within its minimum: counted from when it went on, and the same switching. */
	CHECK_EQ(actuator_alarm(a, true, 110 * S), 0);
	CHECK_EQ(actuator_alarm(a, false, 112 * S), 0);
	CHECK_EQ(actuator_alarm(a, true, 113 * S), 0);
	CHECK_EQ(state_of(a).switched, 2);
	actuator_tick(a, 114 * S);
	CHECK(fake.level);
	/* A long one ends with the alarm. */
	actuator_tick(a, 130 * S);
	CHECK(fake.level);
	CHECK_EQ(actuator_alarm(a, false, 131 * S), 0);
	CHECK(!fake.level);
	CHECK_EQ(fake.sets, 4);
	CHECK_EQ(state_of(a).errors, 0);

	/* Off at close, whatever the alarm. */
	actuator_alarm(a, true, 140 * S);
	CHECK(fake.level);
	actuator_close(a);
	CHECK(!fake.level);
	CHECK(!fake.held);
	actuator_close(NULL);
}

/* Ticks exactly when wanted: how often was the line asked for until then? */
static uint64_t tick_until(struct actuator *a, uint64_t now_ns, uint64_t end_ns)
{
	uint64_t next = actuator_tick(a, now_ns);

	while (next && next < end_ns) {
		CHECK(next > now_ns);
		now_ns = next;
		next = actuator_tick(a, now_ns);
	}
	return next;
}

static void absent(void)
{
	struct actuator *a;
	uint64_t next;

	fake_install();
	fake.refuse = -ENOENT;
	a = open_relay();
	CHECK_EQ(fake.requests, 1);
	CHECK(!state_of(a).present);
	CHECK_EQ(state_of(a).error, -ENOENT);
	CHECK(strstr(state_of(a).why.text, "fake"));
	/* 1, 2, 4, 8, 16, 30, 30 ... seconds apart: 8 requests in two minutes, not 120. */
	next = tick_until(a, 10 * S, 130 * S);
	CHECK(fake.requests >= 6 && fake.requests <= 9);
	CHECK(next > 130 * S && next <= 161 * S);
	CHECK_EQ(state_of(a).errors, fake.requests);

	/* An alarm does not wait for the retry, and is not made up for when it has passed. */
	CHECK_EQ(actuator_alarm(a, true, 131 * S), -ENOENT);
	CHECK(!state_of(a).on && state_of(a).alarm);
	CHECK_EQ(actuator_alarm(a, false, 132 * S), -ENOENT);
	fake.refuse = 0;
	actuator_kick(a);
	actuator_tick(a, 133 * S);
	CHECK(state_of(a).present);
	CHECK_EQ(state_of(a).error, 0);
	CHECK_STR(state_of(a).why.text, "");
	CHECK(!fake.level && !state_of(a).on);
	CHECK_EQ(state_of(a).switched, 0);
	actuator_kick(a);
	actuator_tick(a, 133 * S);
	CHECK_EQ(fake.releases, 0);
	actuator_close(a);

	/* It is back when the alarm comes, before a retry has found that out. */
	fake_install();
	fake.refuse = -ENOENT;
	a = open_relay();
	fake.refuse = 0;
	CHECK_EQ(actuator_alarm(a, true, 10 * S), 0);
	CHECK(fake.level);
	CHECK_EQ(state_of(a).switched, 1);
	actuator_close(a);

	/* It comes during the alarm: on at once, from the first moment. */
	fake_install();
	fake.refuse = -EBUSY;
	a = open_relay();
	CHECK_EQ(actuator_alarm(a, true, 10 * S), -EBUSY);
	next = actuator_tick(a, 10 * S);
	CHECK_EQ(next, 11 * S);
	fake.refuse = 0;
	actuator_tick(a, next);
	CHECK_EQ(fake.use, GPIO_USE_OUTPUT_ON);
	CHECK(fake.level);
	CHECK_EQ(fake.sets, 0);
	CHECK_EQ(state_of(a).on_ns, 11 * S);
	/* The minimum counts from there. */
	CHECK_EQ(actuator_alarm(a, false, 12 * S), 0);
	CHECK_EQ(actuator_tick(a, 12 * S), 16 * S);
	actuator_tick(a, 16 * S);
	CHECK(!fake.level);
	actuator_close(a);
}

static void lost(void)
{
	struct actuator *a;
	uint64_t next;

	/* Found out without an alarm. */
	fake_install();
	a = open_relay();
	next = actuator_tick(a, 10 * S);
	CHECK(next > 10 * S && next <= 70 * S);
	fake.broken = fake.refuse = -ENODEV;
	next = actuator_tick(a, next);
	CHECK(!state_of(a).present);
	CHECK_EQ(state_of(a).error, -ENODEV);
	CHECK_EQ(fake.releases, 1);
	fake.broken = fake.refuse = 0;
	actuator_tick(a, next);
	CHECK(state_of(a).present);

	/* Found out by switching: the chip was bound again meanwhile, so a new request does it. */
	fake.broken = -ENODEV;
	CHECK_EQ(actuator_alarm(a, true, 200 * S), 0);
	CHECK(fake.level);
	CHECK_EQ(fake.use, GPIO_USE_OUTPUT_ON);
	CHECK_EQ(fake.releases, 2);
	CHECK_EQ(state_of(a).switched, 1);
	fake.broken = 0;

	/* Lost while on, and back during the same alarm. */
	fake.broken = fake.refuse = -ENODEV;
	next = tick_until(a, 201 * S, 215 * S);
	CHECK(!state_of(a).present && !state_of(a).on);
	fake.broken = fake.refuse = 0;
	fake.level = false;
	tick_until(a, next, 300 * S);
	CHECK(fake.level && state_of(a).on);
	CHECK_EQ(state_of(a).switched, 2);

	/* It can not be switched off any more. */
	fake.broken = fake.refuse = -ENODEV;
	CHECK_EQ(actuator_alarm(a, false, 400 * S), -ENODEV);
	CHECK(!state_of(a).present);
	fake.broken = fake.refuse = 0;
	fake.level = true;
	tick_until(a, 400 * S, 402 * S);
	CHECK(state_of(a).present && !fake.level);
	actuator_close(a);
}

static void nonsense(void)
{
	struct output_config c = relay;
	struct why why = { "" };
	struct actuator *a;

	fake_install();
	*c.gpio.line = '\0';
	CHECK_EQ(actuator_open(&a, &c, &why), -EINVAL);
	CHECK(!a);
	CHECK(strstr(why.text, "relay"));
	CHECK_EQ(fake.requests, 0);
	/* Without a minimum it follows the alarm. */
	c = relay;
	c.minimum_s = 0;
	CHECK_EQ(actuator_open(&a, &c, &why), 0);
	CHECK_EQ(actuator_alarm(a, true, S), 0);
	CHECK(fake.level);
	CHECK_EQ(actuator_alarm(a, false, S), 0);
	CHECK(!fake.level);
	actuator_close(a);
}

int main(void)
{
	minimum();
	absent();
	lost();
	nonsense();
	return 0;
}
