// SPDX-License-Identifier: MIT
/*
 * top: looks at the stats page four times a second and draws it; the daemon is asked
 * nothing but, once, where its events are. Without a terminal it is a line a second.
 */
#include "agent/cli/top.h"

#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/cli/event.h"
#include "agent/cli/link.h"
#include "agent/cli/screen.h"
#include "agent/stats.h"
#include "agent/store.h"
#include "kernels/why.h"

#define SECOND 1000000000ull
#define FRAME_NS (SECOND / 4)
#define EVENTS_EVERY_NS (5 * SECOND)

static volatile sig_atomic_t quit, suspend;

static void on_signal(int number)
{
	if (number == SIGTSTP)
		suspend = 1;
	else if (number != SIGWINCH)
		quit = number;
}

/* Signals are let in only while waiting. */
static void catch_signals(sigset_t *waiting)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block;

	sigemptyset(&block);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		sigaction(numbers[i], &sa, NULL);
		sigaddset(&block, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &block, waiting);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigdelset(waiting, numbers[i]);
}

static int on_event(void *user, const struct store_event *e)
{
	time_t at = e->start_realtime_ns / (int64_t)SECOND;
	char clock[16], length[16], line[340];
	struct top *t = user;
	struct tm tm;

	if (strcmp(e->pipeline, t->page.s[0].host.name))
		return 0;
	if (!t->departed[0] && !strcmp(e->kind, "alarm") && !e->end_realtime_ns)
		snprintf(t->departed, sizeof(t->departed), "%s", e->channels);
	event_line(line, sizeof(line), e);
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&at, &tm));
	snprintf(t->event[t->events++], sizeof(*t->event), "%s %8s  %s", clock,
		 event_length(length, e), cli_utf8(line));
	return t->events == TOP_EVENTS;
}

static void read_events(struct top *t, const char *state_dir)
{
	struct store *s;
	struct why why;

	t->events = 0;
	t->departed[0] = '\0';
	if (store_open(&s, state_dir, true, &why))
		return;	/* no event has ever been stored */
	store_list(s, 100, on_event, t, &why);
	store_close(s);
}

static void read_status(struct top *t)
{
	FILE *f = t->status_file ? fopen(t->status_file, "re") : NULL;

	t->status[0] = '\0';
	if (!f)
		return;
	if (fgets(t->status, sizeof(t->status), f))
		t->status[strcspn(t->status, "\n")] = '\0';
	cli_utf8(t->status);
	fclose(f);
}

static void remember(struct top *t)
{
	const struct sonde_tick *k = &t->page.s[0].tick;
	const struct sonde_host *h = &t->page.s[0].host;
	uint64_t now = page_now_ns();
	unsigned at;

	if (t->filled == TOP_HISTORY) {
		for (unsigned i = 0; i < SONDE_CHANNELS_MAX; i++)
			memmove(t->value[i], t->value[i] + 1, sizeof(t->value[i]) - sizeof(float));
		memmove(t->score, t->score + 1, sizeof(t->score) - sizeof(float));
		t->filled--;
	}
	at = t->filled++;
	for (unsigned i = 0; i < SONDE_CHANNELS_MAX; i++) {
		bool known = i < k->channels && k->channel[i].samples;

		t->value[i][at] = known ? k->channel[i].value : NAN;
	}
	t->score[at] = k->scored ? k->score : NAN;
	/* The daemon counts its time once a second; over less the figure would jump. */
	if (now - t->cpu_at_ns > 2 * SECOND && h->cpu_ns != t->cpu_ns) {
		if (t->cpu_at_ns && h->cpu_ns > t->cpu_ns)
			t->cpu_percent = 100.0 * (h->cpu_ns - t->cpu_ns) / (now - t->cpu_at_ns);
		t->cpu_ns = h->cpu_ns;
		t->cpu_at_ns = now;
	}
}

/* A daemon started again makes a page of its own; the old one stays what it was. */
static void reattach(struct top *t)
{
	struct page other;
	char text[512];

	if (page_attach(t->c, &other, cli_value(t->c, "pipeline"), text, sizeof(text)))
		return;
	if (other.life != PAGE_RUNNING) {
		page_close(&other);
		return;
	}
	page_close(&t->page);
	t->page = other;
	t->cpu_at_ns = t->cpu_ns = 0;
}

static unsigned largest(const struct sonde_tick *k)
{
	unsigned best = 0;

	for (unsigned i = 1; i < k->channels; i++)
		if (k->channel[i].contribution > k->channel[best].contribution)
			best = i;
	return best;
}

static int line_json(struct top *t, const char *clock)
{
	const struct sonde_tick *k = &t->page.s[0].tick;
	const struct sonde_channel *ch = &k->channel[largest(k)];
	sd_json_variant *v = NULL, *daemon = NULL;
	int r = page_daemon_json(&t->page, &daemon);

	if (r >= 0)
		r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("daemon", daemon),
			SD_JSON_BUILD_PAIR_STRING("time", clock),
			SD_JSON_BUILD_PAIR_STRING("pipeline", t->page.s[0].host.name),
			SD_JSON_BUILD_PAIR_UNSIGNED("ticks", k->ticks),
			SD_JSON_BUILD_PAIR_UNSIGNED("missed", k->missed),
			SD_JSON_BUILD_PAIR_REAL("score", k->scored ? cli_float(k->score) : NAN),
			SD_JSON_BUILD_PAIR_REAL("limit", k->scored ? cli_float(k->limit) : NAN),
			SD_JSON_BUILD_PAIR_BOOLEAN("alarm", k->alarm),
			SD_JSON_BUILD_PAIR_UNSIGNED("p50_ns",
						    stats_hist_quantile(&k->latency, 0.5)),
			SD_JSON_BUILD_PAIR_UNSIGNED("p99_ns",
						    stats_hist_quantile(&k->latency, 0.99)),
			SD_JSON_BUILD_PAIR_STRING("channel", ch->name),
			SD_JSON_BUILD_PAIR_REAL("contribution", cli_float(ch->contribution)),
			SD_JSON_BUILD_PAIR_STRING("status", t->status));
	sd_json_variant_unref(daemon);
	return cli_json(t->c, r, &v);
}

static void line_text(struct top *t, const char *clock)
{
	const struct sonde_tick *k = &t->page.s[0].tick;
	const struct sonde_channel *ch = &k->channel[largest(k)];
	char p50[16], p99[16], share[16];

	printf("%.8s  tick %llu  ", clock + 11, k->ticks);
	if (t->page.s[0].host.model[0])
		printf("score %.2f/%.2f %s  ", k->score, k->limit, k->alarm ? "ALARM" :
		       k->scored ? "normal" : "settling");
	printf("p50 %s p99 %s", cli_duration(p50, stats_hist_quantile(&k->latency, 0.5)),
	       cli_duration(p99, stats_hist_quantile(&k->latency, 0.99)));
	if (k->scored)
		printf("  %s %s", ch->name, cli_number(share, rintf(ch->contribution * 100) / 100));
	printf("%s%s\n", *t->status ? "  | " : "", t->status);
}

static int line(struct top *t)
{
	char clock[40], text[200];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	cli_time(clock, now.tv_sec * (int64_t)SECOND + now.tv_nsec);
	if (t->c->format != CLI_TEXT)
		line_json(t, clock);
	else
		line_text(t, clock);
	fflush(stdout);
	if (t->page.life == PAGE_RUNNING || t->page.life == PAGE_SILENT)
		return CLI_OK;
	page_sentence(&t->page, text, sizeof(text));
	return cli_error(t->c, "%s", text);
}

/* What was typed; true: quit. */
static bool keys(struct top *t)
{
	char k[32];
	ssize_t n = read(STDIN_FILENO, k, sizeof(k));

	for (ssize_t i = 0; i < n; i++) {
		if (k[i] == '\x1b' && i + 2 < n && k[i + 1] == '[') {
			i += 2;
			if (k[i] == 'A' && t->scroll)
				t->scroll--;
			else if (k[i] == 'B' && t->scroll + 1 < t->page.s[0].tick.channels)
				t->scroll++;
		} else if (k[i] == 'q' || k[i] == 'Q' || k[i] == 4) {
			return true;
		} else if (k[i] == 'o') {
			t->by_share = !t->by_share;
		}
	}
	return false;
}

/* Wait until ns; true: somebody wants to leave. */
static bool wait_until(struct top *t, struct screen *s, uint64_t ns, const sigset_t *waiting)
{
	struct pollfd p = { .fd = s && s->keys ? STDIN_FILENO : -1, .events = POLLIN };
	uint64_t now = page_now_ns();
	uint64_t left = ns > now ? ns - now : 0;
	struct timespec timeout = { left / SECOND, left % SECOND };

	if (ppoll(&p, 1, &timeout, waiting) > 0) {
		if (p.revents & (POLLHUP | POLLERR))
			return true;
		if (keys(t))
			return true;
	}
	if (suspend && s) {
		suspend = 0;
		screen_leave(s);
		raise(SIGSTOP);
		screen_enter(s);
	} else if (suspend) {
		suspend = 0;
		raise(SIGSTOP);
	}
	return quit;
}

static int loop(struct top *t, struct screen *s, double seconds, const sigset_t *waiting)
{
	uint64_t begin = page_now_ns(), next = begin, end, events_at = 0, second = 0;
	uint64_t seen = UINT64_MAX, period = s ? FRAME_NS : SECOND;
	bool alarm = false;
	char dir[PATH_MAX];

	end = seconds > 0 ? begin + (uint64_t)(seconds * SECOND) : UINT64_MAX;
	link_state_dir(t->c, dir, sizeof(dir));
	for (;;) {
		const struct sonde_stats *k = t->page.s;
		uint64_t now = page_now_ns();

		page_refresh(&t->page);
		if (now >= second) {
			second = now + SECOND;
			read_status(t);
			if (t->page.life != PAGE_RUNNING)
				reattach(t);
			k = t->page.s;
		}
		if (s && (k->host.events != seen || k->tick.alarm != alarm || now >= events_at)) {
			seen = k->host.events;
			alarm = k->tick.alarm;
			events_at = now + EVENTS_EVERY_NS;
			read_events(t, dir);
		}
		remember(t);
		if (s) {
			top_draw(t, s);
		} else {
			int r = line(t);

			if (r)
				return r;
		}
		for (next += period; next < now; next += period)
			;
		if (next > end)
			next = end;
		do {
			if (wait_until(t, s, next, waiting) || page_now_ns() >= end)
				return CLI_OK;
		} while (!s && page_now_ns() < next);
	}
}

int top_run(struct cli *c, int argc, char **argv)
{
	struct top *t = calloc(1, sizeof(*t));
	const char *n = cli_value(c, "--seconds");
	double seconds = 0;
	struct screen s;
	sigset_t waiting;
	bool terminal;
	int r;

	if (n && (!word_number(n, &seconds) || seconds <= 0 || seconds > 1e9)) {
		free(t);
		return cli_usage(c, "--seconds %s: not a number of seconds", n);
	}
	if (!t)
		return cli_error(c, "out of memory");
	t->c = c;
	t->title = cli_value(c, "--title");
	t->status_file = cli_value(c, "--status-file");
	r = page_open(c, &t->page, cli_value(c, "pipeline"));
	if (r) {
		free(t);
		return r;
	}
	catch_signals(&waiting);
	terminal = c->format == CLI_TEXT && !screen_open(&s);
	r = loop(t, terminal ? &s : NULL, seconds, &waiting);
	if (terminal)
		screen_close(&s);
	page_close(&t->page);
	free(t);
	return r;
}
