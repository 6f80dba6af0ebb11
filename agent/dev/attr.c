// SPDX-License-Identifier: MIT
/*
 * attr: reads of attributes and what becomes of them. The files of a device are read one
 * after the other: its driver lets in only one anyway, and those that waited for it would hold
 * the ring's workers, which other devices' files need.
 */
#include "agent/dev/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/config.h"
#include "kernels/why.h"

#define SLOW_NS 20000000u	/* a tick of 25 Hz is closed then; above, nobody shall wait */
#define CLEAR_NS 500000000u	/* no delay of this thread's: a reading of the device's */

static unsigned slots_of(const struct channel_config *c)
{
	return !c->counter ? 0 : c->window ? c->window : 1;
}

size_t attr_memory(const struct sensor_config *s)
{
	size_t size = s->channels * (sizeof(struct attr_channel) + sizeof(struct attr_file));

	for (unsigned i = 0; i < s->channels; i++)
		size += slots_of(&s->channel[i]) * sizeof(struct rate);
	return size;
}

void attr_init(struct attrs *a, const struct sensor_config *s, void *memory)
{
	struct rate *rate;

	*a = (struct attrs){ .channel = memory, .asked = -1 };
	rate = (struct rate *)(a->channel + s->channels);
	for (unsigned i = 0; i < s->channels; i++) {
		a->channel[i].slots = slots_of(&s->channel[i]);
		a->channel[i].rate = rate;
		rate += a->channel[i].slots;
	}
	a->file = (struct attr_file *)rate;
}

/*
 * A FIFO would hold the open, and later every read, until somebody writes: it is opened
 * without waiting and refused for what it is. A file's reads may take their time.
 */
int attr_open(struct attrs *a, const char *dir, const char *name)
{
	struct attr_file *f = &a->file[a->files];
	char path[PATH_MAX];
	struct stat st;
	int fd, err;

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : !S_ISREG(st.st_mode) ? -EINVAL :
	      fcntl(fd, F_SETFL, O_RDONLY) ? -errno : 0;
	if (err) {
		close(fd);
		return err;
	}
	*f = (struct attr_file){ .fd = fd, .index = -1, .ask = sizeof f->text };
	a->files++;
	return 0;
}

void attr_shut(struct attrs *a)
{
	for (unsigned i = 0; i < a->files; i++)
		close(a->file[i].fd);
	a->files = 0;
	a->asked = -1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* How long a reading takes; when that is clear from the first files the rest is guessed. */
static uint64_t time_reading(const struct attrs *a)
{
	uint64_t begin_ns = now_ns(), took_ns = 0;
	char text[ATTR_TEXT_MAX];

	for (unsigned i = 0; i < a->files; i++) {
		/* What fails now may answer later: then its reads will fail, counted. */
		(void)!pread(a->file[i].fd, text, sizeof text, 0);
		took_ns = now_ns() - begin_ns;
		if (took_ns >= CLEAR_NS)
			return took_ns / (i + 1) * a->files;
	}
	return took_ns;
}

void attr_measure(const struct attrs *a, struct dev *d)
{
	uint64_t ns, second;

	if (a->whole)
		return;
	ns = time_reading(a);
	/* This thread may have been held up. */
	if (ns >= SLOW_NS && ns < CLEAR_NS) {
		second = time_reading(a);
		ns = second < ns ? second : ns;
	}
	/* A value may have been ready just then, so what was measured longest is believed. */
	if (ns >= SLOW_NS && ns > d->slow_ns)
		d->slow_ns = ns;
}

void attr_reset(struct attrs *a, unsigned channels)
{
	for (unsigned i = 0; i < channels; i++)
		for (unsigned k = 0; k < a->channel[i].slots; k++)
			a->channel[i].rate[k].primed = false;
}

/* ---- in the ring */

int attr_attach(struct attrs *a, struct dev *d, struct ring *r)
{
	a->leaving = false;
	for (unsigned i = 0; i < a->files; i++) {
		a->file[i].index = ring_add(r, a->file[i].fd, true, &d->why);
		if (a->file[i].index < 0) {
			int err = a->file[i].index;

			attr_detach(a, r);
			return err;
		}
	}
	return 0;
}

int attr_detach(struct attrs *a, struct ring *r)
{
	int err = 0;

	a->leaving = true;
	for (unsigned i = 0; i < a->files; i++) {
		struct attr_file *f = &a->file[i];
		int one = f->index < 0 ? 0 : ring_remove(r, f->index);

		if (one)
			err = one;
		else
			f->index = -1;
	}
	return err;
}

static int ask(struct attrs *a, struct dev *d, struct ring *r, unsigned i)
{
	struct attr_file *f = &a->file[i];
	int err = ring_read(r, f->index, f->text, f->ask, DEV_TOKEN(d, i));

	if (!err)
		a->asked = (int)i;
	return err;
}

/* Ask for file i or, where that can not be, the next one. How many were: 0 or 1. */
static unsigned ask_from(struct attrs *a, struct dev *d, struct ring *r, unsigned i)
{
	for (; i < a->files && !a->leaving; i++) {
		if (a->file[i].index < 0)
			continue;
		if (!ask(a, d, r, i))
			return 1;
		d->errors++;
		d->error = -EBUSY;
	}
	return 0;
}

unsigned attr_start(struct attrs *a, struct dev *d, struct ring *r)
{
	return a->asked < 0 ? ask_from(a, d, r, 0) : 0;
}

/* Cut by its own request? Then it is asked for once more. */
static bool again(struct attrs *a, struct dev *d, struct ring *r, unsigned i, unsigned res)
{
	struct attr_file *f = &a->file[i];

	if (res < f->ask || !res || f->text[res - 1] == '\n' || a->leaving)
		return false;
	if (f->ask == sizeof f->text)
		return false;
	f->ask = sizeof f->text;
	return !ask(a, d, r, i);
}

static void take(struct attrs *a, struct dev *d, unsigned i, unsigned res, struct frame *f,
		 uint64_t t_ns)
{
	static const struct text_field number = { .columns = 1 };
	struct attr_file *file = &a->file[i];
	double v;
	int err = res ? decode_text(&number, file->text, res, &v) : -ENODATA;

	if (!err && res == sizeof file->text && !memchr(file->text, '\n', res))
		err = -EMSGSIZE;
	if (err) {
		attr_fail(a, d, i, err, f);
		return;
	}
	if (!a->whole)
		file->ask = file->text[res - 1] == '\n' ? res : sizeof file->text;
	d->reads++;
	d->error = 0;
	attr_put(a, d, i, v, t_ns, f);
}

unsigned attr_complete(struct attrs *a, struct dev *d, struct ring *r,
		       const struct ring_event *e, struct frame *f, uint64_t t_ns)
{
	unsigned i = DEV_TOKEN_OWN(e->token);

	if (e->kind != RING_READ || a->asked < 0 || i != (unsigned)a->asked)
		return 0;
	a->asked = -1;
	if (e->res >= 0) {
		d->bytes += (unsigned)e->res;
		if (again(a, d, r, i, (unsigned)e->res))
			return 0;
		take(a, d, i, (unsigned)e->res, f, t_ns);
	} else if (e->res != -ECANCELED) {	/* detach() wanted that so */
		attr_fail(a, d, i, e->res, f);
	}
	return !ask_from(a, d, r, i + 1);
}

/* ---- into the frame */

void attr_put(struct attrs *a, struct dev *d, unsigned source, double raw, uint64_t t_ns,
	      struct frame *f)
{
	for (unsigned i = 0; i < d->channels; i++) {
		struct attr_channel *c = &a->channel[i];
		unsigned channel = d->first_channel + i;
		double v;

		if (c->source != source)
			continue;
		if (!c->slots)
			frame_put(f, channel, (float)((raw + c->offset) * c->scale), t_ns);
		else if (decode_rate(&c->rate[c->turn++ % c->slots], raw, t_ns,
				     d->config->channel[i].wrap, &v))
			frame_put(f, channel, (float)(v * c->scale), t_ns);
		else
			frame_probe(f, channel);
	}
}

enum channel_fault attr_fault(int err)
{
	switch (err) {
	case -ETIMEDOUT:
	case -ETIME:
		return FAULT_TIMEOUT;
	case -EBUSY:
		return FAULT_BUSY;
	case -ENODEV:
		return FAULT_ABSENT;
	case -ENOBUFS:
		return FAULT_LOST;
	case -EBADMSG:
	case -EILSEQ:
		return FAULT_CRC;
	/* The driver answers: there is no number. */
	case -ENODATA:
	case -EAGAIN:
	case -EINVAL:
	case -ENOENT:
	case -ERANGE:
	case -EOVERFLOW:
	case -EMSGSIZE:
		return FAULT_FORMAT;
	default:
		return FAULT_BUS;
	}
}

void attr_fail(struct attrs *a, struct dev *d, unsigned source, int err, struct frame *f)
{
	d->errors++;
	d->error = err;
	/* kernfs answers so on an open file when its device was unbound. */
	if (err == -ENODEV)
		d->gone = true;
	for (unsigned i = 0; i < d->channels; i++)
		if (a->channel[i].source == source)
			frame_fail(f, d->first_channel + i,
				   err == -ENODEV ? CHANNEL_ABSENT : CHANNEL_FAULTY,
				   attr_fault(err));
}
