// SPDX-License-Identifier: MIT
/*
 * ring_thread: threads for what may block. They keep off the pipeline's core, which is
 * set before they run their first instruction, and leave all signals to the main thread. A
 * right that is missing costs quality, not the thread.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "agent/ring_impl.h"
#include "kernels/why.h"

bool ring_other_cores(int core, cpu_set_t *set)
{
	/* This thread may be pinned already: ask about the main thread. */
	if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(getpid(), sizeof *set, set))
		return false;
	CPU_CLR(core, set);
	if (CPU_COUNT(set))
		return true;
	/* So the main thread is pinned to that core as well. */
	for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN) && i < CPU_SETSIZE; i++)
		CPU_SET(i, set);
	CPU_CLR(core, set);
	return CPU_COUNT(set) > 0;
}

static void set_priority(pthread_attr_t *attr, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(attr, priority ? SCHED_FIFO : SCHED_OTHER);
	pthread_attr_setschedparam(attr, &param);
}

int ring_thread(pthread_t *out, void *(*body)(void *arg), void *arg, const char *what, int core,
		int priority, struct why *why)
{
	pthread_attr_t attr;
	sigset_t all, old;
	cpu_set_t set;
	int err;

	pthread_attr_init(&attr);
	if (ring_other_cores(core, &set))
		pthread_attr_setaffinity_np(&attr, sizeof set, &set);
	else if (core >= 0)
		why_set(why, 0, "%s shares core %d with the pipeline", what, core);
	if (priority != RING_INHERIT)
		set_priority(&attr, priority);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(out, &attr, body, arg);
	if (err == -EPERM && priority > 0) {
		why_set(why, 0, "%s is not SCHED_FIFO %d: %s (needs CAP_SYS_NICE or LimitRTPRIO)",
			what, priority, strerror(-err));
		set_priority(&attr, 0);
		err = -pthread_create(out, &attr, body, arg);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return err ? why_set(why, err, "%s can not be started: %s", what, strerror(-err)) : 0;
}
