// SPDX-License-Identifier: MIT
/*
 * decode: binary scans and counters. Loads are byte by byte: an element of a stream that
 * somebody else wrote need not be aligned, and the compiler makes one load of it.
 */
#include "agent/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"

/* A decimal number of at most max at *s; false when there is none. */
static bool scan_number(const char **s, unsigned max, unsigned *out)
{
	unsigned v = 0;
	const char *p = *s;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (unsigned)(*p - '0');
		if (v > max)
			return false;
	}
	if (p == *s)
		return false;
	*s = p;
	*out = v;
	return true;
}

int decode_scan_parse(struct scan_element *e, const char *type, struct why *why)
{
	unsigned bits, storage, repeat = 1, shift = 0;
	const char *s = type;

	memset(e, 0, sizeof *e);
	if (strncmp(s, "be:", 3) && strncmp(s, "le:", 3))
		return why_set(why, -EINVAL, "\"%s\": an element begins with be: or le:", type);
	e->big_endian = *s == 'b';
	s += 3;
	if (*s != 's' && *s != 'u')
		return why_set(why, -EINVAL, "\"%s\": after %.3s comes s (signed) or u", type,
			       type);
	e->is_signed = *s++ == 's';
	if (!scan_number(&s, 64, &bits) || !bits)
		return why_set(why, -EINVAL, "\"%s\": 1 to 64 bits", type);
	if (*s++ != '/' || !scan_number(&s, 64, &storage) ||
	    (storage != 8 && storage != 16 && storage != 32 && storage != 64))
		return why_set(why, -EINVAL, "\"%s\": stored in /8, /16, /32 or /64 bits", type);
	if (*s == 'X' && (s++, !scan_number(&s, UINT8_MAX, &repeat) || !repeat))
		return why_set(why, -EINVAL, "\"%s\": repeated X1 to X255 times", type);
	if (!strncmp(s, ">>", 2) && (s += 2, !scan_number(&s, 63, &shift)))
		return why_set(why, -EINVAL, "\"%s\": shifted by >>0 to >>63", type);
	if (*s)
		return why_set(why, -EINVAL, "\"%s\": does not end at \"%s\"", type, s);
	if (bits + shift > storage)
		return why_set(why, -EINVAL, "\"%s\": %u bits shifted by %u do not fit into %u",
			       type, bits, shift, storage);
	e->bits = bits;
	e->storage_bits = storage;
	e->repeat = repeat;
	e->shift = shift;
	return 0;
}

/* The kernel's ALIGN(), also for what is no power of two (16 bits X3), where it is odd. */
static unsigned align_up(unsigned at, unsigned to)
{
	return (at + to - 1) & ~(to - 1);
}

unsigned decode_scan_layout(struct scan_element *e, unsigned n)
{
	unsigned at = 0, largest = 1;

	for (unsigned i = 0; i < n; i++) {
		unsigned size = e[i].storage_bits / 8u * (e[i].repeat > 1 ? e[i].repeat : 1u);

		if (!size)
			return 0;
		at = align_up(at, size);
		if (at + size > UINT16_MAX)
			return 0;
		e[i].offset = at;
		at += size;
		if (size > largest)
			largest = size;
	}
	at = align_up(at, largest);
	return at > UINT16_MAX ? 0 : at;
}

int64_t decode_scan(const struct scan_element *e, const uint8_t *p)
{
	unsigned bytes = e->storage_bits / 8u, unused = 64u - e->bits;
	uint64_t raw = 0;

	p += e->offset;
	for (unsigned i = 0; i < bytes; i++)
		raw = raw << 8 | p[e->big_endian ? i : bytes - 1 - i];
	/* Up to the top and down again: the bits above go, the sign comes along. */
	raw = raw >> e->shift << unused;
	return e->is_signed ? (int64_t)raw >> unused : (int64_t)(raw >> unused);
}

bool decode_rate(struct rate *r, double now, uint64_t t_ns, double wrap,
		 double *per_second)
{
	const struct rate before = *r;
	double step = now - before.last;

	if (before.primed && t_ns <= before.last_ns)
		return false;
	*r = (struct rate){ .last = now, .last_ns = t_ns, .primed = true };
	if (!before.primed)
		return false;
	if (step < 0 && wrap > 0)
		step += wrap;
	if (!(step >= 0))
		return false;
	*per_second = step * 1e9 / (double)(t_ns - before.last_ns);
	return true;
}
