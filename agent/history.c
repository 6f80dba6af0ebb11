// SPDX-License-Identifier: MIT
/*
 * history: a ring of equal rows, allocated once. A row has the size of a record
 * with its channels' data, as the queue has it.
 */
#include "agent/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/queue.h"

struct history {
	unsigned capacity;
	uint64_t added;
	size_t size, stride;
	uint8_t *memory;
	const struct record **found;
};

static struct record *row(const struct history *h, uint64_t index)
{
	return (struct record *)(h->memory + index % h->capacity * h->stride);
}

int history_open(struct history **out, unsigned rows, unsigned channels)
{
	struct history *h = calloc(1, sizeof *h);

	*out = NULL;
	if (!h)
		return -ENOMEM;
	h->capacity = rows;
	h->size = sizeof(struct record) + channels * (2 * sizeof(float) + 1);
	h->stride = (h->size + _Alignof(struct record) - 1) / _Alignof(struct record) *
		    _Alignof(struct record);
	h->memory = calloc(rows, h->stride);
	h->found = calloc(rows, sizeof *h->found);
	if (!rows || !h->memory || !h->found) {
		history_close(h);
		return rows ? -ENOMEM : -EINVAL;
	}
	*out = h;
	return 0;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	free(h->memory);
	free(h->found);
	free(h);
}

void history_add(struct history *h, const struct record *r)
{
	memcpy(row(h, h->added++), r, h->size);
}

unsigned history_find(struct history *h, uint64_t from, uint64_t to,
		      const struct record *const **rows)
{
	uint64_t oldest = h->added > h->capacity ? h->added - h->capacity : 0;
	uint64_t first = h->added;
	unsigned n = 0;

	while (first > oldest && row(h, first - 1)->tick >= from)
		first--;
	for (; first < h->added && row(h, first)->tick <= to; first++)
		h->found[n++] = row(h, first);
	*rows = h->found;
	return n;
}

unsigned history_capacity(const struct history *h)
{
	return h->capacity;
}
