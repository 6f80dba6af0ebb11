// SPDX-License-Identifier: MIT
/*
 * spi_exchange: steps of a part as one full-duplex message. Each step is a transfer of its
 * own, and the chip select goes up between two (cs_change): a part takes that as the end of one
 * command. What it sends while it is being written to is thrown away, the last bytes are kept.
 *
 * SPI has no acknowledge: a part that is not there reads as zeros or ones, and only its
 * identity, its fault bits and the range of its values can tell.
 */
#include <errno.h>
#include <string.h>

#include "agent/config.h"
#include "agent/dev/spi_impl.h"
#include "kernels/why.h"

#define ALIGN_MAX 128		/* spidev_message(): each transfer begins at ARCH_DMA_MINALIGN */
#define MODE_BITS (SPI_CPHA | SPI_CPOL)

static unsigned length(const struct part_step *s)
{
	return s->outs > s->in ? s->outs : s->in;
}

static void put_step(struct spi *d, unsigned i, const struct part_step *s)
{
	struct spi_ioc_transfer *t = &d->transfer[i];
	unsigned n = length(s);

	memset(d->out[i], 0, n);
	memcpy(d->out[i], s->out, s->outs);
	memset(t, 0, sizeof *t);
	t->tx_buf = (uintptr_t)d->out[i];
	t->rx_buf = (uintptr_t)d->in[i];
	t->len = n;
	t->speed_hz = d->hz;
	t->bits_per_word = d->base.part.spi_bits;
	t->cs_change = 1;
}

int spi_exchange(struct spi *d, const struct part_step *steps, unsigned steps_n, unsigned *n)
{
	struct why *why = &d->base.dev.why;
	unsigned bytes = 0, room = d->bufsiz;
	int done;

	*n = 0;
	while (*n < steps_n && *n < PART_STEPS_MAX) {
		const struct part_step *s = &steps[*n];
		unsigned space = (length(s) + ALIGN_MAX - 1) / ALIGN_MAX * ALIGN_MAX;

		/* One that alone may not fit goes alone: without the alignment it may. */
		if (*n && space > room)
			break;
		room = space > room ? 0 : room - space;
		bytes += length(s);
		put_step(d, (*n)++, s);
		if (s->wait_us)
			break;
	}
	/* In the last transfer it would mean the contrary: stay selected after the message. */
	d->transfer[*n - 1].cs_change = 0;
	done = d->io->message(d->fd, d->transfer, *n);
	if (done < 0)
		return why_set(why, done == -ESHUTDOWN ? -ENODEV : done, "spi%u.%u: %s", d->bus,
			       d->chip, done == -ESHUTDOWN ? "it has gone" : strerror(-done));
	if ((unsigned)done < bytes)
		return why_set(why, -ENODATA, "spi%u.%u: %d of %u bytes were transferred", d->bus,
			       d->chip, done, bytes);
	for (unsigned i = 0; i < *n; i++)
		memcpy(d->base.in + steps[i].at, d->in[i] + length(&steps[i]) - steps[i].in,
		       steps[i].in);
	return 0;
}

static int set(struct spi *d, unsigned long write, unsigned long read, void *value,
	       const char *what)
{
	int err = d->io->ioctl(d->fd, write, value);

	if (!err)
		err = d->io->ioctl(d->fd, read, value);
	return err ? why_set(&d->base.dev.why, err, "%s: the controller does not take the %s: %s",
			     d->path, what, strerror(-err)) : 0;
}

int spi_configure(struct spi *d)
{
	const struct part *p = &d->base.part;
	struct why *why = &d->base.dev.why;
	uint32_t before, mode, hz;
	uint8_t bits = p->spi_bits ? p->spi_bits : 8;
	int err;

	/* What the device tree says of the wiring (an active-high select) stays as it is. */
	err = d->io->ioctl(d->fd, SPI_IOC_RD_MODE32, &before);
	if (err)
		return why_set(why, err, "%s: %s", d->path, strerror(-err));
	mode = (before & ~(uint32_t)MODE_BITS) | (p->spi_mode & MODE_BITS);
	err = set(d, SPI_IOC_WR_MODE32, SPI_IOC_RD_MODE32, &mode, "mode");
	if (err)
		return err;
	if ((mode & MODE_BITS) != (p->spi_mode & MODE_BITS))
		return why_set(why, -EINVAL, "%s: mode %u was asked for, it stays at %u", d->path,
			       p->spi_mode, (unsigned)(mode & MODE_BITS));
	err = set(d, SPI_IOC_WR_BITS_PER_WORD, SPI_IOC_RD_BITS_PER_WORD, &bits, "word length");
	if (err)
		return err;
	/* 0 is how the kernel says 8. */
	if ((bits ? bits : 8) != (p->spi_bits ? p->spi_bits : 8))
		return why_set(why, -EINVAL, "%s: words of %u bits were asked for, they stay at %u",
			       d->path, p->spi_bits, bits);
	d->hz = d->base.dev.config->spi_hz ? d->base.dev.config->spi_hz : p->spi_hz;
	if (!d->hz)
		return 0;
	hz = d->hz;
	err = set(d, SPI_IOC_WR_MAX_SPEED_HZ, SPI_IOC_RD_MAX_SPEED_HZ, &hz, "clock");
	if (err)
		return err;
	if (hz > d->hz)
		return why_set(why, -EINVAL, "%s: a clock of %u Hz was asked for, it stays at %u",
			       d->path, d->hz, hz);
	return 0;
}
