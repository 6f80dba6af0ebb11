/* SPDX-License-Identifier: MIT */
/*
 * dev_i2c_fixture: an I2C bus that is a script. It keeps what was put on the wire as text
 * ("48 W0f R2"; messages behind a repeated start are in one line), answers with
 * counted-up bytes or with what the test lays down, and fails when told to. It ends the test when
 * a transfer is none that i2c-bcm2835 takes.
 */
#ifndef SONDE_TEST_DEV_I2C_FIXTURE_H
#define SONDE_TEST_DEV_I2C_FIXTURE_H

#include <unistd.h>

#include "agent/dev/i2c_impl.h"
#include "test/unit/dev_part_fixture.h"

#define LINES 64

static struct bus {
	uint64_t now_ns;
	unsigned long funcs;
	int opens, closes, open_res, slave_res, funcs_res, looks, sleeps;
	unsigned slave, timeout;
	bool there, has_owner;
	struct i2c_owner owner;
	char wire[LINES][160];
	unsigned lines;
	int res[LINES];			/* of the n-th: 0: as it should be; -errno; DONE(n) */
	uint8_t answer[LINES][64];
	unsigned answers[LINES];	/* bytes laid down; 0: counted up */
	uint8_t next;		/* the next byte counted up */
	unsigned slow_us;	/* what a transfer takes */
	int watch_fd;
	char path[64];
} bus;

static inline int fake_open(const char *path)
{
	snprintf(bus.path, sizeof bus.path, "%s", path);
	if (bus.open_res < 0)
		return bus.open_res;
	bus.opens++;
	return bus.open_res;
}

static inline void fake_close(int fd)
{
	if (fd == bus.open_res)
		bus.closes++;
	else
		close(fd);
}

static inline int fake_funcs(int fd, unsigned long *funcs)
{
	CHECK_EQ(fd, bus.open_res);
	*funcs = bus.funcs;
	return bus.funcs_res;
}

static inline int fake_slave(int fd, unsigned address)
{
	CHECK_EQ(fd, bus.open_res);
	bus.slave = address;
	return bus.slave_res;
}

static inline int fake_timeout(int fd, unsigned units)
{
	CHECK_EQ(fd, bus.open_res);
	bus.timeout = units;
	return 0;
}

static inline void fake_answer(uint8_t *in, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		in[i] = bus.answers[bus.lines] ? bus.answer[bus.lines][i % 64] : bus.next++;
}

/* For res: only n of the messages were done. None of these is an -errno of an adapter. */
#define DONE(n) ((n) - 100)

static inline bool is_done(int res)
{
	return res >= DONE(0) && res <= DONE(2);
}

static inline int fake_rdwr(int fd, struct i2c_msg *msg, unsigned n)
{
	char *line = bus.wire[bus.lines];
	size_t room = sizeof bus.wire[0], at;
	unsigned reads = 0;
	int res;

	CHECK_EQ(fd, bus.open_res);
	CHECK(bus.lines < LINES - 1);
	CHECK(n >= 1 && n <= 2);
	bus.now_ns += bus.slow_us * US;
	at = (size_t)snprintf(line, room, "%02x", msg[0].addr);
	for (unsigned i = 0; i < n; i++) {
		bool read = msg[i].flags & I2C_M_RD;

		CHECK_EQ(msg[i].addr, msg[0].addr);
		CHECK_EQ(msg[i].flags & ~I2C_M_RD, 0);
		CHECK(msg[i].len > 0);
		CHECK(!reads);
		reads += read;
		at += (size_t)snprintf(line + at, room - at, read ? " R%u" : " W", msg[i].len);
		for (unsigned k = 0; k < msg[i].len && !read; k++)
			at += (size_t)snprintf(line + at, room - at, "%02x", msg[i].buf[k]);
		/* The kernel copies back what it has, also when not all messages were done. */
		if (read && !bus.res[bus.lines])
			fake_answer(msg[i].buf, msg[i].len);
		else if (read && is_done(bus.res[bus.lines]))
			memset(msg[i].buf, 0xee, msg[i].len);
	}
	res = bus.res[bus.lines++];
	return !res ? (int)n : is_done(res) ? res + 100 : res;
}

static inline int fake_smbus(int fd, struct i2c_smbus_ioctl_data *a)
{
	static const char *const names[] = {
		[I2C_SMBUS_BYTE] = "byte", [I2C_SMBUS_BYTE_DATA] = "byte-data",
		[I2C_SMBUS_WORD_DATA] = "word-data", [I2C_SMBUS_I2C_BLOCK_DATA] = "block",
	};
	char *line = bus.wire[bus.lines];
	union i2c_smbus_data *data = a->data;
	uint8_t in[33];

	CHECK(bus.lines < LINES - 1);
	CHECK(a->size < sizeof names / sizeof *names && names[a->size]);
	if (a->read_write == I2C_SMBUS_WRITE) {
		int at = sprintf(line, "%s W%02x", names[a->size], a->command);

		if (a->size == I2C_SMBUS_BYTE_DATA)
			sprintf(line + at, " %02x", data->byte);
		if (a->size == I2C_SMBUS_WORD_DATA)
			sprintf(line + at, " %04x", data->word);
		for (unsigned i = 0; a->size == I2C_SMBUS_I2C_BLOCK_DATA && i < data->block[0]; i++)
			at += sprintf(line + at, " %02x", data->block[i + 1]);
		return bus.res[bus.lines++];
	}
	sprintf(line, "%s R%02x", names[a->size], a->command);
	fake_answer(in, a->size == I2C_SMBUS_I2C_BLOCK_DATA ? data->block[0] : 2);
	if (a->size == I2C_SMBUS_I2C_BLOCK_DATA) {
		CHECK(data->block[0] >= 1 && data->block[0] <= I2C_SMBUS_BLOCK_MAX);
		sprintf(line + strlen(line), " %u", data->block[0]);
		memcpy(data->block + 1, in, data->block[0]);
		/* A laid down length of 255: the part stopped after one byte. */
		if (bus.answers[bus.lines] == 255)
			data->block[0] = 1;
	} else if (a->size == I2C_SMBUS_WORD_DATA) {
		data->word = (uint16_t)(in[0] | in[1] << 8);
	} else {
		data->byte = in[0];
	}
	return bus.res[bus.lines++];
}

static inline bool fake_owner(unsigned number, unsigned address, struct i2c_owner *out)
{
	CHECK_EQ(number, 1);
	CHECK_EQ(address, bus.slave);
	*out = bus.owner;
	return bus.has_owner;
}

static inline bool fake_present(const char *path)
{
	CHECK_STR(path, bus.path);
	bus.looks++;
	return bus.there;
}

static inline int fake_watch(void)
{
	return bus.watch_fd;
}

static inline uint64_t fake_now(void)
{
	return bus.now_ns;
}

static inline void fake_sleep(uint64_t t_ns)
{
	bus.sleeps++;
	if (t_ns > bus.now_ns)
		bus.now_ns = t_ns;
}

static const struct i2c_io fake_io = {
	.open = fake_open, .close = fake_close, .funcs = fake_funcs, .slave = fake_slave,
	.timeout = fake_timeout, .rdwr = fake_rdwr, .smbus = fake_smbus, .owner = fake_owner,
	.present = fake_present, .watch = fake_watch, .now_ns = fake_now,
	.sleep_until = fake_sleep,
};

static inline void bus_reset(void)
{
	memset(&bus, 0, sizeof bus);
	bus.now_ns = 5000000000;
	bus.funcs = I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL;
	bus.open_res = 1000;
	bus.there = true;
	bus.watch_fd = -EMFILE;
}

/* Forget the wire so far. */
static inline void bus_clear(void)
{
	memset(bus.wire, 0, sizeof bus.wire);
	memset(bus.res, 0, sizeof bus.res);
	memset(bus.answers, 0, sizeof bus.answers);
	bus.lines = 0;
}

static inline void lay(unsigned line, const void *bytes, unsigned n)
{
	memcpy(bus.answer[line], bytes, n);
	bus.answers[line] = n;
}

static inline struct dev *created(const struct sensor *s)
{
	struct why why = { "" };
	struct dev *d;
	int err = i2c_create_on(&fake_io, &d, &s->config, 2, &why);

	if (err)
		fprintf(stderr, "%s\n", why.text);
	CHECK_EQ(err, 0);
	return d;
}

static inline struct dev *opened(const struct sensor *s)
{
	struct dev *d = created(s);
	int err = d->ops->open(d);

	if (err)
		fprintf(stderr, "%s\n", d->why.text);
	CHECK_EQ(err, 0);
	return d;
}

static inline void closed(struct dev *d)
{
	d->ops->shut(d);
	d->ops->free(d);
	CHECK_EQ(bus.opens, bus.closes);
}

#endif
