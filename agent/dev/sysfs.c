// SPDX-License-Identifier: MIT
/*
 * sysfs: one file of sysfs or procfs, read at offset 0 on each every-th tick, out of
 * line, since a show() function may talk to a bus. Of a file with a single value
 * exactly as many bytes are asked for as it was long: a longer request costs the
 * kernel a second pass to find the end. A read that fills the request without the
 * line's end may have cut the number, so it is done again with room.
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
	bool begun;			/* the first read was asked for */
	bool reading, late;		/* late: the read under way belongs to a tick gone by */
	uint64_t countdown;
	struct rate *rate;		/* window slots a counter channel, in turn */
	unsigned *rates_before;		/* where those of a channel begin */
	unsigned reads_kept;
	size_t rate_bytes;
};

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

static unsigned window(const struct channel_config *c)
{
	return !c->counter ? 0 : c->window ? c->window : 1;
}

static int open_memory(struct sysfs *d, unsigned length, struct why *why)
{
	const struct sensor_config *s = d->dev.config;
	unsigned slots = 0;

	d->size = 2 * length + ROOM;
	d->ask = d->size;
	for (unsigned i = 0; i < s->channels; i++)
		slots += window(&s->channel[i]);
	d->rate_bytes = slots * sizeof *d->rate + (s->channels + 1) * sizeof *d->rates_before;
	d->buf = dev_alloc(d->size);
	d->rate = dev_alloc(d->rate_bytes);
	if (!d->buf || !d->rate)
		return why_set(why, -ENOMEM, "no memory for %s", s->path);
	d->rates_before = (unsigned *)(d->rate + slots);
	slots = 0;
	for (unsigned i = 0; i < s->channels; i++) {
		d->rates_before[i] = slots;
		slots += window(&s->channel[i]);
	}
	return 0;
}

static void sysfs_close(struct dev *dev)
{
	struct sysfs *d = (struct sysfs *)dev;

	if (d->fd >= 0)
		close(d->fd);
	dev_free(d->buf, d->size);
	dev_free(d->rate, d->rate_bytes);
	dev_free(d, sizeof *d);
}

/*
 * A FIFO would hold the open, and later every read, until somebody writes. So it is opened
 * without waiting, and refused for what it is; a file's reads may take their time.
 */
static int open_regular(const char *path, int *fd, struct why *why)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return 0;
	if (fstat(*fd, &st) || fcntl(*fd, F_SETFL, O_RDONLY))
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) || S_ISSOCK(st.st_mode))
		return why_set(why, -EINVAL, "%s is no file but a %s: kind = stream reads those", path,
			       S_ISFIFO(st.st_mode) ? "FIFO" : "device");
	return 0;
}

static int sysfs_open(struct dev **out, const struct sensor_config *s,
		      unsigned first_channel, struct why *why)
{
	struct sysfs *d = dev_alloc(sizeof *d);
	unsigned length = 0;
	int err;

	*out = NULL;
	if (!d)
		return why_set(why, -ENOMEM, "no memory for %s", s->path);
	d->dev = (struct dev){
		.ops = &dev_sysfs, .config = s, .first_channel = first_channel,
		.channels = s->channels,
	};
	d->index = -1;
	err = open_regular(s->path, &d->fd, why);
	if (err)
		goto fail;
	if (d->fd < 0) {
		d->dev.last_error = -errno;
		*out = &d->dev;
		return 0;
	}
	/* A file that can not be read now may be readable later: its reads will fail, counted. */
	err = measure(d->fd, &length);
	if (err == -EISDIR || err == -EFBIG) {
		why_set(why, err, "%s: %s", s->path, strerror(-err));
		goto fail;
	}
	err = open_memory(d, length, why);
	if (err)
		goto fail;
	d->pieces = pread(d->fd, d->buf, d->size, 0) < (ssize_t)length;
	*out = &d->dev;
	return 0;
fail:
	sysfs_close(&d->dev);
	return err;
}

static int sysfs_attach(struct dev *dev, struct ring *r, uint32_t token, struct why *why)
{
	struct sysfs *d = (struct sysfs *)dev;

	d->dev.token = token;
	if (d->fd < 0)
		return 0;
	d->index = ring_add(r, d->fd, true, why);
	return d->index < 0 ? d->index : 0;
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
	uint64_t every = d->dev.config->every ? d->dev.config->every : 1;

	if (d->index < 0)
		return 0;
	if (d->reading) {
		d->late = true;
		return 0;
	}
	if (d->countdown) {
		d->countdown--;
		return 0;
	}
	/* After the first read, slow files of one rhythm take turns. */
	d->countdown = d->begun ? every - 1 : dev->token % every;
	d->begun = true;
	d->late = false;
	d->fill = 0;
	return ask(d, r) ? 0 : 1;
}

static void fail(struct sysfs *d, struct frame *f, int err)
{
	d->dev.errors++;
	d->dev.last_error = err;
	for (unsigned i = 0; i < d->dev.channels; i++)
		frame_fail(f, d->dev.first_channel + i, CHANNEL_FAULTY);
}

static void decode(struct sysfs *d, unsigned len, struct frame *f, uint64_t now_ns)
{
	const struct sensor_config *s = d->dev.config;

	d->dev.last_error = 0;
	for (unsigned i = 0; i < s->channels; i++) {
		const struct channel_config *c = &s->channel[i];
		unsigned channel = d->dev.first_channel + i, slots = window(c);
		double v;
		int err = decode_text(&c->text, d->buf, len, &v);

		if (err) {
			d->dev.errors++;
			d->dev.last_error = err;
			frame_fail(f, channel, CHANNEL_FAULTY);
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
		fail(d, f, e->res);
		goto settled;
	}
	if (!collect(d, r, e->res))
		return 0;
	d->dev.reads++;
	len = d->fill;
	/* A file that outgrew the buffer: its last line is cut, those before are whole. */
	if (len == d->size)
		while (len && d->buf[len - 1] != '\n')
			len--;
	if (len)
		decode(d, len, f, now_ns);
	else
		fail(d, f, -ENODATA);
settled:
	return d->late ? 0 : 1;
}

const struct dev_ops dev_sysfs = {
	.kind = "sysfs",
	.open = sysfs_open,
	.attach = sysfs_attach,
	.start = sysfs_start,
	.complete = sysfs_complete,
	.close = sysfs_close,
};
