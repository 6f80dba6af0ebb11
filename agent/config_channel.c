// SPDX-License-Identifier: MIT
/*
 * config_channel: one value of a sensor: what to read and what to make of it. What the
 * section says of unit, scale and the other options is each channel's beginning; a
 * channel's own options override it:
 *
 *	channel.NAME = WHAT[, unit=U][, scale=S][, range=MIN..MAX][, counter] ...
 *
 * WHAT is the kind's (config_kind.c). With `features` one line becomes several channels:
 * NAME.rms, NAME.kurtosis ... A sensor without channel.* lines has those of its part,
 * or one; `field` is its WHAT.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_raw.h"
#include "agent/dev/dev.h"
#include "agent/part.h"
#include "kernels/why.h"

/* Does a channel option begin at s? Then its rule and what stands after the word. */
static const struct rule *option_at(const char *s, const char **after)
{
	for (unsigned i = 0; i < channel_rules_count; i++) {
		size_t n = strlen(channel_rules[i].key);

		if (!strncmp(s, channel_rules[i].key, n) && !isalnum((unsigned char)s[n]) &&
		    s[n] != '_') {
			*after = s + n + strspn(s + n, " \t");
			return &channel_rules[i];
		}
	}
	return NULL;
}

/*
 * The end of WHAT. A pattern of text lines may hold commas of its own: the one
 * that ends it is followed by a blank or by an option.
 */
static char *what_end(char *s)
{
	const char *after;
	char *comma;

	for (comma = strchr(s, ','); comma; comma = strchr(comma + 1, ','))
		if (isspace((unsigned char)comma[1]) || !comma[1] || option_at(comma + 1, &after))
			return comma;
	return s + strlen(s);
}

static int option_set(struct sensor_keys *keys, char *text, struct why *why)
{
	const char *value;
	const struct rule *r;
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	if (!*text)
		return why_set(why, -EINVAL, "nothing between two commas");
	r = option_at(text, &value);
	if (!r)
		return why_set(why, -EINVAL, "\"%s\": a channel has the options unit=, scale=, "
			       "offset=, counter, wrap=, window=, range=, rate_of_change=, stuck=, "
			       "features=, samples= and crc=", text);
	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	else if (r->type == RULE_FLAG && !*value)
		value = "yes";
	else
		return why_set(why, -EINVAL, "\"%s\": expected %s=VALUE", text, r->key);
	return why_in(why, rule_apply(r, keys, value, why), "%s=%s", r->key, value);
}

/* keys->channel, with what stands beside it in the keys. */
static int channel_take(struct channel_config *c, const struct sensor_keys *keys, struct why *why)
{
	*c = keys->channel;
	c->check.rate = (float)keys->rate_of_change;
	c->check.stuck_ns = (uint64_t)(keys->stuck_s * 1e9);
	/* Not a number: nobody said one. */
	c->scaled = !isnan(c->scale);
	c->shifted = !isnan(c->offset);
	if (!c->scaled)
		c->scale = 1;
	if (!c->shifted)
		c->offset = 0;
	if (c->scale == 0)
		return why_set(why, -ERANGE, "a scale of 0 makes every value 0");
	if (keys->samples && !*keys->features)
		return why_set(why, -EINVAL, "samples is for features: say which");
	if ((c->wrap > 0 || c->window) && !c->counter && strcmp(keys->kind, "gpio"))
		return why_set(why, -EINVAL, "wrap and window are for a counter: say counter "
			       "as well");
	return 0;
}

static struct channel_config *channel_add(struct sensor_config *s)
{
	struct channel_config *c = reallocarray(s->channel, s->channels + 1, sizeof *c);

	if (!c)
		return NULL;
	s->channel = c;
	return &c[s->channels++];
}

static int full_name(struct channel_config *c, const char *sensor, const char *name,
		     struct why *why)
{
	if (snprintf(c->name, sizeof c->name, "%s.%s", sensor, name) >= (int)sizeof c->name)
		return why_set(why, -EINVAL, "%s.%s is longer than %d characters", sensor, name,
			       CONFIG_NAME_MAX - 1);
	return 0;
}

/* Energies are squares of the unit, and a kurtosis has none. */
static void feature_unit(struct channel_config *c)
{
	char unit[CONFIG_UNIT_MAX];

	if (c->feature.kind == FEATURE_KURTOSIS) {
		*c->unit = '\0';
	} else if (c->feature.kind == FEATURE_BAND && *c->unit) {
		if (snprintf(unit, sizeof unit, "(%s)²", c->unit) >= (int)sizeof unit)
			*unit = '\0';
		memcpy(c->unit, unit, sizeof unit);
	}
}

/* c, or a channel for each feature of it. -EINVAL with the reason; -ENOMEM. */
static int channel_append(struct sensor_config *s, const struct channel_config *c,
			  const struct sensor_keys *keys, struct why *why)
{
	char text[sizeof keys->features], suffix[CONFIG_NAME_MAX], *save;
	unsigned element = s->channels ? s->channel[s->channels - 1].element + 1 : 0;
	struct channel_config *slot;

	snprintf(text, sizeof text, "%s", keys->features);
	for (char *word = strtok_r(text, " \t", &save); word || !*keys->features;
	     word = strtok_r(NULL, " \t", &save)) {
		struct channel_config one = *c;
		int err = 0;

		one.element = element;
		if (*keys->features) {
			one.feature.samples = keys->samples ? (unsigned)keys->samples
							    : WINDOW_SAMPLES_DEFAULT;
			err = feature_parse(&one.feature, word, suffix, sizeof suffix, why);
			if (!err)
				err = full_name(&one, c->name, suffix, why);
			feature_unit(&one);
			if (!err && one.feature.kind == FEATURE_BAND &&
			    (one.feature.samples & (one.feature.samples - 1)))
				err = why_set(why, -EINVAL, "samples = %u: for a band it is a power of "
					      "two", one.feature.samples);
		}
		for (unsigned i = 0; i < s->channels && !err; i++)
			if (!strcmp(s->channel[i].name, one.name))
				err = why_set(why, -EEXIST, "there is a channel %s already",
					      one.name);
		if (err)
			return err;
		slot = channel_add(s);
		if (!slot)
			return -ENOMEM;
		*slot = one;
		if (!*keys->features)
			break;
	}
	return 0;
}

/* WHAT and options of one channel; keys has the section's own. */
static int channel_parse(struct sensor_config *s, struct channel_config *c, const char *name,
			 struct sensor_keys *keys, const char *value, struct why *why)
{
	char text[RAW_TEXT_MAX];
	char *end, *next;
	int err;

	snprintf(text, sizeof text, "%s", value);
	end = what_end(text);
	next = *end ? end + 1 : NULL;
	*end = '\0';
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (next) {
		char *option = next;

		next = strchr(option, ',');
		if (next)
			*next++ = '\0';
		err = option_set(keys, option, why);
		if (err)
			return err;
	}
	err = channel_take(c, keys, why);
	return err ? err : kind_what(s, c, name, text, keys, why);
}

/* The unit of the part's or driver's own scale. */
static int adopt_unit(struct channel_config *c, const char *unit, struct why *why)
{
	if (c->scaled || !*unit)
		return 0;
	if (*c->unit && strcmp(c->unit, unit))
		return why_set(why, -EINVAL, "unit = %s: it comes in %s; say the scale as well",
			       c->unit, unit);
	snprintf(c->unit, sizeof c->unit, "%s", unit);
	return 0;
}

/* What the part or the driver says of a channel and the configuration does not. */
static int adopt(struct channel_config *c, const struct sensor_config *s, struct why *why)
{
	const char *unit = "";

	if (s->part && c->part_channel >= 0) {
		const struct part_channel *p = &s->part->channel[c->part_channel];

		/* A bus's bytes are scaled by part_decode(), a driver's numbers like any others. */
		if (!kind_has_part(s->kind) && !c->scaled && p->scale != 1) {
			c->scale = p->scale;
			c->scaled = true;
		}
		if (isinf(c->check.min) && !c->scaled && !c->shifted) {
			c->check.min = p->min;
			c->check.max = p->max;
		}
		unit = p->unit;
	}
	if (!*unit && !strcmp(s->kind, "iio"))
		unit = iio_unit(c->attribute);
	else if (!*unit && (!strcmp(s->kind, "hwmon") || !strcmp(s->kind, "thermal") ||
			    !strcmp(s->kind, "w1")))
		unit = hwmon_unit(s->kind, c->attribute);
	return adopt_unit(c, unit, why);
}

int channel_line(struct raw *raw, struct sensor_config *s, const struct sensor_keys *section,
		 const struct raw_key *k)
{
	const char *name = k->name + strlen(CHANNEL_PREFIX);
	struct sensor_keys keys = *section;
	struct channel_config c;
	struct why why;
	int err;

	if (name_check(name, true, &why)) {
		raw_error(raw, &k->at, "%s: %s", k->name, why.text);
		return 0;
	}
	if (channel_parse(s, &c, name, &keys, k->value, &why)) {
		raw_error(raw, &k->at, "%s = %s: %s", k->name, k->value, why.text);
		return 0;
	}
	c.at = k->at;
	err = full_name(&c, s->name, name, &why);
	if (!err)
		err = adopt(&c, s, &why);
	if (!err)
		err = channel_append(s, &c, &keys, &why);
	if (err && err != -ENOMEM) {
		raw_error(raw, &k->at, "%s: %s", k->name, why.text);
		err = 0;
	}
	return err;
}

static int channels_of_part(struct raw *raw, struct sensor_config *s,
			    const struct sensor_keys *keys)
{
	struct channel_config c;
	struct why why;
	int err = 0;

	for (unsigned i = 0; i < s->part->channels && !err; i++) {
		err = channel_take(&c, keys, &why);
		c.part_channel = (int)i;
		c.at = s->at;
		snprintf(c.attribute, sizeof c.attribute, "%s", s->part->channel[i].attribute);
		if (!err && s->part->channels == 1)
			memcpy(c.name, s->name, sizeof c.name);
		else if (!err)
			err = full_name(&c, s->name, s->part->channel[i].name, &why);
		if (!err)
			err = adopt(&c, s, &why);
		if (!err)
			err = channel_append(s, &c, keys, &why);
	}
	if (err && err != -ENOMEM) {
		raw_error(raw, &s->at, "[sensor %s]: %s", s->name, why.text);
		err = 0;
	}
	return err;
}

/* WHAT of a sensor that has no channel.* line; NULL: it must have some. */
static const char *only_what(const struct sensor_config *s, const struct sensor_keys *keys)
{
	if (*keys->field)
		return keys->field;
	if (!strcmp(s->kind, "sysfs"))
		return "0";
	if (!strcmp(s->kind, "thermal"))
		return "temp";
	return !strcmp(s->kind, "w1") ? "temperature" : NULL;
}

int channel_only(struct raw *raw, struct sensor_config *s, const struct sensor_keys *keys,
		 const struct config_place *field_at)
{
	const char *what = only_what(s, keys);
	struct channel_config c;
	struct why why;
	int err;

	if (s->part && *keys->part)
		return channels_of_part(raw, s, keys);
	if (!what && strcmp(s->kind, "gpio")) {
		raw_error(raw, &s->at, "[sensor %s] names no channels: add \"channel.NAME = %s\" "
			  "for each", s->name, !strcmp(s->kind, "stream") ? "le:s16/16>>0" :
			  s->part ? "READ @ AT TYPE" : "WHAT");
		return 0;
	}
	err = channel_take(&c, keys, &why);
	if (err) {
		raw_error(raw, &s->at, "[sensor %s]: %s", s->name, why.text);
		return 0;
	}
	memcpy(c.name, s->name, sizeof c.name);
	c.at = s->at;
	s->single = !strcmp(s->kind, "sysfs") && !*keys->field;
	if (what && kind_what(s, &c, s->name, what, keys, &why)) {
		raw_error(raw, field_at, "field = %s: %s", what, why.text);
		return 0;
	}
	err = adopt(&c, s, &why);
	if (!err)
		err = channel_append(s, &c, keys, &why);
	if (err && err != -ENOMEM) {
		raw_error(raw, &s->at, "[sensor %s]: %s", s->name, why.text);
		err = 0;
	}
	return err;
}
