/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * latency.bpf: how long each followed thread was runnable before it ran, and which tasks had its
 * core meanwhile. Rung (a) of the profiler: CO-RE programs on the scheduler's BTF tracepoints.
 *
 * They run on every wake-up and switch of the machine, so the common case comes first: one bit
 * of a filter says that neither task is ours, one word that none of ours waits. Time is charged
 * at each switch to the task that leaves: blaming only the last one before our thread would name
 * whoever was queued between it and the real hog.
 *
 * Plain stores, not atomics: what happens to one thread, and on the core in whose queue it waits,
 * happens under that run queue's lock (kernel/sched/core.c, ttwu_do_activate and __schedule), so
 * a slot has one writer at a time. A thread that is not pinned may be moved while it
 * waits; then a charge can go to the wrong task, but the wait itself stays right.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/hist.h"
#include "bpf/latency.h"

/* The fields used, found by name in the running kernel's BTF (__state: since 5.14). */
struct thread_info {
	unsigned int cpu;
} __attribute__((preserve_access_index));

struct task_struct {
	struct thread_info thread_info;
	int pid;
	unsigned int __state;
} __attribute__((preserve_access_index));

char licence[] SEC("license") = "Dual MIT/GPL";

struct latency_state latency;

/*
 * The functions that are not static are verified once, each for itself, with any arguments; inlined
 * or static, the verifier walks through all of them for each slot: that took 2 s at each load.
 * They mask their index for its sake; callers have checked it.
 */
#define SLOT(i) ((i) & (LATENCY_SLOTS - 1))

/* The slot of a thread; LATENCY_SLOTS: none. */
__noinline unsigned latency_search(sonde_u32 tid)
{
	unsigned i;

	for (i = 0; i < LATENCY_SLOTS; i++)
		if (latency.tid[i] == tid)
			break;
	return i;
}

static __always_inline unsigned find(sonde_u32 tid)
{
	/* The idle tasks' 0 would be found in every free slot. */
	if (!(latency.filter >> (tid & 63) & 1) || !tid)
		return LATENCY_SLOTS;
	return latency_search(tid);
}

/* Our thread is in a queue from now on. Woken again while it waits: the first time counts. */
__noinline int latency_begin(unsigned i, sonde_u64 now, sonde_u32 cpu)
{
	struct latency_slot *s = &latency.slot[SLOT(i)];

	if (latency.waiting.slot[SLOT(i)])
		return 0;
	s->runnable_ns = now;
	s->charged_ns = now;
	s->cpu = cpu;
	s->holder.pid = 0;
	s->holder.worst_ns = 0;
	latency.waiting.slot[SLOT(i)] = 1;
	return 0;
}

/* It leaves its core. A wake-up that came before it had was no wait. */
__noinline int latency_leave(unsigned i)
{
	latency.waiting.slot[SLOT(i)] = 0;
	return 0;
}

/* Its own entry, or the one with the least time, which is lost to it. */
static __always_inline struct latency_culprit *place(struct latency_slot *s, sonde_u32 pid)
{
	sonde_u64 least_ns = ~0ULL;
	unsigned i, least = 0;

	for (i = 0; i < LATENCY_CULPRITS; i++) {
		struct latency_culprit *c = &s->culprit[i];

		if (c->pid == pid)
			return c;
		if (c->total_ns < least_ns) {
			least_ns = c->total_ns;
			least = i;
		}
	}
	least &= LATENCY_CULPRITS - 1;
	s->evicted_ns += s->culprit[least].total_ns;
	s->culprit[least].count = 0;
	s->culprit[least].total_ns = 0;
	s->culprit[least].worst_ns = 0;
	s->culprit[least].pid = pid;
	return &s->culprit[least];
}

/* The current task, about to be switched out, ran while our thread waited. */
__noinline int latency_charge(unsigned i, sonde_u64 now)
{
	struct latency_slot *s = &latency.slot[SLOT(i)];
	/* Clocks of two cores may differ by a few ns. */
	sonde_u64 ran = now > s->charged_ns ? now - s->charged_ns : 0;
	sonde_u32 pid = bpf_get_current_pid_tgid();
	struct latency_culprit *c;

	s->charged_ns = now;
	if (ran >= s->holder.worst_ns) {
		s->holder.pid = pid;
		s->holder.worst_ns = ran;
		bpf_get_current_comm(s->holder.comm, LATENCY_COMM);
	}
	if (!pid)
		return 0;
	s->preempted_ns += ran;
	c = place(s, pid);
	bpf_get_current_comm(c->comm, LATENCY_COMM);
	c->count++;
	c->total_ns += ran;
	if (ran > c->worst_ns)
		c->worst_ns = ran;
	return 0;
}

/* Our thread is switched in: who ran until now has been charged. */
__noinline int latency_finish(unsigned i, sonde_u64 now)
{
	struct latency_slot *s = &latency.slot[SLOT(i)];
	sonde_u64 waited = now > s->runnable_ns ? now - s->runnable_ns : 0;

	if (!latency.waiting.slot[SLOT(i)])
		return 0;
	latency.waiting.slot[SLOT(i)] = 0;
	s->runnable_ns = 0;
	s->wakeup.bucket[sonde_hist_bucket(waited) & (SONDE_HIST_BUCKETS - 1)]++;
	s->wakeup.count++;
	s->wakeup.sum_ns += waited;
	if (waited > s->wakeup.max_ns)
		s->wakeup.max_ns = waited;
	if (s->holder.pid)
		s->preemptions++;
	if (waited > s->worst.worst_ns) {
		s->worst = s->holder;
		s->worst.worst_ns = waited;
	}
	return 0;
}

static __always_inline int woken(struct task_struct *task)
{
	unsigned i = find(task->pid);

	if (i < LATENCY_SLOTS)
		latency_begin(i, bpf_ktime_get_ns(), task->thread_info.cpu);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(latency_wakeup, struct task_struct *task)
{
	return woken(task);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(latency_wakeup_new, struct task_struct *task)
{
	return woken(task);
}

/* A fourth argument, prev_state, came with 5.18: preempt and __state say the same. */
SEC("tp_btf/sched_switch")
int BPF_PROG(latency_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	unsigned out = find(prev->pid), in = find(next->pid), i;
	sonde_u32 cpu;
	sonde_u64 now;

	if (out == LATENCY_SLOTS && !latency.waiting.any)
		return 0;
	now = bpf_ktime_get_ns();
	cpu = bpf_get_smp_processor_id();
	if (out < LATENCY_SLOTS)
		latency_leave(out);
	for (i = 0; i < LATENCY_SLOTS; i++)
		if (latency.waiting.slot[i] && (latency.slot[i].cpu == cpu || i == in))
			latency_charge(i, now);
	if (in < LATENCY_SLOTS)
		latency_finish(in, now);
	if (out < LATENCY_SLOTS && (preempt || !prev->__state))
		latency_begin(out, now, cpu);
	return 0;
}
