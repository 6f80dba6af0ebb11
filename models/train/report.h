/* SPDX-License-Identifier: MIT */
/*
 * report: what the verbs found, for people (plain words, the numbers behind them) or for
 * programs (one JSON object); on standard output. Only report files know JSON.
 */
#ifndef SONDE_TRAIN_REPORT_H
#define SONDE_TRAIN_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "kernels/fc.h"

struct bench;
struct cost;
struct cost_target;
struct fit_options;
struct fit_report;
struct learn_report;
struct model;
struct profile;
struct quantize_options;
struct quantize_report;
struct review;
struct sd_json_variant;
struct why;

/* What fit has to tell. */
struct report_fit {
	const struct model *m;
	const struct fit_options *options;
	const struct fit_report *fit;
	const struct review *review;
	const char *path;
	double seconds;
	bool curve;		/* draw the losses */
	bool operators;		/* the predicted cost of each */
};

int report_fit(const struct report_fit *r, bool json);
int report_fit_json(const struct report_fit *r);
/* The loss curve as SVG. -errno of the file. */
int report_fit_svg(const struct fit_report *r, const char *path, struct why *why);

/* Held-out and training loss over the epochs, in characters; nothing without an epoch. */
void report_curve(FILE *out, const struct learn_report *l, bool unicode);

/* Ranks of labelled rows by the float model and by its int8 form. */
struct report_ranks {
	const char *path;		/* NULL: nobody asked */
	unsigned rows, anomalous;
	double roc_auc[2], ap[2];	/* float, int8; NAN where labels do not define them */
};

/* same_side: as review.h has it. */
int report_quantize(const struct model *m, const struct quantize_options *how,
		    const struct quantize_report *r, double same_side,
		    const struct report_ranks *ranks, const char *path, bool json);

int report_model(const struct model *m, const char *path, uint64_t bytes, bool json);
/* The JSON of that, for more to be added; -errno or what sd-json says. */
int report_model_build(struct sd_json_variant **out, const struct model *m, const char *path,
		       uint64_t bytes);

int report_profile(const struct model *m, const struct profile *p, const char *path, bool json);

/* usual, picked: batches for offline scoring, as of this device and as measured. */
int report_bench(const struct model *m, const struct bench *b, const char *path, int core,
		 unsigned usual, unsigned picked, bool json);

/* A table, or an array, of what each operator is predicted to cost. */
void report_cost(const struct cost *c, const struct cost_target *t);
int report_cost_build(struct sd_json_variant **out, const struct cost *c,
		      const struct cost_target *t);

/* Size of the file at path; 0 when it cannot be asked. */
uint64_t report_file_size(const char *path);

/* Score that false alarms reach once a day, by the tail alone. */
double report_day_limit(const struct model *m);

/* Prints v and lets go of it; err is from building it. */
int report_put(struct sd_json_variant *v, int err);

/* May characters beyond ASCII be written to standard output? */
bool report_unicode(void);

/* As fc_name has it, of most of a model's operators. */
const char *report_kernel(const struct model *m, enum fc_kind kind);

#define REPORT_BYTES 16
/* "812 B", "34.5 kB", "1.2 MB" */
const char *report_bytes(char text[REPORT_BYTES], double bytes);

#endif
