// SPDX-License-Identifier: MIT
/*
 * part_read: files of the sensor library. They are read when somebody names one, or all of
 * them by the probe; anybody may have written them, so nothing in one is believed: size, line
 * length, text encoding, sections and keys that come twice. Reading ends with the first
 * mistake: unlike a configuration, such a file is written once, by one who tries it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config_raw.h"
#include "agent/part_impl.h"
#include "kernels/why.h"

#define KEYS_MAX 128
#define KEY_MAX 48
#define SUFFIX ".conf"

struct reading {
	struct part *part;
	FILE *file;
	const char *path;
	int line;
	long bytes;
	char key[KEYS_MAX][KEY_MAX];
	unsigned keys;
	int err;
	struct why *why;
};

static int fail(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct reading *r, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	r->err = why_set(r->why, -EINVAL, "%s:%d: %s", r->path, r->line, text);
	return r->err;
}

/* Printable UTF-8 (RFC 3629): titles and units go to terminals and into JSON. */
static bool is_text(const unsigned char *s)
{
	while (*s) {
		unsigned more = *s < 0x80 ? 0 : *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : 1;
		unsigned long c = more ? *s & (0x3fu >> more) : *s;

		if ((*s >= 0x80 && *s < 0xc2) || *s > 0xf4 || *s == 0x7f ||
		    (*s < 0x20 && !strchr("\t\r\n", *s)))
			return false;
		for (unsigned k = 0; k < more; k++) {
			if ((*++s & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*s & 0x3f);
		}
		if ((more == 2 && c < 0x800) || (more == 3 && (c < 0x10000 || c > 0x10ffff)) ||
		    (c >= 0xd800 && c <= 0xdfff))
			return false;
		s++;
	}
	return true;
}

/* inih's reader, in the manner of fgets. It keeps the line's number, which inih does not tell. */
static char *read_line(char *buffer, int size, void *user)
{
	struct reading *r = user;
	int n = 0, c = 0;

	if (r->err)
		return NULL;
	r->line++;
	while (n < size - 1 && c != '\n' && (c = getc(r->file)) != EOF) {
		buffer[n++] = (char)c;
		if (!c) {
			fail(r, "a NUL byte: this is no text");
			return NULL;
		}
	}
	buffer[n] = '\0';
	r->bytes += n;
	if (!n)
		return NULL;
	if (n == size - 1 && c != '\n')
		fail(r, "a line of more than %d bytes", size - 2);
	else if (r->bytes > PART_FILE_MAX)
		fail(r, "the file has more than %d bytes", PART_FILE_MAX);
	else if (!is_text((unsigned char *)buffer))
		fail(r, "not text in UTF-8");
	return r->err ? NULL : buffer;
}

static bool seen(struct reading *r, const char *key)
{
	for (unsigned i = 0; i < r->keys; i++)
		if (!strcmp(r->key[i], key))
			return true;
	return false;
}

/* inih's handler. 0 would have it tell the line, which is known here. */
static int take_key(void *user, const char *section, const char *key, const char *value)
{
	struct reading *r = user;
	struct why why;

	if (r->err)
		return 1;
	if (strcmp(section, "part")) {
		fail(r, *section ? "[%s]: a part has one section, [part]" :
		     "%s%s: before [part]", section, key);
		return 1;
	}
	if (seen(r, key)) {
		fail(r, "%s = %s: set already", key, value);
		return 1;
	}
	if (part_key(r->part, key, value, &why)) {
		fail(r, "%s = %s: %s", key, value, why.text);
		return 1;
	}
	if (r->keys == KEYS_MAX || strlen(key) >= KEY_MAX)
		fail(r, "%s: more than %d keys", key, KEYS_MAX);
	else
		strcpy(r->key[r->keys++], key);
	return 1;
}

int part_read(struct part *p, FILE *f, const char *path, struct why *why)
{
	struct reading r = { .part = p, .file = f, .path = path, .why = why };
	struct why reason;
	int line;

	/* As config_read.c has it: inih's settings are one set for the process. */
	ini_allow_multiline = false;
	ini_inline_comment_prefixes = ";#";
	ini_max_line = RAW_TEXT_MAX;
	line = ini_parse_stream(read_line, &r, take_key, &r);
	if (line < 0)
		return why_set(why, -ENOMEM, "%s: out of memory", path);
	/* Nothing is read behind a mistake, so a bad line was the first one. */
	if (line) {
		r.line = line;
		return fail(&r, "neither [part] nor \"key = value\"");
	}
	if (r.err)
		return r.err;
	if (ferror(f))
		return why_set(why, -EIO, "%s: cannot be read", path);
	if (part_check(p, &reason))
		return why_set(why, -EINVAL, "%s: %s", path, reason.text);
	return 0;
}

/* A file name without its suffix; false: it is none of a part. */
static bool part_name(const char *file, char name[static CONFIG_NAME_MAX])
{
	size_t n = strlen(file);

	if (n <= strlen(SUFFIX) || strcmp(file + n - strlen(SUFFIX), SUFFIX))
		return false;
	n -= strlen(SUFFIX);
	if (n >= CONFIG_NAME_MAX)
		return false;
	memcpy(name, file, n);
	name[n] = '\0';
	return !name_check(name, false, NULL);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void part_list_free(char **names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

int part_list(char ***names, unsigned *n, const char *dir, struct why *why)
{
	char name[CONFIG_NAME_MAX], **list = NULL, **more;
	const struct dirent *e;
	unsigned count = 0;
	DIR *d = opendir(dir);
	int err = 0;

	*names = NULL;
	*n = 0;
	if (!d) {
		err = -errno;
		return why_set(why, err, "%s: %s", dir, strerror(-err));
	}
	while ((e = readdir(d))) {
		if (!part_name(e->d_name, name))
			continue;
		more = reallocarray(list, count + 2, sizeof *list);
		if (!more)
			goto fail;
		list = more;
		list[count] = strdup(name);
		if (!list[count])
			goto fail;
		list[++count] = NULL;
	}
	closedir(d);
	if (count)
		qsort(list, count, sizeof *list, by_name);
	*names = list;
	*n = count;
	return 0;
fail:
	closedir(d);
	part_list_free(list, count);
	return why_set(why, -ENOMEM, "%s: out of memory", dir);
}

static int not_there(const char *dir, const char *name, struct why *why)
{
	const char *guess;
	char **names;
	unsigned n;
	int err = part_list(&names, &n, dir, why);

	if (err)
		return err;
	guess = n ? nearest(name, (const char *const *)names) : NULL;
	err = why_set(why, -ENOENT, "there is no part %s in %s%s%s%s", name, dir,
		      guess ? "; did you mean " : "", guess ? guess : "", guess ? "?" : "");
	part_list_free(names, n);
	return err;
}

/* An i2c part of the library has its addresses, or no probe could find it. */
static int check_library(const struct part *p, const char *path, struct why *why)
{
	if (!strcmp(p->kind, "i2c") && !p->addresses)
		return why_set(why, -EINVAL, "%s: address is missing", path);
	return 0;
}

int part_load(struct part *p, const char *dir, const char *name, struct why *why)
{
	char path[CONFIG_PATH_MAX + CONFIG_NAME_MAX + 8];
	struct stat st;
	FILE *f;
	int fd, err;

	part_init(p, "");
	if (name_check(name, false, why))
		return why_in(why, -EINVAL, "part %.64s", name);
	part_init(p, name);
	if (snprintf(path, sizeof path, "%s/%s" SUFFIX, dir, name) >= (int)sizeof path)
		return why_set(why, -ENAMETOOLONG, "%s: too long a path", name);
	/* Not to wait for the writer of a FIFO. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		err = -errno;
		return err == -ENOENT ? not_there(dir, name, why) :
			why_set(why, err, "%s: %s", path, strerror(-err));
	}
	f = fstat(fd, &st) || !S_ISREG(st.st_mode) ? NULL : fdopen(fd, "r");
	if (!f) {
		close(fd);
		return why_set(why, -EINVAL, "%s: not a regular file", path);
	}
	err = part_read(p, f, path, why);
	if (!err)
		err = check_library(p, path, why);
	fclose(f);
	return err;
}
