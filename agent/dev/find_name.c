// SPDX-License-Identifier: MIT
/*
 * find_name: which of the names that are there somebody may have meant. All of them are
 * told, a board has few; the order says which is likely.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dev/find.h"

#define WORD_MAX 64

/* How many letters differ: Levenshtein's distance, of the first WORD_MAX. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1], n = (unsigned)strnlen(b, WORD_MAX);

	for (unsigned k = 0; k <= n; k++)
		row[k] = k;
	for (unsigned i = 0; a[i] && i < WORD_MAX; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (unsigned k = 1; k <= n; k++) {
			unsigned best = diagonal + (a[i] != b[k - 1]);

			diagonal = row[k];
			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[n];
}

/* Append one of a list of names; one that does not fit ends it with "...". */
static bool append(char *text, size_t size, const char *name)
{
	size_t used = strlen(text);

	if (used + strlen(name) + 8 > size) {
		if (used && used + 6 <= size)
			strcpy(text + used, ", ...");
		return false;
	}
	snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
	return true;
}

/* Quadratic in what is a handful. */
void find_nearest(char *text, size_t size, const char *wanted, const char *names, unsigned n,
		  size_t stride)
{
	unsigned best = 0;
	bool done[FIND_LIST_MAX] = { false };

	*text = '\0';
	for (unsigned left = n; left; left--) {
		unsigned least = UINT_MAX;

		for (unsigned i = 0; i < n; i++) {
			unsigned d = done[i] ? UINT_MAX : distance(names + i * stride, wanted);

			if (d < least) {
				least = d;
				best = i;
			}
		}
		done[best] = true;
		for (unsigned i = 0; i < n; i++)
			if (!done[i] && !strcmp(names + i * stride, names + best * stride)) {
				done[i] = true;
				left--;
			}
		if (!append(text, size, names + best * stride))
			return;
	}
	if (!*text)
		snprintf(text, size, "none");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

void find_files(const char *dir, const char *prefix, const char *suffix, bool bare,
		const char *wanted, char *text, size_t size)
{
	const size_t plen = strlen(prefix), slen = strlen(suffix);
	const size_t from = bare ? plen : 0, off = bare ? plen + slen : 0;
	char (*names)[FIND_TEXT_MAX] = calloc(FIND_LIST_MAX, sizeof *names);
	struct dirent *e;
	unsigned n = 0;
	DIR *d = opendir(dir);

	while (names && d && n < FIND_LIST_MAX && (e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (*e->d_name == '.' || len <= plen + slen || len - off >= FIND_TEXT_MAX ||
		    strncmp(e->d_name, prefix, plen) || strcmp(e->d_name + len - slen, suffix))
			continue;
		memcpy(names[n++], e->d_name + from, len - off);
	}
	if (d)
		closedir(d);
	/* readdir() has no order; equally near names shall always come in the same. */
	if (names)
		qsort(names, n, sizeof *names, by_name);
	find_nearest(text, size, wanted, names ? names[0] : "", n, sizeof *names);
	free(names);
}
