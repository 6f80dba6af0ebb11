/* SPDX-License-Identifier: MIT */
/*
 * spi_impl: the kernel behind a table, so that a test can be the bus. For spi*.c and
 * their tests alone.
 */
#ifndef SONDE_SPI_IMPL_H
#define SONDE_SPI_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/spi/spidev.h>

#include "agent/dev/part_dev.h"

/* All that is asked of the kernel. Errors are -errno. */
struct spi_io {
	int (*open)(const char *path);
	void (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg);	/* spidev's, but for messages */
	int (*message)(int fd, struct spi_ioc_transfer *t, unsigned n);	/* bytes */
	unsigned (*bufsiz)(void);	/* the most that a message may have one way */
	bool (*owner)(unsigned bus, unsigned chip, char *driver, size_t size);
	uint64_t (*now_ns)(void);
	void (*sleep_until)(uint64_t t_ns);
};

extern const struct spi_io spi_io_kernel;

/* What one step puts on the bus: it writes as many bytes as it reads. */
#define SPI_STEP_MAX (PART_OUT_MAX > PART_IN_MAX ? PART_OUT_MAX : PART_IN_MAX)

struct spi {
	struct part_dev base;
	const struct spi_io *io;
	char path[32];			/* /dev/spidevB.C */
	unsigned bus, chip, bufsiz;
	uint32_t hz;			/* as it was asked for; 0: the kernel's */
	int fd, index;			/* index: in the ring; -1 */
	struct spi_ioc_transfer transfer[PART_STEPS_MAX];
	uint8_t out[PART_STEPS_MAX][SPI_STEP_MAX], in[PART_STEPS_MAX][SPI_STEP_MAX];
};

/* As dev_spi.create, on another bus than the kernel's. */
int spi_create_on(const struct spi_io *io, struct dev **out, const struct sensor_config *s,
		  unsigned first_channel, struct why *why);

/*
 * Worker: the next steps up to one that is followed by a wait, in one message; *n gets how many.
 * Their input lies in base.in. 0 or -errno with the reason in dev.why.
 */
int spi_exchange(struct spi *d, const struct part_step *steps, unsigned steps_n, unsigned *n);

/* Worker: mode, word and clock, set and read back. -EINVAL when the controller has others. */
int spi_configure(struct spi *d);

#endif
