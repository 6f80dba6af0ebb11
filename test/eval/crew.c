// SPDX-License-Identifier: MIT
/* crew: see crew.h. The longest recordings start first, so that the end is not one of them alone. */
#include "test/eval/crew.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernels/why.h"
#include "models/table.h"
#include "test/eval/job.h"

struct running {
	pid_t pid;
	struct job *job;
	double began;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int share(struct crew_memory *memory, struct job *job, unsigned jobs, struct why *why)
{
	size_t size = jobs * sizeof(struct job_result);
	struct job_result *result;
	float *score;

	for (unsigned k = 0; k < jobs; k++)
		size += 2 * (size_t)METHODS * job[k].rows->rows * sizeof(float);
	memory->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory->at == MAP_FAILED) {
		memory->at = NULL;
		return why_set(why, -errno, "%zu bytes of shared memory: %m", size);
	}
	memory->size = size;
	result = memory->at;
	score = (float *)(result + jobs);
	for (unsigned k = 0; k < jobs; k++) {
		job[k].result = &result[k];
		job[k].score = score;
		score += (size_t)METHODS * job[k].rows->rows;
		job[k].decide = score;
		score += (size_t)METHODS * job[k].rows->rows;
	}
	return 0;
}

void crew_free(struct crew_memory *memory)
{
	if (memory->at)
		munmap(memory->at, memory->size);
	memory->at = NULL;
}

static int longest_first(const void *a, const void *b)
{
	const struct job *x = *(struct job *const *)a, *y = *(struct job *const *)b;
	size_t m = (size_t)x->rows->rows * x->rows->channels;
	size_t n = (size_t)y->rows->rows * y->rows->channels;

	return m < n ? 1 : m > n ? -1 : x < y ? -1 : x > y;
}

static int start(struct running *r, struct job *j, const char *tool, bool prune, struct why *why)
{
	struct why inner = { "" };

	fflush(NULL);
	*r = (struct running){ fork(), j, now() };
	if (r->pid < 0)
		return why_set(why, -errno, "fork: %m");
	if (r->pid)
		return 0;
	j->result->failed = job_run(j, tool, prune, &inner) != 0;
	memcpy(j->result->why, inner.text, sizeof(j->result->why));
	j->result->done = true;
	_exit(0);
}

/* One that ended leaves its place. */
static void reap(struct running *running, unsigned *count, unsigned ended, unsigned jobs)
{
	int status;
	pid_t pid = wait(&status);
	unsigned k = 0;
	struct job_result *res;

	while (k < *count && running[k].pid != pid)
		k++;
	if (k == *count)
		return;
	res = running[k].job->result;
	if (!res->done) {
		res->failed = true;
		snprintf(res->why, sizeof(res->why), "its process died of signal %d",
			 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	fprintf(stderr, "sonde: %u of %u  %s %s  %.1f s%s%s\n", ended, jobs, running[k].job->set,
		running[k].job->name, now() - running[k].began, res->failed ? ": " : "",
		res->failed ? res->why : "");
	running[k] = running[--*count];
}

int crew_run(struct crew_memory *memory, struct job *job, unsigned jobs, const char *tool,
	     bool prune, unsigned processes, struct why *why)
{
	struct running *running = calloc(processes, sizeof(*running));
	struct job **order = calloc(jobs, sizeof(*order));
	unsigned next = 0, count = 0, ended = 0;
	int err = running && order ? share(memory, job, jobs, why) :
				     why_set(why, -ENOMEM, "out of memory");

	for (unsigned k = 0; !err && k < jobs; k++)
		order[k] = &job[k];
	if (!err)
		qsort(order, jobs, sizeof(*order), longest_first);
	while (!err && next < jobs) {
		if (count == processes)
			reap(running, &count, ++ended, jobs);
		err = start(&running[count], order[next++], tool, prune, why);
		count += !err;
	}
	while (count)
		reap(running, &count, ++ended, jobs);
	free(running);
	free(order);
	return err;
}
