// SPDX-License-Identifier: MIT
/*
 * iio: a device of the kernel's Industrial I/O, found by name or label. With a buffer its
 * scans come by themselves as bytes of /dev/iio:deviceN, each with the kernel's time of
 * the sample; without one its files are read at each tick. The numbers that make values of
 * raw bits are those of the driver, read at each open: they may differ after a replug.
 */
#include "agent/dev/iio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/dev/iio_impl.h"
#include "kernels/why.h"

const char *iio_unit(const char *attribute)
{
	return iio_type(attribute)->unit;
}

enum dev_path iio_path(const struct dev *d)
{
	return ((const struct iio *)d)->buffered ? DEV_PATH_POLL : DEV_PATH_WORKER;
}

static int iio_create(struct dev **out, const struct sensor_config *s, unsigned first_channel,
		      struct why *why)
{
	size_t memory = sizeof(struct iio) + attr_memory(s);
	struct iio *d;

	*out = NULL;
	if (!*s->device)
		return why_set(why, -EINVAL, "%s: add \"device = NAME\"", s->name);
	if (*s->mode && strcmp(s->mode, "auto") && strcmp(s->mode, "buffer") &&
	    strcmp(s->mode, "poll"))
		return why_set(why, -EINVAL, "%s: mode = %s: auto, buffer or poll", s->name,
			       s->mode);
	if (!s->channels || s->channels >= IIO_ELEMENTS_MAX)
		return why_set(why, -EINVAL, "%s: 1 to %d channels", s->name, IIO_ELEMENTS_MAX - 1);
	if (!find_word(s->name))
		return why_set(why, -EINVAL, "\"%s\" can not name a trigger", s->name);
	for (unsigned i = 0; i < s->channels; i++)
		if (!find_word(s->channel[i].attribute))
			return why_set(why, -EINVAL, "%s: \"%s\" is no channel of an IIO device",
				       s->channel[i].name, s->channel[i].attribute);
	d = dev_alloc(memory);
	if (!d)
		return why_set(why, -ENOMEM, "no memory for %s", s->name);
	d->memory = memory;
	d->dev = (struct dev){
		.ops = &dev_iio, .config = s, .first_channel = first_channel,
		.channels = s->channels,
	};
	/* A driver that hangs in an open holds up nobody else's. */
	snprintf(d->dev.bus, sizeof d->dev.bus, "%s", s->name);
	attr_init(&d->attrs, s, d + 1);
	d->fd = d->index = d->enable_fd = d->enable_index = d->trigger_fd = -1;
	*out = &d->dev;
	return 0;
}

static void iio_shut(struct dev *dev)
{
	struct iio *d = (struct iio *)dev;

	if (d->enable_fd >= 0) {
		/* Fails when the device has gone; then there is nothing to switch off. */
		(void)!pwrite(d->enable_fd, "0", 1, 0);
		close(d->enable_fd);
	}
	iio_trigger_drop(d);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = d->enable_fd = -1;
	attr_shut(&d->attrs);
}

static int poll_files(struct iio *d)
{
	int err = iio_setup_files(d);

	d->buffered = false;
	if (!err)
		attr_measure(&d->attrs, &d->dev);
	return err;
}

/* Buffered if that can be. Without a trigger, or the right to make one, polled; it says so. */
static int set_up(struct iio *d, struct why *remark)
{
	const struct sensor_config *s = d->dev.config;
	bool must = !strcmp(s->mode, "buffer"), never = !strcmp(s->mode, "poll"), may;
	int err;

	d->buffered = must || (!never && iio_can_buffer(d));
	/* A buffer that is silent for lack of edges could not be told from one that has gone. */
	if (d->buffered && *s->trigger) {
		why_set(remark, 0, "polled: trigger = %s starts its readings", s->trigger);
		d->buffered = false;
	}
	if (!d->buffered)
		return poll_files(d);
	err = iio_setup_buffer(d, remark);
	may = d->untriggered || err == -EACCES || err == -EPERM || err == -EROFS;
	if (!err || !may || must || *s->trigger_name)
		return err;
	why_set(remark, 0, "polled: %s", d->dev.why.text);
	iio_shut(&d->dev);
	return poll_files(d);
}

static int iio_open(struct dev *dev)
{
	struct iio *d = (struct iio *)dev;
	const struct sensor_config *s = dev->config;
	struct why remark = { "" };
	int err;

	iio_shut(dev);
	dev->why.text[0] = '\0';
	d->root = find_root();
	err = find_device(FIND_IIO, d->root, s->device, &d->found, &dev->why);
	if (err)
		return err;
	err = set_up(d, &remark);
	if (err) {
		iio_shut(dev);
		return err;
	}
	attr_reset(&d->attrs, dev->channels);
	iio_stream_reset(d);
	dev->why = remark;
	if (d->found.same > 1 && strcmp(d->found.name, s->device) && strchr(d->found.name, '@'))
		why_set(&dev->why, 0, "%u devices are called %s: this is %s; say its whole name "
			"for another", d->found.same, s->device, d->found.name);
	else if (d->found.same > 1)
		why_set(&dev->why, 0, "%u devices are called %s: this is %s; say %s@PLACE for "
			"another", d->found.same, s->device,
			*d->found.place ? d->found.place : d->found.node, d->found.name);
	return 0;
}

static int iio_detach(struct dev *dev, struct ring *r)
{
	struct iio *d = (struct iio *)dev;
	int err = attr_detach(&d->attrs, r), one;

	one = d->enable_index < 0 ? 0 : ring_remove(r, d->enable_index);
	if (one)
		err = one;
	else
		d->enable_index = -1;
	one = d->index < 0 ? 0 : ring_remove(r, d->index);
	if (one)
		return one;
	d->index = -1;
	d->armed = false;
	return err;
}

static int iio_attach(struct dev *dev, struct ring *r)
{
	struct iio *d = (struct iio *)dev;
	int err;

	if (!d->buffered)
		return attr_attach(&d->attrs, dev, r);
	d->index = ring_add(r, d->fd, false, &dev->why);
	if (d->index < 0)
		return d->index;
	d->enable_index = ring_add(r, d->enable_fd, true, &dev->why);
	err = d->enable_index < 0 ? d->enable_index : 0;
	if (!err) {
		err = ring_stream(r, d->index, DEV_TOKEN(dev, IIO_STREAM));
		if (err)
			why_set(&dev->why, err, "%s can not be polled: %s", d->found.node,
				strerror(-err));
	}
	d->armed = !err;
	if (err)
		iio_detach(dev, r);
	return err;
}

static void iio_tick(struct dev *dev, struct frame *f, uint64_t t_ns)
{
	struct iio *d = (struct iio *)dev;

	if (d->buffered)
		iio_stream_tick(d, t_ns);
}

static unsigned iio_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	struct iio *d = (struct iio *)dev;

	if (!d->buffered)
		return attr_start(&d->attrs, dev, r);
	iio_stream_start(d, r, t_ns);
	return 0;
}

static unsigned iio_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
			     struct frame *f, uint64_t now_ns)
{
	struct iio *d = (struct iio *)dev;

	if (!d->buffered)
		return attr_complete(&d->attrs, dev, r, e, f, now_ns);
	iio_stream_complete(d, r, e, f, now_ns);
	return 0;
}

static void iio_free(struct dev *dev)
{
	dev_free(dev, ((struct iio *)dev)->memory);
}

const struct dev_ops dev_iio = {
	.kind = "iio",
	.create = iio_create,
	.open = iio_open,
	.attach = iio_attach,
	.tick = iio_tick,
	.start = iio_start,
	.complete = iio_complete,
	.detach = iio_detach,
	.shut = iio_shut,
	.free = iio_free,
};
