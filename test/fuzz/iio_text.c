// SPDX-License-Identifier: MIT
/*
 * Fuzz: what IIO's sysfs may say. A line with rates, a line with a channel's name, then lines
 * "INDEX TYPE", the last of them the timestamp when the line before them says so, an empty
 * line, and a scan. A chosen rate must be one; an accepted layout must keep its elements
 * apart, inside and in the order of their numbers.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/dev/find.h"
#include "agent/dev/iio_text.h"
#include "kernels/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next line, cut to fit; false at the end. */
static bool next_line(const uint8_t **data, size_t *size, char *line, size_t room)
{
	const uint8_t *end = memchr(*data, '\n', *size);
	size_t len = end ? (size_t)(end - *data) : *size, keep = len < room ? len : room - 1;

	if (!*size)
		return false;
	memcpy(line, *data, keep);
	line[keep] = '\0';
	*data += end ? len + 1 : len;
	*size -= end ? len + 1 : len;
	return true;
}

static void check_rates(const char *text)
{
	static const double wanted[] = { 0.1, 1, 12.5, 50, 1000, 1e9 };
	char rate[24];
	double v;

	for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		memset(rate, '#', sizeof rate);
		if (iio_rate_choose(text, wanted[i], rate, sizeof rate - 1))
			continue;
		/* What is written to the driver is a number, and within its room. */
		if (rate[sizeof rate - 1] != '#' || !memchr(rate, '\0', sizeof rate - 1) ||
		    iio_number(rate, &v) || !(v >= 0) || v > IIO_RATE_MAX)
			abort();
	}
	if (!iio_number(text, &v) && !isfinite(v))
		abort();
}

static void check_names(const char *channel)
{
	char name[32], near[24];

	for (unsigned n = 0; iio_attribute(name, sizeof name, channel, "scale", n); n++)
		if (!memchr(name, '\0', sizeof name))
			abort();
	if (!iio_type(channel)->unit || find_word(channel) != (*channel && *channel != '.' &&
	    !strpbrk(channel, "/ \t\n\r\v\f\x7f") && !strpbrk(channel, "\1\2\3\4\5\6\a\b\16\17\20"
	    "\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37")))
		abort();
	find_nearest(near, sizeof near, "magn_x", channel, 1, 0);
	if (!memchr(near, '\0', sizeof near))
		abort();
}

static void check_layout(const struct iio_element *e, unsigned n, bool timestamp, unsigned bytes)
{
	unsigned end = 0;

	if (bytes > IIO_SCAN_MAX)
		abort();
	for (unsigned i = 0; i < n; i++) {
		const struct scan_element *s = &e[i].scan;

		if (s->offset < end)
			abort();
		end = s->offset + s->storage_bits / 8u * s->repeat;
		if (end > bytes)
			abort();
		if (i && i < n - timestamp && e[i].index <= e[i - 1].index)
			abort();
	}
	if (timestamp && e[n - 1].source != n - 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct iio_element e[IIO_ELEMENTS_MAX + 1];
	char line[256];
	struct why why;
	bool timestamp;
	unsigned n = 0;
	uint8_t *scan;
	int bytes;

	if (!next_line(&data, &size, line, sizeof line))
		return 0;
	check_rates(line);
	if (!next_line(&data, &size, line, sizeof line))
		return 0;
	check_names(line);
	timestamp = strstr(line, "timestamp");
	while (next_line(&data, &size, line, sizeof line) && *line) {
		char *type = strchr(line, ' ');

		if (type)
			*type++ = '\0';
		if (n > IIO_ELEMENTS_MAX || iio_element_parse(&e[n], line, type ? type : "", &why))
			return 0;
		e[n].source = n;
		n++;
	}
	bytes = iio_layout(e, n, timestamp && n, &why);
	if (bytes < 0)
		return 0;
	check_layout(e, n, timestamp, (unsigned)bytes);
	/* Exactly a scan, so that a sanitizer sees the first byte beyond. */
	scan = calloc(1, (size_t)bytes);
	if (!scan)
		return 0;
	memcpy(scan, data, size < (size_t)bytes ? size : (size_t)bytes);
	for (unsigned i = 0; i < n; i++)
		decode_scan(&e[i].scan, scan);
	free(scan);
	return 0;
}
