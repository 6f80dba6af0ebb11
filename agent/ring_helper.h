/* SPDX-License-Identifier: MIT */
/*
 * ring_helper: one thread that reads and writes files which may block, for the epoll ring.
 * One request a file, so both queues hold as many entries as there are files and
 * are never full. It stays off the pipeline's core and inherits its priority, as io_uring's
 * workers do: a tick waits for what it reads. While a command waits for its device, the other
 * files are served.
 */
#ifndef SONDE_RING_HELPER_H
#define SONDE_RING_HELPER_H

#include <stdbool.h>
#include <stdint.h>

struct helper;
struct why;

struct helper_job {
	unsigned index;
	int fd;
	void *buf;
	unsigned len;
	uint64_t offset;
	const void *out;	/* a command: written first */
	unsigned outs;		/* 0: a read */
	uint64_t wait_ns;	/* between the two */
	int res;		/* bytes or -errno, when done */
};

/* notify_fd: an eventfd that is written after each finished job. */
int helper_open(struct helper **out, unsigned files, int core, int notify_fd, struct why *why);

/* Finishes the job in hand, drops the others. */
void helper_close(struct helper *h);

void helper_submit(struct helper *h, const struct helper_job *job);

/* The next finished job; false: none. */
bool helper_done(struct helper *h, struct helper_job *job);

#endif
