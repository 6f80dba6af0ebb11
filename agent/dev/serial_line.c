// SPDX-License-Identifier: MIT
/*
 * serial_line: the number parser is ours because strtod() follows the locale, takes "0x1p3"
 * and "infinity", and needs a NUL; and because what follows a number matters: "23.24.5"
 * is two lines that lost their seam, and must not become 23.24.
 */
#include "agent/dev/serial_line.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#define DIGITS_MAX 18		/* that fit into an int64_t */
#define EXPONENT_MAX 400

void serial_line_init(struct serial_line *l)
{
	l->have = 0;
	l->skip = true;
	l->garbage = l->taken = false;
}

/* The line's end has come. False: there is nothing to tell. */
static bool end_line(struct serial_line *l, enum serial_line_result *got)
{
	bool tell = !l->skip && (l->garbage || l->have);

	*got = l->garbage ? SERIAL_LINE_GARBAGE : SERIAL_LINE_WHOLE;
	l->taken = tell;
	if (!tell)
		l->have = 0;
	l->skip = l->garbage = false;
	return tell;
}

enum serial_line_result serial_line_take(struct serial_line *l, const uint8_t **data,
					 unsigned *n)
{
	enum serial_line_result got;

	if (l->taken)
		l->have = 0;
	l->taken = false;
	while (*n) {
		uint8_t c = *(*data)++;

		(*n)--;
		if (c == '\n' || c == '\r') {
			if (end_line(l, &got))
				return got;
			continue;
		}
		if (l->have == SERIAL_LINE_MAX) {
			/* Of one that was joined in its middle as well: some never end. */
			l->have++;
			l->skip = true;
			l->garbage = false;
			return SERIAL_LINE_LONG;
		}
		if (l->have > SERIAL_LINE_MAX)
			continue;
		l->text[l->have++] = (char)c;
		l->garbage |= (c < ' ' && c != '\t') || c == 0x7f;
	}
	return SERIAL_LINE_MORE;
}

bool serial_line_gap(struct serial_line *l)
{
	bool begun = l->have && !l->taken, any = begun && !l->skip;

	/* Its rest may still come, and would look like a line. */
	if (begun)
		serial_line_init(l);
	return any;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int serial_checksum(const char *line, unsigned *len)
{
	unsigned star = *len >= 3 ? *len - 3 : 0, begin = 0;
	uint8_t sum = 0;
	int hi, lo;

	if (*len < 3 || line[star] != '*')
		return 0;
	hi = hex(line[star + 1]);
	lo = hex(line[star + 2]);
	/* The "$" (or the "!" of an AIS sentence) is not part of the sum. */
	begin = star && (*line == '$' || *line == '!');
	for (unsigned i = begin; i < star; i++)
		sum ^= (uint8_t)line[i];
	*len = star;
	return hi >= 0 && lo >= 0 && sum == (hi << 4 | lo) ? 1 : -1;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static void trim(const char **s, unsigned *n)
{
	while (*n && is_space(**s)) {
		(*s)++;
		(*n)--;
	}
	while (*n && is_space((*s)[*n - 1]))
		(*n)--;
}

bool serial_field(const char *line, unsigned len, unsigned n, const char **field, unsigned *flen)
{
	bool commas = memchr(line, ',', len);
	unsigned at = 0, end;

	if (!commas)
		trim(&line, &len);
	for (;;) {
		end = at;
		while (end < len && !(commas ? line[end] == ',' : is_space(line[end])))
			end++;
		if (!n--)
			break;
		if (end == len)
			return false;
		at = end + 1;
		while (!commas && is_space(line[at]))
			at++;
	}
	*field = line + at;
	*flen = end - at;
	trim(field, flen);
	return true;
}

/* An exponent at *s, which stays where it is when there is none. */
static int exponent(const char **s, const char *end)
{
	const char *p = *s;
	int e = 0, sign = 1;

	if (p == end || (*p != 'e' && *p != 'E'))
		return 0;
	p++;
	if (p < end && (*p == '+' || *p == '-'))
		sign = *p++ == '-' ? -1 : 1;
	if (p == end || *p < '0' || *p > '9')
		return 0;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		e = e > EXPONENT_MAX ? e : e * 10 + (*p - '0');
	*s = p;
	return sign * e;
}

/* What may stand behind a number: a unit, but nothing that goes on with the number. */
static bool ends_well(const char *s, const char *end)
{
	return s == end || !strchr("0123456789.+-:_", *s);
}

/* A field that begins with a word has its number behind the first "=" or ":". */
static const char *behind_name(const char *s, const char *end)
{
	char c = s < end ? *s : '0';

	if ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')
		return s;
	for (const char *p = s; p < end; p++)
		if (*p == '=' || *p == ':') {
			p++;
			while (p < end && is_space(*p))
				p++;
			return p;
		}
	return s;
}

static int scaled(int64_t mantissa, int shift, bool minus, double *value)
{
	double v = (double)mantissa;

	/* Powers of ten up to 10^22 are exact, and so are most mantissas: one rounding. */
	if (mantissa)
		v = shift < 0 ? v / pow(10, -shift) : v * pow(10, shift);
	if (!isfinite(v))
		return -EINVAL;
	*value = minus ? -v : v;
	return 0;
}

int serial_number(const char *field, unsigned len, double *value)
{
	const char *end = field + len, *s = behind_name(field, end);
	bool minus = false, any = false, point = false;
	int digits = 0, shift = 0;
	int64_t mantissa = 0;

	if (s == end)
		return -ENODATA;
	if (end - s == 3 && !strncasecmp(s, "nan", 3)) {
		*value = NAN;
		return 0;
	}
	if (*s == '+' || *s == '-')
		minus = *s++ == '-';
	for (; s < end && ((*s >= '0' && *s <= '9') || (*s == '.' && !point)); s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		any = true;
		if (digits < DIGITS_MAX) {
			mantissa = mantissa * 10 + (*s - '0');
			digits += mantissa != 0;
			shift -= point;
		} else {
			shift += !point;
		}
	}
	if (!any)
		return -EINVAL;
	shift += exponent(&s, end);
	if (!ends_well(s, end))
		return -EINVAL;
	return scaled(mantissa, shift, minus, value);
}
