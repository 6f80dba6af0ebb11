/* SPDX-License-Identifier: MIT */
/*
 * file: a whole file into memory, and memory into a whole file. What is read is
 * a private copy: somebody truncating or rewriting a mapped file would otherwise
 * kill the daemon with SIGBUS, or change numbers after they were checked.
 */
#ifndef SONDE_FILE_H
#define SONDE_FILE_H

#include <stddef.h>
#include <sys/uio.h>

struct why;

/*
 * Read a regular file of at most max bytes into read-only pages of their own;
 * never NULL, also for an empty file. Result: file_free. Errors: -errno,
 * -EINVAL (not a regular file), -EFBIG. The reason names the path.
 */
int file_read(const void **data, size_t *len, const char *path, size_t max, struct why *why);
void file_free(const void *data, size_t len);

/*
 * Make path hold exactly these bytes: written beside it, fsync, rename, fsync of
 * the folder. After an error path is what it was and nothing lies beside it, but where the
 * folder alone could not be synced: then path is the new one, for as long as there is power.
 */
int file_replace(const char *path, const struct iovec *part, unsigned parts, struct why *why);

#endif
