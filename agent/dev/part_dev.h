/* SPDX-License-Identifier: MIT */
/*
 * part_dev: what a sensor of the library needs on whichever bus it sits: the part's data
 * in locked memory, the buffer of one reading, and the way from its bytes into
 * the frame. How the bytes get here is the business of i2c.c and spi.c.
 */
#ifndef SONDE_PART_DEV_H
#define SONDE_PART_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/dev/dev.h"
#include "agent/part.h"

struct rate;

/* How a channel of the configuration is made of one of the part's. */
struct part_use {
	double scale, offset;		/* value = (raw + offset) * scale */
	struct rate *rate;		/* counter: `window` slots, used in turn; NULL: none */
	unsigned window;
};

/* The kinds begin with this. */
struct part_dev {
	struct dev dev;
	size_t size;			/* of the whole, as allocated */
	struct part part;		/* a copy, which decodes to raw numbers */
	struct part_use *use;		/* one a channel of the configuration */
	unsigned step;			/* of the exchange under way */
	bool waited;			/* its wait has begun: what follows it is due at again_ns */
	uint64_t counted;		/* readings that the counters have seen */
	uint8_t in[PART_BYTES_MAX];	/* one reading, laid out as the part's steps say */
};

/*
 * Main: allocate size bytes that begin with a part_dev, and what belongs to it; the rest is zero.
 * -EINVAL: no part, one of another kind, or a channel that is none of the part's.
 */
int part_dev_create(struct part_dev **out, size_t size, const struct dev_ops *ops,
		    const struct sensor_config *s, unsigned first_channel, struct why *why);
void part_dev_free(struct part_dev *d);

/* Worker, in open(): nothing of what was before belongs to what comes now. */
void part_dev_reset(struct part_dev *d);

/*
 * Pipeline: a reading has ended with res, bytes or -errno: decode in[] into the frame. Of
 * a transfer that failed only error, gone and the counters of dev are set: the keeper fails its
 * channels.
 */
void part_dev_settle(struct part_dev *d, int res, struct frame *f, uint64_t now_ns);

/* Worker: does what the identifying register gave belong to this part? -ENODEV with the reason. */
int part_dev_identify(const struct part *p, const uint8_t *in, struct why *why);

/* Worker: the file can not be opened; err as open() had it, advice where one knows. */
int part_dev_no_file(struct dev *dev, int err, const char *path, const char *group,
		     const char *advice);

/* The last part of the path that a link of sysfs points to (a driver's name). */
bool part_dev_link_name(const char *path, char *name, size_t size);

uint64_t part_dev_now_ns(void);
void part_dev_sleep_until(uint64_t t_ns);

#endif
