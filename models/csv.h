/* SPDX-License-Identifier: MIT */
/*
 * csv: bytes to cells, and the text of reasons about them. Lines end in LF or
 * CRLF; a cell may be quoted, "" being a quote in it, but never runs over a line's end:
 * in tables of numbers that is always a quote gone missing.
 */
#ifndef SONDE_CSV_H
#define SONDE_CSV_H

#include <stdbool.h>
#include <stddef.h>

struct why;

struct csv {
	const char *p, *end;
	unsigned line;		/* of p, from 1 */
	char separator;
	const char *label;	/* the file in reasons */
	struct why *why;
};

struct csv_cell {
	const char *s;		/* without quotes and the space around them */
	size_t len;
	bool doubled;		/* has "" in it */
};

/*
 * A byte order mark is stepped over, empty lines at the end are left out; the
 * separator is the commonest of , ; tab in line 1. At the end p is end.
 */
void csv_open(struct csv *c, const char *data, size_t len, const char *label, struct why *why);

/* 1: a cell and more in this line; 0: the line's last, p is on the next; -EINVAL. */
int csv_cell(struct csv *c, struct csv_cell *cell);

/* A cell as it may be shown: cut, and other characters replaced. */
#define CSV_SHOWN 48
const char *csv_shown(char out[CSV_SHOWN], const struct csv_cell *cell);

#endif
