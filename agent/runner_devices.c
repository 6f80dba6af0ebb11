// SPDX-License-Identifier: MIT
/*
 * runner_devices: the devices of a pipeline, the windows and checks of their channels, and
 * the workers that do for them what may block: one a bus, so that a stuck one holds
 * up its own devices only, and one for all that is on no bus.
 *
 * Nothing is opened here: the keeper sees to that when the ticks have begun, and a sensor
 * that is not there when the agent starts is no different from one that is unplugged later.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"
#include "agent/runner_impl.h"
#include "agent/window.h"
#include "agent/worker.h"

static int prepare_channels(struct runner *r, const struct sensor_config *s, unsigned first,
			    struct why *why)
{
	for (unsigned i = 0; i < s->channels; i++) {
		const struct channel_config *c = &s->channel[i];
		struct channel_slot *slot = &r->pipeline.frame.slot[first + i];
		int err;

		slot->check = c->check;
		if (s->every > 1)
			slot->every_ns = s->every * r->period_ns;
		if (s->interval_s * 1e9 > slot->every_ns)
			slot->every_ns = s->interval_s * 1e9;
		if (c->feature.kind == FEATURE_LAST)
			continue;
		err = window_open(&slot->window, &c->feature, why);
		if (err)
			return err;
	}
	return 0;
}

/* Which worker serves this device? Those of one bus have one. */
static unsigned find_worker(struct runner *r, const struct dev *d)
{
	unsigned i = 0;

	while (i < r->workers && strcmp(r->worker[i].bus, d->bus))
		i++;
	if (i == r->workers) {
		snprintf(r->worker[i].bus, sizeof r->worker[i].bus, "%s", d->bus);
		r->workers++;
	}
	r->worker[i].devices++;
	return i;
}

static int submit(void *user, struct dev *d, enum worker_job job)
{
	struct runner *r = user;

	return worker_submit(r->worker[r->worker_of[d->token]].worker, d, job);
}

int runner_devices_open(struct runner *r, struct why *why)
{
	const struct pipeline_config *p = r->config;
	struct keeper_jobs jobs = { .submit = submit, .user = r };
	unsigned first = 0;

	r->device = calloc(p->sensors + 1, sizeof *r->device);
	r->worker = calloc(p->sensors + 1, sizeof *r->worker);
	r->worker_of = calloc(p->sensors + 1, sizeof *r->worker_of);
	if (!r->device || !r->worker || !r->worker_of)
		return why_set(why, -ENOMEM, "no memory for devices");
	for (unsigned i = 0; i < p->sensors; i++) {
		const struct sensor_config *s = &p->sensor[i];
		const struct dev_ops *ops = dev_find(s->kind);
		int err;

		if (!ops)
			return why_set(why, -EINVAL, "sensor %s: no device kind \"%s\"",
				       s->name, s->kind);
		err = ops->create(&r->device[i], s, first, why);
		if (err)
			return why_in(why, err, "sensor %s", s->name);
		r->devices++;
		r->worker_of[i] = find_worker(r, r->device[i]);
		err = prepare_channels(r, s, first, why);
		if (err)
			return why_in(why, err, "sensor %s", s->name);
		first += s->channels;
	}
	return keeper_open(&r->keeper, r->device, r->devices, p, &jobs, &r->pipeline.frame, why);
}

unsigned runner_devices_files(const struct runner *r)
{
	unsigned files = 0;

	/* A kind that reads attributes has one for each channel, and may have one of its own. */
	for (unsigned i = 0; i < r->devices; i++)
		files += r->device[i]->channels + 1;
	return files;
}

unsigned runner_devices_blocking(const struct runner *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->devices; i++) {
		const struct sensor_config *s = &r->config->sensor[i];

		/*
		 * procfs answers in microseconds, a driver's file may wait for its bus. The files of
		 * one device are read one after another. An I2C part may turn out to be plain.
		 */
		n += !strcmp(s->kind, "i2c") ||
		     (!r->device[i]->ops->transfer && strncmp(s->path, "/proc/", 6));
	}
	return n;
}

int runner_workers_open(struct runner *r, struct why *why)
{
	for (unsigned i = 0; i < r->workers; i++) {
		struct runner_worker *w = &r->worker[i];
		struct worker_options o = {
			.name = *w->bus ? w->bus : "files",
			.devices = w->devices,
			.core = r->core,
			.priority = r->priority > 1 ? r->priority - 1 : 0,
		};
		int err = worker_open(&w->worker, r->ring, &o, why);

		if (err)
			return err;
	}
	return 0;
}

void runner_workers_close(struct runner *r)
{
	for (unsigned i = 0; i < r->workers; i++) {
		r->worker[i].left = worker_close(r->worker[i].worker) == -EBUSY;
		r->worker[i].worker = NULL;
	}
}

void runner_devices_close(struct runner *r)
{
	keeper_close(r->keeper);
	for (unsigned i = 0; i < r->devices; i++) {
		struct dev *d = r->device[i];

		/* The kernel may still hold a thread that works on it. */
		if (r->worker[r->worker_of[i]].left)
			continue;
		d->ops->shut(d);
		d->ops->free(d);
	}
	for (unsigned i = 0; i < FRAME_CHANNELS_MAX; i++)
		window_close(r->pipeline.frame.slot[i].window);
	free(r->device);
	free(r->worker);
	free(r->worker_of);
}
