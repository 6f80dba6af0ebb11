// SPDX-License-Identifier: MIT
/*
 * part: the keys of a part, one at a time, whoever read them: a file of the sensor
 * library or a [sensor] section. Only what one line says is judged here; whether the lines
 * fit together is part_check()'s, because they may come in any order.
 */
#include "agent/part.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_raw.h"
#include "agent/part_impl.h"
#include "kernels/why.h"

#define FIELD(name) offsetof(struct part, name), sizeof(((struct part *)0)->name)

void part_init(struct part *p, const char *name)
{
	*p = (struct part){ .spi_bits = 8 };
	strncpy(p->name, name, sizeof p->name - 1);
}

static int key_address(struct part *p, const char *s, struct why *why)
{
	unsigned first, last;

	p->addresses = 0;
	do {
		if (part_number(&s, 0x08, 0x77, &first, why))
			return -EINVAL;
		last = first;
		if (part_word(&s, "-") && part_number(&s, first, 0x77, &last, why))
			return -EINVAL;
		for (; first <= last; first++) {
			if (p->addresses == sizeof p->address)
				return why_set(why, -EINVAL, "more than %zu addresses",
					       sizeof p->address);
			if (memchr(p->address, (int)first, p->addresses))
				return why_set(why, -EINVAL, "0x%02x twice", first);
			p->address[p->addresses++] = (uint8_t)first;
		}
	} while (part_word(&s, ","));
	return part_end(s, why);
}

static int key_identify(struct part *p, const char *s, struct why *why)
{
	struct part_step step = { .outs = 0 };
	unsigned outs, ins, masks;

	if (part_bytes(&s, step.out, PART_OUT_MAX, &outs, why))
		return -EINVAL;
	if (!outs || !part_word(&s, "->"))
		return why_set(why, -EINVAL, "must read BYTES -> BYTES [/ MASK]");
	if (part_bytes(&s, p->id_value, sizeof p->id_value, &ins, why))
		return -EINVAL;
	if (!ins)
		return why_set(why, -EINVAL, "no byte is expected after ->");
	memset(p->id_mask, 0xff, sizeof p->id_mask);
	if (part_word(&s, "/")) {
		if (part_bytes(&s, p->id_mask, sizeof p->id_mask, &masks, why))
			return -EINVAL;
		if (masks != ins)
			return why_set(why, -EINVAL, "%u bytes are expected, the mask has %u", ins,
				       masks);
	}
	for (unsigned i = 0; i < ins; i++)
		if (p->id_value[i] & ~p->id_mask[i])
			return why_set(why, -EINVAL, "0x%02x has bits that the mask 0x%02x leaves "
				       "out", p->id_value[i], p->id_mask[i]);
	if (part_wait(&s, &step.wait_us, why) || part_end(s, why))
		return -EINVAL;
	step.outs = (uint8_t)outs;
	step.in = (uint8_t)ins;
	p->identify = step;
	return 0;
}

static int key_start(struct part *p, const char *s, struct why *why)
{
	if (part_bytes(&s, p->start, sizeof p->start, &p->starts, why) || part_end(s, why))
		return -EINVAL;
	return p->starts ? 0 : why_set(why, -EINVAL, "no byte");
}

static int key_checksum(struct part *p, const char *s, struct why *why)
{
	static const char *const words[] = { "none", "sum16be", "sum8", "xor8", NULL };

	for (unsigned i = 0; words[i]; i++)
		if (!strcmp(s, words[i])) {
			p->sum = (uint8_t)i;
			return 0;
		}
	return why_set(why, -EINVAL, "must be sum16be, sum8, xor8 or none");
}

static int key_spi_mode(struct part *p, const char *s, struct why *why)
{
	unsigned v;

	if (part_number(&s, 0, 3, &v, why) || part_end(s, why))
		return -EINVAL;
	p->spi_mode = (uint8_t)v;
	return 0;
}

static int key_spi_bits(struct part *p, const char *s, struct why *why)
{
	unsigned v;

	if (part_number(&s, 8, 8, &v, why) || part_end(s, why))
		return -EINVAL;
	p->spi_bits = (uint8_t)v;
	return 0;
}

static int key_spi_hz(struct part *p, const char *s, struct why *why)
{
	unsigned v;

	if (part_number(&s, 1, 100000000, &v, why) || part_end(s, why))
		return -EINVAL;
	p->spi_hz = v;
	return 0;
}

static int key_baud(struct part *p, const char *s, struct why *why)
{
	return part_number(&s, 50, 4000000, &p->baud, why) || part_end(s, why) ? -EINVAL : 0;
}

static int key_length(struct part *p, const char *s, struct why *why)
{
	return part_number(&s, 1, PART_IN_MAX, &p->length, why) || part_end(s, why) ? -EINVAL : 0;
}

/* BYTES [-> LENGTH] [wait TIME] */
static int parse_step(struct part_step *step, bool init, const char *s, struct why *why)
{
	unsigned outs, in = 0;

	*step = (struct part_step){ .outs = 0 };
	if (part_bytes(&s, step->out, PART_OUT_MAX, &outs, why))
		return -EINVAL;
	if (part_word(&s, "->")) {
		if (init)
			return why_set(why, -EINVAL, "init only writes: there is no ->");
		if (part_number(&s, 1, PART_IN_MAX, &in, why))
			return -EINVAL;
	}
	if (part_wait(&s, &step->wait_us, why) || part_end(s, why))
		return -EINVAL;
	if (!outs && !in)
		return why_set(why, -EINVAL, "neither bytes to write nor -> LENGTH");
	step->outs = (uint8_t)outs;
	step->in = (uint8_t)in;
	return 0;
}

/* READ @ AT & MASK [= VALUE] */
static int parse_fault(struct part_fault *f, const char *s, struct why *why)
{
	unsigned read, at, mask, value;

	if (part_number(&s, 0, PART_STEPS_MAX - 1, &read, why))
		return -EINVAL;
	if (!part_word(&s, "@"))
		return why_set(why, -EINVAL, "must read READ @ AT & MASK [= VALUE]");
	if (part_number(&s, 0, PART_IN_MAX - 1, &at, why))
		return -EINVAL;
	if (!part_word(&s, "&"))
		return why_set(why, -EINVAL, "must read READ @ AT & MASK [= VALUE]");
	if (part_number(&s, 1, 0xff, &mask, why))
		return -EINVAL;
	value = mask;
	if (part_word(&s, "=") && part_number(&s, 0, 0xff, &value, why))
		return -EINVAL;
	if (part_end(s, why))
		return -EINVAL;
	if (value & ~mask)
		return why_set(why, -EINVAL, "0x%02x has bits that the mask 0x%02x leaves out",
			       value, mask);
	*f = (struct part_fault){ .read = (uint8_t)read, .at = (uint16_t)at,
				  .mask = (uint8_t)mask, .value = (uint8_t)value };
	return 0;
}

/* N of a numbered key: one that is there is replaced, or it is the next. */
static int parse_index(const char *s, unsigned *count, const char *word, unsigned *i,
		       struct why *why)
{
	if (part_number(&s, 0, PART_STEPS_MAX - 1, i, why) || part_end(s, why))
		return -EINVAL;
	if (*i > *count)
		return why_set(why, -EINVAL, "%s.%u is missing before it", word, *count);
	return 0;
}

static int key_numbered(struct part *p, const char *key, const char *value, struct why *why)
{
	const char *dot = strchr(key, '.') + 1;
	struct part_step step;
	struct part_fault fault;
	unsigned i;

	if (*key == 'f') {
		if (parse_index(dot, &p->faults, "fault", &i, why) ||
		    parse_fault(&fault, value, why))
			return -EINVAL;
		p->fault[i] = fault;
		p->faults += i == p->faults;
		return 0;
	}
	if (parse_index(dot, *key == 'i' ? &p->inits : &p->reads, *key == 'i' ? "init" : "read", &i,
			why) || parse_step(&step, *key == 'i', value, why))
		return -EINVAL;
	if (*key == 'i') {
		p->init[i] = step;
		p->inits += i == p->inits;
	} else {
		p->read[i] = step;
		p->reads += i == p->reads;
	}
	return 0;
}

static const struct rule simple[] = {
	{ "title", RULE_TEXT, FIELD(title) },
	{ "kind", RULE_CHOICE, FIELD(kind), .choices = "i2c, spi, serial, iio, hwmon or w1" },
	{ "driver", RULE_TEXT, FIELD(driver) },
	{ "overlay", RULE_TEXT, FIELD(overlay) },
	{ "datasheet", RULE_TEXT, FIELD(datasheet) },
	{ "period", RULE_SECONDS, FIELD(period_s), 1e-6, 3600 },
};

static const struct {
	const char *key;
	int (*take)(struct part *p, const char *s, struct why *why);
} special[] = {
	{ "address", key_address }, { "identify", key_identify }, { "start", key_start },
	{ "checksum", key_checksum }, { "spi_mode", key_spi_mode }, { "spi_bits", key_spi_bits },
	{ "spi_hz", key_spi_hz }, { "baud", key_baud }, { "length", key_length },
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static int unknown(const char *key, struct why *why)
{
	const char *names[COUNT(simple) + COUNT(special) + 1];
	const char *guess;
	unsigned n = 0;

	for (unsigned i = 0; i < COUNT(simple); i++)
		names[n++] = simple[i].key;
	for (unsigned i = 0; i < COUNT(special); i++)
		names[n++] = special[i].key;
	names[n] = NULL;
	guess = nearest(key, names);
	if (guess)
		return why_set(why, -ENOENT, "no key of a part; did you mean %s?", guess);
	return why_set(why, -ENOENT,
		       "no key of a part; besides single words there are init.N, read.N, "
		       "fault.N and channel.NAME");
}

int part_key(struct part *p, const char *key, const char *value, struct why *why)
{
	if (!strncmp(key, "channel.", 8))
		return part_channel_key(p, key + 8, value, why);
	if (!strncmp(key, "init.", 5) || !strncmp(key, "read.", 5) || !strncmp(key, "fault.", 6))
		return key_numbered(p, key, value, why);
	for (unsigned i = 0; i < COUNT(simple); i++)
		if (!strcmp(key, simple[i].key))
			return rule_apply(&simple[i], p, value, why) ? -EINVAL : 0;
	for (unsigned i = 0; i < COUNT(special); i++)
		if (!strcmp(key, special[i].key))
			return special[i].take(p, value, why);
	return unknown(key, why);
}
