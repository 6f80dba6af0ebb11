/* SPDX-License-Identifier: MIT */
/*
 * deploy: the model that goes to the board: int8, with a self-test, and nothing that only
 * training or another program needed.
 */
#ifndef SONDE_TRAIN_DEPLOY_H
#define SONDE_TRAIN_DEPLOY_H

#include <stdbool.h>

#include "models/train/draft.h"
#include "models/train/quantize.h"

struct deploy {
	struct draft base, out;		/* base: what was given, with a self-test */
	bool quantised;			/* it came as float: report says at what cost */
	struct quantize_report report;
	bool test_made;			/* it came without a self-test */
};

/*
 * c->out.m becomes what deploys m, float or int8, which must outlive it. rec: as in
 * quantize_model. Result: deploy_close, also after an error.
 */
int deploy_model(struct deploy *c, const struct model *m, const struct recording *rec,
		 struct why *why);
void deploy_close(struct deploy *c);

#endif
