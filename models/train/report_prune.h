/* SPDX-License-Identifier: MIT */
/* report_prune: what pruning took and what it cost: a table or one JSON object. */
#ifndef SONDE_TRAIN_REPORT_PRUNE_H
#define SONDE_TRAIN_REPORT_PRUNE_H

#include <stdbool.h>

#include "models/train/judge.h"
#include "models/train/prune.h"

struct prune_table {
	const char *path;		/* that was written */
	const char *test;		/* labelled set, or NULL */
	uint64_t file_bytes;
	struct judge before, after;
	double agreement;		/* correlation of the scores */
	unsigned rows, departures;	/* made up, in the recording */
	double seconds;
};

int report_prune(const struct model *m, const struct prune_report *r, const struct prune_table *t,
		 bool json);

#endif
