// SPDX-License-Identifier: MIT
/*
 * file: see the header. Pages and not malloc, so that a loaded model is aligned
 * for any vector, can be made read-only, and goes back to the kernel as a whole.
 */
#include "models/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/why.h"

/* munmap must be told the length that mmap was; an empty file has a page as well. */
static size_t mapped(size_t len)
{
	return len ? len : 1;
}

static int fill(int fd, char *p, size_t len)
{
	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_read(const void **data, size_t *len, const char *path, size_t max, struct why *why)
{
	void *p = MAP_FAILED;
	struct stat st;
	size_t size = 0;
	int fd, err;

	/* Non-blocking, or opening a FIFO would wait for its writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0) {
		err = why_set(why, -errno, "%s: %s", path, strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		err = why_set(why, -EINVAL, "%s: not a regular file", path);
		goto fail;
	}
	if ((uintmax_t)st.st_size > max) {
		err = why_set(why, -EFBIG, "%s: %jd bytes, more than the %zu that are read", path,
			      (intmax_t)st.st_size, max);
		goto fail;
	}
	size = (size_t)st.st_size;
	p = mmap(NULL, mapped(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		err = why_set(why, -errno, "%s: no memory for its %zu bytes", path, size);
		goto fail;
	}
	err = fill(fd, p, size);
	if (err == -EIO)
		why_set(why, err, "%s: became shorter while it was read", path);
	else if (err)
		why_set(why, err, "%s: %s", path, strerror(-err));
	if (err)
		goto fail;
	mprotect(p, mapped(size), PROT_READ);
	close(fd);
	*data = p;
	*len = size;
	return 0;
fail:
	if (p != MAP_FAILED)
		munmap(p, mapped(size));
	close(fd);
	return err;
}

void file_free(const void *data, size_t len)
{
	if (data)
		munmap((void *)(uintptr_t)data, mapped(len));
}

static int put(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The rename is durable only once the folder is; some file systems can not say. */
static int sync_folder(const char *path)
{
	char *folder = strdup(path), *slash;
	int fd, err = 0;

	if (!folder)
		return -ENOMEM;
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		err = -errno;
	close(fd);
	return err;
}

int file_replace(const char *path, const struct iovec *part, unsigned parts, struct why *why)
{
	static atomic_uint serial;
	char *beside = NULL;
	int fd, err = 0;

	/* A process that was killed may have had this number, as after each start of a container. */
	do {
		free(beside);
		if (asprintf(&beside, "%s.%d-%u.part", path, (int)getpid(),
			     atomic_fetch_add(&serial, 1)) < 0)
			return why_set(why, -ENOMEM, "%s: no memory", path);
		fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	} while (fd < 0 && errno == EEXIST);
	if (fd < 0) {
		err = why_set(why, -errno, "%s: %s", beside, strerror(errno));
		free(beside);
		return err;
	}
	for (unsigned i = 0; !err && i < parts; i++)
		err = put(fd, part[i].iov_base, part[i].iov_len);
	if (!err && fsync(fd) < 0)
		err = -errno;
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && rename(beside, path) < 0)
		err = -errno;
	if (err)
		unlink(beside);
	else
		err = sync_folder(path);
	if (err)
		why_set(why, err, "%s: %s", path, strerror(-err));
	free(beside);
	return err;
}
