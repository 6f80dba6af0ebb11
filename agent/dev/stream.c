// SPDX-License-Identifier: MIT
/*
 * stream: a FIFO, a tty or another pollable file that brings binary scans of one fixed
 * size, laid out as an IIO buffer lays them out. A scan that a read cuts in two is carried
 * over to the next; one that stays half while ticks go by lost its writer and is dropped,
 * so that the next writer's scans begin where they should.
 *
 * A FIFO is opened for writing as well: then it never ends when its writer goes, the
 * channels simply grow old, and the next writer is read on. A file that has ended (a tty
 * that was unplugged) is gone: the keeper opens it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/dev/dev.h"
#include "kernels/why.h"

#define GAP_NS 250000000u	/* half a scan is given up after so long, */
#define GAP_TICKS 3		/* and so many ticks: this thread may have been held meanwhile */

struct stream {
	struct dev dev;
	int fd, index;
	uint8_t *carry;			/* the beginning of a scan */
	unsigned carried, quiet;	/* quiet: ticks since the last bytes */
	uint64_t last_ns;		/* of the last bytes */
	struct rate *rate;		/* one a channel */
	size_t memory;
};

/* Bytes as they come: no lines, no echo, no signals, no flow control by characters. */
static void make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return;
	cfmakeraw(&t);
	t.c_cflag |= CREAD | CLOCAL;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	tcsetattr(fd, TCSANOW, &t);
}

/* The file, ready for the ring; -errno, with *wrong when this can never be a stream. */
static int open_file(const char *path, bool *wrong)
{
	const int flags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = open(path, O_RDONLY | flags), both;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		close(fd);
		return -EIO;
	}
	*wrong = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode);
	if (*wrong) {
		close(fd);
		return -EINVAL;
	}
	if (S_ISFIFO(st.st_mode)) {
		/* Without the right to write to it, it ends with each writer and is reopened. */
		both = open(path, O_RDWR | flags);
		if (both >= 0) {
			close(fd);
			fd = both;
		}
	}
	if (isatty(fd))
		make_raw(fd);
	return fd;
}

/* The elements must lie inside the scan: decode_scan() does not look. */
static int check_layout(const struct sensor_config *s, struct why *why)
{
	if (!s->scan_bytes || !s->channels)
		return why_set(why, -EINVAL, "%s: a stream needs the layout of its scans", s->path);
	for (unsigned i = 0; i < s->channels; i++) {
		const struct scan_element *e = &s->channel[i].scan;

		if (!e->bits || e->bits + e->shift > e->storage_bits || e->storage_bits > 64 ||
		    e->offset + e->storage_bits / 8u > s->scan_bytes)
			return why_set(why, -EINVAL, "%s: %s lies outside the scan of %u bytes",
				       s->path, s->channel[i].name, s->scan_bytes);
	}
	return 0;
}

static void stream_shut(struct dev *dev)
{
	struct stream *d = (struct stream *)dev;

	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static void stream_free(struct dev *dev)
{
	struct stream *d = (struct stream *)dev;

	dev_free(d, d->memory);
}

static int stream_create(struct dev **out, const struct sensor_config *s,
			 unsigned first_channel, struct why *why)
{
	struct stream *d;
	size_t memory;
	int err;

	*out = NULL;
	err = check_layout(s, why);
	if (err)
		return err;
	memory = sizeof *d + s->channels * sizeof *d->rate + s->scan_bytes;
	d = dev_alloc(memory);
	if (!d)
		return why_set(why, -ENOMEM, "no memory for %s", s->path);
	d->memory = memory;
	d->rate = (struct rate *)(d + 1);
	d->carry = (uint8_t *)(d->rate + s->channels);
	d->dev = (struct dev){
		.ops = &dev_stream, .config = s, .first_channel = first_channel,
		.channels = s->channels,
	};
	d->fd = d->index = -1;
	*out = &d->dev;
	return 0;
}

static int stream_open(struct dev *dev)
{
	struct stream *d = (struct stream *)dev;
	const char *path = dev->config->path;
	bool wrong = false;

	stream_shut(dev);
	d->fd = open_file(path, &wrong);
	if (wrong)
		return why_set(&dev->why, -EINVAL, "%s is no stream: a FIFO, a tty or a character "
			       "device is needed (sonde replay reads plain files)", path);
	if (d->fd < 0)
		return why_set(&dev->why, d->fd, "%s: %s", path, strerror(-d->fd));
	d->carried = 0;
	for (unsigned i = 0; i < dev->channels; i++)
		d->rate[i].primed = false;
	return 0;
}

static int stream_detach(struct dev *dev, struct ring *r)
{
	return dev_flow_detach(r, &((struct stream *)dev)->index);
}

static int stream_attach(struct dev *dev, struct ring *r)
{
	struct stream *d = (struct stream *)dev;

	return dev_flow_attach(dev, r, d->fd, &d->index);
}

/* No read belongs to a tick; here half a scan is given up. */
static unsigned stream_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	struct stream *d = (struct stream *)dev;

	d->quiet++;
	if (d->carried && d->quiet >= GAP_TICKS && t_ns > d->last_ns + GAP_NS) {
		d->carried = 0;
		d->dev.errors++;
	}
	return 0;
}

static void decode(struct stream *d, const uint8_t *scan, struct frame *f, uint64_t now_ns)
{
	const struct sensor_config *s = d->dev.config;

	d->dev.reads++;
	for (unsigned i = 0; i < s->channels; i++) {
		const struct channel_config *c = &s->channel[i];
		int64_t raw = decode_scan(&c->scan, scan);
		double v = c->scan.is_signed ? (double)raw : (double)(uint64_t)raw;
		unsigned channel = d->dev.first_channel + i;

		if (!c->counter)
			frame_put(f, channel, (float)((v + c->offset) * c->scale), now_ns);
		else if (decode_rate(&d->rate[i], v, now_ns, c->wrap, &v))
			frame_put(f, channel, (float)(v * c->scale), now_ns);
		else
			frame_probe(f, channel);
	}
}

static void take(struct stream *d, const uint8_t *data, unsigned n, struct frame *f,
		 uint64_t now_ns)
{
	unsigned scan = d->dev.config->scan_bytes;

	d->dev.bytes += n;
	d->last_ns = now_ns;
	d->quiet = 0;
	if (d->carried) {
		unsigned rest = scan - d->carried;

		if (rest > n)
			rest = n;
		memcpy(d->carry + d->carried, data, rest);
		d->carried += rest;
		data += rest;
		n -= rest;
		if (d->carried < scan)
			return;
		d->carried = 0;
		decode(d, d->carry, f, now_ns);
	}
	for (; n >= scan; data += scan, n -= scan)
		decode(d, data, f, now_ns);
	memcpy(d->carry, data, n);
	d->carried = n;
}

static unsigned stream_complete(struct dev *dev, struct ring *r,
				const struct ring_event *e, struct frame *f, uint64_t now_ns)
{
	struct stream *d = (struct stream *)dev;

	if (e->kind != RING_STREAM)
		return 0;
	dev->error = 0;
	if (e->res > 0) {
		take(d, e->data, (unsigned)e->res, f, now_ns);
	} else {
		/* Bytes may be missing: what was carried is not the beginning of what follows. */
		dev->errors++;
		dev->error = e->more ? -ENOBUFS : e->res ? e->res : -EPIPE;
		if (e->res != -ENOBUFS)
			d->carried = 0;
	}
	if (e->more)
		return 0;
	/* Either the kernel stopped and the file did not, or the file has ended. */
	if ((e->res <= 0 && e->res != -ENOBUFS) || ring_stream(r, d->index, dev->token))
		dev->gone = true;
	return 0;
}

const struct dev_ops dev_stream = {
	.kind = "stream",
	.create = stream_create,
	.open = stream_open,
	.attach = stream_attach,
	.start = stream_start,
	.complete = stream_complete,
	.detach = stream_detach,
	.shut = stream_shut,
	.free = stream_free,
};
