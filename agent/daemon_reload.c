// SPDX-License-Identifier: MIT
/*
 * daemon_reload: a new configuration over a running one. What only main and the model
 * use is applied at once: the false-alarm budget, k of n, clear, after, the model.
 * What the pipeline's thread was built from (rate, core, sensors ...) needs a restart,
 * and is named. A configuration with a mistake changes nothing.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/daemon.h"
#include "agent/part.h"

void daemon_note(struct daemon_notes *notes, const char *format, ...)
{
	va_list ap;

	if (notes->n == DAEMON_NOTES_MAX)
		return;
	va_start(ap, format);
	vsnprintf(notes->text[notes->n++], sizeof notes->text[0], format, ap);
	va_end(ap);
}

void daemon_override(const struct daemon *d, struct config *c)
{
	if (d->run_dir)
		snprintf(c->run_dir, sizeof c->run_dir, "%s", d->run_dir);
	if (d->state_dir)
		snprintf(c->state_dir, sizeof c->state_dir, "%s", d->state_dir);
}

static void take_problem(void *user, bool error, const char *text)
{
	struct daemon_notes *problems = user;

	if (error)
		daemon_note(problems, "%s", text);
}

/* All bytes but the pointers and where it was said: config_sensor.c leaves no other padding. */
static bool same_channel(const struct channel_config *a, const struct channel_config *b)
{
	struct channel_config x = *a, y = *b;

	memset(&x.at, 0, sizeof x.at);
	memset(&y.at, 0, sizeof y.at);
	return !memcmp(&x, &y, sizeof x);
}

static bool same_sensor(const struct sensor_config *a, const struct sensor_config *b)
{
	struct sensor_config x = *a, y = *b;

	x.part = y.part = NULL;
	x.channel = y.channel = NULL;
	memset(&x.at, 0, sizeof x.at);
	memset(&y.at, 0, sizeof y.at);
	if (memcmp(&x, &y, sizeof x) || !a->part != !b->part ||
	    (a->part && memcmp(a->part, b->part, sizeof *a->part)))
		return false;
	for (unsigned i = 0; i < a->channels; i++)
		if (!same_channel(&a->channel[i], &b->channel[i]))
			return false;
	return true;
}

static bool same_outputs(const struct config *a, const struct config *b)
{
	if (a->outputs != b->outputs)
		return false;
	for (unsigned i = 0; i < a->outputs; i++) {
		struct output_config x = a->output[i], y = b->output[i];

		memset(&x.at, 0, sizeof x.at);
		memset(&y.at, 0, sizeof y.at);
		if (memcmp(&x, &y, sizeof x))
			return false;
	}
	return true;
}

static bool same_sensors(const struct pipeline_config *a, const struct pipeline_config *b)
{
	if (a->sensors != b->sensors)
		return false;
	for (unsigned i = 0; i < a->sensors; i++)
		if (!same_sensor(&a->sensor[i], &b->sensor[i]))
			return false;
	return true;
}

static void name_restarts(const struct pipeline_config *now, const struct pipeline_config *next,
			  struct daemon_notes *restart)
{
	const struct { bool differs; const char *what; } parts[] = {
		{ now->rate_hz != next->rate_hz, "rate" },
		{ now->core != next->core, "core" },
		{ now->priority != next->priority, "priority" },
		{ now->pre_s != next->pre_s, "before" },
		{ now->stale_s != next->stale_s, "stale" },
		{ !same_sensors(now, next), "sensors" },
	};

	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i].differs)
			daemon_note(restart, "pipeline %s: %s", now->name, parts[i].what);
}

/*
 * A model's limits are computed when it is opened: new limits mean opening it again, but
 * what the running one has seen, and an alarm, go on.
 * A model key that was taken out leaves what runs.
 */
static int apply_model(struct line *l, bool another, bool limits, struct daemon_notes *problems,
		       struct daemon_notes *applied)
{
	bool none = !l->offered.generation;
	bool replaced = !none && daemon_model_changed(l);
	struct why why;
	int err;

	if (!another && !none && !replaced && !limits)
		return 0;
	if (another || none || replaced)
		err = daemon_load_model(l, another || none ? NULL : l->offered.path, &why);
	else
		err = daemon_set_limits(l, &why);
	if (err && !(none && !*l->config->model))
		daemon_note(problems, "pipeline %s: the model stays as it was: %s",
			    l->config->name, why.text);
	if (!err && (another || none || replaced))
		daemon_note(applied, "pipeline %s: model", l->config->name);
	return none ? 0 : err;
}

/* One that was put there by hand stays until the configuration's own changes. */
static void apply_shadow(struct line *l, const char *path, struct daemon_notes *problems,
			 struct daemon_notes *applied)
{
	struct why why;

	if (l->offered.generation && daemon_set_shadow(l, path, &why)) {
		daemon_note(problems, "pipeline %s: the shadow stays as it was: %s",
			    l->config->name, why.text);
		return;
	}
	snprintf(l->config->shadow, sizeof l->config->shadow, "%s", path);
	daemon_note(applied, "pipeline %s: shadow", l->config->name);
}

/* next is of the same name as the line's own. */
static void apply(struct line *l, const struct pipeline_config *next,
		  struct daemon_notes *problems, struct daemon_notes *applied)
{
	struct pipeline_config *now = l->config;
	bool another = *next->model && strcmp(now->model, next->model);
	const struct { bool differs; const char *what; } parts[] = {
		{ now->false_alarms_per_day != next->false_alarms_per_day, "false_alarms" },
		{ now->alarm_k != next->alarm_k || now->alarm_n != next->alarm_n, "alarm" },
		{ now->clear_s != next->clear_s, "clear" },
		{ now->post_s != next->post_s, "after" },
		{ now->follow != next->follow, "follow" },
		{ now->freeze_s != next->freeze_s, "freeze" },
		{ now->rebaseline_s != next->rebaseline_s, "rebaseline" },
	};
	const bool limits = parts[0].differs || parts[1].differs || parts[2].differs ||
			    parts[4].differs || parts[5].differs || parts[6].differs;
	const struct pipeline_config was = *now;

	now->false_alarms_per_day = next->false_alarms_per_day;
	now->alarm_k = next->alarm_k;
	now->alarm_n = next->alarm_n;
	now->clear_s = next->clear_s;
	now->post_s = next->post_s;
	now->follow = next->follow;
	now->freeze_s = next->freeze_s;
	now->rebaseline_s = next->rebaseline_s;
	memcpy(now->model, next->model, sizeof now->model);
	if (apply_model(l, another, limits, problems, applied)) {
		/* A limit is in force with the model opened under it: else it is not, and the next
		 * reload has to see that it differs. */
		*now = was;
		return;
	}
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i].differs)
			daemon_note(applied, "pipeline %s: %s", now->name, parts[i].what);
	if (strcmp(now->shadow, next->shadow))
		apply_shadow(l, next->shadow, problems, applied);
}

/* Whose models are taken counts from the next one on: this one's loads are still to come. */
static void apply_trust(struct config *now, const struct config *next, struct daemon_notes *applied)
{
	if (!strcmp(now->trusted_keys, next->trusted_keys) &&
	    !strcmp(now->trusted_key, next->trusted_key))
		return;
	memcpy(now->trusted_keys, next->trusted_keys, sizeof now->trusted_keys);
	memcpy(now->trusted_key, next->trusted_key, sizeof now->trusted_key);
	daemon_note(applied, "agent: trusted keys");
}

static const struct pipeline_config *find(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->pipelines; i++)
		if (!strcmp(c->pipeline[i].name, name))
			return &c->pipeline[i];
	return NULL;
}

int daemon_reload(struct daemon *d, struct daemon_notes *problems,
		  struct daemon_notes *applied, struct daemon_notes *restart)
{
	struct config *next;
	int err = config_load(&next, d->config_path, d->strict, take_problem, problems);

	if (err)
		return err;
	daemon_override(d, next);
	apply_trust(d->config, next, applied);
	if (strcmp(next->run_dir, d->config->run_dir) ||
	    strcmp(next->state_dir, d->config->state_dir) ||
	    strcmp(next->ring, d->config->ring) || strcmp(next->profiler, d->config->profiler))
		daemon_note(restart, "agent");
	if (!same_outputs(d->config, next))
		daemon_note(restart, "outputs");
	for (unsigned i = 0; i < d->lines; i++) {
		struct line *l = &d->line[i];
		const struct pipeline_config *p = find(next, l->config->name);

		if (!p) {
			daemon_note(restart, "pipeline %s: removed", l->config->name);
			continue;
		}
		name_restarts(l->config, p, restart);
		apply(l, p, problems, applied);
	}
	for (unsigned i = 0; i < next->pipelines; i++)
		if (!find(d->config, next->pipeline[i].name))
			daemon_note(restart, "pipeline %s: added", next->pipeline[i].name);
	config_free(next);
	return 0;
}
