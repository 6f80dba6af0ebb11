// SPDX-License-Identifier: MIT
/*
 * config_check: what a sensor was told and can not heed. Each key is right in itself; a person
 * who wrote it expects it to do something, so it is refused rather than ignored.
 */
#include <stdio.h>
#include <string.h>

#include "agent/config_raw.h"
#include "agent/part.h"

/* Refuse a key that was said, with the reason. */
static void idle(struct raw *raw, const struct raw_section *section, const char *key,
		 const char *reason)
{
	const struct raw_key *k = key_find(section, key);

	if (k)
		raw_error(raw, &k->at, "%s = %s: %s", key, k->value, reason);
}

static void check_iio(struct raw *raw, const struct raw_section *section,
		      const struct sensor_config *s)
{
	if (!strcmp(s->mode, "poll")) {
		idle(raw, section, "rate", "a polled device is read at ticks: say every instead");
		idle(raw, section, "trigger_name", "a polled device needs no IIO trigger");
	}
	if (!strcmp(s->mode, "buffer")) {
		idle(raw, section, "trigger", "a buffer comes by itself: say mode = poll");
		idle(raw, section, "every", "a buffer comes by itself: say rate instead");
	}
	if (*s->trigger)
		idle(raw, section, "rate", "a triggered device is read at edges");
}

static void check_gpio(struct raw *raw, const struct raw_section *section,
		       const struct sensor_config *s)
{
	idle(raw, section, "counter", "a line counts with mode = counter");
	idle(raw, section, "wrap", "edges are counted here, nothing wraps");
	if (s->gpio.mode == GPIO_LEVEL)
		idle(raw, section, "edge", "mode = level follows both edges");
	if (s->gpio.mode != GPIO_COUNTER)
		idle(raw, section, "window", "that is for mode = counter");
}

static void check_part(struct raw *raw, const struct raw_section *section,
		       const struct sensor_config *s)
{
	char list[128] = "";
	double wait_s = 0;
	bool known = !s->part->addresses;

	for (unsigned i = 0; i < s->part->reads; i++)
		wait_s += s->part->read[i].wait_us * 1e-6;
	if (s->deadline_s > 0 && s->deadline_s <= wait_s)
		raw_error(raw, key_place(section, "deadline"), "deadline = %s: %s alone waits %g ms "
			  "for a reading", key_find(section, "deadline")->value, s->part->name,
			  wait_s * 1e3);
	for (unsigned i = 0; i < s->part->addresses; i++) {
		size_t n = strlen(list);

		known |= s->part->address[i] == s->address;
		snprintf(list + n, sizeof list - n, "%s0x%02x", i ? ", " : "",
			 s->part->address[i]);
	}
	if (!known && !strcmp(s->kind, "i2c"))
		raw_error(raw, key_place(section, "address"), "address = %s: part %s answers at %s",
			  key_find(section, "address")->value, s->part->name, list);
	if (strcmp(s->kind, "serial") || !key_find(section, "part"))
		return;
	idle(raw, section, "start", "the part says it");
	idle(raw, section, "length", "the part says it");
	idle(raw, section, "checksum", "the part says it");
}

/* Nothing above half the rate can be seen (Shannon 1949). */
static void check_band(struct raw *raw, const struct sensor_config *s,
		       const struct channel_config *c, double tick_hz)
{
	bool flows = !strcmp(s->kind, "stream") || !strcmp(s->kind, "serial") || *s->trigger;
	double rate = s->rate_hz > 0 ? s->rate_hz : s->every ? tick_hz / s->every : tick_hz;

	if (c->feature.kind != FEATURE_BAND || flows || c->feature.hi_hz <= rate / 2)
		return;
	/* An IIO device without a rate may have a faster one of its own. */
	if (!strcmp(s->kind, "iio") && strcmp(s->mode, "poll") && !(s->rate_hz > 0))
		return;
	raw_error(raw, &c->at, "%s: at %g readings a second there is nothing above %g Hz", c->name,
		  rate, rate / 2);
}

/* Two of one address or line would disturb each other. */
static void check_twin(struct raw *raw, const struct raw_section *section,
		       const struct sensor_config *s, const struct sensor_config *other)
{
	if (!strcmp(s->kind, "i2c") && !strcmp(other->kind, "i2c") && !strcmp(s->bus, other->bus) &&
	    s->address == other->address)
		raw_error(raw, &section->at, "[sensor %s]: 0x%02x on %s is read by [sensor %s] "
			  "already", s->name, s->address, s->bus, other->name);
	if (!strcmp(s->kind, "gpio") && !strcmp(other->kind, "gpio") &&
	    !strcmp(s->gpio.chip, other->gpio.chip) && !strcmp(s->gpio.line, other->gpio.line))
		raw_error(raw, &section->at, "[sensor %s]: line %s is taken by [sensor %s] already",
			  s->name, s->gpio.line, other->name);
}

void sensor_check(struct raw *raw, const struct raw_section *section, const struct sensor_config *s,
		  const struct config *c, double tick_hz)
{
	bool by_itself = !strcmp(s->kind, "stream") || !strcmp(s->kind, "serial");

	if (!strcmp(s->kind, "iio"))
		check_iio(raw, section, s);
	if (!strcmp(s->kind, "gpio"))
		check_gpio(raw, section, s);
	if (s->part)
		check_part(raw, section, s);
	if (!s->part || key_find(section, "part"))
		idle(raw, section, "crc", "that is for channels of a part written in the section");
	for (unsigned i = 0; i < s->channels; i++) {
		const struct channel_config *ch = &s->channel[i];

		if (by_itself && ch->counter && ch->window)
			raw_error(raw, &ch->at, "%s: a window is for what is read at ticks",
				  ch->name);
		check_band(raw, s, ch, tick_hz);
	}
	for (unsigned i = 0; i < c->pipelines; i++)
		for (unsigned k = 0; k < c->pipeline[i].sensors; k++)
			check_twin(raw, section, s, &c->pipeline[i].sensor[k]);
}
