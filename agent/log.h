/* SPDX-License-Identifier: MIT */
/*
 * log: what the daemon has to say. To the journal with fields that can be searched
 * for when standard error is the journal's, otherwise a line on standard error.
 */
#ifndef SONDE_LOG_H
#define SONDE_LOG_H

#include <stdbool.h>

struct store_event;

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5,
		 LOG_LEVEL_INFO = 6 };	/* syslog's numbers */

void log_line(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* An event as a sentence, its parts as journal fields SONDE_*. */
void log_event(bool begin, const struct store_event *e);

#endif
