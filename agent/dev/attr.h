/* SPDX-License-Identifier: MIT */
/*
 * attr: attribute files of one device, a number in each, read out of line through the
 * ring, one at a time; and the way of a raw number into the channels made of it. What the kinds iio
 * and hwmon share; it finds nothing and knows no units.
 *
 * Of a file exactly as many bytes are asked for as it was long: more cost the kernel a
 * second pass to find the end. A read that fills the request without the line's end may
 * have cut the number, so it is done again with room.
 */
#ifndef SONDE_ATTR_H
#define SONDE_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/decode.h"
#include "agent/dev/dev.h"

#define ATTR_TEXT_MAX 64

struct attr_file {
	int fd, index;			/* index: in the ring, -1: not there */
	unsigned ask;			/* bytes of the next read */
	char text[ATTR_TEXT_MAX];
};

/* How a raw number becomes a channel's value: (raw + offset) * scale, or a rate of it. */
struct attr_channel {
	double scale, offset;
	unsigned source;		/* the file, or the element of a scan */
	struct rate *rate;		/* slots of them, used in turn */
	unsigned slots, turn;
};

struct attrs {
	struct attr_channel *channel;	/* of the sensor, in its order */
	struct attr_file *file;
	unsigned files;
	int asked;			/* the file whose read is under way; -1: none */
	bool leaving;			/* on the way out of the ring: nothing more is asked for */
	bool whole;			/* always ask for all: to read again would take too long */
};

/* Bytes that attr_init divides: room for every channel of s to have its own file. */
size_t attr_memory(const struct sensor_config *s);
/* memory is zeroed, and aligned for a pointer. */
void attr_init(struct attrs *a, const struct sensor_config *s, void *memory);

/* Worker: open the next file. -errno; -EINVAL for what is no regular file. */
int attr_open(struct attrs *a, const char *dir, const char *name);
void attr_shut(struct attrs *a);

/*
 * Worker, at the end of an open: read all files, twice at most, and raise d->slow_ns to what
 * that took when a tick should not wait for it. Not where it was said (whole). Takes as
 * long as the driver does, but stops when one half second has been seen.
 */
void attr_measure(const struct attrs *a, struct dev *d);

/*
 * Pipeline: as dev_ops has them; a file's own part of the token is its number. A reading of
 * all files is one of the tick's completions, which the last file settles: start() returns 1.
 * After detach() the file under way is the last of its reading.
 */
int attr_attach(struct attrs *a, struct dev *d, struct ring *r);
unsigned attr_start(struct attrs *a, struct dev *d, struct ring *r);
unsigned attr_complete(struct attrs *a, struct dev *d, struct ring *r,
		       const struct ring_event *e, struct frame *f, uint64_t now_ns);
int attr_detach(struct attrs *a, struct ring *r);

/* Pipeline: every channel of this source has a new raw number. */
void attr_put(struct attrs *a, struct dev *d, unsigned source, double raw, uint64_t t_ns,
	      struct frame *f);

/* Pipeline: the reading of this source failed; counted, and -ENODEV marks the device as gone. */
void attr_fail(struct attrs *a, struct dev *d, unsigned source, int err, struct frame *f);

/* Pipeline: values before this moment and after it do not belong together (counters). */
void attr_reset(struct attrs *a, unsigned channels);

/* What a driver's -errno says of the sensor. */
enum channel_fault attr_fault(int err);

#endif
