// SPDX-License-Identifier: MIT
/*
 * spi: a part of the sensor library on an SPI bus, through spidev.
 *
 * Exchanges are full duplex, by ioctl on the worker of the controller, whose chip selects take
 * turns anyway. A part that only talks (a thermocouple converter) needs nothing but read(), so
 * the ring reads it: spidev then sends zeros. Mode, word and clock are set at each
 * open, since they are the chip select's and outlast whoever set them last.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/config.h"
#include "agent/dev/spi_impl.h"
#include "kernels/why.h"

static const struct dev_ops spi_plain;

static bool is_plain(const struct part *p)
{
	const struct part_step *s = &p->read[0];

	if (p->reads != 1 || !s->in || s->wait_us || (s->outs && s->outs != s->in))
		return false;
	for (unsigned i = 0; i < s->outs; i++)
		if (s->out[i])
			return false;
	return true;
}

int spi_create_on(const struct spi_io *io, struct dev **out, const struct sensor_config *s,
		  unsigned first_channel, struct why *why)
{
	struct part_dev *base;
	struct spi *d;
	char name[32] = "";
	unsigned bus, chip;
	int err;

	*out = NULL;
	if (sscanf(s->bus, "spi%5u.%5u", &bus, &chip) == 2)
		snprintf(name, sizeof name, "spi%u.%u", bus, chip);
	if (!name[0] || strcmp(name, s->bus))
		return why_set(why, -EINVAL, "bus = %s: kind = spi needs bus = spiBUS.CHIP, spi0.0",
			       s->bus);
	err = part_dev_create(&base, sizeof *d, &dev_spi, s, first_channel, why);
	if (err)
		return err;
	d = (struct spi *)base;
	if (is_plain(&base->part))
		base->dev.ops = &spi_plain;
	snprintf(base->dev.bus, sizeof base->dev.bus, "spi%u", bus);
	snprintf(d->path, sizeof d->path, "/dev/spidev%u.%u", bus, chip);
	d->io = io;
	d->bus = bus;
	d->chip = chip;
	d->fd = d->index = -1;
	*out = &base->dev;
	return 0;
}

static int spi_create(struct dev **out, const struct sensor_config *s, unsigned first_channel,
		      struct why *why)
{
	return spi_create_on(&spi_io_kernel, out, s, first_channel, why);
}

static void spi_shut(struct dev *dev)
{
	struct spi *d = (struct spi *)dev;

	if (d->fd >= 0)
		d->io->close(d->fd);
	d->fd = -1;
}

static void spi_free(struct dev *dev)
{
	part_dev_free((struct part_dev *)dev);
}

/* As many steps as can go without a wait. -EAGAIN: dev.again_ns has not come yet. */
static int run(struct spi *d, const struct part_step *steps, unsigned n)
{
	struct part_dev *b = &d->base;
	unsigned done;
	int err;

	while (b->waited || b->step < n) {
		if (b->waited && d->io->now_ns() < b->dev.again_ns)
			return -EAGAIN;
		b->waited = false;
		if (b->step == n)
			break;
		err = spi_exchange(d, steps + b->step, n - b->step, &done);
		if (err) {
			b->step = 0;
			return err;
		}
		b->step += done;
		if (steps[b->step - 1].wait_us) {
			b->dev.again_ns = d->io->now_ns() +
					  steps[b->step - 1].wait_us * (uint64_t)1000;
			b->waited = true;
		}
	}
	b->step = 0;
	return 0;
}

static int run_all(struct spi *d, const struct part_step *steps, unsigned n)
{
	int err;

	while ((err = run(d, steps, n)) == -EAGAIN)
		d->io->sleep_until(d->base.dev.again_ns);
	return err;
}

static int no_node(struct spi *d, int err)
{
	struct dev *dev = &d->base.dev;
	char driver[32];

	if (err == -ENOENT && d->io->owner(d->bus, d->chip, driver, sizeof driver))
		return why_set(&dev->why, -EBUSY, "spi%u.%u: the kernel driver %s has it: use "
			       "kind = iio or kind = hwmon", d->bus, d->chip, driver);
	return part_dev_no_file(dev, err, d->path, "spi", "is the bus switched on (on a Raspberry "
				"Pi: dtparam=spi=on), and has the device tree a spidev on it?");
}

static int spi_open(struct dev *dev)
{
	struct spi *d = (struct spi *)dev;
	const struct part *p = &d->base.part;
	int err;

	spi_shut(dev);
	part_dev_reset(&d->base);
	err = d->io->open(d->path);
	if (err < 0)
		return no_node(d, err);
	d->fd = err;
	d->bufsiz = d->io->bufsiz();
	err = spi_configure(d);
	if (!err && p->identify.outs) {
		err = run_all(d, &p->identify, 1);
		if (!err)
			err = part_dev_identify(p, d->base.in, &dev->why);
	}
	if (!err)
		err = run_all(d, p->init, p->inits);
	if (err)
		spi_shut(dev);
	return err;
}

static int spi_transfer(struct dev *dev)
{
	struct spi *d = (struct spi *)dev;
	int err = run(d, d->base.part.read, d->base.part.reads);

	return err ? err : (int)d->base.part.bytes;
}

static unsigned spi_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
			     struct frame *f, uint64_t now_ns)
{
	if (e->kind != RING_POST)
		return 0;
	part_dev_settle((struct part_dev *)dev, e->res, f, now_ns);
	return 1;
}

static int spi_attach(struct dev *dev, struct ring *r)
{
	return 0;
}

static int spi_detach(struct dev *dev, struct ring *r)
{
	return 0;
}

const struct dev_ops dev_spi = {
	.kind = "spi",
	.create = spi_create,
	.open = spi_open,
	.attach = spi_attach,
	.transfer = spi_transfer,
	.complete = spi_complete,
	.detach = spi_detach,
	.shut = spi_shut,
	.free = spi_free,
};

/* ---- by the ring: the worker opens and shuts, and is not asked for readings */

static int plain_attach(struct dev *dev, struct ring *r)
{
	struct spi *d = (struct spi *)dev;

	d->index = ring_add(r, d->fd, true, &dev->why);
	return d->index < 0 ? d->index : 0;
}

static int plain_detach(struct dev *dev, struct ring *r)
{
	struct spi *d = (struct spi *)dev;
	int err = d->index < 0 ? 0 : ring_remove(r, d->index);

	if (!err)
		d->index = -1;
	return err;
}

static unsigned plain_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	struct spi *d = (struct spi *)dev;

	/* -EBUSY: the last one has not come back. */
	if (d->index < 0 || ring_read(r, d->index, d->base.in, d->base.part.bytes, dev->token))
		return 0;
	return 1;
}

static unsigned plain_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
			       struct frame *f, uint64_t now_ns)
{
	struct spi *d = (struct spi *)dev;

	if (e->kind != RING_READ)
		return 0;
	if (e->res < 0)
		why_set(&dev->why, 0, "spi%u.%u: %s", d->bus, d->chip,
			e->res == -ESHUTDOWN ? "it has gone" : strerror(-e->res));
	part_dev_settle(&d->base, e->res, f, now_ns);
	return 1;
}

static const struct dev_ops spi_plain = {
	.kind = "spi",
	.create = spi_create,
	.open = spi_open,
	.attach = plain_attach,
	.start = plain_start,
	.complete = plain_complete,
	.detach = plain_detach,
	.shut = spi_shut,
	.free = spi_free,
};
