// SPDX-License-Identifier: MIT
/*
 * fake_bus: an I2C adapter as i2c-dev shows it, made with CUSE: I2C_SLAVE, I2C_FUNCS, I2C_RDWR,
 * read and write. The messages of I2C_RDWR lie behind pointers, so its ioctl is an
 * unrestricted one that is asked for again with what it needs to see (FUSE_IOCTL_RETRY).
 *
 * On it: a tmp105 at 0x48 and at 0x4b (pointer, then 16 bits) and an SHT3x at 0x44 (a command; then
 * two words, a CRC after each). One thread and no locks: requests come one by one, and
 * those that hang lie in held[] while others are served.
 */
#define FUSE_USE_VERSION 317
#include <cuse_lowlevel.h>
#include <errno.h>
#include <fuse_opt.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/vm/fake.h"

#define MESSAGES_MAX 8
#define MESSAGE_MAX 64
#define HELD_MAX 64

static const char *bus_name;
static fuse_req_t held[HELD_MAX];
static unsigned helds;
static uint8_t pointer;		/* of the tmp105s: each reading sets it anew */
static unsigned noise = 1;

static bool is_tmp105(unsigned address)
{
	return address == 0x48 || address == 0x4b;
}

static uint8_t crc_sht(const uint8_t *p, unsigned n)
{
	uint8_t crc = 0xff;
	int bit;

	while (n--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 0x80 ? crc << 1 ^ 0x31 : crc << 1;
	}
	return crc;
}

/* A slow walk around 25 degrees, so that it is not taken for a stuck sensor. */
static int walk(void)
{
	static int at;

	noise = noise * 1103515245u + 12345u;
	at += (int)(noise >> 16) % 3 - 1;
	at = at > 8 ? 8 : at < -8 ? -8 : at;
	return at;
}

static void fill(unsigned address, uint8_t *p, unsigned n, enum fake_mode mode)
{
	uint8_t all[MESSAGE_MAX] = { 0 };
	int moved = mode == FAKE_STUCK ? 0 : walk();
	unsigned i;

	if (is_tmp105(address)) {
		uint16_t raw = pointer == 0 ? (uint16_t)(25 * 256 + moved * 16) : 0x60a0;

		all[0] = raw >> 8;
		all[1] = raw & 0xff;
	} else {
		uint16_t t = (uint16_t)(26214 + moved * 8), h = (uint16_t)(32768 + moved * 8);

		all[0] = t >> 8, all[1] = t & 0xff, all[2] = crc_sht(all, 2);
		all[3] = h >> 8, all[4] = h & 0xff, all[5] = crc_sht(all + 3, 2);
	}
	for (i = 0; mode == FAKE_GARBAGE && i < n; i++) {
		noise = noise * 1103515245u + 12345u;
		all[i] = noise >> 16 & 0xff;
	}
	memcpy(p, all, n);
}

/* 0: go on. Otherwise the request is answered, or lies in held[]. */
static int misbehave(fuse_req_t req, enum fake_mode mode, unsigned address)
{
	switch (mode) {
	case FAKE_NAK:
		return fuse_reply_err(req, EREMOTEIO), 1;
	case FAKE_TIMEOUT:
		usleep(106000);
		return fuse_reply_err(req, ETIMEDOUT), 1;
	case FAKE_SLOW:
		usleep(2500000);
		break;
	case FAKE_GONE:
		return fuse_reply_err(req, ENODEV), 1;
	case FAKE_HANG:
		if (helds == HELD_MAX)
			return fuse_reply_err(req, EBUSY), 1;
		held[helds++] = req;
		return 1;
	default:
		break;
	}
	if (!is_tmp105(address) && address != 0x44)
		return fuse_reply_err(req, EREMOTEIO), 1;
	return 0;
}

static void bus_open(fuse_req_t req, struct fuse_file_info *fi)
{
	unsigned *address = calloc(1, sizeof(*address));	/* as I2C_SLAVE will set it */

	if (!address) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	fi->fh = (uintptr_t)address;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	fuse_reply_open(req, fi);
}

static unsigned *address_of(const struct fuse_file_info *fi)
{
	return (unsigned *)(uintptr_t)fi->fh;
}

static void bus_release(fuse_req_t req, struct fuse_file_info *fi)
{
	free(address_of(fi));
	fuse_reply_err(req, 0);
}

static void bus_read(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi)
{
	enum fake_mode mode = fake_mode(bus_name);
	uint8_t p[MESSAGE_MAX];

	(void)off;
	if (misbehave(req, mode, *address_of(fi)))
		return;
	size = size > sizeof(p) ? sizeof(p) : size;
	fill(*address_of(fi), p, (unsigned)size, mode);
	fuse_reply_buf(req, (const char *)p, mode == FAKE_SHORT ? 1 : size);
}

static void bus_write(fuse_req_t req, const char *buf, size_t size, off_t off,
		      struct fuse_file_info *fi)
{
	enum fake_mode mode = fake_mode(bus_name);

	(void)off;
	if (misbehave(req, mode == FAKE_DEAF ? FAKE_HANG : mode, *address_of(fi)))
		return;
	if (is_tmp105(*address_of(fi)) && size)
		pointer = (uint8_t)buf[0];
	fuse_reply_write(req, size);
}

/* The messages in in[]: struct, messages, then the bytes of those that write, in order. */
static void run_messages(fuse_req_t req, const struct i2c_msg *msg, unsigned n, const uint8_t *bytes)
{
	enum fake_mode mode = fake_mode(bus_name);
	uint8_t out[MESSAGES_MAX * MESSAGE_MAX];
	unsigned outs = 0, i;

	if (misbehave(req, mode, n ? msg[0].addr : 0))
		return;
	for (i = 0; i < n; i++) {
		if (msg[i].flags & I2C_M_RD) {
			fill(msg[i].addr, out + outs, msg[i].len, mode);
			outs += msg[i].len;
		} else {
			if (is_tmp105(msg[i].addr) && msg[i].len)
				pointer = bytes[0];
			bytes += msg[i].len;
		}
	}
	/* A transfer cut short says how many messages went out: as virtio-i2c does it, none. */
	fuse_reply_ioctl(req, mode == FAKE_SHORT ? 0 : (int)n, out, outs);
}

static void bus_rdwr(fuse_req_t req, void *arg, const uint8_t *in, size_t ins, size_t outs)
{
	struct iovec want[2 + MESSAGES_MAX], give[MESSAGES_MAX];
	const struct i2c_rdwr_ioctl_data *d = (const void *)in;
	const struct i2c_msg *msg = (const void *)(in + sizeof(*d));
	size_t reads = 0, writes = 0, messages;
	unsigned wants = 2, gives = 0, i;

	want[0] = (struct iovec){ arg, sizeof(*d) };
	if (ins < sizeof(*d)) {
		fuse_reply_ioctl_retry(req, want, 1, NULL, 0);
		return;
	}
	if (d->nmsgs < 1 || d->nmsgs > MESSAGES_MAX) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	messages = d->nmsgs * sizeof(*msg);
	want[1] = (struct iovec){ d->msgs, messages };
	if (ins < sizeof(*d) + messages) {
		fuse_reply_ioctl_retry(req, want, 2, NULL, 0);
		return;
	}
	for (i = 0; i < d->nmsgs; i++) {
		struct iovec v = { msg[i].buf, msg[i].len };

		if (msg[i].len > MESSAGE_MAX) {
			fuse_reply_err(req, EINVAL);
			return;
		}
		if (msg[i].flags & I2C_M_RD)
			give[gives++] = v, reads += v.iov_len;
		else if (v.iov_len)
			want[wants++] = v, writes += v.iov_len;
	}
	if (ins < sizeof(*d) + messages + writes || outs < reads)
		fuse_reply_ioctl_retry(req, want, wants, give, gives);
	else
		run_messages(req, msg, d->nmsgs, in + sizeof(*d) + messages);
}

static void bus_ioctl(fuse_req_t req, int cmd, void *arg, struct fuse_file_info *fi, unsigned flags,
		      const void *in, size_t ins, size_t outs)
{
	static const unsigned long functions = I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
	struct iovec v = { arg, sizeof(functions) };

	(void)flags;
	switch ((unsigned)cmd) {
	case I2C_SLAVE:
	case I2C_SLAVE_FORCE:
		*address_of(fi) = (unsigned)(uintptr_t)arg;
		fuse_reply_ioctl(req, 0, NULL, 0);
		break;
	case I2C_TIMEOUT:
	case I2C_RETRIES:
		fuse_reply_ioctl(req, 0, NULL, 0);
		break;
	case I2C_FUNCS:
		if (outs < sizeof(functions))
			fuse_reply_ioctl_retry(req, NULL, 0, &v, 1);
		else
			fuse_reply_ioctl(req, 0, &functions, sizeof(functions));
		break;
	case I2C_RDWR:
		bus_rdwr(req, arg, in, ins, outs);
		break;
	default:
		fuse_reply_err(req, ENOTTY);
	}
}

static void bus_poll(fuse_req_t req, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
	(void)fi;
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, fake_mode(bus_name) == FAKE_DEAF ? 0 : POLLIN | POLLOUT);
}

static const struct cuse_lowlevel_ops bus_ops = {
	.open = bus_open, .release = bus_release, .read = bus_read, .write = bus_write,
	.ioctl = bus_ioctl, .poll = bus_poll,
};

int fake_bus(const char *name)
{
	char device[64], *argv[] = { "fake", "-f", NULL };
	const char *info[] = { device };
	struct cuse_info ci = { .dev_info_argc = 1, .dev_info_argv = info,
				.flags = CUSE_UNRESTRICTED_IOCTL };
	struct fuse_buf buf = { .mem = NULL };
	struct fuse_session *se;
	struct pollfd p;
	int threads;

	bus_name = name;
	snprintf(device, sizeof(device), "DEVNAME=%s", name);
	se = cuse_lowlevel_setup(2, argv, &ci, &bus_ops, &threads, NULL);
	if (!se) {
		fprintf(stderr, "fake: no CUSE device %s\n", name);
		return 1;
	}
	p = (struct pollfd){ .fd = fuse_session_fd(se), .events = POLLIN };
	while (!fuse_session_exited(se)) {
		enum fake_mode mode;

		if (poll(&p, 1, 250) > 0) {
			int n = fuse_session_receive_buf(se, &buf);

			if (n == -EINTR)
				continue;
			if (n <= 0)
				break;
			fuse_session_process_buf(se, &buf);
		}
		mode = fake_mode(name);
		if (mode != FAKE_HANG && mode != FAKE_DEAF)
			while (helds)
				fuse_reply_err(held[--helds], EIO);
	}
	free(buf.mem);
	cuse_lowlevel_teardown(se);
	return 0;
}
