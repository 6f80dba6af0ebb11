/* SPDX-License-Identifier: MIT */
/*
 * rights: what a real-time thread would like and may be refused. Nothing here is
 * an error: each function says in words what was lost, and the agent runs on.
 */
#ifndef SONDE_RIGHTS_H
#define SONDE_RIGHTS_H

#include <stdbool.h>

struct why;

/*
 * The core for pipeline number index when the user said "last": the last
 * isolated one, otherwise the last one allowed to us, counted down by index. -1 when
 * there is only one core: a pinned real-time thread would have to share it with all else.
 */
int rights_pick_core(unsigned index);

/* Each acts on the calling thread. True on success, otherwise why says what was lost. */
bool rights_pin(int core, struct why *why);
bool rights_fifo(int priority, struct why *why);

/* Keep the calling thread off these cores, where that leaves it at least one. */
void rights_avoid(const int *core, unsigned n);

/*
 * Lock the process's memory, present and future, page by page as it is touched:
 * what is never used (most of a library) then costs no memory.
 */
bool rights_lock_memory(struct why *why);

/* Touch this thread's stack so that it can not fault later. */
void rights_touch_stack(void);

#endif
