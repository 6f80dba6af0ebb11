// SPDX-License-Identifier: MIT
/*
 * serial_frame: a sliding window of one frame's length. Each lost frame is complained of once:
 * when what follows a good frame is none; after that, or when nothing was ever
 * good, when as many bytes have gone by as the next frame would have needed. A start that
 * turns up by chance in the data of a frame that was joined in its middle is no loss.
 */
#include "agent/dev/serial_frame.h"

#include <errno.h>
#include <string.h>

int serial_frame_init(struct serial_frame *f, const struct part *part)
{
	unsigned sum = part->sum == PART_SUM_16BE ? 2 : part->sum != PART_SUM_NONE;

	memset(f, 0, sizeof *f);
	f->part = part;
	if (part->length > sizeof f->buf || part->starts > sizeof part->start ||
	    !(part->starts + sum) || part->starts + sum >= part->length)
		return -EINVAL;
	return 0;
}

static void drop(struct serial_frame *f, unsigned n)
{
	f->have -= n;
	memmove(f->buf, f->buf + n, f->have);
}

/* Could a frame begin with buf[have], as far as that goes? */
static bool may_begin(const struct serial_frame *f)
{
	unsigned n = f->have < f->part->starts ? f->have : f->part->starts;

	return !memcmp(f->buf, f->part->start, n);
}

/* The first byte of buf begins no frame; bad_sum: it looked like it up to the checksum. */
static enum serial_frame_result skip(struct serial_frame *f, bool bad_sum)
{
	bool lost = f->synced || f->skipped >= (bad_sum ? 1 : 2) * f->part->length;

	drop(f, 1);
	f->synced = false;
	f->skipped = lost ? 1 : f->skipped + 1;
	if (!lost)
		return SERIAL_FRAME_MORE;
	return bad_sum ? SERIAL_FRAME_SUM : SERIAL_FRAME_GARBAGE;
}

/* What buf shows: a frame, a loss, or nothing to tell yet. */
static enum serial_frame_result judge(struct serial_frame *f)
{
	if (!may_begin(f))
		return skip(f, false);
	if (f->have < f->part->length)
		return SERIAL_FRAME_MORE;
	if (!part_frame_ok(f->part, f->buf))
		return skip(f, true);
	f->synced = true;
	f->skipped = 0;
	f->taken = true;
	return SERIAL_FRAME_GOOD;
}

enum serial_frame_result serial_frame_take(struct serial_frame *f, const uint8_t **data,
					   unsigned *n)
{
	enum serial_frame_result got;

	if (f->taken)
		f->have = 0;
	f->taken = false;
	do {
		/* What moved up after a skip is judged before more is taken. */
		if (!f->have || may_begin(f)) {
			if (!*n)
				return SERIAL_FRAME_MORE;
			f->buf[f->have++] = *(*data)++;
			(*n)--;
		}
		got = judge(f);
	} while (got == SERIAL_FRAME_MORE);
	return got;
}

bool serial_frame_gap(struct serial_frame *f)
{
	bool any = f->have && !f->taken;

	f->have = 0;
	f->taken = false;
	f->synced = false;
	return any;
}
