/* SPDX-License-Identifier: MIT */
/* event: how an event is written, for list, follow, window and top. */
#ifndef SONDE_CLI_EVENT_H
#define SONDE_CLI_EVENT_H

#include "agent/cli/cli.h"

struct store_event;

/* "cpu0.busy 31 %, mem.free 12 %": from the store's JSON; "" when there is none. */
const char *event_channels(char *text, size_t size, const char *json);

/* One line about e, no newline: kind, how strong, who, what else. */
void event_line(char *text, size_t size, const struct store_event *e);

/* A row of `event list`. */
void event_print(const struct store_event *e);

/* "9.81 s", "still on" */
const char *event_length(char buf[static 16], const struct store_event *e);

#endif
