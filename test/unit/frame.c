// SPDX-License-Identifier: MIT
/* frame: what is believed, and how a channel leaves and comes back. */
#include "agent/frame.h"

#include "test/test.h"

int main(void)
{
	struct frame f;
	float value[FRAME_CHANNELS_MAX];
	uint8_t valid[FRAME_CHANNELS_MAX];

	memset(&f, 0xff, sizeof f);
	frame_init(&f, 3, 100);
	frame_close(&f, 1000, value, valid);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQ(f.slot[i].state, CHANNEL_ABSENT);
		CHECK(!valid[i]);
		CHECK_NEAR(value[i], 0, 0);
	}

	/* Read, but no value yet. */
	frame_probe(&f, 2);
	frame_close(&f, 1000, value, valid);
	CHECK_EQ(f.slot[2].state, CHANNEL_PROBING);
	CHECK(!valid[2]);
	CHECK_EQ(f.slot[2].errors, 0);

	frame_put(&f, 0, 1.5f, 1000);
	frame_put(&f, 1, 2.5f, 1050);
	frame_close(&f, 1040, value, valid);
	CHECK(valid[0]);
	CHECK(valid[1]);	/* newer than the tick */
	CHECK_NEAR(value[1], 2.5, 0);
	CHECK_EQ(f.slot[1].samples, 1);
	frame_probe(&f, 0);
	CHECK_EQ(f.slot[0].state, CHANNEL_LIVE);

	/* As old as allowed, then older: not believed, but its value stays. */
	frame_close(&f, 1100, value, valid);
	CHECK(valid[0]);
	frame_close(&f, 1101, value, valid);
	CHECK(!valid[0]);
	CHECK(valid[1]);
	CHECK_EQ(f.slot[0].state, CHANNEL_STALE);
	CHECK_NEAR(value[0], 1.5, 0);
	frame_put(&f, 0, 3, 1102);
	frame_close(&f, 1102, value, valid);
	CHECK(valid[0]);
	CHECK_EQ(f.slot[0].state, CHANNEL_LIVE);

	/* Not a number: counted, and the value before it stands until it is too old. */
	frame_put(&f, 0, NAN, 1150);
	frame_put(&f, 0, -INFINITY, 1150);
	CHECK_EQ(f.slot[0].errors, 2);
	CHECK_EQ(f.slot[0].t_ns, 1102);
	frame_close(&f, 1150, value, valid);
	CHECK(valid[0]);
	CHECK_NEAR(value[0], 3, 0);
	frame_close(&f, 1203, value, valid);
	CHECK(!valid[0]);

	/* A failed read is not believed from now on, and does not turn into mere age. */
	frame_fail(&f, 1, CHANNEL_FAULTY);
	frame_close(&f, 1060, value, valid);
	CHECK(!valid[1]);
	frame_close(&f, 9000, value, valid);
	CHECK_EQ(f.slot[1].state, CHANNEL_FAULTY);
	CHECK_EQ(f.slot[1].errors, 1);
	frame_put(&f, 1, 4, 9000);
	frame_close(&f, 9000, value, valid);
	CHECK(valid[1]);

	/* One that is read seldom is not stale between two reads. */
	frame_init(&f, 2, 100);
	f.slot[1].every_ns = 1000;
	frame_put(&f, 0, 1, 5000);
	frame_put(&f, 1, 1, 5000);
	frame_close(&f, 6100, value, valid);
	CHECK(!valid[0] && valid[1]);
	frame_close(&f, 6101, value, valid);
	CHECK(!valid[1]);

	frame_init(&f, 1000, 1);
	CHECK_EQ(f.n, FRAME_CHANNELS_MAX);
	return 0;
}
