// SPDX-License-Identifier: MIT
/*
 * number: most cells of a table have few digits and a small exponent, and there
 * the quotient or product of two exact doubles is the correctly rounded answer
 * (Clinger 1990, "How to read floating point numbers accurately", his fast
 * case). The others go through strtod. Programs here stay in the "C" locale.
 */
#include "models/number.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_EXACT 15		/* 10^15 < 2^53 */
#define NUMBER_MAX 255

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool slow(double *out, const char *s, size_t len)
{
	char copy[NUMBER_MAX + 1], *end;

	memcpy(copy, s, len);
	copy[len] = '\0';
	*out = strtod(copy, &end);
	return end == copy + len;
}

bool number_parse(double *out, const char *s, size_t len)
{
	static const double power[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
					1e11, 1e12, 1e13, 1e14, 1e15 };
	const char *p = s, *end = s + len;
	unsigned digits = 0, fraction = 0;
	uint64_t mantissa = 0;
	bool point = false;

	if (len > NUMBER_MAX)
		return false;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (; p < end && (digit(*p) || (*p == '.' && !point)); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if (digits++ < DIGITS_EXACT)
			mantissa = mantissa * 10 + (uint64_t)(*p - '0');
		fraction += point;
	}
	if (!digits)
		return false;
	if (p == end && digits <= DIGITS_EXACT) {
		*out = (double)mantissa / power[fraction];
		if (*s == '-')
			*out = -*out;
		return true;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		while (p < end && digit(*p))
			p++;
	}
	return p == end && slow(out, s, len);
}
