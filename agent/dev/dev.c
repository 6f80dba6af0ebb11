// SPDX-License-Identifier: MIT
/*
 * dev: which kinds there are, and what every kind needs: memory that is there, and
 * stays there, before the first tick.
 */
#include "agent/dev/dev.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "agent/config.h"

const struct dev_ops *dev_find(const char *kind)
{
	static const struct dev_ops *const kinds[] = {
		&dev_sysfs, &dev_stream, &dev_i2c, &dev_spi, &dev_iio, &dev_hwmon, &dev_gpio,
		&dev_serial,
	};

	/* A thermal zone and a 1-Wire probe are directories of attributes as hwmon's are. */
	if (!strcmp(kind, "thermal") || !strcmp(kind, "w1"))
		return &dev_hwmon;
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i]->kind, kind))
			return kinds[i];
	return NULL;
}

void *dev_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* Without the right to lock it, it is at least populated. */
	mlock(p, size);
	return p;
}

void dev_free(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

int dev_flow_detach(struct ring *r, int *index)
{
	int err = *index < 0 ? 0 : ring_remove(r, *index);

	if (!err)
		*index = -1;
	return err;
}

int dev_flow_attach(struct dev *d, struct ring *r, int fd, int *index)
{
	int err;

	*index = ring_add(r, fd, false, &d->why);
	if (*index < 0)
		return *index;
	err = ring_stream(r, *index, d->token);
	if (!err)
		return 0;
	dev_flow_detach(r, index);
	return why_set(&d->why, err, "%s can not be polled: %s", d->config->path, strerror(-err));
}
