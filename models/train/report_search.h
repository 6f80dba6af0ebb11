/* SPDX-License-Identifier: MIT */
/* report_search: the candidates, the Pareto front and the winner: a table or one JSON object. */
#ifndef SONDE_TRAIN_REPORT_SEARCH_H
#define SONDE_TRAIN_REPORT_SEARCH_H

#include <stdbool.h>

#include "models/train/search.h"

struct model;

/* m: the winner, written to path. */
int report_search(const struct model *m, const struct search_report *r,
		  const struct search_options *o, const char *path, uint64_t bytes,
		  double seconds, bool json);

#endif
