/* SPDX-License-Identifier: MIT */
/*
 * iio_impl: what the files of the kind iio share: iio.c has the operations, iio_stream.c
 * what comes through a buffer, iio_setup.c prepares a buffer or the polled files,
 * iio_trigger.c sees to what starts each scan. The latter two run in a worker.
 */
#ifndef SONDE_IIO_IMPL_H
#define SONDE_IIO_IMPL_H

#include "agent/config.h"
#include "agent/dev/attr.h"
#include "agent/dev/dev.h"
#include "agent/dev/find.h"
#include "agent/dev/iio_text.h"

/* Own parts of the token: of the stream, and of the look whether the buffer is still on. */
enum { IIO_STREAM, IIO_WATCH };

struct iio {
	struct dev dev;
	struct attrs attrs;		/* polled: the files; buffered: channels of elements */
	size_t memory;
	const char *root;
	struct found found;
	bool buffered;
	/* Buffered. */
	int fd, index;			/* /dev/iio:deviceN */
	int enable_fd, enable_index;	/* buffer/enable, of this very device even when unplugged */
	int trigger_fd;			/* trigger/current_trigger, to let go of our own */
	char own_trigger[FIND_PATH_MAX];/* its configfs directory; "": none was made */
	bool module_tried;
	struct iio_element element[IIO_ELEMENTS_MAX];
	unsigned elements;		/* without the timestamp, which follows them */
	bool timestamp;			/* there is one, and it is CLOCK_MONOTONIC */
	unsigned scan_bytes;
	uint64_t period_ns;		/* of the scans; 0: not known */
	bool grid;			/* they come on a timer's grid: a missing one was lost */
	bool untriggered;		/* of a set-up that failed: it was for the trigger */
	/* The stream. */
	bool armed, watching;
	uint64_t bytes_ns;		/* last bytes */
	uint64_t heard_ns;		/* last bytes or other sign of life */
	uint64_t scan_ns;		/* time of the last scan */
	uint64_t grid_ns;		/* grid: when the next scan is due */
	int64_t least_late;		/* of the last count scans */
	unsigned count;
	unsigned carried, quiet;	/* quiet: ticks since the last bytes */
	uint8_t carry[IIO_SCAN_MAX];
	char enabled[2];		/* read by the ring */
};

/* found.dir/what into text[FIND_PATH_MAX]; "" when it is too long. */
void iio_below(const struct iio *d, const char *what, char *text);

/*
 * What the sensor's next scan waits for: attach or make a trigger, or set the device's own
 * clock; the buffer is off. -errno with d->dev.why; what is not as wished goes to remark.
 */
int iio_trigger_set(struct iio *d, struct why *remark);
/* Let go of our own trigger and remove it. */
void iio_trigger_drop(struct iio *d);

/* Everything up to the running buffer, or the files to poll; d->dev.why says what is wrong. */
int iio_setup_buffer(struct iio *d, struct why *remark);
int iio_setup_files(struct iio *d);
/* May all channels be read through a buffer? */
bool iio_can_buffer(const struct iio *d);

/* The stream of a buffered one: after a set-up; as dev_ops' operations. Pipeline. */
void iio_stream_reset(struct iio *d);
void iio_stream_tick(struct iio *d, uint64_t t_ns);
void iio_stream_start(struct iio *d, struct ring *r, uint64_t t_ns);
void iio_stream_complete(struct iio *d, struct ring *r, const struct ring_event *e,
			 struct frame *f, uint64_t now_ns);

#endif
