/* SPDX-License-Identifier: MIT */
/*
 * capture: all channels of a pipeline, a row a tick, to a CSV file: the input of
 * fit and replay. Values are printed with the digits that give the same float
 * back; an empty cell is a value not to be believed. models/table reads it again.
 */
#ifndef SONDE_CAPTURE_H
#define SONDE_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

struct capture;
struct record;
struct why;

/*
 * First column "time" (seconds since the first row), then one a channel. Written
 * to PATH.part and renamed by capture_close: a file under its own name is whole.
 * Buffered up to a second of rows. Names with a separator or a quote: -EINVAL.
 */
int capture_open(struct capture **out, const char *path, const char *const *names,
		 unsigned channels, double rate_hz, struct why *why);

/* -ENOSPC and the like; the first error stays, and capture_close gives its reason. */
int capture_row(struct capture *c, const struct record *r);

/*
 * Flush, fsync, rename; rows written in *rows (may be NULL). Frees c in any case. After
 * an error PATH.part stays with the whole rows that reached it, and why says so.
 */
int capture_close(struct capture *c, uint64_t *rows, struct why *why);

#endif
