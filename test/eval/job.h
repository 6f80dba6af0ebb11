/* SPDX-License-Identifier: MIT */
/*
 * job: one recording of a set: fitted, quantised and pruned by the tool as a user would,
 * scored by all methods. Jobs run in processes of their own (crew.h); what they find lies in
 * memory that those share.
 */
#ifndef SONDE_EVAL_JOB_H
#define SONDE_EVAL_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/detector.h"
#include "models/train/nab.h"
#include "models/train/rival.h"

struct table;
struct why;

/* In the order of the tables: our models, each view alone in int8, the rivals. */
enum method {
	METHOD_INT8, METHOD_FLOAT, METHOD_PRUNED,
	METHOD_VIEW,
	METHOD_RIVAL = METHOD_VIEW + VIEWS,
	METHODS = METHOD_RIVAL + RIVALS
};

/* "sonde-int8", "sonde-float", "sonde-int8-pruned", "sonde-level" ..., "random" ... */
const char *method_name(unsigned m);

/* Shared: what a job's process says. */
struct job_result {
	bool done, failed;
	bool has[METHODS];
	float limit[METHODS];
	double rate_hz;
	char why[320];
};

struct job {
	char set[16], name[64];
	char train[256], test[256];		/* CSV files */
	struct table *rows;			/* of the test file */
	uint8_t *label;				/* [rows] */
	struct nab_window *window;		/* [windows] of NAB */
	unsigned windows;
	double *time;				/* [rows] of SKAB, with its change points; or NULL */
	uint8_t *point;
	struct job_result *result;		/* shared, as is */
	float *score, *decide;			/* [METHODS][rows]; decide: what a limit is set to */
};

/* Read what folder/set/name_*.{csv,txt} has. Fields are job_close's to free. */
int job_read(struct job *j, const char *folder, const char *set, const char *name,
	     struct why *why);
void job_close(struct job *j);

/*
 * Fit and score, into j->result and j->score. tool: path of sonde-model; prune: it has that
 * verb. Models go beside the CSV files.
 */
int job_run(struct job *j, const char *tool, bool prune, struct why *why);

/* Run a program with these arguments, standard output thrown away; -EIO with what it said. */
int job_command(const char *const *argv, struct why *why);

#endif
