/* SPDX-License-Identifier: MIT */
/*
 * text: may these bytes be shown to a person? Names come from files that others
 * wrote and end on terminals, in JSON and in the journal.
 */
#ifndef SONDE_TEXT_H
#define SONDE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) without NUL. */
bool text_utf8(const char *s, size_t len);

/* The same and no control character, C0, DEL or C1. True of the empty text. */
bool text_printable(const char *s, size_t len);

#endif
