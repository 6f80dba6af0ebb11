/* SPDX-License-Identifier: MIT */
/* window_fixture: what the tests of windows share: numbers by chance, always the same; a window. */
#ifndef SONDE_TEST_WINDOW_FIXTURE_H
#define SONDE_TEST_WINDOW_FIXTURE_H

#include "agent/window.h"
#include "kernels/why.h"
#include "test/test.h"

#define MS 1000000ull

static uint64_t seed = 1;

static inline double uniform(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (double)(seed >> 11) / (1ull << 53);
}

static inline struct window *make(unsigned kind, unsigned samples, double lo, double hi)
{
	struct feature_config c = { .kind = kind, .lo_hz = lo, .hi_hz = hi, .samples = samples };
	struct why why = { "" };
	struct window *w;

	if (window_open(&w, &c, &why)) {
		fprintf(stderr, "window_open: %s\n", why.text);
		exit(1);
	}
	return w;
}

#endif
