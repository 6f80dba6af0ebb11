// SPDX-License-Identifier: MIT
/*
 * part_dev: readings of the library's parts. The part is copied, so that what a completion
 * needs is locked, and it decodes to raw numbers: the scale is the channel's own, since the
 * configuration may give another, and a counter's wrap is one of raw counts.
 *
 * A reading of which one channel is bad (a CRC, the sensor's own fault bit) has still brought
 * the others: it counts as an error, but not as a failed reading.
 */
#include "agent/dev/part_dev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/config.h"
#include "kernels/why.h"

#define WAITED_FOR_NS 20000000u	/* no verdict is held up for a longer conversion */

static unsigned window(const struct channel_config *c)
{
	return !c->counter ? 0 : c->window ? c->window : 1;
}

/* The steps write into in[]: whoever filled the part, they must stay inside. */
static int check(const struct sensor_config *s, const struct dev_ops *ops, struct why *why)
{
	const struct part *p = s->part;

	if (!p || !p->reads || p->reads > PART_STEPS_MAX || p->inits > PART_STEPS_MAX)
		return why_set(why, -EINVAL, "kind = %s needs a part, or read.0 and its channels",
			       ops->kind);
	if (strcmp(p->kind, ops->kind))
		return why_set(why, -EINVAL, "part %s is one for kind = %s, not %s", p->name,
			       p->kind, ops->kind);
	for (unsigned i = 0; i < p->reads; i++)
		if (p->read[i].outs > PART_OUT_MAX || p->read[i].at + p->read[i].in > p->bytes ||
		    p->bytes > PART_BYTES_MAX)
			return why_set(why, -EINVAL, "part %s: read.%u lies outside the reading",
				       p->name, i);
	for (unsigned i = 0; i < p->inits; i++)
		if (p->init[i].outs > PART_OUT_MAX || p->init[i].in)
			return why_set(why, -EINVAL, "part %s: init.%u only writes", p->name, i);
	if (p->identify.outs > PART_OUT_MAX || p->identify.in > PART_OUT_MAX || p->identify.at)
		return why_set(why, -EINVAL, "part %s: identify is too long", p->name);
	for (unsigned i = 0; i < s->channels; i++) {
		int c = s->channel[i].part_channel;

		if (c < 0 || (unsigned)c >= p->channels)
			return why_set(why, -EINVAL, "%s is no channel of part %s",
				       s->channel[i].name, p->name);
	}
	return 0;
}

static size_t slots_of(const struct sensor_config *s)
{
	size_t slots = 0;

	for (unsigned i = 0; i < s->channels; i++)
		slots += window(&s->channel[i]);
	return slots;
}

static void adopt(struct part_dev *d, struct rate *rate)
{
	const struct sensor_config *s = d->dev.config;

	for (unsigned i = 0; i < s->channels; i++) {
		const struct channel_config *c = &s->channel[i];
		const struct part_channel *p = &s->part->channel[c->part_channel];

		d->use[i] = (struct part_use){
			.scale = c->scaled ? c->scale : p->scale,
			.offset = c->shifted ? c->offset : p->offset,
			.rate = c->counter ? rate : NULL,
			.window = window(c),
		};
		rate += window(c);
	}
	for (unsigned i = 0; i < PART_CHANNELS_MAX; i++) {
		d->part.channel[i].scale = 1;
		d->part.channel[i].offset = 0;
	}
}

/* How long a reading waits for the part. */
static uint64_t waits_ns(const struct part *p)
{
	uint64_t us = 0;

	for (unsigned i = 0; i < p->reads; i++)
		us += p->read[i].wait_us;
	return us * 1000;
}

int part_dev_create(struct part_dev **out, size_t size, const struct dev_ops *ops,
		    const struct sensor_config *s, unsigned first_channel, struct why *why)
{
	const size_t align = _Alignof(max_align_t);
	struct part_dev *d;
	size_t use, rate;
	int err = check(s, ops, why);

	*out = NULL;
	if (err)
		return err;
	use = (size + align - 1) / align * align;
	rate = use + s->channels * sizeof *d->use;
	size = rate + slots_of(s) * sizeof(struct rate);
	d = dev_alloc(size);
	if (!d)
		return why_set(why, -ENOMEM, "no memory for sensor %s", s->name);
	d->size = size;
	d->use = (struct part_use *)((char *)d + use);
	d->part = *s->part;
	d->dev = (struct dev){
		.ops = ops, .config = s, .first_channel = first_channel, .channels = s->channels,
	};
	if (waits_ns(&d->part) > WAITED_FOR_NS)
		d->dev.slow_ns = waits_ns(&d->part);
	adopt(d, (struct rate *)((char *)d + rate));
	*out = d;
	return 0;
}

void part_dev_free(struct part_dev *d)
{
	if (d)
		dev_free(d, d->size);
}

void part_dev_reset(struct part_dev *d)
{
	d->step = 0;
	d->waited = false;
	d->counted = 0;
	d->dev.gone = false;
	d->dev.why.text[0] = '\0';
	for (unsigned i = 0; i < d->dev.channels; i++)
		for (unsigned k = 0; k < d->use[i].window; k++)
			d->use[i].rate[k].primed = false;
}

/* 1: a value; 0: none yet; a negative channel_fault. */
static int value_of(struct part_dev *d, unsigned i, uint64_t now_ns, double *v)
{
	const struct channel_config *c = &d->dev.config->channel[i];
	const struct part_use *u = &d->use[i];
	int fault = part_decode(&d->part, (unsigned)c->part_channel, d->in, v);

	if (fault)
		return -fault;
	if (!u->rate) {
		*v = (*v + u->offset) * u->scale;
		return 1;
	}
	/* The slot in turn holds the reading of `window` readings ago. */
	if (!decode_rate(&u->rate[d->counted % u->window], *v, now_ns, c->wrap, v))
		return 0;
	*v *= u->scale;
	return 1;
}

static void decode(struct part_dev *d, struct frame *f, uint64_t now_ns)
{
	unsigned failed = 0;
	int fault = FAULT_NONE;

	for (unsigned i = 0; i < d->dev.channels; i++) {
		unsigned channel = d->dev.first_channel + i;
		double v;
		int got = value_of(d, i, now_ns, &v);

		if (got > 0) {
			frame_put(f, channel, (float)v, now_ns);
		} else if (!got) {
			frame_probe(f, channel);
		} else {
			fault = -got;
			failed++;
			frame_fail(f, channel, CHANNEL_FAULTY, (enum channel_fault)fault);
			why_set(&d->dev.why, 0, "%s: %s", d->dev.config->channel[i].name,
				fault == FAULT_CRC ? "the checksum is wrong" :
				"the sensor itself says that its reading is bad");
		}
	}
	d->counted++;
	d->dev.error = 0;
	if (!failed)
		return;
	d->dev.errors++;
	if (failed == d->dev.channels)
		d->dev.error = fault == FAULT_CRC ? -EBADMSG : -EPROTO;
}

void part_dev_settle(struct part_dev *d, int res, struct frame *f, uint64_t now_ns)
{
	if (res < 0) {
		d->dev.errors++;
		d->dev.error = res;
		d->dev.gone |= res == -ENODEV || res == -ESHUTDOWN;
		return;
	}
	d->dev.bytes += (unsigned)res;
	d->dev.reads++;
	if ((unsigned)res >= d->part.bytes) {
		decode(d, f, now_ns);
		return;
	}
	d->dev.errors++;
	d->dev.error = why_set(&d->dev.why, -ENODATA, "%d of the %u bytes of a reading came", res,
			       d->part.bytes);
	for (unsigned i = 0; i < d->dev.channels; i++)
		frame_fail(f, d->dev.first_channel + i, CHANNEL_FAULTY, FAULT_SHORT);
}

int part_dev_identify(const struct part *p, const uint8_t *in, struct why *why)
{
	for (unsigned i = 0; i < p->identify.in; i++)
		if ((in[i] & p->id_mask[i]) != (p->id_value[i] & p->id_mask[i]))
			return why_set(why, -ENODEV, "something answers, but it is no %s: byte %u "
				       "of its identity is 0x%02x, not 0x%02x", p->name, i, in[i],
				       p->id_value[i]);
	return 0;
}

int part_dev_no_file(struct dev *dev, int err, const char *path, const char *group,
		     const char *advice)
{
	if (err == -ENOENT)
		return why_set(&dev->why, err, "there is no %s: %s", path, advice);
	if (err == -EACCES || err == -EPERM)
		return why_set(&dev->why, err, "%s: no permission: group %s has it", path, group);
	return why_set(&dev->why, err, "%s: %s", path, strerror(-err));
}

bool part_dev_link_name(const char *path, char *name, size_t size)
{
	char target[256];
	ssize_t n = readlink(path, target, sizeof target - 1);
	const char *slash;

	if (n <= 0)
		return false;
	target[n] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
	return name[0] != '\0';
}

uint64_t part_dev_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void part_dev_sleep_until(uint64_t t_ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(t_ns / 1000000000u), .tv_nsec = (long)(t_ns % 1000000000u),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}
