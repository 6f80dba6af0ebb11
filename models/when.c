// SPDX-License-Identifier: MIT
/*
 * when: ISO 8601 without the C library's calendar, which depends on the time
 * zone of the machine. Days are counted in the proleptic Gregorian calendar.
 */
#include "models/when.h"

#include <math.h>
#include <string.h>

#include "models/number.h"

struct cursor {
	const char *p, *end;
};

/* Exactly n digits. */
static bool take(struct cursor *c, unsigned n, int *out)
{
	if ((size_t)(c->end - c->p) < n)
		return false;
	*out = 0;
	for (; n; n--, c->p++) {
		if (*c->p < '0' || *c->p > '9')
			return false;
		*out = *out * 10 + (*c->p - '0');
	}
	return true;
}

static bool take_char(struct cursor *c, const char *any)
{
	if (c->p == c->end || !*c->p || !strchr(any, *c->p))
		return false;
	c->p++;
	return true;
}

/* Years begin in March here, so that the leap day is the last of its year. */
static long days(int year, int month, int day)
{
	long y = month > 2 ? year : year - 1, m = (month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day;
}

static bool take_date(struct cursor *c, double *seconds)
{
	static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;

	if (!take(c, 4, &year) || !take_char(c, "-") || !take(c, 2, &month) ||
	    !take_char(c, "-") || !take(c, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
		return false;
	*seconds = 86400.0 * (double)(days(year, month, day) - days(1970, 1, 1));
	return true;
}

static bool take_clock(struct cursor *c, double *seconds)
{
	int hour, minute, second = 0;
	double step = 1;

	if (!take(c, 2, &hour) || !take_char(c, ":") || !take(c, 2, &minute))
		return false;
	if (take_char(c, ":") && !take(c, 2, &second))
		return false;
	/* 60: a leap second. */
	if (hour > 24 || minute > 59 || second > 60)
		return false;
	*seconds += hour * 3600.0 + minute * 60.0 + second;
	if (take_char(c, ".,")) {
		const char *first = c->p;
		double fraction = 0;

		for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
			fraction = fraction * 10 + (*c->p - '0');
			step *= 10;
		}
		if (c->p == first || c->p - first > 18)
			return false;
		*seconds += fraction / step;
	}
	return true;
}

static bool take_zone(struct cursor *c, double *seconds)
{
	int hour, minute = 0;
	double sign;

	if (c->p == c->end || take_char(c, "Zz"))
		return true;
	sign = *c->p == '-' ? -1 : 1;
	if (!take_char(c, "+-") || !take(c, 2, &hour))
		return false;
	if (c->p < c->end) {
		take_char(c, ":");
		if (!take(c, 2, &minute))
			return false;
	}
	if (hour > 23 || minute > 59)
		return false;
	*seconds -= sign * (hour * 3600.0 + minute * 60.0);
	return true;
}

static bool parse_date(double *seconds, const char *s, size_t len)
{
	struct cursor c = { s, s + len };

	if (!take_date(&c, seconds))
		return false;
	if (c.p == c.end)
		return true;
	return take_char(&c, "Tt ") && take_clock(&c, seconds) && take_zone(&c, seconds) &&
	       c.p == c.end;
}

bool when_is_date(const char *s, size_t len)
{
	double seconds;

	return parse_date(&seconds, s, len);
}

bool when_parse(double *seconds, const char *s, size_t len)
{
	if (number_parse(seconds, s, len))
		return isfinite(*seconds);
	return parse_date(seconds, s, len);
}
