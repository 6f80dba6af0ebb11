// SPDX-License-Identifier: MIT
/*
 * spi_io: the kernel as the spi kind sees it: spidev's ioctls, its buffer size, and
 * sysfs to learn which driver has a chip select that spidev has not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/dev/spi_impl.h"

#define BUFSIZ_DEFAULT 4096	/* drivers/spi/spidev.c */

static int io_open(const char *path)
{
	/* Without O_NONBLOCK: spidev ignores it, but io_uring would then read inline. */
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void io_close(int fd)
{
	close(fd);
}

static int io_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static int io_message(int fd, struct spi_ioc_transfer *t, unsigned n)
{
	int done = ioctl(fd, SPI_IOC_MESSAGE(n), t);

	return done < 0 ? -errno : done;
}

static unsigned io_bufsiz(void)
{
	FILE *f = fopen("/sys/module/spidev/parameters/bufsiz", "re");
	unsigned n = BUFSIZ_DEFAULT;

	if (f) {
		if (fscanf(f, "%9u", &n) != 1)
			n = BUFSIZ_DEFAULT;
		fclose(f);
	}
	return n;
}

static bool io_owner(unsigned bus, unsigned chip, char *driver, size_t size)
{
	char link[64];

	snprintf(link, sizeof link, "/sys/bus/spi/devices/spi%u.%u/driver", bus, chip);
	return part_dev_link_name(link, driver, size);
}

const struct spi_io spi_io_kernel = {
	.open = io_open,
	.close = io_close,
	.ioctl = io_ioctl,
	.message = io_message,
	.bufsiz = io_bufsiz,
	.owner = io_owner,
	.now_ns = part_dev_now_ns,
	.sleep_until = part_dev_sleep_until,
};
