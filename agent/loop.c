// SPDX-License-Identifier: MIT
/*
 * loop: the event loop of the main thread. The eventfd wakes it at once for what
 * people wait for (an alarm); plain ticks are drained ten times a second, since nobody
 * does. The watchdog is kept alive only while every pipeline's ticks advance: a
 * pipeline that hangs is what it is there for, not this loop.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "agent/control.h"
#include "agent/daemon.h"
#include "agent/events.h"
#include "agent/log.h"
#include "agent/loop.h"
#include "agent/runner.h"

#define DRAIN_US 100000
#define HOST_US 1000000
#define STALL_PERIODS 3

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void take_event(void *user, bool begin, const struct store_event *e)
{
	struct line *l = user;

	log_event(begin, e);
	if (!strcmp(e->kind, "alarm"))
		daemon_plug_alarm(l, begin);
	control_event(l->daemon->control, begin ? "begin" : "end", e);
}

static void take_model(void *user, void *old)
{
	daemon_model_taken(user, old);
}

static void take_death(void *user, int error)
{
	struct line *l = user;

	log_line(LOG_LEVEL_ERROR, "pipeline %s has died: %s", l->config->name, strerror(-error));
	sd_event_exit(l->daemon->loop, 1);
}

static void take_problem(void *user, const char *text)
{
	log_line(LOG_LEVEL_ERROR, "%s", text);
}

const struct events_ops loop_events_ops = {
	.event = take_event,
	.model = take_model,
	.dead = take_death,
	.problem = take_problem,
};

static void drain(struct daemon *d)
{
	for (unsigned i = 0; i < d->lines; i++)
		events_drain(d->line[i].events, runner_queue(d->line[i].runner));
}

static int on_wake(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	uint64_t n;

	if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
		return -errno;
	drain(user);
	return 0;
}

static int again(sd_event_source *s, uint64_t us)
{
	int err = sd_event_source_set_time_relative(s, us);

	return err < 0 ? err : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int on_drain(sd_event_source *s, uint64_t usec, void *user)
{
	drain(user);
	return again(s, DRAIN_US);
}

static int on_host(sd_event_source *s, uint64_t usec, void *user)
{
	struct daemon *d = user;

	for (unsigned i = 0; i < d->lines; i++) {
		host_update(&d->line[i]);
		daemon_limit_tick(&d->line[i]);
	}
	return again(s, HOST_US);
}

/* Did this pipeline tick since it was last looked at, or was it not due yet? */
static bool ticking(struct line *l)
{
	uint64_t now = now_ns();
	struct events_counters c;

	events_counters(l->events, &c);
	if (c.ticks != l->ticks || !l->ticks_ns) {
		l->ticks = c.ticks;
		l->ticks_ns = now;
		return true;
	}
	return now - l->ticks_ns < STALL_PERIODS * 1e9 / l->config->rate_hz;
}

static int on_watchdog(sd_event_source *s, uint64_t usec, void *user)
{
	struct daemon *d = user;
	uint64_t interval;
	bool alive = true;

	for (unsigned i = 0; i < d->lines; i++)
		if (!ticking(&d->line[i])) {
			log_line(LOG_LEVEL_ERROR, "pipeline %s does not tick",
				 d->line[i].config->name);
			alive = false;
		}
	if (alive)
		sd_notify(0, "WATCHDOG=1");
	if (sd_watchdog_enabled(0, &interval) <= 0)
		return 0;
	return again(s, interval / 3);
}

static int on_stop(sd_event_source *s, const struct signalfd_siginfo *si, void *user)
{
	log_line(LOG_LEVEL_INFO, "stopping: %s", strsignal(si->ssi_signo));
	return sd_event_exit(sd_event_source_get_event(s), 0);
}

static void log_notes(enum log_level level, const char *what, const struct daemon_notes *notes)
{
	for (unsigned i = 0; i < notes->n; i++)
		log_line(level, "%s%s", what, notes->text[i]);
}

static int on_reload(sd_event_source *s, const struct signalfd_siginfo *si, void *user)
{
	static struct daemon_notes problems, applied, restart;

	problems.n = applied.n = restart.n = 0;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(now_ns() / 1000));
	if (daemon_reload(user, &problems, &applied, &restart))
		log_line(LOG_LEVEL_ERROR, "the configuration stays as it was:");
	log_notes(LOG_LEVEL_ERROR, "", &problems);
	log_notes(LOG_LEVEL_NOTICE, "in force now: ", &applied);
	log_notes(LOG_LEVEL_WARNING, "needs a restart: ", &restart);
	sd_notify(0, "READY=1");
	return 0;
}

void loop_block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int loop_open(struct daemon *d, struct why *why)
{
	sd_event *e = NULL;
	int err = sd_event_new(&e);

	d->loop = e;
	if (err >= 0)
		err = sd_event_add_signal(e, NULL, SIGTERM, on_stop, d);
	if (err >= 0)
		err = sd_event_add_signal(e, NULL, SIGINT, on_stop, d);
	if (err >= 0)
		err = sd_event_add_signal(e, NULL, SIGHUP, on_reload, d);
	if (err >= 0)
		err = sd_event_add_io(e, NULL, d->wake_fd, EPOLLIN, on_wake, d);
	if (err >= 0)
		err = sd_event_add_time_relative(e, NULL, CLOCK_MONOTONIC, 0, 0, on_drain, d);
	if (err >= 0)
		err = sd_event_add_time_relative(e, NULL, CLOCK_MONOTONIC, HOST_US, 0, on_host, d);
	if (err >= 0 && sd_watchdog_enabled(0, NULL) > 0)
		err = sd_event_add_time_relative(e, NULL, CLOCK_MONOTONIC, 0, 0, on_watchdog, d);
	if (err < 0)
		return why_set(why, err, "event loop: %s", strerror(-err));
	return 0;
}

void loop_close(struct daemon *d)
{
	d->loop = sd_event_unref(d->loop);
}

int loop_run(struct daemon *d)
{
	unsigned channels = 0;
	int status;

	for (unsigned i = 0; i < d->lines; i++)
		channels += d->line[i].config->channels;
	sd_notifyf(0, "READY=1\nSTATUS=%u pipeline%s, %u channels", d->lines,
		   d->lines == 1 ? "" : "s", channels);
	log_line(LOG_LEVEL_INFO, "ready: %u pipeline%s, %u channels", d->lines,
		 d->lines == 1 ? "" : "s", channels);
	status = sd_event_loop(d->loop);
	if (status < 0)
		log_line(LOG_LEVEL_ERROR, "event loop: %s", strerror(-status));
	sd_notify(0, "STOPPING=1");
	return status ? 1 : 0;
}
