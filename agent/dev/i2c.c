// SPDX-License-Identifier: MIT
/*
 * i2c: a part of the sensor library on an I2C bus, through i2c-dev.
 *
 * There are two ways. A register map needs the repeated start of I2C_RDWR, which io_uring has no
 * operation for: the bus's worker does the exchanges (transfer). A part that is only read, or
 * told to measure and read later, needs no more than write() and read(), so the ring does it with
 * linked requests (start). Which of the two it is becomes known when the adapter is: one that
 * speaks SMBus only has neither write() nor read(), and under epoll a bus would hold up
 * everybody's helper. So open() and attach() choose the table in dev.ops.
 *
 * An open file keeps the adapter alive: i2c_del_adapter() waits for it for ever, while the
 * transfers of some adapters go on as if nothing had happened. Hence somebody has to
 * look whether /dev/i2c-N is still there: the worker once a second, the ring by inotify.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/config.h"
#include "agent/dev/i2c_impl.h"
#include "kernels/why.h"

#define LOOK_NS 1000000000u
#define OWN_READ 0		/* the token's own part: a reading, */
#define OWN_WATCH 1		/* what the watch has seen */

/*
 * The adapter's time-out is shared with all who use it, kernel drivers too: never so short
 * that SMBus's 35 ms of stretching would fail, nor longer than the usual second.
 */
#define TIMEOUT_MIN_10MS 5
#define TIMEOUT_10MS 10		/* where no deadline is configured */
#define TIMEOUT_MAX_10MS 100

static const struct dev_ops i2c_plain;

int i2c_create_on(const struct i2c_io *io, struct dev **out, const struct sensor_config *s,
		  unsigned first_channel, struct why *why)
{
	struct part_dev *base;
	struct i2c *d;
	char name[32] = "";
	unsigned bus;
	int err;

	*out = NULL;
	if (sscanf(s->bus, "i2c-%5u", &bus) == 1)
		snprintf(name, sizeof name, "i2c-%u", bus);
	if (!name[0] || strcmp(name, s->bus))
		return why_set(why, -EINVAL, "bus = %s: kind = i2c needs bus = i2c-N", s->bus);
	if (s->address < 0x03 || s->address > 0x77)
		return why_set(why, -EINVAL, "address = 0x%02x: 7-bit addresses are 0x03 to 0x77",
			       s->address);
	err = part_dev_create(&base, sizeof *d, &dev_i2c, s, first_channel, why);
	if (err)
		return err;
	d = (struct i2c *)base;
	snprintf(base->dev.bus, sizeof base->dev.bus, "%s", name);
	snprintf(d->path, sizeof d->path, "/dev/i2c-%u", bus);
	d->io = io;
	d->bus = bus;
	d->address = s->address;
	d->fd = d->index = d->watch_fd = d->watch_index = -1;
	*out = &base->dev;
	return 0;
}

static int i2c_create(struct dev **out, const struct sensor_config *s, unsigned first_channel,
		      struct why *why)
{
	return i2c_create_on(&i2c_io_kernel, out, s, first_channel, why);
}

static void i2c_shut(struct dev *dev)
{
	struct i2c *d = (struct i2c *)dev;

	if (d->fd >= 0)
		d->io->close(d->fd);
	if (d->watch_fd >= 0)
		d->io->close(d->watch_fd);
	d->fd = d->watch_fd = -1;
}

static void i2c_free(struct dev *dev)
{
	part_dev_free((struct part_dev *)dev);
}

/* 0; -EAGAIN: dev.again_ns has not come yet; or what i2c_exchange says. */
static int run_step(struct i2c *d, const struct part_step *s)
{
	struct part_dev *b = &d->base;
	uint8_t *in = b->in + s->at;
	int err;

	if (!s->wait_us)
		return i2c_exchange(d, s->out, s->outs, in, s->in);
	if (!b->waited) {
		err = i2c_exchange(d, s->out, s->outs, NULL, 0);
		if (err)
			return err;
		b->dev.again_ns = d->io->now_ns() + s->wait_us * (uint64_t)1000;
		b->waited = true;
		return -EAGAIN;
	}
	if (d->io->now_ns() < b->dev.again_ns)
		return -EAGAIN;
	b->waited = false;
	return i2c_exchange(d, NULL, 0, in, s->in);
}

/* Goes on where it was when it last said -EAGAIN; after an error it begins anew. */
static int run(struct i2c *d, const struct part_step *steps, unsigned n)
{
	struct part_dev *b = &d->base;
	int err = 0;

	while (!err && b->step < n) {
		err = run_step(d, &steps[b->step]);
		if (!err)
			b->step++;
	}
	if (err != -EAGAIN)
		b->step = 0;
	return err;
}

/* In open() nobody else has to be let through: it is done once. */
static int run_all(struct i2c *d, const struct part_step *steps, unsigned n)
{
	int err;

	while ((err = run(d, steps, n)) == -EAGAIN)
		d->io->sleep_until(d->base.dev.again_ns);
	return err;
}

/*
 * Is the part there, and is it this one? Of a part without a register that tells and without
 * set-up one reading is taken and thrown away: a bare address may not be probed, since parts
 * that are told to measure do not answer while they do.
 */
static int set_up(struct i2c *d)
{
	const struct part *p = &d->base.part;
	int err = 0;

	if (p->identify.outs) {
		err = run_all(d, &p->identify, 1);
		if (!err)
			err = part_dev_identify(p, d->base.in, &d->base.dev.why);
	}
	if (!err)
		err = run_all(d, p->init, p->inits);
	if (!err && !p->identify.outs && !p->inits)
		err = run_all(d, p->read, p->reads);
	/* Nobody at this address is what absent means. */
	return err == -EREMOTEIO ? -ENXIO : err;
}

static int taken(struct i2c *d)
{
	struct why *why = &d->base.dev.why;
	struct i2c_owner o;

	if (!d->io->owner(d->bus, d->address, &o))
		return why_set(why, -EBUSY, "i2c-%u: a kernel driver has 0x%02x: use kind = iio or "
			       "kind = hwmon", d->bus, d->address);
	if (!o.kind[0])
		return why_set(why, -EBUSY, "i2c-%u: the kernel driver %s has 0x%02x: use kind = "
			       "iio or kind = hwmon if it offers them, or unbind it", d->bus,
			       o.driver, d->address);
	return why_set(why, -EBUSY, "i2c-%u: the kernel driver %s has 0x%02x: use kind = %s",
		       d->bus, o.driver, d->address, o.kind);
}

/* An adapter that does not know this keeps its own time: nothing depends on it. */
static void set_timeout(struct i2c *d)
{
	double deadline_s = d->base.dev.config->deadline_s;
	double units = deadline_s > 0 ? ceil(deadline_s * 100) : TIMEOUT_10MS;

	if (units < TIMEOUT_MIN_10MS)
		units = TIMEOUT_MIN_10MS;
	if (units > TIMEOUT_MAX_10MS)
		units = TIMEOUT_MAX_10MS;
	d->io->timeout(d->fd, (unsigned)units);
}

static int claim(struct i2c *d)
{
	int err = d->io->funcs(d->fd, &d->funcs);

	if (err)
		return i2c_meaning(d, err);
	err = d->io->slave(d->fd, d->address);
	if (err)
		return err == -EBUSY ? taken(d) : i2c_meaning(d, err);
	err = i2c_can(d);
	if (!err)
		set_timeout(d);
	return err;
}

/* Is the whole reading one write() and one read(), or a read() alone? */
static bool is_plain(const struct i2c *d)
{
	const struct part *p = &d->base.part;

	return d->funcs & I2C_FUNC_I2C && p->reads == 1 && p->read[0].in &&
	       (p->read[0].outs ? p->read[0].wait_us > 0 : !p->read[0].wait_us);
}

static int i2c_open(struct dev *dev)
{
	struct i2c *d = (struct i2c *)dev;
	int err;

	i2c_shut(dev);
	part_dev_reset(&d->base);
	err = d->io->open(d->path);
	if (err < 0)
		return part_dev_no_file(dev, err, d->path, "i2c", "is the bus switched on (on a "
					"Raspberry Pi: dtparam=i2c_arm=on), and i2c-dev loaded?");
	d->fd = err;
	d->looked_ns = d->io->now_ns();
	err = claim(d);
	if (!err)
		err = set_up(d);
	if (err) {
		i2c_shut(dev);
		return err;
	}
	dev->ops = is_plain(d) ? &i2c_plain : &dev_i2c;
	if (dev->ops == &i2c_plain)
		d->watch_fd = d->io->watch();
	return 0;
}

static int i2c_transfer(struct dev *dev)
{
	struct i2c *d = (struct i2c *)dev;
	uint64_t now_ns = d->io->now_ns();
	int err;

	if (now_ns - d->looked_ns >= LOOK_NS) {
		d->looked_ns = now_ns;
		if (!d->io->present(d->path))
			return i2c_meaning(d, -ENODEV);
	}
	err = run(d, d->base.part.read, d->base.part.reads);
	return err ? err : (int)d->base.part.bytes;
}

static unsigned i2c_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
			     struct frame *f, uint64_t now_ns)
{
	if (e->kind != RING_POST)
		return 0;
	part_dev_settle((struct part_dev *)dev, e->res, f, now_ns);
	return 1;
}

static int i2c_attach(struct dev *dev, struct ring *r)
{
	return 0;
}

static int i2c_detach(struct dev *dev, struct ring *r)
{
	return 0;
}

const struct dev_ops dev_i2c = {
	.kind = "i2c",
	.create = i2c_create,
	.open = i2c_open,
	.attach = i2c_attach,
	.transfer = i2c_transfer,
	.complete = i2c_complete,
	.detach = i2c_detach,
	.shut = i2c_shut,
	.free = i2c_free,
};

/* ---- by the ring: the worker opens and shuts, and is not asked for readings */

static void watch_on(struct i2c *d, struct ring *r)
{
	ring_read(r, d->watch_index, d->watch, sizeof d->watch, DEV_TOKEN(&d->base.dev, OWN_WATCH));
}

static int plain_attach(struct dev *dev, struct ring *r)
{
	struct i2c *d = (struct i2c *)dev;

	if (ring_kind(r) == RING_EPOLL) {
		dev->ops = &dev_i2c;
		return 0;
	}
	d->index = ring_add(r, d->fd, true, &dev->why);
	if (d->index < 0)
		return d->index;
	/* Without it a removed adapter is noticed when its transfers fail: most do. */
	d->watch_index = d->watch_fd < 0 ? -1 : ring_add(r, d->watch_fd, false, NULL);
	if (d->watch_index >= 0)
		watch_on(d, r);
	return 0;
}

static int plain_detach(struct dev *dev, struct ring *r)
{
	struct i2c *d = (struct i2c *)dev;
	int watch = d->watch_index < 0 ? 0 : ring_remove(r, d->watch_index);
	int err = d->index < 0 ? 0 : ring_remove(r, d->index);

	if (!watch)
		d->watch_index = -1;
	if (!err)
		d->index = -1;
	return err ? err : watch;
}

static unsigned plain_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	struct i2c *d = (struct i2c *)dev;
	struct part_dev *b = &d->base;
	const struct part_step *s = &b->part.read[0];
	int err;

	/* -EBUSY: the last one has not come back. */
	if (d->index < 0)
		return 0;
	if (s->outs)
		err = ring_command(r, d->index, s->out, s->outs, s->wait_us * (uint64_t)1000, b->in,
				   s->in, DEV_TOKEN(dev, OWN_READ));
	else
		err = ring_read(r, d->index, b->in, s->in, DEV_TOKEN(dev, OWN_READ));
	return err ? 0 : 1;
}

static unsigned plain_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
			       struct frame *f, uint64_t now_ns)
{
	struct i2c *d = (struct i2c *)dev;
	int res = e->res;

	if (e->kind != RING_READ)
		return 0;
	if (DEV_TOKEN_OWN(e->token) == OWN_WATCH) {
		if (res > 0 && i2c_watch_gone(d->watch, (unsigned)res, d->bus)) {
			dev->error = i2c_meaning(d, -ENODEV);
			dev->gone = true;
		} else if (res > 0) {
			watch_on(d, r);
		}
		return 0;
	}
	/* i2c_master_recv() counts messages that were done as bytes: none of one is a NAK. */
	if (!res)
		res = -EREMOTEIO;
	part_dev_settle(&d->base, res < 0 ? i2c_meaning(d, res) : res, f, now_ns);
	return 1;
}

static const struct dev_ops i2c_plain = {
	.kind = "i2c",
	.create = i2c_create,
	.open = i2c_open,
	.attach = plain_attach,
	.start = plain_start,
	.complete = plain_complete,
	.detach = plain_detach,
	.shut = i2c_shut,
	.free = i2c_free,
};
