/* SPDX-License-Identifier: MIT */
/*
 * serial_frame: frames of fixed length out of a stream of bytes, as a part describes them: start
 * bytes, length, checksum. Bytes that are no frame are passed over one by one, never
 * a frame's length at once, so that the first good frame behind garbage is found.
 */
#ifndef SONDE_SERIAL_FRAME_H
#define SONDE_SERIAL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/part.h"

enum serial_frame_result {
	SERIAL_FRAME_MORE,	/* all bytes were taken */
	SERIAL_FRAME_GOOD,	/* f->buf[part->length] is one, until the next call */
	SERIAL_FRAME_SUM,	/* one was lost to its checksum */
	SERIAL_FRAME_GARBAGE,	/* bytes that begin no frame; again after two lengths of them */
};

struct serial_frame {
	const struct part *part;
	uint8_t buf[PART_BYTES_MAX];
	unsigned have;
	unsigned skipped;	/* bytes since the last frame or the last complaint */
	bool synced;		/* buf begins where a good frame ended */
	bool taken;		/* buf holds a frame that was handed out */
};

/*
 * part outlives it. -EINVAL: its frames can not be told from other bytes, or are longer
 * than PART_BYTES_MAX. Nothing is known of where the first frame begins.
 */
int serial_frame_init(struct serial_frame *f, const struct part *part);

/* Take bytes from *data until there is something to report; call until SERIAL_FRAME_MORE. */
enum serial_frame_result serial_frame_take(struct serial_frame *f, const uint8_t **data,
					   unsigned *n);

/* Nothing has come for long: what was begun will not be ended. True: there was something. */
bool serial_frame_gap(struct serial_frame *f);

#endif
