// SPDX-License-Identifier: MIT
/*
 * Fuzz: up to 8 element types, a line each, an empty line, then a scan. An accepted
 * layout must keep its elements apart and inside, and a value within its bits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/decode.h"
#include "kernels/why.h"

#define ELEMENTS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct scan_element *e, const uint8_t *scan)
{
	int64_t v = decode_scan(e, scan);

	if (e->bits == 64)
		return;
	if (e->is_signed ? v < -(INT64_C(1) << (e->bits - 1)) || v >= INT64_C(1) << (e->bits - 1)
			 : v < 0 || (uint64_t)v >> e->bits)
		abort();
}

static void check_layout(const struct scan_element *e, unsigned n, unsigned total)
{
	unsigned end = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned unit = e[i].storage_bits / 8u, size = unit * e[i].repeat;

		if (e[i].bits + e[i].shift > e[i].storage_bits)
			abort();
		/* The kernel's rounding aligns only to powers of two. */
		if (!(size & (size - 1)) && e[i].offset % size)
			abort();
		if (e[i].offset + size > total)
			abort();
		if (e[i].offset < end)
			abort();
		end = e[i].offset + size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan_element e[ELEMENTS];
	struct why why;
	unsigned n = 0, total;
	uint8_t *scan;

	for (;;) {
		const uint8_t *end = memchr(data, '\n', size);
		char line[64];
		size_t len;

		if (!end || (len = (size_t)(end - data)) >= sizeof line)
			return 0;
		memcpy(line, data, len);
		line[len] = '\0';
		data = end + 1;
		size -= len + 1;
		if (!len)
			break;
		if (n == ELEMENTS || decode_scan_parse(&e[n++], line, &why))
			return 0;
	}
	total = decode_scan_layout(e, n);
	if (!n || !total)
		return 0;
	check_layout(e, n, total);
	scan = calloc(1, total);
	if (!scan)
		return 0;
	memcpy(scan, data, size < total ? size : total);
	for (unsigned i = 0; i < n; i++)
		if (e[i].offset + e[i].storage_bits / 8u <= total)
			check_value(&e[i], scan);
	free(scan);
	return 0;
}
