// SPDX-License-Identifier: MIT
/*
 * config_kind: the keys of a [sensor], which kind takes which of them, and what WHAT
 * means to it:
 *
 *	sysfs			a field of text (decode.h)
 *	stream			an element of a scan (decode.h)
 *	i2c, spi, frames	a channel of the part; for a part written into the section
 *				"READ @ AT TYPE" (part.h)
 *	iio, hwmon, thermal, w1	an attribute: magn_x, temp1_input
 *	serial lines		the number of a field, counted from 0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_raw.h"
#include "agent/part.h"
#include "kernels/why.h"

#define KINDS "board, sysfs, stream, i2c, spi, iio, hwmon, thermal, w1, gpio or serial"
#define ANY ""

#define KEY(k, t, f, ...) { .key = k, .type = t, .offset = offsetof(struct sensor_keys, f), \
		.size = sizeof(((struct sensor_keys *)NULL)->f), __VA_ARGS__ }
const struct rule sensor_rules[] = {
	KEY("pipeline", RULE_TEXT, pipeline),
	KEY("kind", RULE_CHOICE, kind, .choices = KINDS),
	KEY("part", RULE_TEXT, part),
	KEY("path", RULE_PATH, path),
	KEY("bus", RULE_TEXT, bus),
	KEY("address", RULE_ADDRESS, address, .min = 0x03, .max = 0x77),
	KEY("device", RULE_TEXT, device),
	KEY("trigger", RULE_TEXT, trigger),
	KEY("field", RULE_TEXT, field),
	KEY("every", RULE_TEXT, every),
	KEY("interval", RULE_SECONDS, interval_s, .min = 0.001, .max = 86400),
	KEY("deadline", RULE_SECONDS, deadline_s, .min = 0.0001, .max = 60),
	KEY("mode", RULE_TEXT, mode),
	KEY("rate", RULE_HERTZ, rate_hz, .min = 0.01, .max = 100000),
	KEY("trigger_name", RULE_TEXT, trigger_name),
	KEY("spi_hz", RULE_COUNT, spi_hz, .min = 1000, .max = 100e6),
	KEY("chip", RULE_TEXT, chip),
	KEY("line", RULE_TEXT, line),
	KEY("edge", RULE_CHOICE, edge, .choices = "rising, falling or both"),
	KEY("bias", RULE_CHOICE, bias, .choices = "as-is, pull-up, pull-down or disabled"),
	KEY("active", RULE_CHOICE, active, .choices = "low or high"),
	KEY("debounce", RULE_SECONDS, debounce_s, .min = 0, .max = 10),
	KEY("baud", RULE_COUNT, baud, .min = 50, .max = 4e6),
	KEY("start", RULE_TEXT, start),
	KEY("length", RULE_TEXT, length),
	KEY("checksum", RULE_TEXT, checksum),
	/* From here on also options of a channel. */
	KEY("unit", RULE_TEXT, channel.unit),
	KEY("scale", RULE_NUMBER, channel.scale, .min = -1e12, .max = 1e12),
	KEY("offset", RULE_NUMBER, channel.offset, .min = -1e15, .max = 1e15),
	KEY("counter", RULE_FLAG, channel.counter),
	KEY("wrap", RULE_WRAP, channel.wrap),
	KEY("window", RULE_COUNT, channel.window, .min = 1, .max = 1000),
	KEY("range", RULE_RANGE, channel.check.min),
	KEY("rate_of_change", RULE_NUMBER, rate_of_change, .min = 1e-9, .max = 1e12),
	KEY("stuck", RULE_SECONDS, stuck_s, .min = 0.01, .max = 30 * 86400.0),
	KEY("features", RULE_TEXT, features),
	KEY("samples", RULE_COUNT, samples, .min = 4, .max = WINDOW_SAMPLES_MAX),
	KEY("crc", RULE_CHOICE, crc, .choices = "sht, ccitt8 or dallas"),
};
#undef KEY
#define OPTIONS 12
const unsigned sensor_rules_count = sizeof sensor_rules / sizeof *sensor_rules;
const struct rule *const channel_rules = sensor_rules + sizeof sensor_rules / sizeof *sensor_rules -
					 OPTIONS;
const unsigned channel_rules_count = OPTIONS;

/* Of each kind: what must be said, and what else may be; the rest every kind takes. */
static const struct kind {
	const char *name, *needs, *takes;
} kinds[] = {
	{ "sysfs", "path", "path field every trigger" },
	{ "stream", "path", "path field interval" },
	{ "i2c", "bus", "bus address every trigger" },
	{ "spi", "bus", "bus spi_hz every trigger" },
	{ "iio", "device", "device mode rate trigger_name every interval trigger" },
	{ "hwmon", "device", "device every trigger" },
	{ "thermal", "device", "device every trigger" },
	{ "w1", "", "device every trigger" },
	{ "gpio", "line", "chip line mode edge bias active debounce" },
	{ "serial", "path", "path baud start length checksum interval" },
};
static const char common[] = "pipeline kind part deadline";

const char *kind_words(void)
{
	return KINDS;
}

static const struct kind *kind_find(const char *name)
{
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

/* Is word one of those in list? */
static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = strstr(list, word); s; s = strstr(s + n, word))
		if ((s == list || s[-1] == ' ') && (!s[n] || s[n] == ' '))
			return true;
	return false;
}

static bool is_rule(const char *key)
{
	for (const struct rule *r = sensor_rules; r != channel_rules; r++)
		if (!strcmp(r->key, key))
			return true;
	return false;
}

bool kind_has_part(const char *kind)
{
	return !strcmp(kind, "i2c") || !strcmp(kind, "spi") || !strcmp(kind, "serial");
}

static void refuse_key(struct raw *raw, const struct raw_key *k, const char *kind)
{
	char who[96] = "";

	if (!strcmp(k->name, "every")) {
		raw_error(raw, &k->at, "every = %s: kind = %s comes when it comes", k->value, kind);
		return;
	}
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (listed(kinds[i].takes, k->name)) {
			size_t n = strlen(who);

			snprintf(who + n, sizeof who - n, "%s%s", n ? ", " : "", kinds[i].name);
		}
	raw_error(raw, &k->at, "%s = %s: that is for kind = %s, not for %s", k->name, k->value,
		  who, kind);
}

bool kind_check(struct raw *raw, const struct raw_section *section, const struct sensor_config *s)
{
	static const struct { const char *key, *hint; } hints[] = {
		{ "path", "what to read: add \"path = /...\"" },
		{ "bus", "its bus: add \"bus = i2c-1\" or \"bus = spi0.0\"" },
		{ "device", "its device: add \"device = NAME\" (sonde sensor probe lists them)" },
		{ "line", "its line: add \"line = NAME\", or chip and line = NUMBER" },
	};
	const struct kind *kind = kind_find(s->kind);
	unsigned before = raw->errors;

	for (unsigned i = 0; kind && i < section->keys; i++) {
		const struct raw_key *k = &section->key[i];

		if (is_rule(k->name) && !listed(common, k->name) && !listed(kind->takes, k->name))
			refuse_key(raw, k, kind->name);
	}
	for (unsigned i = 0; kind && i < sizeof hints / sizeof *hints; i++) {
		bool said = key_find(section, hints[i].key) ||
			    (!strcmp(hints[i].key, "device") && *s->device);

		if (listed(kind->needs, hints[i].key) && !said)
			raw_error(raw, &s->at, "[sensor %s] does not say %s", s->name,
				  hints[i].hint);
	}
	return raw->errors == before;
}

/* A channel of a part from the library, by its name. */
static int what_part(struct sensor_config *s, struct channel_config *c, const char *what,
		     struct why *why)
{
	const char *names[PART_CHANNELS_MAX + 1] = { NULL };
	const char *guess;

	for (unsigned i = 0; i < s->part->channels; i++) {
		names[i] = s->part->channel[i].name;
		if (!strcmp(names[i], what)) {
			c->part_channel = (int)i;
			return 0;
		}
	}
	guess = nearest(what, names);
	return why_set(why, -ENOENT, "part %s has no channel \"%s\"%s%s%s", s->part->name, what,
		       guess ? "; did you mean " : "; the first is ",
		       guess ? guess : names[0] ? names[0] : "none", guess ? "?" : "");
}

/* READ @ AT TYPE of a part that is written into the section. */
static int what_inline(struct sensor_config *s, struct channel_config *c, const char *name,
		       const char *what, const char *crc, struct why *why)
{
	char key[CONFIG_NAME_MAX + 16], value[RAW_TEXT_MAX];
	int err;

	snprintf(key, sizeof key, CHANNEL_PREFIX "%s", name);
	snprintf(value, sizeof value, "%s%s%s", what, *crc ? ", crc = " : "", crc);
	err = part_key(s->part, key, value, why);
	c->part_channel = (int)s->part->channels - 1;
	return err;
}

static int what_attribute(struct channel_config *c, const char *what, struct why *why)
{
	size_t n = strlen(what);

	if (!n || n >= sizeof c->attribute || strpbrk(what, "/ \t") || strspn(what, ".") == n)
		return why_set(why, -EINVAL, "\"%s\" is no attribute: say the name of one, as in "
			       "temp1_input or accel_x", what);
	memcpy(c->attribute, what, n + 1);
	return 0;
}

static int what_field(struct channel_config *c, const char *what, struct why *why)
{
	char *end;
	unsigned long n = strtoul(what, &end, 10);

	if (end == what || *end || *what == '-' || n > 127)
		return why_set(why, -EINVAL, "\"%s\" is no field: say its number, from 0", what);
	c->field = (unsigned)n;
	return 0;
}

int kind_what(struct sensor_config *s, struct channel_config *c, const char *name,
	      const char *what, const struct sensor_keys *keys, struct why *why)
{
	if (!strcmp(s->kind, "sysfs"))
		return decode_text_parse(&c->text, what, why);
	if (!strcmp(s->kind, "stream"))
		return decode_scan_parse(&c->scan, what, why);
	if (s->part && kind_has_part(s->kind))
		return *keys->part ? what_part(s, c, what, why)
				   : what_inline(s, c, name, what, keys->crc, why);
	if (!strcmp(s->kind, "serial"))
		return what_field(c, what, why);
	if (!strcmp(s->kind, "gpio"))
		return why_set(why, -EINVAL, "a line is one channel: leave out channel.%s", name);
	return what_attribute(c, what, why);
}
