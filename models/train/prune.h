/* SPDX-License-Identifier: MIT */
/*
 * prune: a model made smaller, then tuned and calibrated again.
 *
 * Structured: whole hidden units leave, those whose gate rows have the least L2 norm, in each
 * layer as many; with a unit go its gate rows and the columns that read it, so that all matrices
 * are physically smaller. What stays is rounded down to whole vectors where that is not far. Of
 * a model without a net the components of the subspace that hold least of the variance leave.
 * Unstructured: the weights of least magnitude become and stay zero, in the dense parts: head,
 * graph projection and quick head (Han et al. 2015). These cost neither less time nor fewer
 * bytes in a file that stores them all; they compress.
 *
 * Tuning never loses: the state before its first epoch competes (learn.h).
 */
#ifndef SONDE_TRAIN_PRUNE_H
#define SONDE_TRAIN_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/train/judge.h"
#include "models/train/learn.h"

struct draft;
struct why;

/* Where weights become zero; bits. */
enum prune_part {
	PRUNE_DENSE = 1,	/* head, graph projection, quick head */
	PRUNE_LINEAR = 2,
	PRUNE_SUBSPACE = 4
};

#define PRUNE_UNITS 0.3
#define PRUNE_WEIGHTS 0.2
#define PRUNE_EPOCHS 30u

struct prune_options {
	double units;		/* share of the units (without a net: components) that go, 0 to 0.95 */
	double weights;		/* share of the weights of `parts` that become zero, 0 to 0.95 */
	unsigned parts;		/* 0: DENSE, and of a model without a net LINEAR */
	uint64_t seed;		/* of the departures that the quick head learns from */
	struct learn_options learn;
};

struct prune_report {
	bool net;
	unsigned parts;			/* as used */
	unsigned units, units_kept;	/* of the net's layers, each */
	unsigned rank, rank_kept;
	uint64_t weights, zeroed;	/* of the parts, after the units went */
	bool folds;			/* calibrated on rows that the linear parts were made without */
	struct learn_report learn;	/* .curve: the caller frees; epochs 0: nothing to tune */
};

/* PRUNE_UNITS, PRUNE_WEIGHTS and PRUNE_EPOCHS, the rest zero. */
struct prune_options prune_defaults(void);

/*
 * d->m (d zeroed) becomes m pruned; m is float and outlives d. x[rows][N] is normal operation in
 * m's channels, best what m was fitted on; it must outlive the call. -EINVAL, -ENOMEM; what
 * learn() and calibrate() return.
 */
int prune_model(struct draft *d, const struct model *m, const float *x, unsigned rows,
		const struct prune_options *o, struct prune_report *report, struct why *why);

/*
 * prune_net.c. Of each layer which units stay, by the L2 norm of their gate rows, ascending;
 * keep[2][kept] (kept of them in each layer). -ENOMEM.
 */
struct net;
int prune_choose(unsigned *keep, const struct net *n, unsigned kept);
/* n with these units alone. -ENOMEM. Result: net_close. */
int prune_shrink(struct net **out, const struct net *n, const unsigned *keep, unsigned kept);
/*
 * mask[count] becomes 0 at the share of smallest magnitudes of w[count], else stays; zeros count
 * among them. Returns how many are 0 in it then. -ENOMEM.
 */
int64_t prune_smallest(float *mask, const float *w, uint64_t count, double share);

#endif
