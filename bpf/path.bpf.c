/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * path.bpf: counts the reads and writes of one process that io_uring gave to a worker thread, by
 * submitting thread and file. The tracepoint is hit where that is decided, in the thread that
 * submits (io_uring/io_uring.c, io_queue_iowq), so the current task is the pipeline's. What a
 * worker goes on with by itself, the next request of a chain, is not seen.
 *
 * Two ways in, one of which is loaded: the BTF tracepoint, whose argument is the request itself,
 * and the classic one, whose record has copies of its fields. Where in these the two fields lie,
 * user space finds in the kernel's BTF or in the tracepoint's format; a relocation by libbpf would
 * make the object unloadable where there is no BTF.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/path.h"

/* include/uapi/linux/io_uring.h, enum io_uring_op */
enum { OP_READV = 1, OP_READ_FIXED = 4, OP_READ = 22, OP_WRITE = 23, OP_READ_MULTISHOT = 49 };

char licence[] SEC("license") = "Dual MIT/GPL";

const volatile sonde_u32 path_tgid;
const volatile sonde_u32 path_user_data_at, path_opcode_at;	/* bytes */
const volatile sonde_u32 path_shift;

/* LRU: threads that have ended make room for those that came after them. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PATH_ENTRIES);
	__type(key, struct path_key);
	__type(value, sonde_u64);
} path_counts SEC(".maps");

static __always_inline int count(const char *from)
{
	sonde_u64 id = bpf_get_current_pid_tgid(), user_data = 0, one = 1, *n;
	struct path_key key;
	unsigned char op = 0;

	if (id >> 32 != path_tgid)
		return 0;
	if (bpf_probe_read_kernel(&op, sizeof(op), from + path_opcode_at) ||
	    bpf_probe_read_kernel(&user_data, sizeof(user_data), from + path_user_data_at))
		return 0;
	if (op != OP_READ && op != OP_READ_MULTISHOT && op != OP_READ_FIXED && op != OP_READV &&
	    op != OP_WRITE)
		return 0;
	/* The ring's requests that belong to no file. */
	if (!user_data)
		return 0;
	key.tid = id;
	key.key = user_data >> path_shift & 0xffff;
	n = bpf_map_lookup_elem(&path_counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&path_counts, &key, &one, BPF_NOEXIST);
	return 0;
}

SEC("tp_btf/io_uring_queue_async_work")
int BPF_PROG(path_btf, void *req, int rw)
{
	return count(req);
}

SEC("tracepoint/io_uring/io_uring_queue_async_work")
int path_classic(void *record)
{
	return count(record);
}
