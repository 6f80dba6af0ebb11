/* SPDX-License-Identifier: MIT */
/*
 * limit_memory: what limits have learned, kept over restarts: STATE_DIR/PIPELINE.limit. A
 * limit learns for weeks; a reboot should not undo that, nor should trying another model and
 * going back to the one before, so the file holds the last few models' limits. Belongs to
 * main, which sees a running limit on the stats page only.
 */
#ifndef SONDE_LIMIT_MEMORY_H
#define SONDE_LIMIT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/limit.h"

struct sonde_limit;
struct why;

#define LIMIT_MEMORIES 4

struct limit_memory {
	unsigned n;
	struct {
		uint64_t key;		/* pipeline_model.key */
		struct limit_state state;
	} entry[LIMIT_MEMORIES];	/* the latest first */
};

/* Any bytes: -EBADMSG with the reason, *m empty. What a state says is limit_restore's to check. */
int limit_memory_parse(struct limit_memory *m, const void *data, size_t len, struct why *why);

/* 0 and empty if there is no such file; otherwise errors as file_read and the above, and empty. */
int limit_memory_read(struct limit_memory *m, const char *path, struct why *why);
/* All of it or nothing. */
int limit_memory_write(const struct limit_memory *m, const char *path, struct why *why);

/* NULL: nothing is known of this one. */
const struct limit_state *limit_memory_find(const struct limit_memory *m, uint64_t key);
/* It becomes the latest; the oldest goes when there is no room. */
void limit_memory_put(struct limit_memory *m, uint64_t key, const struct limit_state *s);

/* The pipeline's thread writes it to the page; main makes what is kept of it. False: none follows. */
void limit_publish(const struct limit *l, float start, uint64_t key, struct sonde_limit *out);
bool limit_published(const struct sonde_limit *page, struct limit_state *s);

#endif
