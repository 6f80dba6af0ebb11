/* SPDX-License-Identifier: MIT */
/*
 * path: which reads io_uring gave to a worker thread, as the kernel itself says (tracepoint
 * io_uring:io_uring_queue_async_work), not as we asked. A path that was expected to run inline
 * or by poll and shows up here costs a worker's round trip each time.
 */
#ifndef SONDE_PATH_H
#define SONDE_PATH_H

#include <stdint.h>
#include <sys/types.h>

struct path;
struct why;

/*
 * Where the 16 bits stand in a request's user_data that path_count() is asked for: as
 * agent/ring_uring.h lays it out, the low half of the token, which is the device's number.
 */
#define PATH_KEY_SHIFT 48

/*
 * Main: count the requests of this process from here on. -errno with the reason:
 * -EPERM no right to trace, -ENOENT no such tracepoint to be found, -ENOTSUP no BPF
 * tracing in this kernel, -EOPNOTSUPP inside a PID namespace, whose numbers are not the kernel's.
 */
int path_open(struct path **out, struct why *why);
void path_close(struct path *p);

/*
 * Main: the reads and writes of that file which thread tid (a pipeline's, runner_tid()) has
 * submitted and a worker was given, since path_open; a ring_command that pauses counts
 * twice. p may be NULL: 0. A system call.
 */
uint64_t path_count(const struct path *p, pid_t tid, unsigned key);

/* "btf", "tracepoint"; "none" for NULL. */
const char *path_name(const struct path *p);

#endif
