// SPDX-License-Identifier: MIT
/*
 * part_decode: bytes of a reading into values, by what a checked part says. Pure, bounded and
 * without allocation: it runs in the pipeline's thread. A value is given only when its CRC is
 * right and no fault bit speaks against it; whether it lies in the part's range is left to the
 * frame, which counts that.
 */
#include <math.h>
#include <string.h>

#include "agent/frame.h"
#include "agent/part.h"

static uint8_t crc_msb(uint8_t crc, uint8_t polynomial, const uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		crc ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ polynomial : crc << 1);
	}
	return crc;
}

/* x^8 + x^5 + x^4 + 1, least significant bit first (Maxim application note 27). */
static uint8_t crc_dallas(const uint8_t *p, unsigned n)
{
	uint8_t crc = 0;

	for (unsigned i = 0; i < n; i++) {
		crc ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (uint8_t)(crc & 1 ? crc >> 1 ^ 0x8c : crc >> 1);
	}
	return crc;
}

uint8_t part_crc8(enum part_crc kind, const uint8_t *p, unsigned n)
{
	switch (kind) {
	case PART_CRC_SHT:	/* SHT3x data sheet, section 4.12 */
		return crc_msb(0xff, 0x31, p, n);
	case PART_CRC_CCITT8:	/* ITU-T I.432.1, without its final XOR; SMBus's PEC */
		return crc_msb(0, 0x07, p, n);
	case PART_CRC_DALLAS:
		return crc_dallas(p, n);
	case PART_CRC_NONE:
		break;
	}
	return 0;
}

static bool faulty(const struct part *p, const struct part_channel *c, const uint8_t *in)
{
	for (unsigned i = 0; i < p->faults; i++) {
		const struct part_fault *f = &p->fault[i];

		if ((f->all || f->read == c->read) &&
		    (in[p->read[f->read].at + f->at] & f->mask) == f->value)
			return true;
	}
	return false;
}

int part_decode(const struct part *p, unsigned c, const uint8_t *in, double *value)
{
	const struct part_channel *ch = &p->channel[c];
	const uint8_t *at = in + p->read[ch->read].at + ch->at;
	unsigned size = ch->scan.storage_bits / 8u;
	int64_t raw;
	double v;

	if (ch->crc != PART_CRC_NONE && part_crc8(ch->crc, at, size) != at[size])
		return FAULT_CRC;
	if (faulty(p, ch, in))
		return FAULT_FORMAT;
	raw = decode_scan(&ch->scan, at);
	v = ch->scan.is_signed ? (double)raw : (double)(uint64_t)raw;
	v = (v + ch->offset) * ch->scale;
	if (!isfinite(v))
		return FAULT_NAN;
	*value = v;
	return FAULT_NONE;
}

bool part_frame_ok(const struct part *p, const uint8_t *f)
{
	unsigned n = p->length - (p->sum == PART_SUM_16BE ? 2 : p->sum != PART_SUM_NONE);
	unsigned sum = 0, xor = 0;

	if (memcmp(f, p->start, p->starts))
		return false;
	for (unsigned i = 0; i < n; i++) {
		sum += f[i];
		xor ^= f[i];
	}
	switch ((enum part_sum)p->sum) {
	case PART_SUM_NONE:
		return true;
	case PART_SUM_16BE:
		return (sum & 0xffff) == (unsigned)(f[n] << 8 | f[n + 1]);
	case PART_SUM_8:
		return (sum & 0xff) == f[n];
	case PART_XOR_8:
		return xor == f[n];
	}
	return false;
}
