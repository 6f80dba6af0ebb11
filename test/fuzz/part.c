// SPDX-License-Identifier: MIT
/*
 * Fuzz: a file of the sensor library, and readings of what it accepts. A mistake is told with
 * the file's name; an accepted part has all it speaks of within its bytes, stays as it is when
 * it is checked again, and gives finite values or a fault. Readings are allocated to the byte.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/frame.h"
#include "agent/part_impl.h"
#include "kernels/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t size)
{
	if (strnlen(s, size) == size)
		abort();
}

static void check_step(const struct part_step *s, unsigned bytes)
{
	if (s->outs > PART_OUT_MAX || s->in > PART_IN_MAX || s->at + s->in > bytes ||
	    s->wait_us > 10000000 || (!s->outs && !s->in))
		abort();
}

static void check(const struct part *p)
{
	check_text(p->name, sizeof p->name);
	check_text(p->title, sizeof p->title);
	check_text(p->kind, sizeof p->kind);
	check_text(p->driver, sizeof p->driver);
	check_text(p->overlay, sizeof p->overlay);
	check_text(p->datasheet, sizeof p->datasheet);
	if (p->reads > PART_STEPS_MAX || p->inits > PART_STEPS_MAX || p->faults > PART_STEPS_MAX ||
	    p->channels > PART_CHANNELS_MAX || p->addresses > sizeof p->address ||
	    p->bytes > PART_BYTES_MAX || p->starts > sizeof p->start ||
	    p->identify.in > PART_OUT_MAX)
		abort();
	for (unsigned i = 0; i < p->reads; i++)
		check_step(&p->read[i], p->bytes);
	for (unsigned i = 0; i < p->inits; i++)
		if (check_step(&p->init[i], p->bytes), p->init[i].in)
			abort();
	for (unsigned i = 0; i < p->channels; i++) {
		const struct part_channel *c = &p->channel[i];

		check_text(c->name, sizeof c->name);
		check_text(c->unit, sizeof c->unit);
		check_text(c->attribute, sizeof c->attribute);
		if (!*c->name || !isfinite(c->scale) || c->scale == 0 || !isfinite(c->offset) ||
		    !(c->min < c->max) || !*c->attribute != !!p->reads)
			abort();
	}
}

/* The input again, as often as it fits: what the sensor says is as untrusted as the file. */
static void decode(const struct part *p, const uint8_t *data, size_t size)
{
	uint8_t *in = malloc(p->bytes ? p->bytes : 1);
	double v;

	if (!in)
		return;
	for (unsigned i = 0; i < p->bytes; i++)
		in[i] = data[size - 1 - i % size];
	for (unsigned i = 0; i < p->channels && p->reads; i++) {
		int fault = part_decode(p, i, in, &v);

		if (fault < 0 || fault >= FAULT_KINDS || (!fault && !isfinite(v)))
			abort();
	}
	if (p->length) {
		memcpy(in, p->start, p->starts);
		part_frame_ok(p, in);
	}
	free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part p, again;
	struct why why = { "" };
	int fd = memfd_create("part", MFD_CLOEXEC);
	FILE *f;
	int err;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) ||
	    !(f = fdopen(fd, "r")))
		abort();
	part_init(&p, "fuzz");
	err = part_read(&p, f, "fuzz.conf", &why);
	fclose(f);
	if (err) {
		if (err != -EINVAL || strncmp(why.text, "fuzz.conf:", 10))
			abort();
		return 0;
	}
	check(&p);
	again = p;
	if (part_check(&again, &why) || again.bytes != p.bytes || again.reads != p.reads ||
	    again.channels != p.channels)
		abort();
	check(&again);
	decode(&p, data, size);
	return 0;
}
