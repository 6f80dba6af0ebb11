/* SPDX-License-Identifier: MIT */
/*
 * i2c_impl: what the files of the i2c kind share: the kernel behind a table, so that a
 * test can be the bus, and one exchange with a part. For i2c*.c and their tests alone.
 */
#ifndef SONDE_I2C_IMPL_H
#define SONDE_I2C_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/i2c-dev.h>
#include <linux/i2c.h>

#include "agent/dev/part_dev.h"

/* Who has an address, as sysfs tells it. */
struct i2c_owner {
	char driver[32];
	char kind[8];		/* "hwmon", "iio": how its values can be had; "": unknown */
};

/* All that is asked of the kernel. Errors are -errno. */
struct i2c_io {
	int (*open)(const char *path);
	void (*close)(int fd);
	int (*funcs)(int fd, unsigned long *funcs);
	int (*slave)(int fd, unsigned address);
	int (*timeout)(int fd, unsigned units_10ms);
	int (*rdwr)(int fd, struct i2c_msg *msg, unsigned n);	/* messages that were done */
	int (*smbus)(int fd, struct i2c_smbus_ioctl_data *data);
	bool (*owner)(unsigned bus, unsigned address, struct i2c_owner *out);
	bool (*present)(const char *path);
	int (*watch)(void);		/* of what leaves /dev; -errno: it can not be had */
	uint64_t (*now_ns)(void);
	void (*sleep_until)(uint64_t t_ns);
};

extern const struct i2c_io i2c_io_kernel;

#define I2C_WATCH_BYTES 1024	/* inotify(7): an event with the longest name takes 272 */

struct i2c {
	struct part_dev base;
	const struct i2c_io *io;
	char path[32];			/* /dev/i2c-N */
	unsigned bus, address;
	unsigned long funcs;
	int fd, index;			/* index: in the ring; -1 */
	int watch_fd, watch_index;	/* plain path: notices that the node has gone */
	uint64_t looked_ns;		/* when the node was last seen */
	uint8_t watch[I2C_WATCH_BYTES] __attribute__((aligned(8)));
};

/* As dev_i2c.create, on another bus than the kernel's. */
int i2c_create_on(const struct i2c_io *io, struct dev **out, const struct sensor_config *s,
		  unsigned first_channel, struct why *why);

/*
 * Worker: write out[outs], then read in[ins] behind a repeated start; either may be 0. 0 or
 * -errno with the reason in dev.why: -EREMOTEIO nobody answered, -EIO arbitration lost twice,
 * -ETIMEDOUT clock held too long or bus busy, -ENODEV the adapter has gone. Never -EAGAIN, -ENXIO.
 */
int i2c_exchange(struct i2c *d, const uint8_t *out, unsigned outs, uint8_t *in, unsigned ins);

/* What a transfer's -errno of the kernel means here, with the reason. Does not block. */
int i2c_meaning(struct i2c *d, int err);

/* -EOPNOTSUPP with the reason when this adapter can not do all of the part's exchanges. */
int i2c_can(struct i2c *d);

/* Did what came from the watch take the node "i2c-N" away? */
bool i2c_watch_gone(const uint8_t *events, unsigned n, unsigned bus);

#endif
