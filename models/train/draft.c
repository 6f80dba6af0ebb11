// SPDX-License-Identifier: MIT
/*
 * draft: see draft.h. A list of blocks: a model has a score of arrays of sizes
 * that are known at different moments, all freed at once.
 */
#include "models/train/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct draft_block {
	struct draft_block *next;
	_Alignas(64) unsigned char bytes[];
};

void *draft_keep(struct draft *d, size_t bytes)
{
	size_t size = (sizeof(struct draft_block) + bytes + 63) / 64 * 64;
	struct draft_block *b = aligned_alloc(64, size);

	if (!b)
		return NULL;
	memset(b, 0, size);
	b->next = d->blocks;
	d->blocks = b;
	return b->bytes;
}

void *draft_copy(struct draft *d, const void *src, size_t bytes)
{
	void *p = draft_keep(d, bytes);

	return p ? memcpy(p, src, bytes) : NULL;
}

void draft_close(struct draft *d)
{
	while (d->blocks) {
		struct draft_block *b = d->blocks;

		d->blocks = b->next;
		free(b);
	}
	memset(d, 0, sizeof(*d));
}

void draft_stamp(struct draft *d)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t t = epoch && *epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(d->m.created, sizeof(d->m.created), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void draft_name(struct draft *d, const char *path)
{
	const char *base = strrchr(path, '/');
	const char *dot;
	size_t n;

	base = base ? base + 1 : path;
	dot = strrchr(base, '.');
	n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
	if (n >= MODEL_NAME_MAX)
		n = MODEL_NAME_MAX - 1;
	memset(d->m.name, 0, MODEL_NAME_MAX);
	memcpy(d->m.name, base, n);
}
