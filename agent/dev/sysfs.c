// SPDX-License-Identifier: MIT
/*
 * sysfs: one file of sysfs or procfs, read at offset 0, out of line, since a show()
 * function may talk to a bus. Of a file with a single value exactly as many bytes are
 * asked for as it was long: a longer request costs the kernel a second pass to find
 * the end. A read that fills the request without the line's end may have cut the
 * number, so it is done again with room.
 *
 * A procfs file longer than a page comes in pieces (fs/seq_file.c, seq_read_iter): that
 * is found out at open, and such a file is read to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/dev/dev.h"
#include "kernels/why.h"

#define ROOM 4096		/* beyond what the file held at open: it may grow */
#define LENGTH_MAX (1u << 20)

struct sysfs {
	struct dev dev;
	int fd, index;
	char *buf;
	unsigned size, ask, fill;	/* of buf: all, to be asked for, arrived */
	bool pieces;			/* one read does not bring all of it */
	bool reading;
	struct rate *rate;		/* window slots a counter channel, in turn */
	unsigned *rates_before;		/* where those of a channel begin */
	unsigned slots, reads_kept;
	size_t rate_bytes;
};

static unsigned window(const struct channel_config *c)
{
	return !c->counter ? 0 : c->window ? c->window : 1;
}

static void sysfs_shut(struct dev *dev)
{
	struct sysfs *d = (struct sysfs *)dev;

	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static void sysfs_free(struct dev *dev)
{
	struct sysfs *d = (struct sysfs *)dev;

	dev_free(d->buf, d->size);
	dev_free(d->rate, d->rate_bytes);
	dev_free(d, sizeof *d);
}

static int sysfs_create(struct dev **out, const struct sensor_config *s,
			unsigned first_channel, struct why *why)
{
	struct sysfs *d = dev_alloc(sizeof *d);

	*out = NULL;
	if (!d)
		return why_set(why, -ENOMEM, "no memory for %s", s->path);
	d->dev = (struct dev){
		.ops = &dev_sysfs, .config = s, .first_channel = first_channel,
		.channels = s->channels,
	};
	d->fd = d->index = -1;
	for (unsigned i = 0; i < s->channels; i++)
		d->slots += window(&s->channel[i]);
	d->rate_bytes = d->slots * sizeof *d->rate + (s->channels + 1) * sizeof *d->rates_before;
	d->rate = dev_alloc(d->rate_bytes);
	if (!d->rate) {
		sysfs_free(&d->dev);
		return why_set(why, -ENOMEM, "no memory for %s", s->path);
	}
	d->rates_before = (unsigned *)(d->rate + d->slots);
	for (unsigned i = 0, slots = 0; i < s->channels; i++) {
		d->rates_before[i] = slots;
		slots += window(&s->channel[i]);
	}
	*out = &d->dev;
	return 0;
}

/* How long the file is now; -errno when it can not be read. */
static int measure(int fd, unsigned *length)
{
	char piece[4096];
	unsigned total = 0;
	ssize_t n;

	while ((n = pread(fd, piece, sizeof piece, total)) > 0) {
		total += (unsigned)n;
		if (total > LENGTH_MAX)
			return -EFBIG;
	}
	*length = total;
	return n < 0 ? -errno : 0;
}

/*
 * A FIFO would hold the open, and later every read, until somebody writes. So it is opened
 * without waiting, and refused for what it is; a file's reads may take their time.
 */
static int open_regular(const char *path, int *fd, struct why *why)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, &st) || fcntl(*fd, F_SETFL, O_RDONLY))
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) || S_ISSOCK(st.st_mode))
		return why_set(why, -EINVAL, "%s is no file but a %s: kind = stream reads those",
			       path, S_ISFIFO(st.st_mode) ? "FIFO" : "device");
	return 0;
}

/* The length is known only here, so this is the one allocation after create(). */
static int make_room(struct sysfs *d, unsigned length)
{
	unsigned size = 2 * length + ROOM;

	if (size > d->size) {
		dev_free(d->buf, d->size);
		d->size = 0;
		d->buf = dev_alloc(size);
		if (!d->buf)
			return why_set(&d->dev.why, -ENOMEM, "no memory for %s",
				       d->dev.config->path);
		d->size = size;
	}
	d->ask = d->size;
	return 0;
}

static int sysfs_open(struct dev *dev)
{
	struct sysfs *d = (struct sysfs *)dev;
	const char *path = dev->config->path;
	unsigned length = 0;
	int err;

	sysfs_shut(dev);
	err = open_regular(path, &d->fd, &dev->why);
	if (err)
		goto fail;
	/* A file that can not be read now may be readable later: its reads will fail, counted. */
	err = measure(d->fd, &length);
	if (err == -EISDIR || err == -EFBIG || err == -ENODEV || err == -ENXIO) {
		why_set(&dev->why, err, "%s: %s", path, strerror(-err));
		goto fail;
	}
	err = make_room(d, length);
	if (err)
		goto fail;
	d->pieces = pread(d->fd, d->buf, d->size, 0) < (ssize_t)length;
	d->reads_kept = 0;
	for (unsigned i = 0; i < d->slots; i++)
		d->rate[i].primed = false;
	return 0;
fail:
	sysfs_shut(dev);
	return err;
}

static int sysfs_attach(struct dev *dev, struct ring *r)
{
	struct sysfs *d = (struct sysfs *)dev;

	d->reading = false;
	d->index = ring_add(r, d->fd, true, &dev->why);
	return d->index < 0 ? d->index : 0;
}

static int sysfs_detach(struct dev *dev, struct ring *r)
{
	struct sysfs *d = (struct sysfs *)dev;
	int err = d->index < 0 ? 0 : ring_remove(r, d->index);

	if (!err)
		d->index = -1;
	return err;
}

static int ask(struct sysfs *d, struct ring *r)
{
	int err = ring_read_at(r, d->index, d->buf + d->fill, d->ask - d->fill, d->fill,
			       d->dev.token);

	d->reading = !err;
	return err;
}

static unsigned sysfs_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	struct sysfs *d = (struct sysfs *)dev;

	if (d->index < 0 || d->reading)
		return 0;
	d->fill = 0;
	return ask(d, r) ? 0 : 1;
}

static void decode(struct sysfs *d, unsigned len, struct frame *f, uint64_t now_ns)
{
	const struct sensor_config *s = d->dev.config;

	for (unsigned i = 0; i < s->channels; i++) {
		const struct channel_config *c = &s->channel[i];
		unsigned channel = d->dev.first_channel + i, slots = window(c);
		double v;
		int err = decode_text(&c->text, d->buf, len, &v);

		if (err) {
			d->dev.errors++;
			d->dev.error = err;
			frame_fail(f, channel, CHANNEL_FAULTY, FAULT_FORMAT);
			continue;
		}
		if (slots) {
			/* The slot in turn holds the sample of `slots` reads ago. */
			struct rate *rate = d->rate + d->rates_before[i] + d->reads_kept % slots;

			if (decode_rate(rate, v, now_ns, c->wrap, &v))
				frame_put(f, channel, (float)(v * c->scale), now_ns);
			else
				frame_probe(f, channel);
		} else {
			frame_put(f, channel, (float)((v + c->offset) * c->scale), now_ns);
		}
	}
	d->reads_kept++;
}

/* 1: all of it has arrived; 0: another read was asked for. */
static int collect(struct sysfs *d, struct ring *r, int res)
{
	d->dev.bytes += (unsigned)res;
	d->fill += (unsigned)res;
	if (d->pieces && res > 0 && d->fill < d->size)
		return ask(d, r) ? 1 : 0;
	if (d->dev.config->single && !d->pieces) {
		bool whole = d->fill < d->ask || (d->fill && d->buf[d->fill - 1] == '\n');

		if (!whole && d->ask < d->size) {
			d->ask = d->size;
			d->fill = 0;
			return ask(d, r) ? 1 : 0;
		}
		/* One byte more where nothing marks the end: a short read is whole. */
		if (d->ask == d->size && d->fill && d->fill < d->size)
			d->ask = d->fill + (d->buf[d->fill - 1] != '\n');
	}
	return 1;
}

static unsigned sysfs_complete(struct dev *dev, struct ring *r,
			       const struct ring_event *e, struct frame *f, uint64_t now_ns)
{
	struct sysfs *d = (struct sysfs *)dev;
	unsigned len;

	if (e->kind != RING_READ)
		return 0;
	d->reading = false;
	if (e->res < 0) {
		dev->errors++;
		dev->error = e->res;
		return 1;
	}
	if (!collect(d, r, e->res))
		return 0;
	dev->reads++;
	dev->error = 0;
	len = d->fill;
	/* A file that outgrew the buffer: its last line is cut, those before are whole. */
	if (len == d->size)
		while (len && d->buf[len - 1] != '\n')
			len--;
	if (len) {
		decode(d, len, f, now_ns);
		return 1;
	}
	dev->errors++;
	dev->error = -ENODATA;
	for (unsigned i = 0; i < dev->channels; i++)
		frame_fail(f, dev->first_channel + i, CHANNEL_FAULTY, FAULT_SHORT);
	return 1;
}

const struct dev_ops dev_sysfs = {
	.kind = "sysfs",
	.create = sysfs_create,
	.open = sysfs_open,
	.attach = sysfs_attach,
	.start = sysfs_start,
	.complete = sysfs_complete,
	.detach = sysfs_detach,
	.shut = sysfs_shut,
	.free = sysfs_free,
};
