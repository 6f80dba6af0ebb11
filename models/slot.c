// SPDX-License-Identifier: MIT
/*
 * slot: see the header. Copies and not hard links: `cp` onto the live file must not change
 * the previous one, and a FAT card has no links.
 */
#include "models/slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "kernels/why.h"
#include "models/file.h"
#include "models/model.h"

#define SUFFIX ".safetensors"
#define PART ".part"		/* of file_replace: NAME.PID-N.part */

struct content {
	const void *data;		/* NULL: there is no such file */
	size_t len;
};

static int content_read(struct content *c, const char *path, struct why *why)
{
	int err = file_read(&c->data, &c->len, path, MODEL_FILE_MAX, why);

	if (!err)
		return 0;
	*c = (struct content){ NULL, 0 };
	return err == -ENOENT ? 0 : err;
}

static void content_free(struct content *c)
{
	file_free(c->data, c->len);
}

static bool content_is(const struct content *c, const void *data, size_t len)
{
	return c->data && c->len == len && !memcmp(c->data, data, len);
}

static int put(const char *path, const void *data, size_t len, struct why *why)
{
	struct iovec part = { (void *)data, len };

	return file_replace(path, &part, 1, why);
}

/* Some file systems can not sync a folder; that is no reason to stop half-way. */
static int sync_folder(const struct slot *s, struct why *why)
{
	if (!fsync(s->folder) || errno == EINVAL || errno == EROFS)
		return 0;
	return why_set(why, -errno, "syncing the folder of %s: %s", s->live, strerror(errno));
}

static int move(const struct slot *s, const char *from, const char *to, struct why *why)
{
	if (rename(from, to))
		return why_set(why, -errno, "%s: %s", to, strerror(errno));
	return sync_folder(s, why);
}

static int take_away(const struct slot *s, const char *path, struct why *why)
{
	if (unlink(path) && errno != ENOENT)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	return sync_folder(s, why);
}

/* A promotion was cut off. As long as the copy is what is live, it had not taken effect. */
static int mend(struct slot *s, struct why *why)
{
	struct content out = { NULL, 0 }, live = { NULL, 0 };
	int err = content_read(&out, s->outgoing, why);

	if (!err && out.data)
		err = content_read(&live, s->live, why);
	if (!err && out.data)
		err = content_is(&live, out.data, out.len)
			      ? take_away(s, s->outgoing, why)
			      : move(s, s->outgoing, s->previous, why);
	content_free(&out);
	content_free(&live);
	return err;
}

/* NAME.PID-N.part of one of our three names, by a process that is no more? */
static bool abandoned(const struct slot *s, const char *name)
{
	const char *const path[] = { s->live, s->previous, s->outgoing };
	unsigned serial;
	int pid, end;

	for (unsigned i = 0; i < 3; i++) {
		const char *base = strrchr(path[i], '/') + 1;
		size_t n = strlen(base);

		end = -1;
		if (!strncmp(name, base, n) &&
		    sscanf(name + n, ".%9d-%9u" PART "%n", &pid, &serial, &end) == 2 &&
		    end > 0 && !name[n + (size_t)end] && pid > 0)
			return kill(pid, 0) && errno == ESRCH;
	}
	return false;
}

/* Half-written files of those that were killed. Of no harm but for the room they take. */
static void sweep(const struct slot *s)
{
	const struct dirent *e;
	int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	while (d && (e = readdir(d)))
		if (abandoned(s, e->d_name))
			unlinkat(s->folder, e->d_name, 0);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

/* folder/NAME of live, and the two names made of it. */
static int name_all(struct slot *s, const char *live, struct why *why)
{
	const char *slash = strrchr(live, '/'), *base = slash ? slash + 1 : live;
	size_t n = strlen(base), suffix = strlen(SUFFIX);

	if (!n || strlen(live) + sizeof(".previous" SUFFIX) + 2 > SLOT_PATH_MAX)
		return why_set(why, -EINVAL, "%.200s: no name for a model", live);
	/* With a folder always, so that there is a slash to look for. */
	snprintf(s->live, sizeof s->live, "%s%s", slash ? "" : "./", live);
	n = strlen(s->live) - (n > suffix && !strcmp(base + n - suffix, SUFFIX) ? suffix : 0);
	snprintf(s->previous, sizeof s->previous, "%.*s.previous" SUFFIX, (int)n, s->live);
	snprintf(s->outgoing, sizeof s->outgoing, "%.*s.outgoing" SUFFIX, (int)n, s->live);
	return 0;
}

int slot_open(struct slot *s, const char *live, struct why *why)
{
	char folder[SLOT_PATH_MAX];
	int err;

	s->folder = -1;
	err = name_all(s, live, why);
	if (err)
		return err;
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(s->live, '/') - s->live) + 1,
		 s->live);
	s->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->folder < 0)
		return why_set(why, -errno, "%s: %s", folder, strerror(errno));
	while ((err = flock(s->folder, LOCK_EX)) && errno == EINTR)
		;
	if (err)
		err = why_set(why, -errno, "locking %s: %s", folder, strerror(errno));
	if (!err)
		err = mend(s, why);
	if (err)
		slot_close(s);
	else
		sweep(s);
	return err;
}

void slot_close(struct slot *s)
{
	if (s->folder >= 0)
		close(s->folder);
	s->folder = -1;
}

bool slot_has_previous(const struct slot *s)
{
	return !access(s->previous, F_OK);
}

/* The live file was `old`; -errno of accept, unless putting it back fails as well. */
static int put_back(struct slot *s, const struct content *old, int err, struct why *why)
{
	struct why other;
	int failed = old->data ? put(s->live, old->data, old->len, &other)
			       : take_away(s, s->live, &other);

	if (!failed)
		failed = take_away(s, s->outgoing, &other);
	if (failed)
		return why_in(why, err, "%s; and then: it was refused", other.text);
	return err;
}

static int replace(struct slot *s, const struct content *old, const void *data, size_t len,
		   slot_accept *accept, void *user, struct why *why)
{
	int err = old->data ? put(s->outgoing, old->data, old->len, why) : 0;

	if (!err) {
		err = put(s->live, data, len, why);	/* takes effect here */
		if (err)
			mend(s, NULL);		/* it may have: syncing the folder comes last */
	}
	if (err)
		return err;
	err = accept ? accept(user, why) : 0;
	if (err)
		return put_back(s, old, err, why);
	return old->data ? move(s, s->outgoing, s->previous, why) : 0;
}

int slot_promote(struct slot *s, const void *data, size_t len, slot_accept *accept, void *user,
		 struct why *why)
{
	struct content old;
	int err = content_read(&old, s->live, why);

	if (err)
		return err;
	if (content_is(&old, data, len))
		err = why_set(why, -EALREADY, "%s is this model already", s->live);
	else
		err = replace(s, &old, data, len, accept, user, why);
	content_free(&old);
	return err;
}

int slot_rollback(struct slot *s, slot_accept *accept, void *user, struct why *why)
{
	struct content newer;
	struct why other;
	int err;

	if (!slot_has_previous(s))
		return why_set(why, -ENOENT, "there is no model before %s to go back to", s->live);
	err = content_read(&newer, s->live, why);
	if (!err)
		err = move(s, s->previous, s->live, why);	/* takes effect here */
	if (!err && accept) {
		err = accept(user, why);
		/* As if the newer one were promoted again, or had never been there. */
		if (err && (newer.data ? slot_promote(s, newer.data, newer.len, NULL, NULL, &other)
				       : move(s, s->live, s->previous, &other)))
			why_in(why, err, "%s; and then: it was refused", other.text);
	}
	content_free(&newer);
	return err;
}
