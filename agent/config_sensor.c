// SPDX-License-Identifier: MIT
/*
 * config_sensor: a [sensor NAME] section into the sensors of its pipeline. The board's
 * own come last: what a user names explicitly has the names it asks for.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/board.h"
#include "agent/config_raw.h"
#include "kernels/why.h"

static const struct raw_key *key_find(const struct raw_section *s, const char *name)
{
	for (unsigned i = 0; i < s->keys; i++)
		if (!strcmp(s->key[i].name, name))
			return &s->key[i];
	return NULL;
}

static const struct config_place *key_place(const struct raw_section *s, const char *name)
{
	const struct raw_key *k = key_find(s, name);

	return k ? &k->at : &s->at;
}

/* The elements of a scan lie in the order of their lines. */
static int scan_layout(struct sensor_config *s)
{
	struct scan_element *e;

	if (strcmp(s->kind, "stream") || !s->channels)
		return 0;
	e = calloc(s->channels, sizeof *e);
	if (!e)
		return -ENOMEM;
	for (unsigned i = 0; i < s->channels; i++)
		e[i] = s->channel[i].scan;
	s->scan_bytes = decode_scan_layout(e, s->channels);
	for (unsigned i = 0; i < s->channels; i++)
		s->channel[i].scan = e[i];
	free(e);
	return 0;
}

/* "every": a number of ticks, or a time rounded to them. */
static void every_set(struct raw *raw, struct raw_section *section, struct sensor_config *s,
		      const struct sensor_keys *keys, double rate_hz)
{
	static const struct rule ticks = { .type = RULE_COUNT, .min = 1, .max = 1e6 };
	static const struct rule time = { .type = RULE_SECONDS, .min = 0, .max = 86400 };
	struct why why;
	double period;
	int n;

	s->every = 1;
	if (!*keys->every)
		return;
	if (strcmp(s->kind, "sysfs")) {
		raw_error(raw, key_place(section, "every"), "every = %s: a stream comes when it "
			  "comes; every is for kind = sysfs", keys->every);
	} else if (!rule_apply(&ticks, &n, keys->every, NULL)) {
		s->every = n;
	} else if (!rule_apply(&time, &period, keys->every, &why)) {
		s->every = fmax(1, round(period * rate_hz));
	} else {
		raw_error(raw, key_place(section, "every"),
			  "every = %s: %s; or a number of ticks", keys->every, why.text);
	}
}

static struct pipeline_config *pipeline_find(struct raw *raw, struct config *c,
					     struct raw_section *s, const char *name)
{
	const char *names[CONFIG_PIPELINES_MAX + 1] = { NULL };
	const char *guess;

	for (unsigned i = 0; i < c->pipelines; i++) {
		if (!strcmp(c->pipeline[i].name, name))
			return &c->pipeline[i];
		names[i] = c->pipeline[i].name;
	}
	guess = nearest(name, names);
	raw_error(raw, key_place(s, "pipeline"), "pipeline = %s: there is no [pipeline %s]%s%s%s",
		  name, name, guess ? "; did you mean " : "", guess ? guess : "",
		  guess ? "?" : "");
	return NULL;
}

/* The keys of a section, and the pipeline it belongs to; NULL after reporting why not. */
static struct pipeline_config *section_keys(struct raw *raw, struct config *c,
					    struct raw_section *section, struct sensor_keys *keys)
{
	unsigned before = raw->errors;

	memset(keys, 0, sizeof *keys);
	keys->channel.scale = 1;
	rules_apply(raw, section, sensor_rules, sensor_rules_count, keys, CHANNEL_PREFIX);
	if (!key_find(section, "kind"))
		raw_error(raw, &section->at, "[sensor %s] does not say its kind: board, sysfs or "
			  "stream", section->name);
	if (!key_find(section, "pipeline"))
		raw_error(raw, &section->at, "[sensor %s] does not say its pipeline: add "
			  "\"pipeline = NAME\"", section->name);
	if (raw->errors != before)
		return NULL;
	return pipeline_find(raw, c, section, keys->pipeline);
}

static bool is_board(const struct raw_section *s)
{
	const struct raw_key *k = key_find(s, "kind");

	return k && !strcmp(k->value, "board");
}

int sensor_build(struct raw *raw, struct config *c, struct raw_section *section)
{
	struct sensor_config s = { .at = section->at };
	struct sensor_config *all;
	struct pipeline_config *p;
	struct sensor_keys keys;
	int err = 0;

	if (is_board(section))
		return 0;
	p = section_keys(raw, c, section, &keys);
	if (!p)
		return 0;
	snprintf(s.name, sizeof s.name, "%s", section->name);
	memcpy(s.kind, keys.kind, sizeof s.kind);
	memcpy(s.path, keys.path, sizeof s.path);
	if (!*s.path)
		raw_error(raw, &s.at, "[sensor %s] does not say what to read: add \"path = /...\"",
			  s.name);
	else if (access(s.path, R_OK))
		raw_missing(raw, key_place(section, "path"), "path = %s: %s", s.path,
			    strerror(errno));
	every_set(raw, section, &s, &keys, p->rate_hz);
	for (unsigned i = 0; i < section->keys && !err; i++)
		if (!strncmp(section->key[i].name, CHANNEL_PREFIX, strlen(CHANNEL_PREFIX)))
			err = channel_line(raw, &s, &keys, &section->key[i]);
	if (!err && !s.channels)
		err = channel_only(raw, &s, &keys, key_place(section, "field"));
	else if (!err && *keys.field)
		raw_error(raw, key_place(section, "field"), "field = %s: this sensor has "
			  "channel.* lines, which say it", keys.field);
	if (!err)
		err = scan_layout(&s);
	all = err ? NULL : reallocarray(p->sensor, p->sensors + 1, sizeof *all);
	if (!all) {
		free(s.channel);
		return -ENOMEM;
	}
	p->sensor = all;
	all[p->sensors++] = s;
	p->channels += s.channels;
	return 0;
}

int sensor_build_board(struct raw *raw, struct config *c, struct raw_section *section)
{
	struct pipeline_config *p;
	struct sensor_keys keys;
	struct why why;
	unsigned first;
	int err;

	if (!is_board(section))
		return 0;
	p = section_keys(raw, c, section, &keys);
	if (!p)
		return 0;
	for (unsigned i = 0; i < section->keys; i++) {
		const struct raw_key *k = &section->key[i];

		if (strcmp(k->name, "kind") && strcmp(k->name, "pipeline"))
			raw_error(raw, &k->at, "%s = %s: a board finds its sensors itself; it "
				  "takes only pipeline", k->name, k->value);
	}
	for (const struct raw_section *s = raw->section; s != section; s++) {
		const struct raw_key *k = key_find(s, "pipeline");

		if (strcmp(s->kind, "sensor") || !is_board(s) || !k || strcmp(k->value, p->name))
			continue;
		raw_error(raw, &section->at, "[sensor %s]: pipeline %s has the board's sensors "
			  "already, from [sensor %s]", section->name, p->name, s->name);
		return 0;
	}
	first = p->sensors;
	err = board_find(&p->sensor, &p->sensors, "", FRAME_CHANNELS_MAX, &why);
	if (err == -ENOMEM)
		return err;
	if (err)
		raw_error(raw, &section->at, "[sensor %s]: %s", section->name, why.text);
	for (unsigned i = first; i < p->sensors; i++) {
		p->sensor[i].at = section->at;
		board_at_rate(&p->sensor[i], p->rate_hz);
		for (unsigned k = 0; k < p->sensor[i].channels; k++)
			p->sensor[i].channel[k].at = section->at;
		p->channels += p->sensor[i].channels;
	}
	return 0;
}
