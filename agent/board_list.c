// SPDX-License-Identifier: MIT
/* board_list: files below the root, and the list of sensors as it grows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/board_impl.h"

#define FILE_MAX (1u << 20)

struct sensor_config board_sensor(const char *name, const char *path, unsigned every)
{
	struct sensor_config s = { .kind = "sysfs", .every = every };

	snprintf(s.name, sizeof s.name, "%s", name);
	snprintf(s.path, sizeof s.path, "%s", path);
	return s;
}

int board_read(const struct board *b, const char *path, char **text, unsigned *len)
{
	char full[2 * CONFIG_PATH_MAX], *all = NULL, *bigger;
	unsigned size = 0, used = 0;
	ssize_t n;
	int fd, err;

	snprintf(full, sizeof full, "%s%s", b->root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		if (used == size) {
			size = size ? 2 * size : 4096;
			bigger = size > FILE_MAX ? NULL : realloc(all, size);
			if (!bigger) {
				err = -ENOMEM;
				goto fail;
			}
			all = bigger;
		}
		n = pread(fd, all + used, size - used, used);
		if (n < 0) {
			err = -errno;
			goto fail;
		}
		used += (unsigned)n;
	} while (n);
	close(fd);
	*text = all;
	*len = used;
	return 0;
fail:
	free(all);
	close(fd);
	return err;
}

static bool channel_taken(const struct sensor_config *s, const char *name)
{
	for (unsigned i = 0; i < s->channels; i++)
		if (!strcmp(s->channel[i].name, name))
			return true;
	return false;
}

static bool taken(const struct board *b, const struct sensor_config *s, const char *name,
		  bool channel)
{
	if (channel && channel_taken(s, name))
		return true;
	for (unsigned i = 0; i < b->n; i++)
		if (channel ? channel_taken(&b->sensor[i], name) : !strcmp(b->sensor[i].name, name))
			return true;
	return false;
}

/* The second "x" becomes "x-2", cut where it must be. */
static void make_unique(const struct board *b, const struct sensor_config *s,
			char name[CONFIG_NAME_MAX], bool channel)
{
	char wanted[CONFIG_NAME_MAX], tail[16];

	memcpy(wanted, name, sizeof wanted);
	for (unsigned i = 2; taken(b, s, name, channel); i++) {
		int n = snprintf(tail, sizeof tail, "-%u", i);

		snprintf(name, CONFIG_NAME_MAX, "%.*s%s", CONFIG_NAME_MAX - 1 - n, wanted, tail);
	}
}

int board_channel(struct board *b, struct sensor_config *s, const struct channel_config *c)
{
	struct channel_config *all;

	if (b->channels + s->channels >= b->max)
		return 0;
	all = realloc(s->channel, (s->channels + 1) * sizeof *all);
	if (!all)
		return -ENOMEM;
	s->channel = all;
	all[s->channels] = *c;
	make_unique(b, s, all[s->channels].name, true);
	s->channels++;
	return 0;
}

int board_add(struct board *b, struct sensor_config *s, int err)
{
	struct sensor_config *all;
	char full[2 * CONFIG_PATH_MAX];

	if (err || !s->channels || snprintf(full, sizeof full, "%s%s", b->root, s->path) >=
	    (int)sizeof s->path)
		goto drop;
	memcpy(s->path, full, strlen(full) + 1);
	all = realloc(b->sensor, (b->n + 1) * sizeof *all);
	if (!all) {
		err = -ENOMEM;
		goto drop;
	}
	b->sensor = all;
	make_unique(b, s, s->name, false);
	b->channels += s->channels;
	all[b->n++] = *s;
	return 0;
drop:
	free(s->channel);
	return err;
}
