// SPDX-License-Identifier: MIT
/*
 * path: loads bpf/path.bpf.c by way of the kernel's BTF and, where that is missing or refuses, of
 * the classic tracepoint, which needs tracefs instead. Both have to be told where
 * they find a request's user_data and opcode.
 */
#include "agent/path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "agent/bpf_log.h"
#include "bpf/path.h"
#include "kernels/why.h"
#include "path.skel.h"

#define TRACEPOINT "io_uring/io_uring_queue_async_work"
#define INITIAL_PID_NS 0xEFFFFFFCU	/* include/linux/proc_ns.h, PROC_PID_INIT_INO */
#define OFFSET_MAX 4096			/* no record and no request is as long */

struct path {
	struct path_bpf *skel;
	const char *name;
	int counts;		/* the map */
};

struct offsets {
	unsigned user_data, opcode;	/* bytes */
};

/* The offset of a direct member, and its type in *type. */
static int member(const struct btf *b, const char *of, const char *name, unsigned *offset)
{
	int id = btf__find_by_name_kind(b, of, BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(b, (unsigned)id) : NULL;

	for (unsigned i = 0; t && i < btf_vlen(t); i++) {
		const char *is = btf__name_by_offset(b, btf_members(t)[i].name_off);

		if (!is || strcmp(is, name))
			continue;
		*offset = btf_member_bit_offset(t, i) / 8;
		return 0;
	}
	return -ENOENT;
}

static int offsets_from_btf(struct offsets *o)
{
	struct btf *b = btf__load_vmlinux_btf();
	unsigned cqe, inside;
	int err;

	if (!b)
		return -errno;
	err = member(b, "io_kiocb", "opcode", &o->opcode);
	if (!err)
		err = member(b, "io_kiocb", "cqe", &cqe);
	if (!err)
		err = member(b, "io_cqe", "user_data", &inside);
	if (!err)
		o->user_data = cqe + inside;
	btf__free(b);
	return err;
}

/* A line is "field:TYPE NAME;\toffset:N;\tsize:N;\tsigned:N;". */
static void field(const char *line, const char *name, unsigned size, unsigned *offset, bool *found)
{
	const char *end = strchr(line, ';'), *at;
	unsigned is_at, is_size;
	size_t n = strlen(name);

	if (!end || (size_t)(end - line) < n)
		return;
	at = end - n;
	if (at == line || at[-1] != ' ' || strncmp(at, name, n))
		return;
	if (sscanf(end, "; offset:%u; size:%u;", &is_at, &is_size) != 2 || is_size != size ||
	    is_at > OFFSET_MAX)
		return;
	*offset = is_at;
	*found = true;
}

static int offsets_from_format(struct offsets *o)
{
	static const char *const root[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	bool user_data = false, opcode = false;
	char line[256];
	FILE *f = NULL;
	int err = 0;

	for (unsigned i = 0; !f && i < 2; i++) {
		snprintf(line, sizeof(line), "%s/events/" TRACEPOINT "/format", root[i]);
		f = fopen(line, "re");
		if (!f)
			err = -errno;
	}
	if (!f)
		return err;
	while (fgets(line, sizeof(line), f)) {
		field(line, "user_data", 8, &o->user_data, &user_data);
		field(line, "opcode", 1, &o->opcode, &opcode);
	}
	fclose(f);
	return user_data && opcode ? 0 : -ENOENT;
}

static int start(struct path *p, const struct offsets *o, bool btf)
{
	int err;

	p->skel = path_bpf__open();
	if (!p->skel)
		return -errno;
	p->skel->rodata->path_tgid = (sonde_u32)getpid();
	p->skel->rodata->path_user_data_at = o->user_data;
	p->skel->rodata->path_opcode_at = o->opcode;
	p->skel->rodata->path_shift = PATH_KEY_SHIFT;
	bpf_program__set_autoload(p->skel->progs.path_btf, btf);
	bpf_program__set_autoload(p->skel->progs.path_classic, !btf);
	err = path_bpf__load(p->skel);
	if (!err)
		err = path_bpf__attach(p->skel);
	if (!err) {
		p->counts = bpf_map__fd(p->skel->maps.path_counts);
		p->name = btf ? "btf" : "tracepoint";
		return 0;
	}
	path_bpf__destroy(p->skel);
	p->skel = NULL;
	return err;
}

static int refused(struct why *why, int err)
{
	if (err == -EPERM || err == -EACCES)
		return why_set(why, -EPERM, "BPF tracing is not permitted: it needs root, or "
			       "CAP_BPF and CAP_PERFMON, and no seccomp filter or lockdown");
	if (err == -ENOENT)
		return why_set(why, err, "the kernel has neither BTF (CONFIG_DEBUG_INFO_BTF) nor "
			       "tracefs with " TRACEPOINT);
	if (err == -ENOSYS)
		return why_set(why, err, "no bpf() system call: "
			       "the kernel needs CONFIG_BPF_SYSCALL=y");
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACEPOINT, NULL) == 0)
		return why_set(why, -ENOTSUP, "the kernel has no BPF tracing: "
			       "it needs CONFIG_BPF_EVENTS=y");
	return why_set(why, err, "%s%s%s", strerror(-err), bpf_log_first[0] ? ": " : "",
		       bpf_log_first);
}

int path_open(struct path **out, struct why *why)
{
	struct offsets o = { 0 };
	struct path *p;
	struct stat ns;
	int err;

	*out = NULL;
	if (!stat("/proc/self/ns/pid", &ns) && ns.st_ino != INITIAL_PID_NS)
		return why_set(why, -EOPNOTSUPP, "inside a PID namespace (container) the kernel's "
			       "process ids are not known: run on the host");
	p = calloc(1, sizeof(*p));
	if (!p)
		return why_set(why, -ENOMEM, "out of memory");
	bpf_log_begin();
	err = offsets_from_btf(&o);
	if (!err)
		err = start(p, &o, true);
	/* What may not trace at all may not in this way either; its reason is the better one. */
	if (err && err != -EPERM && err != -ENOSYS) {
		err = offsets_from_format(&o);
		if (!err)
			err = start(p, &o, false);
	}
	if (err) {
		path_close(p);
		return refused(why, err);
	}
	*out = p;
	return 0;
}

void path_close(struct path *p)
{
	if (!p)
		return;
	path_bpf__destroy(p->skel);
	free(p);
}

uint64_t path_count(const struct path *p, pid_t tid, unsigned key)
{
	struct path_key k = { .tid = (sonde_u32)tid, .key = key };
	sonde_u64 n = 0;

	if (!p || bpf_map_lookup_elem(p->counts, &k, &n))
		return 0;
	return n;
}

const char *path_name(const struct path *p)
{
	return p ? p->name : "none";
}
