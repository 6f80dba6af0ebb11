// SPDX-License-Identifier: MIT
/*
 * Fuzz: bytes of a tty as lines. The first byte says in which pieces they come: that must
 * make no difference. Lines, fields and numbers must lie inside.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dev/serial_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned whole, other;
	uint64_t hash;
};

static void check_fields(const char *line, unsigned len)
{
	const char *f, *behind = line;
	unsigned n, i;
	double v;

	for (i = 0; serial_field(line, len, i, &f, &n); i++) {
		if (f < behind || f + n > line + len || i > len)
			abort();
		behind = f + n;
		if (!serial_number(f, n, &v) && isinf(v))
			abort();
	}
	if (!i || serial_field(line, len, i + 1, &f, &n))
		abort();
}

static void check_line(const struct serial_line *l, struct seen *s)
{
	unsigned len = l->have;
	/* A copy of its exact size, so that a sanitizer sees the first byte beyond. */
	char *line = malloc(len ? len : 1);

	if (!line || !len || len > SERIAL_LINE_MAX)
		abort();
	memcpy(line, l->text, len);
	for (unsigned i = 0; i < len; i++) {
		if (line[i] == '\n' || line[i] == '\r' || !line[i])
			abort();
		s->hash = (s->hash ^ (uint8_t)line[i]) * 0x100000001b3u;
	}
	s->hash = (s->hash ^ len) * 0x100000001b3u;
	check_fields(line, len);
	if (serial_checksum(line, &len) && (len != l->have - 3 || line[len] != '*'))
		abort();
	check_fields(line, len);
	free(line);
}

static struct seen all(const uint8_t *data, size_t size, size_t piece)
{
	struct serial_line l;
	struct seen s = { 0 };

	serial_line_init(&l);
	while (size) {
		unsigned n = (unsigned)(size < piece ? size : piece), left = n;
		enum serial_line_result got;

		while ((got = serial_line_take(&l, &data, &left)) != SERIAL_LINE_MORE) {
			if (got == SERIAL_LINE_WHOLE)
				check_line(&l, &s);
			s.whole += got == SERIAL_LINE_WHOLE;
			s.other += got != SERIAL_LINE_WHOLE;
		}
		if (left)
			abort();
		size -= n;
	}
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen a, b;

	if (!size)
		return 0;
	a = all(data + 1, size - 1, size);
	b = all(data + 1, size - 1, 1 + data[0] % 100);
	if (a.whole != b.whole || a.other != b.other || a.hash != b.hash)
		abort();
	return 0;
}
