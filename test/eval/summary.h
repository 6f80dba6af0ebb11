/* SPDX-License-Identifier: MIT */
/* summary: the jobs of one set summed up, and how a set is shown. */
#ifndef SONDE_EVAL_SUMMARY_H
#define SONDE_EVAL_SUMMARY_H

#include <stdbool.h>

#include "models/train/eval.h"
#include "models/train/nab.h"
#include "test/eval/job.h"

struct set {
	const char *name, *what;
	double rate_hz;		/* of its rows, for false alarms a day */
};

/* In the order of the tables. */
#define SETS 6
extern const struct set sets[SETS];

struct summary {
	const struct set *set;
	unsigned jobs, failed, rows;
	unsigned files[METHODS];	/* recordings that a method scored; 0: no figures */
	struct eval_figures figures[METHODS];
	bool has_nab, has_change;
	struct nab_result nab[METHODS];
	double change[METHODS][METRIC_PROFILES];	/* SKAB's change points */
};

/* job[jobs]: all of this set. -ENOMEM. */
int summary_make(struct summary *s, const struct set *set, const struct job *job, unsigned jobs,
		 struct why *why);

/* A figure from elsewhere to stand beside ours; NaN: not told. */
struct quoted {
	const char *set, *name;
	bool published;		/* by its authors; else measured with this folder's scorer */
	double roc_auc, ap, vus_pr, f1, far, mar;
	double nab[NAB_PROFILES];
};

extern const struct quoted quoted[];
extern const unsigned quoted_count;

void table_print(const struct summary *s);
int json_write(const char *path, const struct summary *s, unsigned count, struct why *why);

#endif
