// SPDX-License-Identifier: MIT
/*
 * config_channel: one value of a sensor: what to read and what to make of it. What the
 * section says of unit, scale, offset, counter, wrap and window is each channel's
 * beginning; a channel's own options override it:
 *
 *	channel.NAME = WHAT[, unit=U][, scale=S][, offset=O][, counter][, wrap=N bit][, window=N]
 *
 * WHAT is a field of text (sysfs) or an element of a scan (stream), as decode.h
 * has them. A sensor without channel.* lines is one channel; `field` is its WHAT.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_raw.h"
#include "kernels/why.h"

#define KEY(k, t, f, ...) { .key = k, .type = t, .offset = offsetof(struct sensor_keys, f), \
		.size = sizeof(((struct sensor_keys *)NULL)->f), __VA_ARGS__ }
const struct rule sensor_rules[] = {
	KEY("pipeline", RULE_TEXT, pipeline),
	KEY("kind", RULE_CHOICE, kind, .choices = "board, sysfs or stream"),
	KEY("path", RULE_PATH, path),
	KEY("field", RULE_TEXT, field),
	KEY("every", RULE_TEXT, every),
	KEY("unit", RULE_TEXT, channel.unit),
	KEY("scale", RULE_NUMBER, channel.scale, .min = -1e12, .max = 1e12),
	KEY("offset", RULE_NUMBER, channel.offset, .min = -1e15, .max = 1e15),
	KEY("counter", RULE_FLAG, channel.counter),
	KEY("wrap", RULE_WRAP, channel.wrap),
	KEY("window", RULE_COUNT, channel.window, .min = 1, .max = 1000),
};
#undef KEY
const unsigned sensor_rules_count = sizeof sensor_rules / sizeof *sensor_rules;
#define OPTION_RULES (sensor_rules + 5)	/* those a channel may override */
#define OPTIONS (sensor_rules_count - 5)

/* Does a channel option begin at s? Then its rule and what stands after the word. */
static const struct rule *option_at(const char *s, const char **after)
{
	for (unsigned i = 0; i < OPTIONS; i++) {
		size_t n = strlen(OPTION_RULES[i].key);

		if (!strncmp(s, OPTION_RULES[i].key, n) && !isalnum((unsigned char)s[n])) {
			*after = s + n + strspn(s + n, " \t");
			return &OPTION_RULES[i];
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
			       "offset=, counter, wrap= and window=", text);
	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	else if (r->type == RULE_FLAG && !*value)
		value = "yes";
	else
		return why_set(why, -EINVAL, "\"%s\": expected %s=VALUE", text, r->key);
	return why_in(why, rule_apply(r, keys, value, why), "%s=%s", r->key, value);
}

static int channel_check(const struct channel_config *c, struct why *why)
{
	if (c->scale == 0)
		return why_set(why, -ERANGE, "a scale of 0 makes every value 0");
	if ((c->wrap > 0 || c->window) && !c->counter)
		return why_set(why, -EINVAL, "wrap and window are for a counter: say counter "
			       "as well");
	return 0;
}

/* WHAT and options of one channel. defaults: the section's own keys. */
static int channel_parse(struct channel_config *c, const struct sensor_keys *defaults,
			 bool stream, const char *value, struct why *why)
{
	struct sensor_keys keys = *defaults;
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
		err = option_set(&keys, option, why);
		if (err)
			return err;
	}
	*c = keys.channel;
	err = channel_check(c, why);
	if (err)
		return err;
	return stream ? decode_scan_parse(&c->scan, text, why)
		      : decode_text_parse(&c->text, text, why);
}

static struct channel_config *channel_add(struct sensor_config *s)
{
	struct channel_config *c = reallocarray(s->channel, s->channels + 1, sizeof *c);

	if (!c)
		return NULL;
	s->channel = c;
	return &c[s->channels++];
}

/* A channel.NAME line. */
int channel_line(struct raw *raw, struct sensor_config *s,
		 const struct sensor_keys *keys, const struct raw_key *k)
{
	const char *name = k->name + strlen(CHANNEL_PREFIX);
	struct channel_config c;
	struct channel_config *slot;
	struct why why;

	if (name_check(name, true, &why)) {
		raw_error(raw, &k->at, "%s: %s", k->name, why.text);
		return 0;
	}
	if (channel_parse(&c, keys, !strcmp(s->kind, "stream"), k->value, &why)) {
		raw_error(raw, &k->at, "%s = %s: %s", k->name, k->value, why.text);
		return 0;
	}
	if (snprintf(c.name, sizeof c.name, "%s.%s", s->name, name) >= (int)sizeof c.name) {
		raw_error(raw, &k->at, "%s: %s.%s is longer than %d characters", k->name, s->name,
			  name, CONFIG_NAME_MAX - 1);
		return 0;
	}
	c.at = k->at;
	slot = channel_add(s);
	if (!slot)
		return -ENOMEM;
	*slot = c;
	return 0;
}

/* The only channel of a sensor without channel.* lines. */
int channel_only(struct raw *raw, struct sensor_config *s, const struct sensor_keys *keys,
		 const struct config_place *field_at)
{
	bool stream = !strcmp(s->kind, "stream");
	struct channel_config *c;
	struct why why;

	if (stream && !*keys->field) {
		raw_error(raw, &s->at, "[sensor %s] names no channels: add \"channel.NAME = "
			  "le:s16/16>>0\" for each element of a scan", s->name);
		return 0;
	}
	c = channel_add(s);
	if (!c)
		return -ENOMEM;
	*c = keys->channel;
	memcpy(c->name, s->name, sizeof c->name);
	c->at = s->at;
	s->single = !stream && !*keys->field;
	if (channel_check(c, &why))
		raw_error(raw, &s->at, "[sensor %s]: %s", s->name, why.text);
	else if (stream ? decode_scan_parse(&c->scan, keys->field, &why)
			: decode_text_parse(&c->text, s->single ? "0" : keys->field, &why))
		raw_error(raw, field_at, "field = %s: %s", keys->field, why.text);
	return 0;
}
