/* SPDX-License-Identifier: MIT */
/*
 * dev_iio_tree: a made /sys and /dev below a temporary directory, which SONDE_ROOT names.
 * Class directories hold links into a device tree, as the kernel's do.
 */
#ifndef SONDE_TEST_DEV_IIO_TREE_H
#define SONDE_TEST_DEV_IIO_TREE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config.h"
#include "test/test.h"

static char tree[] = "/tmp/sonde-tree-XXXXXX";

static void tree_remove(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", tree);
	if (system(command))
		fprintf(stderr, "%s is left behind\n", tree);
}

static inline void tree_open(void)
{
	CHECK(mkdtemp(tree));
	atexit(tree_remove);
	CHECK_EQ(setenv("SONDE_ROOT", tree, 1), 0);
}

static inline const char *tree_path(const char *path)
{
	static char full[4][640];
	static unsigned turn;
	char *p = full[turn++ % 4];

	snprintf(p, sizeof full[0], "%s%s", tree, path);
	return p;
}

/* The directories above path. */
static inline void tree_above(const char *path)
{
	char full[640];

	snprintf(full, sizeof full, "%s", tree_path(path));
	for (char *s = full + strlen(tree) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		CHECK(!mkdir(full, 0755) || errno == EEXIST);
		*s = '/';
	}
}

static inline void tree_dir(const char *path)
{
	tree_above(path);
	CHECK(!mkdir(tree_path(path), 0755) || errno == EEXIST);
}

static inline void tree_put(const char *path, const char *text)
{
	FILE *f;

	tree_above(path);
	f = fopen(tree_path(path), "we");
	CHECK(f);
	CHECK(fputs(text, f) >= 0);
	CHECK_EQ(fclose(f), 0);
}

/* dir/name = text and an end of line, as most attributes have it. */
static inline void tree_attr(const char *dir, const char *name, const char *text)
{
	char path[512], line[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	snprintf(line, sizeof line, "%s\n", text);
	tree_put(path, line);
}

/* The first line of dir/name; "(none)" when there is no such file. */
static inline const char *tree_get(const char *dir, const char *name)
{
	static char line[256];
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", tree_path(dir), name);
	f = fopen(path, "re");
	if (!f)
		return "(none)";
	if (!fgets(line, sizeof line, f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static inline bool tree_has(const char *path)
{
	return !access(tree_path(path), F_OK);
}

static inline void tree_drop(const char *path)
{
	char command[600];

	snprintf(command, sizeof command, "rm -rf '%s'", tree_path(path));
	CHECK_EQ(system(command), 0);
}

/* link -> target, both paths in the tree. */
static inline void tree_link(const char *link, const char *target)
{
	tree_above(link);
	unlink(tree_path(link));
	CHECK_EQ(symlink(tree_path(target), tree_path(link)), 0);
}

/* A device NODE of a class below the device PARENT, in the tree and as a link. */
static inline void tree_device(const char *class_dir, const char *node, const char *parent,
			       const char *key, const char *name)
{
	char dir[256], link[256];

	snprintf(dir, sizeof dir, "/sys/devices/%s/%s", parent, node);
	snprintf(link, sizeof link, "%s/%s", class_dir, node);
	tree_dir(dir);
	tree_link(link, dir);
	if (key)
		tree_attr(link, key, name);
}

/* How many descriptors this process has open. */
static inline unsigned tree_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

#endif
