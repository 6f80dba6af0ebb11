// SPDX-License-Identifier: MIT
/*
 * serial: a tty that brings lines of text, or, with a part, frames of fixed length. Which bytes
 * belong together is the business of serial_line.c and serial_frame.c; here they become values,
 * and what was lost on the way becomes faults.
 *
 * Nothing is ever sent. A field that is empty (a GPS without a fix) is a fault of its channel
 * alone; a line or frame with a wrong checksum is one of all its channels, and so is
 * garbage: of a wrong rate, mostly, and the keeper's setting it up anew mends that.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/dev/dev.h"
#include "agent/dev/part_dev.h"
#include "agent/dev/serial_frame.h"
#include "agent/dev/serial_line.h"
#include "agent/dev/serial_tty.h"
#include "kernels/why.h"

/*
 * What was begun is given up after so long a silence and so many ticks (this thread may have been
 * held meanwhile). A frame is sent at a stretch; who prints may measure between two words.
 */
#define FRAME_GAP_NS 250000000u
#define LINE_GAP_NS 2000000000u
#define GAP_TICKS 3

struct serial {
	struct part_dev base;		/* the frames' part; of lines only base.dev is in use */
	int fd, index;
	unsigned baud;
	unsigned quiet;			/* ticks since the last bytes */
	uint64_t last_ns;		/* of the last bytes */
	struct serial_frame frame;
	struct serial_line line;
	struct rate *rate;		/* lines: one a channel */
};

static int create_lines(struct serial **out, const struct sensor_config *s,
			unsigned first_channel, struct why *why)
{
	size_t memory = sizeof(struct serial) + s->channels * sizeof(struct rate);
	struct serial *d;

	if (!s->channels)
		return why_set(why, -EINVAL, "sensor %s: it has no channel", s->name);
	d = dev_alloc(memory);
	if (!d)
		return why_set(why, -ENOMEM, "no memory for sensor %s", s->name);
	d->base.size = memory;
	d->base.dev = (struct dev){
		.ops = &dev_serial, .config = s, .first_channel = first_channel,
		.channels = s->channels,
	};
	d->rate = (struct rate *)(d + 1);
	d->baud = s->baud;
	*out = d;
	return 0;
}

static int create_frames(struct serial **out, const struct sensor_config *s,
			 unsigned first_channel, struct why *why)
{
	struct part_dev *base;
	struct serial *d;
	int err = part_dev_create(&base, sizeof *d, &dev_serial, s, first_channel, why);

	if (err)
		return err;
	d = (struct serial *)base;
	d->baud = s->baud ? s->baud : s->part->baud;
	err = serial_frame_init(&d->frame, &d->base.part);
	if (!err && d->base.part.bytes == d->base.part.length) {
		*out = d;
		return 0;
	}
	part_dev_free(base);
	return why_set(why, -EINVAL, "part %s: its frames can not be told from other bytes",
		       s->part->name);
}

static int serial_create(struct dev **out, const struct sensor_config *s, unsigned first_channel,
			 struct why *why)
{
	struct serial *d = NULL;
	int err;

	*out = NULL;
	err = s->part ? create_frames(&d, s, first_channel, why)
		      : create_lines(&d, s, first_channel, why);
	if (err)
		return err;
	d->fd = d->index = -1;
	*out = &d->base.dev;
	return 0;
}

static void serial_shut(struct dev *dev)
{
	struct serial *d = (struct serial *)dev;

	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static void serial_free(struct dev *dev)
{
	part_dev_free((struct part_dev *)dev);
}

static int serial_open(struct dev *dev)
{
	struct serial *d = (struct serial *)dev;

	serial_shut(dev);
	d->fd = serial_tty_open(dev->config->path, d->baud, &dev->why);
	if (d->fd < 0) {
		int err = d->fd;

		d->fd = -1;
		return err;
	}
	if (dev->config->part)
		serial_frame_init(&d->frame, &d->base.part);
	serial_line_init(&d->line);
	for (unsigned i = 0; d->rate && i < dev->channels; i++)
		d->rate[i].primed = false;
	return 0;
}

static int serial_detach(struct dev *dev, struct ring *r)
{
	return dev_flow_detach(r, &((struct serial *)dev)->index);
}

static int serial_attach(struct dev *dev, struct ring *r)
{
	struct serial *d = (struct serial *)dev;

	return dev_flow_attach(dev, r, d->fd, &d->index);
}

/* Nothing is asked for: bytes come by themselves. */
static unsigned serial_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	return 0;
}

static void fail(struct dev *dev, struct frame *f, enum channel_fault fault, int err)
{
	dev->errors++;
	dev->error = err;
	for (unsigned i = 0; i < dev->channels; i++)
		frame_fail(f, dev->first_channel + i, CHANNEL_FAULTY, fault);
}

static void serial_tick(struct dev *dev, struct frame *f, uint64_t t_ns)
{
	struct serial *d = (struct serial *)dev;
	bool part = dev->config->part;
	bool any;

	d->quiet++;
	if (d->quiet < GAP_TICKS || t_ns < d->last_ns + (part ? FRAME_GAP_NS : LINE_GAP_NS))
		return;
	any = part ? serial_frame_gap(&d->frame) : serial_line_gap(&d->line);
	if (any)
		fail(dev, f, FAULT_SHORT, -ENODATA);
}

/* One field of a good line. */
static void put_field(struct serial *d, unsigned i, const char *field, unsigned len,
		      struct frame *f, uint64_t now_ns)
{
	const struct channel_config *c = &d->base.dev.config->channel[i];
	unsigned channel = d->base.dev.first_channel + i;
	double v;

	if (serial_number(field, len, &v)) {
		frame_fail(f, channel, CHANNEL_FAULTY, FAULT_FORMAT);
		return;
	}
	if (!c->counter)
		frame_put(f, channel, (float)((v + c->offset) * c->scale), now_ns);
	else if (decode_rate(&d->rate[i], v, now_ns, c->wrap, &v))
		frame_put(f, channel, (float)(v * c->scale), now_ns);
	else
		frame_probe(f, channel);
}

static void put_line(struct serial *d, const char *line, unsigned len, struct frame *f,
		     uint64_t now_ns)
{
	const struct sensor_config *s = d->base.dev.config;
	unsigned start = (unsigned)strlen(s->start), n;
	const char *field;

	d->base.dev.reads++;
	d->base.dev.bytes += len;
	d->base.dev.error = 0;
	for (unsigned i = 0; i < s->channels; i++) {
		if (!serial_field(line, len, s->channel[i].field, &field, &n)) {
			frame_fail(f, d->base.dev.first_channel + i, CHANNEL_FAULTY, FAULT_SHORT);
			continue;
		}
		/* "T23.4" with start = T: the number stands right behind it. */
		if (!s->channel[i].field && n >= start && !memcmp(field, s->start, start)) {
			field += start;
			n -= start;
		}
		put_field(d, i, field, n, f, now_ns);
	}
}

static void take_line(struct serial *d, struct frame *f, uint64_t now_ns)
{
	const struct sensor_config *s = d->base.dev.config;
	unsigned len = d->line.have, start = (unsigned)strlen(s->start);
	bool ours = len >= start && !memcmp(d->line.text, s->start, start);
	int sum = s->nmea ? serial_checksum(d->line.text, &len) : 1;

	if (ours && sum > 0)
		put_line(d, d->line.text, len, f, now_ns);
	else if (ours)
		fail(&d->base.dev, f, FAULT_CRC, -EBADMSG);
	else if (sum < 0)
		d->base.dev.errors++;	/* it may have been ours, or one of no interest */
}

static void take_lines(struct serial *d, const uint8_t *data, unsigned n, struct frame *f,
		       uint64_t now_ns)
{
	for (;;) {
		switch (serial_line_take(&d->line, &data, &n)) {
		case SERIAL_LINE_MORE:
			return;
		case SERIAL_LINE_WHOLE:
			take_line(d, f, now_ns);
			break;
		case SERIAL_LINE_LONG:
		case SERIAL_LINE_GARBAGE:
			fail(&d->base.dev, f, FAULT_FORMAT, -EPROTO);
		}
	}
}

static void take_frames(struct serial *d, const uint8_t *data, unsigned n, struct frame *f,
			uint64_t now_ns)
{
	for (;;) {
		switch (serial_frame_take(&d->frame, &data, &n)) {
		case SERIAL_FRAME_MORE:
			return;
		case SERIAL_FRAME_GOOD:
			memcpy(d->base.in, d->frame.buf, d->base.part.length);
			part_dev_settle(&d->base, (int)d->base.part.length, f, now_ns);
			break;
		case SERIAL_FRAME_SUM:
			fail(&d->base.dev, f, FAULT_CRC, -EBADMSG);
			break;
		case SERIAL_FRAME_GARBAGE:
			fail(&d->base.dev, f, FAULT_FORMAT, -EPROTO);
		}
	}
}

/* Bytes are missing: what was carried is not the beginning of what follows. */
static void lose(struct serial *d)
{
	serial_frame_gap(&d->frame);
	serial_line_init(&d->line);
}

static unsigned serial_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
				struct frame *f, uint64_t now_ns)
{
	struct serial *d = (struct serial *)dev;

	if (e->kind != RING_STREAM)
		return 0;
	dev->error = 0;
	if (e->res > 0) {
		d->quiet = 0;
		d->last_ns = now_ns;
		if (dev->config->part)
			take_frames(d, e->data, (unsigned)e->res, f, now_ns);
		else
			take_lines(d, e->data, (unsigned)e->res, f, now_ns);
	} else if (e->res != -ENOBUFS) {
		/* Without a buffer nothing was read: the kernel still has it. */
		lose(d);
		dev->errors++;
		dev->error = e->more ? -ENOBUFS : e->res ? e->res : -ENODEV;
	}
	if (e->more)
		return 0;
	/* Either the kernel stopped and the tty did not, or it was unplugged. */
	if ((e->res <= 0 && e->res != -ENOBUFS) || ring_stream(r, d->index, dev->token))
		dev->gone = true;
	return 0;
}

const struct dev_ops dev_serial = {
	.kind = "serial",
	.create = serial_create,
	.open = serial_open,
	.attach = serial_attach,
	.tick = serial_tick,
	.start = serial_start,
	.complete = serial_complete,
	.detach = serial_detach,
	.shut = serial_shut,
	.free = serial_free,
};
