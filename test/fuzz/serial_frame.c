// SPDX-License-Identifier: MIT
/*
 * Fuzz: bytes of a tty as frames of a part that the first bytes describe: pieces, start, length,
 * checksum. Only whole frames come out, each where the bytes hold one, the pieces make no
 * difference, and a good frame behind whatever came is found.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dev/serial_frame.h"

#define HEAD 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned good, sum, garbage;
	uint64_t hash;
};

static void all(struct serial_frame *f, const uint8_t *data, size_t size, size_t piece,
		struct seen *s)
{
	const uint8_t *begin = data;

	while (size) {
		unsigned n = (unsigned)(size < piece ? size : piece), left = n;
		enum serial_frame_result got;

		while ((got = serial_frame_take(f, &data, &left)) != SERIAL_FRAME_MORE) {
			s->good += got == SERIAL_FRAME_GOOD;
			s->sum += got == SERIAL_FRAME_SUM;
			s->garbage += got == SERIAL_FRAME_GARBAGE;
			if (got != SERIAL_FRAME_GOOD)
				continue;
			if (!part_frame_ok(f->part, f->buf))
				abort();
			/* It ends with the byte that was taken last. */
			if ((size_t)(data - begin) >= f->part->length &&
			    memcmp(data - f->part->length, f->buf, f->part->length))
				abort();
			for (unsigned i = 0; i < f->part->length; i++)
				s->hash = (s->hash ^ f->buf[i]) * 0x100000001b3u;
		}
		if (left)
			abort();
		size -= n;
	}
}

/* A frame that passes: the checksum of zeros behind the start bytes. */
static void make_good(const struct part *p, uint8_t *f)
{
	unsigned bytes = p->sum == PART_SUM_16BE ? 2 : p->sum != PART_SUM_NONE, sum = 0, xor = 0;

	memset(f, 0, p->length);
	memcpy(f, p->start, p->starts);
	for (unsigned i = 0; i < p->starts; i++) {
		sum += f[i];
		xor ^= f[i];
	}
	if (bytes == 2)
		f[p->length - 2] = (uint8_t)(sum >> 8);
	if (bytes)
		f[p->length - 1] = (uint8_t)(p->sum == PART_XOR_8 ? xor : sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct part p;
	struct serial_frame a, b;
	struct seen sa = { 0 }, sb = { 0 };
	uint8_t good[PART_BYTES_MAX];
	unsigned before;

	if (size < HEAD)
		return 0;
	p.starts = data[1] % 4;
	memcpy(p.start, data + 2, 3);
	p.length = data[5] % 131;
	p.sum = data[1] >> 6;
	if (serial_frame_init(&a, &p) || serial_frame_init(&b, &p))
		return 0;
	all(&a, data + HEAD, size - HEAD, size, &sa);
	all(&b, data + HEAD, size - HEAD, 1 + data[0] % 200, &sb);
	if (sa.good != sb.good || sa.sum != sb.sum || sa.garbage != sb.garbage ||
	    sa.hash != sb.hash)
		abort();
	/* After a pause the very next one comes through, in whatever state that was. */
	serial_frame_gap(&a);
	before = sa.good;
	make_good(&p, good);
	all(&a, good, p.length, 7, &sa);
	if (sa.good == before)
		abort();
	return 0;
}
