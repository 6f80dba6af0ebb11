/* SPDX-License-Identifier: MIT */
/* frame_fixture: the frame under test, and a reading of its first channel with a tick at once. */
#ifndef SONDE_TEST_FRAME_FIXTURE_H
#define SONDE_TEST_FRAME_FIXTURE_H

#include <stdbool.h>

#include "agent/frame.h"
#include "test/test.h"

#define MS 1000000ull
#define S 1000000000ull

static struct frame f;
static float value[FRAME_CHANNELS_MAX];
static uint8_t valid[FRAME_CHANNELS_MAX];

/* The tick at t_ns: is channel 0 believed? */
static inline bool believed(uint64_t t_ns)
{
	frame_close(&f, t_ns, value, valid);
	return valid[0];
}

/* A reading, and a tick at once. */
static inline bool put(float v, uint64_t t_ns)
{
	frame_put(&f, 0, v, t_ns);
	return believed(t_ns);
}

#endif
