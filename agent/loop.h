/* SPDX-License-Identifier: MIT */
/*
 * loop: the main thread's event loop: drains the queues, keeps the stats page and
 * systemd informed, answers signals. Everything on it may block for a moment;
 * a pipeline's queue holds two seconds.
 */
#ifndef SONDE_LOOP_H
#define SONDE_LOOP_H

struct daemon;
struct events_ops;
struct why;

/* What becomes of a pipeline's events: log and varlink. user: its struct line. */
extern const struct events_ops loop_events_ops;

/* SIGTERM, SIGINT and SIGHUP are for the loop alone. */
void loop_block_signals(void);

int loop_open(struct daemon *d, struct why *why);
void loop_close(struct daemon *d);

/* Until a signal (0) or a pipeline's death (1). Tells systemd when it begins and ends. */
int loop_run(struct daemon *d);

#endif
