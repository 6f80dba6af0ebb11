// SPDX-License-Identifier: MIT
/*
 * profiler: loads bpf/latency.bpf.c, tells it which threads to follow and reads what it found
 * through the object's mapped .bss: no system call after the attach. Where the kernel refuses,
 * libbpf's error is only "not permitted" or "not found"; the cause that a person could mend
 * is found by looking at what is missing.
 */
#include "agent/profiler.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/bpf_log.h"
#include "bpf/latency.h"
#include "kernels/why.h"
#include "latency.skel.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"
#define INITIAL_PID_NS 0xEFFFFFFCU	/* include/linux/proc_ns.h, PROC_PID_INIT_INO */

struct profiler {
	struct latency_bpf *skel;
	struct latency_state *state;
};

static bool may_trace(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct cap[2] = { 0 };
	uint64_t set;

	if (syscall(SYS_capget, &head, cap))
		return false;
	set = cap[0].effective | (uint64_t)cap[1].effective << 32;
	return set >> CAP_SYS_ADMIN & 1 || (set >> CAP_BPF & 1 && set >> CAP_PERFMON & 1);
}

/* Why the object could not be loaded or attached; the errno tells the kinds of cause apart. */
static int refused(struct why *why, int err)
{
	if (access(KERNEL_BTF, R_OK))
		return why_set(why, -ENOENT, "the kernel has no BTF (" KERNEL_BTF "): "
			       "it needs CONFIG_DEBUG_INFO_BTF=y");
	if (err == -ENOSYS)
		return why_set(why, err, "no bpf() system call: the kernel needs CONFIG_BPF_SYSCALL=y");
	if (!may_trace())
		return why_set(why, -EPERM, "BPF tracing needs root, or CAP_BPF and CAP_PERFMON");
	if (err == -EPERM)
		return why_set(why, err, "bpf() is refused in spite of the rights: "
			       "by a seccomp filter (container) or kernel lockdown");
	/* Without CONFIG_BPF_EVENTS there is no btf_trace_sched_switch to be found. */
	if (err == -ESRCH || libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACING, NULL) == 0)
		return why_set(why, -ENOTSUP, "the kernel has no BPF tracing: "
			       "it needs CONFIG_BPF_EVENTS=y and CONFIG_BPF_JIT=y");
	return why_set(why, err, "%s%s%s", strerror(-err), bpf_log_first[0] ? ": " : "",
		       bpf_log_first);
}

int profiler_open(struct profiler **out, struct why *why)
{
	struct profiler *p;
	struct stat ns;
	int err;

	*out = NULL;
	/* The programs see thread ids as the first namespace counts them, we see our own. */
	if (!stat("/proc/self/ns/pid", &ns) && ns.st_ino != INITIAL_PID_NS)
		return why_set(why, -EOPNOTSUPP, "inside a PID namespace (container) the kernel's "
			       "thread ids are not known: run on the host");
	p = calloc(1, sizeof(*p));
	if (!p)
		return why_set(why, -ENOMEM, "out of memory");
	bpf_log_begin();
	p->skel = latency_bpf__open_and_load();
	if (!p->skel) {
		err = refused(why, -errno);
		goto fail;
	}
	err = latency_bpf__attach(p->skel);
	if (err) {
		err = refused(why, err);
		goto fail;
	}
	p->state = &p->skel->bss->latency;
	*out = p;
	return 0;
fail:
	profiler_close(p);
	return err;
}

void profiler_close(struct profiler *p)
{
	if (!p)
		return;
	latency_bpf__destroy(p->skel);
	free(p);
}

/* The programs look at the filter first: it opens last, and closes after the slot did. */
int profiler_track(struct profiler *p, unsigned slot, pid_t tid)
{
	struct latency_state *s;
	uint64_t filter = 0;

	if (!p || slot >= LATENCY_SLOTS || tid < 0)
		return -EINVAL;
	s = p->state;
	__atomic_store_n(&s->tid[slot], 0, __ATOMIC_SEQ_CST);
	s->waiting.slot[slot] = 0;
	memset(&s->slot[slot], 0, sizeof(s->slot[slot]));
	__atomic_store_n(&s->tid[slot], tid, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < LATENCY_SLOTS; i++)
		if (s->tid[i])
			filter |= 1ULL << (s->tid[i] & 63);
	__atomic_store_n(&s->filter, filter, __ATOMIC_SEQ_CST);
	return 0;
}

static uint64_t load(const sonde_u64 *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

void profiler_read(struct profiler *p, unsigned slot, struct sonde_host *h)
{
	const struct latency_slot *s;
	uint64_t count = 0;

	if (!p || slot >= LATENCY_SLOTS)
		return;
	s = &p->state->slot[slot];
	for (unsigned i = 0; i < SONDE_HIST_BUCKETS; i++)
		count += h->wakeup.bucket[i] = load(&s->wakeup.bucket[i]);
	/* The programs go on meanwhile: the count is of the buckets that were read. */
	h->wakeup.count = count;
	h->wakeup.sum_ns = load(&s->wakeup.sum_ns);
	h->wakeup.max_ns = load(&s->wakeup.max_ns);
	h->preemptions = load(&s->preemptions);
	h->preempted_ns = load(&s->preempted_ns);
	h->worst_ns = load(&s->worst.worst_ns);
	h->worst_pid = __atomic_load_n(&s->worst.pid, __ATOMIC_RELAXED);
	memcpy(h->worst_comm, s->worst.comm, sizeof(h->worst_comm));
	h->worst_comm[sizeof(h->worst_comm) - 1] = '\0';
}

unsigned profiler_culprits(struct profiler *p, unsigned slot, struct profiler_culprit *out,
			   unsigned max)
{
	unsigned n = 0;

	if (!p || slot >= LATENCY_SLOTS)
		return 0;
	for (unsigned i = 0; i < LATENCY_CULPRITS; i++) {
		const struct latency_culprit *c = &p->state->slot[slot].culprit[i];
		struct profiler_culprit one = {
			.pid = c->pid,
			.count = load(&c->count),
			.total_ns = load(&c->total_ns),
			.worst_ns = load(&c->worst_ns),
		};
		unsigned at;

		if (!one.count)
			continue;
		memcpy(one.comm, c->comm, sizeof(one.comm) - 1);
		for (at = n; at && out[at - 1].total_ns < one.total_ns; at--)
			if (at < max)
				out[at] = out[at - 1];
		if (at < max)
			out[at] = one;
		if (n < max)
			n++;
	}
	return n;
}

const char *profiler_name(const struct profiler *p)
{
	return p ? "co-re" : "none";
}
