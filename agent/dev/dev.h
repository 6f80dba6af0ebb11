/* SPDX-License-Identifier: MIT */
/*
 * dev: the contract of this folder. One file per way to reach a sensor, each a
 * small table of operations; a device has one fd and feeds one or more channels
 * of a frame. Devices belong to the pipeline's thread after dev_open.
 */
#ifndef SONDE_DEV_H
#define SONDE_DEV_H

#include <stddef.h>
#include <stdint.h>

#include "agent/frame.h"
#include "agent/ring.h"

struct sensor_config;
struct why;
struct dev;

struct dev_ops {
	const char *kind;
	/*
	 * Main thread, before the pipeline runs: open files, allocate and lock all
	 * that will ever be needed. A device that is not there is no error: it comes
	 * back in the state CHANNEL_ABSENT. Errors are configuration errors.
	 */
	int (*open)(struct dev **out, const struct sensor_config *s,
		    unsigned first_channel, struct why *why);
	/* Pipeline thread: give the fd to the ring; arm what runs by itself. */
	int (*attach)(struct dev *d, struct ring *r, uint32_t token, struct why *why);
	/* A tick at t_ns: ask for what this tick needs. Returns reads now under way. */
	unsigned (*start)(struct dev *d, struct ring *r, uint64_t t_ns);
	/*
	 * Completion with this device's token: decode into the frame. Returns how many of
	 * this tick's reads it settled (a stream: 0). No allocation, lock, log or call.
	 */
	unsigned (*complete)(struct dev *d, struct ring *r,
			     const struct ring_event *e, struct frame *f, uint64_t now_ns);
	void (*close)(struct dev *d);
};

/* Every kind begins with this. */
struct dev {
	const struct dev_ops *ops;
	const struct sensor_config *config;
	unsigned first_channel, channels;
	uint32_t token;
	uint64_t reads, errors, bytes;
	int last_error;			/* -errno of the last failure, 0 after a success */
};

/* Zeroed pages, present and (where permitted) locked; NULL when there are none. */
void *dev_alloc(size_t size);
void dev_free(void *p, size_t size);

extern const struct dev_ops dev_sysfs, dev_stream;

/* The ops for a configured kind, or NULL. */
const struct dev_ops *dev_find(const char *kind);

#endif
