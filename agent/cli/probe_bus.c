// SPDX-License-Identifier: MIT
/*
 * probe_bus: i2c-dev for the scan. The address is always claimed with I2C_SLAVE, which
 * refuses what a driver has; I2C_RDWR alone would not look (i2cdev_ioctl_rdwr).
 */
#include "agent/cli/probe_bus.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int claim(void *user, unsigned address)
{
	struct probe_bus *b = user;

	b->address = address;
	return ioctl(b->fd, I2C_SLAVE, (unsigned long)address) < 0 ? -errno : 0;
}

static int smbus(const struct probe_bus *b, uint8_t direction, uint8_t command, uint32_t size,
		 union i2c_smbus_data *data)
{
	struct i2c_smbus_ioctl_data a = {
		.read_write = direction, .command = command, .size = size, .data = data,
	};

	return ioctl(b->fd, I2C_SMBUS, &a) < 0 ? -errno : 0;
}

static int quick(void *user)
{
	return smbus(user, I2C_SMBUS_WRITE, 0, I2C_SMBUS_QUICK, NULL);
}

static int receive(void *user)
{
	union i2c_smbus_data data;

	return smbus(user, I2C_SMBUS_READ, 0, I2C_SMBUS_BYTE, &data);
}

static int smbus_exchange(const struct probe_bus *b, const struct part_step *s, uint8_t *in)
{
	union i2c_smbus_data data;
	int err;

	if (s->outs != 1 || s->wait_us || s->in < 1 || s->in > 2)
		return -EOPNOTSUPP;
	err = smbus(b, I2C_SMBUS_READ, s->out[0],
		    s->in == 1 ? I2C_SMBUS_BYTE_DATA : I2C_SMBUS_WORD_DATA, &data);
	if (err)
		return err;
	in[0] = s->in == 1 ? data.byte : (uint8_t)data.word;
	if (s->in == 2)
		in[1] = (uint8_t)(data.word >> 8);
	return 0;
}

static int rdwr(const struct probe_bus *b, struct i2c_msg *msg, unsigned n)
{
	struct i2c_rdwr_ioctl_data data = { .msgs = msg, .nmsgs = n };
	int done = ioctl(b->fd, I2C_RDWR, &data);

	/* i2c-virtio reports a NAK as fewer messages done. */
	return done < 0 ? -errno : (unsigned)done < n ? -EREMOTEIO : 0;
}

static int exchange(void *user, const struct part_step *s, uint8_t *in)
{
	const struct probe_bus *b = user;
	const struct timespec wait = { s->wait_us / 1000000, s->wait_us % 1000000 * 1000l };
	struct i2c_msg msg[2] = {
		{ .addr = (uint16_t)b->address, .len = s->outs, .buf = (uint8_t *)s->out },
		{ .addr = (uint16_t)b->address, .flags = I2C_M_RD, .len = s->in, .buf = in },
	};
	int err;

	if (b->smbus)
		return smbus_exchange(b, s, in);
	if (!s->wait_us)
		return rdwr(b, msg, 2);
	err = rdwr(b, msg, 1);
	if (err)
		return err;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
	return rdwr(b, msg + 1, 1);
}

static uint64_t now_ns(void *user)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int probe_bus_open(struct probe_bus *b, const char *path)
{
	unsigned long funcs;
	int err;

	*b = (struct probe_bus){ .fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) };
	if (b->fd < 0)
		return -errno;
	if (ioctl(b->fd, I2C_FUNCS, &funcs) < 0) {
		err = -errno;
		probe_bus_close(b);
		return err;
	}
	b->smbus = !(funcs & I2C_FUNC_I2C);
	b->ops = (struct part_bus){
		.claim = claim,
		.quick = funcs & I2C_FUNC_SMBUS_QUICK ? quick : NULL,
		.receive = funcs & I2C_FUNC_SMBUS_READ_BYTE ? receive : NULL,
		.exchange = exchange,
		.now_ns = now_ns,
	};
	return 0;
}

void probe_bus_close(struct probe_bus *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}
