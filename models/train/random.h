/* SPDX-License-Identifier: MIT */
/*
 * random: the trainer's only source of chance, so that a seed gives the same
 * file again. SplitMix64 (Steele, Lea & Flood 2014): one word of state.
 */
#ifndef SONDE_TRAIN_RANDOM_H
#define SONDE_TRAIN_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Uniform in [-1, 1). */
static inline float random_uniform(struct random *r)
{
	return (float)(int32_t)(random_next(r) >> 32) * 0x1p-31f;
}

#endif
