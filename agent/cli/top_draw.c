// SPDX-License-Identifier: MIT
/*
 * top_draw: one frame. 80x24 is the smallest size at which everything has a place; what is
 * larger gives longer sparklines, more channels, and from 150 columns two of them abreast.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/cli/screen.h"
#include "agent/cli/top.h"
#include "agent/stats.h"

#define NAME_WIDTH 22
#define EVENTS_SMALL 3
#define ROOMY 110
#define WIDE 150

bool top_departed(const struct top *t, const struct sonde_channel *ch)
{
	char key[SONDE_NAME_MAX + 16];

	snprintf(key, sizeof(key), "\"name\":\"%.*s\"", SONDE_NAME_MAX, ch->name);
	return t->page.s[0].tick.alarm && strstr(t->departed, key);
}

static void draw_head(const struct top *t, struct screen *s)
{
	const struct sonde_host *h = &t->page.s[0].host;
	time_t now = time(NULL);
	unsigned long up = now - h->start_realtime_ns / 1000000000;
	char clock[16], right[80];
	struct tm tm;
	unsigned n;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	screen_style(s, "7");
	screen_printf(s, " %s  %s  %g Hz  ", t->title ? t->title : "sonde", h->name, h->rate_hz);
	if (*h->model && h->model_hidden)
		screen_printf(s, "%s %s LSTM %u", h->model, h->model_precision, h->model_hidden);
	else if (*h->model)
		screen_printf(s, "%s %s linear", h->model, h->model_precision);
	else
		screen_printf(s, "no model yet");
	n = snprintf(right, sizeof(right), "  pid %u  up %lu:%02lu:%02lu  %s ", h->pid, up / 3600,
		     up / 60 % 60, up % 60, clock);
	if (s->columns > s->column + n)
		screen_to(s, s->columns - n);
	screen_printf(s, "%s", right);
	screen_to(s, s->columns);
	screen_newline(s);
}

static void draw_status(const struct top *t, struct screen *s)
{
	char text[200];

	if (t->page.life != PAGE_RUNNING) {
		page_sentence(&t->page, text, sizeof(text));
		screen_style(s, "1;31");
		screen_printf(s, " %s", text);
	} else if (t->status_file) {
		screen_style(s, "1");
		screen_printf(s, " %s", t->status);
	}
	screen_newline(s);
}

/* The last n of a history, right-aligned. */
static void spark(const struct top *t, struct screen *s, const float *v, unsigned n, float low,
		  float high)
{
	if (n > TOP_HISTORY)
		n = TOP_HISTORY;
	if (t->filled < n) {
		screen_to(s, s->column + n - t->filled);
		n = t->filled;
	}
	screen_spark(s, v + t->filled - n, n, low, high);
}

static void draw_score(const struct top *t, struct screen *s)
{
	const struct sonde_tick *k = &t->page.s[0].tick;
	unsigned width = s->columns / 4;
	/* The limit stands at two thirds, so that there is room to see how far beyond. */
	double scale = k->limit > 0 ? k->limit * 1.5 : 1;

	screen_printf(s, " score ");
	if (!t->page.s[0].host.model[0]) {
		screen_printf(s, "nothing is judged before a model is loaded");
		screen_newline(s);
		return;
	}
	screen_printf(s, "%7.2f / %-7.2f ", k->score, k->limit);
	screen_style(s, k->alarm ? "1;31" : k->score > k->limit ? "33" : "32");
	screen_bar(s, k->score / scale, k->limit / scale, width);
	screen_printf(s, "%s", k->alarm ? " ALARM   " : k->scored ? " normal  " : " settling ");
	spark(t, s, t->score, s->columns - s->column - 1, 0, scale);
	screen_newline(s);
}

static void draw_ticks(const struct top *t, struct screen *s)
{
	const struct sonde_host *h = &t->page.s[0].host;
	const struct sonde_tick *k = &t->page.s[0].tick;
	char p50[16], p99[16], max[16];

	screen_printf(s, " ticks %llu missed ", k->ticks);
	screen_style(s, k->missed ? "33" : "");
	screen_printf(s, "%llu", k->missed);
	screen_style(s, "");
	screen_printf(s, "  latency p50 %s p99 %s max %s",
		      cli_duration(p50, stats_hist_quantile(&k->latency, 0.5)),
		      cli_duration(p99, stats_hist_quantile(&k->latency, 0.99)),
		      cli_duration(max, k->latency.max_ns));
	screen_printf(s, "  cpu %.1f%%", t->cpu_percent);
	if (s->columns >= ROOMY)
		screen_printf(s, "  %.1f MB  wakeup p99 %s", h->rss_bytes / 1e6,
			      cli_duration(p99, stats_hist_quantile(&h->wakeup, 0.99)));
	screen_newline(s);
}

static void range(const struct top *t, const float *v, unsigned n, float *low, float *high)
{
	*low = INFINITY;
	*high = -INFINITY;
	for (unsigned i = t->filled > n ? t->filled - n : 0; i < t->filled; i++) {
		*low = fminf(*low, v[i]);
		*high = fmaxf(*high, v[i]);
	}
}

static void draw_channel(const struct top *t, struct screen *s, unsigned i, unsigned width)
{
	const struct sonde_channel *ch = &t->page.s[0].tick.channel[i];
	bool departed = top_departed(t, ch);
	unsigned begin = s->column, sparks;
	char value[16];
	float low, high;

	screen_style(s, departed ? "1;31" : ch->state == 2 ? "" : "2");
	screen_printf(s, "%c%-*.*s ", departed ? '>' : ' ', NAME_WIDTH, NAME_WIDTH, ch->name);
	if (ch->state == 2)
		screen_printf(s, "%9s %-8.8s ", cli_number(value, ch->value), ch->unit);
	else
		screen_printf(s, "%9s %-8.8s ", "-", page_channel_state(ch->state));
	sparks = s->column - begin + 8;
	sparks = width > sparks ? width - sparks : 0;
	range(t, t->value[i], sparks, &low, &high);
	spark(t, s, t->value[i], sparks, low, high);
	screen_printf(s, " %6.2f", ch->contribution);
	screen_style(s, "");
	screen_to(s, begin + width);
}

static void order(const struct top *t, unsigned *index, unsigned n)
{
	const struct sonde_channel *ch = t->page.s[0].tick.channel;

	for (unsigned i = 0; i < n; i++) {
		bool departed = top_departed(t, &ch[i]);
		unsigned at = i;

		/* In an alarm those that departed lead, whatever the order. */
		for (; at; at--) {
			const struct sonde_channel *other = &ch[index[at - 1]];
			bool larger = t->by_share && ch[i].contribution > other->contribution;

			if (departed < top_departed(t, other) ||
			    (departed == top_departed(t, other) && !larger))
				break;
			index[at] = index[at - 1];
		}
		index[at] = i;
	}
}

static void draw_channels(const struct top *t, struct screen *s, unsigned lines)
{
	unsigned n = t->page.s[0].tick.channels, across = s->columns >= WIDE ? 2 : 1;
	unsigned index[SONDE_CHANNELS_MAX], width = s->columns / across, first = t->scroll;

	order(t, index, n);
	if (first + lines * across > n)
		first = n > lines * across ? n - lines * across : 0;
	screen_style(s, "2");
	for (unsigned k = 0; k < across; k++) {
		screen_to(s, k * width);
		screen_printf(s, " %-*s %9s %-8s", NAME_WIDTH, "channel", "value", "unit");
		screen_to(s, (k + 1) * width - 6);
		screen_printf(s, "score");
	}
	screen_newline(s);
	for (unsigned line = 0; line < lines; line++) {
		for (unsigned k = 0; k < across; k++)
			if (first + k * lines + line < n)
				draw_channel(t, s, index[first + k * lines + line], width);
		screen_newline(s);
	}
}

static void draw_events(const struct top *t, struct screen *s, unsigned lines)
{
	screen_style(s, "2");
	screen_printf(s, " events: %llu", t->page.s[0].host.events);
	screen_newline(s);
	for (unsigned i = 0; i < lines; i++) {
		if (i < t->events)
			screen_printf(s, " %s", t->event[i]);
		screen_newline(s);
	}
}

void top_draw(const struct top *t, struct screen *s)
{
	unsigned events, fixed = 7;	/* head, status, score, ticks, two headings, keys */

	screen_begin(s);
	events = s->rows < 30 ? EVENTS_SMALL : TOP_EVENTS;
	draw_head(t, s);
	draw_status(t, s);
	draw_score(t, s);
	draw_ticks(t, s);
	draw_channels(t, s, s->rows > fixed + events ? s->rows - fixed - events : 1);
	draw_events(t, s, events);
	screen_style(s, "2");
	if (s->keys)
		screen_printf(s, " q quit  o order by %s  up/down scroll (%u channels)",
			      t->by_share ? "name" : "share", t->page.s[0].tick.channels);
	screen_newline(s);
	screen_end(s);
}
