/* SPDX-License-Identifier: MIT */
/* serial_tty: a tty made to bring bytes as they come, at any rate that its hardware can do. */
#ifndef SONDE_SERIAL_TTY_H
#define SONDE_SERIAL_TTY_H

struct why;

/*
 * Worker: open path for reading, O_NONBLOCK, raw, ours alone. baud 0 leaves the rate as it is. The
 * descriptor or -errno; -ENOTTY: it is something else, -EBUSY: another program has it.
 */
int serial_tty_open(const char *path, unsigned baud, struct why *why);

#endif
