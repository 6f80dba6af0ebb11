/* SPDX-License-Identifier: MIT */
/*
 * gpio_meter: a running count of edges as a rate, looked at once a tick: over the last so
 * many ticks, or over the last second. Pure arithmetic on memory that its caller allocates.
 */
#ifndef SONDE_GPIO_METER_H
#define SONDE_GPIO_METER_H

#include <stdbool.h>
#include <stdint.h>

struct meter_mark {
	uint64_t t_ns, count;
};

struct meter {
	struct meter_mark *mark;	/* a ring of size */
	unsigned size, first, used;
	unsigned ticks;			/* the window; 0: a second */
};

/* How many marks a window of so many ticks (0: a second) needs. */
unsigned meter_marks(unsigned ticks);

/* mark[meter_marks(ticks)] stays the meter's. */
void meter_init(struct meter *m, unsigned ticks, struct meter_mark *mark);

/* Forget what was seen: there was no counting for a while. */
void meter_reset(struct meter *m);

/*
 * The count as of t_ns, once a tick. True and *per_second once a whole window has passed; a second
 * look at the same moment gives none.
 */
bool meter_look(struct meter *m, uint64_t count, uint64_t t_ns, double *per_second);

#endif
