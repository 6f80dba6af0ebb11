/* SPDX-License-Identifier: MIT */
/*
 * part_impl: what part_*.c share, and what the fuzzer of part files calls: the words that
 * values are made of, and the reader below part_load().
 */
#ifndef SONDE_PART_IMPL_H
#define SONDE_PART_IMPL_H

#include <stdio.h>

#include "agent/part.h"

#define PART_FILE_MAX 65536	/* bytes; the longest of the library has 2000 */

/*
 * part_text.c: each takes a word from *s, blanks before it included, and moves *s behind it;
 * -EINVAL with the reason, *s then stays.
 */
bool part_word(const char **s, const char *word);
int part_number(const char **s, unsigned min, unsigned max, unsigned *v, struct why *why);
int part_bytes(const char **s, uint8_t *out, unsigned max, unsigned *n, struct why *why);
/* "wait 10 ms", or nothing: *us stays. */
int part_wait(const char **s, uint32_t *us, struct why *why);
/* Nothing may be left. */
int part_end(const char *s, struct why *why);
/* All of s: a decimal number, or a fraction of two. */
int part_fraction(const char *s, double *v, struct why *why);

/* part_channel.c: "channel.NAME" without its first word. */
int part_channel_key(struct part *p, const char *name, const char *value, struct why *why);

/* Reads f, of which path is the name in messages. Does not close it. */
int part_read(struct part *p, FILE *f, const char *path, struct why *why);

#endif
