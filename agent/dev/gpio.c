// SPDX-License-Identifier: MIT
/*
 * gpio: the edges of one line: its level, how many a second, or the trigger of other sensors.
 *
 * The kernel queues an event an edge, with the time of its interrupt and a number of its own,
 * and the ring reads them as they come (gpiolib-cdev.c, linereq_read: whole ones only). A full
 * queue drops the oldest: the gap in the numbers says how many, so that a counter stays
 * right, and of a level the newest event is the true one. Edges that come faster than
 * the interrupt's thread runs were never events; nobody can count those.
 *
 * A quiet line says nothing, and nothing is all that a level that stays or a wheel that stands
 * has to say: so the values are put once a tick, for as long as the request lives.
 */
#include <errno.h>
#include <linux/gpio.h>
#include <string.h>
#include <time.h>

#include "agent/config.h"
#include "agent/dev/dev.h"
#include "agent/dev/gpio_meter.h"
#include "agent/gpio_line.h"
#include "kernels/why.h"

#define EVENT_BYTES sizeof(struct gpio_v2_line_event)
/* More missing numbers than that are no lost edges, but an event that is none of this request's. */
#define LOST_MAX (1u << 30)
/* Of a ring just closed (a reload) the kernel lets go a little later: io_ring_exit_work. */
#define BUSY_PAUSE_NS 20000000
#define BUSY_TRIES 5

struct gpio {
	struct dev dev;
	struct gpio_line *line;
	int index;			/* in the ring; -1: not there */
	bool level;			/* the last known */
	uint64_t put_ns;		/* time of the last value */
	uint32_t seqno;			/* of the last event; a request's first has 1 */
	struct meter *meter;		/* one a channel; NULL for a level */
	size_t memory;
};

static int gpio_check(const struct sensor_config *s, struct why *why)
{
	const struct gpio_config *g = &s->gpio;

	if (!*g->line)
		return why_set(why, -EINVAL, "sensor %s: no line was given", s->name);
	if (g->mode > GPIO_TRIGGER || g->edge > GPIO_BOTH || g->bias > GPIO_DISABLED)
		return why_set(why, -EINVAL, "sensor %s: no such mode, edge or bias", s->name);
	if (!s->channels && g->mode != GPIO_TRIGGER)
		return why_set(why, -EINVAL, "sensor %s: it has no channel", s->name);
	return 0;
}

static void gpio_init(struct gpio *d, const struct sensor_config *s)
{
	struct meter_mark *mark;

	if (s->gpio.mode == GPIO_LEVEL)
		return;
	d->meter = (struct meter *)(d + 1);
	mark = (struct meter_mark *)(d->meter + s->channels);
	for (unsigned i = 0; i < s->channels; i++) {
		meter_init(&d->meter[i], s->channel[i].window, mark);
		mark += meter_marks(s->channel[i].window);
	}
}

static int gpio_create(struct dev **out, const struct sensor_config *s, unsigned first_channel,
		       struct why *why)
{
	size_t memory = sizeof(struct gpio);
	struct gpio *d;
	int err;

	*out = NULL;
	err = gpio_check(s, why);
	if (err)
		return err;
	for (unsigned i = 0; i < s->channels && s->gpio.mode != GPIO_LEVEL; i++)
		memory += sizeof *d->meter +
			  meter_marks(s->channel[i].window) * sizeof(struct meter_mark);
	d = dev_alloc(memory);
	if (!d)
		return why_set(why, -ENOMEM, "no memory for sensor %s", s->name);
	d->memory = memory;
	d->dev = (struct dev){
		.ops = &dev_gpio, .config = s, .first_channel = first_channel,
		.channels = s->channels,
	};
	d->index = -1;
	gpio_init(d, s);
	*out = &d->dev;
	return 0;
}

static void gpio_shut(struct dev *dev)
{
	struct gpio *d = (struct gpio *)dev;

	gpio_line_ops->release(d->line);
	d->line = NULL;
}

static void gpio_free(struct dev *dev)
{
	struct gpio *d = (struct gpio *)dev;

	dev_free(d, d->memory);
}

static enum gpio_use use_of(const struct gpio_config *g)
{
	if (g->mode == GPIO_LEVEL || g->edge == GPIO_BOTH)
		return GPIO_USE_BOTH;
	return g->edge == GPIO_RISING ? GPIO_USE_RISING : GPIO_USE_FALLING;
}

static int gpio_open(struct dev *dev)
{
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };
	const struct gpio_config *c = &dev->config->gpio;
	struct gpio *d = (struct gpio *)dev;
	int err;

	gpio_shut(dev);
	for (unsigned i = 0;; i++) {
		err = gpio_line_ops->request(&d->line, c, use_of(c), &dev->why);
		if (err != -EBUSY || i == BUSY_TRIES)
			break;
		nanosleep(&pause, NULL);
	}
	if (err) {
		d->line = NULL;
		return err;
	}
	/* After the request: a change between the two is in the queue and comes after this. */
	err = gpio_line_ops->get(d->line);
	if (err < 0) {
		gpio_shut(dev);
		return why_set(&dev->why, err, "line %s: its level can not be read: %s", c->line,
			       strerror(-err));
	}
	d->level = err;
	d->seqno = 0;
	for (unsigned i = 0; d->meter && i < dev->channels; i++)
		meter_reset(&d->meter[i]);
	return 0;
}

static int gpio_detach(struct dev *dev, struct ring *r)
{
	struct gpio *d = (struct gpio *)dev;
	int err = d->index < 0 ? 0 : ring_remove(r, d->index);

	if (!err)
		d->index = -1;
	return err;
}

static int gpio_attach(struct dev *dev, struct ring *r)
{
	struct gpio *d = (struct gpio *)dev;
	int err;

	d->index = ring_add(r, gpio_line_ops->fd(d->line), false, &dev->why);
	if (d->index < 0)
		return d->index;
	err = ring_stream(r, d->index, dev->token);
	if (!err)
		return 0;
	gpio_detach(dev, r);
	return why_set(&dev->why, err, "line %s can not be polled: %s", dev->config->gpio.line,
		       strerror(-err));
}

/* Nothing is asked for: edges come by themselves. */
static unsigned gpio_start(struct dev *dev, struct ring *r, uint64_t t_ns)
{
	return 0;
}

/* Of a late tick the grid time lies before edges that were put already: time does not go back. */
static void put(struct gpio *d, unsigned i, double v, struct frame *f, uint64_t t_ns)
{
	const struct channel_config *c = &d->dev.config->channel[i];

	if (d->put_ns < t_ns)
		d->put_ns = t_ns;
	frame_put(f, d->dev.first_channel + i, (float)((v + c->offset) * c->scale), d->put_ns);
}

static void gpio_tick(struct dev *dev, struct frame *f, uint64_t t_ns)
{
	struct gpio *d = (struct gpio *)dev;
	double rate;

	if (d->index < 0 || dev->gone)
		return;
	for (unsigned i = 0; i < dev->channels; i++) {
		if (!d->meter)
			put(d, i, d->level, f, t_ns);
		else if (meter_look(&d->meter[i], dev->edges, t_ns, &rate))
			put(d, i, rate, f, t_ns);
		else
			frame_probe(f, dev->first_channel + i);
	}
	dev->reads++;
	dev->error = 0;
}

/* The sensor is well, its edges came too fast for us: its channels stay what they are. */
static void count_lost(struct gpio *d, uint32_t lost, struct frame *f)
{
	d->dev.errors++;
	d->dev.edges += lost;
	for (unsigned i = 0; i < d->dev.channels; i++) {
		unsigned channel = d->dev.first_channel + i;

		frame_fail(f, channel, f->slot[channel].state, FAULT_LOST);
	}
}

static void take(struct gpio *d, const uint8_t *data, struct frame *f, uint64_t now_ns)
{
	struct gpio_v2_line_event e;
	uint32_t lost;

	memcpy(&e, data, sizeof e);
	lost = e.line_seqno - d->seqno - 1;
	d->seqno = e.line_seqno;
	if (lost && lost < LOST_MAX)
		count_lost(d, lost, f);
	d->dev.edges++;
	d->dev.edge_ns = e.timestamp_ns < now_ns ? e.timestamp_ns : now_ns;
	d->level = e.id == GPIO_V2_LINE_EVENT_RISING_EDGE;
	/* Not only at the tick: a door that opened and closed between two has been open. */
	for (unsigned i = 0; !d->meter && i < d->dev.channels; i++)
		put(d, i, d->level, f, now_ns);
}

static unsigned gpio_complete(struct dev *dev, struct ring *r, const struct ring_event *e,
			      struct frame *f, uint64_t now_ns)
{
	struct gpio *d = (struct gpio *)dev;

	if (e->kind != RING_STREAM)
		return 0;
	dev->error = 0;
	if (e->res > 0) {
		dev->bytes += (unsigned)e->res;
		for (unsigned at = 0; at + EVENT_BYTES <= (unsigned)e->res; at += EVENT_BYTES)
			take(d, e->data + at, f, now_ns);
	} else if (e->res != -ENOBUFS) {
		/* Without a buffer nothing was read: the kernel still has it. */
		dev->errors++;
		dev->error = e->res ? e->res : -ENODEV;
	}
	if (e->more)
		return 0;
	/* Either the kernel stopped and the line did not, or the chip has gone. */
	if ((e->res <= 0 && e->res != -ENOBUFS) || ring_stream(r, d->index, dev->token))
		dev->gone = true;
	return 0;
}

const struct dev_ops dev_gpio = {
	.kind = "gpio",
	.create = gpio_create,
	.open = gpio_open,
	.attach = gpio_attach,
	.tick = gpio_tick,
	.start = gpio_start,
	.complete = gpio_complete,
	.detach = gpio_detach,
	.shut = gpio_shut,
	.free = gpio_free,
};
