/* SPDX-License-Identifier: MIT */
/*
 * made: series such as channels of machines are, out of a seed: what the general model is
 * made from. Only adds, multiplies, divides and square roots, all correctly rounded, so that a
 * seed gives the same bits on every machine.
 */
#ifndef SONDE_TRAIN_MADE_H
#define SONDE_TRAIN_MADE_H

#include <stdint.h>

enum made_kind {
	MADE_NOISE,	/* first-order autoregression, from white to slow */
	MADE_RESONANCE,	/* second-order: a ringing part */
	MADE_SINE,	/* a turning part with an overtone, in noise */
	MADE_CYCLE,	/* a slow cycle, as of a day, in noise */
	MADE_CHANGES,	/* of a random walk with heavy tails */
	MADE_BURSTS,	/* quiet, with short bursts that fade */
	MADE_SWITCHING,	/* two levels, kept for a while each, in noise */
	MADE_COARSE,	/* a slow signal in few steps */
	MADE_CONSTANT,	/* the same value, seldom another by its last digit */
	MADE_KINDS
};

const char *made_name(enum made_kind kind);

/* x[rows] of one series of this kind, number `which` of its seed, in units of its own. */
void made_series(float *x, unsigned rows, enum made_kind kind, uint64_t seed, unsigned which);

#endif
