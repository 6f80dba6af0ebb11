// SPDX-License-Identifier: MIT
/*
 * capture: rows of channel values to a CSV file. An own buffer instead of stdio: a row is
 * in the file whole or not at all, and a full disk is seen at the row that met it, not at
 * the end. Nine significant digits give any float32 back exactly; counters and
 * percentages are mostly whole numbers, which need no printf.
 */
#include "agent/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/frame.h"
#include "agent/queue.h"
#include "kernels/why.h"

#define BUFFER_BYTES 65536
#define CELL_BYTES 24
#define TIME_BYTES 32
#define ROW_BYTES (TIME_BYTES + FRAME_CHANNELS_MAX * CELL_BYTES)

struct capture {
	int fd, error;
	unsigned channels, used, pending, flush_rows;
	uint64_t first_ns, rows, written_rows;
	off_t written;
	char *path, *part;
	char buffer[BUFFER_BYTES];
};

static char *put_unsigned(char *p, uint64_t v)
{
	char digit[20];
	unsigned n = 0;

	do
		digit[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*p++ = digit[--n];
	return p;
}

/* Seconds and only as many decimals as it takes. */
static char *put_time(char *p, uint64_t ns)
{
	unsigned rest = ns % 1000000000;

	p = put_unsigned(p, ns / 1000000000);
	if (rest)
		*p++ = '.';
	for (unsigned scale = 100000000; rest; scale /= 10) {
		*p++ = (char)('0' + rest / scale);
		rest %= scale;
	}
	return p;
}

static char *put_float(char *p, float v)
{
	if (fabsf(v) < 1e9f && v == (float)(int)v && (v || !signbit(v))) {
		if (v < 0)
			*p++ = '-';
		return put_unsigned(p, (uint64_t)fabsf(v));
	}
	return p + snprintf(p, CELL_BYTES, "%.9g", (double)v);
}

static int flush(struct capture *c)
{
	unsigned done = 0;

	while (!c->error && done < c->used) {
		ssize_t n = write(c->fd, c->buffer + done, c->used - done);

		if (n > 0)
			done += (unsigned)n;
		else if (errno != EINTR)
			c->error = n < 0 ? -errno : -EIO;
	}
	if (c->error) {
		/* What arrived of the last rows may end in the middle of one. */
		if (ftruncate(c->fd, c->written))
			c->written_rows = 0;
		return c->error;
	}
	c->written += c->used;
	c->written_rows = c->rows;
	c->used = c->pending = 0;
	return 0;
}

static int put_header(struct capture *c, const char *const *names, struct why *why)
{
	char *p = stpcpy(c->buffer, "time");

	for (unsigned i = 0; i < c->channels; i++) {
		size_t len = strlen(names[i]);

		if (!len || len > 255 || strpbrk(names[i], ",;\"\r\n"))
			return why_set(why, -EINVAL, "channel %u: \"%.40s\" can not head a column",
				       i, names[i]);
		*p++ = ',';
		p = stpcpy(p, names[i]);
	}
	*p++ = '\n';
	c->used = (unsigned)(p - c->buffer);
	return 0;
}

static void capture_free(struct capture *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->part);
	free(c->path);
	free(c);
}

int capture_open(struct capture **out, const char *path, const char *const *names,
		 unsigned channels, double rate_hz, struct why *why)
{
	struct capture *c = calloc(1, sizeof *c);
	int err = -ENOMEM;

	*out = NULL;
	if (!c)
		return why_set(why, -ENOMEM, "no memory for a capture");
	c->fd = -1;
	c->channels = channels;
	c->flush_rows = rate_hz >= 1 && rate_hz < 1e6 ? (unsigned)rate_hz : 1;
	if (!channels || channels > FRAME_CHANNELS_MAX) {
		err = why_set(why, -EINVAL, "a capture of %u channels", channels);
		goto fail;
	}
	c->path = strdup(path);
	if (!c->path || asprintf(&c->part, "%s.part", path) < 0) {
		c->part = NULL;
		err = why_set(why, -ENOMEM, "no memory for a capture");
		goto fail;
	}
	err = put_header(c, names, why);
	if (err)
		goto fail;
	c->fd = open(c->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (c->fd < 0) {
		err = why_set(why, -errno, "%s: %m", c->part);
		goto fail;
	}
	err = flush(c);
	if (err) {
		why_set(why, err, "%s: %s", c->part, strerror(-err));
		unlink(c->part);
		goto fail;
	}
	*out = c;
	return 0;
fail:
	capture_free(c);
	return err;
}

int capture_row(struct capture *c, const struct record *r)
{
	const uint8_t *valid = record_valid(r, c->channels);
	char *p;

	if (c->error)
		return c->error;
	if (c->used + ROW_BYTES > BUFFER_BYTES && flush(c))
		return c->error;
	if (!c->rows)
		c->first_ns = r->t_ns;
	p = put_time(c->buffer + c->used, r->t_ns - c->first_ns);
	for (unsigned i = 0; i < c->channels; i++) {
		*p++ = ',';
		if (valid[i] && isfinite(r->data[i]))
			p = put_float(p, r->data[i]);
	}
	*p++ = '\n';
	c->used = (unsigned)(p - c->buffer);
	c->rows++;
	if (++c->pending >= c->flush_rows)
		return flush(c);
	return 0;
}

/* The new name is on disk only when its directory is. */
static int sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd, err = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -errno;
	/* Some file systems have no such thing and say EINVAL. */
	if (fsync(fd) && errno != EINVAL)
		err = -errno;
	close(fd);
	return err;
}

int capture_close(struct capture *c, uint64_t *rows, struct why *why)
{
	int err;

	if (!c)
		return 0;
	err = flush(c);
	if (!err && fsync(c->fd))
		err = -errno;
	if (!err && rename(c->part, c->path))
		err = -errno;
	if (rows)
		*rows = c->written_rows;
	if (err)
		why_set(why, err, "%s: %s; %llu rows stay in %s", c->path, strerror(-err),
			(unsigned long long)c->written_rows, c->part);
	else if ((err = sync_directory(c->path)))
		why_set(why, err, "%s: its directory: %s", c->path, strerror(-err));
	capture_free(c);
	return err;
}
