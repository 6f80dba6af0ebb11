// SPDX-License-Identifier: MIT
/*
 * daemon_plug: what comes and goes at run time. News of devices wakes the pipelines'
 * keepers, twice: at once, and again when names and permissions have settled, since a
 * kernel that speaks without udev says "added" before a driver's files are all
 * there. An alarm drives the lines of its [output] sections.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "agent/actuator.h"
#include "agent/daemon.h"
#include "agent/log.h"
#include "agent/runner.h"
#include "agent/uevent.h"

#define SETTLE_US 500000

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void outputs_tick(struct daemon *d)
{
	uint64_t next = 0, now = now_ns();

	for (unsigned i = 0; i < d->config->outputs; i++) {
		uint64_t t = d->output[i] ? actuator_tick(d->output[i], now) : 0;

		if (t && (!next || t < next))
			next = t;
	}
	if (!d->output_timer)
		return;
	if (next)
		sd_event_source_set_time(d->output_timer, next / 1000 + 1);
	sd_event_source_set_enabled(d->output_timer, next ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_output_timer(sd_event_source *s, uint64_t usec, void *user)
{
	outputs_tick(user);
	return 0;
}

static void kick(struct daemon *d)
{
	for (unsigned i = 0; i < d->lines; i++)
		if (d->line[i].runner)
			runner_kick(d->line[i].runner);
	for (unsigned i = 0; i < d->config->outputs; i++)
		if (d->output[i])
			actuator_kick(d->output[i]);
	outputs_tick(d);
}

static int on_settled(sd_event_source *s, uint64_t usec, void *user)
{
	kick(user);
	return 0;
}

static int on_news(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct daemon *d = user;

	if (!uevent_news(d->uevent))
		return 0;
	kick(d);
	sd_event_source_set_time_relative(d->settle_timer, SETTLE_US);
	sd_event_source_set_enabled(d->settle_timer, SD_EVENT_ONESHOT);
	return 0;
}

static int watch_devices(struct daemon *d, struct why *why)
{
	int err = uevent_open(&d->uevent, why);

	if (err) {
		log_line(LOG_LEVEL_WARNING, "%s; what is plugged in is found within seconds "
			 "instead of at once", why->text);
		return 0;
	}
	err = sd_event_add_time(d->loop, &d->settle_timer, CLOCK_MONOTONIC, 0, 0, on_settled, d);
	if (err >= 0)
		err = sd_event_source_set_enabled(d->settle_timer, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_add_io(d->loop, NULL, uevent_fd(d->uevent), EPOLLIN, on_news, d);
	return err < 0 ? why_set(why, err, "event loop: %s", strerror(-err)) : 0;
}

static int open_outputs(struct daemon *d, struct why *why)
{
	unsigned n = d->config->outputs;
	int err;

	d->output = calloc(n ? n : 1, sizeof *d->output);
	if (!d->output)
		return why_set(why, -ENOMEM, "no memory for outputs");
	for (unsigned i = 0; i < n; i++) {
		struct actuator_state state;

		err = actuator_open(&d->output[i], &d->config->output[i], why);
		if (err)
			return why_in(why, err, "output %s", d->config->output[i].name);
		actuator_state(d->output[i], &state);
		if (!state.present)
			log_line(LOG_LEVEL_WARNING, "output %s: %s", d->config->output[i].name,
				 state.why.text);
	}
	err = sd_event_add_time(d->loop, &d->output_timer, CLOCK_MONOTONIC, 0, 0, on_output_timer, d);
	return err < 0 ? why_set(why, err, "event loop: %s", strerror(-err)) : 0;
}

int daemon_plug_open(struct daemon *d, struct why *why)
{
	int err = open_outputs(d, why);

	return err ? err : watch_devices(d, why);
}

void daemon_plug_close(struct daemon *d)
{
	for (unsigned i = 0; d->output && i < d->config->outputs; i++)
		actuator_close(d->output[i]);
	free(d->output);
	d->output = NULL;
	d->output_timer = sd_event_source_unref(d->output_timer);
	d->settle_timer = sd_event_source_unref(d->settle_timer);
	uevent_close(d->uevent);
	d->uevent = NULL;
}

void daemon_plug_alarm(struct line *l, bool on)
{
	struct daemon *d = l->daemon;
	bool any = false;

	for (unsigned i = 0; d->output && i < d->config->outputs; i++) {
		struct actuator_state state;

		if (&d->config->pipeline[d->config->output[i].pipeline] != l->config)
			continue;
		any = true;
		if (!actuator_alarm(d->output[i], on, now_ns()))
			continue;
		actuator_state(d->output[i], &state);
		log_line(LOG_LEVEL_ERROR, "output %s does not follow the alarm: %s",
			 d->config->output[i].name, state.why.text);
	}
	if (any)
		outputs_tick(d);
}
