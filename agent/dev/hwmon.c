// SPDX-License-Identifier: MIT
/*
 * hwmon: attributes of a hwmon chip, of a thermal zone or of a 1-Wire probe, which is
 * found at each open by its name, type or id. The kernel talks to the bus in show(), so
 * every read is done by a worker of the ring.
 *
 * A 1-Wire temperature takes up to 750 ms to convert (DS18B20, 12 bits): no tick waits for
 * it, and it is never read a second time because the first request was too short.
 */
#include "agent/dev/hwmon.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/config.h"
#include "agent/dev/attr.h"
#include "agent/dev/dev.h"
#include "agent/dev/find.h"
#include "kernels/why.h"

#define CONVERSION_NS 1000000000u	/* 750 ms and its reading, on a slow bus */

struct hwmon {
	struct dev dev;
	struct attrs attrs;
	size_t memory;
};

/* Documentation/hwmon/sysfs-interface.rst: PREFIX, a number, one of the suffixes. */
static const struct quantity {
	const char *prefix, *unit;
	double scale;
} quantities[] = {
	{ "temp", "°C", 1e-3 },
	{ "in", "V", 1e-3 },
	{ "curr", "A", 1e-3 },
	{ "power", "W", 1e-6 },
	{ "energy", "J", 1e-6 },
	{ "humidity", "%", 1e-3 },
	{ "freq", "MHz", 1e-6 },
	{ "fan", "rpm", 1 },
};

static const char *const suffixes[] = {
	"_input", "_average", "_min", "_max", "_lowest", "_highest", "_crit", "_lcrit",
	"_emergency", "_rated_min", "_rated_max",
};

static const struct quantity none = { "", "", 1 };
static const struct quantity *const temperature = &quantities[0];

static const struct quantity *of_chip(const char *attribute)
{
	for (unsigned i = 0; i < sizeof quantities / sizeof *quantities; i++) {
		const char *p = attribute + strlen(quantities[i].prefix);

		if (strncmp(attribute, quantities[i].prefix, strlen(quantities[i].prefix)) ||
		    !isdigit((unsigned char)*p))
			continue;
		while (isdigit((unsigned char)*p))
			p++;
		for (unsigned k = 0; k < sizeof suffixes / sizeof *suffixes; k++)
			if (!strcmp(p, suffixes[k]))
				return &quantities[i];
	}
	return &none;
}

static const struct quantity *quantity(const char *kind, const char *attribute)
{
	size_t len = strlen(attribute);

	if (!strcmp(kind, "hwmon"))
		return of_chip(attribute);
	/* A zone has "temp" and its trip points "trip_point_0_temp"; a probe "temperature". */
	if (!strcmp(kind, "w1"))
		return strcmp(attribute, "temperature") ? &none : temperature;
	return !strcmp(attribute, "temp") || (len > 5 && !strcmp(attribute + len - 5, "_temp"))
		       ? temperature : &none;
}

const char *hwmon_unit(const char *kind, const char *attribute)
{
	return quantity(kind, attribute)->unit;
}

double hwmon_scale(const char *kind, const char *attribute)
{
	return quantity(kind, attribute)->scale;
}

static enum find_kind find_kind(const struct sensor_config *s)
{
	return !strcmp(s->kind, "thermal") ? FIND_THERMAL :
	       !strcmp(s->kind, "w1") ? FIND_W1 : FIND_HWMON;
}

/* The attribute of channel i: zones and probes have one that goes without saying. */
static const char *attribute(const struct sensor_config *s, unsigned i)
{
	if (*s->channel[i].attribute)
		return s->channel[i].attribute;
	return !strcmp(s->kind, "thermal") ? "temp" : !strcmp(s->kind, "w1") ? "temperature" : "";
}

static const char *device(const struct sensor_config *s)
{
	return *s->device || strcmp(s->kind, "w1") ? s->device : "*";
}

static int hwmon_create(struct dev **out, const struct sensor_config *s,
			unsigned first_channel, struct why *why)
{
	size_t memory = sizeof(struct hwmon) + attr_memory(s);
	struct hwmon *d;

	*out = NULL;
	if (!*device(s))
		return why_set(why, -EINVAL, "%s: add \"device = NAME\"", s->name);
	for (unsigned i = 0; i < s->channels; i++)
		if (!find_word(attribute(s, i)))
			return why_set(why, -EINVAL, "%s: \"%s\" is no attribute of a %s device",
				       s->channel[i].name, attribute(s, i), s->kind);
	d = dev_alloc(memory);
	if (!d)
		return why_set(why, -ENOMEM, "no memory for %s", s->name);
	d->memory = memory;
	d->dev = (struct dev){
		.ops = &dev_hwmon, .config = s, .first_channel = first_channel,
		.channels = s->channels,
	};
	/* A driver that hangs in an open holds up nobody else's. */
	snprintf(d->dev.bus, sizeof d->dev.bus, "%s", s->name);
	attr_init(&d->attrs, s, d + 1);
	if (!strcmp(s->kind, "w1")) {
		d->attrs.whole = true;
		d->dev.slow_ns = CONVERSION_NS;
	}
	*out = &d->dev;
	return 0;
}

static void hwmon_shut(struct dev *dev)
{
	attr_shut(&((struct hwmon *)dev)->attrs);
}

static int refuse(struct hwmon *d, const struct found *found, const char *name, int err)
{
	const struct sensor_config *s = d->dev.config;
	char there[160];

	hwmon_shut(&d->dev);
	if (err != -ENOENT)
		return why_set(&d->dev.why, err, "%s of %s: %s", name, found->name,
			       err == -EINVAL ? "no file" : strerror(-err));
	find_files(found->dir, "", strcmp(s->kind, "hwmon") ? "" : "_input", false,
		   name, there, sizeof there);
	return why_set(&d->dev.why, -EINVAL, "%s has no %s; there is %s", found->name, name, there);
}

/* Features of one attribute are channels of one file. */
static int open_channel(struct hwmon *d, const struct found *found, unsigned i)
{
	const struct sensor_config *s = d->dev.config;
	const struct channel_config *c = &s->channel[i];
	struct attr_channel *a = &d->attrs.channel[i];
	const char *name = attribute(s, i);
	int err;

	a->offset = c->offset;
	a->scale = c->scaled ? c->scale : hwmon_scale(s->kind, name);
	for (unsigned k = 0; k < i; k++)
		if (!strcmp(name, attribute(s, k))) {
			a->source = d->attrs.channel[k].source;
			return 0;
		}
	a->source = d->attrs.files;
	err = attr_open(&d->attrs, found->dir, name);
	return err ? refuse(d, found, name, err) : 0;
}

static int hwmon_open(struct dev *dev)
{
	struct hwmon *d = (struct hwmon *)dev;
	const struct sensor_config *s = dev->config;
	struct found found;
	int err;

	hwmon_shut(dev);
	dev->why.text[0] = '\0';
	err = find_device(find_kind(s), find_root(), device(s), &found, &dev->why);
	for (unsigned i = 0; i < s->channels && !err; i++)
		err = open_channel(d, &found, i);
	if (err)
		return err;
	attr_measure(&d->attrs, dev);
	attr_reset(&d->attrs, s->channels);
	if (found.same > 1 && find_kind(s) == FIND_W1)
		why_set(&dev->why, 0, "%u devices are called *: this is %s; say its id for another",
			found.same, found.name);
	else if (found.same > 1)
		why_set(&dev->why, 0, "%u devices are called %s: this is %s; say %s@PLACE for "
			"another", found.same, device(s), *found.place ? found.place : found.node,
			found.name);
	return 0;
}

static int hwmon_attach(struct dev *dev, struct ring *r)
{
	return attr_attach(&((struct hwmon *)dev)->attrs, dev, r);
}

static unsigned hwmon_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	return attr_start(&((struct hwmon *)dev)->attrs, dev, r);
}

static unsigned hwmon_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
			       struct frame *f, uint64_t now_ns)
{
	return attr_complete(&((struct hwmon *)dev)->attrs, dev, r, e, f, now_ns);
}

static int hwmon_detach(struct dev *dev, struct ring *r)
{
	return attr_detach(&((struct hwmon *)dev)->attrs, r);
}

static void hwmon_free(struct dev *dev)
{
	dev_free(dev, ((struct hwmon *)dev)->memory);
}

const struct dev_ops dev_hwmon = {
	.kind = "hwmon",
	.create = hwmon_create,
	.open = hwmon_open,
	.attach = hwmon_attach,
	.start = hwmon_start,
	.complete = hwmon_complete,
	.detach = hwmon_detach,
	.shut = hwmon_shut,
	.free = hwmon_free,
};
