/* SPDX-License-Identifier: MIT */
/*
 * progress: one line on standard error that says how far training is. On a
 * terminal it is redrawn in place; elsewhere a line every two seconds.
 */
#ifndef SONDE_TRAIN_PROGRESS_H
#define SONDE_TRAIN_PROGRESS_H

#include <stdbool.h>

struct progress {
	bool quiet, terminal, open;	/* open: a redrawn line has no newline yet */
	unsigned width;
	double began, last;		/* seconds, monotonic */
};

void progress_init(struct progress *p, bool quiet);

/* After epoch `done` of `of`: mean squares. */
void progress_epoch(struct progress *p, unsigned done, unsigned of, double loss,
		    double held, double best);

void progress_end(struct progress *p);

/* Seconds since progress_init. */
double progress_elapsed(const struct progress *p);

#endif
