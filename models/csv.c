// SPDX-License-Identifier: MIT
/*
 * csv: after RFC 4180 with the separators that spreadsheets really write. One
 * pass, no copy: a cell is a place in the caller's bytes.
 */
#include "models/csv.h"

#include <errno.h>
#include <string.h>

#include "kernels/why.h"
#include "models/text.h"

static bool blank(char c, char separator)
{
	return (c == ' ' || c == '\t') && c != separator;
}

void csv_open(struct csv *c, const char *data, size_t len, const char *label, struct why *why)
{
	static const char separators[] = { ',', ';', '\t' };
	size_t count[sizeof separators] = { 0 }, best = 0;
	bool quoted = false;

	*c = (struct csv){ data, data + len, 1, ',', label, why };
	if (len >= 3 && !memcmp(data, "\xef\xbb\xbf", 3))
		c->p += 3;
	while (c->end > c->p && (c->end[-1] == '\n' || c->end[-1] == '\r'))
		c->end--;
	for (const char *p = c->p; p < c->end && *p != '\n'; p++) {
		quoted ^= *p == '"';
		for (size_t i = 0; !quoted && i < sizeof separators; i++)
			count[i] += *p == separators[i];
	}
	for (size_t i = 1; i < sizeof separators; i++)
		if (count[i] > count[best])
			best = i;
	c->separator = separators[best];
}

/* p is behind the opening quote; leaves it behind the closing one and what is blank. */
static int quoted_cell(struct csv *c, struct csv_cell *cell)
{
	*cell = (struct csv_cell){ c->p, 0, false };
	for (;; c->p++) {
		if (c->p == c->end || *c->p == '\n')
			return why_set(c->why, -EINVAL, "%s:%u: a quote is not closed", c->label,
				       c->line);
		if (*c->p != '"')
			continue;
		if (c->p + 1 == c->end || c->p[1] != '"')
			break;
		cell->doubled = true;
		c->p++;
	}
	cell->len = (size_t)(c->p - cell->s);
	for (c->p++; c->p < c->end && (blank(*c->p, c->separator) || *c->p == '\r'); c->p++)
		;
	if (c->p < c->end && *c->p != c->separator && *c->p != '\n')
		return why_set(c->why, -EINVAL, "%s:%u: text after a closing quote", c->label,
			       c->line);
	return 0;
}

static void plain_cell(struct csv *c, struct csv_cell *cell)
{
	const char *s = c->p, *e;

	while (c->p < c->end && *c->p != c->separator && *c->p != '\n')
		c->p++;
	e = c->p;
	if (e > s && e[-1] == '\r' && (c->p == c->end || *c->p == '\n'))
		e--;
	while (e > s && blank(e[-1], c->separator))
		e--;
	*cell = (struct csv_cell){ s, (size_t)(e - s), false };
}

int csv_cell(struct csv *c, struct csv_cell *cell)
{
	int err = 0;

	while (c->p < c->end && blank(*c->p, c->separator))
		c->p++;
	if (c->p < c->end && *c->p == '"') {
		c->p++;
		err = quoted_cell(c, cell);
	} else {
		plain_cell(c, cell);
	}
	if (err || c->p == c->end)
		return err;
	if (*c->p++ == c->separator)
		return 1;
	c->line++;
	return 0;
}

const char *csv_shown(char out[CSV_SHOWN], const struct csv_cell *cell)
{
	size_t n = cell->len < CSV_SHOWN ? cell->len : CSV_SHOWN - 4;

	/* Not through the middle of a character. */
	while (n < cell->len && n && ((unsigned char)cell->s[n] & 0xc0) == 0x80)
		n--;
	memcpy(out, cell->s, n);
	if (!text_printable(out, n))
		for (size_t i = 0; i < n; i++)
			if (out[i] < ' ' || out[i] > '~')
				out[i] = '?';
	strcpy(out + n, n < cell->len ? "..." : "");
	return out;
}
