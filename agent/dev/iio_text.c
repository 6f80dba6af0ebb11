// SPDX-License-Identifier: MIT
/*
 * iio_text: what IIO writes into sysfs. Units are those of its ABI but for the thousandths
 * (mV, mA, mW, millidegrees, milli percent), which become whole ones.
 */
#include "agent/dev/iio_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/why.h"

static const struct iio_type types[] = {
	{ "accel", "m/s2", 1 },
	{ "activity", "%", 1 },
	{ "altcurrent", "A", 1e-3 },
	{ "altvoltage", "V", 1e-3 },
	{ "angl", "rad", 1 },
	{ "anglvel", "rad/s", 1 },
	{ "capacitance", "nF", 1 },
	{ "colortemp", "K", 1 },
	{ "concentration", "%", 1 },
	{ "current", "A", 1e-3 },
	{ "deltaangl", "rad", 1 },
	{ "deltavelocity", "m/s", 1 },
	{ "distance", "m", 1 },
	{ "electricalconductivity", "S/m", 1 },
	{ "energy", "J", 1 },
	{ "gravity", "m/s2", 1 },
	{ "humidityrelative", "%", 1e-3 },
	{ "illuminance", "lx", 1 },
	{ "incli", "deg", 1 },
	{ "magn", "G", 1 },
	{ "massconcentration", "ug/m3", 1 },
	{ "phase", "rad", 1 },
	{ "positionrelative", "%", 1e-3 },
	{ "power", "W", 1e-3 },
	{ "pressure", "kPa", 1 },
	{ "resistance", "ohm", 1 },
	{ "temp", "°C", 1e-3 },
	{ "velocity", "m/s", 1 },
	{ "voltage", "V", 1e-3 },
};

static size_t type_length(const char *channel)
{
	size_t n = 0;

	while (channel[n] >= 'a' && channel[n] <= 'z')
		n++;
	return n;
}

const struct iio_type *iio_type(const char *channel)
{
	static const struct iio_type plain = { "", "", 1 };
	size_t n = type_length(channel);

	for (unsigned i = 0; i < sizeof types / sizeof *types; i++)
		if (strlen(types[i].name) == n && !strncmp(types[i].name, channel, n))
			return &types[i];
	return &plain;
}

/* __iio_device_attr_init: shared attributes have no number, then no modifier, then no type. */
bool iio_attribute(char *name, size_t size, const char *channel, const char *what, unsigned n)
{
	char bare[64];
	size_t used = 0;

	switch (n) {
	case 0:
		snprintf(name, size, "in_%s_%s", channel, what);
		return true;
	case 1:
		for (const char *s = channel; *s && used < sizeof bare - 1; s++)
			if (!isdigit((unsigned char)*s))
				bare[used++] = *s;
		bare[used] = '\0';
		snprintf(name, size, "in_%s_%s", bare, what);
		return true;
	case 2:
		snprintf(name, size, "in_%.*s_%s", (int)type_length(channel), channel, what);
		return true;
	case 3:
		snprintf(name, size, "in_%s", what);
		return true;
	case 4:
		snprintf(name, size, "%s", what);
		return true;
	default:
		return false;
	}
}

int iio_number(const char *text, double *value)
{
	static const struct text_field first = { .columns = 1 };

	return decode_text(&first, text, (unsigned)strlen(text), value) ? -EINVAL : 0;
}

/* ---- rates */

void iio_rate_text(double hz, char *text, size_t size)
{
	size_t n;

	snprintf(text, size, "%.3f", hz);
	n = strlen(text);
	while (n && text[n - 1] == '0')
		text[--n] = '\0';
	if (n && text[n - 1] == '.')
		text[n - 1] = '\0';
}

/* "[min step max]" */
static int choose_step(const double *range, double hz, char *text, size_t size)
{
	double steps;

	if (!(range[0] >= 0) || !(range[1] >= 0) || !(range[2] > 0) || range[2] < range[0])
		return -ENOENT;
	if (hz <= range[0]) {
		hz = range[0];
	} else if (range[1] > 0) {
		steps = ceil((hz - range[0]) / range[1] * (1 - 1e-9));
		hz = range[0] + steps * range[1];
	}
	if (hz > range[2])
		hz = range[2];
	if (!(hz >= IIO_RATE_MIN) || hz > IIO_RATE_MAX)
		return -ENOENT;
	iio_rate_text(hz, text, size);
	return 0;
}

/* Nearer to the least that is not below wanted; what is printed as 12.499999 is 12.5. */
static bool better(double v, double best, double wanted)
{
	return !(best > 0) || (best < wanted ? v > best : v >= wanted && v < best);
}

int iio_rate_choose(const char *available, double hz, char *text, size_t size)
{
	double best = 0, range[3];
	unsigned n = 0;
	bool is_range = false;

	for (const char *s = available; *s;) {
		char word[32];
		size_t len = strcspn(s, " \t\n[],");
		double v;

		is_range |= *s == '[';
		if (!len || len >= sizeof word) {
			s += len ? len : 1;
			continue;
		}
		memcpy(word, s, len);
		word[len] = '\0';
		s += len;
		if (iio_number(word, &v) || v < 0 || v > IIO_RATE_MAX)
			continue;
		if (n < 3)
			range[n] = v;
		n++;
		if (len >= size || is_range || !(v > 0) || !better(v, best, hz * (1 - 1e-6)))
			continue;
		best = v;
		memcpy(text, word, len + 1);
	}
	if (is_range)
		return n == 3 ? choose_step(range, hz, text, size) : -ENOENT;
	return best > 0 ? 0 : -ENOENT;
}

/* ---- the scan */

int iio_element_parse(struct iio_element *e, const char *index, const char *type,
		      struct why *why)
{
	char *end;
	long v;

	if (!isdigit((unsigned char)*index))
		return why_set(why, -EINVAL, "scan index \"%s\" is no number", index);
	errno = 0;
	v = strtol(index, &end, 10);
	if (errno || *end || v > 65535)
		return why_set(why, -EINVAL, "scan index \"%s\" is no number", index);
	e->index = (unsigned)v;
	return decode_scan_parse(&e->scan, type, why);
}

static int by_index(const void *a, const void *b)
{
	const struct iio_element *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

int iio_layout(struct iio_element *e, unsigned n, bool timestamp, struct why *why)
{
	struct scan_element scan[IIO_ELEMENTS_MAX];
	unsigned sorted = timestamp ? n - 1 : n, bytes;

	if (!n || n > IIO_ELEMENTS_MAX)
		return why_set(why, -EINVAL, "a scan of %u elements", n);
	qsort(e, sorted, sizeof *e, by_index);
	for (unsigned i = 1; i < sorted; i++)
		if (e[i].index == e[i - 1].index)
			return why_set(why, -EINVAL, "two elements are number %u of the scan",
				       e[i].index);
	for (unsigned i = 0; i < n; i++)
		scan[i] = e[i].scan;
	bytes = decode_scan_layout(scan, n);
	if (!bytes || bytes > IIO_SCAN_MAX)
		return why_set(why, -EINVAL, "a scan of more than %d bytes", IIO_SCAN_MAX);
	for (unsigned i = 0; i < n; i++)
		e[i].scan = scan[i];
	return (int)bytes;
}
