/* SPDX-License-Identifier: MIT */
/* report_eval: what eval found, a method a line: a table or one JSON object, on standard output. */
#ifndef SONDE_TRAIN_REPORT_EVAL_H
#define SONDE_TRAIN_REPORT_EVAL_H

#include <stdbool.h>

#include "models/train/eval.h"

struct eval_row {
	const char *name;	/* the model's path, or the rival's name */
	bool rival;
	float limit;
	struct eval_figures figures;
};

struct eval_report {
	const char *test, *train;	/* paths; train NULL: only the random rival was possible */
	unsigned rows, anomalous, events, window;
	double rate_hz;
	const struct eval_row *row;
	unsigned row_count;
};

int report_eval(const struct eval_report *r, bool json);

#endif
