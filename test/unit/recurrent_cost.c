// SPDX-License-Identifier: MIT
/*
 * Steps of the recurrent view in every form and of every kind: no allocation, no page
 * fault. The allocator's functions are this program's own here, in front of the C library's.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include "kernels/recurrent.h"
#include "test/test.h"
#include "test/unit/count_allocations.h"
#include "test/unit/recurrent_fixture.h"

#define STEPS 20000
#define CHANNELS 12

static long faults(void)
{
	struct rusage u;

	CHECK_EQ(getrusage(RUSAGE_THREAD, &u), 0);
	return u.ru_minflt + u.ru_majflt;
}

static void run(struct recurrent *r, const struct recurrent_spec *s, struct fixture *f,
		unsigned steps)
{
	float z[CHANNELS], out[CHANNELS];

	for (unsigned i = 0; i < steps; i++) {
		for (unsigned k = 0; k < CHANNELS; k++)
			z[k] = fixture_float(f, 12);
		recurrent_advance(r, z);
		if (s->kind == RECURRENT_FORECAST)
			recurrent_forecast(r, out);
		else
			recurrent_window(r);
		if (i == steps / 2)
			recurrent_reset(r);
	}
}

static void cost(enum recurrent_kind kind, enum form form, int fc)
{
	struct fixture f = { .random = 1 };
	unsigned layers = kind == RECURRENT_FORECAST ? 2 : 1, steps = STEPS;
	struct recurrent_spec s = fixture_net(&f, kind, CHANNELS, 32, layers, form);
	struct recurrent *r;
	long least = -1;

	if (kind == RECURRENT_FORECAST) {
		fixture_graph(&f, &s, 4, 4, form);
	} else {
		s.window = 8;
		steps /= 16;
	}
	CHECK_EQ(recurrent_open(&r, &s, Z_INV_STEP, (enum fc_kind)fc, NULL), 0);
	run(r, &s, &f, 64);
#ifndef SONDE_SANITIZED
	unsigned long before = allocations;

	run(r, &s, &f, steps);
	if (allocations != before) {
		fprintf(stderr, "kind %d, form %d, fc %d: %lu allocations\n", (int)kind, (int)form,
			fc, allocations - before);
		exit(1);
	}
#endif
	/* The kernel may take a page back meanwhile: not thrice, though. */
	for (unsigned turn = 0; turn < 3 && least; turn++) {
		long begin = faults(), n;

		run(r, &s, &f, steps);
		n = faults() - begin;
		least = least < 0 || n < least ? n : least;
	}
	if (least) {
		fprintf(stderr, "kind %d, form %d, fc %d: %ld page faults\n", (int)kind, (int)form,
			fc, least);
		exit(1);
	}
	recurrent_close(r);
	fixture_close(&f);
}

int main(void)
{
	mlockall(MCL_CURRENT);
	for (enum form form = 0; form < FORMS; form++)
		for (int fc = 0; fc < FC_KINDS; fc++) {
			cost(RECURRENT_FORECAST, form, fc);
			cost(RECURRENT_AUTOENCODER, form, fc);
		}
	return 0;
}
