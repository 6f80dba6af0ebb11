// SPDX-License-Identifier: MIT
/*
 * words: unique-prefix abbreviations, as in bpftool and ip. Unlike those, an
 * ambiguous word is refused rather than taken as the first that fits, because a
 * script would silently change its meaning when a word is added to the table.
 * An unknown word gets the nearest one by edit distance, when it is near.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"

#define WORD_MAX 32

/* Edit distance with transpositions of neighbours (Damerau 1964; restricted form). */
static unsigned distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	unsigned n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (unsigned i = 1; i <= n; i++)
		for (unsigned j = 1; j <= m; j++) {
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[n][m];
}

static const char *nearest(const char *s, word_at *at, const void *from)
{
	const char *word, *found = NULL;
	unsigned best = strlen(s) / 3 + 2;

	for (unsigned i = 0; (word = at(from, i)); i++) {
		unsigned d = distance(s, word);

		if (d < best) {
			best = d;
			found = word;
		}
	}
	return found;
}

static void join(char *text, size_t size, const char *s, size_t len, word_at *at,
		 const void *from)
{
	const char *word;
	size_t used = strlen(text);
	const char *comma = "";

	for (unsigned i = 0; (word = at(from, i)) && used < size; i++) {
		if (strncmp(word, s, len))
			continue;
		used += snprintf(text + used, size - used, "%s%s", comma, word);
		comma = ", ";
	}
}

int word_find(const char *s, word_at *at, const void *from, const char *what,
	      char *text, size_t size)
{
	size_t len = strlen(s);
	unsigned fits = 0;
	const char *word;
	int found = -1;

	for (unsigned i = 0; (word = at(from, i)); i++) {
		if (!strcmp(word, s))
			return i;
		if (len && !strncmp(word, s, len)) {
			fits++;
			found = i;
		}
	}
	if (fits == 1)
		return found;
	if (fits) {
		snprintf(text, size, "%s \"%s\" is ambiguous: ", what, s);
		join(text, size, s, len, at, from);
		return -2;
	}
	word = nearest(s, at, from);
	if (word) {
		snprintf(text, size, "unknown %s \"%s\": did you mean \"%s\"?", what, s, word);
	} else {
		snprintf(text, size, "unknown %s \"%s\": it is one of ", what, s);
		join(text, size, "", 0, at, from);
	}
	return -1;
}

bool word_number(const char *s, double *number)
{
	char *end;

	*number = strtod(s, &end);
	return end != s && !*end && *number - *number == 0;
}
