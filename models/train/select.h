/* SPDX-License-Identifier: MIT */
/*
 * select: which views a model keeps. One rule for all data, on the training recording alone: a
 * view stays when it carries over, that is when rows that its operators were made without look
 * to it about as rows that they were made from do. What is left of its not carrying over is
 * in its weight already: it is divided by the former's median.
 *
 * Departures made up and put into the recording (inject.h) were tried as the judge and are
 * not used: they are short and strong, so they prefer fast views, which on real faults lost
 * .02 to .16 of the ROC-AUC against keeping all.
 */
#ifndef SONDE_TRAIN_SELECT_H
#define SONDE_TRAIN_SELECT_H

#include "kernels/detector.h"

struct draft;
struct recording;
struct why;

/* Most that a view's median may grow from rows known to rows unknown. */
#define SELECT_CARRY_MAX 2.0

/*
 * d->m.spec has every view that could be made, with a weight; those left out get weight 0.
 * views: bits of those to keep without being asked, 0: choose. carry[v]: the median of view v on
 * rows unknown over that on rows known; NAN where there is no such view. Calibrates d on the way.
 */
int select_views(struct draft *d, const struct recording *rec, unsigned views,
		 double carry[VIEWS], struct why *why);

#endif
