/* SPDX-License-Identifier: MIT */
/*
 * dev: the contract of this folder. One file per way to reach a sensor, each a
 * small table of operations; a device feeds one or more channels of a frame.
 *
 * Three threads touch a device, never two at once: main makes and frees it, a worker
 * (agent/worker.h) does what may block, the pipeline's thread does the rest. The
 * keeper (agent/keeper.h) says when; what one thread wrote before it handed the device
 * over, the next one sees.
 */
#ifndef SONDE_DEV_H
#define SONDE_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/frame.h"
#include "agent/ring.h"
#include "kernels/why.h"

struct sensor_config;
struct dev;

/* How the bytes of a device come: what the kernel was asked to do, not a guess. */
enum dev_path { DEV_PATH_INLINE, DEV_PATH_POLL, DEV_PATH_WORKER, DEV_PATH_BUS };

struct dev_ops {
	const char *kind;
	/*
	 * Main: check the configuration, allocate and lock all memory that will ever be
	 * needed. Opens nothing. Errors are configuration errors.
	 */
	int (*create)(struct dev **out, const struct sensor_config *s, unsigned first_channel,
		      struct why *why);
	/*
	 * Worker: find the device, open it, set it up (init writes, trigger, buffer). Called again
	 * after failures: of an open one it repeats the set-up. -ENOENT, -ENODEV,
	 * -ENXIO: it is not there. Other -errno: it is there and does not work. The reason goes to
	 * d->why; after an error nothing of this attempt stays open.
	 */
	int (*open)(struct dev *d);
	/* Pipeline: after an open; give fds to the ring, arm what runs by itself. -errno. */
	int (*attach)(struct dev *d, struct ring *r);
	/*
	 * Pipeline, at every tick from attach() to detach(), before start(): what time alone makes:
	 * a level that did not change is not old, edges that stay away lower their rate, half a
	 * frame has lost its writer. What it puts into the frame is a reading as any (d->reads).
	 * NULL: nothing. No system call.
	 */
	void (*tick)(struct dev *d, struct frame *f, uint64_t t_ns);
	/*
	 * Pipeline, at a tick, or at an edge of the sensor's trigger: ask the ring for what is
	 * needed. Returns how many completions this tick shall wait for (a stream: 0). Kinds
	 * with a transfer() do not have it: the keeper hands them to their worker.
	 */
	unsigned (*start)(struct dev *d, struct ring *r, uint64_t t_ns);
	/*
	 * Pipeline: a completion with this device's token, or the end of its transfer
	 * (RING_POST, e->res as transfer() returned it): decode into the frame. Returns how many of
	 * this tick's completions it settled. No allocation, lock, log or system call.
	 */
	unsigned (*complete)(struct dev *d, struct ring *r, const struct ring_event *e,
			     struct frame *f, uint64_t now_ns);
	/*
	 * Worker: one whole reading over a bus into the device's own buffer. Bytes or -errno.
	 * -EAGAIN: d->again_ns says when to be called again (a conversion wait), so that
	 * other devices of the bus have their turn. NULL for what the ring reads.
	 */
	int (*transfer)(struct dev *d);
	/* Pipeline: take the fds out of the ring. -EBUSY: a read is under way; call again later. */
	int (*detach)(struct dev *d, struct ring *r);
	/* Worker, or main when the threads are gone: close what open() opened. */
	void (*shut)(struct dev *d);
	/* Main. */
	void (*free)(struct dev *d);
};

/* Every kind begins with this. */
struct dev {
	const struct dev_ops *ops;
	const struct sensor_config *config;
	unsigned first_channel, channels;
	/* The low 16 bits of the token of each of its reads; the high 16 are its own. */
	uint32_t token;
	char bus[32];			/* worker that serves it: "i2c-1"; "": the one for files */
	struct why why;			/* why the last open() failed; worker writes, keeper copies */
	int error;			/* of the last completion: -errno; 0: values came */
	bool gone;			/* complete() saw that the file is dead: reopen it */
	uint64_t reads, errors, bytes;
	uint64_t again_ns;		/* CLOCK_MONOTONIC, with -EAGAIN of transfer() */
	/*
	 * Set by create(), or by an open() that has measured it: a reading takes so long by its
	 * nature, as a 1-Wire conversion does: no tick waits for it, and its deadline is no less
	 * than twice that. 0: ticks wait.
	 */
	uint64_t slow_ns;
	/* A source of edges: how many so far, and the kernel's time of the last one. */
	uint64_t edges, edge_ns;
};

#define DEV_TOKEN(d, own) ((d)->token | (uint32_t)(own) << 16)
#define DEV_TOKEN_OWN(token) ((token) >> 16)

/* Zeroed pages, present and (where permitted) locked; NULL when there are none. */
void *dev_alloc(size_t size);
void dev_free(void *p, size_t size);

/* Pipeline: attach() and detach() of a kind with one file whose bytes come by themselves. */
int dev_flow_attach(struct dev *d, struct ring *r, int fd, int *index);
int dev_flow_detach(struct ring *r, int *index);

extern const struct dev_ops dev_sysfs, dev_stream, dev_i2c, dev_spi, dev_iio, dev_hwmon, dev_gpio,
	dev_serial;

/* The ops for a configured kind ("thermal" and "w1" are hwmon's), or NULL. */
const struct dev_ops *dev_find(const char *kind);

/*
 * The unit that these kinds give for an attribute whose channel says neither unit nor scale:
 * "G" for magn_x, "°C" for temp1_input; "" where the number has none. Never NULL, and no
 * I/O: the configuration fills in units with them.
 */
const char *iio_unit(const char *attribute);
const char *hwmon_unit(const char *kind, const char *attribute);	/* hwmon, thermal, w1 */

#endif
