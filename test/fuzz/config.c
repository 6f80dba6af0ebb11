// SPDX-License-Identifier: MIT
/*
 * Fuzz: a configuration file. Whatever is in it, either there is a whole configuration
 * within its bounds, or none and at least one mistake told with the file's name.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static unsigned errors;

static void take(void *user, bool error, const char *text)
{
	if (strncmp(text, path, strlen(path)) || text[strlen(path)] != ':')
		abort();
	errors += error;
}

static void check_channel(const struct channel_config *c)
{
	if (!*c->name || strnlen(c->name, sizeof c->name) == sizeof c->name ||
	    strnlen(c->unit, sizeof c->unit) == sizeof c->unit || !isfinite(c->scale) ||
	    !isfinite(c->offset) || c->scale == 0 || !c->at.file || c->at.line < 1)
		abort();
}

static void check(const struct config *c)
{
	if (!c->pipelines || c->pipelines > CONFIG_PIPELINES_MAX)
		abort();
	for (unsigned i = 0; i < c->pipelines; i++) {
		const struct pipeline_config *p = &c->pipeline[i];
		unsigned n = 0;

		if (!(p->rate_hz > 0) || p->alarm_k < 1 || p->alarm_k > p->alarm_n ||
		    p->alarm_n > 64 || !(p->false_alarms_per_day > 0) || p->priority > 49 ||
		    !p->channels || p->channels > FRAME_CHANNELS_MAX)
			abort();
		for (unsigned k = 0; k < p->sensors; k++) {
			if (!p->sensor[k].every && !strcmp(p->sensor[k].kind, "sysfs"))
				abort();
			n += p->sensor[k].channels;
		}
		if (n != p->channels || config_channel(p, n))
			abort();
		for (unsigned k = 0; k < n; k++)
			check_channel(config_channel(p, k));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c;
	int fd = memfd_create("config", MFD_CLOEXEC);
	int err;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	errors = 0;
	err = config_load(&c, path, size & 1, take, NULL);
	if (!err != !errors || !err != !!c)
		abort();
	if (c)
		check(c);
	config_free(c);
	close(fd);
	return 0;
}
