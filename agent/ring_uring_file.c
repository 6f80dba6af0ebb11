// SPDX-License-Identifier: MIT
/*
 * ring_uring_file: what is asked of files. Every request names a registered file. Blocking
 * ones go to io-wq at once (IOSQE_ASYNC): an attribute that talks to a bus would otherwise
 * hold up the submission.
 */
#include <errno.h>
#include <string.h>

#include "agent/ring_uring.h"
#include "kernels/why.h"

#define NS 1000000000u
#define CHAIN 3				/* requests of a command */

int ring_uring_add(struct ring *r, unsigned index, struct why *why)
{
	struct uring *u = (struct uring *)r;
	int fd = r->file[index].fd;
	int ret = io_uring_register_files_update(&u->ring, index, &fd, 1);

	return ret == 1 ? 0 : why_set(why, ret, "file %d can not be registered: %s", fd,
				      strerror(-ret));
}

static void cancel(struct uring *u, uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_uring_sqe(u);

	if (!sqe)
		return;
	io_uring_prep_cancel64(sqe, user_data, 0);
	uring_mute(sqe);
}

int ring_uring_remove(struct ring *r, unsigned index)
{
	struct uring *u = (struct uring *)r;
	struct ring_file *f = &r->file[index];
	int none = -1, ret;

	if (f->reading) {
		/* Whichever of a command's requests has begun; those to come are not found. */
		for (unsigned what = UD_READ; what <= UD_PAUSE; what++)
			cancel(u, uring_user_data(u, what, index));
		return -EBUSY;
	}
	if (f->streaming)
		cancel(u, uring_user_data(u, UD_STREAM, index));
	f->streaming = false;
	/* What is still queued names the index: it must not meet the next file there. */
	r->counters.submits++;
	io_uring_submit(&u->ring);
	ret = io_uring_register_files_update(&u->ring, index, &none, 1);
	return ret < 0 ? ret : 0;
}

int ring_uring_read(struct ring *r, unsigned index, void *buf, unsigned len, uint64_t offset)
{
	struct uring *u = (struct uring *)r;
	struct io_uring_sqe *sqe = ring_uring_sqe(u);

	if (!sqe)
		return -EAGAIN;
	io_uring_prep_read(sqe, (int)index, buf, len, offset);
	sqe->flags |= IOSQE_FIXED_FILE | (r->file[index].blocking ? IOSQE_ASYNC : 0);
	sqe->user_data = uring_user_data(u, UD_READ, index);
	u->inflight++;
	return 0;
}

/*
 * One completion comes of the three: a request that may not say it succeeded says that
 * it failed, and keeps those linked to it from saying they were cancelled (req_set_fail,
 * io_fail_links). A short write counts as failed (__io_complete_rw_common). A chain ends
 * where a submission ends, so all of it must fit. A time-out that fires always ends the wait
 * (io_should_wake): that turn of ring_wait finds nothing and waits on.
 */
int ring_uring_command(struct ring *r, unsigned index, const struct ring_chain *c)
{
	static const unsigned linked =
		IOSQE_FIXED_FILE | IOSQE_ASYNC | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
	struct uring *u = (struct uring *)r;
	struct io_uring_sqe *sqe;

	if (io_uring_sq_space_left(&u->ring) < CHAIN) {
		r->counters.submits++;
		io_uring_submit(&u->ring);
		if (io_uring_sq_space_left(&u->ring) < CHAIN)
			return -EAGAIN;
	}
	sqe = io_uring_get_sqe(&u->ring);
	io_uring_prep_write(sqe, (int)index, c->out, c->outs, 0);
	sqe->flags |= linked;
	sqe->user_data = uring_user_data(u, UD_WRITE, index);
	if (c->wait_ns) {
		u->pause[index] = (struct __kernel_timespec){
			.tv_sec = c->wait_ns / NS, .tv_nsec = c->wait_ns % NS,
		};
		sqe = io_uring_get_sqe(&u->ring);
		io_uring_prep_timeout(sqe, &u->pause[index], 0, IORING_TIMEOUT_ETIME_SUCCESS);
		sqe->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
		sqe->user_data = uring_user_data(u, UD_PAUSE, index);
	}
	return ring_uring_read(r, index, c->in, c->len, 0);
}

int ring_uring_stream(struct ring *r, unsigned index)
{
	struct uring *u = (struct uring *)r;
	struct io_uring_sqe *sqe = ring_uring_sqe(u);

	if (!sqe)
		return -EAGAIN;
	if (r->file[index].single) {
		io_uring_prep_read(sqe, (int)index, NULL, r->stream_buffer_size, (uint64_t)-1);
		sqe->flags |= IOSQE_BUFFER_SELECT;
		sqe->buf_group = STREAM_GROUP;
	} else {
		io_uring_prep_read_multishot(sqe, (int)index, 0, (uint64_t)-1, STREAM_GROUP);
	}
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->user_data = uring_user_data(u, UD_STREAM, index);
	u->inflight++;
	return 0;
}

void ring_uring_notify(struct ring *r, int eventfd)
{
	static const uint64_t one = 1;
	struct uring *u = (struct uring *)r;
	int slot = uring_notify_slot(u);
	struct io_uring_sqe *sqe;

	if (eventfd != u->notify_fd) {
		if (io_uring_register_files_update(&u->ring, slot, &eventfd, 1) != 1)
			return;
		u->notify_fd = eventfd;
	}
	sqe = ring_uring_sqe(u);
	if (!sqe)
		return;
	io_uring_prep_write(sqe, slot, &one, sizeof one, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	uring_mute(sqe);
}
