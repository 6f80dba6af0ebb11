/* SPDX-License-Identifier: MIT */
/*
 * meta_json: sd-json with what it lets pass taken out (private to meta*.c). It
 * keeps duplicate keys, and its parser's stack grows with every '[' before any
 * limit is looked at: 40 bytes for one.
 */
#ifndef SONDE_META_JSON_H
#define SONDE_META_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

struct why;

/* Text to an object without duplicate keys. what names it in reasons. */
int json_object(sd_json_variant **out, const char *text, const char *what, struct why *why);

/* -EINVAL when v is no object or has a key twice or one that can not be shown. */
int json_check_object(sd_json_variant *v, const char *what, struct why *why);

/*
 * Fields of an object into C. An absent one is an error if it is needed; else the
 * target keeps its value. Wrong types are errors either way.
 */
struct json_from {
	sd_json_variant *v;
	const char *what;	/* "channel 3" */
	struct why *why;
};

int json_text(const struct json_from *f, const char *key, bool needed, char *out, size_t size);
int json_unsigned(const struct json_from *f, const char *key, bool needed, uint64_t *out);
int json_float(const struct json_from *f, const char *key, bool needed, float *out);
int json_double(const struct json_from *f, const char *key, bool needed, double *out);
/* The object at key, checked; NULL when it is absent and not needed. Borrowed from v. */
int json_member(const struct json_from *f, const char *key, bool needed, struct json_from *out);

/* Write before as it is, then s as a JSON string. 0 or -errno. */
int json_put(FILE *out, const char *before, const char *s);

#endif
