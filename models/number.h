/* SPDX-License-Identifier: MIT */
/* number: decimal text of known length to a double, and nothing else strtod takes. */
#ifndef SONDE_NUMBER_H
#define SONDE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* No hexadecimal, no inf, no nan, no space around. Out of range: +-infinity. */
bool number_parse(double *out, const char *s, size_t len);

#endif
