/* SPDX-License-Identifier: MIT */
/*
 * report: what the verbs found, for people (a table) or for programs (one JSON
 * object); on standard output. The only file here that knows JSON.
 */
#ifndef SONDE_TRAIN_REPORT_H
#define SONDE_TRAIN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

struct fit_report;
struct model;
struct quantize_report;

int report_fit(const struct model *m, const struct fit_report *r, const char *path,
	       uint64_t bytes, double seconds, bool json);
int report_quantize(const struct model *m, const struct quantize_report *r, const char *path,
		    uint64_t bytes, bool json);
int report_model(const struct model *m, const char *path, uint64_t bytes, bool json);

/* Size of the file at path; 0 when it cannot be asked. */
uint64_t report_file_size(const char *path);

#endif
