// SPDX-License-Identifier: MIT
/*
 * iio_stream: scans as they come out of an IIO buffer, to values with their times. A scan
 * has the kernel's time of the sample where there is one; else those of one read are
 * spread over the time since the read before.
 *
 * The character device does not tell that its device was unplugged: poll() answers
 * "nothing" then (industrialio-buffer.c, iio_buffer_poll). So a stream that has been silent
 * for long has buffer/enable read, an open file of that very device: it fails when the
 * device has gone, and says 0 when somebody else has switched the buffer off.
 */
#include <errno.h>
#include <string.h>

#include "agent/dev/iio_impl.h"

/* So long, and so many scans that did not come: look, before the keeper calls it a time-out. */
#define SILENT_NS 500000000u
#define SILENT_SCANS 3
#define GAP_NS 250000000u	/* half a scan is given up after so long, */
#define GAP_TICKS 3		/* and so many ticks: this thread may have been held meanwhile */
#define OLD_NS 10000000000u	/* a timestamp further back is none */
#define GRID_SCANS 16		/* so many are compared with the timer */

void iio_stream_reset(struct iio *d)
{
	d->armed = d->watching = false;
	d->bytes_ns = d->heard_ns = d->scan_ns = d->grid_ns = 0;
	d->carried = d->quiet = 0;
}

/* ---- scans */

static uint64_t timestamp(const struct iio *d, const uint8_t *scan, uint64_t now_ns)
{
	uint64_t t;

	if (!d->timestamp)
		return 0;
	t = (uint64_t)decode_scan(&d->element[d->elements].scan, scan);
	if (t <= d->scan_ns || t + OLD_NS < now_ns)
		return 0;
	/* Drivers that read a FIFO extrapolate, at times beyond now. */
	return t < now_ns ? t : now_ns;
}

static void fail_all(struct iio *d, enum channel_state state, enum channel_fault fault,
		     struct frame *f)
{
	d->dev.errors++;
	for (unsigned i = 0; i < d->dev.channels; i++)
		frame_fail(f, d->dev.first_channel + i, state, fault);
}

/*
 * How late a scan is for the timer's grid. One that is late is made up for by the next; when
 * of so many even the most punctual is a period late, one has not come.
 */
static void compare_with_grid(struct iio *d, uint64_t t_ns, struct frame *f)
{
	int64_t period = (int64_t)d->period_ns, late;

	if (!d->grid_ns) {
		d->grid_ns = t_ns;
		d->count = 0;
	}
	late = (int64_t)(t_ns - d->grid_ns);
	d->grid_ns += d->period_ns;
	if (!d->count++ || late < d->least_late)
		d->least_late = late;
	if (d->count < GRID_SCANS)
		return;
	if (d->least_late > period - period / 4)
		fail_all(d, CHANNEL_FAULTY, FAULT_LOST, f);
	d->grid_ns += (uint64_t)d->least_late;
	d->count = 0;
}

static void scan(struct iio *d, const uint8_t *data, uint64_t arrival_ns, uint64_t now_ns,
		 struct frame *f)
{
	uint64_t t = timestamp(d, data, now_ns);

	if (t && d->grid)
		compare_with_grid(d, t, f);
	if (!t)
		t = arrival_ns;
	d->scan_ns = t;
	d->dev.reads++;
	for (unsigned i = 0; i < d->elements; i++) {
		const struct scan_element *e = &d->element[i].scan;
		int64_t raw = decode_scan(e, data);

		attr_put(&d->attrs, &d->dev, i, e->is_signed ? (double)raw : (double)(uint64_t)raw,
			 t, f);
	}
}

/* Between two of n scans that arrived together. */
static uint64_t spacing(const struct iio *d, unsigned n, uint64_t now_ns)
{
	uint64_t step = d->period_ns;

	if (d->bytes_ns && now_ns > d->bytes_ns && (!step || (now_ns - d->bytes_ns) / n < step))
		step = (now_ns - d->bytes_ns) / n;
	return step < now_ns / n ? step : 0;
}

static void take(struct iio *d, const uint8_t *data, unsigned n, struct frame *f, uint64_t now_ns)
{
	const unsigned size = d->scan_bytes;
	unsigned scans = (d->carried + n) / size;
	uint64_t step = scans ? spacing(d, scans, now_ns) : 0;

	d->dev.bytes += n;
	d->quiet = 0;
	if (d->carried) {
		unsigned rest = size - d->carried;

		if (rest > n)
			rest = n;
		memcpy(d->carry + d->carried, data, rest);
		d->carried += rest;
		data += rest;
		n -= rest;
		if (d->carried == size) {
			d->carried = 0;
			scan(d, d->carry, now_ns - --scans * step, now_ns, f);
		}
	}
	for (; n >= size; data += size, n -= size)
		scan(d, data, now_ns - --scans * step, now_ns, f);
	if (n) {
		memcpy(d->carry, data, n);
		d->carried = n;
	}
	d->bytes_ns = d->heard_ns = now_ns;
}

/* ---- the ring's side */

static void arm(struct iio *d, struct ring *r)
{
	d->armed = !ring_stream(r, d->index, DEV_TOKEN(&d->dev, IIO_STREAM));
}

void iio_stream_start(struct iio *d, struct ring *r, uint64_t t_ns)
{
	uint64_t silent = SILENT_SCANS * d->period_ns;

	if (d->index < 0)
		return;
	if (!d->armed)
		arm(d, r);
	if (!d->heard_ns)
		d->heard_ns = t_ns;
	if (!d->watching && t_ns > d->heard_ns + (silent > SILENT_NS ? silent : SILENT_NS))
		d->watching = !ring_read(r, d->enable_index, d->enabled, sizeof d->enabled,
					 DEV_TOKEN(&d->dev, IIO_WATCH));
}

void iio_stream_tick(struct iio *d, uint64_t t_ns)
{
	if (++d->quiet >= GAP_TICKS && d->carried && t_ns > d->bytes_ns + GAP_NS) {
		d->carried = 0;
		d->dev.errors++;
	}
}

static void gone(struct iio *d, int err, struct frame *f)
{
	fail_all(d, err == -ENODEV ? CHANNEL_ABSENT : CHANNEL_FAULTY, attr_fault(err), f);
	d->dev.error = err;
	d->dev.gone = true;
}

static void watched(struct iio *d, int res, struct frame *f, uint64_t now_ns)
{
	d->watching = false;
	if (res == -ECANCELED)
		return;
	if (res <= 0)
		gone(d, res ? res : -ENODEV, f);
	else if (d->enabled[0] != '1')
		gone(d, -EBUSY, f);
	else
		d->heard_ns = now_ns;
}

void iio_stream_complete(struct iio *d, struct ring *r, const struct ring_event *e,
			 struct frame *f, uint64_t now_ns)
{
	bool ended = e->res <= 0 && e->res != -ENOBUFS && e->res != -EAGAIN;

	if (e->kind == RING_READ && DEV_TOKEN_OWN(e->token) == IIO_WATCH) {
		watched(d, e->res, f, now_ns);
		return;
	}
	if (e->kind != RING_STREAM || e->res == -ECANCELED)
		return;
	d->armed = e->more;
	if (e->res > 0) {
		d->dev.error = 0;
		take(d, e->data, (unsigned)e->res, f, now_ns);
	} else if (e->more) {
		/* Bytes were lost on the way: what comes is not the rest of what was begun. */
		d->dev.errors++;
		d->dev.error = -ENOBUFS;
		d->carried = 0;
	} else if (ended) {
		gone(d, e->res ? e->res : -ENODEV, f);
	}
	/* The kernel stopped, the device did not; what it had no buffers for is still there. */
	if (!e->more && !ended)
		arm(d, r);
}
