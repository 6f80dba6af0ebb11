// SPDX-License-Identifier: MIT
/*
 * part_channel: one channel.NAME line of a part. A line that begins with a digit says where
 * in a read the value stands; one that begins with a letter is an attribute of a kernel
 * driver. part_check() sees to it that the part's kind has such channels.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/config_raw.h"
#include "agent/part_impl.h"
#include "kernels/why.h"

#define TEXT_MAX 256

static int option_crc(struct part_channel *c, const char *value, struct why *why)
{
	static const char *const words[] = { "none", "sht", "ccitt8", "dallas", NULL };

	for (unsigned i = 1; words[i]; i++)
		if (!strcmp(value, words[i])) {
			c->crc = (uint8_t)i;
			return 0;
		}
	return why_set(why, -EINVAL, "crc = %s: must be sht, ccitt8 or dallas", value);
}

static int option(struct part_channel *c, const char *key, const char *value, struct why *why)
{
	static const char *const names[] = { "unit", "scale", "offset", "range", "crc", NULL };
	static const struct rule range_rule = { "range", RULE_RANGE };
	const char *guess;
	float range[2];

	if (!strcmp(key, "unit")) {
		if (!*value || strlen(value) >= sizeof c->unit)
			return why_set(why, -EINVAL, "unit = %s: 1 to %zu bytes", value,
				       sizeof c->unit - 1);
		strcpy(c->unit, value);
		return 0;
	}
	if (!strcmp(key, "scale")) {
		if (part_fraction(value, &c->scale, why))
			return why_in(why, -EINVAL, "scale");
		return c->scale != 0 ? 0 : why_set(why, -EINVAL,
			       "scale = 0: all values were the same");
	}
	if (!strcmp(key, "offset"))
		return part_fraction(value, &c->offset, why) ? why_in(why, -EINVAL, "offset") : 0;
	if (!strcmp(key, "crc"))
		return option_crc(c, value, why);
	if (!strcmp(key, "range")) {
		if (rule_apply(&range_rule, range, value, why))
			return why_in(why, -EINVAL, "range = %s", value);
		c->min = range[0];
		c->max = range[1];
		return 0;
	}
	guess = nearest(key, names);
	return why_set(why, -EINVAL, "%s: no option of a channel%s%s%s", key,
		       guess ? "; did you mean " : ": unit, scale, offset, range, crc",
		       guess ? guess : "", guess ? "?" : "");
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return s;
}

static int options(struct part_channel *c, char *s, struct why *why)
{
	char *next, *value;

	for (; s; s = next) {
		next = strchr(s, ',');
		if (next)
			*next++ = '\0';
		value = strchr(s, '=');
		if (!value)
			return why_set(why, -EINVAL,
				       "\"%s\": an option reads KEY = VALUE", trim(s));
		*value++ = '\0';
		if (option(c, trim(s), trim(value), why))
			return -EINVAL;
	}
	return 0;
}

/* READ @ AT TYPE, or ATTRIBUTE */
static int place(struct part_channel *c, const char *s, struct why *why)
{
	unsigned read, at;

	s += strspn(s, " \t");
	if (isalpha((unsigned char)*s)) {
		if (strlen(s) >= sizeof c->attribute)
			return why_set(why, -EINVAL, "an attribute of more than %zu characters",
				       sizeof c->attribute - 1);
		for (const char *p = s; *p; p++)
			if (!isalnum((unsigned char)*p) && !strchr("_-", *p))
				return why_set(why, -EINVAL,
					       "\"%s\" is no attribute of a driver", s);
		strcpy(c->attribute, s);
		return 0;
	}
	if (part_number(&s, 0, PART_STEPS_MAX - 1, &read, why))
		return -EINVAL;
	if (!part_word(&s, "@"))
		return why_set(why, -EINVAL, "must read READ @ AT TYPE or ATTRIBUTE, and options");
	if (part_number(&s, 0, PART_IN_MAX - 1, &at, why))
		return -EINVAL;
	if (decode_scan_parse(&c->scan, s + strspn(s, " \t"), why))
		return -EINVAL;
	if (c->scan.repeat != 1)
		return why_set(why, -EINVAL, "X%u: a channel is one value", c->scan.repeat);
	c->read = (uint8_t)read;
	c->at = (uint16_t)at;
	return 0;
}

int part_channel_key(struct part *p, const char *name, const char *value, struct why *why)
{
	struct part_channel c = { .scale = 1, .min = -INFINITY, .max = INFINITY };
	char text[TEXT_MAX], *comma;
	unsigned i;

	if (name_check(name, true, why))
		return -EINVAL;
	if (strlen(value) >= sizeof text)
		return why_set(why, -EINVAL, "longer than %zu bytes", sizeof text - 1);
	strcpy(text, value);
	strcpy(c.name, name);
	comma = strchr(text, ',');
	if (comma)
		*comma++ = '\0';
	if (place(&c, trim(text), why) || options(&c, comma, why))
		return -EINVAL;
	for (i = 0; i < p->channels && strcmp(p->channel[i].name, name); i++)
		;
	if (i == PART_CHANNELS_MAX)
		return why_set(why, -EINVAL, "more than %d channels", PART_CHANNELS_MAX);
	p->channel[i] = c;
	p->channels += i == p->channels;
	return 0;
}
