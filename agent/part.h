/* SPDX-License-Identifier: MIT */
/*
 * part: what a data sheet says of a sensor that can be bought, as data: how it is set up,
 * which bytes are exchanged for a reading, how they become numbers. One INI file a part
 * in the sensor library (agent/sensors, installed as /usr/share/sonde/sensors); the same
 * keys may stand in a [sensor] section of kind i2c, spi or serial. Pure: no I/O
 * but reading the file. Parts with compensation polynomials are left to their kernel
 * drivers: such a file has driver and overlay, and no reads.
 *
 * Keys (a file has one [part] section; hex or decimal bytes):
 *	title, datasheet = TEXT		the document and section that the numbers come from
 *	kind = i2c | spi | serial | iio | hwmon | w1
 *	driver = NAME, overlay = TEXT	iio, hwmon: what the driver calls its device, and how a
 *					board gets it; else: a driver that could be used instead
 *	address = 0x48-0x4f, 0x1d	i2c; the first is the default
 *	identify = 0x0f -> 0x33 [/ MASK ...] [wait 10 ms]
 *					bytes written, bytes (under a mask) expected; the register
 *					that tells this part from others at its addresses
 *	spi_mode = 0..3, spi_hz = N, spi_bits = 8
 *	period = 10 ms			not to be asked more often
 *	init.N = BYTES [wait 10 ms]	in the order of N
 *	read.N = BYTES -> LENGTH [wait 15 ms]
 *					written, then read; i2c without a wait: repeated start.
 *					"-> 2": reads only. "BYTES": writes only, then waits. spi:
 *					all bytes of one full-duplex transfer, LENGTH of them
 *					kept, the last ones
 *	fault.N = READ @ AT & MASK [= VALUE]
 *					the sensor says itself that the reading is bad; without a
 *					VALUE: all bits of MASK set. It concerns the channels of
 *					READ; of a read that has no channel (a status, a
 *					configuration that a brown-out resets): all of the part's
 *	baud = 9600, start = 0x42 0x4d, length = 32, checksum = sum16be | sum8 | xor8 | none
 *					serial frames: read number 0 is the frame
 *	channel.NAME = READ @ AT TYPE [, unit = U] [, scale = S] [, offset = O]
 *			[, range = MIN..MAX] [, crc = sht | ccitt8 | dallas]
 *					TYPE as decode_scan_parse has it; the CRC is the byte that
 *					follows it. value = (raw + offset) * scale. S and O may be
 *					fractions, as data sheets have them: 175/65535
 *	channel.NAME = ATTRIBUTE [, unit = U] ...
 *					iio, hwmon and w1: what the driver calls it
 * init, read and fault are numbered from 0 without gaps; a key that is given again (a
 * part's, in a [sensor] section) replaces the first.
 */
#ifndef SONDE_PART_H
#define SONDE_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/decode.h"

struct why;

#define PART_OUT_MAX 24
#define PART_IN_MAX 64		/* of one read; all reads of a part: PART_BYTES_MAX */
#define PART_BYTES_MAX 128
#define PART_STEPS_MAX 16
#define PART_CHANNELS_MAX 24

/* Write out[outs], wait, read in bytes; any of them may be 0. */
struct part_step {
	uint8_t out[PART_OUT_MAX];
	uint8_t outs, in;
	uint16_t at;		/* where its input begins among all of the part's */
	uint32_t wait_us;	/* i2c: between write and read; init, write-only: after it */
};

struct part_fault {
	uint8_t read;
	uint16_t at;		/* of the read's input */
	uint8_t mask, value;	/* (byte & mask) == value: bad */
	bool all;		/* part_check: its read has no channel, it speaks for all of them */
};

enum part_crc { PART_CRC_NONE, PART_CRC_SHT, PART_CRC_CCITT8, PART_CRC_DALLAS };
enum part_sum { PART_SUM_NONE, PART_SUM_16BE, PART_SUM_8, PART_XOR_8 };

struct part_channel {
	char name[32], unit[12];
	char attribute[32];		/* iio, hwmon, w1; else "" */
	uint8_t read, crc;		/* crc: enum part_crc */
	uint16_t at;			/* of the read's input */
	struct scan_element scan;
	double scale, offset;
	float min, max;			/* -INFINITY, INFINITY: nothing said */
};

struct part {
	char name[32], title[96], kind[8], driver[32], overlay[128], datasheet[160];
	uint8_t address[24];
	unsigned addresses;
	struct part_step identify;	/* outs 0: can not be told from others */
	uint8_t id_value[PART_OUT_MAX], id_mask[PART_OUT_MAX];
	uint8_t spi_mode, spi_bits;
	uint32_t spi_hz;
	double period_s;
	struct part_step init[PART_STEPS_MAX], read[PART_STEPS_MAX];
	unsigned inits, reads, bytes;	/* bytes: of all reads' input */
	struct part_fault fault[PART_STEPS_MAX];
	unsigned faults;
	unsigned baud;
	uint8_t start[8];
	unsigned starts, length;	/* serial frame: read 0 has length bytes */
	uint8_t sum;			/* enum part_sum */
	struct part_channel channel[PART_CHANNELS_MAX];
	unsigned channels;
};

void part_init(struct part *p, const char *name);

/*
 * One key, channel.* included. -ENOENT: no key of a part (why suggests one); -EINVAL with the
 * reason, which does not repeat key and value.
 */
int part_key(struct part *p, const char *key, const char *value, struct why *why);

/* After the last key: is it whole, does everything lie inside the input? -EINVAL. */
int part_check(struct part *p, struct why *why);

/*
 * DIR/NAME.conf, checked. -ENOENT when there is none (why suggests the nearest name);
 * -EINVAL "file:line: ..."; -errno of the file. Main.
 */
int part_load(struct part *p, const char *dir, const char *name, struct why *why);

/* Names of all parts in dir, sorted; part_list_free. */
int part_list(char ***names, unsigned *n, const char *dir, struct why *why);
void part_list_free(char **names, unsigned n);

/*
 * The reading in[p->bytes] of channel c. 0, or the enum channel_fault (positive) that it is:
 * CRC, a fault bit, out of range is left to the frame's check.
 */
int part_decode(const struct part *p, unsigned c, const uint8_t *in, double *value);

uint8_t part_crc8(enum part_crc kind, const uint8_t *p, unsigned n);

/* Is the serial frame f[p->length] whole (start bytes and checksum)? */
bool part_frame_ok(const struct part *p, const uint8_t *f);

#endif
