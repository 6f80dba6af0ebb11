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
#include "agent/part.h"
#include "kernels/why.h"

const struct raw_key *key_find(const struct raw_section *s, const char *name)
{
	for (unsigned i = 0; i < s->keys; i++)
		if (!strcmp(s->key[i].name, name))
			return &s->key[i];
	return NULL;
}

const struct config_place *key_place(const struct raw_section *s, const char *name)
{
	const struct raw_key *k = key_find(s, name);

	return k ? &k->at : &s->at;
}

void sensor_free(struct sensor_config *s)
{
	free(s->part);
	free(s->channel);
}

/* The elements of a scan lie in the order of their lines; features of one share its bytes. */
static int scan_layout(struct sensor_config *s)
{
	unsigned n = s->channels ? s->channel[s->channels - 1].element + 1 : 0;
	struct scan_element *e;

	if (strcmp(s->kind, "stream") || !n)
		return 0;
	e = calloc(n, sizeof *e);
	if (!e)
		return -ENOMEM;
	for (unsigned i = 0; i < s->channels; i++)
		e[s->channel[i].element] = s->channel[i].scan;
	s->scan_bytes = decode_scan_layout(e, n);
	for (unsigned i = 0; i < s->channels; i++)
		s->channel[i].scan = e[s->channel[i].element];
	free(e);
	return 0;
}

/* "every": a number of ticks, or a time rounded to them; a part may not be asked more often. */
static void every_set(struct raw *raw, struct raw_section *section, struct sensor_config *s,
		      const struct sensor_keys *keys, double rate_hz)
{
	static const struct rule ticks = { .type = RULE_COUNT, .min = 1, .max = 1e6 };
	static const struct rule time = { .type = RULE_SECONDS, .min = 0, .max = 86400 };
	uint64_t least = s->part && strcmp(s->kind, "serial") ? (uint64_t)fmax(1, ceil(s->part->period_s * rate_hz - 1e-6)) : 1;
	struct why why;
	double period;
	int n;

	/* A line a second is the usual; an IIO buffer has its trigger's rhythm. */
	s->interval_s = keys->interval_s > 0 ? keys->interval_s : s->rate_hz > 0 ? 1 / s->rate_hz :
			strcmp(s->kind, "serial") ? 0 :
			s->part && s->part->period_s > 0 ? s->part->period_s : 2;
	s->every = least;
	if (!*keys->every)
		return;
	if (!rule_apply(&ticks, &n, keys->every, NULL)) {
		s->every = n;
	} else if (!rule_apply(&time, &period, keys->every, &why)) {
		s->every = fmax(1, round(period * rate_hz));
	} else {
		raw_error(raw, key_place(section, "every"),
			  "every = %s: %s; or a number of ticks", keys->every, why.text);
	}
	if (s->every < least)
		raw_error(raw, key_place(section, "every"), "every = %s: %s needs %g s for a "
			  "reading, which is %llu ticks", keys->every,
			  *s->part->title ? s->part->title : s->part->name, s->part->period_s,
			  (unsigned long long)least);
}

struct pipeline_config *pipeline_find(struct raw *raw, struct config *c, struct raw_section *s,
				      const char *name)
{
	const char *names[CONFIG_PIPELINES_MAX + 1] = { NULL };
	const char *guess;

	if (!name && c->pipelines == 1)
		return &c->pipeline[0];
	if (!name) {
		raw_error(raw, &s->at, "[%s %s] does not say its pipeline: add \"pipeline = NAME\"",
			  s->kind, s->name);
		return NULL;
	}
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

/* A key that no sensor has: perhaps one of a part that is written into the section. */
static int other_key(void *user, struct raw_key *k, struct why *why)
{
	struct part *part = user;

	if (!strncmp(k->name, CHANNEL_PREFIX, strlen(CHANNEL_PREFIX)))
		return 0;	/* later: it needs all of the section's keys */
	return part ? part_key(part, k->name, k->value, why) : -ENOENT;
}

/* The keys of a section; false after reporting what is wrong with them. */
static bool section_keys(struct raw *raw, struct raw_section *section, struct sensor_keys *keys,
			 struct part *part)
{
	unsigned before = raw->errors;

	memset(keys, 0, sizeof *keys);
	keys->channel.scale = keys->channel.offset = NAN;
	keys->channel.part_channel = -1;
	keys->channel.check.min = -INFINITY;
	keys->channel.check.max = INFINITY;
	rules_apply(raw, section, sensor_rules, sensor_rules_count, keys, other_key, part);
	return raw->errors == before;
}

static bool is_board(const struct raw_section *s)
{
	const struct raw_key *k = key_find(s, "kind");

	return k && !strcmp(k->value, "board");
}

/* Registers in the section itself: what a part's file would say. */
static bool part_in_section(const struct raw_section *s)
{
	const struct raw_key *kind = key_find(s, "kind");

	if (!kind || !kind_has_part(kind->value) || key_find(s, "part"))
		return false;
	/* Text lines need no part; a frame has a length. */
	return strcmp(kind->value, "serial") || key_find(s, "length");
}

/* Keys that a part in the section has in common with other sensors are the part's as well. */
static void part_from_keys(struct raw *raw, struct raw_section *section, struct part *part)
{
	static const char *const shared[] = {
		"kind", "address", "spi_hz", "baud", "start", "length", "checksum",
	};
	struct why why;

	for (unsigned i = 0; i < sizeof shared / sizeof *shared; i++) {
		const struct raw_key *k = key_find(section, shared[i]);

		if (k && part_key(part, k->name, k->value, &why))
			raw_error(raw, &k->at, "%s = %s: %s", k->name, k->value, why.text);
	}
}

/* A part from the library: what it is decides the kind. */
static void part_from_library(struct raw *raw, struct config *c, struct raw_section *section,
			      struct sensor_config *s, struct part *part,
			      const struct sensor_keys *keys)
{
	const char *kind;
	struct why why;

	if (part_load(part, c->sensors_dir, keys->part, &why)) {
		raw_error(raw, key_place(section, "part"), "part = %s: %s", keys->part, why.text);
		return;
	}
	kind = part->kind;
	if (*keys->kind && strcmp(keys->kind, kind))
		raw_error(raw, key_place(section, "kind"), "kind = %s: part %s is of kind %s",
			  keys->kind, part->name, kind);
	snprintf(s->kind, sizeof s->kind, "%s", kind);
	if (!*s->device && !kind_has_part(kind))
		snprintf(s->device, sizeof s->device, "%s", part->driver);
	if (!s->address && part->addresses)
		s->address = part->address[0];
}

/* All but the channels. */
static void sensor_take(struct raw *raw, struct config *c, struct raw_section *section,
			struct sensor_config *s, struct part *part, const struct sensor_keys *keys)
{
	memcpy(s->kind, keys->kind, sizeof s->kind);
	memcpy(s->path, keys->path, sizeof s->path);
	memcpy(s->device, keys->device, sizeof s->device);
	memcpy(s->trigger, keys->trigger, sizeof s->trigger);
	memcpy(s->trigger_name, keys->trigger_name, sizeof s->trigger_name);
	s->address = keys->address;
	s->deadline_s = keys->deadline_s;
	s->rate_hz = keys->rate_hz;
	s->spi_hz = keys->spi_hz;
	if (*keys->part)
		part_from_library(raw, c, section, s, part, keys);
	else if (part_in_section(section))
		part_from_keys(raw, section, part);
	if (!*s->kind && !*keys->part)
		raw_error(raw, &section->at, "[sensor %s] does not say its kind: %s; or its part",
			  section->name, kind_words());
	if (!strcmp(s->kind, "w1") && !*s->device)
		strcpy(s->device, "*");
	if (!strcmp(s->kind, "iio"))
		snprintf(s->mode, sizeof s->mode, "%.7s", *keys->mode ? keys->mode : "auto");
	if (!strcmp(s->kind, "iio") && strcmp(s->mode, "auto") && strcmp(s->mode, "buffer") &&
	    strcmp(s->mode, "poll"))
		raw_error(raw, key_place(section, "mode"), "mode = %s: must be auto, buffer or poll",
			  keys->mode);
	if (!strcmp(s->kind, "gpio"))
		wiring_gpio(raw, section, s, keys);
	wiring_bus(raw, section, s, keys);
	if (*s->path && access(s->path, R_OK))
		raw_missing(raw, key_place(section, "path"), "path = %s: %s", s->path,
			    strerror(errno));
}

static int sensor_channels(struct raw *raw, struct raw_section *section, struct sensor_config *s,
			   const struct sensor_keys *keys)
{
	unsigned before = raw->errors;
	struct why why;
	int err = 0;

	for (unsigned i = 0; i < section->keys && !err; i++)
		if (!strncmp(section->key[i].name, CHANNEL_PREFIX, strlen(CHANNEL_PREFIX)))
			err = channel_line(raw, s, keys, &section->key[i]);
	if (!err && !s->channels && raw->errors == before)
		err = channel_only(raw, s, keys, key_place(section, "field"));
	else if (!err && *keys->field)
		raw_error(raw, key_place(section, "field"), "field = %s: this sensor has "
			  "channel.* lines, which say it", keys->field);
	if (!err && s->part && !*keys->part && raw->errors == before && part_check(s->part, &why))
		raw_error(raw, &s->at, "[sensor %s]: %s", s->name, why.text);
	return err ? err : scan_layout(s);
}

int sensor_build(struct raw *raw, struct config *c, struct raw_section *section)
{
	bool within = part_in_section(section);
	unsigned before = raw->errors;
	struct sensor_config s, *all;
	struct pipeline_config *p;
	struct sensor_keys keys;
	struct part *part;
	int err = 0;

	if (is_board(section))
		return 0;
	part = calloc(1, sizeof *part);
	if (!part)
		return -ENOMEM;
	memset(&s, 0, sizeof s);	/* the padding too: a reload compares them */
	s.at = section->at;
	snprintf(s.name, sizeof s.name, "%s", section->name);
	part_init(part, s.name);
	if (!section_keys(raw, section, &keys, within ? part : NULL))
		goto out;
	p = pipeline_find(raw, c, section, *keys.pipeline ? keys.pipeline : NULL);
	sensor_take(raw, c, section, &s, part, &keys);
	if (within || *keys.part) {
		s.part = part;
		part = NULL;
	}
	if (!strcmp(s.kind, "serial"))
		wiring_serial(raw, section, &s, &keys);
	if (!kind_check(raw, section, &s) || raw->errors != before || !p)
		goto out;
	every_set(raw, section, &s, &keys, p->rate_hz);
	err = sensor_channels(raw, section, &s, &keys);
	if (!err)
		sensor_check(raw, section, &s, c, p->rate_hz);
	if (!kind_has_part(s.kind)) {
		/* Its driver knows the rest. */
		free(s.part);
		s.part = NULL;
	}
	all = err ? NULL : reallocarray(p->sensor, p->sensors + 1, sizeof *all);
	if (all) {
		p->sensor = all;
		all[p->sensors++] = s;
		p->channels += s.channels;
		free(part);
		return 0;
	}
	err = -ENOMEM;
out:
	free(part);
	sensor_free(&s);
	return err;
}

void sensor_check_triggers(struct raw *raw, const struct pipeline_config *p)
{
	for (unsigned i = 0; i < p->sensors; i++) {
		const struct sensor_config *s = &p->sensor[i], *source = NULL;

		if (!*s->trigger)
			continue;
		for (unsigned k = 0; k < p->sensors; k++)
			if (k != i && !strcmp(p->sensor[k].name, s->trigger))
				source = &p->sensor[k];
		if (!source)
			raw_error(raw, &s->at, "[sensor %s]: trigger = %s: pipeline %s has no other "
				  "sensor of this name", s->name, s->trigger, p->name);
		else if (strcmp(source->kind, "gpio") || source->gpio.mode != GPIO_TRIGGER)
			raw_error(raw, &s->at, "[sensor %s]: trigger = %s: that one gives no edges: "
				  "it needs kind = gpio and mode = trigger", s->name, s->trigger);
	}
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
	if (!section_keys(raw, section, &keys, NULL))
		return 0;
	p = pipeline_find(raw, c, section, *keys.pipeline ? keys.pipeline : NULL);
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
