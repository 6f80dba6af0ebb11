/* SPDX-License-Identifier: MIT */
/* history_impl: what history.c (asks and chooses) and history_rows.c (reads windows) share. */
#ifndef SONDE_TRAIN_HISTORY_IMPL_H
#define SONDE_TRAIN_HISTORY_IMPL_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "models/train/history.h"

/* Times at which nothing is normal; most[i]: the latest end of the first i + 1. */
struct trouble {
	int64_t *start, *most;
	size_t n, room;
};

struct history {
	sqlite3 *db;
	const char *path;
	char pipeline[64];
	int64_t names;			/* the list of channels that counts */
	struct trouble trouble;
	struct table *t;
	size_t room;			/* rows that fit into t->value */
	unsigned kept, run;		/* rows of the pieces before, with gaps; of this piece */
	unsigned normal;		/* rows without the gaps */
	uint64_t tick, t_ns;		/* of the last row taken */
	int64_t wall_ns, kept_ns;	/* wall-clock time of that; of the last row kept */
	int64_t event;			/* whose window is being read */
	double period_sum, periods;	/* ns, from row to row within pieces */
	struct why *why;
};

/* SQLite's last error as -errno, with "doing: message" for a reason. */
int history_fail(struct history *h, const char *doing);
int history_prepare(struct history *h, sqlite3_stmt **st, const char *sql);

/* When nothing of the pipeline was normal; then all its windows' normal rows, into h->t. */
int history_trouble(struct history *h);
int history_rows(struct history *h);

#endif
