// SPDX-License-Identifier: MIT
/* probe_look: sysfs and /dev below a root, for the tool: small texts, links and listings. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cli/probe.h"

static bool path_of(const struct probe *p, char path[static PATH_MAX], const char *format,
		    va_list ap)
{
	size_t n = strlen(p->root);
	int more;

	if (n >= PATH_MAX)
		return false;
	memcpy(path, p->root, n);
	more = vsnprintf(path + n, PATH_MAX - n, format, ap);
	return more >= 0 && (size_t)more < PATH_MAX - n;
}

#define PATH_OF(p, path, format, ok)			\
	do {						\
		va_list ap;				\
							\
		va_start(ap, format);			\
		ok = path_of(p, path, format, ap);	\
		va_end(ap);				\
	} while (0)

const char *probe_path(const struct probe *p, char path[static PATH_MAX], const char *format, ...)
{
	bool ok;

	PATH_OF(p, path, format, ok);
	return ok ? path : NULL;
}

bool probe_has(const struct probe *p, const char *format, ...)
{
	char path[PATH_MAX];
	bool ok;

	PATH_OF(p, path, format, ok);
	return ok && !access(path, F_OK);
}

bool probe_read(const struct probe *p, char *text, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	ssize_t n = -1;
	bool ok;
	int fd;

	*text = '\0';
	PATH_OF(p, path, format, ok);
	if (!ok)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	if (n < 0) {
		*text = '\0';
		return false;
	}
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	cli_utf8(text);
	return *text;
}

bool probe_link(const struct probe *p, char *text, size_t size, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t n;
	bool ok;

	*text = '\0';
	PATH_OF(p, path, format, ok);
	n = ok ? readlink(path, target, sizeof target - 1) : -1;
	if (n < 0)
		return false;
	target[n] = '\0';
	slash = strrchr(target, '/');
	snprintf(text, size, "%s", slash ? slash + 1 : target);
	cli_utf8(text);
	return *text;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

void probe_list_free(char **names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* Names go into configuration and onto terminals: those that nobody would choose are left out. */
static bool printable(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

unsigned probe_list(struct probe *p, char ***names, const char *dir, const char *prefix,
		    const char *suffix)
{
	char path[PATH_MAX], **list = NULL, **more;
	size_t before = strlen(prefix), behind = strlen(suffix);
	const struct dirent *e;
	unsigned n = 0;
	DIR *d;

	*names = NULL;
	d = probe_path(p, path, "%s", dir) ? opendir(path) : NULL;
	while (d && (e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, before) ||
		    len < before + behind || strcmp(e->d_name + len - behind, suffix) ||
		    !printable(e->d_name))
			continue;
		more = reallocarray(list, n + 1, sizeof *list);
		if (more)
			list = more;
		if (!more || !(list[n] = strdup(e->d_name))) {
			p->err = -ENOMEM;
			break;
		}
		n++;
	}
	if (d)
		closedir(d);
	if (n)
		qsort(list, n, sizeof *list, by_version);
	*names = list;
	return n;
}
