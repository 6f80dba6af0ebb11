/* SPDX-License-Identifier: MIT */
/* top: what the loop (top.c) has gathered and the drawing (top_draw.c) shows. */
#ifndef SONDE_CLI_TOP_H
#define SONDE_CLI_TOP_H

#include "agent/cli/page.h"

#define TOP_HISTORY 240		/* columns of the past */
#define TOP_EVENTS 8

struct screen;

struct top {
	struct cli *c;
	struct page page;
	const char *title, *status_file;
	char status[160];
	bool by_share;		/* order of the channels */
	unsigned scroll;

	/* The newest is [filled - 1]; NaN: nothing then. */
	unsigned filled;
	float value[SONDE_CHANNELS_MAX][TOP_HISTORY];
	float score[TOP_HISTORY];

	char event[TOP_EVENTS][400];	/* newest first */
	unsigned events;
	char departed[512];		/* of the alarm that is on: the store's JSON */

	double cpu_percent;		/* of one core, the daemon's */
	uint64_t cpu_ns, cpu_at_ns;
};

void top_draw(const struct top *t, struct screen *s);

/* Is this channel among those that departed, as far as is known? */
bool top_departed(const struct top *t, const struct sonde_channel *ch);

#endif
