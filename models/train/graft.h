/* SPDX-License-Identifier: MIT */
/* graft: another net into a model that is there, measured anew: what distill and search make. */
#ifndef SONDE_TRAIN_GRAFT_H
#define SONDE_TRAIN_GRAFT_H

#include <stdint.h>

#include "models/train/quick_fit.h"

struct detector_spec;
struct draft;
struct net;
struct refit;
struct why;

struct graft {
	const struct net *net;			/* its outputs in u; NULL: none */
	float margin;				/* of the quick head; 0: none */
	const struct detector_spec *teacher;	/* of the quick head, or NULL */
	float soft_weight;			/* of the teacher */
	uint64_t seed;				/* of the departures that the quick head learns from */
};

/*
 * d->m has all but the net; it becomes the model with it, calibrated on r. quick is zeroed
 * where no head came of it. -ENOMEM; as calibrate.
 */
int graft_net(struct draft *d, const struct graft *g, const struct refit *r,
	      struct quick_report *quick, struct why *why);

#endif
