// SPDX-License-Identifier: MIT
/*
 * i2c_io: the kernel as the i2c kind sees it: i2c-dev's ioctls, and sysfs to learn who owns
 * an address. I2C_SLAVE is always used, never I2C_SLAVE_FORCE: a kernel driver that is bound to
 * an address caches registers of its own, and two masters of one part spoil both.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/dev/i2c_impl.h"

static int io_open(const char *path)
{
	/* Without O_NONBLOCK: the drivers ignore it, but io_uring would then read inline. */
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void io_close(int fd)
{
	close(fd);
}

static int io_funcs(int fd, unsigned long *funcs)
{
	return ioctl(fd, I2C_FUNCS, funcs) < 0 ? -errno : 0;
}

static int io_slave(int fd, unsigned address)
{
	return ioctl(fd, I2C_SLAVE, (unsigned long)address) < 0 ? -errno : 0;
}

static int io_timeout(int fd, unsigned units_10ms)
{
	return ioctl(fd, I2C_TIMEOUT, (unsigned long)units_10ms) < 0 ? -errno : 0;
}

static int io_rdwr(int fd, struct i2c_msg *msg, unsigned n)
{
	struct i2c_rdwr_ioctl_data data = { .msgs = msg, .nmsgs = n };
	int done = ioctl(fd, I2C_RDWR, &data);

	return done < 0 ? -errno : done;
}

static int io_smbus(int fd, struct i2c_smbus_ioctl_data *data)
{
	return ioctl(fd, I2C_SMBUS, data) < 0 ? -errno : 0;
}

static void owner_kind(const char *device, struct i2c_owner *out)
{
	DIR *dir = opendir(device);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (!strcmp(e->d_name, "hwmon"))
			snprintf(out->kind, sizeof out->kind, "hwmon");
		else if (!strncmp(e->d_name, "iio:device", 10))
			snprintf(out->kind, sizeof out->kind, "iio");
	}
	if (dir)
		closedir(dir);
}

static bool io_owner(unsigned bus, unsigned address, struct i2c_owner *out)
{
	char device[64], link[80];

	memset(out, 0, sizeof *out);
	snprintf(device, sizeof device, "/sys/bus/i2c/devices/%u-%04x", bus, address);
	snprintf(link, sizeof link, "%s/driver", device);
	if (!part_dev_link_name(link, out->driver, sizeof out->driver))
		return false;
	owner_kind(device, out);
	return true;
}

static bool io_present(const char *path)
{
	return !access(path, F_OK);
}

static int io_watch(void)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	if (inotify_add_watch(fd, "/dev", IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR) >= 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

bool i2c_watch_gone(const uint8_t *events, unsigned n, unsigned bus)
{
	struct inotify_event e;
	char name[32];
	unsigned size = (unsigned)snprintf(name, sizeof name, "i2c-%u", bus) + 1;

	while (n >= sizeof e) {
		memcpy(&e, events, sizeof e);
		events += sizeof e;
		n -= (unsigned)sizeof e;
		/* Events were lost: look, which is what a device that has gone does. */
		if (e.mask & IN_Q_OVERFLOW)
			return true;
		if (e.len > n)
			return false;
		if (e.len >= size && !memcmp(events, name, size))
			return true;
		events += e.len;
		n -= e.len;
	}
	return false;
}

const struct i2c_io i2c_io_kernel = {
	.open = io_open,
	.close = io_close,
	.funcs = io_funcs,
	.slave = io_slave,
	.timeout = io_timeout,
	.rdwr = io_rdwr,
	.smbus = io_smbus,
	.owner = io_owner,
	.present = io_present,
	.watch = io_watch,
	.now_ns = part_dev_now_ns,
	.sleep_until = part_dev_sleep_until,
};
