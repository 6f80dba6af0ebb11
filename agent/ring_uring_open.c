// SPDX-License-Identifier: MIT
/*
 * ring_uring_open: make and unmake a ring on io_uring. A kernel that refuses a flag gets
 * fewer; one that refuses io_uring itself is named with what forbids it, since that
 * line is all a user sees of it. Opened by the thread that uses it: SINGLE_ISSUER.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/ring_uring.h"
#include "kernels/why.h"

static int word_of(const char *path)
{
	FILE *f = fopen(path, "re");
	int value = -1;

	if (f) {
		if (fscanf(f, "%d", &value) != 1)
			value = -1;
		fclose(f);
	}
	return value;
}

static int setup_refused(int err, struct why *why)
{
	int disabled = word_of("/proc/sys/kernel/io_uring_disabled");

	if (err == -ENOSYS)
		return why_set(why, err, "io_uring_setup: this kernel was built without "
			       "io_uring, or a seccomp filter hides it");
	if (err == -EPERM && disabled > 0)
		return why_set(why, err, "io_uring_setup: kernel.io_uring_disabled = %d%s",
			       disabled, disabled == 1 ? " (needs CAP_SYS_ADMIN)" : "");
	if (err == -EPERM)
		return why_set(why, err, "io_uring_setup: refused by a seccomp filter or a "
			       "security module (container, systemd SystemCallFilter)");
	return why_set(why, err, "io_uring_setup: %s", strerror(-err));
}

static int setup(struct uring *u, const struct ring_options *o, struct why *why)
{
	static const unsigned wanted[] = {
		IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		0,
	};
	unsigned sq = 3 * o->files + o->peers + 16;
	unsigned cq = 4 * (o->files + o->peers + o->stream_buffers) + 64;
	int err = -EINVAL;

	for (unsigned i = 0; err == -EINVAL && i < 2; i++) {
		struct io_uring_params p = {
			.flags = wanted[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
			.cq_entries = cq > 2 * sq ? cq : 4 * sq,
		};

		err = io_uring_queue_init_params(sq, &u->ring, &p);
		if (!err && !wanted[i])
			why_set(why, 0, "io_uring without DEFER_TASKRUN: the kernel is older "
				"than 6.1");
	}
	if (err)
		return setup_refused(err, why);
	u->ready = true;
	if (!(u->ring.features & IORING_FEAT_CQE_SKIP))
		return why_set(why, -ENOSYS, "the io_uring of this kernel is older than 5.17");
	return 0;
}

/* Workers: as many as allowed, and not where the pipeline runs. */
static void confine_workers(struct uring *u, const struct ring_options *o, struct why *why)
{
	unsigned max[2] = { o->workers ? o->workers : 1, o->workers ? o->workers : 1 };
	cpu_set_t set;
	int err;

	err = io_uring_register_iowq_max_workers(&u->ring, max);
	if (err)
		why_set(why, 0, "the number of io_uring workers is not bounded: %s",
			strerror(-err));
	if (o->core < 0)
		return;
	err = -ENODEV;
	if (ring_other_cores(o->core, &set))
		err = io_uring_register_iowq_aff(&u->ring, sizeof set, &set);
	if (err)
		why_set(why, 0, "io_uring workers share core %d with the pipeline: %s", o->core,
			err == -ENODEV ? "there is no other" : strerror(-err));
}

static int open_pool(struct uring *u, struct why *why)
{
	unsigned n = u->base.stream_buffers;
	int err = 0;

	if (!n)
		return 0;
	u->used = calloc(n, sizeof *u->used);
	if (!u->used)
		return why_set(why, -ENOMEM, "no memory for %u stream buffers", n);
	for (u->pool_entries = 1; u->pool_entries < n; u->pool_entries *= 2)
		;
	u->pool = io_uring_setup_buf_ring(&u->ring, u->pool_entries, STREAM_GROUP, 0, &err);
	if (!u->pool)
		return why_set(why, err, "io_uring refuses %u stream buffers: %s", n,
			       strerror(-err));
	for (unsigned i = 0; i < n; i++)
		u->used[i] = i;
	ring_uring_give(u, u->used, n);
	return 0;
}

static int open_files(struct uring *u, struct why *why)
{
	int err;

	u->pause = calloc(u->base.files + 1, sizeof *u->pause);
	if (!u->pause)
		return why_set(why, -ENOMEM, "no memory for %u files", u->base.files);
	err = io_uring_register_files_sparse(&u->ring, u->base.files + 2);

	if (!err) {
		err = io_uring_register_files_update(&u->ring, uring_stop_slot(u),
						     &u->base.stop_fd, 1);
		err = err == 1 ? 0 : err;
	}
	return err ? why_set(why, err, "io_uring registers no files: %s", strerror(-err)) : 0;
}

static void uring_close(struct ring *r)
{
	struct uring *u = (struct uring *)r;

	if (u->ready) {
		/* When a thread has ended, so have its requests (io_uring_cancel_generic). */
		if (u->owner == gettid())
			ring_uring_drain(u);
		/* Refused to any but the thread that opened it, and nothing is unmapped then. */
		if (u->pool && io_uring_free_buf_ring(&u->ring, u->pool, u->pool_entries,
						      STREAM_GROUP))
			munmap(u->pool, u->pool_entries * sizeof(struct io_uring_buf));
		io_uring_queue_exit(&u->ring);
	}
	free(u->used);
	free(u->pause);
	ring_base_close(r);
	free(u);
}

static const struct ring_ops uring_ops = {
	.kind = RING_URING,
	.close = uring_close,
	.add = ring_uring_add,
	.remove = ring_uring_remove,
	.read = ring_uring_read,
	.command = ring_uring_command,
	.stream = ring_uring_stream,
	.notify = ring_uring_notify,
	.wait = ring_uring_wait,
	.peer_open = ring_uring_peer_open,
	.peer_close = ring_uring_peer_close,
	.peer_hush = ring_uring_peer_hush,
	.peer_wake = ring_uring_peer_wake,
};

int ring_uring_open(struct ring **out, const struct ring_options *o, struct why *why)
{
	struct uring *u = calloc(1, sizeof *u);
	int err;

	if (!u)
		return why_set(why, -ENOMEM, "no memory for the ring");
	u->owner = gettid();
	u->notify_fd = -1;
	u->tick.user_data = (uint64_t)UD_TICK << 32;
	u->deadline.user_data = (uint64_t)UD_DEADLINE << 32;
	err = ring_base_open(&u->base, &uring_ops, o, why);
	if (!err)
		err = setup(u, o, why);
	if (!err)
		err = open_files(u, why);
	if (!err)
		err = open_pool(u, why);
	if (err) {
		uring_close(&u->base);
		return err;
	}
	confine_workers(u, o, why);
	io_uring_register_ring_fd(&u->ring);
	*out = &u->base;
	return 0;
}
