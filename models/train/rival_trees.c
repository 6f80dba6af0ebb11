// SPDX-License-Identifier: MIT
/*
 * rival_trees: streaming half-space trees (Tan, Ting & Liu, IJCAI 2011) with the paper's
 * settings. A tree halves a random box about the data, a random channel at a time, before it
 * has seen any; what it learns is how many of the last rows fell into each half. A row that
 * falls where few did is odd. Every so many rows the counts just gathered become the
 * reference: it goes on learning, anomalies included.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/train/random.h"
#include "models/train/rival_impl.h"

#define TREES 25u
#define DEPTH 15u
#define NODES ((2u << DEPTH) - 1)	/* heap order: children of i are 2i + 1 and 2i + 2 */
#define INNER ((1u << DEPTH) - 1)	/* those that split */
#define SPARSE 0.1f			/* of a period's rows, with which a descent ends early */

struct tree {
	uint16_t channel[INNER];
	float split[INNER];
	uint16_t reference[NODES], latest[NODES];	/* rows of a period that came through */
};

struct trees {
	unsigned channels, period, seen;	/* seen: rows of this period */
	float *low, *inv_range;			/* [channels] data to about 0 .. 1 */
	float *row;				/* [channels] scaled */
	struct tree *tree;			/* [TREES] */
};

/* Halve the box min[channels]..max[channels] at node, and so on below it. */
static void grow(struct tree *t, unsigned node, float *min, float *max, unsigned channels,
		 struct random *rng)
{
	unsigned c = (unsigned)(random_next(rng) % channels);
	float low, high;

	if (node >= INNER)
		return;
	low = min[c];
	high = max[c];
	t->channel[node] = (uint16_t)c;
	t->split[node] = (low + high) / 2;
	max[c] = t->split[node];
	grow(t, 2 * node + 1, min, max, channels, rng);
	max[c] = high;
	min[c] = t->split[node];
	grow(t, 2 * node + 2, min, max, channels, rng);
	min[c] = low;
}

/* Each tree's box is off centre at random, and at least twice as wide as the data. */
static int plant(struct trees *t, uint64_t seed)
{
	float *min = malloc(2 * (size_t)t->channels * sizeof(*min)), *max = min + t->channels;
	struct random rng = { seed };

	if (!min)
		return -ENOMEM;
	for (unsigned k = 0; k < TREES; k++) {
		for (unsigned i = 0; i < t->channels; i++) {
			float centre = (random_uniform(&rng) + 1) / 2;
			float half = 2 * fmaxf(centre, 1 - centre);

			min[i] = centre - half;
			max[i] = centre + half;
		}
		grow(&t->tree[k], 0, min, max, t->channels, &rng);
	}
	free(min);
	return 0;
}

int trees_open(struct trees **out, unsigned channels, const float *low, const float *range,
	       unsigned period, uint64_t seed)
{
	struct trees *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->channels = channels;
	t->period = period;
	t->low = malloc(channels * sizeof(*t->low));
	t->inv_range = malloc(channels * sizeof(*t->inv_range));
	t->row = malloc(channels * sizeof(*t->row));
	t->tree = calloc(TREES, sizeof(*t->tree));
	if (!t->low || !t->inv_range || !t->row || !t->tree || plant(t, seed)) {
		trees_close(t);
		return -ENOMEM;
	}
	memcpy(t->low, low, channels * sizeof(*low));
	for (unsigned i = 0; i < channels; i++)
		t->inv_range[i] = 1 / range[i];
	*out = t;
	return 0;
}

void trees_close(struct trees *t)
{
	if (!t)
		return;
	free(t->low);
	free(t->inv_range);
	free(t->row);
	free(t->tree);
	free(t);
}

/* The mass of the row's place by the reference; the whole path counts it in. */
static float descend(struct tree *t, const float *row, float sparse)
{
	float mass = 0, size = 1;
	unsigned node = 0, ended = 0;

	for (unsigned d = 0; d <= DEPTH; d++, size *= 2) {
		t->latest[node]++;
		if (!ended && (d == DEPTH || t->reference[node] <= sparse)) {
			mass = t->reference[node] * size;
			ended = 1;
		}
		if (d < DEPTH)
			node = 2 * node + (row[t->channel[node]] < t->split[node] ? 1 : 2);
	}
	return mass;
}

static void next_period(struct trees *t)
{
	for (unsigned k = 0; k < TREES; k++) {
		memcpy(t->tree[k].reference, t->tree[k].latest, sizeof(t->tree[k].reference));
		memset(t->tree[k].latest, 0, sizeof(t->tree[k].latest));
	}
	t->seen = 0;
}

float trees_step(struct trees *t, const float *row)
{
	float mass = 0, most = (float)TREES * (float)t->period * (1u << DEPTH);

	for (unsigned i = 0; i < t->channels; i++)
		t->row[i] = (row[i] - t->low[i]) * t->inv_range[i];
	for (unsigned k = 0; k < TREES; k++)
		mass += descend(&t->tree[k], t->row, SPARSE * (float)t->period);
	if (++t->seen == t->period)
		next_period(t);
	/* Mass spans many powers of two: its logarithm gives limits a scale, and changes no rank. */
	return logf(1 + most) - logf(1 + mass);
}
