/* SPDX-License-Identifier: MIT */
/*
 * inject: departures that are made up, put into rows that are normal: what the quick head
 * learns "not normal" from, and what views are compared on when nobody has labelled anything.
 * Each takes a few channels for a stretch of rows and does what sensors and machines do when
 * they fail: shift, drift, spike, grow restless, fall quiet, stand still, or follow another time.
 */
#ifndef SONDE_TRAIN_INJECT_H
#define SONDE_TRAIN_INJECT_H

#include <stdint.h>

struct why;

enum inject_kind {
	INJECT_SHIFT, INJECT_DRIFT, INJECT_SPIKE, INJECT_NOISE, INJECT_QUIET, INJECT_STUCK,
	INJECT_ELSEWHEN,
	INJECT_KINDS
};

struct inject_options {
	unsigned length;	/* rows of a departure, about */
	unsigned apart;		/* normal rows between two, at least */
	float size;		/* deviations, of those that have a size */
	uint64_t seed;
};

/*
 * x[rows][N] in channel units, changed in place; label[rows] becomes 1 where a departure is.
 * mean and std [N]: of each channel. Channels that never move are left alone. Returns how
 * many departures were put in.
 */
unsigned inject(float *x, uint8_t *label, unsigned rows, unsigned channels, const float *mean,
		const float *std, const struct inject_options *o);

const char *inject_name(enum inject_kind kind);

#endif
