/* SPDX-License-Identifier: MIT */
/* when: a point in time as people write it into tables, as seconds. */
#ifndef SONDE_WHEN_H
#define SONDE_WHEN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A number (seconds), or ISO 8601: "2026-01-31", "2026-01-31T08:30", "2026-01-31
 * 08:30:05.25", each with Z or an offset such as +01:00. No zone is taken as UTC:
 * only differences matter. s need not end in NUL.
 */
bool when_parse(double *seconds, const char *s, size_t len);

/* Is it written as a date? A number is not. */
bool when_is_date(const char *s, size_t len);

#endif
