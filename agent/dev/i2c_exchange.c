// SPDX-License-Identifier: MIT
/*
 * i2c_exchange: one exchange with a part: a write, a read, or both behind a repeated start.
 * It is never more than one read message, and that one last: i2c-bcm2835 refuses all
 * else (bcm2835_i2c_xfer). Adapters that speak SMBus only (i801, i2c-stub) get the same
 * bytes on the wire as byte, word or I2C block transfers where those exist.
 *
 * What the kernel's errors mean (Documentation/i2c/fault-codes.rst), adapters differing:
 * -EREMOTEIO and -ENXIO are a NAK, so is a transfer that ends after fewer messages than it
 * has (i2c-virtio counts those that were done). -EAGAIN is lost arbitration, and retried
 * here: I2C_RETRIES would change it for all who use the adapter, and can not be read.
 *
 * Nothing that user space may ask for frees a bus whose data line a part holds:
 * i2c_recover_bus() is called by the adapters' drivers alone (i2c-imx when a start
 * times out), and i2c-bcm2835 has no recovery at all.
 */
#include <errno.h>
#include <string.h>

#include "agent/dev/i2c_impl.h"
#include "kernels/why.h"

int i2c_meaning(struct i2c *d, int err)
{
	struct why *why = &d->base.dev.why;

	switch (-err) {
	case EREMOTEIO: case ENXIO:
		return why_set(why, -EREMOTEIO, "i2c-%u: no answer from 0x%02x (NAK)", d->bus,
			       d->address);
	case EAGAIN:
		return why_set(why, -EIO, "i2c-%u: arbitration lost at 0x%02x: another master, or "
			       "noise on the lines", d->bus, d->address);
	case ETIMEDOUT:
		return why_set(why, -ETIMEDOUT, "i2c-%u: time-out at 0x%02x: the clock is held "
			       "low too long, or the bus is stuck", d->bus, d->address);
	case EBUSY:
		return why_set(why, -ETIMEDOUT, "i2c-%u: the bus does not become free: a part "
			       "holds its data line", d->bus);
	case ENODEV: case ESHUTDOWN:
		return why_set(why, -ENODEV, "i2c-%u has gone", d->bus);
	default:
		return why_set(why, err, "i2c-%u: 0x%02x: %s", d->bus, d->address, strerror(-err));
	}
}

static int rdwr(struct i2c *d, const uint8_t *out, unsigned outs, uint8_t *in, unsigned ins)
{
	struct i2c_msg msg[2];
	unsigned n = 0;
	int done;

	if (outs)
		msg[n++] = (struct i2c_msg){
			.addr = (uint16_t)d->address, .len = (uint16_t)outs, .buf = (uint8_t *)out,
		};
	if (ins)
		msg[n++] = (struct i2c_msg){
			.addr = (uint16_t)d->address, .flags = I2C_M_RD, .len = (uint16_t)ins,
			.buf = in,
		};
	if (!n)
		return 0;
	done = d->io->rdwr(d->fd, msg, n);
	return done < 0 ? done : (unsigned)done < n ? -EREMOTEIO : 0;
}

/* The SMBus transfer that puts these bytes on the wire. */
struct smbus_way {
	uint8_t outs_min, outs_max, ins_min, ins_max;
	uint32_t size;
	unsigned long func;
};

static const struct smbus_way *smbus_way(unsigned long funcs, unsigned outs, unsigned ins)
{
	static const struct smbus_way ways[] = {
		{ 1, 1, 0, 0, I2C_SMBUS_BYTE, I2C_FUNC_SMBUS_WRITE_BYTE },
		{ 2, 2, 0, 0, I2C_SMBUS_BYTE_DATA, I2C_FUNC_SMBUS_WRITE_BYTE_DATA },
		{ 3, 3, 0, 0, I2C_SMBUS_WORD_DATA, I2C_FUNC_SMBUS_WRITE_WORD_DATA },
		{ 2, I2C_SMBUS_BLOCK_MAX + 1, 0, 0, I2C_SMBUS_I2C_BLOCK_DATA,
		  I2C_FUNC_SMBUS_WRITE_I2C_BLOCK },
		{ 0, 0, 1, 1, I2C_SMBUS_BYTE, I2C_FUNC_SMBUS_READ_BYTE },
		{ 1, 1, 1, 1, I2C_SMBUS_BYTE_DATA, I2C_FUNC_SMBUS_READ_BYTE_DATA },
		{ 1, 1, 2, 2, I2C_SMBUS_WORD_DATA, I2C_FUNC_SMBUS_READ_WORD_DATA },
		{ 1, 1, 1, I2C_SMBUS_BLOCK_MAX, I2C_SMBUS_I2C_BLOCK_DATA,
		  I2C_FUNC_SMBUS_READ_I2C_BLOCK },
	};

	for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
		const struct smbus_way *w = &ways[i];

		if (outs >= w->outs_min && outs <= w->outs_max && ins >= w->ins_min &&
		    ins <= w->ins_max && funcs & w->func)
			return w;
	}
	return NULL;
}

static void smbus_fill(union i2c_smbus_data *data, uint32_t size, const uint8_t *out,
		       unsigned outs)
{
	/* A word goes low byte first: the order of the bytes on the wire is that of out[]. */
	if (size == I2C_SMBUS_WORD_DATA) {
		data->word = (uint16_t)(out[1] | out[2] << 8);
	} else if (size == I2C_SMBUS_BYTE_DATA) {
		data->byte = out[1];
	} else if (size == I2C_SMBUS_I2C_BLOCK_DATA) {
		data->block[0] = (uint8_t)(outs - 1);
		memcpy(data->block + 1, out + 1, outs - 1);
	}
}

static int smbus_take(const union i2c_smbus_data *data, uint32_t size, uint8_t *in, unsigned ins)
{
	if (size == I2C_SMBUS_WORD_DATA) {
		in[0] = (uint8_t)data->word;
		in[1] = (uint8_t)(data->word >> 8);
	} else if (size == I2C_SMBUS_I2C_BLOCK_DATA) {
		if (data->block[0] < ins)
			return -EIO;
		memcpy(in, data->block + 1, ins);
	} else {
		in[0] = data->byte;
	}
	return 0;
}

static int smbus(struct i2c *d, const uint8_t *out, unsigned outs, uint8_t *in, unsigned ins)
{
	const struct smbus_way *way = smbus_way(d->funcs, outs, ins);
	union i2c_smbus_data data = { .block = { 0 } };
	struct i2c_smbus_ioctl_data a = {
		.read_write = ins ? I2C_SMBUS_READ : I2C_SMBUS_WRITE,
		.command = outs ? out[0] : 0,
		.data = &data,
	};
	int err;

	if (!outs && !ins)
		return 0;
	if (!way)
		return -EOPNOTSUPP;
	a.size = way->size;
	if (!ins)
		smbus_fill(&data, a.size, out, outs);
	else
		data.block[0] = (uint8_t)ins;
	err = d->io->smbus(d->fd, &a);
	return err || !ins ? err : smbus_take(&data, a.size, in, ins);
}

int i2c_exchange(struct i2c *d, const uint8_t *out, unsigned outs, uint8_t *in, unsigned ins)
{
	int (*way)(struct i2c *, const uint8_t *, unsigned, uint8_t *, unsigned) =
		d->funcs & I2C_FUNC_I2C ? rdwr : smbus;
	int err = way(d, out, outs, in, ins);

	/* The winner's message is over by now or soon, and the adapter waits for that. */
	if (err == -EAGAIN)
		err = way(d, out, outs, in, ins);
	return err ? i2c_meaning(d, err) : 0;
}

static bool can_step(unsigned long funcs, const struct part_step *s)
{
	bool apart = s->wait_us || !s->outs || !s->in;

	if (!apart)
		return smbus_way(funcs, s->outs, s->in);
	return (!s->outs || smbus_way(funcs, s->outs, 0)) && (!s->in || smbus_way(funcs, 0, s->in));
}

int i2c_can(struct i2c *d)
{
	const struct part *p = &d->base.part;
	bool can = true;

	if (d->funcs & I2C_FUNC_I2C)
		return 0;
	for (unsigned i = 0; i < p->inits; i++)
		can &= can_step(d->funcs, &p->init[i]);
	for (unsigned i = 0; i < p->reads; i++)
		can &= can_step(d->funcs, &p->read[i]);
	if (p->identify.outs)
		can &= can_step(d->funcs, &p->identify);
	return can ? 0 : why_set(&d->base.dev.why, -EOPNOTSUPP, "i2c-%u speaks SMBus only, and %s "
				 "needs transfers that SMBus does not have", d->bus, p->name);
}
