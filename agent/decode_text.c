// SPDX-License-Identifier: MIT
/*
 * decode_text: numbers out of what sysfs and procfs print. The text is read once from
 * front to back and never beyond its length; its own number parser, because strtod
 * wants a NUL and follows the locale.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/decode.h"
#include "kernels/why.h"

struct word {
	const char *at;
	unsigned len;
};

/* ---- the field's own text */

static int mistake(struct why *why, const char *s, const char *at, const char *wanted)
{
	if (!*at)
		return why_set(why, -EINVAL, "field \"%s\" ends where %s should be", s, wanted);
	return why_set(why, -EINVAL, "field \"%s\": character %td, \"%c\", should be %s", s,
		       at - s + 1, *at, wanted);
}

static bool column_number(const char **s, int8_t *out)
{
	const char *p = *s;
	int v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (*p - '0');
		if (v > INT8_MAX)
			return false;
	}
	if (p == *s)
		return false;
	*s = p;
	*out = (int8_t)v;
	return true;
}

/* KEY["@"COLUMN]["/all"], which ends before the colon at end. */
static int parse_key(struct text_field *f, const char *s, const char *end, struct why *why)
{
	const char *stop = s, *p = s;
	int8_t column = 0;

	while (stop < end && *stop != '@' && *stop != '/')
		stop++;
	for (; p < stop; p++) {
		if ((unsigned char)*p <= ' ' || *p == ':')
			return mistake(why, s, p, "part of a word");
		if (*p == ',' && (p == s || p[1] == ',' || p + 1 == stop))
			return mistake(why, s, p, "a pattern");
	}
	if (stop == s)
		return mistake(why, s, stop, "a key");
	if ((size_t)(stop - s) >= sizeof f->key)
		return why_set(why, -EINVAL, "field \"%s\": its key is longer than %zu characters",
			       s, sizeof f->key - 1);
	memcpy(f->key, s, (size_t)(stop - s));
	p = stop;
	if (*p == '@') {
		p++;
		if (!column_number(&p, &column))
			return mistake(why, s, p, "a column, 0 to 127");
		f->key_column = (uint8_t)column;
	}
	if (!strncmp(p, "/all", 4)) {
		f->all = true;
		p += 4;
	}
	return p == end ? 0 : mistake(why, s, p, "\"@COLUMN\", \"/all\" or \":\"");
}

int decode_text_parse(struct text_field *f, const char *s, struct why *why)
{
	const char *colon = strrchr(s, ':'), *p = colon ? colon + 1 : s;
	bool minus;
	int err;

	memset(f, 0, sizeof *f);
	err = colon ? parse_key(f, s, colon, why) : 0;
	if (err)
		return err;
	for (;;) {
		int8_t column;

		minus = *p == '-';
		if (minus || (*p == '+' && f->columns))
			p++;
		if (!column_number(&p, &column))
			return mistake(why, s, p, "a column, 0 to 127");
		if (f->columns == TEXT_COLUMNS_MAX)
			return why_set(why, -EINVAL, "field \"%s\": more than %d columns", s,
				       TEXT_COLUMNS_MAX);
		f->column[f->columns++] = minus ? (int8_t)~column : column;
		if (!*p)
			return 0;
		if (*p != '+' && *p != '-')
			return mistake(why, s, p, "+ or -");
	}
}

/* ---- lines and words */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The next word of the line at *s; a colon ends it and is swallowed. */
static bool next_word(const char **s, const char *end, struct word *w)
{
	const char *p = *s;

	while (p < end && (is_blank(*p) || *p == ':'))
		p++;
	w->at = p;
	while (p < end && !is_blank(*p) && *p != ':')
		p++;
	w->len = (unsigned)(p - w->at);
	*s = p;
	return w->len > 0;
}

/* One pattern[plen] against one word. Goes back only to the last star: no recursion. */
static bool glob(const char *pattern, unsigned plen, const struct word *w)
{
	unsigned p = 0, i = 0, star = plen, mark = 0;

	while (i < w->len) {
		if (p < plen && pattern[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < plen && (pattern[p] == '?' || pattern[p] == w->at[i])) {
			p++;
			i++;
		} else if (star < plen) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < plen && pattern[p] == '*')
		p++;
	return p == plen;
}

static bool key_matches(const struct text_field *f, const char *line, const char *end)
{
	const char *key = f->key;
	struct word w;

	if (!*key)
		return true;
	for (unsigned i = 0; i <= f->key_column; i++)
		if (!next_word(&line, end, &w))
			return false;
	for (;;) {
		unsigned n = (unsigned)strcspn(key, ",");

		if (glob(key, n, &w))
			return true;
		if (!key[n])
			return false;
		key += n + 1;
	}
}

/* ---- numbers */

static int number(const struct word *w, double *out)
{
	const char *p = w->at, *end = w->at + w->len;
	const char *equals = memchr(p, '=', w->len);
	uint64_t digits = 0;
	double v, scale = 1;
	unsigned seen = 0;
	bool minus;

	if (equals)
		p = equals + 1;
	minus = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	/* Up to 18 digits fit; a longer number goes on in floating point. */
	for (; p < end && *p >= '0' && *p <= '9' && digits < 100000000000000000u; p++, seen++)
		digits = digits * 10 + (unsigned)(*p - '0');
	v = (double)digits;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (*p - '0');
	if (p < end && *p == '.' && p + 1 < end && p[1] >= '0' && p[1] <= '9') {
		/* 15 digits are exact, and one division at the end: 0.1 comes out as 0.1. */
		for (p++; p < end && *p >= '0' && *p <= '9'; p++, seen++) {
			if (digits >= 100000000000000u)
				continue;
			digits = digits * 10 + (unsigned)(*p - '0');
			scale *= 10;
		}
		if (scale > 1)
			v = (double)digits / scale;
	}
	if (!seen)
		return -EINVAL;
	*out = minus ? -v : v;
	return 0;
}

/* The columns of one line, added to *sum. */
static int sum_line(const struct text_field *f, const char *line, const char *end, double *sum)
{
	unsigned found = 0;
	struct word w;

	for (int column = 0; found < f->columns && next_word(&line, end, &w); column++) {
		for (unsigned i = 0; i < f->columns; i++) {
			bool minus = f->column[i] < 0;
			double v;

			if ((minus ? ~f->column[i] : f->column[i]) != column)
				continue;
			if (number(&w, &v))
				return -EINVAL;
			*sum += minus ? -v : v;
			found++;
		}
	}
	return found == f->columns ? 0 : -ENOENT;
}

int decode_text(const struct text_field *f, const char *text, unsigned len,
		double *value)
{
	const char *end = text + len;
	double sum = 0;
	int err = -ENOENT;

	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));

		if (!line_end)
			line_end = end;
		if (key_matches(f, text, line_end)) {
			err = sum_line(f, text, line_end, &sum);
			if (err || !f->all)
				break;
		} else if (!*f->key) {
			break;
		}
		text = line_end + (line_end < end);
	}
	if (!err)
		*value = sum;
	return err;
}
