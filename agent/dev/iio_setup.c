// SPDX-License-Identifier: MIT
/*
 * iio_setup: from a device's directory to a running buffer, or to files to poll. The
 * character device is opened first: the kernel gives it to one program only, so another
 * one's buffer is left in peace. Then, with the buffer off, because the kernel refuses
 * the rest while it is on (drivers/iio/industrialio-buffer.c): elements, clock, trigger,
 * layout, length, watermark, and the buffer on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/dev/iio_impl.h"
#include "kernels/why.h"

#define LENGTH_MIN 64		/* scans that the kernel keeps */
#define LENGTH_MAX 16384
#define KEEP_S 2		/* or so many seconds of them */
#define WAKEUPS_HZ 200		/* faster scans come several at a time */
#define ELEMENTS "scan_elements"

void iio_below(const struct iio *d, const char *what, char *text)
{
	if (snprintf(text, FIND_PATH_MAX, "%s/%s", d->found.dir, what) >= FIND_PATH_MAX)
		text[0] = '\0';
}

static const char *attribute(const struct iio *d, unsigned i)
{
	return d->dev.config->channel[i].attribute;
}

/* Features of one thing are channels of one source: the first channel of the same attribute. */
static unsigned first_of(const struct iio *d, unsigned i)
{
	unsigned k = 0;

	while (strcmp(attribute(d, k), attribute(d, i)))
		k++;
	return k;
}

static bool element_file(char *name, size_t size, const char *channel, const char *what)
{
	return snprintf(name, size, ELEMENTS "/in_%s_%s", channel, what) < (int)size;
}

bool iio_can_buffer(const struct iio *d)
{
	char name[2 * FIND_TEXT_MAX];

	if (!find_has(d->found.dir, "buffer/enable"))
		return false;
	for (unsigned i = 0; i < d->dev.channels; i++)
		if (!element_file(name, sizeof name, attribute(d, i), "en") ||
		    !find_has(d->found.dir, name))
			return false;
	return true;
}

static int no_channel(struct iio *d, unsigned i, const char *dir, const char *suffix)
{
	char path[FIND_PATH_MAX], there[160];

	iio_below(d, dir, path);
	find_files(path, "in_", suffix, true, attribute(d, i), there, sizeof there);
	return why_set(&d->dev.why, -EINVAL, "%s has no channel %s%s; there is %s", d->found.name,
		       attribute(d, i), *dir ? " in its buffer" : "", there);
}

/* ---- what a raw number means */

static double special(const struct iio *d, const char *channel, const char *what, double otherwise)
{
	char name[2 * FIND_TEXT_MAX], text[FIND_TEXT_MAX];
	double v;

	for (unsigned n = 0; iio_attribute(name, sizeof name, channel, what, n); n++)
		if (find_read(d->found.dir, name, text, sizeof text) > 0 && !iio_number(text, &v))
			return v;
	return otherwise;
}

/* What the configuration gives stands for what the driver says. */
static void set_scale(struct iio *d, unsigned i, bool raw)
{
	const struct channel_config *c = &d->dev.config->channel[i];
	struct attr_channel *a = &d->attrs.channel[i];

	a->offset = c->offset;
	if (raw && !c->shifted)
		a->offset = special(d, c->attribute, "offset", 0);
	a->scale = c->scale;
	if (!c->scaled)
		a->scale = iio_type(c->attribute)->factor *
			   (raw ? special(d, c->attribute, "scale", 1) : 1);
}

/* ---- polled */

int iio_setup_files(struct iio *d)
{
	char name[2 * FIND_TEXT_MAX];

	for (unsigned i = 0; i < d->dev.channels; i++) {
		unsigned k = first_of(d, i);
		bool raw;
		int err;

		if (k < i) {
			d->attrs.channel[i].source = d->attrs.channel[k].source;
		} else {
			d->attrs.channel[i].source = d->attrs.files;
			/* What the driver has computed itself is right also where it is no line. */
			snprintf(name, sizeof name, "in_%s_input", attribute(d, i));
			err = attr_open(&d->attrs, d->found.dir, name);
			if (err == -ENOENT) {
				snprintf(name, sizeof name, "in_%s_raw", attribute(d, i));
				err = attr_open(&d->attrs, d->found.dir, name);
			}
			if (err == -ENOENT)
				return no_channel(d, i, "", "_raw");
			if (err)
				return why_set(&d->dev.why, err, "%s: %s: %s", d->found.name, name,
					       strerror(-err));
		}
		snprintf(name, sizeof name, "in_%s_input", attribute(d, i));
		raw = !find_has(d->found.dir, name);
		set_scale(d, i, raw);
	}
	return 0;
}

/* ---- buffered */

static int open_device(struct iio *d)
{
	char path[FIND_PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof path, "%s/dev/%s", d->root, d->found.node) >= (int)sizeof path)
		return why_set(&d->dev.why, -ENAMETOOLONG, "%s: no path", d->found.node);
	/* The ring wants it so from the start: io_uring looks at the flag when it registers it. */
	d->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (d->fd < 0)
		return why_set(&d->dev.why, -errno, "%s (%s): %s", path, d->found.name,
			       errno == EBUSY ? "another program reads its buffer"
					      : strerror(errno));
	if (fstat(d->fd, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return why_set(&d->dev.why, -EINVAL, "%s is no character device", path);
	return 0;
}

static int switch_buffer(struct iio *d, const char *how)
{
	return pwrite(d->enable_fd, how, 1, 0) == 1 ? 0 : -errno;
}

static int buffer_off(struct iio *d)
{
	char path[FIND_PATH_MAX];
	int err;

	iio_below(d, "buffer/enable", path);
	d->enable_fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	err = d->enable_fd < 0 ? -errno : switch_buffer(d, "0");
	return err ? why_set(&d->dev.why, err, "%s: %s", path, strerror(-err)) : 0;
}

/* Elements that somebody left on would move ours; some drivers know only certain sets. */
static int all_elements_off(struct iio *d)
{
	char path[FIND_PATH_MAX], text[8];
	struct dirent *e;
	int err = 0;
	DIR *dir;

	iio_below(d, ELEMENTS, path);
	dir = opendir(path);
	if (!dir)
		return why_set(&d->dev.why, -errno, "%s: %s", path, strerror(errno));
	while (!err && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len < 3 || strcmp(e->d_name + len - 3, "_en") ||
		    find_read(path, e->d_name, text, sizeof text) <= 0 || !strcmp(text, "0"))
			continue;
		err = find_write(path, e->d_name, "0");
		if (err)
			why_set(&d->dev.why, err, "%s of %s can not be switched off: %s", e->d_name,
				d->found.name, strerror(-err));
	}
	closedir(dir);
	return err;
}

static int element_on(struct iio *d, const char *channel)
{
	char name[2 * FIND_TEXT_MAX];
	int err = -ENAMETOOLONG;

	if (element_file(name, sizeof name, channel, "en"))
		err = find_write(d->found.dir, name, "1");
	return err ? why_set(&d->dev.why, err, "%s: %s: %s", d->found.name, name,
			     err == -EINVAL ? "the driver has no scan of these channels together"
					    : strerror(-err)) : 0;
}

static int choose_elements(struct iio *d)
{
	char name[2 * FIND_TEXT_MAX];
	int err = all_elements_off(d);

	d->elements = 0;
	for (unsigned i = 0; i < d->dev.channels && !err; i++) {
		unsigned k = first_of(d, i);

		if (k < i) {
			d->attrs.channel[i].source = d->attrs.channel[k].source;
			continue;
		}
		if (!element_file(name, sizeof name, attribute(d, i), "en") ||
		    !find_has(d->found.dir, name))
			return no_channel(d, i, ELEMENTS, "_en");
		err = element_on(d, attribute(d, i));
		d->attrs.channel[i].source = d->elements;
		d->element[d->elements].source = i;
		d->elements++;
	}
	return err;
}

/*
 * Without a monotonic clock the timestamps would be the wall's, which is set: then scans
 * carry the time of their arrival.
 */
static void set_clock(struct iio *d)
{
	char clock[FIND_TEXT_MAX];

	d->timestamp = false;
	if (!find_has(d->found.dir, ELEMENTS "/in_timestamp_en"))
		return;
	find_write(d->found.dir, "current_timestamp_clock", "monotonic");
	if (find_read(d->found.dir, "current_timestamp_clock", clock, sizeof clock) < 0 ||
	    strcmp(clock, "monotonic"))
		return;
	d->timestamp = !find_write(d->found.dir, ELEMENTS "/in_timestamp_en", "1");
}

static int read_element(struct iio *d, struct iio_element *e, const char *channel)
{
	char name[2 * FIND_TEXT_MAX], index[16], type[FIND_TEXT_MAX];
	int err = -ENAMETOOLONG;

	if (element_file(name, sizeof name, channel, "index"))
		err = find_read(d->found.dir, name, index, sizeof index);
	if (err >= 0 && element_file(name, sizeof name, channel, "type"))
		err = find_read(d->found.dir, name, type, sizeof type);
	if (err < 0)
		return why_set(&d->dev.why, err, "%s: %s: %s", d->found.name, name,
			       strerror(-err));
	err = iio_element_parse(e, index, type, &d->dev.why);
	return err ? why_in(&d->dev.why, err, "%s: in_%s", d->found.name, channel) : 0;
}

/* After everything that may change a type: some drivers have several, for different modes. */
static int read_layout(struct iio *d)
{
	unsigned n = d->elements;
	int bytes, err = 0;

	for (unsigned k = 0; k < n && !err; k++)
		err = read_element(d, &d->element[k], attribute(d, d->element[k].source));
	if (!err && d->timestamp) {
		struct iio_element *t = &d->element[n];

		t->source = 0;
		err = read_element(d, t, "timestamp");
		if (!err && t->scan.bits != 64)
			err = why_set(&d->dev.why, -EINVAL, "%s: timestamps of %u bits",
				      d->found.name, t->scan.bits);
	}
	if (err)
		return err;
	bytes = iio_layout(d->element, n + d->timestamp, d->timestamp, &d->dev.why);
	if (bytes < 0)
		return why_in(&d->dev.why, bytes, "%s", d->found.name);
	d->scan_bytes = (unsigned)bytes;
	/* Now element k is the k-th of the scan; channels name theirs by that. */
	for (unsigned i = 0; i < d->dev.channels; i++)
		for (unsigned k = 0; k < n; k++)
			if (d->element[k].source == first_of(d, i))
				d->attrs.channel[i].source = k;
	return 0;
}

/* Not every buffer lets its length or watermark be chosen; those have good ones. */
static int set_number(struct iio *d, const char *name, unsigned v)
{
	char text[16];
	int err;

	snprintf(text, sizeof text, "%u", v);
	err = find_write(d->found.dir, name, text);
	if (err == -ENOENT || err == -EACCES || err == -EPERM || err == -EIO)
		return 0;
	return err ? why_set(&d->dev.why, err, "%s: %s = %u: %s", d->found.name, name, v,
			     strerror(-err)) : 0;
}

static int buffer_on(struct iio *d)
{
	double hz = d->period_ns ? 1e9 / (double)d->period_ns : 0;
	unsigned length = hz * KEEP_S > LENGTH_MAX ? LENGTH_MAX : (unsigned)(hz * KEEP_S);
	unsigned watermark = (unsigned)(hz / WAKEUPS_HZ);
	int err;

	length = length < LENGTH_MIN ? LENGTH_MIN : length;
	watermark = watermark < 1 ? 1 : watermark > length / 2 ? length / 2 : watermark;
	/* A watermark beyond the length is refused, and a length below the watermark cuts it. */
	err = set_number(d, "buffer/length", length);
	if (!err)
		err = set_number(d, "buffer/watermark", watermark);
	if (err)
		return err;
	err = switch_buffer(d, "1");
	return err ? why_set(&d->dev.why, err, "%s does not start its buffer: %s", d->found.name,
			     strerror(-err)) : 0;
}

int iio_setup_buffer(struct iio *d, struct why *remark)
{
	int err = open_device(d);

	d->untriggered = false;
	if (!err)
		err = buffer_off(d);
	if (!err)
		err = choose_elements(d);
	if (err)
		return err;
	set_clock(d);
	err = iio_trigger_set(d, remark);
	d->untriggered = err;
	if (!err)
		err = read_layout(d);
	if (err)
		return err;
	for (unsigned i = 0; i < d->dev.channels; i++)
		set_scale(d, i, true);
	return buffer_on(d);
}
