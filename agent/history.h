/* SPDX-License-Identifier: MIT */
/*
 * history: the last so many ticks of a pipeline, as they came. Main keeps it so that
 * an event can be stored with what went before it. Rows are found by their tick.
 */
#ifndef SONDE_HISTORY_H
#define SONDE_HISTORY_H

#include <stdint.h>

struct history;
struct record;

int history_open(struct history **out, unsigned rows, unsigned channels);
void history_close(struct history *h);

/* Copies r; the oldest row makes room. */
void history_add(struct history *h, const struct record *r);

/*
 * The rows whose tick is from..to, oldest first, at most as many as the history
 * holds. The array and the rows are valid until the next history_add.
 */
unsigned history_find(struct history *h, uint64_t from, uint64_t to,
		      const struct record *const **rows);

unsigned history_capacity(const struct history *h);

#endif
