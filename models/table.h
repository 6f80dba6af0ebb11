/* SPDX-License-Identifier: MIT */
/*
 * table: a CSV of numbers with a header, in memory: what a capture is, and what
 * anybody's data can be made into. A column named time, timestamp, datetime or date is the
 * time and no channel; label, anomaly, changepoint and is_anomaly columns are kept apart
 * and never fed to a model. ',', ';' or a tab separates. Empty, "nan" and "NA" are missing values.
 */
#ifndef SONDE_TABLE_H
#define SONDE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct why;

struct table {
	unsigned rows, channels;
	char (*name)[32];	/* [channels] */
	float *value;		/* [rows][channels]; NaN: missing */
	double rate_hz;		/* from the time column; 0 when there is none */
	uint8_t *label;		/* [rows], or NULL */
	char sha256[65];	/* of the file's bytes */
};

/* Errors: "file:line: message" with the value. Result: table_free. */
int table_read(struct table **out, const char *path, struct why *why);
/* With the label in the column of this name (NULL: a usual one); -EINVAL without it. */
int table_read_label(struct table **out, const char *path, const char *column, struct why *why);
/* table_read of bytes in memory; label is their name in reasons. */
int table_parse(struct table **out, const char *data, size_t len, const char *label,
		struct why *why);
void table_free(struct table *t);

#endif
