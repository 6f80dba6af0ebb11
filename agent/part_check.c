// SPDX-License-Identifier: MIT
/*
 * part_check: do the lines of a part fit together? After it every offset that the decoder will
 * use lies inside the bytes that were read, so that decoding needs no checks of its own.
 */
#include <errno.h>
#include <string.h>

#include "agent/part_impl.h"
#include "kernels/why.h"

static bool is(const struct part *p, const char *kind)
{
	return !strcmp(p->kind, kind);
}

/* Read by the kernel, not by us. */
static bool has_driver(const struct part *p)
{
	return is(p, "iio") || is(p, "hwmon") || is(p, "w1");
}

static int check_keys(const struct part *p, struct why *why)
{
	bool frame = p->starts || p->length || p->baud || p->sum;
	bool spi = p->spi_hz || p->spi_mode;

	if (!*p->kind)
		return why_set(why, -EINVAL, "kind is missing: i2c, spi, serial, iio, hwmon or w1");
	if (frame && !is(p, "serial"))
		return why_set(why, -EINVAL,
			       "start, length, checksum and baud are for kind = serial, "
			       "not %s", p->kind);
	if (spi && !is(p, "spi"))
		return why_set(why, -EINVAL,
			       "spi_hz and spi_mode are for kind = spi, not %s", p->kind);
	if (p->addresses && (is(p, "spi") || is(p, "serial") || is(p, "w1")))
		return why_set(why, -EINVAL,
			       "address is for a part on I2C, not for kind = %s", p->kind);
	if (p->identify.outs && (is(p, "serial") || is(p, "w1")))
		return why_set(why, -EINVAL,
			       "identify is for a part with registers, not for kind = %s",
			       p->kind);
	if (is(p, "spi") && !p->spi_hz)
		return why_set(why, -EINVAL, "spi_hz is missing: what the part can bear");
	if ((is(p, "iio") || is(p, "hwmon")) && !*p->driver)
		return why_set(why, -EINVAL,
			       "driver is missing: what is the device of kind = %s called?",
			       p->kind);
	if ((p->inits || p->faults) && has_driver(p))
		return why_set(why, -EINVAL,
			       "init and fault are not for kind = %s: its driver does "
			       "that", p->kind);
	if (p->inits && is(p, "serial"))
		return why_set(why, -EINVAL, "init is not for kind = serial: nothing is sent");
	return 0;
}

static int check_serial(struct part *p, struct why *why)
{
	unsigned sum = p->sum == PART_SUM_16BE ? 2 : p->sum != PART_SUM_NONE;

	if (!p->starts || !p->length)
		return why_set(why, -EINVAL, "%s is missing: a frame needs start and length",
			       p->starts ? "length" : "start");
	if (p->starts + sum >= p->length)
		return why_set(why, -EINVAL,
			       "length = %u: nothing is left beside %u start bytes and "
			       "a checksum of %u", p->length, p->starts, sum);
	p->read[0] = (struct part_step){ .in = (uint8_t)p->length };
	p->reads = 1;
	return 0;
}

/* Of one full-duplex transfer the last bytes are kept. */
static int check_spi_step(const struct part_step *s, const char *what, struct why *why)
{
	if (s->outs && s->in > s->outs)
		return why_set(why, -EINVAL,
			       "%s: %u bytes are kept of a transfer of %u", what, s->in,
			       s->outs);
	return 0;
}

static int check_reads(struct part *p, struct why *why)
{
	char what[16];
	unsigned bytes = 0;

	if (!p->reads)
		return why_set(why, -EINVAL, "read.0 is missing: nothing is ever read");
	for (unsigned i = 0; i < p->reads; i++) {
		struct part_step *s = &p->read[i];

		snprintf(what, sizeof what, "read.%u", i);
		if (is(p, "spi") && check_spi_step(s, what, why))
			return -EINVAL;
		s->at = (uint16_t)bytes;
		bytes += s->in;
		if (bytes > PART_BYTES_MAX)
			return why_set(why, -EINVAL,
				       "read.%u: all reads together have more than %d "
				       "bytes", i, PART_BYTES_MAX);
	}
	if (is(p, "spi") && check_spi_step(&p->identify, "identify", why))
		return -EINVAL;
	p->bytes = bytes;
	return 0;
}

static int check_channels(const struct part *p, struct why *why)
{
	bool driver = has_driver(p);

	/* What a driver gives may depend on the chip it found: that is left to the user. */
	if (!p->channels && !driver)
		return why_set(why, -EINVAL, "channel.NAME is missing: there is nothing to show");
	for (unsigned i = 0; i < p->channels; i++) {
		const struct part_channel *c = &p->channel[i];
		unsigned end = c->at + c->scan.storage_bits / 8u + (c->crc != PART_CRC_NONE);

		if (!!*c->attribute != driver)
			return why_set(why, -EINVAL,
				       "channel.%s: kind = %s has %s", c->name, p->kind,
				       driver ? "ATTRIBUTE" : "READ @ AT TYPE");
		if (driver && c->crc)
			return why_set(why, -EINVAL, "channel.%s: a driver gives no CRC", c->name);
		if (driver)
			continue;
		if (c->read >= p->reads)
			return why_set(why, -EINVAL,
				       "channel.%s: there is no read.%u", c->name, c->read);
		if (end > p->read[c->read].in)
			return why_set(why, -EINVAL, "channel.%s: ends at byte %u, read.%u has %u",
				       c->name, end, c->read, p->read[c->read].in);
	}
	return 0;
}

static int check_faults(struct part *p, struct why *why)
{
	for (unsigned i = 0; i < p->faults; i++) {
		struct part_fault *f = &p->fault[i];

		if (f->read >= p->reads)
			return why_set(why, -EINVAL, "fault.%u: there is no read.%u", i, f->read);
		if (f->at >= p->read[f->read].in)
			return why_set(why, -EINVAL, "fault.%u: byte %u, read.%u has %u", i, f->at,
				       f->read, p->read[f->read].in);
		f->all = true;
		for (unsigned c = 0; c < p->channels; c++)
			f->all &= p->channel[c].read != f->read;
	}
	return 0;
}

int part_check(struct part *p, struct why *why)
{
	if (check_keys(p, why))
		return -EINVAL;
	if (has_driver(p)) {
		if (p->reads)
			return why_set(why, -EINVAL,
				       "read is not for kind = %s: its driver does that",
				       p->kind);
		return check_channels(p, why);
	}
	if (is(p, "serial") && (p->reads > 1 || (p->reads && p->read[0].outs)))
		return why_set(why, -EINVAL, "read is not for kind = serial: read 0 is the frame");
	if (is(p, "serial") && check_serial(p, why))
		return -EINVAL;
	if (check_reads(p, why) || check_channels(p, why))
		return -EINVAL;
	return check_faults(p, why);
}
