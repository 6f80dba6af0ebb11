/* SPDX-License-Identifier: MIT */
/*
 * dev_spi_fixture: an SPI bus that is a script. It keeps each message as text ("018000^019000":
 * ^ where the chip select goes up between two transfers) and answers with bytes that count up
 * over the whole of it.
 */
#ifndef SONDE_TEST_DEV_SPI_FIXTURE_H
#define SONDE_TEST_DEV_SPI_FIXTURE_H

#include "agent/dev/spi_impl.h"
#include "test/unit/dev_part_fixture.h"

#define LINES 32

static struct wire {
	uint64_t now_ns;
	int open_res, opens, closes, sleeps;
	uint32_t mode, hz, min_hz, max_hz;
	uint8_t bits;
	bool stubborn, has_owner;	/* stubborn: takes a mode and forgets it */
	int ioctl_res, res;		/* res: of messages; 0: all of it */
	unsigned bufsiz;
	char line[LINES][200];
	unsigned lines;
	uint8_t next;
} wire;

static inline int fake_open(const char *path)
{
	CHECK_STR(path, "/dev/spidev0.1");
	if (wire.open_res >= 0)
		wire.opens++;
	return wire.open_res;
}

static inline void fake_close(int fd)
{
	CHECK_EQ(fd, wire.open_res);
	wire.closes++;
}

static inline int fake_ioctl(int fd, unsigned long request, void *arg)
{
	CHECK_EQ(fd, wire.open_res);
	if (wire.ioctl_res)
		return wire.ioctl_res;
	switch (request) {
	case SPI_IOC_RD_MODE32:
		*(uint32_t *)arg = wire.mode;
		return 0;
	case SPI_IOC_WR_MODE32:
		if (!wire.stubborn)
			wire.mode = *(uint32_t *)arg;
		return 0;
	case SPI_IOC_RD_BITS_PER_WORD:
		*(uint8_t *)arg = wire.bits;
		return 0;
	case SPI_IOC_WR_BITS_PER_WORD:
		wire.bits = *(uint8_t *)arg == 8 ? 0 : *(uint8_t *)arg;
		return 0;
	case SPI_IOC_RD_MAX_SPEED_HZ:
		*(uint32_t *)arg = wire.hz;
		return 0;
	case SPI_IOC_WR_MAX_SPEED_HZ:
		wire.hz = *(uint32_t *)arg < wire.max_hz ? *(uint32_t *)arg : wire.max_hz;
		if (wire.hz < wire.min_hz)
			wire.hz = wire.min_hz;
		return 0;
	}
	CHECK(!"an ioctl of spidev");
	return -ENOTTY;
}

static inline int fake_message(int fd, struct spi_ioc_transfer *t, unsigned n)
{
	char *line = wire.line[wire.lines];
	size_t at = 0, room = sizeof wire.line[0];
	unsigned bytes = 0;

	CHECK_EQ(fd, wire.open_res);
	CHECK(wire.lines < LINES && n >= 1 && n <= PART_STEPS_MAX);
	wire.lines++;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *tx = (const uint8_t *)(uintptr_t)t[i].tx_buf;
		uint8_t *rx = (uint8_t *)(uintptr_t)t[i].rx_buf;

		CHECK(t[i].len >= 1 && t[i].len <= SPI_STEP_MAX);
		CHECK_EQ(t[i].speed_hz, wire.hz);
		CHECK_EQ(t[i].delay_usecs, 0);
		for (unsigned k = 0; k < t[i].len; k++)
			at += (size_t)snprintf(line + at, room - at, "%02x", tx[k]);
		at += (size_t)snprintf(line + at, room - at, "%s", t[i].cs_change ? "^" : "");
		for (unsigned k = 0; k < t[i].len && wire.res >= 0; k++)
			rx[k] = wire.next++;
		bytes += t[i].len;
	}
	return wire.res ? wire.res : (int)bytes;
}

static inline unsigned fake_bufsiz(void)
{
	return wire.bufsiz;
}

static inline bool fake_owner(unsigned b, unsigned chip, char *driver, size_t size)
{
	CHECK_EQ(b, 0);
	CHECK_EQ(chip, 1);
	snprintf(driver, size, "mcp320x");
	return wire.has_owner;
}

static inline uint64_t fake_now(void)
{
	return wire.now_ns;
}

static inline void fake_sleep(uint64_t t_ns)
{
	wire.sleeps++;
	wire.now_ns = t_ns;
}

static const struct spi_io fake_io = {
	.open = fake_open, .close = fake_close, .ioctl = fake_ioctl, .message = fake_message,
	.bufsiz = fake_bufsiz, .owner = fake_owner, .now_ns = fake_now, .sleep_until = fake_sleep,
};

static inline void wire_reset(void)
{
	memset(&wire, 0, sizeof wire);
	wire.now_ns = 1000000000;
	wire.open_res = 1000;
	wire.mode = SPI_CS_HIGH | SPI_MODE_3;
	wire.hz = 500000;
	wire.max_hz = 50000000;
	wire.bufsiz = 4096;
}

static inline struct dev *created(const struct sensor *s)
{
	struct why why = { "" };
	struct dev *d;
	int err = spi_create_on(&fake_io, &d, &s->config, 2, &why);

	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK_EQ(err, 0);
	return d;
}

static inline void closed(struct dev *d)
{
	d->ops->shut(d);
	d->ops->free(d);
	CHECK_EQ(wire.opens, wire.closes);
}

#endif
