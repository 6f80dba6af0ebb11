/* SPDX-License-Identifier: MIT */
/*
 * iio_text: the short texts of IIO's sysfs (Documentation/ABI/testing/sysfs-bus-iio) to
 * numbers, names and the layout of a scan. Pure: no files, so that all of it is fuzzed.
 */
#ifndef SONDE_IIO_TEXT_H
#define SONDE_IIO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/decode.h"

struct why;

#define IIO_ELEMENTS_MAX 65	/* a frame's channels and the timestamp */
#define IIO_SCAN_MAX 2048	/* bytes */
/* Hz. No sensor's buffer is beyond these, a wrong text may be. */
#define IIO_RATE_MIN 1e-4
#define IIO_RATE_MAX 1e6

/* A type of channel: what IIO's numbers, scaled, are multiplied with to come to our unit. */
struct iio_type {
	const char *name, *unit;
	double factor;
};

/* That of a channel as it stands between in_ and _raw: "magn_x", "voltage0-voltage1". */
const struct iio_type *iio_type(const char *channel);

/*
 * Where an attribute of a channel may stand, the most special first: its own, that of its
 * kind without numbers, of its type, of all inputs, of the device. False: no more.
 */
bool iio_attribute(char *name, size_t size, const char *channel, const char *what, unsigned n);

/* A number as the kernel prints it: "0.000598", "-12", "1.5 dB". -EINVAL. */
int iio_number(const char *text, double *value);

/*
 * Of the rates in *_available, a list "1 3 10" or a range "[min step max]", the least that is
 * at least hz, else the greatest. It is copied as it stands there. -ENOENT: no rate in the text.
 */
int iio_rate_choose(const char *available, double hz, char *text, size_t size);

/* hz as the kernel reads it: at most three digits after the point. */
void iio_rate_text(double hz, char *text, size_t size);

struct iio_element {
	struct scan_element scan;
	unsigned index;		/* of the scan */
	unsigned source;	/* the caller's number of it */
};

/* From the texts of *_index and *_type. -EINVAL. */
int iio_element_parse(struct iio_element *e, const char *index, const char *type,
		      struct why *why);

/*
 * Sort n elements as they follow each other in a scan, by index, and lay them out. With
 * timestamp the last of e is that and stays last. Returns the scan's bytes, or -EINVAL.
 */
int iio_layout(struct iio_element *e, unsigned n, bool timestamp, struct why *why);

#endif
