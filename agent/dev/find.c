// SPDX-License-Identifier: MIT
/*
 * find: one listing of a class directory serves both answers, the device and the
 * suggestions. The order is that of the places in the device tree, which follow bus
 * addresses; the kernel's number decides only between devices of one parent.
 */
#include "agent/dev/find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/why.h"


/* Where a kind lives and which of its attributes say what it is called. */
static const struct class {
	const char *dir, *prefix, *key[2], *what;
} classes[] = {
	[FIND_IIO] = { "/sys/bus/iio/devices", "iio:device", { "name", "label" }, "IIO device" },
	[FIND_TRIGGER] = { "/sys/bus/iio/devices", "trigger", { "name" }, "IIO trigger" },
	[FIND_HWMON] = { "/sys/class/hwmon", "hwmon", { "name", "label" }, "hwmon chip" },
	[FIND_THERMAL] = { "/sys/class/thermal", "thermal_zone", { "type" }, "thermal zone" },
	[FIND_W1] = { "/sys/bus/w1/devices", "", { NULL }, "1-Wire device" },
};

struct entry {
	struct found found;
	char label[FIND_TEXT_MAX];
	char parent[FIND_PATH_MAX];	/* its place in the device tree; "" when unknown */
	unsigned rank;
};

const char *find_root(void)
{
	const char *root = getenv("SONDE_ROOT");

	return root ? root : "";
}

bool find_word(const char *s)
{
	if (!*s || *s == '.')
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == '/' || *s == 0x7f)
			return false;
	return true;
}

static bool join(char *path, size_t size, const char *dir, const char *name)
{
	return snprintf(path, size, "%s/%s", dir, name) < (int)size;
}

bool find_has(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return join(path, sizeof path, dir, name) && !access(path, F_OK);
}

/* Nothing of sysfs waits for a writer: O_NONBLOCK is for what somebody else put there. */
int find_read(const char *dir, const char *name, char *text, size_t size)
{
	char path[PATH_MAX], *end, *begin = text;
	ssize_t n;
	int fd;

	*text = '\0';
	if (!join(path, sizeof path, dir, name))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size);
	if (n < 0) {
		n = -errno;
		close(fd);
		*text = '\0';
		return (int)n;
	}
	close(fd);
	end = memchr(text, '\n', (size_t)n);
	if (!end && (size_t)n == size) {
		*text = '\0';
		return -EFBIG;
	}
	if (!end)
		end = text + n;
	while (begin < end && (*begin == ' ' || *begin == '\t'))
		begin++;
	while (end > begin && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	*end = '\0';
	memmove(text, begin, (size_t)(end - begin) + 1);
	return (int)strlen(text);
}

int find_write(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX];
	size_t len = strlen(text);
	ssize_t n;
	int fd, err;

	if (!join(path, sizeof path, dir, name))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	err = n < 0 ? -errno : (size_t)n < len ? -EIO : 0;
	close(fd);
	return err;
}

/* ---- devices */

/*
 * Where dir/node really is, without its own name; "" when it is no link, as in a made
 * tree, or hangs from the top of the device tree, as what has no parent does.
 */
static void find_parent(const char *dir, const char *node, char *parent, size_t size)
{
	char path[PATH_MAX], real[PATH_MAX], *slash;

	*parent = '\0';
	if (!join(path, sizeof path, dir, node) || readlink(path, real, sizeof real) < 0 ||
	    !realpath(path, real))
		return;
	slash = strrchr(real, '/');
	if (!slash)
		return;
	*slash = '\0';
	slash = strrchr(real, '/');
	if (slash && strcmp(slash, "/devices") && strlen(real) < size)
		strcpy(parent, real);
}

/* The device itself is above "hwmon", which only groups what it has of that class. */
static void find_place(const char *parent, char *place, size_t size)
{
	char path[FIND_PATH_MAX], *slash;

	snprintf(path, sizeof path, "%s", parent);
	slash = strrchr(path, '/');
	if (slash && !strcmp(slash, "/hwmon")) {
		*slash = '\0';
		slash = strrchr(path, '/');
	}
	snprintf(place, size, "%.*s", (int)size - 1, slash ? slash + 1 : "");
}

/* What goes into a reason shall not move a terminal's cursor. */
static void clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

static bool belongs(enum find_kind kind, const char *class_dir, const char *node)
{
	const char *rest = node + strlen(classes[kind].prefix);
	char dir[PATH_MAX];

	if (strncmp(node, classes[kind].prefix, strlen(classes[kind].prefix)))
		return false;
	if (kind != FIND_W1)
		return *rest && strspn(rest, "0123456789") == strlen(rest);
	/* FAMILY-SERIAL, both hexadecimal: not the bus masters, which are there as well. */
	return strspn(node, "0123456789abcdefABCDEF") == 2 && node[2] == '-' &&
	       join(dir, sizeof dir, class_dir, node) && find_has(dir, "temperature");
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strverscmp(x->parent, y->parent);

	return order ? order : strverscmp(x->found.node, y->found.node);
}

/* All of a kind, in their stable order. A result of calloc, even when there are none. */
static int list_devices(enum find_kind kind, const char *root, struct entry **out, unsigned *n)
{
	char class_dir[PATH_MAX];
	struct entry *list;
	struct dirent *e;
	int err = 0;
	DIR *d;

	*n = 0;
	*out = list = calloc(FIND_LIST_MAX, sizeof *list);
	if (!list)
		return -ENOMEM;
	snprintf(class_dir, sizeof class_dir, "%s%s", root, classes[kind].dir);
	d = opendir(class_dir);
	if (!d)
		return -errno;
	while (*n < FIND_LIST_MAX && (e = readdir(d))) {
		struct entry *one = &list[*n];
		struct found *f = &one->found;

		if (strlen(e->d_name) >= sizeof f->node || !belongs(kind, class_dir, e->d_name) ||
		    !join(f->dir, sizeof f->dir, class_dir, e->d_name))
			continue;
		strcpy(f->node, e->d_name);
		if (!classes[kind].key[0])
			strcpy(f->name, f->node);
		else
			find_read(f->dir, classes[kind].key[0], f->name, sizeof f->name);
		if (classes[kind].key[1])
			find_read(f->dir, classes[kind].key[1], one->label, sizeof one->label);
		clean(f->name);
		clean(one->label);
		find_parent(class_dir, f->node, one->parent, sizeof one->parent);
		find_place(one->parent, f->place, sizeof f->place);
		(*n)++;
	}
	closedir(d);
	qsort(list, *n, sizeof *list, by_place);
	return err;
}

/* 0: it is not meant; the least rank is meant most. A label was given by a person. */
static unsigned rank(enum find_kind kind, const struct entry *e, const char *wanted)
{
	const char *at = strrchr(wanted, '@');
	size_t len = at ? (size_t)(at - wanted) : 0;

	if (kind == FIND_W1 && !strcmp(wanted, "*"))
		return 1;
	if (*e->label && !strcmp(e->label, wanted))
		return 1;
	if (*e->found.name && !strcmp(e->found.name, wanted))
		return 2;
	if (at && len == strlen(e->found.name) && !strncmp(e->found.name, wanted, len) &&
	    !strcmp(e->found.place, at + 1))
		return 3;
	/* Some drivers call it what the device tree calls the node: dht11@4, the pin's number. */
	len = strlen(wanted);
	if (kind == FIND_IIO && len && !strncmp(e->found.name, wanted, len) &&
	    e->found.name[len] == '@')
		return 4;
	return 0;
}

static int nobody(enum find_kind kind, const char *root, const char *wanted,
		  const struct entry *list, unsigned n, int err, struct why *why)
{
	const char *what = classes[kind].what;
	char text[200];

	if (err == -ENOMEM)
		return why_set(why, err, "no memory to look for %s", wanted);
	if (err && err != -ENOENT)
		return why_set(why, err, "%s%s: %s", root, classes[kind].dir, strerror(-err));
	if (!n)
		return why_set(why, -ENODEV, "no %s \"%s\": there is none at all (no driver has "
			       "found one; dmesg and dtoverlay -l tell more)", what, wanted);
	find_nearest(text, sizeof text, wanted, list->found.name, n, sizeof *list);
	return why_set(why, -ENODEV, "no %s is called \"%s\"; there %s %s", what, wanted,
		       n > 1 ? "are" : "is", text);
}

int find_device(enum find_kind kind, const char *root, const char *wanted, struct found *out,
		struct why *why)
{
	struct entry *list, *best = NULL;
	unsigned n, same = 0;
	int err = list_devices(kind, root, &list, &n);

	for (unsigned i = 0; i < n; i++) {
		unsigned r = list[i].rank = rank(kind, &list[i], wanted);

		if (r && (!best || r < best->rank))
			best = &list[i];
	}
	for (unsigned i = 0; best && i < n; i++)
		same += list[i].rank == best->rank;
	if (best) {
		*out = best->found;
		out->same = same;
		err = 0;
	} else {
		err = nobody(kind, root, wanted, list, n, err, why);
	}
	free(list);
	return err;
}

int find_beside(enum find_kind kind, const char *root, const char *dir, struct found *out)
{
	char parent[FIND_PATH_MAX], class_dir[FIND_PATH_MAX];
	const char *slash = strrchr(dir, '/');
	struct entry *list;
	unsigned n;
	int err = -ENODEV;

	if (!slash)
		return -EINVAL;
	snprintf(class_dir, sizeof class_dir, "%.*s", (int)(slash - dir), dir);
	find_parent(class_dir, slash + 1, parent, sizeof parent);
	if (!*parent)
		return -ENODEV;
	list_devices(kind, root, &list, &n);
	for (unsigned i = 0; i < n && err; i++)
		if (!strcmp(list[i].parent, parent)) {
			*out = list[i].found;
			out->same = 1;
			err = 0;
		}
	free(list);
	return err;
}
