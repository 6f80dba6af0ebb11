// SPDX-License-Identifier: MIT
/*
 * log: journal or standard error, decided once. JOURNAL_STREAM names the device and
 * inode of the stream that systemd gave us: it is inherited by children whose
 * standard error goes elsewhere, so it is compared, not believed (systemd.exec(5)).
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "agent/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

#include "agent/store.h"

static bool to_journal(void)
{
	static int known = -1;
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (known < 0)
		known = stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && !fstat(2, &st) &&
			st.st_dev == dev && st.st_ino == ino;
	return known;
}

void log_line(enum log_level level, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (to_journal())
		sd_journal_print(level, "%s", text);
	else
		fprintf(stderr, "sonded: %s%s\n", level <= LOG_LEVEL_ERROR ? "error: " : "", text);
}

/* "a (62 %), b (21 %)" of the JSON list, which the agent itself has made. */
static void channels_text(const char *json, char *text, size_t size)
{
	size_t at = 0;

	*text = '\0';
	while ((json = strstr(json, "{\"name\":\""))) {
		char name[64];
		double share;
		int n, used = 0;

		n = sscanf(json, "{\"name\":\"%63[^\"]\",\"share\":%lf}%n", name, &share, &used);
		if (n != 2 || !used)
			return;
		n = snprintf(text + at, size - at, "%s%s (%.0f %%)", at ? ", " : "", name,
			     share * 100);
		if (n < 0 || (size_t)n >= size - at)
			return;
		at += n;
		json += used;
	}
}

static void event_text(bool begin, const struct store_event *e, char *text, size_t size)
{
	double seconds = (e->end_realtime_ns - e->start_realtime_ns) / 1e9;
	char channels[512];

	channels_text(e->channels, channels, sizeof channels);
	if (strcmp(e->kind, "alarm"))
		snprintf(text, size, "%s: %s%s", e->pipeline, e->detail,
			 begin ? "" : " (over)");
	else if (begin)
		snprintf(text, size, "%s: ALARM: score %.1f over %.1f; departed: %s%s%s%s",
			 e->pipeline, e->score, e->limit, channels, *e->detail ? " (" : "",
			 e->detail, *e->detail ? ")" : "");
	else
		snprintf(text, size, "%s: clear after %.1f s; peak %.1f; departed: %s%s%s%s",
			 e->pipeline, seconds, e->peak, channels, *e->detail ? " (" : "",
			 e->detail, *e->detail ? ")" : "");
}

void log_event(bool begin, const struct store_event *e)
{
	enum log_level level = strcmp(e->kind, "model") && begin ? LOG_LEVEL_WARNING
								 : LOG_LEVEL_NOTICE;
	char text[1024];

	event_text(begin, e, text, sizeof text);
	if (!to_journal()) {
		log_line(level, "%s", text);
		return;
	}
	sd_journal_send("MESSAGE=%s", text, "PRIORITY=%d", level, "SONDE_EVENT=%lld",
			(long long)e->id, "SONDE_PHASE=%s", begin ? "begin" : "end",
			"SONDE_KIND=%s", e->kind, "SONDE_PIPELINE=%s", e->pipeline,
			"SONDE_CHANNELS=%s", e->channels, "SONDE_SCORE=%.3f", e->score,
			"SONDE_LIMIT=%.3f", e->limit, NULL);
}
