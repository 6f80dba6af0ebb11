/* SPDX-License-Identifier: MIT */
/* crew: jobs in as many processes as asked, each job alone in its own. */
#ifndef SONDE_EVAL_CREW_H
#define SONDE_EVAL_CREW_H

#include <stdbool.h>

struct job;
struct why;

/*
 * Gives every job its shared memory, runs all and says on standard error how far it is.
 * A job that fails, or dies, says so in its result and ends nobody else's. -ENOMEM, -errno
 * of fork. *memory is munmapped by crew_free.
 */
struct crew_memory {
	void *at;
	unsigned long size;
};

int crew_run(struct crew_memory *memory, struct job *job, unsigned jobs, const char *tool,
	     bool prune, unsigned processes, struct why *why);
void crew_free(struct crew_memory *memory);

#endif
