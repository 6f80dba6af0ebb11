/* SPDX-License-Identifier: MIT */
/* report_distill: teacher, students and the same net alone: a table or one JSON object. */
#ifndef SONDE_TRAIN_REPORT_DISTILL_H
#define SONDE_TRAIN_REPORT_DISTILL_H

#include <stdbool.h>
#include <stdint.h>

struct distill_report;
struct model;

/* m: what was written to path; hidden: the teacher's. */
int report_distill(const struct model *m, const struct distill_report *r, unsigned hidden,
		   const char *path, uint64_t bytes, double seconds, bool json);

#endif
