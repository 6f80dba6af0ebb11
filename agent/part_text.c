// SPDX-License-Identifier: MIT
/*
 * part_text: the words that a part's values are made of. Numbers are decimal or 0x..: data
 * sheets use both. There is no octal, because a zero in front has never meant it in a data
 * sheet.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/part_impl.h"
#include "kernels/why.h"

#define WAIT_MAX_US 10000000u

static const char *skip(const char *s)
{
	return s + strspn(s, " \t");
}

bool part_word(const char **s, const char *word)
{
	const char *at = skip(*s);
	size_t n = strlen(word);

	if (strncmp(at, word, n))
		return false;
	/* A word of letters ends where letters do. */
	if (isalpha((unsigned char)*word) && isalnum((unsigned char)at[n]))
		return false;
	*s = at + n;
	return true;
}

/* tail: letters, a unit's, may stand right behind the last digit. */
static int number(const char **s, unsigned min, unsigned max, bool tail, unsigned *v,
		  struct why *why)
{
	const char *at = skip(*s);
	bool hex = !strncasecmp(at, "0x", 2) && isxdigit((unsigned char)at[2]);
	unsigned long n;
	char *end;

	if (!isdigit((unsigned char)*at))
		return why_set(why, -EINVAL, "a number is missing at \"%.16s\"", at);
	errno = 0;
	n = strtoul(at, &end, hex ? 16 : 10);
	if ((!tail && isalnum((unsigned char)*end)) || *end == '.')
		return why_set(why, -EINVAL, "\"%.16s\" is no whole number", at);
	if (errno || n < min || n > max)
		return why_set(why, -EINVAL, hex ? "%.*s is not between 0x%02x and 0x%02x" :
			       "%.*s is not between %u and %u",
			       (int)(end - at > 16 ? 16 : end - at), at, min, max);
	*v = (unsigned)n;
	*s = end;
	return 0;
}

int part_number(const char **s, unsigned min, unsigned max, unsigned *v, struct why *why)
{
	return number(s, min, max, false, v, why);
}

int part_bytes(const char **s, uint8_t *out, unsigned max, unsigned *n, struct why *why)
{
	const char *at = *s;
	unsigned v;

	for (*n = 0; isdigit((unsigned char)*skip(at)); out[(*n)++] = (uint8_t)v) {
		if (*n == max)
			return why_set(why, -EINVAL, "more than %u bytes", max);
		if (part_number(&at, 0, 0xff, &v, why))
			return -EINVAL;
	}
	*s = at;
	return 0;
}

int part_wait(const char **s, uint32_t *us, struct why *why)
{
	static const struct { const char *unit; unsigned us; } units[] = {
		{ "us", 1 }, { "ms", 1000 }, { "s", 1000000 },
	};
	const char *at = *s;
	unsigned v;

	if (!part_word(&at, "wait"))
		return 0;
	if (number(&at, 0, WAIT_MAX_US, true, &v, why))
		return -EINVAL;
	for (unsigned i = 0; i < sizeof units / sizeof *units; i++) {
		if (!part_word(&at, units[i].unit))
			continue;
		if (v > WAIT_MAX_US / units[i].us)
			return why_set(why, -EINVAL, "no part is waited for longer than %u s",
				       WAIT_MAX_US / 1000000);
		*us = v * units[i].us;
		*s = at;
		return 0;
	}
	return why_set(why, -EINVAL, "wait %u: a unit is missing: us, ms or s", v);
}

int part_end(const char *s, struct why *why)
{
	s = skip(s);
	return *s ? why_set(why, -EINVAL, "\"%.32s\" is not understood", s) : 0;
}

/* strtod also takes hexadecimal, "inf" and "nan". */
static int decimal(const char **s, double *v, struct why *why)
{
	const char *at = skip(*s);
	const char *digits = at + (*at == '-' || *at == '+');
	char *end;

	digits += *digits == '.';
	if (!isdigit((unsigned char)*digits) || !strncasecmp(digits, "0x", 2))
		return why_set(why, -EINVAL, "\"%.16s\" is no number", at);
	*v = strtod(at, &end);
	if (!isfinite(*v))
		return why_set(why, -EINVAL, "%.16s is too large", at);
	*s = end;
	return 0;
}

int part_fraction(const char *s, double *v, struct why *why)
{
	double number, below = 1;

	if (decimal(&s, &number, why))
		return -EINVAL;
	if (part_word(&s, "/") && decimal(&s, &below, why))
		return -EINVAL;
	if (part_end(s, why))
		return -EINVAL;
	number /= below;
	if (!isfinite(number))
		return why_set(why, -EINVAL, "not a finite number");
	*v = number;
	return 0;
}
