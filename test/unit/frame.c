// SPDX-License-Identifier: MIT
/*
 * frame: what is believed, how a channel leaves and comes back, with a window and without. At the
 * end a sensor that lies at random: none of its lies is ever valid.
 */
#include "agent/window.h"
#include "kernels/why.h"
#include "test/unit/frame_fixture.h"

static void test_ages(void)
{
	memset(&f, 0xff, sizeof f);
	frame_init(&f, 3, 100);
	frame_close(&f, 1000, value, valid);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(f.slot[i].state, CHANNEL_ABSENT);
		CHECK(!valid[i]);
		CHECK_NEAR(value[i], 0, 0);
	}

	frame_put(&f, 0, 1.5f, 1000);
	frame_put(&f, 1, 2.5f, 1050);
	frame_close(&f, 1040, value, valid);
	CHECK(valid[0]);
	CHECK(valid[1]);	/* newer than the tick */
	CHECK_NEAR(value[1], 2.5, 0);
	CHECK_EQ(f.slot[1].samples, 1);

	/* As old as allowed, then older: not believed, but its value stays. */
	frame_close(&f, 1100, value, valid);
	CHECK(valid[0]);
	frame_close(&f, 1101, value, valid);
	CHECK(!valid[0]);
	CHECK(valid[1]);
	CHECK_EQ(f.slot[0].state, CHANNEL_STALE);
	CHECK_EQ(f.slot[0].fault, FAULT_NONE);
	CHECK_NEAR(value[0], 1.5, 0);
	frame_put(&f, 0, 3, 1102);
	frame_close(&f, 1102, value, valid);
	CHECK(valid[0]);
	CHECK_EQ(f.slot[0].state, CHANNEL_LIVE);

	/* A device's clock that runs ahead would keep its value fresh for ever. */
	frame_put(&f, 0, 4, 1300);
	CHECK(believed(1200));
	frame_put(&f, 0, 4, 1301);
	CHECK(!believed(1200));
	CHECK(put(4, 1202));

	/* One that is read seldom is not stale between two reads. */
	frame_init(&f, 2, 100);
	f.slot[1].every_ns = 1000;
	frame_put(&f, 0, 1, 5000);
	frame_put(&f, 1, 1, 5000);
	frame_close(&f, 6100, value, valid);
	CHECK(!valid[0] && valid[1]);
	frame_close(&f, 6101, value, valid);
	CHECK(!valid[1]);
	frame_init(&f, 1, UINT64_MAX);
	CHECK(put(1, 1) && believed(UINT64_MAX / 2));
	f.stale_ns = 100;
	f.slot[0].every_ns = UINT64_MAX;
	CHECK(put(1, 1) && believed(UINT64_MAX / 2));

	frame_init(&f, 1000, 1);
	CHECK_EQ(f.n, FRAME_CHANNELS_MAX);
}

static void test_fails(void)
{
	struct channel_slot next;

	frame_init(&f, 1, 100);
	CHECK(put(2.5f, 1000));
	/* A failed read is not believed from now on, and does not turn into mere age. */
	frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_CRC);
	CHECK(!believed(1060));
	CHECK(!believed(9000));
	CHECK_EQ(f.slot[0].state, CHANNEL_FAULTY);
	CHECK_EQ(f.slot[0].fault, FAULT_CRC);
	CHECK_EQ(f.slot[0].errors, 1);
	CHECK_EQ(f.slot[0].faults[FAULT_CRC], 1);
	CHECK_NEAR(value[0], 2.5, 0);
	CHECK(put(4, 9000));
	CHECK_EQ(f.slot[0].fault, FAULT_NONE);
	CHECK_EQ(f.slot[0].errors, 1);
	CHECK_EQ(f.slot[0].samples, 2);
	frame_fail(&f, 0, CHANNEL_ABSENT, FAULT_ABSENT);
	frame_fail(&f, 0, CHANNEL_ABSENT, FAULT_ABSENT);
	memcpy(&next, &f.slot[1], sizeof next);
	frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_KINDS);
	frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_KINDS + 1);
	CHECK(!memcmp(&next, &f.slot[1], sizeof next));
	frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_BUSY);
	CHECK_EQ(f.slot[0].faults[FAULT_ABSENT], 2);
	CHECK_EQ(f.slot[0].faults[FAULT_BUSY], 1);
	CHECK_EQ(f.slot[0].errors, 6);
	CHECK_EQ(f.slot[0].samples, 2);

	for (unsigned i = 0; i < FAULT_KINDS; i++)
		for (unsigned k = 0; k <= i; k++)
			CHECK_EQ(!strcmp(channel_fault_name(i), channel_fault_name(k)), i == k);
	CHECK_STR(channel_fault_name(FAULT_NONE), "none");
	CHECK_STR(channel_fault_name(FAULT_BUSY), "busy");
	CHECK_STR(channel_fault_name(FAULT_KINDS), "unknown");
	CHECK_STR(channel_fault_name((enum channel_fault)-1), "unknown");
}

static void test_probe(void)
{
	frame_init(&f, 1, 100);
	frame_probe(&f, 0);
	CHECK(!believed(1000));
	CHECK_EQ(f.slot[0].state, CHANNEL_PROBING);
	CHECK_EQ(f.slot[0].errors, 0);
	CHECK(put(1, 1000));
	/* A counter's step back is no news. */
	frame_probe(&f, 0);
	CHECK(believed(1000));
	CHECK(!believed(1101));
	frame_probe(&f, 0);
	CHECK(!believed(1101));
	CHECK_EQ(f.slot[0].state, CHANNEL_STALE);
	/* It is there again, but its value is from before. */
	frame_fail(&f, 0, CHANNEL_ABSENT, FAULT_ABSENT);
	frame_probe(&f, 0);
	CHECK(!believed(1050));
	CHECK_EQ(f.slot[0].state, CHANNEL_PROBING);
	CHECK_EQ(f.slot[0].fault, FAULT_ABSENT);
}

static struct window *window_on(struct channel_slot *s, unsigned kind, unsigned samples)
{
	struct feature_config c = { .kind = kind, .samples = samples };
	struct why why = { "" };

	if (window_open(&s->window, &c, &why))
		CHECK_STR(why.text, "");
	return s->window;
}

static void test_window(void)
{
	struct channel_slot *s = &f.slot[0];
	struct window *w;
	uint64_t t = S;

	frame_init(&f, 2, 100 * MS);
	w = window_on(s, FEATURE_MAX, 8);
	s->check.max = 100;
	CHECK(!believed(t));
	CHECK_EQ(s->state, CHANNEL_ABSENT);
	frame_probe(&f, 0);
	CHECK(!believed(t));
	CHECK_EQ(s->state, CHANNEL_PROBING);
	for (unsigned i = 0; i < 7; i++) {
		CHECK(!put(i, t += 10 * MS));
		CHECK_EQ(s->state, CHANNEL_PROBING);
		CHECK_NEAR(value[0], 0, 0);
	}
	CHECK(put(3, t += 10 * MS));
	CHECK_NEAR(value[0], 6, 0);
	CHECK_EQ(s->samples, 8);
	CHECK_EQ(s->t_ns, t);
	frame_put(&f, 0, 3, t += 10 * MS);
	CHECK_EQ(s->state, CHANNEL_LIVE);
	/* A tick without a sample, too old, and back at once: it is still full. */
	CHECK(believed(t + 100 * MS));
	CHECK(!believed(t + 100 * MS + 1));
	CHECK_EQ(s->state, CHANNEL_STALE);
	CHECK_NEAR(value[0], 6, 0);
	CHECK(put(1, t += 110 * MS));
	/* A fault never gets into it. */
	CHECK(!put(500, t += 10 * MS));
	CHECK_EQ(s->state, CHANNEL_FAULTY);
	CHECK_NEAR(value[0], 6, 0);
	frame_probe(&f, 0);
	CHECK(!believed(t));
	CHECK_EQ(s->state, CHANNEL_PROBING);
	for (unsigned i = 0; i < 8; i++)
		CHECK(put(2, t += 10 * MS));
	CHECK_NEAR(value[0], 2, 0);
	frame_fail(&f, 0, CHANNEL_FAULTY, FAULT_BUS);
	CHECK(!believed(t));
	CHECK(put(2, t += 10 * MS));
	/* After a gap in time it fills anew, and a half-full one gets old as well. */
	CHECK(!put(3, t += 2 * S));
	CHECK_EQ(s->state, CHANNEL_PROBING);
	CHECK(!believed(t + 101 * MS));
	CHECK_EQ(s->state, CHANNEL_STALE);
	for (unsigned i = 0; i < 6; i++)
		CHECK(!put(3, t += 10 * MS));
	CHECK(put(3, t += 10 * MS));
	CHECK_NEAR(value[0], 3, 0);
	/* What was unplugged is not mixed with what comes next. */
	frame_fail(&f, 0, CHANNEL_ABSENT, FAULT_ABSENT);
	for (unsigned i = 0; i < 7; i++)
		CHECK(!put(1, t += 10 * MS));
	CHECK(put(1, t += 10 * MS));
	CHECK_NEAR(value[0], 1, 0);
	window_close(w);
}

static uint64_t seed = 3;

static unsigned rnd(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % n;
}

/*
 * The truth creeps up and down; of the lies, a jump, nonsense, a NaN, a value out of range or a
 * failed read, none is ever what a valid channel says, and the first truth behind them is.
 */
static void test_liar(void)
{
	unsigned lies = 0, since_lie = 100, counted = 0;
	float truth = 20;

	frame_init(&f, 1, 10 * S);
	f.slot[0].check = (struct channel_check){ .min = -40, .max = 125, .rate = 0.1f };
	for (unsigned i = 1; i < 200000; i++) {
		uint64_t t = i * S;
		bool ok;

		truth += ((int)rnd(3) - 1) * 0.05f;
		truth = fminf(fmaxf(truth, 0), 40);
		if (rnd(20)) {
			ok = put(truth, t);
			since_lie++;
		} else {
			/* No two jumps in a row that agree: a new level would be believed. */
			float lie[] = { truth + 20 + rnd(1000) * 0.05f, NAN, INFINITY, 1e30f, -41 };
			unsigned kind = since_lie > 1 ? rnd(6) : 1 + rnd(5);

			if (kind < 5)
				frame_put(&f, 0, lie[kind], t);
			else
				frame_fail(&f, 0, CHANNEL_FAULTY, 1 + rnd(FAULT_KINDS - 1));
			ok = believed(t);
			CHECK(!ok);
			since_lie = 0;
			lies++;
		}
		if (ok)
			CHECK_NEAR(value[0], truth, 0);
		if (since_lie)
			CHECK(ok);
	}
	for (unsigned i = 0; i < FAULT_KINDS; i++)
		counted += f.slot[0].faults[i];
	CHECK(lies > 9000);
	CHECK(counted >= lies);
	CHECK_EQ(counted, f.slot[0].errors);
	CHECK_EQ(f.slot[0].samples + counted, 199999);
}

int main(void)
{
	test_ages();
	test_fails();
	test_probe();
	test_window();
	test_liar();
	return 0;
}
